"""Search spaces as the generator sees them: graphs built node by node, with labels on edges, on nodes, or on neither.

NAS-Bench-201 has four feature maps with an operation on every edge (label 0, "none", is no edge); NAS-Bench-101 two to
seven labelled nodes, the first node labelled "output" being the last; ENAS macro a chain of labelled layers with free
skips; RandWire 32 nodes without labels. A graph without labels (:func:`from_upper_triangular`) can have any number of
nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.spaces import (
    MAP_EDGES,
    RANDWIRE_NODES,
    AbstractSearchSpace,
    ENASMacro,
    NASBench201,
    RandWire,
    from_edges,
    inner_edges,
)
from svge_core.spaces.nasbench101 import NASBench101


@dataclass(frozen=True)
class GraphView:
    """What a generator has to draw.

    Attributes:
        nodes: most nodes of a graph, in a topological order.
        node_labels: names of the node labels; node 0 always has the first. Empty for none.
        edge_labels: names of the edge labels, the first of which is no edge. Empty for none.
        open_ended: whether the first node (but node 0) with the last node label ends the graph.
        certain: (target, source) of edges that every graph has; they are neither drawn nor part of a likelihood.
    """

    nodes: int
    node_labels: tuple[str, ...] = ()
    edge_labels: tuple[str, ...] = ()
    open_ended: bool = False
    certain: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Graphs:
    """Many graphs as padded tensors.

    Attributes:
        edges: label of the edge from the last axis' node to the middle axis' one, 0 for none, 1 for an edge without
            label; strictly lower triangular.
        labels: label of every node, 0 where nodes have none.
        sizes: number of nodes; 0 for an open-ended graph that did not end.
    """

    edges: Int[Tensor, "graphs nodes nodes"]
    labels: Int[Tensor, "graphs nodes"]
    sizes: Int[Tensor, " graphs"]

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def adjacency(self) -> Bool[Tensor, "graphs nodes nodes"]:
        """Where there is an edge, whatever its label."""
        return self.edges > 0

    def select(self, rows: Tensor | slice) -> "Graphs":
        """The graphs at the given rows."""
        return Graphs(self.edges[rows], self.labels[rows], self.sizes[rows])


def joined(parts: Sequence[Graphs]) -> Graphs:
    """Graphs of one view one after another."""
    fields = zip(*((part.edges, part.labels, part.sizes) for part in parts), strict=True)
    edges, labels, sizes = (torch.cat(field) for field in fields)
    return Graphs(edges, labels, sizes)


def topology_view(nodes: int) -> GraphView:
    """Graphs of a fixed number of nodes without labels, such as a stage of RandWire."""
    return GraphView(nodes)


def from_upper_triangular(matrices: Float[Tensor, "graphs nodes nodes"] | Int[Tensor, "graphs nodes nodes"]) -> Graphs:
    """Unlabelled graphs of 0/1 matrices whose rows are sources.

    Raises:
        InvalidCellError: if a matrix is not strictly upper triangular or has other entries than 0 and 1.
    """
    edges = matrices.transpose(1, 2).long()
    if not torch.equal(edges, edges.tril(-1)) or not torch.equal(edges.to(matrices.dtype), matrices.transpose(1, 2)):
        raise InvalidCellError("A directed acyclic graph is a strictly upper triangular matrix; got other entries.")
    if edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) <= 1:
        raise InvalidCellError(f"Entries are 0 and 1; got {int(edges.min())} to {int(edges.max())}.")
    nodes = edges.shape[1]
    return Graphs(edges, edges.new_zeros(len(edges), nodes), edges.new_full((len(edges),), nodes))


def view_of(space: AbstractSearchSpace) -> GraphView:
    """The view of a search space.

    Raises:
        SvgeError: if the space has none.
    """
    if isinstance(space, NASBench201):
        return GraphView(4, edge_labels=space.operations)
    if isinstance(space, ENASMacro):
        chain = tuple((layer, layer - 1) for layer in range(1, space.layers + 1))
        return GraphView(space.layers + 1, (INPUT, *space.operations), certain=chain)
    if isinstance(space, NASBench101):
        return GraphView(space.max_nodes, (INPUT, *space.operations, OUTPUT), open_ended=True)
    if isinstance(space, RandWire):
        return topology_view(RANDWIRE_NODES)
    raise SvgeError(
        f"GraphPNAS has no view of {space.title}: expected NAS-Bench-201, NAS-Bench-101, an ENAS macro space or "
        "RandWire."
    )


def to_graphs(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Graphs:
    """Cells of a space, in canonical form, as its view's graphs.

    Raises:
        InvalidCellError: if a cell is not a member.
    """
    view = view_of(space)
    edges = np.zeros((len(cells), view.nodes, view.nodes), dtype=np.int64)
    labels = np.zeros((len(cells), view.nodes), dtype=np.int64)
    sizes = np.full(len(cells), view.nodes, dtype=np.int64)
    for row, cell in enumerate(map(space.canonical, cells)):
        if view.edge_labels:
            for (source, target), gene in zip(MAP_EDGES, space.genotype(cell), strict=True):
                edges[row, target, source] = gene
            continue
        if not view.node_labels:
            for source, target in inner_edges(cell):
                edges[row, target, source] = 1
            continue
        if view.open_ended:
            sizes[row] = cell.num_nodes
        kept = int(sizes[row])  # of ENAS macro the output is left out: it reads the last layer and nothing else
        labels[row, :kept] = [view.node_labels.index(op) for op in cell.ops[:kept]]
        for source, target in cell.edges:
            if target < kept:
                edges[row, target, source] = 1
    return Graphs(torch.from_numpy(edges), torch.from_numpy(labels), torch.from_numpy(sizes))


def to_cells(space: AbstractSearchSpace, graphs: Graphs) -> list[Cell | None]:
    """The members that graphs stand for, in canonical form; None for every graph that is no member."""
    edges, labels, sizes = (tensor.cpu().numpy() for tensor in (graphs.edges, graphs.labels, graphs.sizes))
    return [_cell(space, *graph) for graph in zip(edges, labels, sizes.tolist(), strict=True)]


def _cell(space: AbstractSearchSpace, edges: np.ndarray, labels: np.ndarray, size: int) -> Cell | None:
    view = view_of(space)
    try:
        if view.edge_labels:
            return space.from_genotype(tuple(int(edges[target, source]) for source, target in MAP_EDGES))
        if not view.node_labels:
            return space.canonical(from_edges((int(u), int(v)) for v, u in np.argwhere(edges)))
        if size < 2:
            return None
        ops = [view.node_labels[label] for label in labels[:size]]
        targets, sources = np.nonzero(edges[:size, :size])
        pairs = list(zip(sources.tolist(), targets.tolist(), strict=True))
        if not view.open_ended:
            ops.append(OUTPUT)
            pairs.append((size - 1, size))
        return space.canonical(Cell(tuple(ops), tuple(pairs)))
    except InvalidCellError:
        return None
