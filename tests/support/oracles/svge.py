"""A slow decoder written from the published description: one graph, one node and one edge at a time, ordinary layers.

It shares no code with `svge_core.models.decoder`; it only reads the weights. Messages are ``torch.nn.Linear`` on
[h_source; h_target], the update is ``torch.nn.GRUCell``, the heads are ``torch.nn.Linear`` on concatenations.
"""

import torch
from torch import Tensor, nn

from svge_core.models.layers import GatedSum, MessagePassing
from svge_core.models.svge import SVGe

Edges = set[tuple[int, int]]


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A torch layer with these weights (out, in)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def gru_cell(layer: MessagePassing, direction: int) -> nn.GRUCell:
    """torch's GRU cell with the weights of one direction of a round."""
    cell = nn.GRUCell(layer.input.shape[2], layer.recurrent.shape[2]).to(layer.input.dtype)
    with torch.no_grad():
        cell.weight_ih.copy_(layer.input[direction])
        cell.bias_ih.copy_(layer.input_bias[direction])
        cell.weight_hh.copy_(layer.recurrent[direction])
        cell.bias_hh.copy_(layer.recurrent_bias[direction])
    return cell


def message_layer(layer: MessagePassing, direction: int) -> nn.Linear:
    """torch's linear layer with the message weights of one direction."""
    return linear(layer.message[direction], layer.message_bias[direction])


def one_round(layer: MessagePassing, halves: list[list[Tensor]], edges: Edges) -> list[list[Tensor]]:
    """New forward and backward half of every node: all nodes at once, from the old states."""
    new: list[list[Tensor]] = []
    for direction, states in enumerate(halves):
        message, update = message_layer(layer, direction), gru_cell(layer, direction)
        received = [torch.zeros(layer.message.shape[1], dtype=states[0].dtype) for _ in states]
        for source, target in sorted(edges):
            sender, receiver = (source, target) if direction == 0 else (target, source)
            received[receiver] = received[receiver] + message(torch.cat([states[sender], states[receiver]]))
        new.append([update(r[None], h[None])[0] for r, h in zip(received, states, strict=True)])
    return new


def gated_sum(readout: GatedSum, which: int, states: list[Tensor]) -> Tensor:
    """sum_v sigmoid(gate(h_v)) * value(h_v)."""
    gate = linear(readout.gate[:, :, which].reshape(1, -1), readout.gate_bias[which : which + 1])
    value = linear(readout.value[which].t(), readout.value_bias[which, 0])
    return torch.stack([torch.sigmoid(gate(h)) * value(h) for h in states]).sum(0)


class SlowDecoder:
    """Teacher-forced probabilities of one graph, step by step in Python.

    Args:
        model: in double precision, so that only rounding differs.
        direction: 0 to write graphs from the input, 1 from the output.
    """

    def __init__(self, model: SVGe, direction: int) -> None:
        self.net, self.direction = model.generator, direction
        self.hidden, self.latent = model.config.hidden, model.config.latent
        self.embedding = model.table @ self.net.embed.weight

    def logits(
        self, z: Tensor, types: list[int], edges: Edges
    ) -> tuple[dict[int, Tensor], dict[tuple[int, int], Tensor]]:
        """Type logits of every node but the first, and log-odds of every edge into node 2 and later."""
        net = self.net
        states = [net.start(torch.cat([self.embedding[types[0]], z]))]
        type_logits: dict[int, Tensor] = {}
        edge_logits: dict[tuple[int, int], Tensor] = {}
        for made in range(1, len(types)):
            if made == 1:
                g, g_init = (linear(net.readout.value[i].t(), net.readout.value_bias[i, 0])(states[0]) for i in (0, 1))
            else:
                half = self.hidden // 2
                halves = [[h[:half] for h in states], [h[half:] for h in states]]
                for layer in net.rounds:
                    halves = one_round(layer, halves, {(u, v) for u, v in edges if v < made})  # type: ignore[arg-type]
                states = [torch.cat(pair) for pair in zip(*halves, strict=True)]
                g, g_init = (gated_sum(net.readout, which, states) for which in (0, 1))
            to_init, to_types, to_edges = self._step_terms(made)
            type_logits[made] = net.types_out(torch.relu(net.types_in(torch.cat([g, z])) + to_types))
            new = net.init_out(torch.relu(net.init_in(torch.cat([self.embedding[types[made]], g_init, z])) + to_init))
            if made > 1:
                for earlier, state in enumerate(states):
                    inner = net.edges_in(torch.cat([state, new, g, z])) + to_edges
                    if net.edges_before is not None:  # edges from earlier nodes into this one are decided by now
                        for before in range(earlier):
                            if (before, made) in edges:
                                inner = inner + net.edges_before(states[before])
                    edge_logits[earlier, made] = net.edges_out(torch.relu(inner))[0]
            states = [*states, new]
        return type_logits, edge_logits

    def log_probability(self, z: Tensor, types: list[int], edges: Edges, last: int | None = None) -> float:
        """log p(graph | z): types but the first, edges into node 2 and later.

        Args:
            z: one latent.
            types: in the order of the run.
            edges: of the graph.
            last: position whose type is forced, and not drawn.
        """
        type_logits, edge_logits = self.logits(z, types, edges)
        total = 0.0
        for node, scores in type_logits.items():
            if node != last:
                total += float(torch.distributions.Categorical(logits=scores).log_prob(torch.tensor(types[node])))
        for pair, odds in edge_logits.items():
            there = torch.tensor(float(pair in edges), dtype=odds.dtype)
            total += float(torch.distributions.Bernoulli(logits=odds).log_prob(there))
        return total

    def _step_terms(self, made: int) -> tuple[Tensor, Tensor, Tensor]:
        if not self.net.steps:
            zero = torch.zeros((), dtype=self.embedding.dtype)
            return zero, zero, zero
        to_init, to_types, to_edges = (table[made, self.direction] for table in self.net.steps)
        return to_init, to_types, to_edges
