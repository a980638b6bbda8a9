"""Deterministic structure features of cells: what a surrogate regresses on and what the app can explain in words.

Nothing here is trained. A cell is first reduced to what computes: nodes with a *zero* operation are dropped, then every
node that lies on no path from the first to the last node. *Identity* operations stay but count for nothing. The
features are sums, minima and maxima over the remaining ("live") nodes, edges and paths, in the spirit of GRAF
(Kadlecova et al. 2024, "Surprisingly strong performance prediction with neural graph features"), which takes them on
the graph as written. For every subset S of the space's computing operations:

``paths``   shortest, longest and mean number of S-nodes on a live path; the number of live paths
``routes``  how many live paths compute with operations of S only (the empty S: identity paths), and whether any does
``nodes``   live nodes in S; those fed by the input and those feeding the output without another operation between
``edges``   live edges from one operation to another; in-degree of the output, out-degree of the input

Where cells differ in their wiring, or every gene has a place of its own, the groups of
:mod:`svge_core.features.local` follow.

All is dynamic programming over padded arrays, without listing paths: dense 34-node graphs cost no more than their
edges. Features depend on the labelled graph alone, not on the order its nodes are written in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import DataError
from svge_core.features.local import PAIRS_UP_TO, gene_features, gene_names, local_features, local_names
from svge_core.spaces import AbstractSearchSpace

#: operations that pass nothing on: a node with one of these labels, and all that hangs on it alone, is dead
ZERO_OPERATIONS = frozenset({"none", "zero", "zeroize"})
#: operations that hand their input on unchanged: they are part of a path but count for nothing on it
IDENTITY_OPERATIONS = frozenset({"skip_connect", "identity", "skip"})
#: feature groups, the prefixes of the feature names; a surrogate gives each its own length scale
GROUPS = ("paths", "routes", "nodes", "edges", "local", "size", "choices", "switches")

#: up to this many computing operations all their subsets are used, above it the single ones, the pairs and the whole
_ALL_SUBSETS_UP_TO = 4
#: numbers of paths are compressed above this value: a 32-node random graph has thousands of paths
_LINEAR_UP_TO = 8.0
_CHUNK = 4096


@dataclass(frozen=True)
class FeatureTable:
    """Features of a list of cells.

    Attributes:
        values: float64 (cells, features), finite; columns that are constant over the given cells are kept, so that the
            columns depend on the space alone.
        names: one text per column, ``"group: meaning"`` with the group one of :data:`GROUPS`.
    """

    values: Float[np.ndarray, "cells features"]
    names: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each column."""
        return tuple(name.split(":", 1)[0] for name in self.names)


def computing_operations(space: AbstractSearchSpace) -> tuple[str, ...]:
    """The operations of a space that are neither zero nor identity, in the space's order."""
    return tuple(op for op in space.operations if op not in ZERO_OPERATIONS | IDENTITY_OPERATIONS)


