"""A search space of somebody else, in one file: two arms of three operations from the input to the output.

Importing this module makes the space known; nothing else mentions it. The arms are parallel, so a ring read from its
other side is the same ring: 27 arms give 27 * 28 / 2 = 378 cells.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, ParseError
from svge_core.spaces import AbstractSearchSpace, Alias, Cost, DecodingRules, TextForm, register_space

ARM, SIZE = 3, 378
OPERATIONS = ("conv", "gate", "skip")
EDGES = ((0, 1), (0, 4), (1, 2), (2, 3), (3, 7), (4, 5), (5, 6), (6, 7))
#: two arms of three of three operations, in whichever order
SIZE = 378
_LETTERS = re.compile(r"[CGScgs]{3}\.[CGScgs]{3}")


@cache
def _all_cells() -> dict[Cell, int]:
    arms = product(OPERATIONS, repeat=ARM)
    rings = combinations_with_replacement(arms, 2)
    return {Cell((INPUT, *first, *second, OUTPUT), EDGES): index for index, (first, second) in enumerate(rings)}


class RingSpace(AbstractSearchSpace):
    """Rings of six operations between an input and an output."""

    name = "ring"
    title = "Rings of six"
    operations = OPERATIONS
    max_nodes = 2 * ARM + 2
    size = SIZE
    gene_choices = (len(OPERATIONS),) * 2 * ARM
    varied_wiring = False
    equivalence = "Two rings are equivalent exactly when they have the same two arms, in whichever order."
    notation_in_words = "a ring such as ring:conv-gate-skip/skip-skip-conv"

    def validate(self, cell: Cell) -> None:
        """Expects the two arms one after the other."""
        self._validate_nodes(cell, "nodes (input, two arms of three operations, output)")
        if cell.edges != EDGES:
            raise InvalidCellError(f"Every ring has the edges {list(EDGES)}; got {list(cell.edges)}.")

    def canonical(self, cell: Cell) -> Cell:
        """The arms in the order of the vocabulary."""
        self._validate_nodes(cell, "nodes (input, two arms of three operations, output)")
        arms = [self._arm(cell, first) for first in cell.targets[0]]
        if [len(arm) for arm in arms] != [ARM, ARM] or len(cell.edges) != len(EDGES):
            raise InvalidCellError(f"A ring has two arms of {ARM} operations; got the edges {list(cell.edges)}.")
        first, second = sorted(arms, key=lambda arm: [OPERATIONS.index(op) for op in arm])
        return Cell((INPUT, *first, *second, OUTPUT), EDGES)

    def _arm(self, cell: Cell, node: int) -> tuple[str, ...]:
        found = []
        while node != cell.num_nodes - 1 and len(cell.targets[node]) == 1:
            found.append(cell.ops[node])
            node = cell.targets[node][0]
        return tuple(found)

    def key(self, cell: Cell) -> str:
        """The notation of the canonical form."""
        return self.format(self.canonical(cell))

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Uniform over the 378 rings."""
        return self.from_index(int(rng.integers(SIZE)))

    def neighbours(self, cell: Cell) -> list[Cell]:
        """The rings that differ in one operation."""
        genes, own = self.genotype(cell), self.canonical(cell)
        changed = (
            self.from_genotype((*genes[:place], choice, *genes[place + 1 :]))
            for place in range(len(genes))
            for choice in range(len(OPERATIONS))
        )
        return [other for other in dict.fromkeys(changed) if other != own]

    def enumerate(self) -> Iterator[Cell]:
        """By the first arm, then by the second."""
        return iter(_all_cells())

    def parse(self, text: str) -> Cell:
        """Read ``ring:conv-gate-skip/skip-skip-conv``."""
        head, _, arms = text.strip()[:100].partition(":")
        ops = arms.replace("/", "-").split("-")
        if head != "ring" or len(ops) != 2 * ARM or arms.count("/") != 1 or set(ops) - set(OPERATIONS):
            raise ParseError(f"Not a ring: expected ring:conv-gate-skip/skip-skip-conv, got {text[:60]!r}.")
        return self.canonical(Cell((INPUT, *ops, OUTPUT), EDGES))

    def format(self, cell: Cell) -> str:
        """Write ``ring:conv-gate-skip/skip-skip-conv``."""
        self.validate(cell)
        return f"ring:{'-'.join(cell.ops[1 : ARM + 1])}/{'-'.join(cell.ops[ARM + 1 : -1])}"

    def genotype(self, cell: Cell) -> tuple[int, ...]:
        """The operations of the canonical form."""
        return tuple(OPERATIONS.index(op) for op in self.canonical(cell).ops[1:-1])

    def from_genotype(self, genotype: tuple[int, ...]) -> Cell:
        """The canonical ring of six digits."""
        if len(genotype) != 2 * ARM or any(gene not in range(len(OPERATIONS)) for gene in genotype):
            raise InvalidCellError(f"The genotype of a ring is six digits from 0 to 2; got {str(genotype)[:60]}.")
        return self.canonical(Cell((INPUT, *(OPERATIONS[gene] for gene in genotype), OUTPUT), EDGES))

    def index(self, cell: Cell) -> int:
        """Place in :meth:`enumerate`."""
        return _all_cells()[self.canonical(cell)]

    def from_index(self, index: int) -> Cell:
        """The ring at a place."""
        if not 0 <= index < SIZE:
            raise ParseError(f"An index of a ring lies between 0 and {SIZE - 1}; got {index}.")
        return list(_all_cells())[index]

    def decoding_rules(self) -> DecodingRules:
        """Fixed edges, any operation."""
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, 1] = node_types[-1, 0] = True
        node_types[1:-1, 2:] = True
        edges = np.zeros((self.max_nodes, self.max_nodes), dtype=np.int8)
        for source, target in EDGES:
            edges[source, target] = 1
        return DecodingRules(node_types, edges)

    def cost(self, cell: Cell) -> Cost:
        """A convolution has 0.09 million parameters, a gate 0.01."""
        worth = {"conv": 0.09, "gate": 0.01, "skip": 0.0}
        ops = self.canonical(cell).ops[1:-1]
        return Cost(sum(map(worth.__getitem__, ops)), 10 * sum(map(worth.__getitem__, ops)), "a ring of 96 channels")

    def text_forms(self) -> tuple[TextForm, ...]:
        """The first letters, as in ``CGS.SSC``."""
        return (TextForm("six letters such as CGS.SSC", _LETTERS, self._from_letters, ("letters",)),)

    def _from_letters(self, text: str) -> Cell:
        names = {op[0]: op for op in OPERATIONS}
        if not _LETTERS.fullmatch(text):
            raise ParseError(f"Expected six letters such as CGS.SSC, got {text[:60]!r}.")
        ops = (names[letter] for letter in text.lower().replace(".", ""))
        return self.canonical(Cell((INPUT, *ops, OUTPUT), EDGES))

    def aliases(self, cell: Cell) -> tuple[Alias, ...]:
        """The first letters."""
        letters = "".join(op[0].upper() for op in self.canonical(cell).ops[1:-1])
        text = f"{letters[:ARM]}.{letters[ARM:]}"
        return (Alias("letters", "letters", text, text, many="Letters"),)


register_space(RingSpace())
