"""Every step of building every graph, laid out at once: the rows of the adjacency matrices, teacher-forced.

Row i adds node i to the graph of nodes 0 to i - 1 and joins it to all of them, in both directions ("augmented edges").
A batch holds the N rows of each graph side by side as one graph without edges between rows: node j of row i stands in
slot i (i + 1) / 2 + j, and one slot more is where padded edges begin and end.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from svge_core.graphpnas.space_views import Graphs, GraphView

#: features of an edge beside labels and node ids: what its ends are (old or new), and a constant 1 for the bias
FLAGS, CONSTANT = 3, 1


@dataclass(frozen=True)
class Layout:
    """What does not depend on a graph, only on the view.

    Attributes:
        slots: slots of a graph's rows, N (N + 1) / 2, without the one for padding.
        row, node: of each slot.
        newest: slot of the new node of each slot's row.
        source, target: slots of all directed pairs within a row.
        augmented: whether a pair is an augmented edge.
        edge_row, edge_column: of the entry of the adjacency matrix that decides about each pair.
        flags: features of each pair that do not depend on the graph: what its ends are, -1 at the node id of its source
            and 1 at that of its target, and the constant.
        drawn: whether a slot's entry of the adjacency matrix is drawn: not its diagonal, no certain edge.
        row_sum: 1 where a slot belongs to a row.
        diagonal: slot of each row's new node.
    """

    slots: int
    row: Int[Tensor, " slots"]
    node: Int[Tensor, " slots"]
    newest: Int[Tensor, " slots"]
    source: Int[Tensor, " pairs"]
    target: Int[Tensor, " pairs"]
    augmented: Bool[Tensor, " pairs"]
    edge_row: Int[Tensor, " pairs"]
    edge_column: Int[Tensor, " pairs"]
    flags: Float[Tensor, "pairs flags"]
    drawn: Bool[Tensor, " slots"]
    row_sum: Float[Tensor, "rows slots"]
    diagonal: Int[Tensor, " rows"]


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def layout(view: GraphView) -> Layout:
    """The layout of a view's rows; of ordinary tensors, whoever asks first, because gradients flow past them later."""
    row, node = torch.tril_indices(view.nodes, view.nodes)
    newest = row * (row + 3) // 2
    tails, heads = (torch.arange(view.nodes) for _ in range(2))
    grid = torch.stack(torch.meshgrid(torch.arange(view.nodes), tails, heads, indexing="ij"), dim=-1).reshape(-1, 3)
    step, tail, head = grid[(grid[:, 1] <= grid[:, 0]) & (grid[:, 2] <= grid[:, 0]) & (grid[:, 1] != grid[:, 2])].T
    start = step * (step + 1) // 2
    identity = torch.eye(view.nodes)
    flags = torch.zeros(len(step), FLAGS + view.nodes + CONSTANT)
    # as published, the flag of an old target falls on that of a new source
    flags.scatter_(1, (tail == step).long()[:, None], 1.0).scatter_(1, (head == step).long()[:, None] + 1, 1.0)
    flags[:, FLAGS:-CONSTANT] = identity[head] - identity[tail]
    flags[:, -CONSTANT:] = 1.0
    drawn = row != node
    for target, source in view.certain:
        drawn &= (row != target) | (node != source)
    return Layout(
        slots=len(row),
        row=row,
        node=node,
        newest=newest,
        source=start + tail,
        target=start + head,
        augmented=(tail == step) | (head == step),
        edge_row=torch.maximum(tail, head),
        edge_column=torch.minimum(tail, head),
        flags=flags,
        drawn=drawn,
        row_sum=(torch.arange(view.nodes)[:, None] == row).float(),
        diagonal=torch.nonzero(row == node)[:, 0],
    )


@dataclass(frozen=True)
class Rows:
    """All rows of a batch of graphs.

    Attributes:
        graphs: what they were made of.
        inputs: of every slot, the padding slot last: its node's row of the adjacency matrix and a constant 1 where the
            node is old, 0 where it is new.
        source, target: slots of the edges of each graph's rows, padded to the most of any graph.
        features: of these edges: flags, node ids and constant as in :class:`Layout`, then the label's one-hot, in which
            an augmented edge has label 0.
    """

    graphs: Graphs
    inputs: Float[Tensor, "graphs slots1 inputs"]
    source: Int[Tensor, "graphs edges"]
    target: Int[Tensor, "graphs edges"]
    features: Float[Tensor, "graphs edges features"]


def lay_out(view: GraphView, graphs: Graphs) -> Rows:
    """The rows of graphs; rows past the end of a graph have no edges."""
    at = layout(view)
    pair_step = at.row[at.source]
    there = at.augmented | graphs.adjacency[:, at.edge_row, at.edge_column]
    there &= pair_step < graphs.sizes[:, None]
    # the edges of each graph first, in their order; what follows is padding
    order = there.to(torch.uint8).sort(dim=1, descending=True, stable=True).indices
    order = order[:, : max(1, int(there.sum(1).max()))]
    kept = there.gather(1, order)
    parts = [at.flags[order]]
    if view.edge_labels:
        labels = graphs.edges[:, at.edge_row, at.edge_column] * ~at.augmented
        parts.append(torch.nn.functional.one_hot(labels.gather(1, order), len(view.edge_labels)).float())
    old = (at.node < at.row).float()[:, None]
    inputs = torch.cat([graphs.adjacency[:, at.node].float(), torch.ones(len(graphs), at.slots, 1)], dim=2) * old
    return Rows(
        graphs=graphs,
        inputs=torch.nn.functional.pad(inputs, (0, 0, 0, 1)),
        source=at.source[order].masked_fill(~kept, at.slots),
        target=at.target[order].masked_fill(~kept, at.slots),
        features=torch.cat(parts, dim=2) * kept[:, :, None],
    )
