"""RandWire (Xie et al. 2019): one stage of 32 nodes that all do the same, wired at random.

A cell has the input, 32 inner nodes and the output. Every inner node is a separable 3x3 convolution of the weighted sum
of what it reads; only the wiring differs. The edges between inner nodes are free as long as the graph is acyclic, in
one piece and has 31 to 160 of them. The rest follows: the input feeds every node that reads from no other, and every
node that no other reads feeds the output.

Genotype: the strict upper triangle of the adjacency matrix of the inner nodes, 496 bits, row by row. It depends on the
order in which the nodes are written down; so one network has many genotypes, and :meth:`RandWire.canonical` picks one.
There are too many cells to list or number.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell, canonical_cell, cell_key
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.files import is_list
from svge_core.spaces.base import AbstractSearchSpace, Cost, DecodingRules, Genotype
from svge_core.spaces.hooks import Entropy, GeneratorView, GraphView, LabelledGraph, Reference
from svge_core.spaces.randwire_entropy import entropy_of
from svge_core.spaces.randwire_generators import (
    MAX_EDGES,
    PAIRS,
    RANDWIRE_FAMILIES,
    RANDWIRE_NODES,
    Edge,
    drawn_edges,
    problem,
    reachable,
)

OPERATION = "sep_conv_3x3"
#: the network that is counted and trained: channels, side of an image, classes
RANDWIRE_CHANNELS, RANDWIRE_SIDE, RANDWIRE_CLASSES = 8, 8, 10
PREFIX = "rw32:"
_DIGITS = len(PAIRS) // 4
_HEX = re.compile(rf"(?:{PREFIX})?([0-9a-fA-F]{{{_DIGITS}}})")
#: longest text that is read as a cell; the JSON of 160 edges takes fewer than 1,500 characters
MAX_TEXT = 4_000


class RandWire(AbstractSearchSpace):
    """Stages of 32 nodes with one operation; see the module's docstring for the graph, the genotype and the rules."""

    name = "randwire"
    title = "RandWire"
    operations = (OPERATION,)
    max_nodes = RANDWIRE_NODES + 2
    size = None
    equivalence = (
        "Two cells are equivalent exactly when their directed graphs are isomorphic: the same stage with its nodes "
        "written down in another order. This is decided exactly, by colour refinement and individualisation."
    )
    gene_choices = (2,) * len(PAIRS)
    own_objectives = ("digits",)

    def validate(self, cell: Cell) -> None:
        """Expects 32 inner nodes in one piece, 31 to 160 edges between them, ends joined to all sources and sinks."""
        self._validate_nodes(cell, f"nodes (input, {RANDWIRE_NODES} of the stage, output)")
        inner = inner_edges(cell)
        if found := problem(inner):
            raise InvalidCellError(f"A cell of {self.title} {found}.")
        expected = set(_with_ends(inner))
        if wrong := sorted(expected.symmetric_difference(cell.edges)):
            source, target = wrong[0]
            state = "is missing" if wrong[0] in expected else "is one too many"
            raise InvalidCellError(
                f"In a cell of {self.title} the input feeds the nodes that read no other and those that nobody reads "
                f"feed the output; the edge from {source} to {target} {state}."
            )

    def canonical(self, cell: Cell) -> Cell:
        """The one order among all topological ones that :func:`svge_core.cells.cell.canonical_cell` picks."""
        self.validate(cell)
        return canonical_cell(cell)

    def key(self, cell: Cell) -> str:
        """Digest of the canonical form; see ``equivalence``."""
        self.validate(cell)
        return cell_key(cell)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """A cell of one of the three generators, each with the same chance; see :mod:`.randwire_graphs`."""
        return self.family_cell(RANDWIRE_FAMILIES[int(rng.integers(len(RANDWIRE_FAMILIES)))], rng)

    def family_cell(self, family: str, rng: np.random.Generator) -> Cell:
        """A cell of one generator, its nodes in the generator's order.

        Raises:
            SvgeError: if there is no such family.
        """
        return from_edges(drawn_edges(family, rng))

    def neighbours(self, cell: Cell) -> list[Cell]:
        """The cells with one edge more or less, canonical.

        An edge may be added between any two nodes in either direction that makes no cycle, whatever order the nodes are
        written in; so this is the same list for all genotypes of a cell, and a symmetric relation. No more than two
        edits belong to a pair of nodes: there are at most 992 neighbours, usually 500 to 800.
        """
        self.validate(cell)
        inner = inner_edges(cell)
        present, behind = set(inner), reachable(inner)
        found: dict[Cell, None] = {}
        for u, v in PAIRS:
            if (u, v) in present:
                fewer = [edge for edge in inner if edge != (u, v)]
                if not problem(fewer):
                    found.setdefault(canonical_cell(from_edges(fewer)))
            elif len(inner) < MAX_EDGES:
                found.setdefault(canonical_cell(from_edges([*inner, (u, v)])))
                if not behind[u] >> v & 1:
                    # no path from u to v: the edge may also go against the order in which they are written
                    found.setdefault(canonical_cell(from_edges(_sorted([*inner, (v, u)]))))
        return list(found)

    def enumerate(self) -> Iterator[Cell]:
        """Raises: nobody can list the cells."""
        raise SvgeError(f"{self.title} is not enumerated: it has more cells than can be listed. Draw cells at random.")

    def parse(self, text: str) -> Cell:
        """Read ``rw32:`` and 124 hexadecimal digits (the genotype's bits), or a JSON list of edges ``[[0, 5], ...]``.

        Nodes of the JSON form are numbered from 0 to 31 and edges go from the lower to the higher number.
        """
        given = text.strip()
        expected = (
            f"Not a cell of {self.title}: expected {PREFIX} and {_DIGITS} hexadecimal digits, or a JSON list of edges "
            f"such as [[0, 5], [1, 5], ...] from lower to higher nodes of 0 to {RANDWIRE_NODES - 1}"
        )
        if len(given) > MAX_TEXT:
            raise ParseError(f"{expected}; got {len(given):,} characters.")
        if match := _HEX.fullmatch(given):
            bits = f"{int(match[1], 16):0{len(PAIRS)}b}"
            edges = [pair for pair, bit in zip(PAIRS, bits, strict=True) if bit == "1"]
        else:
            edges = _json_edges(given)
        if edges is None:
            raise ParseError(f"{expected}; got {given[:60]!r}.")
        if found := problem(edges):
            raise ParseError(f"A cell of {self.title} {found}.")
        return from_edges(edges)

    def format(self, cell: Cell) -> str:
        """Write ``rw32:`` and the 496 bits of the genotype as 124 hexadecimal digits, the first bit the highest."""
        bits = "".join(map(str, self.genotype(cell)))
        return f"{PREFIX}{int(bits, 2):0{_DIGITS}x}"

    def format_edges(self, cell: Cell) -> str:
        """Write the edges between the inner nodes as JSON, ``[[0, 5], [1, 5], ...]``; :meth:`parse` reads it too."""
        self.validate(cell)
        return json.dumps([list(edge) for edge in inner_edges(cell)])

    def genotype(self, cell: Cell) -> Genotype:
        """The strict upper triangle of the inner nodes' adjacency matrix, row by row: 496 bits."""
        self.validate(cell)
        present = set(inner_edges(cell))
        return tuple(int(pair in present) for pair in PAIRS)

    def from_genotype(self, genotype: Genotype) -> Cell:
        """The cell of 496 bits."""
        if len(genotype) != len(PAIRS):
            raise InvalidCellError(
                f"A genotype of {self.title} is {len(PAIRS)} bits, the strict upper triangle of {RANDWIRE_NODES} nodes "
                f"row by row; got {len(genotype)}."
            )
        if wrong := next((gene for gene in genotype if gene not in (0, 1)), None):
            raise InvalidCellError(f"A genotype of {self.title} has bits 0 and 1; got {wrong}.")
        edges = [pair for pair, bit in zip(PAIRS, genotype, strict=True) if bit]
        if found := problem(edges):
            raise InvalidCellError(f"A cell of {self.title} {found}.")
        return from_edges(edges)

    def index(self, cell: Cell) -> int:
        """Raises: cells have no index."""
        raise SvgeError(f"Cells of {self.title} have no index: there are too many of them. Use the notation instead.")

    def from_index(self, index: int) -> Cell:
        """Raises: cells have no index."""
        raise ParseError(
            f"Cells of {self.title} have no index: expected {PREFIX} and {_DIGITS} hexadecimal digits; got {index}."
        )

    def decoding_rules(self) -> DecodingRules:
        """Edges between inner nodes are free; masks cannot say that all is in one piece nor which nodes are sources.

        The first inner node is always a source and the last one a sink. No node is both, so that at most 32 edges join
        the ends.
        """
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index(INPUT)] = True
        node_types[1:-1, self.vocabulary.index(OPERATION)] = True
        node_types[-1, self.vocabulary.index(OUTPUT)] = True
        edges = np.triu(np.full((self.max_nodes, self.max_nodes), -1, dtype=np.int8), k=1)
        edges[0, -1] = 0
        edges[0, 1] = edges[-2, -1] = 1
        return DecodingRules(node_types, edges, max_edges=MAX_EDGES + RANDWIRE_NODES)

    def cost(self, cell: Cell) -> Cost:
        """Closed form for the network of :mod:`svge_core.networks.randwire`: 8 channels, 8x8 images, 10 classes.

        A node has 9 C weights of its depthwise and C^2 of its pointwise convolution, 2 C of its batch norm, and one
        weight per input (edges between nodes, and the input of each source). All but the batch norm multiply, at every
        pixel; an input's weight does so in each channel.
        """
        self.validate(cell)
        inputs = sum(target <= RANDWIRE_NODES for _, target in cell.edges)  # all edges but those into the output
        stem, convolutions, classifier = (
            9 * RANDWIRE_CHANNELS,
            RANDWIRE_NODES * (9 * RANDWIRE_CHANNELS + RANDWIRE_CHANNELS**2),
            RANDWIRE_CHANNELS * RANDWIRE_CLASSES + RANDWIRE_CLASSES,
        )
        norms = (RANDWIRE_NODES + 1) * 2 * RANDWIRE_CHANNELS
        multiplications = (
            stem + convolutions + inputs * RANDWIRE_CHANNELS
        ) * RANDWIRE_SIDE * RANDWIRE_SIDE + classifier
        return Cost(
            params_m=(stem + convolutions + norms + inputs + classifier) / 1e6,
            flops_m=multiplications / 1e6,
            network=(
                f"RandWire-digits: one stage of {RANDWIRE_NODES} nodes with {RANDWIRE_CHANNELS} channels, "
                f"{RANDWIRE_SIDE}x{RANDWIRE_SIDE} grey images, "
                f"{RANDWIRE_CLASSES} classes; the weighted sums of the nodes' inputs are counted"
            ),
        )

    def families(self) -> Mapping[str, Callable[[np.random.Generator], Cell]]:
        """The three generators."""
        return {name: partial(self.family_cell, name) for name in RANDWIRE_FAMILIES}

    def family_entropy(self, family: str) -> Entropy:
        """See :mod:`.randwire_entropy`."""
        return entropy_of(family)

    def generator_view(self) -> GeneratorView:
        """The inner nodes without labels; the edges of input and output follow."""
        return GeneratorView(GraphView(RANDWIRE_NODES), _graph_of, _cell_of)

    def network(self) -> Reference:
        """The network for digits."""
        return "svge_core.networks:randwire_network"

    def network_code(self) -> Reference:
        """The same, a line per feature map."""
        return "svge_core.network_export.code:randwire_code"


