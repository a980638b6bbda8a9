"""`SVGe`: the two-sided graph variational autoencoder. Reads like the paper's equations, in order.

Objective per cell (both terms are sums, so nothing depends on batch size or padding)::

    loss = -log p(cell | z, forwards) - log p(reversed cell | z, backwards) + beta * KL(q(z | cell) || N(0, I))

Deviations from the published code, each a field of `ModelConfig`: KL per cell instead of summed over the batch, edges
summed instead of averaged per step, posterior noise 1 instead of 0.01, node positions in the encoder.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from svge_core.models.config import ModelConfig
from svge_core.models.decoder import ForcedLogits, Generator, teacher_forced
from svge_core.models.encoder import Encoder, OperationEncoding, Posterior
from svge_core.models.layers import both_directions
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.tensors import CellBatch


@dataclass(frozen=True)
class Elbo:
    """Terms of the objective, one value per cell, in nats.

    Attributes:
        loss: what training minimises.
        types: negative log-likelihood of the node types, both directions.
        edges: negative log-likelihood of the edges, both directions.
        kl: KL divergence, not yet weighted.
    """

    loss: Float[Tensor, " batch"]
    types: Float[Tensor, " batch"]
    edges: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]


@dataclass(frozen=True)
class BothLogits:
    """Teacher-forced scores of the two directions, each in the node order of its own run."""

    forward: ForcedLogits
    backward: ForcedLogits


class SVGe(nn.Module):
    """Two-sided graph VAE over the cells of one search space."""

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__()
        self.space = space
        self.config = config
        types = len(space.vocabulary)
        self.operations = OperationEncoding(types, config)
        self.encoder = Encoder(self.operations.width, space.max_nodes, config)
        self.generator = Generator(types, self.operations.width, space.max_nodes, config)

    @property
    def table(self) -> Tensor:
        """Rows of the operation encoding, (types, width)."""
        return self.operations.table  # type: ignore[return-value]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.encoder.embed.weight.device

    def encode(self, batch: CellBatch) -> Posterior:
        """q(z | cell) for every cell."""
        return self.encoder(batch, self.table)

    def score(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> BothLogits:
        """Teacher-forced scores, forwards and backwards as one stacked batch."""
        logits, half = self.score_stacked(both_ways(batch), z), len(batch)
        return BothLogits(
            ForcedLogits(logits.types[:half], logits.edges[:half]),
            ForcedLogits(logits.types[half:], logits.edges[half:]),
        )

    def score_stacked(self, stacked: CellBatch, z: Float[Tensor, "batch latent"]) -> ForcedLogits:
        directions = torch.arange(2, device=z.device).repeat_interleave(len(z))
        receives = both_directions(stacked.adjacency)
        return teacher_forced(self.generator, self.table, torch.cat([z, z]), stacked.types, receives, directions)

    def elbo(self, batch: CellBatch, generator: torch.Generator | None) -> Elbo:
        """The objective for one draw of z per cell."""
        posterior = self.encode(batch)
        return self.elbo_from(batch, posterior, posterior.sample(generator, self.config.posterior_noise))

    def elbo_from(self, batch: CellBatch, posterior: Posterior, z: Float[Tensor, "batch latent"]) -> Elbo:
        """The objective at given latents."""
        stacked = both_ways(batch)
        logits = self.score_stacked(stacked, z)
        terms = negative_log_likelihood(logits, stacked, self.config.edge_reduction)
        types, edges = (term.view(2, len(batch)).sum(0) for term in terms)
        kl = posterior.kl()
        return Elbo(types + edges + self.config.beta * kl, types, edges, kl)


def both_ways(batch: CellBatch) -> CellBatch:
    """The cells written from the input, then the same cells written from the output."""
    turned = batch.reversed()
    return CellBatch(
        torch.cat([batch.types, turned.types]),
        torch.cat([batch.adjacency, turned.adjacency]),
        torch.cat([batch.sizes, turned.sizes]),
    )


def negative_log_likelihood(
    logits: ForcedLogits, batch: CellBatch, edge_reduction: str = "sum"
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Type and edge terms of one direction, per cell, in nats; padded steps count nothing."""
    steps = batch.mask.clone()
    steps[:, 0] = False
    cross = functional.cross_entropy(logits.types.transpose(1, 2), batch.types, reduction="none")
    nodes = batch.types.shape[1]
    scored = torch.ones(nodes, nodes, device=steps.device, dtype=torch.bool).triu(1)
    scored[:, :2] = False  # the edge into node 1 is given
    binary = functional.binary_cross_entropy_with_logits(logits.edges, batch.adjacency, reduction="none")
    binary = binary.masked_fill(~(scored & batch.mask[:, None, :]), 0.0)
    if edge_reduction == "mean":
        binary = binary / torch.arange(nodes, device=steps.device).clamp(min=1)
    return cross.masked_fill(~steps, 0.0).sum(1), binary.sum((1, 2))
