"""Functions that searches on a cluster import by path; they write down which cell they begin and end, and where.

The processes of a cluster have the variables of whoever started it, so there is one folder of logs for all tests, and
each test clears its own.
"""

import os
import time
from pathlib import Path

from svge_core.cells.cell import Cell
from tests.support.runs import SPACE, worth

HERE = "python:tests.support.cluster_objectives:"
#: folder of the logs; without it nothing is written
LOGS = "SVGE_TEST_CLUSTER_LOGS"


def log_of(function: str) -> Path:
    """Where a function writes; emptied."""
    log = Path(os.environ[LOGS]) / function
    log.unlink(missing_ok=True)
    return log


def lines(log: Path, kind: str) -> list[list[str]]:
    """Cell and node of what began (``begin``) or came to its end (``end``)."""
    found = log.read_text("utf-8").splitlines() if log.exists() else []
    return [line.split("\t")[1:] for line in found if line.startswith(f"{kind}\t")]


def note(function: str, kind: str, cell: Cell) -> list[str]:
    """Write a line, whole; returns the cells that were begun so far."""
    import ray

    node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else "here"
    log = Path(os.environ[LOGS]) / function
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{kind}\t{SPACE.format(cell)}\t{node}\n")
    return [cell for cell, _ in lines(log, "begin")]


def noted(cell: Cell) -> float:
    """A cheap value, after a tenth of a second."""
    note("noted", "begin", cell)
    time.sleep(0.1)
    note("noted", "end", cell)
    return worth(cell)


def trying(cell: Cell) -> float:
    """Ends its process for the cell that was begun first, and raises for the one that was begun next."""
    order = list(dict.fromkeys(note("trying", "begin", cell)))
    if order[0] == SPACE.format(cell):
        os._exit(137)
    if order[1] == SPACE.format(cell):
        raise ValueError("the second one")
    return worth(cell)
