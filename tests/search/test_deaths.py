"""Evaluations that end their process: counted per cell, whoever dies; three times is a failed evaluation with a reason.

Interrupts and power cuts are nobody's fault, and no reason is too strange to be stored.
"""

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from svge_core.search.objectives import own_process
from svge_core.search.objectives.goals import EvaluationError
from svge_core.search.objectives.make import make_objective
from svge_core.search.objectives.own_process import EvaluatorDiedError
from svge_core.search.runs import processes
from svge_core.search.runs.manage import delete_run
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import deaths, open_store
from tests.support import deadly
from tests.support.deadly import HERE, WAYS
from tests.support.runs import SPACE, begun, consistent, execute, in_child, kill, started, worth
from tests.support.waiting import PATIENCE, until

CELL = SPACE.canonical(SPACE.from_index(77))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the functions write to."""
    monkeypatch.setenv("SVGE_TEST_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def gate(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that evaluations wait for."""
    monkeypatch.setenv("SVGE_TEST_GATE", str(tmp_path / "gate"))
    return tmp_path / "gate"


def begun_and(log: Path, count: int) -> None:
    """Wait until so many evaluations have begun."""
    until(lambda: len(begun(log)) == count)


def over(pid: int) -> bool:
    """Whether a process is no more; who its parent was may not have asked for its end yet."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def counted(storage: str) -> list[str]:
    """The reasons of all deaths, in order."""
    with open_store(storage) as engine, engine.connect() as connection:
        return list(connection.execute(sa.select(deaths.c.reason).order_by(deaths.c.died)).scalars())


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_function_does_to_its_process_ends_its_evaluation_alone(
    storage: str, log: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(deadly.WAY, way)
    monkeypatch.setattr(own_process, "INTERRUPT_SECONDS", 0.0)  # nobody is going to interrupt
    reason = WAYS[way][1]
    name = started(storage, objective=(f"{HERE}deadly_for_one",), budget=3)
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    first, *others = read_run(storage, name).evaluations
    assert (first.state, first.values) == ("failed", None)
    assert first.problem == f"its worker died three times (last: {reason})"
    assert [e.values for e in others] == [(worth(e.cell),) for e in others]
    assert counted(storage) == [reason] * 3
    assert begun(log) == [f"begin {SPACE.format(e.cell)}" for e in (first, first, first, *others)]
    delete_run(storage, name)
    assert counted(storage) == []


def test_two_deaths_are_no_failure(storage: str, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(deadly.WAY, "os._exit")
    monkeypatch.setenv(deadly.TIMES, "2")
    name = started(storage, objective=(f"{HERE}deadly_for_one",), budget=2)
    assert execute(storage, name) == "finished"
    assert [e.values for e in read_run(storage, name).evaluations] == [
        (worth(e.cell),) for e in read_run(storage, name).evaluations
    ]
    assert len(counted(storage)) == 2 and len(begun(log)) == 4


def test_deaths_of_a_run_that_is_no_more_are_not_counted(storage: str) -> None:
    name = started(storage, budget=1)
    with open_store(storage) as engine, engine.begin() as connection:
        for number in range(3):
            left = {"id": str(number), "run_id": 1, "claim_id": 1, "worker": "", "reason": "long ago", "died": 1e9}
            connection.execute(sa.insert(deaths).values(**left))
    assert execute(storage, name) == "finished"
    assert [e.state for e in read_run(storage, name).evaluations] == ["done"]


def test_a_function_that_always_dies_stops_the_run(storage: str) -> None:
    name = started(storage, objective=(f"{HERE}deadly",))
    assert execute(storage, name) == "failed"
    view = read_run(storage, name)
    died = "its worker died three times (last: exit status 137)"
    assert view.problem == f"The last 5 evaluations failed; the latest: {died}"
    assert [e.problem for e in view.evaluations] == [died] * 5


def test_a_function_that_asks_to_end_has_raised(storage: str, log: Path) -> None:
    name = started(storage, objective=(f"{HERE}leaves",), budget=12, distinct=False)
    assert execute(storage, name) == "finished"
    failed = [e for e in read_run(storage, name).evaluations if e.state == "failed"]
    assert failed and {e.problem for e in failed} == {"tests.support.deadly:leaves raised SystemExit: 3"}
    assert len(begun(log)) == 12 + len(failed) and counted(storage) == []


def test_one_process_evaluates_all_cells_and_says_nothing_else() -> None:
    objective = make_objective([f"{HERE}talks"], SPACE, allow_python=True)
    assert objective.evaluate(CELL) == (worth(CELL),)
    with pytest.raises(EvaluationError, match="tests.support.deadly:interrupts raised KeyboardInterrupt"):
        make_objective([f"{HERE}interrupts"], SPACE, allow_python=True).evaluate(CELL)
    dying = make_objective([f"{HERE}deadly"], SPACE, allow_python=True)
    for _ in range(2):
        with pytest.raises(EvaluatorDiedError, match=r"deadly:deadly ended its process \(exit status 137\)"):
            dying.evaluate(CELL)


def test_a_worker_that_is_killed_at_a_cell_three_times_is_counted_by_those_who_follow(
    any_store: str, log: Path, gate: Path
) -> None:
    name = started(any_store, objective=(f"{HERE}named",), budget=3)
    last = 0
    for death in range(3):
        worker = in_child(lambda: execute(any_store, name))
        begun_and(log, death + 1)
        kill(worker)
        until(lambda: over(deadly.processes(log)[-1]))
        last = worker.pid
    gate.touch()
    assert execute(any_store, name) == "finished"
    consistent(any_store, name)
    first, *others = read_run(any_store, name).evaluations
    assert first.problem == f"its worker died three times (last: process {os.uname().nodename}:{last} is gone)"
    assert len(set(begun(log)[:3])) == 1 and all(e.values == (worth(e.cell),) for e in others)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_who_interrupts_a_worker_does_not_blame_the_cell(
    storage: str, log: Path, gate: Path, number: signal.Signals
) -> None:
    name = started(storage, objective=(f"{HERE}named",), budget=2)
    for death in range(3):
        worker = in_child(lambda: execute(storage, name))
        begun_and(log, death + 1)
        os.kill(worker.pid, number)
        worker.join(PATIENCE)
        assert worker.exitcode == 1  # as after KeyboardInterrupt
        assert over(deadly.processes(log)[-1])
    assert read_run(storage, name).state == "interrupted"
    gate.touch()
    assert execute(storage, name) == "finished"
    assert [e.state for e in read_run(storage, name).evaluations] == ["done", "done"]
    assert counted(storage) == []


def test_a_worker_in_the_background_goes_on_when_its_terminal_closes(storage: str, log: Path, gate: Path) -> None:
    """What nohup and a shell's ``&`` have ignored stays ignored."""
    name = started(storage, objective=(f"{HERE}named",), budget=2)

    def deaf() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        execute(storage, name)

    worker = in_child(deaf)
    begun_and(log, 1)
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(worker.pid, number)
    gate.touch()
    worker.join(PATIENCE)
    assert worker.exitcode == 0
    assert [e.state for e in read_run(storage, name).evaluations] == ["done", "done"]


