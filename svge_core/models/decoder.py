"""SVGe's generator: one node per step from z, with carried-over node states; the same weights serve both directions.

A step k adds node k to the k nodes made so far (Lukasik et al. 2021, section III; constants as in the authors' code):
propagate, read out g and g_init, score the type of the new node from [g; z], make its state from [type; g_init; z],
score an edge from every earlier node v from [h_v; h_new; g; z]. The edge into node 1 always exists and is not scored.

One deviation from the authors' code is deliberate: there, g and z are repeated in another order than the node states
they are joined with in the edge scorer, so edges of one graph are scored with the g and z of another. Here they match.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from svge_core.models.config import ModelConfig
from svge_core.models.encoder import TypeProjection
from svge_core.models.layers import GatedSum, MessagePassing


@dataclass(frozen=True)
class DecoderTables:
    """Products of weights alone: constant over steps, batches and, while the weights stay, calls.

    Attributes:
        embedded: (types, hidden) the node embedding of every type.
        init_types: (types, expanded) first layer of the state maker, the part of each node type.
        init_g, init_z, types_g, types_z, edges_new, edges_z: transposed blocks of the heads' first layers.
        edges_old: (2, half, expanded) the block of the earlier node, split by direction.
        edges_before: the same of an edge already decided in this step; None where edges are independent.
        folded: weight of every message-passing round.
    """

    embedded: Tensor
    init_types: Tensor
    init_g: Tensor
    init_z: Tensor
    types_g: Tensor
    types_z: Tensor
    edges_old: Tensor
    edges_new: Tensor
    edges_z: Tensor
    edges_before: Tensor | None
    folded: list[Tensor]


@dataclass(frozen=True)
class Conditions:
    """What z, the direction and the weights contribute at every step.

    Attributes:
        weights: products of weights alone.
        init, types, edges: what the heads' first layers add, biases included: (batch, width), or with an embedding of
            direction and step (max_nodes, batch, width).
    """

    weights: DecoderTables
    init: Tensor
    types: Tensor
    edges: Tensor


def _at(condition: Tensor, made: int | slice) -> Tensor:
    """The row of a step, or of a range of them."""
    return condition if condition.ndim == 2 else condition[made]


class CellDecoder(nn.Module):
    """All learned parts of the decoder, and one propagation step."""

    #: one message-passing round: ``round_kind(hidden)`` with ``folded()`` and ``step(state, receives, degree, folded)``
    round_kind: type = MessagePassing

    def __init__(self, types: int, encoding_width: int, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        hidden, latent, expanded = config.hidden, config.latent, config.hidden + config.latent
        self.hidden, self.latent, self.max_nodes = hidden, latent, max_nodes
        self.embed = TypeProjection(encoding_width, hidden)
        self.start = nn.Sequential(nn.Linear(hidden + latent, expanded), nn.ReLU(), nn.Linear(expanded, hidden))
        self.init_in = nn.Linear(hidden + 2 * latent, expanded)
        self.init_out = nn.Linear(expanded, hidden)
        self.types_in = nn.Linear(2 * latent, latent)
        self.types_out = nn.Linear(latent, types)
        self.edges_in = nn.Linear(2 * hidden + 2 * latent, expanded)
        self.edges_out = nn.Linear(expanded, 1)
        self.edges_before = nn.Linear(hidden, expanded) if config.edge_sampling == "sequential" else None
        self.rounds = nn.ModuleList(self.round_kind(hidden) for _ in range(config.rounds))
        self.readout = GatedSum(hidden, latent, readouts=2)
        widths = (expanded, latent, expanded) if config.decoder_positions else ()
        self.steps = nn.ParameterList(torch.zeros(max_nodes, 2, width) for width in widths)

    def prepare(self, table: Tensor) -> DecoderTables:
        """Products of weights alone.

        Args:
            table: rows of the operation encoding, (types, width).
        """
        h, c, before = self.hidden, self.latent, self.edges_before
        embedded = self.embed(table)
        init, types, edges = self.init_in.weight.t(), self.types_in.weight.t(), self.edges_in.weight.t()
        return DecoderTables(
            embedded=embedded,
            init_types=embedded @ init[:h],
            init_g=init[h : h + c],
            init_z=init[h + c :],
            types_g=types[:c],
            types_z=types[c:],
            edges_old=edges[:h].reshape(2, h // 2, -1),
            edges_new=edges[h : 2 * h + c],
            edges_z=edges[2 * h + c :],
            edges_before=None if before is None else before.weight.t().reshape(2, h // 2, -1),
            folded=[layer.folded() for layer in self.rounds],  # type: ignore[operator]
        )

    def conditions(
        self, weights: DecoderTables, z: Float[Tensor, "batch latent"], directions: Int[Tensor, " batch"]
    ) -> Conditions:
        """What stays the same over all steps of a batch.

        Args:
            weights: from :meth:`prepare`.
            z: latents.
            directions: 0 for cells written from the input, 1 for those written from the output.
        """
        init = torch.addmm(self.init_in.bias, z, weights.init_z)
        types = torch.addmm(self.types_in.bias, z, weights.types_z)
        edges = torch.addmm(self.edges_in.bias, z, weights.edges_z)
        if self.steps:
            init, types, edges = (
                part + embedding[:, directions]
                for part, embedding in zip((init, types, edges), self.steps, strict=True)
            )
        return Conditions(weights, init, types, edges)

    def first_state(
        self, weights: DecoderTables, start_types: Int[Tensor, " batch"], z: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "2 batch 1 half"]:
        """State of the single node a run starts from."""
        return self._split(self.start(torch.cat([weights.embedded[start_types], z], dim=1)))

    def propagated(
        self, state: Float[Tensor, "2 batch made half"], receives: Tensor, degree: Tensor, conditions: Conditions
    ) -> tuple[Tensor, Tensor]:
        """New node states and the two read-outs (2, batch, latent) of the graph made so far."""
        if state.shape[2] == 1:
            return state, self.readout.ungated(state[:, :, 0])
        for folded in conditions.weights.folded:
            state = self.round_kind.step(state, receives, degree, folded)
        return state, self.readout(state)

    def new_state(self, made: int, types: Int[Tensor, " batch"], g_init: Tensor, conditions: Conditions) -> Tensor:
        """State (2, batch, 1, half) of node number ``made``, of the given types."""
        weights = conditions.weights
        inner = torch.addmm(_at(conditions.init, made), g_init, weights.init_g) + weights.init_types[types]
        return self._split(self.init_out(inner.relu_()))

    def type_logits(
        self, made: int | slice, g: Float[Tensor, "*lead latent"], conditions: Conditions
    ) -> Float[Tensor, "*lead types"]:
        """Scores of the type of node number ``made``, or of a range of them (leading axis)."""
        inner = torch.matmul(g, conditions.weights.types_g) + _at(conditions.types, made)
        return self.types_out(inner.relu_())

    def edge_parts(
        self, state: Float[Tensor, "2 batch nodes half"], conditions: Conditions
    ) -> Float[Tensor, "batch nodes expanded"]:
        """The part of the edge scorer's first layer that belongs to the earlier node."""
        return _per_node(state, conditions.weights.edges_old)

    def edges_decided(
        self, state: Float[Tensor, "2 batch nodes half"], conditions: Conditions
    ) -> Float[Tensor, "batch nodes expanded"] | None:
        """What an edge from each earlier node adds to the scores of the edges decided after it in the same step."""
        if self.edges_before is None or conditions.weights.edges_before is None:
            return None
        return _per_node(state, conditions.weights.edges_before) + self.edges_before.bias

    def edge_shared(
        self, made: int | slice, new: Float[Tensor, "*lead hidden"], g: Tensor, conditions: Conditions
    ) -> Tensor:
        """The part that belongs to the new node, g and z: (*lead, expanded)."""
        inner = torch.matmul(torch.cat([new, g], dim=-1), conditions.weights.edges_new)
        return inner + _at(conditions.edges, made)

    def edge_logits(self, parts: Tensor, shared: Tensor) -> Tensor:
        """Second layer: log-odds of an edge, last axis dropped."""
        return self.edges_out((parts + shared).relu_())[..., 0]

    def _split(self, flat: Float[Tensor, "batch hidden"]) -> Float[Tensor, "2 batch 1 half"]:
        batch, half = flat.shape[0], self.hidden // 2
        return flat.view(batch, 2, half).transpose(0, 1).reshape(2, batch, 1, half)


