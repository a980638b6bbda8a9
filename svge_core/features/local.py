"""Structure features of spaces whose cells differ in their wiring: what surrounds a node, and the size of the network.

``local``  for every operation: live nodes of it that read from, or feed, each pair of labels (of one node as of two,
           so that a node with a single source counts with it and "nothing"); their in- and out-degrees. Of more than
           eight operations each label alone stands for the pairs that it is part of: pairs would be thousands
``size``   logarithms of the parameters and multiply-accumulates of the cell's standard network, where it has one; live
           nodes; depth

Where every gene of the genotype has a place of its own in the cell (``space.positional``), the genes themselves follow:

``choices``   one column per choice of every gene with more than two
``switches``  one column per gene with two

The first groups are the two-step neighbourhoods of Weisfeiler-Lehman kernels (Shervashidze et al. 2011) over a fixed
list of columns.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.spaces import AbstractSearchSpace

_NOTHING, _ANYTHING = "nothing else", "anything else"
#: operations of a space beyond which no column stands for a pair of them: the columns would grow with their square
PAIRS_UP_TO = 8


def _pairs(labels: tuple[str, ...]) -> list[tuple[str, str]]:
    """Unordered pairs of labels with repeats, and each label alone; of many labels each one with anything."""
    if len(labels) > PAIRS_UP_TO + 1:  # the operations, and one of the ends
        return [(a, _ANYTHING) for a in labels]
    both = [(a, b) for i, a in enumerate(labels) for b in labels[i:]]
    return both + [(a, _NOTHING) for a in labels]


def _around(space: AbstractSearchSpace) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Pairs that may stand before a node, and after it."""
    return _pairs((INPUT, *space.operations)), _pairs((*space.operations, OUTPUT))


def local_names(space: AbstractSearchSpace) -> tuple[str, ...]:
    """Names of the columns of :func:`local_features`."""
    before, after = _around(space)
    names = []
    for op in space.operations:
        names += [f"local: live {op} reading {a} and {b}" for a, b in before]
        names += [f"local: live {op} feeding {a} and {b}" for a, b in after]
        names += [f"local: inputs of live {op}", f"local: uses of live {op}"]
    costs = ["size: log parameters", "size: log multiply-accumulates"] if space.has_cost else []
    return (*names, *costs, "size: live nodes", "size: depth")


def local_features(
    space: AbstractSearchSpace,
    cells: Sequence[Cell],
    labels: Int[np.ndarray, "cells nodes"],
    vocabulary: tuple[str, ...],
    live_nodes: Bool[np.ndarray, "cells nodes"],
    live_edges: Bool[np.ndarray, "cells nodes nodes"],
) -> Float[np.ndarray, "cells features"]:
    """One row per cell; columns as in :func:`local_names`.

    Args:
        space: of the cells.
        cells: members of the space, for the size of their networks.
        labels: index into the vocabulary per node, -1 on padding.
        vocabulary: types of nodes that get columns.
        live_nodes: nodes that compute.
        live_edges: edges that compute.
    """
    edges = live_edges.astype(np.int64)
    member = {label: (labels == number) & live_nodes for number, label in enumerate(vocabulary)}
    # how many sources and targets with a label every node has: (cells, nodes)
    read = {label: np.einsum("cu,cuv->cv", there, edges) for label, there in member.items()}
    fed = {label: np.einsum("cv,cuv->cu", there, edges) for label, there in member.items()}
    sources, targets = edges.sum(1), edges.sum(2)
    before, after = _around(space)
    columns: list[np.ndarray] = []
    for op in space.operations:
        for pairs, counts, total in ((before, read, sources), (after, fed, targets)):
            for a, b in pairs:
                if b == _ANYTHING:
                    found = counts[a] >= 1
                elif b == _NOTHING:
                    found = (counts[a] == 1) & (total == 1)
                elif a == b:
                    found = counts[a] >= 2
                else:
                    found = (counts[a] >= 1) & (counts[b] >= 1)
                columns.append((found & member[op]).sum(1))
        columns += [(sources * member[op]).sum(1), (targets * member[op]).sum(1)]
    costs = space.costs_of(cells) if space.has_cost else np.empty((len(cells), 0))
    depth = np.zeros(labels.shape, dtype=np.int64)
    for node in range(1, labels.shape[1]):
        depth[:, node] = (edges[:, :, node] * (depth + 1)).max(1)
    size = [*np.log(np.maximum(costs, 1e-6)).T, live_nodes.sum(1), depth.max(1)]
    return np.stack([np.asarray(column, dtype=np.float64) for column in (*columns, *size)], axis=1)


def gene_names(space: AbstractSearchSpace) -> tuple[str, ...]:
    """Names of the columns of :func:`gene_features`."""
    choices = [
        f"choices: gene {gene} is {choice}"
        for gene, count in enumerate(space.gene_choices)
        if count > 2
        for choice in range(count)
    ]
    return (*choices, *(f"switches: gene {gene}" for gene, count in enumerate(space.gene_choices) if count <= 2))


def gene_features(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells features"]:
    """The genotype, one-hot; one row per cell, columns as in :func:`gene_names`."""
    genes = np.array([space.genotype(cell) for cell in cells], dtype=np.int64).reshape(len(cells), -1)
    counts = space.gene_choices
    many = [genes[:, [g]] == np.arange(count) for g, count in enumerate(counts) if count > 2]
    two = [genes[:, [g]] for g, count in enumerate(counts) if count <= 2]
    return np.concatenate([*many, *two], axis=1).astype(np.float64)
