"""D-VAE, GCN and DGMG written from their published descriptions: one graph, one node, one edge at a time.

They share no code with ``svge_core.models.baselines``; they only read the weights. Messages, updates and heads are
``torch.nn`` layers on concatenated vectors, with the vertex id as an explicit one-hot vector.
"""

import torch
from torch import Tensor, nn

from svge_core.models.baselines.dgmg import DGMG
from svge_core.models.baselines.dvae import DVAE
from svge_core.models.baselines.messages import GatedMessages
from svge_core.tensors import END
from tests.support.oracles.svge import gated_sum

Edges = set[tuple[int, int]]


def one_hot(index: int, length: int) -> Tensor:
    return torch.eye(length, dtype=torch.float64)[index]


class SlowDVAE:
    """D-VAE and its GCN variant on one graph.

    Args:
        model: in double precision.
    """

    def __init__(self, model: DVAE) -> None:
        self.model, self.decoder, self.nodes = model, model.decoder, model.space.max_nodes
        self.hidden = model.config.hidden

    def message(self, messages: GatedMessages, state: Tensor, node: int) -> Tensor:
        """gate([h; id]) * map([h; id])."""
        joined = torch.cat([state, one_hot(node, self.nodes)]) if self.model.config.positions else state
        return torch.sigmoid(messages.gate(joined)) * messages.map(joined)

    def update(self, cell: nn.GRUCell, kind: int, state: Tensor) -> Tensor:
        return cell(self.model.table[kind][None], state[None])[0]

    def gathered(self, messages: GatedMessages, states: dict[int, Tensor], senders: list[int]) -> Tensor:
        total = torch.zeros(self.hidden, dtype=torch.float64)
        for sender in senders:
            total = total + self.message(messages, states[sender], sender)
        return total

    def encode(self, types: list[int], edges: Edges) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of D-VAE's posterior."""
        encoder, size = self.model.encoder, len(types)
        ahead: dict[int, Tensor] = {}
        for v in range(size):
            received = self.gathered(self.decoder.messages, ahead, [u for u in range(v) if (u, v) in edges])
            ahead[v] = self.update(encoder.along, types[v], received)  # type: ignore[arg-type]
        behind: dict[int, Tensor] = {}
        for v in reversed(range(size)):
            later = [w for w in range(v + 1, size) if (v, w) in edges]
            received = self.gathered(encoder.messages, behind, later)  # type: ignore[arg-type]
            behind[v] = self.update(encoder.against, types[v], received)  # type: ignore[arg-type]
        joined = encoder.join(torch.cat([ahead[size - 1], behind[0]]))  # type: ignore[operator]
        return encoder.mean(joined), encoder.log_var(joined)  # type: ignore[operator]

    def encode_gcn(self, types: list[int], edges: Edges) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the GCN variant, node by node; states are overwritten, after the first level."""
        encoder, size = self.model.encoder, len(types)
        entering = [sum(v == target for _, target in edges) for v in range(size)]
        leaving = [sum(v == source for source, _ in edges) for v in range(size)]
        states = [self.model.table[kind] for kind in types]
        features = list(states)
        for number, level in enumerate(encoder.levels):  # type: ignore[union-attr,arg-type]
            for v in range(size):
                read = features if number == 0 else states
                total = read[v] / (entering[v] + 1)
                for u in range(v):
                    if (u, v) in edges:
                        total = total + read[u] / ((leaving[u] + 1) * (entering[v] + 1)) ** 0.5
                states[v] = torch.relu(level(total))
        total = torch.zeros(self.hidden, dtype=torch.float64)
        for state in states[1 : size - 1]:
            total = total + state
        return encoder.mean(total), encoder.log_var(total)  # type: ignore[operator]

    def logits(
        self, z: Tensor, types: list[int], edges: Edges
    ) -> tuple[dict[int, Tensor], dict[tuple[int, int], Tensor]]:
        """Type logits of every node but the first, and log-odds of every edge, teacher-forced."""
        decoder = self.decoder
        states = {0: self.update(decoder.update, types[0], torch.tanh(decoder.start(z)))}
        type_logits: dict[int, Tensor] = {}
        edge_logits: dict[tuple[int, int], Tensor] = {}
        for v in range(1, len(types)):
            graph = sum(states.values()) if self.model.summed else states[v - 1]
            type_logits[v] = decoder.add_node(graph)
            answered: list[int] = []
            states[v] = self.update(decoder.update, types[v], self.gathered(decoder.messages, states, answered))
            for u in reversed(range(v)):
                inner = decoder.edge_in(torch.cat([states[u], states[v]]))
                edge_logits[u, v] = decoder.edge_out(torch.relu(inner))[0]
                if (u, v) in edges:
                    answered.append(u)
                states[v] = self.update(decoder.update, types[v], self.gathered(decoder.messages, states, answered))
        return type_logits, edge_logits

    def probability(self, z: Tensor, types: list[int], edges: Edges) -> float:
        """That a sampling run draws this graph: the end takes an edge from every node without a successor."""
        size = len(types)
        found, (type_logits, edge_logits) = 1.0, self.logits(z, types, edges)
        for v in range(1, size):
            if v < self.nodes - 1:
                found *= float(type_logits[v].softmax(0)[types[v]])
            if types[v] == END:
                loose = {(u, v) for u in range(v) if not any((u, w) in edges for w in range(v))}
                return found if loose == {pair for pair in edges if pair[1] == v} else 0.0
            for u in range(v):
                odds = float(edge_logits[u, v].sigmoid())
                found *= odds if (u, v) in edges else 1 - odds
        return found


class SlowDGMG:
    """DGMG on one graph: a single state per node, one message map along the edges and another against them."""

    def __init__(self, model: DGMG) -> None:
        self.model = model

    def rounds(self, layers: nn.ModuleList, states: list[Tensor], edges: Edges) -> list[Tensor]:
        """All rounds of one propagation."""
        for layer in layers:
            received = [torch.zeros(2 * len(states[0]), dtype=torch.float64) for _ in states]
            for u, v in edges:
                received[v] = received[v] + layer.along(torch.cat([states[u], states[v]]))  # type: ignore[operator]
                received[u] = received[u] + layer.against(torch.cat([states[v], states[u]]))  # type: ignore[operator]
            states = [layer.update(r[None], h[None])[0] for r, h in zip(received, states, strict=True)]  # type: ignore[operator]
        return states

    def encode(self, types: list[int], edges: Edges) -> tuple[Tensor, Tensor]:
        """Mean and log-variance."""
        encoder = self.model.encoder
        rows = self.model.table @ encoder.embed.weight
        states = self.rounds(encoder.rounds, [rows[kind] for kind in types], edges)
        return gated_sum(encoder.readout, 0, states), gated_sum(encoder.readout, 1, states)

    def logits(
        self, z: Tensor, types: list[int], edges: Edges
    ) -> tuple[dict[int, Tensor], dict[tuple[int, int], Tensor]]:
        """Type logits of every node but the first, and log-odds of every edge into node 2 and later."""
        net = self.model.generator
        rows = self.model.table @ net.embed.weight
        states = [net.start(torch.cat([rows[types[0]], z]))]
        type_logits: dict[int, Tensor] = {}
        edge_logits: dict[tuple[int, int], Tensor] = {}
        for made in range(1, len(types)):
            if made == 1:
                g, g_init = (states[0] @ net.readout.value[i] + net.readout.value_bias[i, 0] for i in (0, 1))
            else:
                states = self.rounds(net.rounds, states, {(u, v) for u, v in edges if v < made})
                g, g_init = gated_sum(net.readout, 0, states), gated_sum(net.readout, 1, states)
            type_logits[made] = net.types_out(torch.relu(net.types_in(torch.cat([g, z]))))
            new = net.init_out(torch.relu(net.init_in(torch.cat([rows[types[made]], g_init, z]))))
            if made > 1:
                for earlier, state in enumerate(states):
                    inner = torch.relu(net.edges_in(torch.cat([state, new, g, z])))
                    edge_logits[earlier, made] = net.edges_out(inner)[0]
            states = [*states, new]
        return type_logits, edge_logits
