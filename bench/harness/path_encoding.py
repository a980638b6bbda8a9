"""BANANAS's path encoding (White et al. 2021): which sequences of operations lead from the input to the output.

A cell is the set of the operation sequences along its paths; an encoding has a 0/1 column for each sequence. Sequences
that stand in too few labelled cells are left out: a tree that keeps so many cells in every leaf cannot split on them,
so the model is the one on the whole encoding, which has 55,987 columns for ENAS's six layers.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell

#: operations between the input and the output, in order
Path = tuple[str, ...]


def paths(cell: Cell) -> frozenset[Path]:
    """The distinct operation sequences of all paths from the first to the last node."""
    found: list[set[Path]] = [{()}]
    for node in range(1, cell.num_nodes):
        before = set[Path]().union(*(found[source] for source in cell.sources[node]))
        end = node == cell.num_nodes - 1
        found.append(before if end else {(*path, cell.ops[node]) for path in before})
    return frozenset(found[-1])


def columns_of(sets: Sequence[frozenset[Path]], fewest: int) -> list[Path]:
    """The sequences that at least ``fewest`` of the cells have and as many lack, in a fixed order."""
    counts = Counter(path for paths_of_cell in sets for path in paths_of_cell)
    return sorted(path for path, count in counts.items() if fewest <= count <= len(sets) - fewest)


def encoded(sets: Sequence[frozenset[Path]], columns: Sequence[Path]) -> Float[np.ndarray, "cells paths"]:
    """1 where a cell has the sequence of a column."""
    place = {path: column for column, path in enumerate(columns)}
    table = np.zeros((len(sets), len(columns)))
    for row, paths_of_cell in enumerate(sets):
        table[row, [place[path] for path in paths_of_cell if path in place]] = 1.0
    return table