def operation_subsets(operations: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The subsets S the features are taken over, small ones first.

    All non-empty subsets of up to four operations; of up to eight, the single operations, the pairs and the whole; of
    more, the single ones and the whole.
    """
    count = len(operations)
    if count <= _ALL_SUBSETS_UP_TO:
        sizes = tuple(range(1, count + 1))
    else:
        sizes = (1, 2, count) if count <= PAIRS_UP_TO else (1, count)
    return tuple(subset for size in sizes for subset in combinations(operations, size))


def structure_features(space: AbstractSearchSpace, cells: Sequence[Cell]) -> FeatureTable:
    """Structure features of cells; see the module's docstring for what they are.

    Args:
        space: gives the operations; its zero and identity operations follow from their names.
        cells: any labelled DAGs over those operations, from the first node (input) to the last (output).

    Returns:
        One row per cell; the columns depend on the space only.

    Raises:
        DataError: if a cell carries a label the space does not know.
    """
    subsets = operation_subsets(computing_operations(space))
    names = _names(space, subsets)
    chunks = [cells[i : i + _CHUNK] for i in range(0, len(cells), _CHUNK)]
    rows = [_features(chunk, padded_cells(space, chunk), space, subsets) for chunk in chunks]
    values = np.concatenate(rows) if rows else np.zeros((0, len(names)))
    return FeatureTable(values, names)


@dataclass(frozen=True)
class PaddedCells:
    """Cells as arrays, node positions left-aligned.

    Attributes:
        labels: vocabulary index per node, -1 on padding.
        edges: True at (cell, source, target).
        last: position of each cell's last node.
    """

    labels: Int[np.ndarray, "cells nodes"]
    edges: Bool[np.ndarray, "cells nodes nodes"]
    last: Int[np.ndarray, " cells"]


def padded_cells(space: AbstractSearchSpace, cells: Sequence[Cell]) -> PaddedCells:
    """Cells as arrays over the vocabulary (input, output, operations of the space).

    Raises:
        DataError: if a cell carries a label the space does not know.
    """
    vocabulary = (INPUT, OUTPUT, *space.operations)
    code = {op: index for index, op in enumerate(vocabulary)}
    width = max(cell.num_nodes for cell in cells)
    labels = np.full((len(cells), width), -1, dtype=np.int64)
    edges = np.zeros((len(cells), width, width), dtype=bool)
    try:
        rows = [[code[op] for op in cell.ops] for cell in cells]
    except KeyError as error:
        raise DataError(
            f"Unknown operation {error.args[0]!r} in a cell: expected one of {', '.join(vocabulary)}. "
            "Take the search space the cells belong to."
        ) from None
    for row, codes in enumerate(rows):
        labels[row, : len(codes)] = codes
    counts = [len(cell.edges) for cell in cells]
    if sum(counts):
        pairs = np.array([pair for cell in cells for pair in cell.edges], dtype=np.int64)
        edges[np.repeat(np.arange(len(cells)), counts), pairs[:, 0], pairs[:, 1]] = True
    return PaddedCells(labels, edges, np.array([cell.num_nodes - 1 for cell in cells], dtype=np.int64))


def _named(subset: tuple[str, ...]) -> str:
    return " or ".join(subset)


def _edge_labels(space: AbstractSearchSpace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels at the start and at the end of a live edge."""
    inner = tuple(op for op in space.operations if op not in ZERO_OPERATIONS)
    return (INPUT, *inner), (*inner, OUTPUT)


def _names(space: AbstractSearchSpace, subsets: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    paths = ["paths: number of live paths"]
    routes = ["routes: live paths of identities only", "routes: a live path of identities only exists"]
    nodes = ["nodes: live identities"]
    for subset in subsets:
        what = _named(subset)
        paths += [f"paths: {measure} number of {what} on a live path" for measure in ("smallest", "largest", "mean")]
        routes += [f"routes: live paths computing with {what} only", f"routes: a live path with {what} only exists"]
        nodes += [
            f"nodes: live {what}",
            f"nodes: live {what} fed by the input",
            f"nodes: live {what} feeding the output",
        ]
    starts, ends = _edge_labels(space)
    edges = [f"edges: live {a} to {b}" for a in starts for b in ends]
    edges += ["edges: live inputs of the output", "edges: live uses of the input", "edges: live"]
    local = local_names(space) if space.varied_wiring else ()
    return (*paths, *routes, *nodes, *edges, *local, *(gene_names(space) if space.positional else ()))


def _features(
    cells: Sequence[Cell], padded: PaddedCells, space: AbstractSearchSpace, subsets: tuple[tuple[str, ...], ...]
) -> Float[np.ndarray, "cells features"]:
    vocabulary = (INPUT, OUTPUT, *space.operations)
    live_nodes = _live(padded, vocabulary)
    live_edges = padded.edges & live_nodes[:, :, None] & live_nodes[:, None, :]
    identity = np.isin(padded.labels, [vocabulary.index(op) for op in space.operations if op in IDENTITY_OPERATIONS])
    # input and output are on every path; they hand on what they get, like an identity
    ends = np.isin(padded.labels, [0, 1])
    through = identity | ends

    total = _count_paths(live_nodes, live_edges, padded.last)
    dead = total == 0
    identities_only = _count_paths(live_nodes & through, live_edges, padded.last)
    paths = [_compressed(total)]
    routes = [_compressed(identities_only), identities_only > 0]
    nodes = [(live_nodes & identity).sum(1)]
    fed = _reached_through(live_nodes, live_edges, through, forwards=True)
    feeding = _reached_through(live_nodes, live_edges, through, forwards=False)
    for subset in subsets:
        member = np.isin(padded.labels, [vocabulary.index(op) for op in subset])
        smallest, largest, mean = _path_lengths(live_nodes, live_edges, padded.last, member, total)
        paths += [np.where(dead, -1.0, length) for length in (smallest, largest, mean)]
        only = _count_paths(live_nodes & (through | member), live_edges, padded.last)
        routes += [_compressed(only), only > 0]
        nodes += [(live_nodes & member).sum(1), (fed & member).sum(1), (feeding & member).sum(1)]
    edges = _edge_counts(padded, space, vocabulary, live_edges)
    table = np.stack([np.asarray(column, dtype=np.float64) for column in (*paths, *routes, *nodes, *edges)], axis=1)
    more = []
    if space.varied_wiring:
        more.append(local_features(space, cells, padded.labels, vocabulary, live_nodes, live_edges))
    if space.positional:
        more.append(gene_features(space, cells))
    return np.concatenate([table, *more], axis=1)


def _live(padded: PaddedCells, vocabulary: tuple[str, ...]) -> Bool[np.ndarray, "cells nodes"]:
    """Nodes on a path from the first to the last node that avoids zero operations."""
    zero = [index for index, op in enumerate(vocabulary) if op in ZERO_OPERATIONS]
    passing = (padded.labels >= 0) & ~np.isin(padded.labels, zero)
    count, width = passing.shape
    forward = np.zeros_like(passing)
    forward[:, 0] = passing[:, 0]
    for node in range(1, width):
        forward[:, node] = passing[:, node] & (padded.edges[:, :, node] & forward).any(1)
    backward = np.zeros_like(passing)
    backward[np.arange(count), padded.last] = passing[np.arange(count), padded.last]
    for node in range(width - 2, -1, -1):
        backward[:, node] |= passing[:, node] & (padded.edges[:, node, :] & backward).any(1)
    return forward & backward


def _count_paths(
    allowed: Bool[np.ndarray, "cells nodes"],
    edges: Bool[np.ndarray, "cells nodes nodes"],
    last: Int[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """Number of paths from the first to the last node over allowed nodes."""
    counts = np.zeros(allowed.shape)
    counts[:, 0] = allowed[:, 0]
    for node in range(1, allowed.shape[1]):
        counts[:, node] = allowed[:, node] * (edges[:, :, node] * counts).sum(1)
    return counts[np.arange(len(last)), last]


def _path_lengths(
    live: Bool[np.ndarray, "cells nodes"],
    edges: Bool[np.ndarray, "cells nodes nodes"],
    last: Int[np.ndarray, " cells"],
    member: Bool[np.ndarray, "cells nodes"],
    total: Float[np.ndarray, " cells"],
) -> tuple[Float[np.ndarray, " cells"], Float[np.ndarray, " cells"], Float[np.ndarray, " cells"]]:
    """Smallest, largest and mean number of member nodes over all live paths; without meaning where total is 0."""
    smallest = np.full(live.shape, np.inf)
    largest = np.full(live.shape, -np.inf)
    counts, sums = np.zeros(live.shape), np.zeros(live.shape)
    weight = member.astype(np.float64)
    smallest[:, 0] = largest[:, 0] = sums[:, 0] = weight[:, 0]
    counts[:, 0] = live[:, 0]
    for node in range(1, live.shape[1]):
        incoming = edges[:, :, node]
        smallest[:, node] = weight[:, node] + np.where(incoming, smallest, np.inf).min(1)
        largest[:, node] = weight[:, node] + np.where(incoming, largest, -np.inf).max(1)
        counts[:, node] = (incoming * counts).sum(1)
        sums[:, node] = (incoming * sums).sum(1) + weight[:, node] * counts[:, node]
    at = (np.arange(len(last)), last)
    return smallest[at], largest[at], sums[at] / np.maximum(total, 1.0)


def _reached_through(
    live: Bool[np.ndarray, "cells nodes"],
    edges: Bool[np.ndarray, "cells nodes nodes"],
    through: Bool[np.ndarray, "cells nodes"],
    *,
    forwards: bool,
) -> Bool[np.ndarray, "cells nodes"]:
    """Live nodes with a way from the input (or to the output) that crosses nodes of ``through`` only."""
    reached = np.zeros_like(live)
    width = live.shape[1]
    if forwards:
        reached[:, 0] = live[:, 0]
        for node in range(1, width):
            reached[:, node] = (edges[:, :, node] & reached & through).any(1)
        return reached
    # a live node without live targets can only be the output
    reached |= live & ~edges.any(2)
    for node in range(width - 2, -1, -1):
        reached[:, node] |= (edges[:, node, :] & reached & through).any(1)
    return reached


def _edge_counts(
    padded: PaddedCells,
    space: AbstractSearchSpace,
    vocabulary: tuple[str, ...],
    live_edges: Bool[np.ndarray, "cells nodes nodes"],
) -> list[np.ndarray]:
    """Live edges by the labels at their two ends, degrees of the two ends of the cell, and all live edges."""
    starts, ends = _edge_labels(space)
    cell, source, target = np.nonzero(live_edges)
    width = len(vocabulary)
    pair = padded.labels[cell, source] * width + padded.labels[cell, target]
    table = np.zeros((len(padded.last), width * width))
    np.add.at(table, (cell, pair), 1.0)
    columns = [table[:, vocabulary.index(a) * width + vocabulary.index(b)] for a in starts for b in ends]
    rows = np.arange(len(padded.last))
    return [*columns, live_edges[rows, :, padded.last].sum(1), live_edges[:, 0].sum(1), live_edges.sum((1, 2))]


def _compressed(counts: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
    """Linear up to 8, logarithmic above, with the same slope where they meet."""
    above = _LINEAR_UP_TO * (1.0 + np.log(np.maximum(counts, _LINEAR_UP_TO) / _LINEAR_UP_TO))
    return np.where(counts <= _LINEAR_UP_TO, counts, above)
