"""Trainings of cells as processes: to the end, cancelled and resumed, refused, forgotten; results as a column."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from svge_core.errors import SvgeError
from svge_core.jobs import CellTrainingJobs, CellTrainingProgress, CellTrainingRequest, trained_scores
from svge_core.network_training import TrainRecipe
from svge_core.spaces import SPACES
from tests.support.paths import ROOT
from tests.support.waiting import until

SPACE = SPACES["nasbench201"]
TEXT = SPACE.format(SPACE.from_index(9930))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[CellTrainingJobs]:
    found = CellTrainingJobs(tmp_path / "cells", {"OMP_NUM_THREADS": "1"}, ROOT)
    yield found
    for job in found.all():
        found.supervisor.stop(job.process, 1.0)


def request(epochs: int) -> CellTrainingRequest:
    return CellTrainingRequest("nasbench201", TEXT, "digits", TrainRecipe(epochs=epochs, channels=2, batch_size=448))


def ended(jobs: CellTrainingJobs) -> CellTrainingProgress:
    (job,) = jobs.all()
    until(lambda: jobs.progress(job).state != "running", about=lambda: jobs.progress(job))
    return jobs.progress(job)


def test_cancelled_resumed_to_the_end_and_a_column(jobs: CellTrainingJobs) -> None:
    before = jobs.stamp()
    job = jobs.start(request(40))
    until(lambda: len(jobs.progress(job).rows) >= 2, about=lambda: jobs.progress(job))
    running = jobs.progress(job)
    assert running.state == "running" and 0 < running.share < 1 and running.seconds_left is not None
    with pytest.raises(SvgeError, match="Another cell is being trained"):
        jobs.start(request(1))
    job = jobs.cancel(job)
    assert jobs.progress(job).state == "cancelled" and jobs.running() is None and jobs.has_state(job)
    jobs.resume(job)
    progress = ended(jobs)
    assert progress.state == "done" and progress.result is not None, progress.message
    assert [row["epoch"] for row in progress.rows] == list(range(1, 41))
    assert jobs.of("nasbench201", TEXT) == jobs.all() and jobs.stamp() != before
    scores = trained_scores("nasbench201", jobs.results("nasbench201"))
    assert scores is not None
    (meaning,) = scores.meanings.values()
    assert meaning == progress.result.meaning
    assert scores.of(9930) == {meaning.key: progress.result.validation}
    assert np.isfinite(scores.frame[meaning.key]).sum() == 1
    with pytest.raises(SvgeError, match="trained like this already"):
        jobs.start(request(40))
    jobs.forget(jobs.all()[0])
    assert jobs.all() == [] and list(jobs.records.glob(f"{job.name}*")) == []


def test_several_are_trained_one_after_another(jobs: CellTrainingJobs) -> None:
    recipe = TrainRecipe(epochs=4, channels=2)
    cells = [SPACES["nasbench201"].format(SPACES["nasbench201"].from_index(index)) for index in (9930, 1462)]
    asked = [CellTrainingRequest("nasbench201", cell, "digits", recipe) for cell in cells]
    begun = jobs.start_all(asked)
    assert [job.cell for job in begun] == cells
    with pytest.raises(SvgeError, match="Another cell is being trained"):
        jobs.start_all(asked)
    until(lambda: any(jobs.progress(job).waiting for job in begun), about=lambda: list(map(jobs.progress, begun)))
    assert len(jobs.going()) == 2
    until(lambda: not jobs.going(), about=lambda: list(map(jobs.progress, begun)))
    assert all(jobs.progress(job).state == "done" for job in begun)
    assert not any(jobs.progress(job).waiting for job in begun)
    with pytest.raises(SvgeError, match="All of them were trained like this already"):
        jobs.start_all(asked)


def test_one_that_waits_can_be_cancelled_and_resumed(jobs: CellTrainingJobs) -> None:
    cells = [SPACE.format(SPACE.from_index(index)) for index in (9930, 1462)]
    recipe = TrainRecipe(epochs=400, channels=2)
    begun = jobs.start_all([CellTrainingRequest("nasbench201", cell, "digits", recipe) for cell in cells])
    until(lambda: any(jobs.progress(job).waiting for job in begun), about=lambda: list(map(jobs.progress, begun)))
    (waits,) = [job for job in begun if jobs.progress(job).waiting]
    assert jobs.progress(jobs.cancel(waits)).state == "cancelled" and not jobs.has_state(waits)
    (works,) = jobs.going()
    until(lambda: jobs.progress(works).rows != (), about=lambda: jobs.progress(works))
    jobs.cancel(works)
    again = jobs.resume(waits)
    until(lambda: jobs.progress(again).rows != (), about=lambda: jobs.progress(again))
    jobs.cancel(again)
    assert jobs.going() == [] and jobs.has_state(again)


def test_a_failure_is_told_in_its_words(jobs: CellTrainingJobs) -> None:
    jobs.start(CellTrainingRequest("nasbench201", TEXT, "nowhere", TrainRecipe(epochs=1)))
    progress = ended(jobs)
    assert progress.state == "failed" and "There are no images at 'nowhere'" in progress.message


def test_the_command_says_everything(tmp_path: Path) -> None:
    words = CellTrainingRequest("randwire", "x", "digits", TrainRecipe()).command(tmp_path)
    assert "--cells-per-stage=1" not in words and "--channels=8" in words and "--no-flip" in words
    assert request(1).name == request(1).name != request(2).name
