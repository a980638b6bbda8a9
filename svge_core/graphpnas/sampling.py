"""Drawing graphs from a generator, a batch at a time, row by row."""

import torch
from jaxtyping import Int
from torch import Tensor

from svge_core.graphpnas.fitting import COUNTED
from svge_core.graphpnas.generator import Generator
from svge_core.graphpnas.propagation import propagate
from svge_core.graphpnas.rows import Layout, layout
from svge_core.graphpnas.space_views import Graphs
from svge_core.threads import counting


@torch.inference_mode()
def sample(generator: Generator, count: int, chance: torch.Generator, none_seen: bool = False) -> Graphs:
    """Independent graphs.

    Each row's mixture component is drawn, then its edges independently under it, then the labels of edges and node.

    Args:
        generator: gives the probabilities.
        count: how many.
        chance: the only source of it.
        none_seen: whether an edge drawn with the label of no edge still is an edge to later rows, as in the authors'
            sampler. No graph that was trained on has such an edge, and draws do not follow the generator's likelihood.
    """
    view, at = generator.view, layout(generator.view)
    parts = generator.parts(generator.flat)
    weights = generator.layer_weights(parts)
    nodes, hidden = view.nodes, generator.hidden
    edges = torch.zeros(count, nodes, nodes, dtype=torch.long)
    labels = torch.zeros(count, nodes, dtype=torch.long)
    for target, source in view.certain:
        edges[:, target, source] = 1
    seen = edges.clone()  # edges as later rows see them
    with counting(COUNTED, "nodes drawn of every graph", nodes - 1) as tell:
        for row in range(1, nodes):
            source, target, features = _edges_of_row(at, row, edges, seen, len(view.edge_labels))
            inputs = torch.zeros(count, row + 1, nodes + 1)
            inputs[:, :row, :nodes] = (seen[:, :row] > 0).float()
            inputs[:, :row, nodes] = 1.0
            ids = torch.eye(row + 1, nodes)
            ids[row] = 0.0
            states = torch.cat([inputs @ parts["input"], ids.expand(count, -1, -1)], dim=2).flatten(0, 1)
            states = propagate(states, features, source, target, weights).view(count, row + 1, hidden)
            newest = torch.tensor([row])
            logits = generator.heads(states, newest.expand(row + 1), torch.ones(1, row + 1), newest, parts)
            component = torch.multinomial(logits.alpha[:, 0].exp(), 1, generator=chance)
            theta = logits.theta.gather(2, component[:, :, None].expand(-1, row + 1, -1))[:, :row, 0]
            bits = there = torch.bernoulli(theta.sigmoid(), generator=chance).long()
            if logits.psi is not None:
                flat = logits.psi[:, :row].exp().flatten(0, 1)
                bits = there * torch.multinomial(flat, 1, generator=chance).view(count, row)
            drawn = at.drawn[(at.row == row)][:row]
            edges[:, row, :row] = torch.where(drawn, bits, edges[:, row, :row])
            seen[:, row, :row] = torch.where(drawn, there if none_seen else bits, seen[:, row, :row])
            if logits.phi is not None:
                labels[:, row] = torch.multinomial(logits.phi[:, 0].exp(), 1, generator=chance)[:, 0]
            tell(row)
    return _cut(edges, labels, len(view.node_labels) - 1 if view.open_ended else None)


def _edges_of_row(
    at: Layout,
    row: int,
    edges: Int[Tensor, "graphs nodes nodes"],
    seen: Int[Tensor, "graphs nodes nodes"],
    edge_labels: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Source, target and features of the edges among the nodes up to a row, over all graphs in one list."""
    pairs = torch.nonzero(at.row[at.source] == row)[:, 0]
    start = row * (row + 1) // 2
    values, there = (e[:, at.edge_row[pairs], at.edge_column[pairs]] * ~at.augmented[pairs] for e in (edges, seen))
    graph, place = torch.nonzero(at.augmented[pairs] | (there > 0), as_tuple=True)
    offset = graph * (row + 1) - start
    features = at.flags[pairs][place]
    if edge_labels:
        hot = torch.nn.functional.one_hot(values[graph, place], edge_labels)
        features = torch.cat([features, hot.float()], dim=1)
    return at.source[pairs][place] + offset, at.target[pairs][place] + offset, features


def _cut(edges: Tensor, labels: Tensor, last: int | None) -> Graphs:
    """End each graph at its first node with the last label; without one its size is 0."""
    count, nodes = labels.shape
    if last is None:
        return Graphs(edges, labels, torch.full((count,), nodes))
    ends = labels == last
    ends[:, 0] = False
    sizes = torch.where(ends.any(1), ends.int().argmax(1) + 1, 0)
    kept = torch.arange(nodes) < sizes[:, None]
    return Graphs(edges * (kept[:, :, None] & kept[:, None, :]), labels * kept, sizes)
