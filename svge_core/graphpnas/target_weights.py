"""What the loss of a refit wants of each graph, and the loss itself; see :mod:`svge_core.graphpnas.fitting`."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from svge_core.graphpnas.generator import GeneratorLogits
from svge_core.graphpnas.rows import layout
from svge_core.graphpnas.space_views import Graphs, GraphView

#: weights of the label terms beside that of the edges
NODE_LABELS, EDGE_LABELS = 1 / 2, 1 / 8


@dataclass(frozen=True)
class TargetWeights:
    """What the loss needs of each graph, its reward and all normalisations multiplied in.

    Attributes:
        sign: -1 where there is an edge, 1 where there is none, 0 where none is drawn, per slot.
        row: weight of every row's log probability.
        edge_label, node_label: weight at the label's place of every slot and row.
    """

    sign: Float[Tensor, "graphs slots 1"]
    row: Float[Tensor, "graphs rows"]
    edge_label: Float[Tensor, "graphs slots edge_labels"]
    node_label: Float[Tensor, "graphs rows node_labels"]

    def select(self, rows: Tensor | slice) -> "TargetWeights":
        """Of the graphs at the given rows."""
        return TargetWeights(self.sign[rows], self.row[rows], self.edge_label[rows], self.node_label[rows])


def targets(view: GraphView, graphs: Graphs, rewards: Float[Tensor, " graphs"]) -> TargetWeights:
    """The targets of graphs."""
    at = layout(view)
    labels = graphs.edges[:, at.row, at.node]
    sizes = graphs.sizes[:, None].float()
    counted = (torch.arange(view.nodes) < sizes).float() * rewards[:, None]
    there = (labels > 0).float() * at.drawn
    in_row = (there @ at.row_sum.T).clamp_min(1.0)  # edges of a row
    slot = EDGE_LABELS * there * (counted / in_row)[:, at.row]
    return TargetWeights(
        sign=((1.0 - 2.0 * (labels > 0).float()) * at.drawn)[:, :, None],
        row=counted / (sizes * (sizes + 1) / 2),
        edge_label=_one_hot(labels, len(view.edge_labels)) * slot[:, :, None],
        node_label=_one_hot(graphs.labels, len(view.node_labels)) * (NODE_LABELS * counted / sizes)[:, :, None],
    )


def _one_hot(labels: Tensor, count: int) -> Tensor:
    return functional.one_hot(labels, count).float() if count else labels.new_zeros(*labels.shape, 0).float()


def weighted_loss(
    logits: GeneratorLogits, wanted: TargetWeights, row_sum: Float[Tensor, "rows slots"]
) -> Float[Tensor, ""]:
    """Mean over the batch of the rewarded loss of the module's text."""
    # a slot whose edge is not drawn has sign 0 and is taken out again: softplus(0) = log 2
    per_slot = functional.softplus(logits.theta * wanted.sign) * wanted.sign.abs()
    rows = (logits.alpha - row_sum @ per_slot).logsumexp(-1)
    total = (rows * wanted.row).sum()
    if logits.psi is not None:
        total = total + (logits.psi * wanted.edge_label).sum()
    if logits.phi is not None:
        total = total + (logits.phi * wanted.node_label).sum()
    return -total / len(wanted.row)
