"""Claims: no cell and no place of the budget is ever given twice, whatever threads, processes and time do."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from svge_core.search.runs import ledger, loop as execution, processes
from svge_core.search.runs.ledger import Claim
from svge_core.search.runs.manage import control
from svge_core.search.runs.processes import Worker, birth
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import claims, open_store, workers as worker_table
from svge_core.search.searchers.base import Proposal
from tests.support.runs import HERE, SPACE, begun, consistent, execute, in_child, kill, started, trials, worth
from tests.support.waiting import PATIENCE, until

BUDGET = 6


@contextmanager
def ledger_of(storage: str, name: str) -> Iterator[tuple[Engine, int]]:
    """The engine, and the id of a run."""
    with open_store(storage) as engine:
        with engine.connect() as connection:
            row = connection.execute(sa.text("select id from svge_runs where name = :n"), {"n": name}).one()
        yield engine, row.id


def proposals(*indices: int) -> list[Proposal]:
    return [Proposal(SPACE.canonical(SPACE.from_index(index)), "test") for index in indices]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "claim", "take", "settle", "settle", "fail", "release", "die"]),
        st.integers(0, 2),
        st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True),
    ),
    max_size=25,
)


@settings(max_examples=10)
@given(steps=STEPS)
def test_no_cell_or_place_is_given_twice(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    """Three workers in any order of steps, against a plain model of what must be known."""
    storage = f"sqlite:///{tmp_path_factory.mktemp('claims') / 's.db'}"
    with ledger_of(storage, started(storage, budget=BUDGET)) as (engine, run):
        crew = [Worker() for _ in range(3)]
        for worker in crew:
            ledger.enrol(engine, run, worker)
        open_claims: dict[int, Claim] = {}
        settled: dict[int, float | None] = {}  # by official index
        for action, who, indices in steps:
            worker = crew[who]
            if action == "claim":
                held = _held(engine, run)
                free = len(ledger.free_places(engine, run, BUDGET))
                wanted = not held & set(indices) and len(indices) <= free
                assert ledger.claim(engine, run, SPACE, worker, proposals(*indices), BUDGET) == wanted
            elif action == "take" and who not in open_claims:
                claim = ledger.take(engine, run, SPACE, worker)
                if claim is not None:
                    assert SPACE.index(claim.cell) not in settled
                    assert ledger.begin(engine, claim, worker)
                    open_claims[who] = claim
            elif action in ("settle", "fail") and who in open_claims:
                claim = open_claims.pop(who)
                values = (worth(claim.cell),) if action == "settle" else None
                if ledger.settle(engine, run, claim, worker, values, "no"):
                    assert SPACE.index(claim.cell) not in settled
                    settled[SPACE.index(claim.cell)] = values[0] if values else None
                else:  # it was released or taken over in between
                    assert SPACE.index(claim.cell) in settled or SPACE.index(claim.cell) in _held(engine, run)
            elif action == "release":
                ledger.release(engine, run, worker)
                open_claims.pop(who, None)
            elif action == "die":
                ledger.beat(engine, worker, "ended")
                open_claims.pop(who, None)
                crew[who] = Worker()
                ledger.enrol(engine, run, crew[who])
        done = ledger.counts(engine, run).get("done", 0)
        assert done == sum(value is not None for value in settled.values())
        assert done + len(ledger.free_places(engine, run, BUDGET)) <= BUDGET
        with engine.connect() as connection:
            rows = connection.execute(sa.select(claims).where(claims.c.state != "open")).mappings().all()
        stored = {_index(row["genotype"]): row["value"] for row in rows}
        assert stored == settled


def _index(genotype: str) -> int:
    return SPACE.index(SPACE.from_genotype(tuple(json.loads(genotype))))


def _held(engine: Engine, run: int) -> set[int]:
    with engine.connect() as connection:
        chosen = sa.select(claims.c.genotype).where(claims.c.run_id == run)
        return {_index(genotype) for genotype in connection.execute(chosen).scalars()}


def test_equal_cells_written_differently_are_one_claim() -> None:
    cell = SPACE.from_index(77)
    other = SPACE.from_genotype(SPACE.genotype(cell))
    assert (
        ledger.identity(SPACE, cell) == ledger.identity(SPACE, other) == ledger.identity(SPACE, SPACE.canonical(cell))
    )
    assert ledger.identity(SPACE, cell) != ledger.identity(SPACE, SPACE.from_index(78))


def test_threads_claim_each_cell_once(storage: str) -> None:
    with ledger_of(storage, started(storage, budget=20)) as (engine, run):
        crew = [Worker() for _ in range(8)]
        for worker in crew:
            ledger.enrol(engine, run, worker)
        barrier = threading.Barrier(8)

        def work(worker: Worker) -> int:
            rng = np.random.default_rng(int(worker.id[:8], 16))
            barrier.wait()
            won = 0
            for _ in range(30):
                won += ledger.claim(engine, run, SPACE, worker, proposals(int(rng.integers(40))), 20)
            return won

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(work, crew))
        assert sum(won) == 20
        with engine.connect() as connection:
            rows = connection.execute(sa.select(claims.c.number, claims.c.slot, claims.c.identity)).all()
        assert sorted(row.number for row in rows) == list(range(20))
        assert sorted(row.slot for row in rows) == list(range(20))
        assert len({row.identity for row in rows}) == 20


def test_threads_share_one_run(storage: str) -> None:
    name = started(storage, budget=30, method="evolution")
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: execute(storage, name), range(4)))
    assert states == ["finished"] * 4
    consistent(storage, name)
    assert {trial.state.name for trial in trials(storage, name)} == {"COMPLETE"}


def test_processes_share_one_run(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("SVGE_TEST_LOG", str(log))
    name = started(storage, budget=40, objective=(f"{HERE}logged",), batch=3)
    gate = tmp_path / "gate"
    monkeypatch.setenv("SVGE_TEST_GATE", str(gate))
    crew = [in_child(lambda: execute(storage, name)) for _ in range(4)]
    until(lambda: len(begun(log)) == 4)  # nobody ends before all have begun
    gate.touch()
    for process in crew:
        process.join(PATIENCE)
        assert process.exitcode == 0
    consistent(storage, name)
    lines = begun(log)
    assert len(lines) == len(set(lines)) == 40
    assert len({e.worker for e in read_run(storage, name).evaluations}) == 4


def test_a_searcher_sees_what_others_evaluate(storage: str) -> None:
    name = started(storage, budget=8)
    with ledger_of(storage, name) as (engine, run):
        other = Worker()
        ledger.enrol(engine, run, other)
        assert ledger.claim(engine, run, SPACE, other, proposals(1, 2), 8)
        history = read_run(storage, name).history()
        assert history.pending == tuple(SPACE.canonical(SPACE.from_index(index)) for index in (1, 2))
        assert len(history.taken) == 2
        assert ledger.take(engine, run, SPACE, Worker()) is None  # the other one lives: its cells are its own


def test_a_worker_elsewhere_is_dead_after_its_grace(storage: str) -> None:
    name = started(storage, budget=5)
    with ledger_of(storage, name) as (engine, run):
        far = replace(Worker(), place="elsewhere", host="far")
        ledger.enrol(engine, run, far)
        assert ledger.claim(engine, run, SPACE, far, proposals(3, 4), 5)
        assert read_run(storage, name).state == "running"
        me = Worker()
        ledger.enrol(engine, run, me)
        assert ledger.take(engine, run, SPACE, me) is None
        with engine.begin() as connection:
            late = worker_table.c.beat - processes.GRACE_SECONDS - 1
            connection.execute(sa.update(worker_table).where(worker_table.c.id == far.id).values(beat=late))
        claim = ledger.take(engine, run, SPACE, me)
        assert claim is not None
        assert SPACE.index(claim.cell) == 3
        ledger.beat(engine, me, "ended")
        assert read_run(storage, name).state == "interrupted"


def test_a_worker_thought_dead_that_comes_back_changes_nothing(storage: str) -> None:
    name = started(storage, budget=5)
    with ledger_of(storage, name) as (engine, run):
        slow, quick = Worker(), Worker()
        for worker in (slow, quick):
            ledger.enrol(engine, run, worker)
        assert ledger.claim(engine, run, SPACE, slow, proposals(3), 5)
        claim = ledger.take(engine, run, SPACE, slow)
        assert claim is not None
        assert ledger.begin(engine, claim, slow)
        ledger.beat(engine, slow, "ended")  # thought dead
        again = ledger.take(engine, run, SPACE, quick)
        assert again is not None
        assert again.id == claim.id
        assert ledger.begin(engine, again, quick)
        assert not ledger.settle(engine, run, claim, slow, (1.0,))
        assert not ledger.begin(engine, claim, slow)
        assert ledger.settle(engine, run, again, quick, (2.0,))
        assert ledger.settle(engine, run, again, quick, (2.0,))  # sent twice: the answer was lost
        assert not ledger.settle(engine, run, claim, slow, (1.0,))
        ledger.beat(engine, quick, "ended")
    assert [e.values for e in read_run(storage, name).evaluations] == [(2.0,)]
    assert trials(storage, name) == [], "whoever settles a cell by hand leaves the mirror behind"
    assert execute(storage, name) == "finished"
    assert trials(storage, name)[0].values == [2.0]
    consistent(storage, name)


def test_a_dead_process_is_noticed_and_its_number_is_not_enough() -> None:
    process = in_child(lambda: time.sleep(3600))
    worker = Worker(pid=process.pid, born=birth(process.pid) or "")
    assert worker.alive(silent=1e9)
    assert not replace(worker, born="ticks 1").alive(silent=0.0)
    kill(process)
    assert not worker.alive(silent=0.0)
    assert birth(process.pid) is None


def test_workers_wait_while_paused_and_go_on(storage: str) -> None:
    name = started(storage, budget=10)
    control(storage, name, "pause")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(execute, storage, name, wait=True)
        until(lambda: _status(storage) == "waiting")
        assert read_run(storage, name).state == "paused"
        assert not future.done()
        control(storage, name, "run")
        assert future.result(PATIENCE) == "finished"
    consistent(storage, name)
    assert execute(storage, name, wait=True) == "finished"


def test_a_database_that_is_away_for_a_while_costs_nothing(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = started(storage, budget=4)
    settle, failures = ledger.settle, iter([True, True, False, True, *[False] * 100])

    def flaky(*words: object, **named: object) -> bool:
        if next(failures):
            raise OperationalError("update", {}, Exception("server closed the connection unexpectedly"))
        return settle(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "settle", flaky)
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    monkeypatch.setattr(execution, "PATIENCE_SECONDS", 0.0)
    failures = iter([True])
    other = started(storage, budget=4)
    with pytest.raises(Exception, match="server closed the connection"):
        execute(storage, other)
    monkeypatch.undo()
    assert read_run(storage, other).state == "interrupted"
    assert execute(storage, other) == "finished"
    consistent(storage, other)


def _status(storage: str) -> str:
    with open_store(storage) as engine, engine.connect() as connection:
        return connection.execute(sa.select(worker_table.c.status)).scalars().first() or ""
