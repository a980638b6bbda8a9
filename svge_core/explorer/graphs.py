"""What the graphs of charted cells say in a number: edges and depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from svge_core.atlas import Atlas
from svge_core.cells import Cell
from svge_core.drawing import operation_label
from svge_core.spaces import AbstractSearchSpace, CellArrays

#: cells whose graphs are in memory at one time
PIECE = 20_000
#: operations by what they do to the way through a cell
_BROKEN, _UNCHANGED = "none", "skip"


@dataclass(frozen=True)
class Structure:
    """Numbers of many cells.

    Attributes:
        edges: of the cell's graph.
        depth: operations on the longest way from input to output; see :func:`depths`.
    """

    edges: Int[np.ndarray, " cells"]
    depth: Int[np.ndarray, " cells"]


def structure_of(space: AbstractSearchSpace, atlas: Atlas) -> Structure:
    """Edges and depth of every charted cell."""
    drawn, total = atlas.drawn, len(atlas)
    edges, depth = np.zeros(total, dtype=np.int16), np.zeros(total, dtype=np.int16)
    for start in range(0, total, PIECE):
        piece = slice(start, start + PIECE)
        arrays = space.arrays(atlas.indices[piece]) if drawn is None else _arrays_of(space, drawn.cells[piece])
        edges[piece], depth[piece] = arrays.adjacency.sum(axis=(1, 2)), depths(space, arrays)
    return Structure(edges, depth)


def depths(space: AbstractSearchSpace, arrays: CellArrays) -> Int[np.ndarray, " cells"]:
    """Operations on the longest way from input to output; 0 where there is none.

    No way leads through "none"; a skip is no operation.

    Args:
        space: of the cells.
        arrays: their graphs, every edge from an earlier to a later node.
    """
    labels = [operation_label(op) for op in space.operations]
    first = len(space.vocabulary) - len(labels)
    adds = np.array([0] * first + [label not in (_BROKEN, _UNCHANGED) for label in labels], dtype=np.int16)
    passes = np.array([True] * first + [label != _BROKEN for label in labels])
    cells, nodes = arrays.types.shape
    longest = np.full((cells, nodes), -1, dtype=np.int16)  # -1: no way leads here
    longest[:, 0] = 0
    for node in range(1, nodes):
        before = np.where(arrays.adjacency[:, :node, node] > 0, longest[:, :node], -1).max(axis=1)
        kind = arrays.types[:, node]
        longest[:, node] = np.where((before >= 0) & passes[kind], before + adds[kind], -1)
    return np.maximum(longest[np.arange(cells), arrays.sizes - 1], 0)


def _arrays_of(space: AbstractSearchSpace, cells: Sequence[Cell]) -> CellArrays:
    """Graphs of cells that have no index."""
    ids = {label: number for number, label in enumerate(space.vocabulary)}
    types = np.zeros((len(cells), space.max_nodes), dtype=np.int64)
    adjacency = np.zeros((len(cells), space.max_nodes, space.max_nodes), dtype=np.int8)
    for row, cell in enumerate(cells):
        types[row, : cell.num_nodes] = [ids[op] for op in cell.ops]
        source, target = np.array(cell.edges, dtype=np.int64).reshape(-1, 2).T
        adjacency[row, source, target] = 1
    return CellArrays(types, adjacency, np.array([cell.num_nodes for cell in cells], dtype=np.int64))
