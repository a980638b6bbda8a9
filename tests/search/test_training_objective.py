"""Real training as a goal: words, values, failures that end one evaluation, early stops by Optuna's pruners."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import optuna
import pytest
import torch

from svge_core.errors import DataError, SvgeError
from svge_core.network_training import read_recipe, train_network
from svge_core.network_training.trainer import NetworkTrainer
from svge_core.search.objectives import EvaluatorDiedError, OwnProcess, make, make_objective
from svge_core.search.objectives.training import TrainedInProcess, needs_consent, split_training
from svge_core.search.runs import (
    EarlyStops,
    RunView,
    SearchConfig,
    create_run,
    delete_run,
    execute,
    optuna_storage,
    read_run,
)
from svge_core.search.runs.pruning import stops_name
from svge_core.spaces import SPACES

SPACE = SPACES["nasbench201"]
TINY = "epochs=1,batch_size=448,channels=2"
WORD = f"train:digits:{TINY}"


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trained here, so that a test can make it fail."""
    monkeypatch.setattr(make, "trained_objective", lambda rest, space, *_: TrainedInProcess(rest, space))
    yield


def searched(storage: str, word: str, budget: int = 4, prune: str = "") -> RunView:
    name = create_run(storage, SearchConfig("nasbench201", (word,), "random", budget, name="run", prune=prune))
    execute(storage, name)
    return read_run(storage, name)


def test_words_name_images_and_recipe(tmp_path: Path) -> None:
    assert split_training("digits") == ("digits", read_recipe("digits"))
    assert split_training("digits:epochs=2") == ("digits", read_recipe("epochs=2"))
    assert split_training("C:/pets:nasbench201,epochs=3") == ("C:/pets", read_recipe("nasbench201,epochs=3"))
    assert split_training("C:/pets") == ("C:/pets", read_recipe("digits"))
    assert not needs_consent("digits:epochs=2") and needs_consent("C:/pets")
    with pytest.raises(DataError, match="no setting 'epoch'"):
        make_objective(["train:digits:epoch=2"], SPACE)
    with pytest.raises(DataError, match="train:digits:foo: Unknown recipe 'foo': expected digits, nasbench201"):
        make_objective(["train:digits:foo"], SPACE)
    assert split_training("python:mine.data:pets") == ("python:mine.data:pets", read_recipe("digits"))
    with pytest.raises(SvgeError, match="Unknown recipe 'foo'"):
        split_training("python:mine.data:pets:foo")
    (tmp_path / "pets").mkdir()
    with pytest.raises(SvgeError, match="Unknown recipe 'nasbench2001'"):
        TrainedInProcess(f"{tmp_path / 'pets'}:nasbench2001", SPACE)
    with pytest.raises(DataError, match="FOLDER, FILE.npz"):
        make_objective(["train:"], SPACE)
    with pytest.raises(DataError, match="agree to that first") as caught:
        make_objective(["train:/images/pets"], SPACE)
    assert caught.value.settings == ("allow_python",)
    assert SearchConfig("nasbench201", ("train:/images/pets",), "random", 1).uses_python
    assert not SearchConfig("nasbench201", (WORD,), "random", 1).uses_python
    with pytest.raises(DataError, match="There are no images at"):
        make_objective(["train:/images/pets"], SPACE, allow_python=frozenset({"train:/images/pets"}))


def test_a_process_of_its_own_trains_and_a_killed_one_costs_one_evaluation() -> None:
    objective = make_objective([f"train:digits:{TINY},epochs=2"], SPACE)
    assert isinstance(objective, OwnProcess)
    cell, process = SPACE.from_index(9930), objective._process
    assert process is not None
    seen: list[tuple[int, float]] = []

    def kill(epoch: int, value: float) -> bool:
        seen.append((epoch, value))
        os.kill(process.child.pid, signal.SIGKILL)
        return True

    with pytest.raises(EvaluatorDiedError, match="killed by signal 9"):
        objective.evaluate(cell, kill)
    expected = train_network(SPACE, cell, "digits", f"{TINY},epochs=2")
    assert objective.evaluate(cell) == (pytest.approx(expected.validation),)
    assert objective.goals[0].meaning == expected.meaning
    assert seen == [(1, pytest.approx(expected.runs[0].curve[0].validation))]


