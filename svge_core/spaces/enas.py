"""ENAS macro (Pham et al. 2018): a chain of layers, one operation each, with skip connections from earlier layers.

The graph is that of D-VAE and SVGe: the input, layers 1 to L and the output, in this order. The chain edge from every
vertex to the next, the last layer to the output included, is always there. Layer i (from 1) may also read each of the
vertices 0 to i-2, where 0 is the input; the output reads the last layer alone. So there are 6^L * 2^(L(L-1)/2) cells:
1,528,823,808 of 6 layers, which have indices but are not enumerated.

The labels published for 6 layers are weight-sharing accuracies: one network with all operations was trained, and every
cell was evaluated with the weights of its part. They are not accuracies of cells trained from scratch.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int, Int8

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.files import is_list
from svge_core.spaces.base import AbstractSearchSpace, CellArrays, Cost, DecodingRules, Genotype
from svge_core.spaces.hooks import GeneratorView, GraphView, LargerSpace, Reference, SizeSplit, labelled_nodes

#: in the order of the digits 0 to 5 of the authors' code and of D-VAE's file
OPERATIONS = ("conv_3x3", "sep_conv_3x3", "conv_5x5", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3")
#: channels of the first stage in which D-VAE (and ENAS) trained the cells they had found
ENAS_CHANNELS = 96
#: cells with at most this share of the possible skip connections are the small ones of extrapolation
SEEN_SKIPS = 0.5
#: longest text that is read as an architecture; 12 layers take 318 characters
MAX_TEXT = 2_000
_LABELLED = re.compile(r"(\[.*\])(?:\s*,\s*((?:0|[1-9]\d{0,2})(?:\.\d{1,17})?))?", re.ASCII)


class ENASMacro(AbstractSearchSpace):
    """ENAS macro cells of a number of layers; see the module's docstring for the graph.

    The genotype lists, layer by layer, the operation's digit and the layer's skip bits, first vertex first: the numbers
    of D-VAE's notation without its brackets. The official index is ours: the genotype read as a mixed-radix number, its
    first digit the most significant.

    Args:
        layers: number of layers, 2 or more.

    Raises:
        SvgeError: if there are fewer layers.
    """

    operations = OPERATIONS
    positional = True
    equivalence = "No two different cells are equivalent: the chain fixes the order of the layers."

    def __init__(self, layers: int = 6) -> None:
        if layers < 2:
            raise SvgeError(f"An ENAS macro cell has 2 or more layers; got {layers}.")
        self.layers = layers
        self.name, self.title = f"enas{layers}", f"ENAS macro, {layers} layers"
        self.max_nodes = layers + 2
        self.gene_choices = tuple(c for i in range(layers) for c in (len(OPERATIONS), *(2,) * i))
        self._count = math.prod(self.gene_choices)
        self.size = self._count

    @cached_property
    def _chain(self) -> tuple[tuple[int, int], ...]:
        return tuple((vertex, vertex + 1) for vertex in range(self.layers + 1))

    @cached_property
    def _skips(self) -> tuple[tuple[int, int], ...]:
        """(source, target) vertices of the skip bits in genotype order."""
        return tuple((source, layer + 1) for layer in range(self.layers) for source in range(layer))

    @cached_property
    def _is_operation(self) -> np.ndarray:
        """bool (genes,): True at operations, False at skip bits."""
        genes = np.zeros(len(self.gene_choices), dtype=bool)
        genes[[layer * (layer + 1) // 2 for layer in range(self.layers)]] = True
        return genes

    def validate(self, cell: Cell) -> None:
        """Expects input, layers and output in a chain, skips between layers only, one of six operations per layer."""
        self._validate_nodes(cell, f"nodes (input, {self.layers} layers, output)")
        missing = sorted(set(self._chain) - set(cell.edges))
        if missing:
            source, target = missing[0]
            raise InvalidCellError(
                f"Every vertex of an ENAS macro cell feeds the next one; got no edge from {source} to {target}."
            )
        late = [source for source in cell.sources[-1] if source != self.layers]
        if late:
            raise InvalidCellError(
                f"The output of an ENAS macro cell reads the last layer alone; got an edge from vertex {late[0]} too."
            )

    def canonical(self, cell: Cell) -> Cell:
        """The cell itself: along the chain there is only one topological order."""
        self.validate(cell)
        return cell

    def key(self, cell: Cell) -> str:
        """Digest of the genotype; see ``equivalence``."""
        return hashlib.blake2b(bytes(self.genotype(cell)), digest_size=16).hexdigest()

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Uniform over all cells."""
        return self._built(self.sample_genotypes(rng, 1)[0].tolist())

    def neighbours(self, cell: Cell) -> list[Cell]:
        """The cells that differ in one layer's operation or in one skip connection: 45 of 6 layers, 126 of 12."""
        genotype = self.genotype(cell)
        return [
            self._built((*genotype[:gene], choice, *genotype[gene + 1 :]))
            for gene, choices in enumerate(self.gene_choices)
            for choice in range(choices)
            if choice != genotype[gene]
        ]

    def enumerate(self) -> Iterator[Cell]:
        """Raises: a list of a thousand million cells serves nobody; draw with :meth:`sample_genotypes`."""
        raise SvgeError(f"{self.title} is not enumerated: it has {self._count:,} cells. Draw cells at random instead.")

    def parse(self, text: str) -> Cell:
        """Read ``[[1], [4, 0], [5, 0, 0], ...]``: per layer its operation's digit, then its skip bits."""
        given = text.strip()
        shown, example = given[:80], "[[1], [4, 0], [5, 0, 0], ...]"
        expected = f"Not a cell of {self.title}: expected one list per layer such as {example}"
        try:
            rows = json.loads(given) if len(given) <= MAX_TEXT else None
        except (ValueError, RecursionError):
            rows = None
        # bool is an int in Python
        if not is_list(rows) or not all(is_list(r) and all(type(g) is int for g in r) for r in rows):
            raise ParseError(f"{expected}, got {shown!r}.")
        if len(rows) != self.layers:
            raise ParseError(f"{expected}, {self.layers} in all; got {len(rows)} in {shown!r}.")
        for layer, row in enumerate(rows):
            if len(row) != layer + 1:
                raise ParseError(
                    f"{expected}. Layer {layer + 1} has an operation and {layer} skip bits, {layer + 1} numbers; "
                    f"got {len(row)} in {shown!r}."
                )
            if row[0] not in range(len(OPERATIONS)) or any(bit not in (0, 1) for bit in row[1:]):
                raise ParseError(
                    f"{expected}. Layer {layer + 1} has an operation from 0 to {len(OPERATIONS) - 1}, then bits 0 or "
                    f"1; got {str(row)[:80]}."
                )
        return self._built([gene for row in rows for gene in row])

    def parse_labelled_line(self, text: str) -> tuple[Cell, float | None]:
        """Read a line of D-VAE's files, ``[[1], [4, 0], ...], 0.7302``, with or without the score.

        Raises:
            ParseError: with what was expected and what came.
        """
        given = text.strip()
        match = _LABELLED.fullmatch(given) if len(given) <= MAX_TEXT else None
        if match is None:
            raise ParseError(
                f"Not a line of an ENAS file: expected [[1], [4, 0], ...], 0.7302 with a score that is a decimal "
                f"number, or without one; got {given[:80]!r}."
            )
        return self.parse(match[1]), None if match[2] is None else float(match[2])

    def format(self, cell: Cell) -> str:
        """Write ``[[1], [4, 0], [5, 0, 0], ...]``, as in D-VAE's files."""
        genes = iter(self.genotype(cell))
        return json.dumps([[next(genes) for _ in range(layer + 1)] for layer in range(self.layers)])

    def genotype(self, cell: Cell) -> Genotype:
        """Layer by layer the operation's digit and the skip bits."""
        self.validate(cell)
        edges = set(cell.edges)
        genes: list[int] = []
        for layer in range(self.layers):
            genes.append(OPERATIONS.index(cell.ops[layer + 1]))
            genes.extend(int((source, layer + 1) in edges) for source in range(layer))
        return tuple(genes)

    def from_genotype(self, genotype: Genotype) -> Cell:
        """The cell of a genotype."""
        if len(genotype) != len(self.gene_choices):
            raise InvalidCellError(
                f"A genotype of {self.title} is {len(self.gene_choices)} digits (per layer an operation, then its skip "
                f"bits); got {len(genotype)}."
            )
        for position, (gene, choices) in enumerate(zip(genotype, self.gene_choices, strict=True)):
            if gene not in range(choices):
                raise InvalidCellError(
                    f"Digit {position + 1} of a genotype of {self.title} lies between 0 and {choices - 1}; got {gene}."
                )
        return self._built(genotype)

    def _built(self, genes: Sequence[int]) -> Cell:
        """The cell of genes that are known to be in range."""
        ops = [OPERATIONS[gene] for gene, choices in zip(genes, self.gene_choices, strict=True) if choices != 2]
        bits = [gene for gene, choices in zip(genes, self.gene_choices, strict=True) if choices == 2]
        skips = [edge for edge, bit in zip(self._skips, bits, strict=True) if bit]
        return Cell((INPUT, *ops, OUTPUT), (*self._chain, *skips))

    def index(self, cell: Cell) -> int:
        """The genotype as a mixed-radix number, first digit most significant; exact, also beyond 64 bits."""
        index = 0
        for gene, choices in zip(self.genotype(cell), self.gene_choices, strict=True):
            index = index * choices + gene
        return index

    def from_index(self, index: int) -> Cell:
        """The cell of an index, 0 to size - 1."""
        if not 0 <= index < self._count:
            raise ParseError(f"An index of {self.title} lies between 0 and {self._count - 1}; got {index}.")
        genes: list[int] = []
        for choices in reversed(self.gene_choices):
            index, gene = divmod(index, choices)
            genes.append(gene)
        return self._built(genes[::-1])

    def sample_genotypes(self, rng: np.random.Generator, count: int) -> Int8[np.ndarray, "count genes"]:
        """Genotypes drawn uniformly and independently."""
        return rng.integers(self.gene_choices, size=(count, len(self.gene_choices)), dtype=np.int8)

    def genotype_arrays(
        self, genotypes: Int[np.ndarray, "count genes"]
    ) -> tuple[Int[np.ndarray, "count nodes"], Float[np.ndarray, "count nodes nodes"], Int[np.ndarray, " count"]]:
        """Type ids (int64), adjacency (float32) and sizes (int64) of many cells at once, without making the cells.

        They are the arrays of a :class:`~svge_core.tensors.CellBatch`.

        Raises:
            InvalidCellError: if the genotypes have another length or a gene is out of range.
        """
        choices = np.array(self.gene_choices)
        if genotypes.shape[1:] != choices.shape:
            raise InvalidCellError(
                f"Genotypes of {self.title} are an array of shape (cells, {len(choices)}); got {genotypes.shape}."
            )
        wrong = ((genotypes < 0) | (genotypes >= choices)).any(axis=1)
        if wrong.any():
            self.from_genotype(tuple(genotypes[wrong][0].tolist()))  # raises and says which digit
        count = len(genotypes)
        types = np.empty((count, self.max_nodes), dtype=np.int64)
        types[:, 0], types[:, -1] = self.vocabulary.index(INPUT), self.vocabulary.index(OUTPUT)
        types[:, 1:-1] = genotypes[:, self._is_operation] + self.vocabulary.index(OPERATIONS[0])
        adjacency = np.zeros((count, self.max_nodes, self.max_nodes), dtype=np.float32)
        chain, skips = np.array(self._chain), np.array(self._skips)
        adjacency[:, chain[:, 0], chain[:, 1]] = 1.0
        adjacency[:, skips[:, 0], skips[:, 1]] = genotypes[:, ~self._is_operation]
        return types, adjacency, np.full(count, self.max_nodes, dtype=np.int64)

    def arrays(self, indices: np.ndarray) -> CellArrays:
        """Many cells at once, for indices below 2^63."""
        genotypes = np.zeros((len(indices), len(self.gene_choices)), dtype=np.int8)
        rest = indices.astype(np.int64)
        for gene in range(len(self.gene_choices) - 1, -1, -1):
            rest, genotypes[:, gene] = np.divmod(rest, self.gene_choices[gene])
        types, adjacency, sizes = self.genotype_arrays(genotypes)
        return CellArrays(types, adjacency, sizes)

    def decoding_rules(self) -> DecodingRules:
        """The chain is there, skips between layers are free, the output reads the last layer alone."""
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index(INPUT)] = True
        node_types[1:-1, 2:] = True
        node_types[-1, self.vocabulary.index(OUTPUT)] = True
        edges = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        for source, target in combinations(range(self.max_nodes - 1), 2):
            edges[source, target] = -1
        for source, target in self._chain:
            edges[source, target] = 1
        return DecodingRules(node_types, edges)

    def cost(self, cell: Cell) -> Cost:
        """Closed form for the network of :mod:`svge_core.networks.enas`: 96 channels, 32x32 images, 10 classes."""
        self.validate(cell)
        return _cost(cell, self.layers)

    def generator_view(self) -> GeneratorView:
        """A chain of labelled layers with free skips; the output is left out."""
        chain = tuple((layer, layer - 1) for layer in range(1, self.layers + 1))
        return labelled_nodes(GraphView(self.layers + 1, (INPUT, *self.operations), certain=chain))

    def larger(self) -> LargerSpace | None:
        """Twice as many layers, from the six that have been measured."""
        if self.layers != 6:
            return None
        return LargerSpace(
            twelve_layers,
            "svge_core.evaluation.extrapolation:grow_layers",
            "Cells of twelve layers, grown from the best predicted ones of six. The ranking uses only structure "
            "features that both lengths have; twelve layers lie far outside the sizes it was fitted on.",
        )

    def size_split(self, indices: np.ndarray) -> SizeSplit:
        """By skip connections, as all cells are equally long."""
        possible = self.layers * (self.layers - 1) // 2
        bound = int(SEEN_SKIPS * possible)
        skips = self.arrays(indices).adjacency.sum((1, 2)).astype(np.int64) - (self.layers + 1)
        words = f"at most {bound} of {possible} skip connections", f"more than {bound} of {possible} skip connections"
        return SizeSplit(skips <= bound, skips > bound, *words)

    def network(self) -> Reference:
        """The network with a fixed cell."""
        return "svge_core.networks:enas_network"

    def network_code(self) -> Reference:
        """The same, a line per feature map."""
        return "svge_core.network_export.code:enas_code"


