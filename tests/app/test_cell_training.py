"""Train this cell, without a browser: the form, what is running, what came out, what a shared server says."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from svge_core.errors import DataError
from svge_core.jobs import (
    CellTrainingJob,
    CellTrainingJobs,
    CellTrainingProgress,
    CellTrainingRequest,
    scores_from_here,
)
from svge_core.network_training import STATE, TrainRecipe, train_network
from svge_core.network_training.result import write_result
from svge_core.spaces import SPACES
from tests.support.app_driver import words
from tests.support.meanings import write_latency
from ui.cell_training.panel import progress_text, time_in_words
from ui.shared import trained
from ui.visitors import acts

SPACE = SPACES["nasbench201"]
CELL = SPACE.from_index(9930)
REQUEST = CellTrainingRequest("nasbench201", SPACE.format(CELL), "digits", TrainRecipe(epochs=1, channels=2))


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CellTrainingJobs:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    return trained.cell_training_jobs()


def shown() -> AppTest:
    def app() -> None:
        from svge_core.spaces import SPACES
        from ui.cell_training.panel import train_section

        space = SPACES["nasbench201"]
        train_section(space, space.format(space.from_index(9930)))

    at = AppTest.from_function(app).run(timeout=60)
    assert not at.exception
    return at


def record(jobs: CellTrainingJobs, *, cancelled: bool = False) -> CellTrainingJob:
    """A training whose process is over."""
    recipe = REQUEST.recipe.to_dict()
    job = CellTrainingJob(REQUEST.name, REQUEST.space, REQUEST.cell, "digits", recipe, ("false",), 0, "", cancelled)
    jobs._write(job)
    return job


def test_the_form_starts_what_it_says(jobs: CellTrainingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[CellTrainingRequest] = []
    monkeypatch.setattr(acts, "train_cell", lambda jobs, request: asked.append(request))
    at = shown()
    at.selectbox(key="cell-train-recipe").set_value("nasbench201").run()
    assert "Nesterov 0.1" in words(at) and "the benchmark's own size" in words(at)
    at.number_input(key="cell-train-epochs-nasbench201").set_value(12).run()
    at.button(key="cell-train-start").click().run()
    (request,) = asked
    assert (request.data, request.recipe.epochs, request.recipe.optimiser) == ("digits", 12, "sgd")
    assert request.cell == SPACE.format(CELL)


def test_a_result_is_shown_with_its_meaning_and_joins_the_scores(jobs: CellTrainingJobs) -> None:
    job = record(jobs)
    found = train_network(SPACE, CELL, "digits", REQUEST.recipe)
    jobs.folder(job.name).mkdir()
    write_result(jobs.folder(job.name), found)
    text = words(shown())
    assert f"**{found.validation:.2f} %** validation · {found.test:.2f} % test" in text
    assert "trained on this machine" in text
    scores = trained.trained_scores("nasbench201", jobs.results("nasbench201"))
    assert scores is not None and scores.of(9930) == {found.meaning.key: found.validation}
    runs = jobs.records.parent
    write_latency(runs, 3, 4.5)
    both = scores_from_here("nasbench201", runs)
    assert both.of(9930)[found.meaning.key] == found.validation and 4.5 in both.of(3).values()
    assert len(both.meanings) == 2
    with pytest.raises(DataError, match="No cell of ENAS macro.* was trained or timed in"):
        scores_from_here("enas6", runs)


def test_cancelled_and_failed_trainings_say_so(jobs: CellTrainingJobs) -> None:
    record(jobs, cancelled=True)
    at = shown()
    assert "Cancelled. Nothing was saved yet, so it would begin anew." in at.warning[0].value
    assert at.button(key=f"cell-train-resume-{REQUEST.name}").label == "Try again"
    jobs.folder(REQUEST.name).mkdir()
    (jobs.folder(REQUEST.name) / STATE).touch()
    at = shown()
    assert "Cancelled. It can be resumed." in at.warning[0].value
    assert at.button(key=f"cell-train-resume-{REQUEST.name}").label == "Resume"
    jobs._path(record(jobs), ".err").write_text("svge: Out of memory in epoch 1.\n")
    at = shown()
    assert at.error[0].value.startswith("Out of memory in epoch 1")
    at.button(key=f"cell-train-forget-{REQUEST.name}").click().run()
    assert jobs.all() == []


def test_a_shared_server_trains_nothing(jobs: CellTrainingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = record(jobs)
    monkeypatch.setenv("SVGE_SHARED", "1")
    assert "Training is off on this shared server" in words(shown())
    assert trained.own_trainings("nasbench201") is None
    for attempt in (
        lambda: acts.train_cell(jobs, REQUEST),
        lambda: acts.resume_cell(jobs, job),
        lambda: acts.cancel_cell(jobs, job),
        lambda: acts.forget_cell(jobs, job),
    ):
        with pytest.raises(acts.RefusedError, match="Training is off"):
            attempt()
    assert jobs.all() == [job]


def test_files_of_this_machine_are_named_from_this_machine_only(jobs: CellTrainingJobs) -> None:
    request = CellTrainingRequest("nasbench201", SPACE.format(CELL), "/images", TrainRecipe())
    with pytest.raises(acts.RefusedError, match="from a browser on that machine"):
        acts.train_cell(jobs, request)


def test_progress_in_words() -> None:
    assert progress_text(CellTrainingProgress("running", (), 0, 0, None)) == "Starting …"
    row = {"epoch": 3, "epochs": 8, "validation": 91.234, "seed": 1, "runs": 2}
    told = CellTrainingProgress("running", (row,), 42, 112, 12.3)
    assert progress_text(told) == "Epoch 3 of 8, seed 1 · validation 91.23 % · about 12 s left at this pace"
    assert [time_in_words(s) for s in (0.2, 200.0, 9000.0)] == ["1 s", "3 min", "2.5 h"]


def test_a_latency_is_measured_and_joins_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    real = acts.measure_here
    small = {"channels": 2, "cells_per_stage": 1}
    monkeypatch.setattr(acts, "measure_here", lambda space, cell, sizes, *more: real(space, cell, small, *more))

    def app() -> None:
        from svge_core.spaces import SPACES
        from ui.cell_training.latency import latency_section

        space = SPACES["nasbench201"]
        latency_section(space, space.format(space.from_index(9930)))

    at = AppTest.from_function(app).run(timeout=60)
    assert not [each for each in at.markdown if " ms**" in each.value]
    at.button(key="cell-latency-measure").click().run(timeout=120)
    assert len([each for each in at.markdown if " ms**" in each.value]) == 4
    scores = trained.own_latencies("nasbench201")
    assert scores is not None and len(scores.of(9930)) == 4
    monkeypatch.setenv("SVGE_SHARED", "1")
    assert trained.own_latencies("nasbench201") is None
    assert "not timed on this shared server" in words(at.run())
    with pytest.raises(acts.RefusedError, match="not timed"):
        acts.measure_cell("nasbench201", SPACE.format(CELL), {}, tmp_path)


def test_results_of_a_space_without_a_list_stand_below_the_button(jobs: CellTrainingJobs) -> None:
    def app() -> None:
        from types import SimpleNamespace
        from typing import Any

        import numpy as np

        from svge_core.spaces import SPACES
        from ui.compare.training import training

        space, rng = SPACES["randwire"], np.random.default_rng(3)
        cells = [space.canonical(space.random_cell(rng)) for _ in range(2)]
        both: Any = SimpleNamespace(space=space, cells=cells, architectures=cells, names=["one", "other"])
        training(both)

    space, rng = SPACES["randwire"], np.random.default_rng(3)
    cell = space.canonical(space.random_cell(rng))
    recipe = TrainRecipe(epochs=1, channels=2, batch_size=448)
    request = CellTrainingRequest("randwire", space.format(cell), "digits", recipe)
    found = train_network(space, cell, "digits", recipe)
    jobs._write(jobs._job(request))
    jobs.folder(request.name).mkdir()
    write_result(jobs.folder(request.name), found)
    at = AppTest.from_function(app).run(timeout=60)
    assert not at.exception
    assert "**1: one**" in words(at) and f"**{found.validation:.2f} %** validation" in words(at)
    assert at.button(key="compare-train-start").label == "Train both"
