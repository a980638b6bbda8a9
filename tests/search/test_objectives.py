"""Objectives: tables, predictors, a user's CSV and function, several at once; every mistake is one line."""

import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from svge_core.data import Prediction, ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError, SvgeError
from svge_core.models.head import HeadConfig
from svge_core.predictors.checkpoint_predictors import Predictors, _Fitted
from svge_core.predictors.predictor_info import PredictorInfo
from svge_core.search.objectives import make as objectives
from svge_core.search.objectives.goals import EvaluationError
from svge_core.search.objectives.make import make_objective, search_domain
from svge_core.search.runs import SearchConfig, create_run
from svge_core.spaces.registry import get_space
from tests.support.cli import RunCommand, known_scores
from tests.support.core import tiny_model, write_sampled_checkpoint
from tests.support.runs import HERE, SPACE, worth

CELL = SPACE.from_index(5_000)


def partial(space: str, values: dict[int, float]) -> Scores:
    """A made-up table that knows some cells."""
    size = get_space(space).size or 0
    column = np.full(size, np.nan)
    column[list(values)] = list(values.values())
    meaning = ScoreMeaning(
        "loss",
        "Loss",
        "",
        "min",
        "made up",
        "",
        None,
        "",
        "measured",
        "made up",
        role="other",
        origin="imported",
        single_run=False,
    )
    return scores_from_columns(space, {"loss": column}, {"loss": meaning})


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that knows three cells."""
    monkeypatch.setattr(objectives, "_scores", lambda space, imported: partial(space, {5: 2.0, 9: 1.0, 70: 3.0}))


def test_a_measured_table_covers_its_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objectives, "load_scores", known_scores)
    objective = make_objective(["table:cifar10_valid"], SPACE)
    scores = known_scores("nasbench201")
    assert objective.known is None
    assert objective.optimum == (scores.best("cifar10_valid")[1],)
    assert objective.goals[0].meaning == scores.meaning("cifar10_valid")
    assert objective.evaluate(CELL) == (scores.of(5_000)["cifar10_valid"],)
    assert search_domain(objective, SPACE, restricted=False).known is None
    with pytest.raises(DataError, match="No 'magic' of NAS-Bench-201 is known on this machine") as caught:
        make_objective(["table:magic"], SPACE)
    (named,) = re.findall(r"expected table: and one of (.*), or a column of your own", str(caught.value))
    assert named.split(", ") == list(scores.columns(detail=False))
    for key in named.split(", "):
        assert make_objective([f"table:{key}"], SPACE).goals[0].key == key


def test_a_table_key_that_nobody_knows_is_answered_with_what_there_is(fails: RunCommand, tmp_path: Path) -> None:
    for name in ("randwire", "enas6", "nasbench101"):
        message = (
            f"No 'accuracy' of {get_space(name).title} is known on this machine: expected table: and one of params_m"
        )
        with pytest.raises(DataError, match=message):
            make_objective(["table:accuracy"], get_space(name))
        with pytest.raises(DataError, match=message):
            create_run(f"sqlite:///{tmp_path}/s.db", SearchConfig(name, ("table:accuracy",), "random", 3))
    words = (
        "search",
        "--space",
        "randwire",
        "--objective",
        "table:accuracy",
        "--storage",
        f"sqlite:///{tmp_path}/s.db",
    )
    line = fails(*words)
    assert "expected table: and one of params_m, flops_m, or a column of your own (csv:FILE:COLUMN)" in line


def test_a_column_of_no_value_is_no_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objectives, "_scores", lambda space, imported: partial(space, {}))
    with pytest.raises(DataError, match="No score of NAS-Bench-201 is known on this machine.* data import FILE"):
        make_objective(["table:loss"], SPACE)


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "enas6"])
def test_costs_follow_from_the_structure_in_every_space(name: str, rng: np.random.Generator) -> None:
    space = get_space(name)
    cell = space.canonical(space.random_cell(rng))
    objective = make_objective(["table:params_m", "table:flops_m"], space)
    cost = space.cost(cell)
    assert objective.evaluate(cell) == (cost.params_m, cost.flops_m)
    assert [(goal.key, goal.direction, goal.kind) for goal in objective.goals] == [
        ("params_m", "min", "analytic"),
        ("flops_m", "min", "analytic"),
    ]
    assert (objective.known, objective.optimum) == (None, None)


def test_a_table_of_part_of_a_space_is_searched_only_when_agreed(table: None) -> None:
    objective = make_objective(["table:loss"], SPACE)
    assert objective.known is not None
    assert set(objective.known) == {SPACE.canonical(SPACE.from_index(index)) for index in (5, 9, 70)}
    assert objective.optimum == (1.0,)
    with pytest.raises(DataError, match="Only 3 of 15,625 cells of NAS-Bench-201 have a value of loss: agree"):
        search_domain(objective, SPACE, restricted=False)
    domain = search_domain(objective, SPACE, restricted=True)
    assert domain.size == 3
    assert "restricted to the 3 cells" in domain.title
    with pytest.raises(EvaluationError, match="has no value of loss"):
        objective.evaluate(CELL)


def test_goals_together_are_known_where_all_are(table: None, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,score\n9,4\n70,5\n71,6\n")
    objective = make_objective(["table:loss", f"csv:{path}:score", "table:params_m"], SPACE)
    assert objective.known is not None
    assert [SPACE.index(cell) for cell in objective.known] == [9, 70]
    assert objective.evaluate(SPACE.from_index(70)) == (3.0, 5.0, SPACE.cost(SPACE.from_index(70)).params_m)
    path.write_text("index,score\n1,4\n")
    with pytest.raises(DataError, match=r"No cell of NAS-Bench-201 has a value of every goal \(loss, user_score\)"):
        make_objective(["table:loss", f"csv:{path}:score"], SPACE)


def test_predictions_are_marked_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = write_sampled_checkpoint(tmp_path, tiny_model(SPACE))
    measured = ScoreMeaning(
        "acc",
        "Accuracy",
        "%",
        "max",
        "made up",
        "",
        None,
        "",
        "measured",
        "made up",
        role="other",
        origin="imported",
        single_run=False,
    )
    old = PredictorInfo(
        checkpoint=checkpoint.digest,
        space=SPACE.name,
        score="old",
        description="",
        labels=9,
        level=0.9,
        head=HeadConfig(),
        training_indices=(),
        held_out={},
    )
    acc = replace(old, score="acc", labels=12, meaning=measured.to_dict())
    fitted = {"acc": _Fitted(tmp_path, acc), "old": _Fitted(tmp_path, old)}
    monkeypatch.setattr(objectives, "load_predictors", lambda *_: Predictors(checkpoint, SPACE, fitted))
    mean = np.array([91.0])
    prediction = Prediction("acc", mean, mean - 1, mean + 1, 0.9, "made up", 12)
    monkeypatch.setattr(Predictors, "predict", lambda self, key, cells: prediction)
    objective = make_objective(["predictor:acc"], SPACE, checkpoint)
    (goal,) = objective.goals
    assert (goal.key, goal.kind, goal.direction) == ("predicted_acc", "predicted", "max")
    assert goal.meaning.title == "Predicted Accuracy"
    assert "12 labels" in goal.meaning.source
    assert objective.evaluate(CELL) == (91.0,)
    assert objective.optimum is None
    assert make_objective(["predictor:old"], SPACE, checkpoint).goals[0].kind == "predicted"
    with pytest.raises(DataError, match="No predictor for 'magic': this checkpoint has acc, old"):
        make_objective(["predictor:magic"], SPACE, checkpoint)
    with pytest.raises(DataError, match="predictor:x needs a checkpoint"):
        make_objective(["predictor:x"], SPACE)


def test_a_users_table_gives_its_own_cells(tmp_path: Path) -> None:
    path = tmp_path / "a:b.csv"  # a colon in the name is part of the path
    path.write_text(f'arch,Accuracy,latency\n"{SPACE.format(CELL)}",91.5,3\n"{SPACE.format(CELL)}",92.5,3\nx,1,1\n')
    objective = make_objective([f"csv:{path}:accuracy"], SPACE)
    assert objective.known == (SPACE.canonical(CELL),)
    assert objective.evaluate(CELL) == (92.0,)
    meaning = objective.goals[0].meaning
    assert (meaning.title, meaning.data_set, meaning.direction) == ("Accuracy", "your file", "max")
    assert "1 line rejected" in meaning.source
    assert make_objective([f"csv:{path}:latency"], SPACE).goals[0].direction == "min"
    with pytest.raises(DataError, match="no column 'speed'; its columns of numbers are Accuracy, latency"):
        make_objective([f"csv:{path}:speed"], SPACE)
    with pytest.raises(DataError, match="There is no file"):
        make_objective([f"csv:{tmp_path / 'none.csv'}:speed"], SPACE)
    with pytest.raises(DataError, match="is named csv:FILE:COLUMN"):
        make_objective(["csv:file"], SPACE)


def test_label_tables_with_hashes_are_read_too(tmp_path: Path) -> None:
    space = get_space("nasbench101")
    cells = [space.from_index(index) for index in (10, 400_000)]
    path = tmp_path / "nb101.csv"
    path.write_text("hash,valid\n" + "".join(f"{space.key(cell)},{90 + i}\n" for i, cell in enumerate(cells)))
    objective = make_objective([f"csv:{path}:valid"], space)
    assert objective.known == tuple(space.canonical(cell) for cell in cells)
    assert objective.evaluate(cells[1]) == (91.0,)
    assert objective.goals[0].key == "user_valid"


def test_a_users_function_is_called() -> None:
    objective = make_objective([f"{HERE}worth"], SPACE, allow_python=True)
    assert objective.evaluate(CELL) == (worth(CELL),)
    assert (objective.known, objective.optimum) == (None, None)
    objective = make_objective([f"{HERE}two:max,min", f"{HERE}worth:min"], SPACE, allow_python=True)
    assert [(goal.key, goal.direction) for goal in objective.goals] == [
        ("two_1", "max"),
        ("two_2", "min"),
        ("worth", "min"),
    ]
    assert len(objective.evaluate(CELL)) == 3


def test_a_light_function_does_not_wait_for_torch() -> None:
    objective = make_objective([f"{HERE}torch_is_there"], SPACE, allow_python=True)
    assert objective.evaluate(CELL) == (0.0,)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("python:tests.no_such_module:f", "'tests.no_such_module' cannot be imported: ModuleNotFoundError"),
        (f"{HERE}nothing", "has no function 'nothing'"),
        (f"{HERE}NOT_A_FUNCTION", "has no function 'NOT_A_FUNCTION'"),
        ("python:tests.support.runs", "A function is named python:package.module:function"),
        ("python:os;rm:f", "A function is named python:package.module:function"),
        (f"{HERE}worth:most", "A function is named python:package.module:function"),
        ("magic:x", "Unknown objective 'magic:x': expected table:KEY"),
        ("table:", "Unknown objective 'table:'"),
    ],
)
def test_words_that_name_nothing_are_one_line(word: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        make_objective([word], SPACE, allow_python=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("broken", "tests.support.runs:broken raised ZeroDivisionError: always"),
        ("absurd", "must return a finite number; it returned 'many'"),
        ("infinite", "must return a finite number; it returned inf"),
        ("triple", r"must return a finite number; it returned \(1.0, 2.0, 3.0\)"),
        ("triple:max,max", r"must return 2 finite numbers; it returned"),
        ("worth:max,max", r"must return 2 finite numbers; it returned"),
    ],
)
def test_bad_results_are_one_line(function: str, message: str) -> None:
    objective = make_objective([f"{HERE}{function}"], SPACE, allow_python=True)
    with pytest.raises(EvaluationError, match=message) as caught:
        objective.evaluate(CELL)
    assert "\n" not in str(caught.value)


def test_nothing_is_imported_that_was_not_agreed_to() -> None:
    with pytest.raises(DataError, match="agree to that first"):
        make_objective(["python:this_would_fail_on_import:f"], SPACE)


def test_goals_are_few_and_distinct() -> None:
    with pytest.raises(DataError, match="needs an objective"):
        make_objective([], SPACE)
    with pytest.raises(DataError, match="Goal 'params_m' is given twice"):
        make_objective(["table:params_m", "table:params_m"], SPACE)
    with pytest.raises(SvgeError, match="at most 6 goals; got 7"):
        make_objective([f"{HERE}triple:max,max,max,max,max,max,max"], SPACE, allow_python=True)
