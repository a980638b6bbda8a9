"""Harness of the durability benchmark: its objective, which every worker imports into a process of its own."""

import os
import time
from pathlib import Path

from svge_core.cells import Cell
from svge_core.spaces import get_space

LOG, SECONDS = "SVGE_DURABILITY_LOG", "SVGE_DURABILITY_SECONDS"


def slow(cell: Cell) -> float:
    """The objective: convolutions of 3 x 3, after a while, written down."""
    text = get_space("nasbench201").format(cell)
    if LOG in os.environ:
        time.sleep(float(os.environ[SECONDS]))
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    return text.count("conv_3x3") + 0.1 * text.count("skip")


def spared(cell: Cell) -> float:
    """A second goal against the first, known at once: edges without an operation."""
    return float(get_space("nasbench201").format(cell).count("none"))
