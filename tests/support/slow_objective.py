"""A function that a search can optimise, slow enough to be watched, paused and killed."""

import time

from svge_core.cells.cell import Cell

SECONDS = 0.25


def slow(cell: Cell) -> float:
    """Number of 3x3 convolutions, after a while."""
    time.sleep(SECONDS)
    return float(cell.ops.count("nor_conv_3x3"))
