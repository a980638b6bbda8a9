"""A store of before meanings had role, origin and single_run: its runs open, go on, and compare with those of today."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from svge_core.data import meaning_from_dict
from svge_core.search.comparison import comparable
from svge_core.search.runs.manage import control, create_run
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import open_store, runs
from svge_core.search.runs.types import Evaluation
from tests.support.meanings import as_of_old
from tests.support.runs import HERE, config, execute


@pytest.mark.parametrize(
    "objective", [(f"{HERE}worth",), ("table:cifar10_valid",), ("table:cifar10_valid", "table:params_m")]
)
def test_a_run_of_an_older_version_goes_on_and_is_the_same_problem(tmp_path: Path, objective: tuple[str, ...]) -> None:
    storage = f"sqlite:///{tmp_path / 'runs.db'}"
    name = create_run(storage, config(objective=objective))

    def pause_after_four(evaluation: Evaluation) -> None:
        if evaluation.number == 3:
            control(storage, name, "pause")

    assert execute(storage, name, pause_after_four) == "paused"
    with open_store(storage) as engine, engine.begin() as connection:
        written = json.loads(connection.execute(sa.select(runs.c.goals)).scalar_one())
        old = [as_of_old(meaning_from_dict(goal)) for goal in written]
        connection.execute(sa.update(runs).values(goals=json.dumps(old)))
    before = read_run(storage, name)
    assert [goal.meaning.to_dict() for goal in before.goals] == written
    control(storage, name, "run")
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    assert view.evaluated == 12
    assert view.evaluations[:4] == before.evaluations[:4]
    other = create_run(storage, config(objective=objective, seed=1))
    assert comparable(view, read_run(storage, other))
