"""kill -9 at any moment: nothing known is lost, nothing finished is done again, and runs go on as they would have."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.search.runs import ledger, loop as execution
from svge_core.search.runs.mirror import Mirror
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import RunView
from tests.support.killing import dying
from tests.support.runs import HERE, begun, consistent, execute, in_child, kill, started
from tests.support.waiting import PATIENCE, until

#: a small run whose order of proposals depends on what was found before
RUN: dict[str, Any] = {"method": "local-search", "budget": 10, "batch": 3, "seed": 5}


def story(view: RunView) -> list[tuple[int, Cell, tuple[float, ...] | None]]:
    """What was proposed, in order, and what came out."""
    return [(e.number, e.cell, e.values) for e in view.evaluations]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, Cell, tuple[float, ...] | None]]:
    """The story of the run that nobody kills."""
    storage = f"sqlite:///{tmp_path_factory.mktemp('whole') / 's.db'}"
    name = started(storage, **RUN)
    execute(storage, name)
    return story(read_run(storage, name))


#: moments by name: module, function, call, and whether the process dies before or after it
MOMENTS: dict[str, tuple[Any, str, int, bool]] = {
    "before the first claim": (ledger, "claim", 1, False),
    "after a claim": (ledger, "claim", 2, True),
    "before an evaluation": (ledger, "begin", 5, True),
    "after an evaluation, before it is stored": (ledger, "settle", 5, False),
    "in the transaction that stores a value": (ledger, "_mine", 8, True),
    "before its trial is added": (Mirror, "_add", 1, False),
    "after its trial is added, before the ledger knows": (Mirror, "_add", 1, True),
    "after the study is repaired": (Mirror, "repair", 1, True),
    "after a value is stored": (ledger, "settle", 5, True),
    "before the end is noted": (execution, "end_run", 1, False),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_chosen_moment(storage: str, moment: str, whole: list, monkeypatch: pytest.MonkeyPatch) -> None:
    name = started(storage, **RUN)
    module, function, call, after = MOMENTS[moment]
    monkeypatch.setattr(module, function, dying(getattr(module, function), call, after=after))
    child = in_child(lambda: execute(storage, name))
    child.join(PATIENCE)
    monkeypatch.undo()
    assert child.exitcode == -signal.SIGKILL
    view = read_run(storage, name)
    assert view.state == ("finished" if view.evaluated == 10 else "interrupted")  # noticed at once
    before = [e for e in view.evaluations if e.state == "done"]
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    after_all = read_run(storage, name)
    assert story(after_all) == whole
    assert set(before) <= set(after_all.evaluations)  # the same values of the same worker at the same time


def test_killed_at_random_moments(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("SVGE_TEST_LOG", str(log))
    monkeypatch.setenv("SVGE_TEST_SECONDS", "0.02")
    run = {**RUN, "budget": 25, "objective": (f"{HERE}logged",)}
    rng = np.random.default_rng(0)
    name, known, kills = started(storage, **run), set(), 0
    while read_run(storage, name).state != "finished":
        child = in_child(lambda: execute(storage, name))
        before = len(begun(log))
        child.join(float(rng.uniform(0.1, 1.5)))
        # never three times at one cell, which would then be given up: past the cell at which the one before was killed
        while child.is_alive() and len(begun(log)) < before + 2:
            child.join(0.01)
        if child.is_alive():
            kill(child)
            kills += 1
        done = set(read_run(storage, name).done)
        assert known <= done
        known = done
    assert execute(storage, name) == "finished"  # whoever was killed after the last value left its trial to the next
    consistent(storage, name)
    assert kills > 0
    # a cell is evaluated again only if its evaluation was cut off
    assert len(begun(log)) <= 25 + kills
    monkeypatch.delenv("SVGE_TEST_LOG")
    calm = started(storage, **{**run, "objective": (f"{HERE}worth",)})
    execute(storage, calm)
    assert story(read_run(storage, name)) == story(read_run(storage, calm))


def test_a_killed_workers_cell_goes_to_a_living_one(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    monkeypatch.setenv("SVGE_TEST_LOG", str(log))
    monkeypatch.setenv("SVGE_TEST_GATE", str(gate))
    name = started(storage, budget=20, batch=4, objective=(f"{HERE}logged",))
    crew = [in_child(lambda: execute(storage, name)) for _ in range(2)]
    until(lambda: len(begun(log)) == 2)  # each is at a cell and waits
    kill(crew[0])
    assert read_run(storage, name).state == "running"
    gate.touch()
    crew[1].join(PATIENCE)
    assert crew[1].exitcode == 0
    assert len(begun(log)) == 21  # the cell of the one that was killed, once more
    consistent(storage, name)
