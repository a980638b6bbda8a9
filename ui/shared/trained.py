"""What was trained and timed on this installation, and the results as columns of a space."""

from functools import cache
from pathlib import Path

from svge_core.data import Scores
from svge_core.jobs import (
    LATENCIES,
    TRAININGS,
    CellTrainingJobs,
    MeasuredCell,
    latency_scores,
    latency_stamp,
    measured_cells,
    trained_scores,
)
from ui.paths import ROOT, runs_folder, shared
from ui.shared import reruns


@cache
def _jobs(records: str) -> CellTrainingJobs:
    return CellTrainingJobs(Path(records), cwd=ROOT)


def cell_training_jobs() -> CellTrainingJobs:
    """The trainings of this installation, shared by all sessions."""
    return _jobs(str(runs_folder() / TRAININGS))


def own_trainings(space: str) -> Scores | None:
    """What was trained here, as columns; visitors of a shared server see none."""
    if shared():
        return None
    jobs = cell_training_jobs()
    return reruns.memo("trained cells", (space, jobs.stamp()), lambda: trained_scores(space, jobs.results(space)))


def latency_folder() -> Path:
    """Where what was timed here is kept."""
    return runs_folder() / LATENCIES


def own_latencies(space: str) -> Scores | None:
    """What was timed here, as columns; visitors of a shared server see none."""
    if shared():
        return None
    key = (space, latency_stamp(latency_folder()))
    return reruns.memo("latency columns", key, lambda: latency_scores(space, own_measurements(space)))


def known_here(space: str) -> bool:
    """Whether there are columns of what was trained or timed here."""
    return own_trainings(space) is not None or own_latencies(space) is not None


def own_measurements(space: str) -> list[MeasuredCell]:
    """What was timed here, the oldest first; the files are read again only after something was."""
    folder = latency_folder()
    key = (space, latency_stamp(folder))
    return reruns.memo("measured latencies", key, lambda: measured_cells(space, folder))