def _per_node(
    state: Float[Tensor, "2 batch nodes half"], weight: Float[Tensor, "2 half expanded"]
) -> Float[Tensor, "batch nodes expanded"]:
    _, batch, nodes, half = state.shape
    flat = state.reshape(2, batch * nodes, half)
    return torch.addmm(flat[0] @ weight[0], flat[1], weight[1]).view(batch, nodes, weight.shape[2])


@dataclass(frozen=True)
class ForcedLogits:
    """Scores of a teacher-forced run, in the node order of the run.

    Attributes:
        types: logits of the type at every position; position 0 is given, not scored (zeros).
        edges: log-odds of source (axis 1) -> target (axis 2); scored for source < target and target >= 2, else 0.
    """

    types: Float[Tensor, "batch nodes types"]
    edges: Float[Tensor, "batch nodes nodes"]


def teacher_forced(
    generator: CellDecoder,
    table: Tensor,
    z: Float[Tensor, "batch latent"],
    types: Int[Tensor, "batch nodes"],
    receives: Float[Tensor, "2 batch nodes nodes"],
    directions: Int[Tensor, " batch"],
) -> ForcedLogits:
    """Score the true next node and edges at every step, all graphs at once.

    Args:
        generator: the decoder.
        table: rows of the operation encoding.
        z: latents.
        types: true types in the order of the run; column 0 is where the run starts.
        receives: from :func:`svge_core.models.layers.both_directions`, in the order of the run.
        directions: 0 for runs from the input, 1 for runs from the output.
    """
    batch, nodes = types.shape
    weights = generator.prepare(table)
    conditions = generator.conditions(weights, z, directions)
    degrees = receives.cumsum(-1)  # column k-1: senders among the first k nodes
    state = generator.first_state(weights, types[:, 0], z)
    graph_codes, new_states, edge_parts = [], [], []
    for made in range(1, nodes):
        state, (g, g_init) = generator.propagated(
            state, receives[:, :, :made, :made], degrees[:, :, :made, made - 1 : made], conditions
        )
        new = generator.new_state(made, types[:, made], g_init, conditions)
        graph_codes.append(g)
        if made > 1:
            parts = generator.edge_parts(state, conditions)
            decided = generator.edges_decided(state, conditions)
            if decided is not None:
                there = receives[0, :, made, :made, None] * decided
                parts = parts + there.cumsum(1) - there  # what came before, without the edge itself
            edge_parts.append(parts)
            new_states.append(new[:, :, 0].transpose(0, 1).reshape(batch, generator.hidden))
        state = torch.cat([state, new], dim=2)
    codes = torch.stack(graph_codes)  # (nodes - 1, batch, latent)
    type_logits = generator.type_logits(slice(1, nodes), codes, conditions).transpose(0, 1)
    type_logits = functional.pad(type_logits, (0, 0, 1, 0))
    edges = z.new_zeros(batch, nodes, nodes)
    if edge_parts:
        shared = generator.edge_shared(
            slice(2, nodes), torch.stack(new_states), codes[1:], conditions
        )  # (steps, batch, expanded)
        parts = torch.cat([part + shared[i][:, None] for i, part in enumerate(edge_parts)], dim=1)
        logits = generator.edges_out(parts.relu_())[..., 0]
        sources, targets = pair_indices(nodes, z.device)
        rows = torch.arange(batch, device=z.device)[:, None]
        edges = edges.index_put((rows, sources, targets), logits.to(edges.dtype))
    return ForcedLogits(type_logits, edges)


def pair_indices(nodes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Sources and targets of all scored edges, by target from 2 up, then by source."""
    pairs = [(source, target) for target in range(2, nodes) for source in range(target)]
    flat = torch.tensor(pairs, device=device).view(-1, 2)
    return flat[:, 0], flat[:, 1]
