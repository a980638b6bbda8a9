"""Edge F1: how much of a wiring comes back where nobody can expect all of it.

The edges between the inner nodes of a cell are compared place by place: those of the cell in its canonical node order,
which a model is trained to write, and those of a decoding in the order in which it was written. Input, output and the
edges at them, which follow from the others, do not count. F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of
precision and recall (van Rijsbergen 1979): pooled over the edges of all cells ("micro"), or as the mean over cells.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from svge_core.errors import SvgeError
from svge_core.tensors import CellBatch


@dataclass(frozen=True)
class EdgeCounts:
    """Edges of many cells, each against the truth.

    Attributes:
        hits: edges of both (TP), per cell.
        predicted: edges of the prediction (TP + FP), per cell.
        true: edges of the truth (TP + FN), per cell.
    """

    hits: Int[Tensor, " cells"]
    predicted: Int[Tensor, " cells"]
    true: Int[Tensor, " cells"]

    @property
    def pooled(self) -> float:
        """F1 over the edges of all cells; NaN where there are none at all."""
        return float(2 * self.hits.sum() / (self.predicted.sum() + self.true.sum()))

    @property
    def per_cell(self) -> float:
        """Mean of the cells' own F1; a cell without edges on either side counts 1, no cells give NaN."""
        both = self.predicted + self.true
        return float(torch.where(both > 0, 2 * self.hits / both.clamp(min=1), 1.0).mean())

    def select(self, rows: Bool[Tensor, " cells"]) -> "EdgeCounts":
        """The counts of some cells."""
        return EdgeCounts(self.hits[rows], self.predicted[rows], self.true[rows])


def inner_edges(batch: CellBatch) -> Bool[Tensor, "cells pairs"]:
    """Edges between the inner nodes of every cell: the strict upper triangle row by row, False beyond its last node.

    ``pairs`` is m (m - 1) / 2 with m = nodes - 2 places for inner nodes.
    """
    nodes = batch.types.shape[1]
    position = torch.arange(nodes, device=batch.types.device)
    inner = (position > 0) & (position < batch.sizes[:, None] - 1)
    edges = (batch.adjacency > 0) & inner[:, :, None] & inner[:, None, :]
    rows, columns = torch.triu_indices(nodes - 2, nodes - 2, 1, device=batch.types.device) + 1
    return edges[:, rows, columns]


def edge_counts(predicted: Bool[Tensor, "cells pairs"], truth: Bool[Tensor, "cells pairs"]) -> EdgeCounts:
    """Count the edges of predictions and of the cells they stand for, row by row."""
    return EdgeCounts((predicted & truth).sum(1), predicted.sum(1), truth.sum(1))


def best_threshold(scores: Float[Tensor, "cells pairs"], truth: Bool[Tensor, "cells pairs"]) -> float:
    """The score from which on a pair is best called an edge: the pooled F1 over these cells is then the largest.

    Raises:
        SvgeError: if the cells have no edge.
    """
    if not truth.any():
        raise SvgeError("A threshold of edges cannot be chosen: the cells it is chosen on have no edge.")
    ordered, order = scores.flatten().sort(descending=True)
    hits = truth.flatten()[order].cumsum(0)
    f1 = 2 * hits / (torch.arange(1, len(ordered) + 1, device=scores.device) + truth.sum())
    f1[:-1][ordered[:-1] == ordered[1:]] = -1.0  # a threshold takes all pairs of one score or none
    return float(ordered[f1.argmax()])
