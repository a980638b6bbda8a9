"""The contract suite on a space of varied size whose decoding rules are exact: chains of one to three operations."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, ParseError
from svge_core.spaces import AbstractSearchSpace, DecodingRules
from svge_core.testing import SearchSpaceContract

MOST = 3
MEMBERS = [word for length in range(1, MOST + 1) for word in product("ab", repeat=length)]


def chain(word: tuple[str, ...]) -> Cell:
    return Cell((INPUT, *word, OUTPUT), tuple((node, node + 1) for node in range(len(word) + 1)))


class Pipes(AbstractSearchSpace):
    """Chains of one to three operations; a genotype is one gene, the index."""

    name = "pipes"
    title = "Pipes"
    operations = ("a", "b")
    max_nodes = MOST + 2
    size = len(MEMBERS)
    gene_choices = (len(MEMBERS),)
    equivalence = "Equal if every operation is the same."
    varied_wiring = False
    positional = True

    def validate(self, cell: Cell) -> None:
        self._validate_nodes(cell, "nodes", fewest=3)
        if cell != chain(cell.ops[1:-1]):
            raise InvalidCellError(f"Expected a chain of 1 to {MOST} operations; got {cell.num_nodes} nodes.")

    def canonical(self, cell: Cell) -> Cell:
        self.validate(cell)
        return cell

    def key(self, cell: Cell) -> str:
        return self.format(cell)

    def genotype(self, cell: Cell) -> tuple[int, ...]:
        return (self.index(cell),)

    def from_genotype(self, genotype: tuple[int, ...]) -> Cell:
        if len(genotype) != 1 or not 0 <= genotype[0] < len(MEMBERS):
            raise InvalidCellError(f"Expected one gene from 0 to {len(MEMBERS) - 1}; got {str(genotype)[:40]}.")
        return chain(MEMBERS[genotype[0]])

    def enumerate(self) -> Iterator[Cell]:
        return map(chain, MEMBERS)

    def index(self, cell: Cell) -> int:
        self.validate(cell)
        return MEMBERS.index(cell.ops[1:-1])

    def from_index(self, index: int) -> Cell:
        if not 0 <= index < len(MEMBERS):
            raise ParseError(f"Expected an index from 0 to {len(MEMBERS) - 1}; got {index}.")
        return chain(MEMBERS[index])

    def format(self, cell: Cell) -> str:
        self.validate(cell)
        return "".join(cell.ops[1:-1])

    def parse(self, text: str) -> Cell:
        if (word := tuple(text.strip())) not in MEMBERS:
            raise ParseError(f"Expected 1 to {MOST} letters a or b; got {text[:40]!r}.")
        return chain(word)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        return self.from_index(int(rng.integers(len(MEMBERS))))

    def neighbours(self, cell: Cell) -> list[Cell]:
        return [other for other in self.enumerate() if other != cell]

    def decoding_rules(self) -> DecodingRules:
        types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        types[0, self.vocabulary.index(INPUT)] = True
        types[1, 2:] = True
        types[2:-1] = [label != INPUT for label in self.vocabulary]
        types[-1, self.vocabulary.index(OUTPUT)] = True
        return DecodingRules(types, np.eye(self.max_nodes, k=1, dtype=np.int8), any_size=True)


class TestPipes(SearchSpaceContract):
    space = Pipes()
    has_cost = False
