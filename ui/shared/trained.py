"""Trainings of single cells of this installation, and their results as columns of a space."""

from functools import cache
from pathlib import Path

from svge_core.data import Scores
from svge_core.jobs import CellTrainingJobs, trained_scores
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
