"""`SVGe`: the two-sided graph variational autoencoder. Reads like the paper's equations, in order.

Objective per cell (both terms are sums, so nothing depends on batch size or padding)::

    loss = -log p(cell | z, forwards) - log p(reversed cell | z, backwards) + beta * KL(q(z | cell) || N(0, I))

Deviations from the published code, each a field of `ModelConfig`: KL per cell instead of summed over the batch, edges
summed instead of averaged per step, posterior noise 1 instead of 0.01, node positions in the encoder.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from svge_core.models.config import ModelConfig
from svge_core.models.decoder import CellDecoder, DecoderTables, ForcedLogits, teacher_forced
from svge_core.models.decoding import run, vote
from svge_core.models.encoder import Encoder, Posterior
from svge_core.models.layers import both_directions
from svge_core.models.likelihood import end_given, negative_log_likelihood
from svge_core.models.options import DecodeDirection, DecodeOptions
from svge_core.models.vae import GraphVAE
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, joined


@dataclass(frozen=True)
class BothLogits:
    """Teacher-forced scores of the two directions, each in the node order of its own run."""

    forward: ForcedLogits
    backward: ForcedLogits


class SVGe(GraphVAE):
    """Two-sided graph VAE over the cells of one search space."""

    kind: ClassVar[str] = "svge"
    title: ClassVar[str] = "SVGe"
    source: ClassVar[str] = "A two-sided graph variational autoencoder (Lukasik et al. 2021)"
    directions: ClassVar[tuple[DecodeDirection, ...]] = ("forward", "backward", "both")
    has_function: ClassVar[bool] = True

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__(space, config)
        width = self.operations.width
        self.encoder = Encoder(width, space.max_nodes, config)
        self.generator = CellDecoder(len(space.vocabulary), width, space.max_nodes, config)

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

    def terms(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], edge_reduction: str
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Negative log-likelihoods of both directions added up."""
        stacked = both_ways(batch)
        found = negative_log_likelihood(self.score_stacked(stacked, z), stacked, edge_reduction)
        types, edges = (term.view(2, len(batch)).sum(0) for term in found)
        return types, edges

    def log_probability(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Of a forward run."""
        types, edges = negative_log_likelihood(end_given(self.score(batch, z).forward, batch), batch)
        return -(types + edges)

    def prepare(self) -> DecoderTables:
        """Products of the generator's weights."""
        return self.generator.prepare(self.table)

    def decode_chunk(
        self,
        weights: DecoderTables,
        z: Float[Tensor, "batch latent"],
        options: DecodeOptions,
        generator: torch.Generator | None,
    ) -> CellBatch:
        """Forwards, backwards, or with both directions voting."""
        rules = self.space.decoding_rules() if options.constrained else None
        if options.direction == "backward":
            return run(self.generator, weights, z, 1, rules, options.argmax, generator).reversed()
        draft = run(self.generator, weights, z, 0, rules, options.argmax, generator)
        if options.direction == "forward":
            return draft
        both = self.score(draft, z)
        return vote(both.forward, both.backward, draft, rules, options.argmax, generator)

    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """What encoder and decoder start a node from."""
        return {
            "Encoder: where a node starts": self.encoder.embed(self.table),
            "Decoder: where a new node starts": self.generator.embed(self.table),
        }


def both_ways(batch: CellBatch) -> CellBatch:
    """The cells written from the input, then the same cells written from the output."""
    return joined([batch, batch.reversed()])
