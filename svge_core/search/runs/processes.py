"""Who is evaluating: the identity of a worker process, and whether it still lives.

On the same machine a process is looked up by its number and its birth, so a death is noticed at once and a later
process of the same number is not taken for it. Of workers elsewhere only their heartbeat is known.
"""

import hashlib
import math
import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

#: seconds between the signs of life of a worker
BEAT_SECONDS = 5.0
#: seconds without one after which a worker on another machine is taken for dead
GRACE_SECONDS = 60.0


@cache
def here() -> str:
    """16 hex digits of what makes process numbers comparable: host, boot and process namespace."""
    parts = [socket.gethostname()]
    for read in (
        lambda: Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip(),
        lambda: str(Path("/proc/self/ns/pid").readlink()),
    ):
        try:
            parts.append(read())
        except OSError:  # not Linux
            parts.append(str(round(psutil.boot_time() / 60)))
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=8).hexdigest()


def birth(pid: int) -> str | None:
    """When a process began, in a form that no change of the clock alters; None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything
        return None if fields[0] in "ZX" else f"ticks {fields[19]}"
    except (OSError, IndexError):
        pass
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"time {process.create_time():.0f}"
    except psutil.Error:
        return None


#: workers of this process that work no more, though it lives on: some could not say so in their store
_left: set[str] = set()


@dataclass(frozen=True)
class Worker:
    """One process that evaluates, as it is recorded in the store.

    Attributes:
        id: 32 hex digits, new for every execution.
        host: name of its machine, for people.
        place: see :func:`here`.
        pid, born: its process.
    """

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    host: str = field(default_factory=socket.gethostname)
    place: str = field(default_factory=here)
    pid: int = field(default_factory=os.getpid)
    born: str = field(default_factory=lambda: birth(os.getpid()) or "")

    @property
    def label(self) -> str:
        """Machine and process number."""
        return f"{self.host}:{self.pid}"

    def leave(self) -> None:
        """Note that it works no more, for others of this process."""
        _left.add(self.id)

    def alive(self, silent: float) -> bool:
        """Whether it still works: its process runs, and it has not left.

        Args:
            silent: seconds since its last sign of life, by the clock of the store.
        """
        if self.place == here():
            return self.id not in _left and birth(self.pid) == self.born
        # a sign of life that lies ahead was written by a clock that was wrong: it keeps nobody alive for ever
        return abs(silent) < GRACE_SECONDS


def read_worker(row: Mapping[Any, Any]) -> Worker:
    """A worker from its record; a process number that is none becomes that of no process."""
    pid = row["pid"] if isinstance(row["pid"], int) and 0 < row["pid"] < 2**31 else 0
    return Worker(str(row["id"]), str(row["host"]), str(row["place"]), pid, str(row["born"]))


def silence(row: Mapping[Any, Any], now: float) -> float:
    """Seconds since the last sign of life of a recorded worker by the clock of the store; infinite if there is none."""
    beat = row["beat"]
    return now - beat if isinstance(beat, int | float) and math.isfinite(beat) else math.inf


def machine_went_down(worker: Worker, silent: float) -> bool:
    """Whether a dead worker is known to have ended together with its machine, as in a power cut.

    Only of this machine that is known: it began after the worker's last sign of life. Spans of time are compared and no
    times of day, so it does not matter whose clock is right.
    """
    return worker.host == socket.gethostname() and silent > uptime()


def uptime() -> float:
    """Seconds since this machine began."""
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux: a suspended machine has not gone down
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - psutil.boot_time()
