"""Search spaces as the generator sees them: graphs built node by node, with labels on edges, on nodes, or on neither.

A space says itself what its graphs are (``generator_view``): four feature maps with an operation on every edge, two to
seven labelled nodes, a chain of labelled layers with free skips, 32 nodes without labels. A graph without labels
(:func:`from_upper_triangular`) can have any number of nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from svge_core.cells import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.spaces import SPACES, AbstractSearchSpace, GeneratorView, GraphView, LabelledGraph


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


def join_graphs(parts: Sequence[Graphs]) -> Graphs:
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
    return _generator_view(space).view


def _generator_view(space: AbstractSearchSpace) -> GeneratorView:
    found = space.generator_view()
    if found is None:
        known = ", ".join(other.title for other in SPACES.values() if other.generator_view() is not None)
        raise SvgeError(f"GraphPNAS has no view of {space.title} as graphs; it knows {known}.")
    return found


def to_graphs(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Graphs:
    """Cells of a space, in canonical form, as its view's graphs.

    Raises:
        InvalidCellError: if a cell is not a member.
    """
    own = _generator_view(space)
    edges = np.zeros((len(cells), own.view.nodes, own.view.nodes), dtype=np.int64)
    labels = np.zeros((len(cells), own.view.nodes), dtype=np.int64)
    sizes = np.full(len(cells), own.view.nodes, dtype=np.int64)
    for row, graph in enumerate(map(own.graph_of, map(space.canonical, cells))):
        sizes[row], labels[row, : len(graph.labels)] = graph.size, graph.labels
        for source, target, label in graph.edges:
            edges[row, target, source] = label
    return Graphs(torch.from_numpy(edges), torch.from_numpy(labels), torch.from_numpy(sizes))


def to_cells(space: AbstractSearchSpace, graphs: Graphs) -> list[Cell | None]:
    """The members that graphs stand for, in canonical form; None for every graph that is no member."""
    own = _generator_view(space)
    edges, labels, sizes = (tensor.cpu().numpy() for tensor in (graphs.edges, graphs.labels, graphs.sizes))
    return [_cell(space, own, *graph) for graph in zip(edges, labels, sizes.tolist(), strict=True)]


def _cell(
    space: AbstractSearchSpace, own: GeneratorView, edges: np.ndarray, labels: np.ndarray, size: int
) -> Cell | None:
    targets, sources = np.nonzero(edges)
    found = zip(sources.tolist(), targets.tolist(), edges[targets, sources].tolist(), strict=True)
    try:
        return space.canonical(own.cell_of(LabelledGraph(size, tuple(found), tuple(labels.tolist()))))
    except InvalidCellError:
        return None
