"""What a space tells other parts of the project about itself: plain values that those parts read.

The base class gives every one of them a default, so a space says only what is particular to it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool

from svge_core.cells import OUTPUT, Cell
from svge_core.errors import InvalidCellError, SvgeError

#: a function, or where it is: ``package.module:name``; so a space can name what lies above it without importing it
Reference = str | Callable[..., Any]

#: the feature maps that a drawing has places for: input, two inner ones, output
DRAWN_MAPS = 4


@dataclass(frozen=True)
class WideNetwork:
    """How a space's standard network computes with a cell, as far as its limit of many channels depends on it.

    Attributes:
        kinds: what each operation is: ``zero``, ``identity``, ``pool``, ``conv1`` or ``conv3``.
        activation_first: ReLU, convolution, norm, and norm and ReLU behind the last cell (NAS-Bench-201), instead of
            convolution, norm, ReLU (NAS-Bench-101). There a norm behind the last cell takes what is constant away.
        projected: every node that reads the cell's input sees it through a 1x1 convolution of its own, and the output
            is the concatenation of what it reads, plus the projection (NAS-Bench-101), instead of the sum.
    """

    kinds: Mapping[str, Literal["zero", "identity", "pool", "conv1", "conv3"]]
    activation_first: bool
    projected: bool


def resolve(reference: Reference) -> Callable[..., Any]:
    """The function itself; a text is imported now.

    Raises:
        SvgeError: if there is no such module or function.
    """
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SvgeError(
            f"A space refers to {reference[:120]!r}, which cannot be imported ({error}): expected package.module:name."
        ) from None


@dataclass(frozen=True)
class Entropy:
    """How many nats tell one cell of a random generator from the others.

    Attributes:
        nats: the entropy, or a bound of it.
        error: standard error of an estimate; 0 for what is exact.
        n: how many pairs or wirings it is over.
        over: these in words.
        words: whether it is exact, a bound or an estimate, and of what.
    """

    nats: float
    error: float
    n: int
    over: str
    words: str


@dataclass(frozen=True)
class TextForm:
    """One more way in which people write a cell, beside the notation, an index and genotype digits.

    Attributes:
        words: what it is, as in "type ..."; empty where ``notation_in_words`` names it already.
        pattern: texts that are meant so, whatever else they could be.
        read: the cell of such a text; raises a SvgeError with the reason.
        columns: names, in lower case, of the columns of a CSV file that hold nothing else.
        index: the official index of such a text at once, where that is quicker than by the cell; raises as ``read``.
    """

    words: str
    pattern: re.Pattern[str]
    read: Callable[[str], Cell]
    columns: tuple[str, ...] = ()
    index: Callable[[str], int] | None = None


@dataclass(frozen=True)
class Alias:
    """One more name of a cell, for the panel and for files.

    Attributes:
        name: of the field and the column in files.
        title: for people; of a long name a sentence that says what it is.
        text: the name itself.
        value: the same as a JSON value; None where files hold it already, as they do :meth:`key`.
        long: whether it needs a line of its own.
        many: title of a file with the names of many cells, one a line; empty where no such file is offered.
    """

    name: str
    title: str
    text: str
    value: Any = None
    long: bool = False
    many: str = ""


@dataclass(frozen=True)
class DrawingView:
    """One way to draw a cell.

    Attributes:
        name: ``operations`` draws any graph, a node per operation; ``maps`` draws members alone, an operation being an
            edge between feature maps.
        sideways: from left to right; else from top to bottom.
        map_edges: of ``maps``: source and target of the operation at every inner node, among four maps numbered from 0.

    Raises:
        SvgeError: if an edge joins no two of the maps.
    """

    name: Literal["operations", "maps"] = "operations"
    sideways: bool = False
    map_edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for source, target in self.map_edges:
            if not 0 <= source < target < DRAWN_MAPS:
                raise SvgeError(
                    f"Feature maps are numbered from 0 to {DRAWN_MAPS - 1} and read lower ones; got an edge from "
                    f"{source} to {target}."
                )


@dataclass(frozen=True)
class GraphView:
    """What a graph generator has to draw.

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
class LabelledGraph:
    """One graph of a view.

    Attributes:
        size: number of nodes; 0 for an open-ended graph that did not end.
        edges: (source, target, label), the label being 1 where edges have none.
        labels: of every node, 0 where nodes have none.
    """

    size: int
    edges: tuple[tuple[int, int, int], ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class GeneratorView:
    """A space as a graph generator sees it.

    Attributes:
        view: what is drawn.
        graph_of: the graph of a member in canonical form.
        cell_of: the cell of a graph; raises an InvalidCellError where there is none, and need not be canonical.
    """

    view: GraphView
    graph_of: Callable[[Cell], LabelledGraph]
    cell_of: Callable[[LabelledGraph], Cell]


def labelled_nodes(view: GraphView) -> GeneratorView:
    """A space whose cells are the view's graphs themselves, their operations being the labels of the nodes.

    Of a view that is not open-ended the output is left out: it reads the last node and nothing else.
    """

    def graph_of(cell: Cell) -> LabelledGraph:
        kept = cell.num_nodes if view.open_ended else view.nodes
        labels = tuple(view.node_labels.index(op) for op in cell.ops[:kept])
        return LabelledGraph(kept, tuple((u, v, 1) for u, v in cell.edges if v < kept), labels)

    def cell_of(graph: LabelledGraph) -> Cell:
        if graph.size < 2:
            raise InvalidCellError(f"A cell has 2 or more nodes; the graph has {graph.size}.")
        ops = [view.node_labels[label] for label in graph.labels[: graph.size]]
        edges = [(u, v) for u, v, _ in graph.edges if v < graph.size]
        if not view.open_ended:
            ops.append(OUTPUT)
            edges.append((graph.size - 1, graph.size))
        return Cell(tuple(ops), tuple(edges))

    return GeneratorView(view, graph_of, cell_of)


@dataclass(frozen=True)
class SizeSplit:
    """Which of some cells are of a size that a predictor may see, and which are larger.

    Attributes:
        inside: True at small cells (cells).
        outside: True at larger ones (cells).
        inside_words, outside_words: what the two sides are.
    """

    inside: Bool[np.ndarray, " cells"]
    outside: Bool[np.ndarray, " cells"]
    inside_words: str
    outside_words: str


@dataclass(frozen=True)
class LargerSpace:
    """A space of larger cells that good cells of this one grow into.

    Attributes:
        make: makes it from the most edges a larger cell may have; it has the same operations.
        grow: makes its cells; called as :func:`svge_core.evaluation.extrapolation.grow_layers` is.
        note: what they are and what was assumed, for people; ``{max_edges}`` stands for that bound.
    """

    make: Reference
    grow: Reference
    note: str
