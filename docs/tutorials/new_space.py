"""Your own search space: a chain of four layers, each a convolution of one of three sizes. 81 architectures."""

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

import svge_core as svge
from svge_core.spaces import Cost, DecodingRules
from svge_core.testing import SearchSpaceContract

# A cell is a labelled graph without cycles: the first node is "input", the last one "output", and every edge goes from
# a lower to a higher node. Ours is a chain, so only the labels of the four nodes between the ends differ.
LAYERS = 4
CHAIN = tuple((node, node + 1) for node in range(LAYERS + 1))


# A space answers for itself: which cells are its members, when two are the same, how they are written, what is one edit
# away. Everything else (models, maps, search, export) asks these methods and no other.
class ChainSpace(svge.AbstractSearchSpace):
    """Chains of four convolutions."""

    name = "chain4"
    title = "Chain of four"
    operations = ("conv_3x3", "conv_5x5", "conv_7x7")
    max_nodes = LAYERS + 2
    size = len(operations) ** LAYERS
    gene_choices = (len(operations),) * LAYERS
    equivalence = "Equal if every layer is the same."
    varied_wiring = False
    positional = True

    # Members, and their one canonical node order. A chain has only one order that respects its edges.
    def validate(self, cell: svge.Cell) -> None:
        self._validate_nodes(cell, "nodes")
        if cell.edges != CHAIN:
            raise svge.InvalidCellError(f"A chain has the edges {CHAIN}; got {cell.edges}.")

    def canonical(self, cell: svge.Cell) -> svge.Cell:
        self.validate(cell)
        return cell

    def key(self, cell: svge.Cell) -> str:
        return self.format(cell)

    # The flat genotype: one choice per layer. Search methods move in it.
    def genotype(self, cell: svge.Cell) -> tuple[int, ...]:
        self.validate(cell)
        return tuple(self.operations.index(op) for op in cell.ops[1:-1])

    def from_genotype(self, genotype: tuple[int, ...]) -> svge.Cell:
        if len(genotype) != LAYERS or not all(0 <= gene < len(self.operations) for gene in genotype):
            raise svge.InvalidCellError(f"A chain has {LAYERS} genes from 0 to 2; got {str(genotype)[:80]}.")
        return svge.Cell(("input", *(self.operations[gene] for gene in genotype), "output"), CHAIN)

    # The official order.
    def enumerate(self) -> Iterator[svge.Cell]:
        return map(self.from_genotype, product(range(len(self.operations)), repeat=LAYERS))

    def index(self, cell: svge.Cell) -> int:
        index = 0
        for gene in self.genotype(cell):
            index = index * len(self.operations) + gene
        return index

    def from_index(self, index: int) -> svge.Cell:
        if not 0 <= index < self.size:
            raise svge.ParseError(f"A chain has an index from 0 to {self.size - 1}; got {index}.")
        return self.from_genotype(tuple(int(digit) for digit in np.base_repr(index, 3).zfill(LAYERS)))

    # Notation: the kernel sizes, such as "3-5-7-3".
    def format(self, cell: svge.Cell) -> str:
        return "-".join("357"[gene] for gene in self.genotype(cell))

    def parse(self, text: str) -> svge.Cell:
        parts = text.strip().split("-")
        if len(parts) != LAYERS or not all(part in ("3", "5", "7") for part in parts):
            raise svge.ParseError(f"Expected {LAYERS} kernel sizes such as 3-5-7-3; got {text[:40]!r}.")
        return self.from_genotype(tuple("357".index(part) for part in parts))

    # Chance and moves.
    def random_cell(self, rng: np.random.Generator) -> svge.Cell:
        """Uniform."""
        return self.from_index(int(rng.integers(self.size)))

    def neighbours(self, cell: svge.Cell) -> list[svge.Cell]:
        genes = self.genotype(cell)
        return [
            self.from_genotype((*genes[:place], other, *genes[place + 1 :]))
            for place in range(LAYERS)
            for other in range(len(self.operations))
            if other != genes[place]
        ]

    # What a decoder may draw at which position: with these masks every decoding is a member.
    def decoding_rules(self) -> DecodingRules:
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index("input")] = node_types[-1, self.vocabulary.index("output")] = True
        node_types[1:-1, 2:] = True
        edges = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        for source, target in CHAIN:
            edges[source, target] = 1
        return DecodingRules(node_types, edges)

    # What a network of it costs: here 16 channels and a 32x32 image.
    def cost(self, cell: svge.Cell) -> Cost:
        weights = sum(int("357"[gene]) ** 2 * 16 * 16 for gene in self.genotype(cell))
        return Cost(weights / 1e6, weights * 32 * 32 / 1e6, "16 channels, 32x32")


# The contract suite tests every promise. In a test module these two lines are all it takes; pytest does the rest.
class TestChainSpace(SearchSpaceContract):
    space = ChainSpace()


# Registered, the space works wherever a space is named: training, search, map, export. The command line and the app
# are told by the module's name, from its folder: SVGE_PLUGINS=new_space python -m svge_core search --space chain4 ...
space = svge.register_space(ChainSpace())

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "chain4" / "svge"
        svge.train(
            "chain4",
            checkpoint,
            svge.ModelConfig(hidden=16, latent=6, beta=0.02),
            svge.TrainConfig(epochs=120, batch_size=16, kl_warmup_epochs=5, warmup_steps=20, held_out=0.1),
        )
        model = svge.load_checkpoint(checkpoint)
        cells = list(space.enumerate())
        back = model.decode(model.encode(cells), constrained=True, seed=0)
        same = sum(a == b for a, b in zip(cells, back, strict=True))
        print(f"{same} of {len(cells)} cells come back from their latents")
        assert same > len(cells) // 2
