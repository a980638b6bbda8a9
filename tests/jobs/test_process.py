"""The supervisor of processes: own groups, known again by number and birth, stopped with all they started."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from svge_core.jobs.process import ProcessId, Supervisor, born_near, locked, log_tail
from svge_core.search.runs.processes import birth
from tests.support.runs import in_child, kill
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are needed")

SLEEP = "import time\nprint('ready', flush=True)\ntime.sleep(3600)\n"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
#: a child that cannot be asked to end, under a leader that can
FAMILY = (
    f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {DEAF + SLEEP!r}])\nimport time\ntime.sleep(3600)"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ProcessId]]:
    """Starts a few lines of Python and waits until they have said so; whatever is left is killed in the end."""
    started: list[ProcessId] = []

    def begin(supervisor: Supervisor, code: str = SLEEP, **named: object) -> ProcessId:
        output = tmp_path / f"out{len(started)}"
        process = supervisor.start(
            [sys.executable, "-c", code],
            errors=tmp_path / "err",
            output=output,
            **named,  # pyright: ignore
        )
        started.append(process)
        until(lambda: "ready" in (output.read_text() if output.exists() else ""))
        return process

    yield begin
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_another_supervisor_knows_a_process_again_and_ends_it(start: Callable[..., ProcessId]) -> None:
    first, restarted = Supervisor(), Supervisor()
    process = start(first)
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    assert first.alive(process) and restarted.alive(process)
    restarted.stop(process)
    assert not restarted.alive(process) and not first.alive(process)


def test_a_later_process_of_the_same_number_is_neither_taken_for_it_nor_touched(
    start: Callable[..., ProcessId],
) -> None:
    supervisor = Supervisor()
    process = start(supervisor)
    for other in (ProcessId(process.pid, "ticks 1"), ProcessId(process.pid, ""), ProcessId(0, "")):
        assert not supervisor.alive(other)
        supervisor.terminate(other)
        supervisor.kill(other)
        supervisor.stop(other)
    assert supervisor.alive(process)


def test_what_is_deaf_is_killed_and_so_are_its_children(start: Callable[..., ProcessId]) -> None:
    supervisor = Supervisor()
    deaf, family = start(supervisor, DEAF + SLEEP), start(supervisor, FAMILY)
    (child,) = psutil.Process(family.pid).children()
    supervisor.terminate(deaf)
    supervisor.stop(deaf, seconds=0.2)
    until(lambda: not supervisor.alive(deaf))
    supervisor.stop(family)
    until(lambda: birth(child.pid) is None)


def test_a_process_gets_its_variables_folder_and_priority(start: Callable[..., ProcessId], tmp_path: Path) -> None:
    code = 'import os, sys, time\nsys.stderr.write(f\'{os.environ["A"]} {os.environ["B"]} {os.getcwd()}\')\n'
    supervisor = Supervisor({"A": "shared", "B": "shared"}, cwd=tmp_path)
    process = start(supervisor, code + "sys.stderr.flush()\n" + SLEEP, environment={"B": "own"}, nice=19)
    assert log_tail(tmp_path / "err", 1, 1000).split() == ["shared", "own", str(tmp_path)]
    assert psutil.Process(process.pid).nice() == 19


def test_a_time_in_seconds_finds_the_process_that_began_then() -> None:
    me = psutil.Process()
    assert born_near(os.getpid(), me.create_time() + 0.4) == birth(os.getpid())
    assert born_near(os.getpid(), me.create_time() + 5) == ""
    assert born_near(2**22 + 5, 0.0) == ""


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert log_tail(path, 2, 100) == ""
    path.write_bytes(b"one\ntwo \xff\nthree\n\n")
    assert log_tail(path, 2, 100) == "two \ufffd\nthree"
    assert log_tail(path, 2, 3) == "ree"


def test_one_thread_and_one_process_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    held, release, order = threading.Event(), threading.Event(), []

    def hold() -> None:
        with locked(tmp_path / "records"):
            held.set()
            release.wait(PATIENCE)
            order.append("first")

    def follow() -> None:
        with locked(tmp_path / "records"):
            order.append("second")

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert held.wait(PATIENCE)
    threads.append(threading.Thread(target=follow))
    threads[1].start()

    def enter() -> None:
        with locked(tmp_path / "records"):
            (tmp_path / "entered").touch()

    child = in_child(enter)
    child.join(0.3)  # long enough to enter if nothing kept it out; the lock is held all the while
    assert child.is_alive() and not (tmp_path / "entered").exists() and order == []
    release.set()
    child.join(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert child.exitcode == 0 and (tmp_path / "entered").exists() and order == ["first", "second"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    def hold() -> None:
        with locked(tmp_path):
            (tmp_path / "held").touch()
            threading.Event().wait(3600)

    child = in_child(hold)
    until(lambda: (tmp_path / "held").exists())
    kill(child)
    with locked(tmp_path):
        pass
