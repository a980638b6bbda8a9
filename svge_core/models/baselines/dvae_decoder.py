"""D-VAE's decoder: node by node, edges asked in reverse order, the new node's state updated after each answer.

Zhang et al. (2019), section 3.4, as in the authors' code: node v's type is drawn from the graph state; its state is
GRU(type, 0), and after every answer about an edge from u = v-1, ..., 0 it is GRU(type, gated sum over the predecessors
there are by then). An edge from u is scored from [h_u; h_v]. A node that ends the graph takes an edge from every node
without a successor; in sampling those edges are not drawn.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from svge_core.models.baselines.messages import GatedMessages, gru, type_gru, type_inputs
from svge_core.models.decoder import ForcedLogits
from svge_core.models.decoding import OpenNodes, allowed_types, cut, draw_edges, draw_types, masks
from svge_core.spaces import DecodingRules
from svge_core.tensors import END, START, CellBatch


class NodeDecoder(nn.Module):
    """All learned parts of D-VAE's decoder.

    Args:
        table: rows of the operation encoding, (types, width).
        ids: largest number of nodes where vertex ids join the messages, else 0.
        summed: the graph state is the sum of all node states (D-VAE with GCN) instead of the last node's (D-VAE).
    """

    def __init__(self, table: Tensor, max_nodes: int, hidden: int, latent: int, *, ids: int, summed: bool) -> None:
        super().__init__()
        self.max_nodes, self.summed = max_nodes, summed
        self.start = nn.Linear(latent, hidden)
        with torch.no_grad():
            self.start.weight.mul_(3.0)  # see messages.py: all that a run knows of z enters here
        self.update = type_gru(table, hidden)
        self.messages = GatedMessages(hidden, ids)
        self.add_node = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, len(table)))
        self.edge_in = nn.Linear(2 * hidden, 4 * hidden)
        self.edge_out = nn.Linear(4 * hidden, 1)

    def score(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], table: Float[Tensor, "types width"]
    ) -> ForcedLogits:
        """Teacher-forced scores; edges are scored for every source < target, target >= 1.

        All states that node v goes through while its edges are asked are known from the true edges: they are one batch.
        """
        count, nodes = batch.types.shape
        inputs = type_inputs(self.update, table)[batch.types]
        state = gru(self.update, inputs[:, 0], self.start(z).tanh())
        states, sent, graphs, asked = [state], [], [], []
        graph = state
        for node in range(1, nodes):
            graphs.append(graph)
            sent.append(self.messages(states[-1], node - 1))
            there = batch.adjacency[:, :node, node, None] * torch.stack(sent, dim=1)
            sums = there.flip(1).cumsum(1)  # row k: the edges answered once k + 1 questions have been
            steps = gru(self.update, inputs[:, node, None], functional.pad(sums, (0, 0, 1, 0)))
            asked.append(steps[:, :node].flip(1))  # row u: the state when the edge from u is asked
            states.append(steps[:, node])
            graph = graph + states[-1] if self.summed else states[-1]
        types = functional.pad(self.add_node(torch.stack(graphs, dim=1)), (0, 0, 1, 0))
        pairs = torch.triu_indices(nodes, nodes, 1, device=z.device)
        sources, targets = pairs[:, pairs[1].argsort(stable=True)]  # by target, then by source, as they were asked
        old, new = self._edge_blocks()
        parts = functional.linear(torch.stack(states[:-1], dim=1), old)
        inner = functional.linear(torch.cat(asked, dim=1), new, self.edge_in.bias) + parts[:, sources]
        logits = self.edge_out(inner.relu_())[..., 0]
        edges = logits.new_zeros(count, nodes, nodes)
        rows = torch.arange(count, device=z.device)[:, None]
        return ForcedLogits(types, edges.index_put((rows, sources, targets), logits))

    def run(
        self,
        z: Float[Tensor, "batch latent"],
        table: Float[Tensor, "types width"],
        rules: DecodingRules | None,
        argmax: bool,
        generator: torch.Generator | None,
    ) -> CellBatch:
        """Draw cells from latents."""
        batch, nodes = len(z), self.max_nodes
        rule = masks(rules, 0, z.device)
        books = OpenNodes(batch, nodes, rule.max_edges, z.device) if rule is not None and rule.any_size else None
        to_come = rule.to_come(END) if rule is not None else []
        inputs, (old, new) = type_inputs(self.update, table), self._edge_blocks()
        types = torch.full((batch, nodes), START, dtype=torch.long, device=z.device)
        adjacency = z.new_zeros(batch, nodes, nodes)
        state = gru(self.update, inputs[types[:, 0]], self.start(z).tanh())
        graph, sent, parts = state, [], []
        for node in range(1, nodes):
            logits = self.add_node(graph)
            drawn = draw_types(allowed_types(logits, node, END, rule, books), argmax, generator)
            types[:, node] = END if node == nodes - 1 else drawn
            sent.append(self.messages(state, node - 1))
            parts.append(functional.linear(state, old, self.edge_in.bias))
            ends, given = types[:, node] == END, inputs[types[:, node]]
            fixed = None if rule is None else rule.edges[:node, node]
            total = torch.zeros_like(state)
            odds, edges = z.new_zeros(batch, node), z.new_zeros(batch, node)
            for source in range(node - 1, -1, -1):
                state = gru(self.update, given, total)
                inner = functional.linear(state, new) + parts[source]
                odds[:, source] = self.edge_out(inner.relu_())[:, 0]
                forced = None if fixed is None else fixed[source]
                edges[:, source] = draw_edges(odds[:, source], forced, argmax, generator)
                total = total + edges[:, source, None] * sent[source]
            if books is not None:
                edges = books.edges(odds, edges, ends, to_come[node], argmax, generator)
                books.add(node, edges, ends)
            loose = (adjacency[:, :node].sum(2) == 0).to(edges.dtype)
            edges = torch.where(ends[:, None], loose, edges)
            adjacency[:, :node, node] = edges
            state = gru(self.update, given, torch.einsum("bu,buh->bh", edges, torch.stack(sent, dim=1)))
            graph = graph + state if self.summed else state
        return cut(types, adjacency, END)

    def _edge_blocks(self) -> tuple[Tensor, Tensor]:
        """The edge scorer's first layer, the blocks of the earlier and of the new node."""
        old, new = self.edge_in.weight.chunk(2, dim=1)
        return old, new
