"""The supervisor of background processes: start one, know it again after a restart of the app, stop it, hear its words.

Each process leads a group of its own, so that what it starts ends with it. It is known by its number and by when it
began, so that a later process of the same number is not taken for it.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from svge_core.files import exclusive
from svge_core.search.runs import birth

#: seconds from asking a process to end until it is killed, and between two looks at it
STOP_SECONDS, POLL_SECONDS = 5.0, 0.05
#: Windows knows one way to end a process
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class ProcessId:
    """A process of this machine.

    Attributes:
        pid: its number; 0 for none.
        born: when it began, as :func:`svge_core.search.runs.birth` says it; empty if it was over before anybody looked.
    """

    pid: int
    born: str


def born_near(pid: int, seconds: float) -> str:
    """What ``born`` is of the process with this number that began within a second of a time; empty if there is none.

    Records of trainings held the time in seconds since 1970 once.
    """
    try:
        near = abs(psutil.Process(pid).create_time() - seconds) < 1.0
    except psutil.Error:
        return ""
    return (birth(pid) or "") if near else ""


class Supervisor:
    """The children of this server, and those that a former one left.

    Args:
        environment: variables for the processes, beside those of this one.
        cwd: folder they are started in; None for that of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.environment, self.cwd = dict(environment or {}), cwd
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(
        self,
        command: Sequence[str],
        *,
        errors: Path,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
        nice: int = 0,
    ) -> ProcessId:
        """Start a command in a group of its own.

        Args:
            command: as words.
            errors: file of what it says about errors, begun anew.
            output: file that what it prints is appended to; None if nobody reads it.
            environment: variables for this process only.
            nice: priority, 0 being the usual one and 19 the lowest; where it may not be set, that of this process.

        Raises:
            OSError: if the files cannot be written or the command cannot be run.
        """
        errors.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            words = stack.enter_context(errors.open("wb"))
            printed = subprocess.DEVNULL if output is None else stack.enter_context(output.open("ab"))
            child = subprocess.Popen(
                list(command),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=words,
                env={**os.environ, **self.environment, **(environment or {})},
                start_new_session=True,
            )
        if nice and hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.pid, nice)
        self._children[child.pid] = child
        return ProcessId(child.pid, birth(child.pid) or "")

    def alive(self, process: ProcessId) -> bool:
        """Whether it still runs; one of ours that has ended is let go."""
        child = self._children.get(process.pid)
        if child is not None and child.poll() is not None:
            self._children.pop(process.pid, None)  # another thread may have been quicker
            return False
        return bool(process.born) and birth(process.pid) == process.born

    def terminate(self, process: ProcessId) -> None:
        """Ask it and all it started to end; nothing happens if it is over."""
        if self.alive(process):
            _signal_group(process.pid, signal.SIGTERM)

    def kill(self, process: ProcessId) -> None:
        """End it and all it started at once; nothing happens if it is over."""
        if self.alive(process):
            _signal_group(process.pid, _KILL)

    def stop(self, process: ProcessId, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end, wait, and kill what is left of its group; it is over when this returns.

        Args:
            process: nothing happens if it is over.
            seconds: from asking to killing, and at most from killing to returning.
        """
        if not self.alive(process):
            return
        _signal_group(process.pid, signal.SIGTERM)
        self._wait(process, seconds)
        # a group keeps its number as long as it has members, so this reaches those that outlived their leader as well
        _signal_group(process.pid, _KILL)
        self._wait(process, seconds)

    def _wait(self, process: ProcessId, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.alive(process) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
        if hasattr(os, "killpg"):
            os.killpg(pid, number)  # a process leads its group, so both have one number
        else:
            leader = psutil.Process(pid)
            for member in (*leader.children(recursive=True), leader):
                member.send_signal(number)


def log_tail(path: Path, lines: int, characters: int) -> str:
    """The last lines of a log, at most so many characters; empty if there is none."""
    try:
        text = path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])[-characters:]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time, and one thread of it, changes the records of a folder; not to be entered twice."""
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "lock"):
        yield