def test_a_device_that_is_not_there_is_refused_before_the_first_cell(storage: str) -> None:
    with pytest.raises(DataError, match="Device 'xpu' is not available: this machine has"):
        make_objective([WORD], SPACE, device="xpu")
    name = create_run(storage, SearchConfig("nasbench201", (WORD,), "random", 1, name="run"))
    with pytest.raises(SvgeError, match="Device 'xpu' is not available"):
        execute(storage, name, device="xpu")
    assert read_run(storage, name).evaluations == ()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA"), "Out of memory in epoch 1"),
        (None, "The loss is not a finite number in epoch 1"),
    ],
)
def test_a_failed_training_is_a_failed_evaluation_and_the_search_goes_on(
    in_process: None, storage: str, monkeypatch: pytest.MonkeyPatch, error: Exception | None, said: str
) -> None:
    plain, calls = NetworkTrainer._augmented, 0

    def once(self: Any, images: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 1 and error is not None:
            raise error
        return plain(self, images) * (float("nan") if calls == 1 else 1.0)

    monkeypatch.setattr(NetworkTrainer, "_augmented", once)
    view = searched(storage, WORD, budget=2)
    assert [e.state for e in view.evaluations] == ["failed", "done", "done"]
    assert said in view.evaluations[0].problem and view.state == "finished"


def promoted(before: list[float], value: float) -> bool:
    """The rule of asynchronous successive halving: among the best third of those that reached the rung, or the best."""
    there = sorted([*before, value], reverse=True)
    return value >= there[max(1, len(there) // 3) - 1]


def test_poor_cells_are_stopped_early_and_have_no_value(in_process: None, storage: str) -> None:
    view = searched(storage, f"train:digits:{TINY},epochs=3", budget=7, prune="asha")
    study = optuna.load_study(study_name=stops_name("run"), storage=optuna_storage(storage))
    firsts = [trial.intermediate_values[1] for trial in study.trials]
    kept = [promoted(firsts[:number], value) for number, value in enumerate(firsts)]
    assert [e.state for e in view.evaluations] == ["done" if keep else "pruned" for keep in kept]
    assert view.evaluated == 7 and 0 < view.pruned < 7 and view.state == "finished"
    for e, first in zip(view.evaluations, firsts, strict=True):
        if e.state == "pruned":
            assert e.values is None and f"Stopped after epoch 1 of 3, at {first:.2f} %" in e.problem
    assert len({e.cell for e in view.evaluations}) == 7 and len(view.history().failed) == view.pruned
    assert view.best is not None and view.best.values == (max(e.values[0] for e in view.done if e.values),)
    mirror = optuna.load_study(study_name="run", storage=optuna_storage(storage))
    states = [trial.state.name for trial in mirror.trials]
    assert states.count("PRUNED") == view.pruned and states.count("COMPLETE") == len(view.done)
    assert view.config.prune == "asha"
    delete_run(storage, "run")
    assert optuna.get_all_study_names(storage=optuna_storage(storage)) == []


def test_early_stops_need_one_trained_goal_with_one_seed() -> None:
    for objective, prune, said in (
        (("table:cifar10_valid",), "asha", "Early stops need one goal that is trained"),
        ((WORD, "table:params_m"), "asha", "Early stops need one goal that is trained"),
        ((f"{WORD},seeds=2",), "hyperband", "a recipe with one seed"),
        ((WORD,), "median", "Early stops are one of hyperband, asha"),
    ):
        with pytest.raises(SvgeError, match=said):
            SearchConfig("nasbench201", objective, "random", 1, prune=prune)
    old = {k: v for k, v in SearchConfig("nasbench201", (WORD,), "random", 1).to_dict().items() if k != "prune"}
    assert SearchConfig.from_dict(old).prune == ""


@pytest.mark.parametrize("direction", ["max", "min"])
def test_hyperband_stops_the_worse_in_some_brackets_and_keeps_the_best(direction: Literal["max", "min"]) -> None:
    stops, sign = EarlyStops("hyperband", 9, direction), 1 if direction == "max" else -1
    falling = [stops.begin(str(number)).go_on(1, -1.0 * sign * number) for number in range(20)]
    assert falling[0] and 0 < sum(not on for on in falling) < 20
    assert stops.begin("best").go_on(1, float(sign))