def _graph_of(cell: Cell) -> LabelledGraph:
    edges = tuple((source, target, 1) for source, target in inner_edges(cell))
    return LabelledGraph(RANDWIRE_NODES, edges, (0,) * RANDWIRE_NODES)


def _cell_of(graph: LabelledGraph) -> Cell:
    return from_edges((source, target) for source, target, _ in graph.edges)


def inner_edges(cell: Cell) -> tuple[Edge, ...]:
    """Edges between the inner nodes, which are numbered from 0, sorted."""
    return tuple((u - 1, v - 1) for u, v in cell.edges if u > 0 and v < cell.num_nodes - 1)


def from_edges(edges: Iterable[Edge]) -> Cell:
    """The cell of edges (lower, higher) between inner nodes 0 to 31, with the edges of input and output that follow."""
    return Cell((INPUT, *(OPERATION,) * RANDWIRE_NODES, OUTPUT), _with_ends(tuple(edges)))


def _with_ends(inner: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Edges of the whole cell in its own numbers."""
    read, feeding = {v for _, v in inner}, {u for u, _ in inner}
    into = [(0, node + 1) for node in range(RANDWIRE_NODES) if node not in read]
    out = [(node + 1, RANDWIRE_NODES + 1) for node in range(RANDWIRE_NODES) if node not in feeding]
    return (*into, *((u + 1, v + 1) for u, v in inner), *out)


def _sorted(edges: list[Edge]) -> list[Edge]:
    """The same acyclic graph with its nodes renumbered in a topological order."""
    return list(Cell.from_graph(("",) * RANDWIRE_NODES, edges).edges)


def _json_edges(text: str) -> list[Edge] | None:
    """Edges of a JSON list of pairs of ascending nodes without repeats; None if it is none."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not is_list(rows):
        return None
    edges: set[Edge] = set()
    for row in rows:
        # bool is an int in Python
        if not is_list(row) or len(row) != 2 or not all(type(node) is int for node in row):
            return None
        if not 0 <= row[0] < row[1] < RANDWIRE_NODES or (row[0], row[1]) in edges:
            return None
        edges.add((row[0], row[1]))
    return sorted(edges)
