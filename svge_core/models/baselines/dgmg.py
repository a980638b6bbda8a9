"""DGMG (Li et al. 2018) in the variant SVGe was compared with: the class ``DGMG`` of the SVGe authors' repository.

Which DGMG this is: nodes are added one by one as in Li et al., but all edges into a new node are scored at once by a
two-layer network (independent Bernoullis), where Li et al., and D-VAE's ``DVAE_DeepGMG``, ask in a loop whether to add
one more edge and draw its source from a softmax. It is what SVGe grew out of, and differs from SVGe in two things:

- a node has one state. A round sends along every edge with one linear map and against it with another, adds all that
  arrives, and updates the state with one GRU cell (SVGe: two states, one per direction, that meet in read-outs only);
- cells are written and scored from the input alone.

Published size: hidden 250, latent 56, 2 rounds, no positions. Deviations from the published code, each a field of
`ModelConfig`: ``beta`` per cell, ``posterior_noise``, ``edge_reduction``; the initial node embedding is a linear map of
the operation encoding, which with one-hot rows is the published table of ``hidden`` columns. The published edge scorer
joins node states with the graph state of another cell of the batch; here they belong together.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.models.config import ModelConfig
from svge_core.models.decoder import CellDecoder, DecoderTables, ForcedLogits, teacher_forced
from svge_core.models.decoding import run
from svge_core.models.encoder import Posterior, TypeProjection
from svge_core.models.layers import GatedSum, both_directions
from svge_core.models.likelihood import end_given, negative_log_likelihood
from svge_core.models.options import DecodeOptions
from svge_core.models.vae import GraphVAE
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch


class CoupledRound(nn.Module):
    """One synchronous round on a single state per node, messages along and against the edges added up.

    h_v' = GRU(sum over u->v of A[h_u; h_v] + sum over v->w of B[h_w; h_v], h_v), A and B affine. States are handed over
    as two halves, (2, batch, nodes, hidden / 2), because the read-outs and heads they share with SVGe expect that.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.along = nn.Linear(2 * hidden, 2 * hidden)
        self.against = nn.Linear(2 * hidden, 2 * hidden)
        self.update = nn.GRUCell(2 * hidden, hidden)

    def folded(self) -> Tensor:
        """Weight (5*hidden + 3, 4*hidden): messages folded into the GRU's input weights; rows as :meth:`step` joins."""
        into, own, hidden = self.update.weight_ih, self.update.weight_hh, self.update.hidden_size
        rows, counts = [], []
        for message in (self.along, self.against):
            rows.append(nn.functional.pad((into @ message.weight).t(), (0, hidden)))  # (2 hidden, 4 hidden)
            counts.append(nn.functional.pad((into @ message.bias)[None], (0, hidden)))
        gates, candidate = own[: 2 * hidden].t(), own[2 * hidden :].t()
        rows.append(torch.cat([gates, torch.zeros_like(candidate), candidate], dim=1))
        inner, outer = self.update.bias_ih, self.update.bias_hh
        bias = torch.cat([inner[: 2 * hidden] + outer[: 2 * hidden], inner[2 * hidden :], outer[2 * hidden :]])
        return torch.cat([*rows, *counts, bias[None]])

    @staticmethod
    def step(
        state: Float[Tensor, "2 batch nodes half"],
        receives: Float[Tensor, "2 batch nodes nodes"],
        degree: Float[Tensor, "2 batch nodes 1"],
        folded: Tensor,
    ) -> Float[Tensor, "2 batch nodes half"]:
        """One round for the whole batch; arguments as of :func:`svge_core.models.layers.propagate`."""
        old = torch.cat([state[0], state[1]], dim=-1)
        hidden = old.shape[2]
        sums = torch.matmul(receives, old)
        parts = [sums[0], degree[0] * old, sums[1], degree[1] * old, old, degree[0], degree[1]]
        inputs = torch.cat([*parts, torch.ones_like(degree[0])], dim=-1)
        gates = (inputs @ folded).to(old.dtype)
        reset, update = gates[..., : 2 * hidden].sigmoid().chunk(2, dim=-1)
        candidate = torch.tanh(gates[..., 2 * hidden : 3 * hidden] + reset * gates[..., 3 * hidden :])
        return _halves(torch.lerp(candidate, old, update))


class CoupledDecoder(CellDecoder):
    """SVGe's generator, whose heads are DGMG's, with DGMG's rounds."""

    round_kind = CoupledRound


class CoupledEncoder(nn.Module):
    """Nodes start from their type; rounds; two gated sums."""

    def __init__(self, encoding_width: int, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        self.embed = TypeProjection(encoding_width, config.hidden)
        self.position = nn.Parameter(torch.randn(max_nodes, config.hidden)) if config.positions else None
        self.rounds = nn.ModuleList(CoupledRound(config.hidden) for _ in range(config.rounds))
        self.readout = GatedSum(config.hidden, config.latent, readouts=2)

    def forward(self, batch: CellBatch, table: Tensor) -> Posterior:
        """Args: table: rows of the operation encoding, (types, width)."""
        start = self.embed(table)[batch.types]
        if self.position is not None:
            start = start + self.position[: start.shape[1]]
        state, receives = _halves(start), both_directions(batch.adjacency)
        degree = receives.sum(-1, keepdim=True)
        for layer in self.rounds:
            state = CoupledRound.step(state, receives, degree, layer.folded())  # type: ignore[operator]
        mean, log_var = self.readout(state, batch.mask.to(state.dtype))
        return Posterior(mean, log_var)


class DGMG(GraphVAE):
    """DGMG as a VAE; see the module's docstring for the variant. ``edge_sampling`` is as in SVGe's generator."""

    kind: ClassVar[str] = "dgmg"
    title: ClassVar[str] = "DGMG"
    source: ClassVar[str] = "DGMG (Li et al. 2018) as a graph VAE, in the variant of the SVGe authors' code"

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__(space, config)
        width = self.operations.width
        self.encoder = CoupledEncoder(width, space.max_nodes, config)
        self.generator = CoupledDecoder(len(space.vocabulary), width, space.max_nodes, config)

    def encode(self, batch: CellBatch) -> Posterior:
        """q(z | cell) for every cell."""
        return self.encoder(batch, self.table)

    def score(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> ForcedLogits:
        """Teacher-forced scores."""
        directions = torch.zeros(len(z), dtype=torch.long, device=z.device)
        receives = both_directions(batch.adjacency)
        return teacher_forced(self.generator, self.table, z, batch.types, receives, directions)

    def terms(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], edge_reduction: str
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Negative log-likelihoods of the one direction."""
        return negative_log_likelihood(self.score(batch, z), batch, edge_reduction)

    def log_probability(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Of a sampling run."""
        types, edges = negative_log_likelihood(end_given(self.score(batch, z), batch), batch)
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
        """One run from the input."""
        rules = self.space.decoding_rules() if options.constrained else None
        return run(self.generator, weights, z, 0, rules, options.argmax, generator)

    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """What encoder and decoder start a node from."""
        return {
            "Encoder: where a node starts": self.encoder.embed(self.table),
            "Decoder: where a new node starts": self.generator.embed(self.table),
        }


def _halves(states: Float[Tensor, "batch nodes hidden"]) -> Float[Tensor, "2 batch nodes half"]:
    batch, nodes, hidden = states.shape
    return states.view(batch, nodes, 2, hidden // 2).permute(2, 0, 1, 3)
