"""A search space in a package of its own: chains of four layers for images of digits, 256 architectures."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from torch import nn

import svge_core as svge
from svge_core.spaces import Cost, DecodingRules

LAYERS, CHANNELS, CLASSES = 4, 8, 10
CHAIN = tuple((node, node + 1) for node in range(LAYERS + 1))
# The one letter of every operation, for the notation.
LETTERS = {"conv_3x3": "c", "conv_5x5": "w", "separable": "s", "max_pool": "p"}


class DigitChains(svge.AbstractSearchSpace):
    """Chains of four layers, each a convolution, a wide one, a separable one or a pooling."""

    name = "digit_chains"
    title = "Chains for digits"
    operations = tuple(LETTERS)
    max_nodes = LAYERS + 2
    size = len(LETTERS) ** LAYERS
    gene_choices = (len(LETTERS),) * LAYERS
    equivalence = "Equal if every layer is the same."
    notation_in_words = "four letters such as digits:cwsp"
    varied_wiring = False
    positional = True

    # What a cell is: see the tutorial "Your own space", where these methods are explained one by one.
    def validate(self, cell: svge.Cell) -> None:
        self._validate_nodes(cell, "nodes")
        if cell.edges != CHAIN:
            raise svge.InvalidCellError(f"A chain has the edges {CHAIN}; got {cell.edges}.")

    def canonical(self, cell: svge.Cell) -> svge.Cell:
        self.validate(cell)
        return cell

    def key(self, cell: svge.Cell) -> str:
        return self.format(cell)

    def genotype(self, cell: svge.Cell) -> tuple[int, ...]:
        self.validate(cell)
        return tuple(self.operations.index(op) for op in cell.ops[1:-1])

    def from_genotype(self, genotype: tuple[int, ...]) -> svge.Cell:
        if len(genotype) != LAYERS or not all(0 <= gene < len(LETTERS) for gene in genotype):
            raise svge.InvalidCellError(f"A chain has {LAYERS} genes from 0 to 3; got {str(genotype)[:80]}.")
        return svge.Cell(("input", *(self.operations[gene] for gene in genotype), "output"), CHAIN)

    def enumerate(self) -> Iterator[svge.Cell]:
        return map(self.from_genotype, product(range(len(LETTERS)), repeat=LAYERS))

    def index(self, cell: svge.Cell) -> int:
        return int(np.ravel_multi_index(self.genotype(cell), self.gene_choices))

    def from_index(self, index: int) -> svge.Cell:
        if not 0 <= index < self.size:
            raise svge.ParseError(f"A chain has an index from 0 to {self.size - 1}; got {index}.")
        return self.from_genotype(tuple(map(int, np.unravel_index(index, self.gene_choices))))

    def format(self, cell: svge.Cell) -> str:
        self.validate(cell)
        return "digits:" + "".join(LETTERS[op] for op in cell.ops[1:-1])

    def parse(self, text: str) -> svge.Cell:
        head, _, letters = text.strip()[:40].partition(":")
        names = {letter: op for op, letter in LETTERS.items()}
        if head != "digits" or len(letters) != LAYERS or not set(letters) <= set(names):
            raise svge.ParseError(f"Expected four letters of c, w, s, p, such as digits:cwsp; got {text[:40]!r}.")
        return svge.Cell(("input", *(names[letter] for letter in letters), "output"), CHAIN)

    def random_cell(self, rng: np.random.Generator) -> svge.Cell:
        return self.from_index(int(rng.integers(self.size)))

    def neighbours(self, cell: svge.Cell) -> list[svge.Cell]:
        genes = self.genotype(cell)
        return [
            self.from_genotype((*genes[:place], other, *genes[place + 1 :]))
            for place in range(LAYERS)
            for other in range(len(LETTERS))
            if other != genes[place]
        ]

    def decoding_rules(self) -> DecodingRules:
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index("input")] = node_types[-1, self.vocabulary.index("output")] = True
        node_types[1:-1, 2:] = True
        edges = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        for source, target in CHAIN:
            edges[source, target] = 1
        return DecodingRules(node_types, edges)

    # What makes real training possible: where the builder of the network is. It is imported when it is needed.
    def network(self) -> str:
        return "digit_chains:build"

    # Parameters and multiply-accumulates of that network, counted by hand for images of 8 by 8 pixels.
    def cost(self, cell: svge.Cell) -> Cost:
        self.validate(cell)
        c = CHANNELS
        weights = {"conv_3x3": 9 * c * c, "conv_5x5": 25 * c * c, "separable": 9 * c + c * c, "max_pool": 0}
        products = 9 * c + sum(weights[op] for op in cell.ops[1:-1])  # of one pixel; the stem reads one colour
        norms = 2 * c * (1 + sum(op != "max_pool" for op in cell.ops[1:-1]))
        head = c * CLASSES
        parameters = products + norms + head + CLASSES
        return Cost(parameters / 1e6, (products * 64 + head) / 1e6, "8 channels, 8x8 grey pixels")


def build(cell: svge.Cell, *, channels: int = CHANNELS, num_classes: int = CLASSES, colours: int = 1) -> nn.Sequential:
    """The network of a chain: a stem, the four layers at full resolution, a mean over the pixels, a linear classifier.

    Its input is (batch, colours, height, width) of any height and width, its output (batch, num_classes).
    """

    def normed(*convolutions: nn.Module) -> nn.Sequential:
        return nn.Sequential(*convolutions, nn.BatchNorm2d(channels), nn.ReLU())

    def layer(op: str) -> nn.Module:
        if op == "max_pool":
            return nn.MaxPool2d(3, stride=1, padding=1)
        if op == "separable":
            depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
            return normed(depthwise, nn.Conv2d(channels, channels, 1, bias=False))
        side = {"conv_3x3": 3, "conv_5x5": 5}[op]
        return normed(nn.Conv2d(channels, channels, side, padding=side // 2, bias=False))

    stem = normed(nn.Conv2d(colours, channels, 3, padding=1, bias=False))
    layers = (layer(op) for op in cell.ops[1:-1])
    return nn.Sequential(stem, *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


# Needed where the package is not installed: importing it makes the space known.
svge.register_space(DigitChains())
