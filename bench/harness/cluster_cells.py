"""Harness of the cluster benchmark: objectives that sleep, and write down what they did where they are told to."""

import os
import time
from pathlib import Path

from svge_core.cells import Cell
from svge_core.spaces import get_space

#: file that evaluations are written to; the processes of a cluster have the variables of whoever started it
LOG = "SVGE_CLUSTER_LOG"


def _slept(cell: Cell, seconds: float) -> float:
    text = get_space("nasbench201").format(cell)
    _note("begin", text)
    time.sleep(seconds)
    _note("end", text)
    return text.count("conv_3x3") + 0.1 * text.count("skip")


def _note(kind: str, text: str) -> None:
    if LOG in os.environ:
        import ray

        with Path(os.environ[LOG]).open("a", encoding="utf-8") as file:
            file.write(f"{kind}\t{text}\t{ray.get_runtime_context().get_node_id()}\n")


def tenth(cell: Cell) -> float:
    """A tenth of a second."""
    return _slept(cell, 0.1)


def one(cell: Cell) -> float:
    """A second."""
    return _slept(cell, 1.0)


def ten(cell: Cell) -> float:
    """Ten seconds."""
    return _slept(cell, 10.0)
