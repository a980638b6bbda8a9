"""D-VAE (Zhang et al. 2019): asynchronous gated-sum message passing and a decoder that writes cells from the input.

Which D-VAE this is: the class ``DVAE`` of the authors' code with ``bidirectional`` (their setting for ENAS) and vertex
ids; with ``encoding="learned"`` it is ``DVAE_EMB`` of Chatzianastasis et al. (2021), whose only change is that the rows
of one learned table, shared by encoder and decoder, replace the one-hot types as inputs of the three GRU cells. The
table starts from N(0, 1) (their released class copies the result of an earlier run). The types a node may have are
still scored by a softmax head of its own.

Published size: hidden 501, latent 56. Deviations from the published code, each a field of `ModelConfig`: ``hidden``,
``posterior_noise`` (published 0.01), ``beta`` (published 0.005 per cell). ``positions`` are the vertex ids (published:
there). Not fields: cells with fewer than the most nodes are scored to their end only, where the published code adds
"start" types up to the size of the largest; and the initial weights of types and messages, which are larger here (see
:mod:`svge_core.models.baselines.messages`). ``rounds``, ``decoder_positions`` and ``edge_sampling`` mean nothing here.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.models.baselines.dvae_decoder import NodeDecoder
from svge_core.models.baselines.messages import GatedMessages, gru, type_gru, type_inputs
from svge_core.models.config import ModelConfig
from svge_core.models.decoder import ForcedLogits
from svge_core.models.encoder import Posterior
from svge_core.models.likelihood import end_given, negative_log_likelihood
from svge_core.models.options import DecodeOptions
from svge_core.models.vae import GraphVAE
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch


class AsynchronousEncoder(nn.Module):
    """h_v = GRU(type, gated sum over v's predecessors), in topological order; the same from the output backwards.

    The read-out joins the last node's forward and the first node's backward state (equations 4 to 7).
    """

    def __init__(self, table: Tensor, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.along = type_gru(table, hidden)
        self.against = type_gru(table, hidden)
        self.messages = GatedMessages(hidden, max_nodes if config.positions else 0)
        self.join = nn.Linear(2 * hidden, hidden)
        self.mean = nn.Linear(hidden, config.latent)
        self.log_var = nn.Linear(hidden, config.latent)

    def forward(self, batch: CellBatch, table: Float[Tensor, "types width"], along: GatedMessages) -> Posterior:
        """Args: along: messages along the edges, which D-VAE's encoder and decoder share."""
        last = (batch.sizes - 1)[:, None, None].expand(-1, 1, self.along.hidden_size)
        order = list(range(batch.types.shape[1]))
        ahead = self._passed(batch.types, batch.adjacency, type_inputs(self.along, table), self.along, along, order)
        behind = self._passed(
            batch.types,
            batch.adjacency.transpose(1, 2),
            type_inputs(self.against, table),
            self.against,
            self.messages,
            order[::-1],
        )
        joined = self.join(torch.cat([ahead.gather(1, last)[:, 0], behind[:, 0]], dim=1))
        return Posterior(self.mean(joined), self.log_var(joined))

    @staticmethod
    def _passed(
        types: Tensor, sends: Tensor, inputs: Tensor, cell: nn.GRUCell, messages: GatedMessages, order: list[int]
    ) -> Float[Tensor, "batch nodes hidden"]:
        """States of all nodes, each computed once those that send to it are.

        Args:
            types: types of the nodes.
            sends: 1 where the second axis sends to the third.
            inputs: the types' part of the gates.
            cell: updates a state.
            messages: gathers what a node receives.
            order: positions of the nodes, senders first.
        """
        states: dict[int, Tensor] = {}
        sent: list[Tensor] = []
        for place, node in enumerate(order):
            total = torch.zeros(len(types), cell.hidden_size, dtype=inputs.dtype, device=inputs.device)
            if place:
                sent.append(messages(states[order[place - 1]], order[place - 1]))
                there = sends[:, order[:place], node]
                total = torch.einsum("bu,buh->bh", there, torch.stack(sent, dim=1))
            states[node] = gru(cell, inputs[types[:, node]], total)
        return torch.stack([states[node] for node in sorted(order)], dim=1)


class DVAE(GraphVAE):
    """D-VAE; see the module's docstring for the variant."""

    kind: ClassVar[str] = "dvae"
    title: ClassVar[str] = "D-VAE"
    source: ClassVar[str] = "D-VAE (Zhang et al. 2019), bidirectional, with vertex ids"
    #: the graph state of the decoder is the sum of all node states
    summed: ClassVar[bool] = False

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__(space, config)
        nodes = space.max_nodes
        self.encoder = self.make_encoder(self.table, nodes, config)
        self.decoder = NodeDecoder(
            self.table,
            nodes,
            config.hidden,
            config.latent,
            ids=nodes if config.positions else 0,
            summed=self.summed,
        )

    @staticmethod
    def make_encoder(table: Tensor, max_nodes: int, config: ModelConfig) -> nn.Module:
        """The encoder of this variant."""
        return AsynchronousEncoder(table, max_nodes, config)

    def encode(self, batch: CellBatch) -> Posterior:
        """q(z | cell) for every cell."""
        return self.encoder(batch, self.table, self.decoder.messages)

    def terms(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], edge_reduction: str
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Negative log-likelihoods; as published, the edge into node 1 and those into the end are scored too."""
        return negative_log_likelihood(self.decoder.score(batch, z, self.table), batch, edge_reduction, first_target=1)

    def log_probability(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Of a sampling run: edges into the end are not drawn, they come from every node without a successor."""
        logits = end_given(self.decoder.score(batch, z, self.table), batch)
        at_end = torch.arange(batch.types.shape[1], device=z.device) == (batch.sizes - 1)[:, None]
        inner = CellBatch(batch.types, batch.adjacency.masked_fill(at_end[:, None, :], 0.0), batch.sizes)
        loose = (inner.adjacency.sum(2) == 0) & inner.mask & ~at_end
        taken = (batch.adjacency * at_end[:, None, :]).sum(2) > 0
        odds = logits.edges.masked_fill(at_end[:, None, :], torch.finfo(z.dtype).min)  # no edge there, at no cost
        types, edges = negative_log_likelihood(ForcedLogits(logits.types, odds), inner, first_target=1)
        return torch.where((loose == taken).all(1), -(types + edges), -torch.inf)

    def prepare(self) -> None:
        """Nothing: the decoder's weights are used as they are."""

    def decode_chunk(
        self, weights: None, z: Float[Tensor, "batch latent"], options: DecodeOptions, generator: torch.Generator | None
    ) -> CellBatch:
        """One run from the input."""
        rules = self.space.decoding_rules() if options.constrained else None
        return self.decoder.run(z, self.table, rules, options.argmax, generator)

    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """What the types give to the gates of the GRU cells."""
        cells = {"Decoder: what a type gives to the GRU": self.decoder.update}
        if isinstance(self.encoder, AsynchronousEncoder):
            cells = {
                "Encoder: what a type gives to the GRU, along the edges": self.encoder.along,
                "Encoder: what a type gives to the GRU, against the edges": self.encoder.against,
                **cells,
            }
        return {title: self.table @ cell.weight_ih.t() for title, cell in cells.items()}
