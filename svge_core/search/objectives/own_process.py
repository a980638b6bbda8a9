"""A user's function in a process of its own, which may die without taking the search along.

One process is begun for a run, imports the function once and evaluates cell after cell. If it dies, the next cell gets
a new one. It is a new program and no fork: threads and graphics cards do not survive a fork.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

from svge_core.cells import Cell
from svge_core.data import meaning_from_dict
from svge_core.errors import DataError
from svge_core.search.objectives.goals import EvaluationError, Goal, GoOn, PrunedError

#: what the process runs: the paths of this one first, then what plug-ins register, as every command does
_PROGRAM = """
import contextlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
path, space, device, sys.argv[:] = *sys.argv[2:5], [""]
from svge_core.errors import SvgeError
from svge_core.plugins import load_plugins
with contextlib.suppress(SvgeError):
    load_plugins()
from svge_core.search.objectives.calling import serve
serve(path, space, device)
"""
#: signals by which people and systems end programs
INTERRUPTS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: seconds that such a signal, sent to all processes at once, may take to reach this one too; and that a process may
#: take to end once nobody asks it any more
INTERRUPT_SECONDS, END_SECONDS = 1.0, 2.0
#: seconds after which a wait for an answer looks whether somebody interrupts
LISTEN_SECONDS = 0.5


class EvaluatorDiedError(EvaluationError):
    """The process that evaluated a cell is dead; nothing is known about the cell.

    Attributes:
        reason: how it ended, such as "killed by signal 9".
    """

    def __init__(self, name: str, reason: str) -> None:
        """Name the function and how its process ended."""
        super().__init__(f"{name} ended its process ({reason}).")
        self.reason = reason


class OwnProcess:
    """A user's function as an :class:`svge_core.search.objectives.goals.Objective`.

    Args:
        path: ``package.module:function[:directions]``.
        name: of the function, for people.
        goals: one per number that it returns; for training they are learned from the process.
        space: name of the space whose networks are trained; then ``path`` is what ``train:`` words say, and the
            function is :class:`svge_core.search.objectives.training.TrainedInProcess`.
        device: that they are trained on.
    """

    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def __init__(self, path: str, name: str, goals: tuple[Goal, ...], space: str = "", device: str = "auto") -> None:
        self.path, self.name, self._goals, self.space, self.device = path, name, goals, space, device
        self._process: _Process | None = None
        self._lock = threading.Lock()

    @property
    def goals(self) -> tuple[Goal, ...]:
        """See the protocol."""
        return self._goals

    def start(self) -> None:
        """Begin the process, if there is none, and wait until it has imported the function.

        Raises:
            DataError: one line, if the function cannot be had.
        """
        if self._process is not None and self._process.running:
            return
        self._process = process = _Process(self.path, self.space, self.device)
        weakref.finalize(self, process.end)
        answer = self._hear(process)
        if isinstance(answer, dict) and "ready" in answer:
            if meanings := answer.get("goals"):
                self._goals = tuple(Goal(each["key"], meaning_from_dict(each)) for each in meanings)
            return
        self._process = None
        if isinstance(answer, dict):
            raise DataError(str(answer["refused"]))
        if self.space:
            raise DataError(f"{self.name[:80]} cannot be had: its process died meanwhile ({answer}).")
        module = self.path.partition(":")[0]
        raise DataError(f"The module {module[:80]!r} cannot be imported: its process died meanwhile ({answer}).")

    def evaluate(self, cell: Cell, go_on: GoOn | None = None) -> tuple[float, ...]:
        """See the protocol.

        Args:
            cell: to evaluate.
            go_on: of training: asked after every epoch but the last, see :data:`~.goals.GoOn`.

        Raises:
            PrunedError: if ``go_on`` said no.
            EvaluationError: if the function raised or gave no numbers.
            EvaluatorDiedError: if its process died.
        """
        with self._lock:
            answer: dict[str, Any] | str | None = None
            while answer is None:  # a process that died of itself between two cells says nothing about either
                self.start()
                process = self._process
                assert process is not None
                if process.ask({"ops": cell.ops, "edges": cell.edges, "staged": go_on is not None}):
                    answer = self._hear(process)
                    while go_on is not None and isinstance(answer, dict) and "epoch" in answer:
                        process.ask({"go_on": go_on(answer["epoch"], answer["value"])})
                        answer = self._hear(process)
            if isinstance(answer, str):
                raise EvaluatorDiedError(self.name, answer)
            if "pruned" in answer:
                raise PrunedError(answer["pruned"])
            if "problem" in answer:
                raise EvaluationError(answer["problem"])
            return tuple(map(float, answer["values"]))

    def _hear(self, process: "_Process") -> dict[str, Any] | str:
        """The answer, or how the process ended."""
        try:
            return process.hear()
        except BaseException:  # a person interrupts: nobody waits for this evaluation any more
            process.end()
            raise


class _Process:
    """The process and what it says."""

    def __init__(self, path: str, space: str, device: str) -> None:
        self.owner, self.reaping = os.getpid(), threading.Lock()
        self.heard: queue.SimpleQueue[bytes | int] = queue.SimpleQueue()
        command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), path, space, device]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )  # a session of its own: an interrupt typed at a terminal is for the worker, and the group can be ended whole
        self.reader = threading.Thread(target=self._read, name="evaluator answers", daemon=True)
        self.reader.start()
        threading.Thread(target=self._wait, name="evaluator end", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it has not ended, as far as this process knows."""
        return self.child.returncode is None and self.owner == os.getpid()

    def ask(self, question: dict[str, Any]) -> bool:
        """Send a question; False if nobody is there."""
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(json.dumps(question).encode() + b"\n")
            self.child.stdin.flush()
        except (OSError, ValueError):
            self.end()
            return False
        return True

    def hear(self) -> dict[str, Any] | str:
        """Wait for the answer, or for the end and how it came."""
        heard = None
        while heard is None:
            # by short waits: an interrupt that comes just before the wait, or to another thread, wakes nobody, and
            # Python acts on it only when this thread runs again
            with contextlib.suppress(queue.Empty):
                heard = self.heard.get(timeout=LISTEN_SECONDS)
        if isinstance(heard, int):
            if -heard in INTERRUPTS:
                # whoever stops a machine signals all its processes: then this one is about to be interrupted as well,
                # and the cell has nothing to do with it
                time.sleep(INTERRUPT_SECONDS)
            return f"killed by signal {-heard}" if heard < 0 else f"exit status {heard}"
        return json.loads(heard)

    def end(self) -> None:
        """End it and all that it has started; nothing happens in a process that only inherited it."""
        if self.owner != os.getpid():
            return
        with self.reaping:
            if self.child.returncode is None:
                self._kill_group()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(END_SECONDS)
        with contextlib.suppress(OSError, ValueError):
            if self.child.stdin is not None:
                self.child.stdin.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self.child.stdout or contextlib.nullcontext(()) as lines:
            for line in lines:
                self.heard.put(line)

    def _wait(self) -> None:
        if hasattr(os, "waitid"):  # while it is known to be over and still has its number, which is the group's
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOWAIT)
            with self.reaping:
                if self.child.returncode is None:
                    self._kill_group()  # what it started may hold the pipe open for ever
                code = self.child.wait()
        else:
            code = self.child.wait()
        self.reader.join(END_SECONDS)  # its last answer comes before its end
        self.heard.put(code)

    def _kill_group(self) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.child.pid, signal.SIGKILL)  # a session's leader has the number of its group
            else:
                self.child.kill()
