"""NAS-Bench-101 (Ying et al. 2019): 423,624 cells of at most seven vertices and nine edges, three operations.

A member is pruned: every vertex lies on a path from the input to the output. :func:`from_matrix` prunes what comes from
elsewhere and says what it dropped. The official index used here is the rank of the md5 key among all cells.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from svge_core.cells import INPUT, OUTPUT, Cell, pruned
from svge_core.errors import InvalidCellError, ParseError
from svge_core.files import is_sequence
from svge_core.spaces.base import AbstractSearchSpace, CellArrays, Cost, DecodingRules, Genotype
from svge_core.spaces.hooks import (
    Alias,
    GeneratorView,
    GraphView,
    LargerSpace,
    Reference,
    SizeSplit,
    TextForm,
    WideNetwork,
    labelled_nodes,
)
from svge_core.spaces.nasbench101.cell_table import Table, table
from svge_core.spaces.nasbench101.codes import (
    MAX_EDGES,
    MAX_VERTICES,
    CellGraphs,
    canonical_code,
    decode_many,
    decode_one,
    upper_pairs,
)
from svge_core.spaces.nasbench101.md5_key import module_hash
from svge_core.spaces.nasbench101.moves import one_edit_away
from svge_core.spaces.nasbench101.official_order import SIZE
from svge_core.spaces.nasbench101.size import NETWORK, params_by_order, sizes
from svge_core.threads import counting

#: the authors' names in their order: the md5 key depends on it
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MAX_TEXT = 2_000
#: cells with at most so many vertices are the small ones of extrapolation
SEEN_VERTICES = 6
#: probability of an edge of a random start, and draws before it is given up
_EDGE, _TRIES = 0.25, 100_000
_HASH = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
_FORMS = (
    'an md5 key of 32 hex digits, or a ModelSpec {"matrix": [[0, 1], [0, 0]], "ops": ["input", "output"]} with at most '
    "7 vertices"
)


class NASBench101(AbstractSearchSpace):
    """All NAS-Bench-101 cells; see the module."""

    name = "nasbench101"
    title = "NAS-Bench-101"
    operations = OPERATIONS
    max_nodes = MAX_VERTICES
    #: most edges of a cell
    max_edges = MAX_EDGES
    size = SIZE
    equivalence = (
        "two cells are the same if the authors' md5 key of their pruned labelled graphs is equal, that is if one is "
        "the other with its vertices renumbered; there are 423,624 different ones"
    )
    gene_choices = (2,) * len(upper_pairs(MAX_VERTICES)) + (len(OPERATIONS),) * (MAX_VERTICES - 2)
    notation_in_words = "an md5 key, a ModelSpec as JSON"
    wide_network = WideNetwork(
        {"conv1x1-bn-relu": "conv1", "conv3x3-bn-relu": "conv3", "maxpool3x3": "pool"},
        activation_first=False,
        projected=True,
    )

    def validate(self, cell: Cell) -> None:
        """Check vertices, edges, labels, and that every vertex is in use."""
        self._validate_nodes(cell, "vertices, input and output included", fewest=2)
        if len(cell.edges) > self.max_edges:
            raise InvalidCellError(f"A cell of {self.title} has at most {self.max_edges} edges; got {len(cell.edges)}.")
        for vertex in range(cell.num_nodes):
            if vertex and not cell.sources[vertex]:
                raise InvalidCellError(f"Every vertex but the input needs an edge into it; got none for {vertex}.")
            if vertex < cell.num_nodes - 1 and not cell.targets[vertex]:
                raise InvalidCellError(f"Every vertex but the output needs an edge from it; got none for {vertex}.")

    def canonical(self, cell: Cell) -> Cell:
        """Vertices by depth; see :mod:`svge_core.spaces.nasbench101.codes`."""
        return _from_code(self.code(cell))

    def code(self, cell: Cell) -> int:
        """The 64-bit code of the canonical form."""
        self.validate(cell)
        return canonical_code(digits(cell), cell.edges)

    def key(self, cell: Cell) -> str:
        """The official md5 key."""
        self.validate(cell)
        return module_hash(digits(cell), cell.edges)

    def equivalents(self, cell: Cell) -> tuple[Cell, ...]:
        """The cell alone: its key is the index of its canonical form."""
        return (self.canonical(cell),)

    def representative(self, cell: Cell) -> Cell:
        """Its canonical form."""
        return self.canonical(cell)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Uniform over the 423,624 different cells."""
        return self.from_index(int(rng.integers(SIZE)))

    def neighbours(self, cell: Cell) -> list[Cell]:
        """Canonical cells one edit away; see :mod:`svge_core.spaces.nasbench101.moves`."""
        self.validate(cell)
        code = self.code(cell)
        operations, edges = decode_one(code)
        found = {canonical_code(*moved) for moved in one_edit_away(operations, edges, len(OPERATIONS))}
        return [_from_code(other) for other in sorted(found - {code})]

    def enumerate(self) -> Iterator[Cell]:
        """All cells in the order of their md5 keys."""
        return map(_from_code, self.table.codes.tolist())

    def parse(self, text: str) -> Cell:
        """Read an md5 key or a ModelSpec as JSON (``matrix``, ``ops``; NASLib's ``module_adjacency`` names also)."""
        given = text.strip()
        if _HASH.fullmatch(given):
            return self._from_key(given)
        if not given or len(given) > MAX_TEXT:
            raise ParseError(f"Not a NAS-Bench-101 cell: expected {_FORMS}; got {len(given):,} characters.")
        try:
            spec = json.loads(given)
            matrix = spec["matrix"] if "matrix" in spec else spec["module_adjacency"]
            ops = spec["ops"] if "ops" in spec else spec["module_operations"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ParseError(f"Not a NAS-Bench-101 cell: expected {_FORMS}; got {given[:80]!r}.") from None
        cell, _ = from_matrix(matrix, ops)
        self.validate(cell)
        return cell

    def format(self, cell: Cell) -> str:
        """Write the arguments of the authors' ``ModelSpec`` as JSON."""
        matrix, ops = to_matrix(cell)
        return json.dumps({"matrix": matrix, "ops": ops})

    def genotype(self, cell: Cell) -> Genotype:
        """Bits of the upper triangle (21), row by row, then operation digits (five); unused vertices are empty.

        The encoding of the authors' and Klein & Hutter's search-space definitions; it is that of the canonical form.
        """
        form = self.canonical(cell)
        labels, place = digits(form), [*range(form.num_nodes - 1), self.max_nodes - 1]
        there = {(place[source], place[target]) for source, target in form.edges}
        bits = (int(pair in there) for pair in upper_pairs(self.max_nodes))
        return (*bits, *labels, *(0,) * (self.max_nodes - 2 - len(labels)))

    def from_genotype(self, genotype: Genotype) -> Cell:
        """The cell of a genotype, vertices off every path from input to output dropped."""
        pairs = upper_pairs(self.max_nodes)
        if len(genotype) != len(self.gene_choices) or any(
            gene not in range(choices) for gene, choices in zip(genotype, self.gene_choices, strict=False)
        ):
            raise InvalidCellError(
                f"A genotype of {self.title} is {len(pairs)} bits of the upper triangle and {self.max_nodes - 2} "
                f"operation digits from 0 to 2; got {str(genotype)[:120]}."
            )
        edges = tuple(pair for pair, bit in zip(pairs, genotype, strict=False) if bit)
        ops = (INPUT, *(OPERATIONS[digit] for digit in genotype[len(pairs) :]), OUTPUT)
        return self.canonical(pruned(Cell(ops, edges)))

    def index(self, cell: Cell) -> int:
        """Rank of the cell's md5 key, 0 to 423,623."""
        found = self.table.index_of_code(self.code(cell))
        assert found is not None, "every valid cell is in the enumerated table"
        return found

    def from_index(self, index: int) -> Cell:
        """The cell of a rank."""
        if not 0 <= index < SIZE:
            raise ParseError(f"A NAS-Bench-101 index lies between 0 and {SIZE - 1}; got {index}.")
        return _from_code(int(self.table.codes[index]))

    def arrays(self, indices: Int[np.ndarray, " cells"]) -> CellArrays:
        """Canonical forms of many cells at once."""
        graphs = self.graphs(indices)
        inner = np.arange(1, MAX_VERTICES - 1)
        types = np.zeros((len(indices), MAX_VERTICES), dtype=np.int64)  # the output's type is 0
        types[:, 0] = self.vocabulary.index(INPUT)
        first = self.vocabulary.index(OPERATIONS[0])
        types[:, 1:-1] = np.where(inner < graphs.vertices[:, None] - 1, graphs.operations + first, 0)
        return CellArrays(types, graphs.adjacency, graphs.vertices)

    def graphs(self, indices: Int[np.ndarray, " cells"]) -> CellGraphs:
        """Canonical graphs by official index."""
        return decode_many(self.table.codes[indices])

    @property
    def table(self) -> Table:
        """All cells; built on first use and kept in the user's cache folder."""
        return table()

    def decoding_rules(self) -> DecodingRules:
        """Input first, then any operation or the output; few enough edges; no vertex without an edge in and out."""
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index(INPUT)] = True
        node_types[1:-1, [self.vocabulary.index(label) for label in (OUTPUT, *OPERATIONS)]] = True
        node_types[-1, self.vocabulary.index(OUTPUT)] = True
        edges = np.triu(np.full((self.max_nodes, self.max_nodes), -1, dtype=np.int8), 1)
        edges[0, 1] = 1
        return DecodingRules(node_types, edges, any_size=True, max_edges=self.max_edges)

    def cost(self, cell: Cell) -> Cost:
        """Closed form for the authors' network.

        Where three vertices feed the output, one or two of them have a channel more: the first ones in canonical
        order. The published count is that of the official file's order of vertices, which can differ: of 20,001 cells
        it does for 663 (3.3 %), by up to 1.3 %. ``params_range_m`` spans the counts of all orders; the published one
        is among them. `data import` of the official file brings the published counts as a column of their own.
        """
        graphs = self._graphs_of([cell])
        params, flops = (float(found[0]) for found in sizes(graphs))
        counts = params_by_order(graphs)
        return Cost(params, flops, NETWORK, (float(counts[0]), float(counts[-1])) if len(counts) > 1 else None)

    def costs_of(self, cells: Iterable[Cell]) -> Float[np.ndarray, "cells 2"]:
        """Parameters and multiply-accumulates of many cells in millions, counted in canonical order."""
        return np.stack(sizes(self._graphs_of(cells)), axis=1)

    def _graphs_of(self, cells: Iterable[Cell]) -> CellGraphs:
        forms = [self.canonical(cell) for cell in cells]
        operations = np.zeros((len(forms), self.max_nodes - 2), dtype=np.int8)
        adjacency = np.zeros((len(forms), self.max_nodes, self.max_nodes), dtype=np.int8)
        for row, form in enumerate(forms):
            operations[row, : form.num_nodes - 2] = digits(form)
            adjacency[row, *zip(*form.edges, strict=True)] = 1
        vertices = np.array([form.num_nodes for form in forms], dtype=np.int64)
        return CellGraphs(vertices, operations, adjacency)

    def costs(self) -> Float[np.ndarray, "cells 2"]:
        """Parameters and multiply-accumulates of all cells in millions, by official index."""
        costs = np.empty((SIZE, 2))
        with counting(self.title, "networks sized", SIZE) as tell:
            for part in np.array_split(np.arange(SIZE), 16):
                costs[part] = np.stack(sizes(self.graphs(part)), axis=1)
                tell(int(part[-1]) + 1)
        return costs

    def text_forms(self) -> tuple[TextForm, ...]:
        """The md5 key, also one that happens to have no letters."""
        return (TextForm("", _HASH, self._from_key, ("hash", "module_hash", "md5"), self._index_of_key),)

    def _from_key(self, text: str) -> Cell:
        return self.from_index(self._index_of_key(text))

    def _index_of_key(self, text: str) -> int:
        given = text.strip()
        index = self.table.index_of_hash(given) if _HASH.fullmatch(given) else None
        if index is None:
            raise ParseError(f"No NAS-Bench-101 cell has the key {given.lower()[:60]}; expected one of the 423,624.")
        return index

    def aliases(self, cell: Cell) -> tuple[Alias, ...]:
        """The md5 key; files hold it as the key."""
        title = "The arguments of the authors' `ModelSpec`, and the md5 key of the cell in their files"
        return (Alias("md5", title, self.key(cell), long=True),)

    def generator_view(self) -> GeneratorView:
        """Labelled vertices, the first one labelled "output" being the last."""
        return labelled_nodes(GraphView(self.max_nodes, (INPUT, *self.operations, OUTPUT), open_ended=True))

    def network(self) -> Reference | None:
        """The authors' network."""
        return "svge_core.networks:nasbench101_network"

    def network_code(self) -> Reference:
        """The same, a line per feature map."""
        return "svge_core.network_export.code:nasbench101_code"

    def random_start(self, rng: np.random.Generator) -> Cell:
        """3 to 7 vertices, each edge with probability 1/4, uniform operations, drawn again until it is a member."""
        nodes = int(rng.integers(3, self.max_nodes + 1))
        for _ in range(_TRIES):
            ops = [self.operations[int(i)] for i in rng.integers(len(self.operations), size=nodes - 2)]
            bits: np.ndarray = np.triu(rng.random((nodes, nodes)) < _EDGE, 1)
            # every vertex but the ends needs an edge in and one out; checked here, as most draws fail
            if not (bits[:, 1:].any(axis=0).all() and bits[:-1].any(axis=1).all()):
                continue
            cell = Cell((INPUT, *ops, OUTPUT), tuple((int(u), int(v)) for u, v in np.argwhere(bits)))
            if self.is_valid(cell):
                return self.canonical(cell)
            nodes = int(rng.integers(3, self.max_nodes + 1))
        return super().random_start(rng)

    def larger(self) -> LargerSpace | None:
        """One vertex more."""
        return LargerSpace(
            "svge_core.spaces.nasbench101:ExtendedNASBench101",
            "svge_core.evaluation.extrapolation:grow_vertices",
            "Cells of eight vertices and at most {max_edges} edges. For decoding, the model's tables of node positions "
            "were extended by repeating their last row: an assumption, as no training saw position 8.",
        )

    def size_split(self, indices: np.ndarray) -> SizeSplit | None:
        """By vertices: the largest cells are those with all of them."""
        sizes, words = self.arrays(indices).sizes, (f"at most {SEEN_VERTICES} vertices", f"{self.max_nodes} vertices")
        return SizeSplit(sizes <= SEEN_VERTICES, sizes > SEEN_VERTICES, *words)


