"""Functions that end their process, by import path; each writes down which cell it begins and in which process."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from svge_core.cells.cell import Cell
from tests.support.runs import LOG, SPACE, begun, logged, worth, write

HERE = "python:tests.support.deadly:"
#: one of :data:`WAYS`, and how often :func:`deadly_for_one` dies (always, if it is not set)
WAY, TIMES = "SVGE_TEST_WAY", "SVGE_TEST_TIMES"


def leave_a_child() -> None:
    """Die, while what was started goes on and holds all that was open."""
    if os.fork() == 0:
        while True:
            time.sleep(3600)
    os._exit(5)


def close_everything() -> None:
    os.closerange(0, 1000)


WAYS: dict[str, tuple[Callable[[], object], str]] = {
    "os._exit": (lambda: os._exit(137), "exit status 137"),
    "as if for want of memory": (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal 9"),
    "its whole group": (lambda: os.killpg(os.getpgrp(), signal.SIGKILL), "killed by signal 9"),
    "a null pointer": (lambda: ctypes.string_at(0), "killed by signal 11"),
    "an abort": (os.abort, "killed by signal 6"),
    "a child left behind": (leave_a_child, "exit status 5"),
    "all files closed": (close_everything, "exit status 1"),
    "as if stopped": (lambda: os.kill(os.getpid(), signal.SIGTERM), "killed by signal 15"),
}


def deadly_for_one(cell: Cell) -> float:
    """Ends its process for the cell that was evaluated first."""
    text = SPACE.format(cell)
    write(f"begin {text}")
    lines = begun(Path(os.environ[LOG]))
    if lines[0] == f"begin {text}" and lines.count(lines[0]) <= int(os.environ.get(TIMES, "1000")):
        WAYS[os.environ[WAY]][0]()
    return worth(cell)


def deadly(cell: Cell) -> float:
    """Ends its process for every cell."""
    os._exit(137)


def leaves(cell: Cell) -> float:
    """Asks to end, as scripts do, for cells whose first edge pools."""
    write(f"begin {SPACE.format(cell)}")
    if SPACE.format(cell).startswith("|avg_pool"):
        sys.exit(3)
    return worth(cell)


def interrupts(cell: Cell) -> float:
    raise KeyboardInterrupt


def talks(cell: Cell) -> float:
    """Prints, also what would be an answer, and asks for input."""
    print('{"values": [77.0]}', flush=True)
    sys.stdin.readline()
    return worth(cell)


def unspeakable(cell: Cell) -> float:
    """Says what no database holds."""
    if SPACE.format(cell).startswith("|avg_pool"):
        raise ValueError("a file of \udcff\udcfe bytes,\x00 a bell\x07 and \N{SNOWMAN}")
    return worth(cell)


def named(cell: Cell) -> float:
    """Says in which process it is, then as :func:`tests.support.runs.logged`."""
    write(f"process {os.getpid()}")
    return logged(cell)


def processes(log: Path) -> list[int]:
    """The processes that :func:`named` was in, in order."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith("process")]
