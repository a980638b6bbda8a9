"""What a search keeps to when things go wrong: failed cells, tampered stores, large histories, restarts."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from svge_core.cells.cell import Cell
from svge_core.errors import DataError
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.objectives.make import make_objective
from svge_core.search.runs import create_run, ledger, loop
from svge_core.search.runs.optuna_study import optuna_storage
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store, runs
from svge_core.search.runs.types import Evaluation, EvaluationState, RunView
from svge_core.search.searchers.base import rng_for
from svge_core.search.searchers.bayesian.surrogate import MAX_CONDITIONED, conditioning_rows
from svge_core.search.searchers.registry import make_searcher
from tests.support.paths import ROOT
from tests.support.runs import HERE, SPACE, config, consistent, execute, started, worth
from tests.support.waiting import until


def test_a_failed_neighbour_does_not_turn_local_search_into_random_search() -> None:
    domain = Domain(SPACE)
    searcher = make_searcher("local-search", domain)
    history, failing, sources = History(), set(), []
    start = SPACE.canonical(SPACE.from_index(4))
    failing.update(domain.neighbours(start)[:3])
    for number in range(160):
        (proposal,) = searcher.propose(history, 1, rng_for(0, number)) if number else (None,)
        cell = start if proposal is None else proposal.cell
        sources.append("" if proposal is None else proposal.source)
        if cell in failing or number % 29 == 28:
            history = History(history.directions, history.observations, (), (*history.failed, cell))
        else:
            seen = (*history.observations, Observation(number, cell, (worth(cell),)))
            history = History(history.directions, seen, (), history.failed)
    assert len(history.failed) >= 5
    late = sources[60:]
    assert sum(source.startswith("one edit") for source in late) > 0.7 * len(late), late


def test_failed_cells_are_taken_and_wait_for_nothing() -> None:
    a, b, c = (SPACE.from_index(index) for index in (1, 2, 3))
    history = History(observations=(Observation(0, a, (1.0,)),), pending=(b,), failed=(c,))
    assert history.taken == {a, b, c}
    states: tuple[EvaluationState, ...] = ("done", "failed", "running")
    goals = make_objective([f"{HERE}worth"], SPACE, allow_python=True).goals
    view = RunView(config(), goals, "running", tuple(_evaluation(n, x) for n, x in enumerate(states)), None, "", "")
    assert len(view.history().observations) == len(view.history().pending) == len(view.history().failed) == 1


def _evaluation(number: int, state: EvaluationState, values: tuple[float, ...] = (1.0,)) -> Evaluation:
    cell, now = SPACE.from_index(number), datetime.now(UTC)
    return Evaluation(
        number=number,
        cell=cell,
        notation=SPACE.format(cell),
        source="",
        mean=None,
        std=None,
        state=state,
        values=values if state == "done" else None,
        started=now,
        finished=now,
        worker="",
        problem="",
    )


def test_what_the_store_names_is_imported_only_if_a_person_here_named_it(storage: str) -> None:
    agreed = f"{HERE}worth"
    name = started(storage, objective=(agreed,), budget=2)
    with open_store(storage) as engine, engine.begin() as connection:  # a co-writer changes what is searched
        stored = json.loads(connection.execute(sa.select(runs.c.config)).scalar_one())
        stored["objective"] = [f"{HERE}broken"]
        connection.execute(sa.update(runs).values(config=json.dumps(stored)))
    with pytest.raises(DataError, match="agree to that first"):
        execute(storage, name, allow_python=frozenset({agreed}))
    for allowed in (False, frozenset()):
        with pytest.raises(DataError, match="agree to that first"):
            make_objective([agreed], SPACE, allow_python=allowed)
    assert make_objective([agreed], SPACE, allow_python=frozenset({agreed})).goals


def test_one_run_that_cannot_be_read_hides_no_other(storage: str) -> None:
    bad, good = started(storage, name="bad"), started(storage, name="good")
    with open_store(storage) as engine, engine.begin() as connection:
        row = connection.execute(sa.select(runs.c.config).where(runs.c.name == bad)).scalar_one()
        later = json.dumps({**json.loads(row), "of a later version": 1})
        connection.execute(sa.update(runs).where(runs.c.name == bad).values(config=later))
    found = {run.name: run for run in list_runs(storage)}
    assert set(found) == {bad, good} and found[good].state == "waiting"
    assert found[bad].state == "unreadable" and "later version" in found[bad].problem
    with pytest.raises(DataError, match="later version"):
        read_run(storage, bad)


@pytest.mark.parametrize("goals", [1, 2, 3])
def test_the_front_is_what_comparing_all_pairs_finds(goals: int) -> None:
    rng = np.random.default_rng(goals)
    values = rng.integers(0, 6, size=(200, goals)).astype(float)
    done = tuple(_evaluation(n, "done", tuple(map(float, row))) for n, row in enumerate(values))
    named = make_objective([f"{HERE}triple:max,min,max"], SPACE, allow_python=True).goals[:goals]
    view = RunView(config(), named, "running", done, None, "", "")
    signs = np.array([1.0, -1.0, 1.0])[:goals]
    utilities = values * signs
    beaten = [any((other >= own).all() and (other > own).any() for other in utilities) for own in utilities]
    assert sorted(e.number for e in view.front()) == [n for n, lost in enumerate(beaten) if not lost]
    first = [utilities[e.number, 0] for e in view.front()]
    assert first == sorted(first, reverse=True)


def test_the_last_cells_of_a_space_are_found() -> None:
    domain = Domain(SPACE)
    everything = [SPACE.canonical(cell) for cell in SPACE.enumerate()]
    left = {everything[100], everything[9_000]}
    taken = set(everything) - left
    assert set(domain.fresh(np.random.default_rng(0), 5, taken)) == left
    assert domain.fresh(np.random.default_rng(0), 1, set(everything)) == []


def test_a_search_for_several_goals_goes_on_as_if_never_stopped() -> None:
    domain = Domain(SPACE)

    def play(fresh_at: int) -> list[Cell]:
        history, searcher = History(("max", "min")), make_searcher("gp", domain)
        for number in range(42):
            if number == fresh_at:
                searcher = make_searcher("gp", domain)
            (proposal,) = searcher.propose(history, 1, rng_for(3, number))
            values = (worth(proposal.cell), SPACE.cost(proposal.cell).params_m)
            history = History(history.directions, (*history.observations, Observation(number, proposal.cell, values)))
        return [observation.cell for observation in history.observations]

    assert play(36) == play(-1)


def test_the_process_is_conditioned_on_a_bounded_number_of_observations() -> None:
    rng = np.random.default_rng(5)
    few, many = rng.standard_normal(MAX_CONDITIONED), rng.standard_normal(4 * MAX_CONDITIONED)
    assert (conditioning_rows(few) == np.arange(len(few))).all()
    rows = conditioning_rows(many)
    assert len(rows) == len(set(rows.tolist())) == MAX_CONDITIONED and (np.diff(rows) > 0).all()
    assert set(np.argsort(-many)[: MAX_CONDITIONED // 2]) <= set(rows.tolist())
    assert len(many) - 1 in rows


def test_walks_see_several_goals_under_one_scalarisation() -> None:
    rng = np.random.default_rng(1)
    seen = tuple(
        Observation(n, SPACE.from_index(n), (float(a), float(b))) for n, (a, b) in enumerate(rng.random((30, 2)))
    )
    history = History(("max", "max"), seen)
    assert (history.steady() == history.steady()).all()
    assert not (history.scalar(rng) == history.scalar(rng)).all()
    single = History(("min",), tuple(Observation(o.number, o.cell, o.values[:1]) for o in seen))
    assert (single.steady() == single.utilities[:, 0]).all()


def test_the_guide_names_the_switch_for_own_functions() -> None:
    text = (ROOT / "docs" / "guide" / "search.md").read_text("utf-8")
    assert "SVGE_ALLOW_PYTHON=1" in text


# ---- a store without room --------------------------------------------------------------------------------------


@pytest.fixture
def disk() -> Iterator[SimpleNamespace]:
    """While ``full`` is set, SQLite's files do not grow: SQLite's own error, from its own limit."""
    state = SimpleNamespace(full=False)

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"pragma max_page_count = {1 if state.full else 2**30}")

    event.listen(Pool, "checkout", limit)
    yield state
    event.remove(Pool, "checkout", limit)


def test_a_full_disk_is_waited_for(
    storage: str, disk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "SAY_SECONDS", 0.1)
    name = started(storage, budget=60)
    seen: list[Evaluation] = []

    def fills(evaluation: Evaluation) -> None:
        seen.append(evaluation)
        disk.full = disk.full or len(seen) == 5

    def empties() -> None:
        until(lambda: "waiting for it" in caplog.text)
        disk.full = False

    with ThreadPoolExecutor(1) as pool:
        emptied = pool.submit(empties)
        assert execute(storage, name, fills) == "finished"
        emptied.result()
    consistent(storage, name)
    assert "database or disk is full" in caplog.text and 5 < len(seen) == 60


def test_what_was_evaluated_and_could_not_be_stored_is_said(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker gives up once, not once for everything that it would still write; the run can be resumed."""
    monkeypatch.setattr(loop, "PATIENCE_SECONDS", 0.2)
    name = started(storage, budget=6)
    calls: list[object] = []

    def full(*_: object, **__: object) -> bool:
        calls.append(None)
        raise OperationalError("insert", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(ledger, "settle", full)
    monkeypatch.setattr(ledger, "release", full)
    with pytest.raises(DataError, match="could not be used for 0.2 seconds: database or disk is full") as caught:
        execute(storage, name)
    (lost,) = [e for e in read_run(storage, name).evaluations if e.state == "running"]
    assert f"Evaluated, but not stored: {lost.notation}: {worth(lost.cell)}." in str(caught.value)
    assert "\n" not in str(caught.value) and len(calls) < 20
    monkeypatch.undo()
    # in the same process, as in a notebook: the first worker could not say that it left
    assert execute(storage, name) == "finished"
    consistent(storage, name)


def test_a_file_in_the_working_folder_is_that_of_the_folder_it_was_opened_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        execute("sqlite:///runs.db", create_run("sqlite:///runs.db", config(name=folder)))
    for folder in ("first", "second"):
        monkeypatch.chdir(tmp_path / folder)
        assert [run.name for run in list_runs("sqlite:///runs.db")] == [folder]
        assert [run.name for run in list_runs("runs.db")] == [folder]
        (run,) = list_runs(f"sqlite:///{tmp_path / folder / 'runs.db'}")
        study = optuna.load_study(study_name=run.name, storage=optuna_storage("sqlite:///runs.db"))
        assert run.name == folder and len(study.trials) == run.done > 0


def test_a_run_goes_on_in_its_store_when_the_working_folder_changes(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    name = create_run("sqlite:///runs.db", config())
    assert execute("sqlite:///runs.db", name, lambda _: monkeypatch.chdir(tmp_path / "second")) == "finished"
    assert not list((tmp_path / "second").iterdir())
    monkeypatch.chdir(tmp_path / "first")
    consistent("sqlite:///runs.db", name)