def digits(cell: Cell) -> tuple[int, ...]:
    """Operations of the inner vertices, in the order of the cell, as places in :data:`OPERATIONS`."""
    return tuple(OPERATIONS.index(op) for op in cell.ops[1:-1])


@lru_cache(maxsize=200_000)
def _from_code(code: int) -> Cell:
    operations, edges = decode_one(code)
    return Cell((INPUT, *(OPERATIONS[digit] for digit in operations), OUTPUT), edges)


def from_matrix(matrix: object, ops: object, max_vertices: int = MAX_VERTICES) -> tuple[Cell, tuple[str, ...]]:
    """The pruned cell of the authors' ``ModelSpec(matrix, ops)``.

    Args:
        matrix: rows of 0 and 1, lists of lists; whatever else comes from a file is refused with the reason.
        ops: one label per row.
        max_vertices: most rows.

    Returns:
        the cell, in the order given, and one sentence for every vertex that was dropped.

    Raises:
        InvalidCellError: if it is no upper triangular 0/1 matrix with one operation per row, or nothing connects the
            input to the output.
    """
    expected = "A ModelSpec is a square upper triangular matrix of 0 and 1 with one operation per row"
    if (
        not is_sequence(matrix)
        or not is_sequence(ops)
        or len(ops) != len(matrix)
        or any(not is_sequence(row) or len(row) != len(matrix) for row in matrix)
    ):
        raise InvalidCellError(f"{expected}; got {str(matrix)[:80]} and {str(ops)[:80]}.")
    count = len(matrix)
    if not 2 <= count <= max_vertices:
        raise InvalidCellError(f"A NAS-Bench-101 cell has 2 to {max_vertices} vertices; got {count}.")
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            if isinstance(value, bool) or value not in (0, 1) or (value and column <= row):
                raise InvalidCellError(f"{expected}; got {str(value)[:20]} in row {row}, column {column}.")
    if any(not isinstance(op, str) for op in ops):
        raise InvalidCellError(f"Operations are texts; got {str(ops)[:80]}.")
    cell = Cell(tuple(ops), tuple((u, v) for u in range(count) for v in range(u + 1, count) if matrix[u][v]))
    kept = pruned(cell)
    if not kept.edges:
        raise InvalidCellError("There is no path from the input to the output; a cell needs at least one.")
    reasons: list[str] = []
    if kept.num_nodes < count:
        reached = _reached(cell, forwards=True)
        leads = _reached(cell, forwards=False)
        for vertex in range(count):
            if vertex not in reached:
                reasons.append(f"Vertex {vertex} ({ops[vertex]}) is not reached from the input.")
            elif vertex not in leads:
                reasons.append(f"Vertex {vertex} ({ops[vertex]}) does not lead to the output.")
    return kept, tuple(reasons)


def _reached(cell: Cell, *, forwards: bool) -> set[int]:
    found = [0 if forwards else cell.num_nodes - 1]
    for vertex in found:  # grows while it is read
        found += [w for w in (cell.targets if forwards else cell.sources)[vertex] if w not in found]
    return set(found)


def to_matrix(cell: Cell) -> tuple[list[list[int]], list[str]]:
    """Matrix and operations for the authors' ``ModelSpec``."""
    edges = set(cell.edges)
    nodes = range(cell.num_nodes)
    return [[int((u, v) in edges) for v in nodes] for u in nodes], list(cell.ops)
