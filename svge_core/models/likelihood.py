"""Negative log-likelihoods of teacher-forced scores, per cell, in nats."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from svge_core.models.decoder import ForcedLogits
from svge_core.tensors import CellBatch


def negative_log_likelihood(
    logits: ForcedLogits, batch: CellBatch, edge_reduction: str = "sum", *, first_target: int = 2
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Type and edge terms of one direction, per cell, in nats; padded steps count nothing.

    Args:
        logits: teacher-forced scores.
        batch: the true cells, in the node order of the run.
        edge_reduction: "sum", or "mean" over the candidate edges into a node.
        first_target: first node whose incoming edges are scored; the edge into node 1 is given to SVGe and DGMG.
    """
    steps = batch.mask.clone()
    steps[:, 0] = False
    cross = functional.cross_entropy(logits.types.transpose(1, 2), batch.types, reduction="none")
    nodes = batch.types.shape[1]
    scored = torch.ones(nodes, nodes, device=steps.device, dtype=torch.bool).triu(1)
    scored[:, :first_target] = False
    binary = functional.binary_cross_entropy_with_logits(logits.edges, batch.adjacency, reduction="none")
    binary = binary.masked_fill(~(scored & batch.mask[:, None, :]), 0.0)
    if edge_reduction == "mean":
        binary = binary / torch.arange(nodes, device=steps.device).clamp(min=1)
    return cross.masked_fill(~steps, 0.0).sum(1), binary.sum((1, 2))


def end_given(logits: ForcedLogits, batch: CellBatch) -> ForcedLogits:
    """The scores as a sampling run uses them: the last possible node can only be the end, its type is not drawn."""
    full = batch.sizes == batch.types.shape[1]
    types = logits.types.clone()
    types[full, -1, 1:] = -torch.inf
    return ForcedLogits(types, logits.edges)