def twelve_layers(max_edges: int) -> ENASMacro:
    """The larger space of six layers; its cells have no bound on edges but that of the space."""
    return ENASMacro(12)


def reduction_points(layers: int) -> tuple[int, ...]:
    """After how many layers the feature maps shrink, as in the authors' code: after one and after two thirds."""
    return (layers // 3, layers // 3 * 2) if layers >= 3 else ()


def _cost(cell: Cell, layers: int) -> Cost:
    """Parameters and multiply-accumulates term by term; batch norms (two parameters a channel) do not multiply.

    With C channels, a convolution layer has a 1x1 convolution (C*C) and one of kernel k (k*k*C*C; separable
    k*k*C + C*C), each with batch norm; a pooling layer has nothing. From the second layer on, a 1x1 convolution with
    batch norm brings the layer's result and its s skips from (s+1)*C channels to C. A reduction of one feature map is
    two 1x1 convolutions of stride 2 from C to C channels, side by side, with one batch norm; maps that nobody reads
    afterwards are not reduced.
    """
    channels, side = ENAS_CHANNELS, 32
    params = 27 * channels + 2 * channels
    macs = 27 * channels * side * side
    for layer in range(layers):
        if layer in reduction_points(layers):
            read_later = [v for v in range(layer + 1) if any(layer < target <= layers for target in cell.targets[v])]
            weights = len(read_later) * 2 * channels * channels
            channels, side = 2 * channels, side // 2
            params += weights + len(read_later) * 2 * channels
            macs += weights * side * side
        op, weights, norms = cell.ops[layer + 1], 0, 0
        if op in OPERATIONS[:4]:
            area = 9 if op.endswith("3x3") else 25
            separable = area * channels + channels * channels
            weights += channels * channels + (separable if op.startswith("sep") else area * channels * channels)
            norms += 2
        if layer:
            weights += len(cell.sources[layer + 1]) * channels * channels  # the chain's edge counts for the result
            norms += 1
        params += weights + norms * 2 * channels
        macs += weights * side * side
    return Cost(
        params_m=(params + channels * 10) / 1e6,
        flops_m=(macs + channels * 10) / 1e6,
        network=(
            f"ENAS macro network with fixed cell: {ENAS_CHANNELS} channels, doubled at two reductions, 32x32 input, "
            "10 classes; separable convolutions are depthwise and pointwise"
        ),
    )
