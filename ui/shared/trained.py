"""What was trained and timed on this installation, and the results as columns of a space."""

from functools import cache
from pathlib import Path

from svge_core.data import Scores
from svge_core.jobs import CellTrainingJobs, MeasuredCell, latency_scores, latency_stamp, measured_cells, trained_scores
from ui.paths import ROOT, runs_folder, shared
from ui.shared import reruns


@cache
def _jobs(records: str) -> CellTrainingJobs:
    return CellTrainingJobs(Path(records), cwd=ROOT)


def cell_training_jobs() -> CellTrainingJobs:
    """The trainings of this installation, shared by all sessions."""
    return _jobs(str(runs_folder() / "cells"))


def own_trainings(space: str) -> Scores | None:
    """What was trained here, as columns; visitors of a shared server see none."""
    if shared():
        return None
    jobs = cell_training_jobs()
    return reruns.memo("trained cells", (space, jobs.stamp()), lambda: trained_scores(space, jobs.results(space)))


def latency_folder() -> Path:
    """Where what was timed here is kept."""
    return runs_folder() / "latencies"


def own_latencies(space: str) -> Scores | None:
    """What was timed here, as columns; visitors of a shared server see none."""
    if shared():
        return None
    key = (space, latency_stamp(latency_folder()))
    return reruns.memo("latency columns", key, lambda: latency_scores(space, own_measurements(space)))


def own_measurements(space: str) -> list[MeasuredCell]:
    """What was timed here, the oldest first; the files are read again only after something was."""
    folder = latency_folder()
    key = (space, latency_stamp(folder))
    return reruns.memo("measured latencies", key, lambda: measured_cells(space, folder))
