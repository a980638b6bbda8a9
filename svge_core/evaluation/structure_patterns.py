"""Graph and operation patterns of cells against a score: what good architectures have in common.

The properties are those of Chatzianastasis et al. (2021), with the definitions of their code (igraph's
``transitivity_undirected`` and ``average_path_length``), computed for all cells at once.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.data import Direction
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch
from svge_core.threads import counting

CHUNK = 16_384
CLUSTERING, PATH_LENGTH, EDGES = "clustering coefficient", "average path length", "edges"


@dataclass(frozen=True)
class Pattern:
    """One property of cells beside a score.

    Attributes:
        name: one of the three properties above, or the name of an operation, whose count is meant.
        mean_all, mean_best: mean over all labelled cells and over the best of them.
        pearson_r: correlation with the score over all labelled cells; None where one of the two does not vary.
    """

    name: str
    mean_all: float
    mean_best: float
    pearson_r: float | None


@dataclass(frozen=True)
class Patterns:
    """All properties over one set of labelled cells.

    Attributes:
        rows: graph properties first, then one per operation.
        cells: number of labelled cells.
        best: number of cells that count as the best.
        threshold: worst score among those.
        indices: their official indices, best first.
    """

    rows: tuple[Pattern, ...]
    cells: int
    best: int
    threshold: float
    indices: Int[np.ndarray, " best"]


def clustering(adjacency: Float[Tensor, "cells nodes nodes"]) -> Float[Tensor, " cells"]:
    """Transitivity of the graph without directions: 3 * triangles / pairs of edges that meet; 0 without such pairs."""
    both = adjacency + adjacency.transpose(1, 2)
    walks = torch.einsum("cuv,cvw,cwu->c", both, both, both)  # closed walks of three steps: six per triangle
    degree = both.sum(2)
    pairs = (degree * (degree - 1)).sum(1) / 2
    return torch.where(pairs > 0, walks / 2 / pairs.clamp(min=1), 0.0)


def path_length(adjacency: Float[Tensor, "cells nodes nodes"]) -> Float[Tensor, " cells"]:
    """Mean number of edges of the shortest path along the edges, over all pairs joined by one; 0 without pairs."""
    reached = torch.zeros_like(adjacency, dtype=torch.bool)
    ends, total = adjacency > 0, torch.zeros(len(adjacency))
    for steps in range(1, adjacency.shape[1]):
        fresh = ends & ~reached
        total += steps * fresh.sum((1, 2))
        reached |= fresh
        ends = torch.bmm(fresh.to(adjacency.dtype), adjacency) > 0
    pairs = reached.sum((1, 2))
    return total / pairs.clamp(min=1)


def properties(batch: CellBatch, space: AbstractSearchSpace) -> Float[np.ndarray, "cells properties"]:
    """Clustering, path length, edges, then the count of every operation of the space."""
    first = len(space.vocabulary) - len(space.operations)
    counts = [((batch.types == kind) & batch.mask).sum(1).float() for kind in range(first, len(space.vocabulary))]
    graph = [clustering(batch.adjacency), path_length(batch.adjacency), batch.adjacency.sum((1, 2))]
    return torch.stack([*graph, *counts], dim=1).double().numpy()


def patterns(
    space: AbstractSearchSpace,
    indices: Int[np.ndarray, " cells"],
    values: Float[np.ndarray, " cells"],
    direction: Direction = "max",
    best: float = 0.01,
) -> Patterns:
    """Properties of labelled cells beside their measured scores.

    Args:
        space: of the cells.
        indices: official indices of the labelled cells.
        values: their scores, finite.
        direction: whether more is better.
        best: share of the cells that counts as the best; at least one cell.

    Raises:
        DataError: if there are fewer than two cells or a score is not finite.
    """
    if len(indices) != len(values) or len(values) < 2 or not np.isfinite(values).all():
        raise DataError(f"Patterns need two or more cells with finite scores; got {len(values)}.")
    pieces: list[np.ndarray] = []
    with counting(space.title, "cells compared", len(indices)) as tell:
        for start in range(0, len(indices), CHUNK):
            pieces.append(properties(index_batch(space, indices[start : start + CHUNK]), space))
            tell(min(start + CHUNK, len(indices)))
    found = np.concatenate(pieces)
    order = np.argsort(-values if direction == "max" else values, kind="stable")
    top = order[: max(1, round(best * len(order)))]
    rows = tuple(
        Pattern(name, float(column.mean()), float(column[top].mean()), _pearson(column, values))
        for name, column in zip((CLUSTERING, PATH_LENGTH, EDGES, *space.operations), found.T, strict=True)
    )
    return Patterns(rows, len(values), len(top), float(values[top[-1]]), indices[top])


def _pearson(a: Float[np.ndarray, " cells"], b: Float[np.ndarray, " cells"]) -> float | None:
    """Correlation; None where one of the two does not vary."""
    spread = float(a.std() * b.std())
    if spread < 1e-12:
        return None
    return float(np.mean((a - a.mean()) * (b - b.mean())) / spread)