def test_an_interrupt_that_wakes_nobody_is_heard(storage: str, log: Path, gate: Path) -> None:
    """As one does that comes when the worker is just about to wait: Python notes it, and the wait goes on."""
    name = started(storage, objective=(f"{HERE}named",), budget=2)

    def interrupted() -> None:
        def interrupt() -> None:
            begun_and(log, 1)
            time.sleep(0.2)  # the worker waits by now; earlier it would be heard in any case
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        execute(storage, name)

    worker = in_child(interrupted)
    worker.join(PATIENCE)
    assert worker.exitcode == 1
    assert read_run(storage, name).state == "interrupted"
    assert counted(storage) == []


def test_who_stops_all_processes_of_a_machine_does_not_blame_the_cell(
    storage: str, log: Path, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evaluating process ends first; its worker waits a moment for its own signal."""
    waits = log.with_name("waits")
    sleep = time.sleep

    def noted(seconds: float) -> None:
        waits.touch()
        sleep(seconds)

    monkeypatch.setattr(own_process, "INTERRUPT_SECONDS", float(PATIENCE))
    monkeypatch.setattr(own_process, "time", SimpleNamespace(sleep=noted))  # of this file alone
    name = started(storage, objective=(f"{HERE}named",), budget=1)
    worker = in_child(lambda: execute(storage, name))
    begun_and(log, 1)
    (evaluator,) = deadly.processes(log)
    os.kill(evaluator, signal.SIGTERM)
    until(lambda: waits.exists() or counted(storage))
    os.kill(worker.pid, signal.SIGTERM)
    worker.join(PATIENCE)
    assert worker.exitcode == 1 and counted(storage) == []


@pytest.mark.parametrize(("uptime", "died"), [(3.0, 0), (1e9, 1)])
def test_a_power_cut_blames_no_cell(
    storage: str, log: Path, gate: Path, uptime: float, died: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine began after the worker's last sign of life, or went on all the time."""
    name = started(storage, objective=(f"{HERE}named",), budget=1)
    worker = in_child(lambda: execute(storage, name))
    begun_and(log, 1)
    kill(worker)
    with open_store(storage) as engine, engine.begin() as connection:
        connection.execute(sa.text("update svge_workers set beat = beat - 10"))
    monkeypatch.setattr(processes, "uptime", lambda: uptime)
    gate.touch()
    assert execute(storage, name) == "finished"
    assert len(counted(storage)) == died


def test_reasons_that_no_database_holds_are_stored_as_their_escapes(any_store: str) -> None:
    name = started(any_store, objective=(f"{HERE}unspeakable",), budget=12, distinct=False)
    assert execute(any_store, name) == "finished"
    consistent(any_store, name)
    failed = [e for e in read_run(any_store, name).evaluations if e.state == "failed"]
    said = r"a file of \udcff\udcfe bytes,\x00 a bell\x07 and " + "\N{SNOWMAN}"
    assert failed and {e.problem for e in failed} == {f"tests.support.deadly:unspeakable raised ValueError: {said}"}


def test_reasons_of_the_whole_run_are_stored_too(any_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from svge_core.errors import DataError
    from svge_core.search.runs import loop

    def fail(*_: Any, **__: Any) -> None:
        raise DataError("\udcff is not\n\x00 there")

    monkeypatch.setattr(loop, "prepare", fail)
    name = started(any_store)
    with pytest.raises(DataError):
        execute(any_store, name)
    assert read_run(any_store, name).problem == r"\udcff is not \x00 there"
