"""GRAN's mixture of Bernoulli rows as loops over one graph's rows, nodes and edges: the oracle of the generator.

Nothing is shared with the code under test but the names of its weights; GRU cells are PyTorch's.
"""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from svge_core.graphpnas.generator import Generator
from svge_core.graphpnas.space_views import Graphs


@dataclass
class RowLogits:
    """What one row's heads say: theta (j <= i, K), alpha (K), psi (j <= i, labels), phi (labels)."""

    theta: Tensor
    alpha: Tensor
    psi: Tensor | None
    phi: Tensor | None


def rows_of(generator: Generator, edges: Tensor, seen: Tensor | None = None) -> list[RowLogits]:
    """Logits of every row of one graph; ``edges`` is (N, N), target by source.

    ``seen`` says where later rows see an edge, be it labelled as none; without it, where its label is not 0.
    """
    seen = edges > 0 if seen is None else seen
    return [_row(generator, edges, seen, i) for i in range(generator.view.nodes)]


def _row(generator: Generator, edges: Tensor, seen: Tensor, i: int) -> RowLogits:
    view, h = generator.view, generator.hidden
    parts = generator.parts(generator.flat)
    states = []
    for j in range(i):
        bits = torch.cat([seen[j].float(), torch.ones(1)])
        states.append(torch.cat([bits @ parts["input"], functional.one_hot(torch.tensor(j), view.nodes).float()]))
    state = torch.stack([*states, torch.zeros(h)])
    pairs = []
    for u in range(i + 1):
        for v in range(i + 1):
            if u != v and (i in (u, v) or seen[max(u, v), min(u, v)]):
                feature = torch.zeros(3 + view.nodes + 1)
                feature[1 if u == i else 0] = 1.0
                feature[1 + (1 if v == i else 0)] = 1.0
                feature[3 + u], feature[3 + v], feature[-1] = -1.0, 1.0, 1.0
                label = torch.zeros(len(view.edge_labels))
                if view.edge_labels:
                    label[0 if i in (u, v) else int(edges[max(u, v), min(u, v)])] = 1.0
                pairs.append((u, v, torch.cat([feature, label])))
    for layer in range(generator.options.layers):
        if layer:
            state = state.relu()
        summed = [torch.zeros(h) for _ in range(i + 1)]
        for u, v, feature in pairs:
            hidden = (torch.cat([state[u] - state[v], feature]) @ parts["first"][layer]).relu()
            message = hidden[:h] @ parts["message"][layer] + parts["message_bias"][layer]
            gate = (hidden[h:] @ parts["gate"][layer] + parts["gate_bias"][layer]).sigmoid()
            summed[v] = summed[v] + message * gate
        cell = nn.GRUCell(h, h)
        cell.weight_ih.data, cell.bias_ih.data = parts["read"][layer].t(), parts["read_bias"][layer]
        cell.weight_hh.data, cell.bias_hh.data = parts["held"][layer].t(), parts["held_bias"][layer]
        state = cell(torch.stack(summed), state)
    theta, alpha, psi = [], [], []
    for j in range(i + 1):
        d = state[i] - state[j]
        outs = []
        for head in range(len(parts["head_middle"])):
            x = (d @ parts["head_first"][head] + parts["head_first_bias"][head, 0]).relu()
            x = (x @ parts["head_middle"][head] + parts["head_middle_bias"][head, 0]).relu()
            outs.append(x @ parts["head_last"][head] + parts["head_last_bias"][head, 0])
        k = generator.options.components
        theta.append(outs[0][:k])
        alpha.append(outs[1][:k])
        if view.edge_labels:
            psi.append(outs[2][: len(view.edge_labels)].log_softmax(0))
    phi = None
    if view.node_labels:
        x = state[i]
        for layer in range(3):
            x = x @ parts[f"phi_{layer}"] + parts[f"phi_{layer}_bias"]
            x = x.relu() if layer < 2 else x
        phi = x.log_softmax(0)
    mixture = torch.stack(alpha).mean(0).log_softmax(0)
    return RowLogits(torch.stack(theta), mixture, torch.stack(psi) if psi else None, phi)


def log_probability(generator: Generator, graphs: Graphs, number: int) -> Tensor:
    """Exact log probability of one graph."""
    edges, labels, size = graphs.edges[number], graphs.labels[number], int(graphs.sizes[number])
    total = torch.zeros(())
    for i, row in enumerate(rows_of(generator, edges)[:size]):
        under = []
        for k in range(generator.options.components):
            value = row.alpha[k].exp()
            for j in range(i):
                if (i, j) in generator.view.certain:
                    continue
                there = row.theta[j, k].sigmoid()
                label = int(edges[i, j])
                if row.psi is None:
                    value = value * (there if label else 1 - there)
                else:
                    drawn = there * row.psi[j, label].exp()
                    value = value * (drawn if label else 1 - there + drawn)
            under.append(value)
        total = total + torch.stack(under).sum().log()
        if row.phi is not None and i:
            total = total + row.phi[labels[i]]
    return total


def seen_probability(generator: Generator, edges: Tensor) -> float:
    """Exact probability of a graph whose edges drawn with the label of none are edges to later rows."""
    places = [(i, j) for i in range(generator.view.nodes) for j in range(i)]
    none = [place for place in places if edges[place] == 0]
    total = 0.0
    for bits in product((False, True), repeat=len(none)):
        seen = edges > 0
        for place, bit in zip(none, bits, strict=True):
            seen[place] = bit
        value = 1.0
        for i, row in enumerate(rows_of(generator, edges, seen)):
            assert row.psi is not None
            under = row.alpha.exp()
            for j in range(i):
                there = row.theta[j].sigmoid()
                under = under * (there * row.psi[j, int(edges[i, j])].exp() if seen[i, j] else 1 - there)
            value *= float(under.sum())
        total += value
    return total


def published_loss(generator: Generator, graphs: Graphs, number: int, reward: float) -> Tensor:
    """The loss of one graph as the authors' code computes it."""
    edges, labels, size = graphs.edges[number], graphs.labels[number], int(graphs.sizes[number])
    log_edges, node_loss, edge_loss = torch.zeros(()), torch.zeros(()), torch.zeros(())
    for i, row in enumerate(rows_of(generator, edges)[:size]):
        under = row.alpha.clone()
        for j in range(i):
            if (i, j) not in generator.view.certain:
                target = torch.full((generator.options.components,), float(edges[i, j] > 0))
                under = under - functional.binary_cross_entropy_with_logits(row.theta[j], target, reduction="none")
        log_edges = log_edges + torch.logsumexp(under, 0)
        there = [j for j in range(i) if edges[i, j] > 0]
        if row.psi is not None and there:
            edge_loss = edge_loss - torch.stack([row.psi[j, int(edges[i, j])] for j in there]).mean()
        if row.phi is not None:
            node_loss = node_loss - row.phi[labels[i]] / size
    return reward * (-log_edges / (size * (size + 1) / 2) + 0.5 * node_loss + edge_loss / 8)
