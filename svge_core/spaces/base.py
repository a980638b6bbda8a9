"""The search-space contract: everything the rest of the project may ask of a space.

A new space is one file with one subclass, made known by ``register_space``; the suite in ``svge_core.testing`` then
covers it. No other file asks which space it has: what is particular to one stands in the hooks at the end of the class.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.checks import one_cell
from svge_core.errors import DataError, InvalidCellError
from svge_core.spaces.hooks import (
    Alias,
    DrawingView,
    Entropy,
    GeneratorView,
    LargerSpace,
    Reference,
    SizeSplit,
    TextForm,
    WideNetwork,
)

#: larger spaces have an index, but no table, atlas or list of all their cells
MAX_ENUMERATED = 1_000_000

#: the choice at every gene of a cell
Genotype = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Analytic size of the network a cell stands for.

    Attributes:
        params_m: trainable parameters in millions.
        flops_m: multiply-accumulates of one forward pass in millions, as the space's authors count them.
        network: which network was counted (channels, repeats, input size, classes).
        params_range_m: fewest and most parameters in millions of the networks that the cell's authors' rules give it,
            where these depend on how the cell is written down; None where there is one.
    """

    params_m: float
    flops_m: float
    network: str
    params_range_m: tuple[float, float] | None = None


@dataclass(frozen=True)
class DecodingRules:
    """What a decoder may draw, position by position, so that every result is a member of the space.

    Attributes:
        node_types: bool (max_nodes, types); True where a type may stand at a position.
        edges: int8 (max_nodes, max_nodes) for source, target; 1 must be there, 0 must not, -1 free.
        any_size: the end may come at any position at which ``node_types`` allows it. Then every node but the first
            needs an edge into it and every node but the last one from it, and all inner positions must allow the same
            types.
        max_edges: most edges of a cell of any size; None for no bound.
    """

    node_types: np.ndarray
    edges: np.ndarray
    any_size: bool = False
    max_edges: int | None = None


@dataclass(frozen=True)
class CellArrays:
    """Many cells as padded arrays, in canonical form.

    Attributes:
        types: index into the vocabulary of every node, 0 at padded positions (cells, max_nodes).
        adjacency: 1 where an edge goes from the second axis to the third (cells, max_nodes, max_nodes).
        sizes: number of nodes (cells).
    """

    types: np.ndarray
    adjacency: np.ndarray
    sizes: np.ndarray


class AbstractSearchSpace(ABC):
    """A set of architectures, its notation, its symmetries and its moves. Implementations are final and stateless."""

    #: short identifier used in files, folders and links
    name: str
    #: name shown to people
    title: str
    #: operation vocabulary in the order of the genotype's digits
    operations: tuple[str, ...]
    #: most nodes of a cell, input and output included
    max_nodes: int
    #: number of cells, which have the indices 0 to size - 1; None where cells have no index
    size: int | None
    #: one sentence: when do two cells have the same key
    equivalence: str
    #: number of choices of each gene of the flat categorical genotype
    gene_choices: tuple[int, ...]
    #: whether cells differ in their edges, not in their operations alone
    varied_wiring: bool = True
    #: whether every gene has a place of its own in the cell that no relabelling can change
    positional: bool = False
    #: what :meth:`parse` reads, in words that follow "type" or "reads"
    notation_in_words: str = "an architecture string"
    #: its standard network in the limit of many channels; None where that is not known
    wide_network: WideNetwork | None = None
    #: first words of objectives that train networks of this space, such as ``digits``
    own_objectives: tuple[str, ...] = ()

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Node labels in the order of the model's type ids: output is 0, input is 1 (as SVGe), then the operations."""
        return (OUTPUT, INPUT, *self.operations)

    @property
    def enumerated(self) -> bool:
        """Whether all cells can be listed, so that there are tables, atlases and data sets of the whole space."""
        return self.size is not None and self.size <= MAX_ENUMERATED

    @abstractmethod
    def validate(self, cell: Cell) -> None:
        """Return nothing if the cell is a member.

        Raises:
            InvalidCellError: with the reason.
        """

    def _validate_nodes(self, cell: Cell, parts: str, fewest: int | None = None) -> None:
        """What the rules of all spaces have in common: the number of nodes, both ends, known operations between.

        Args:
            cell: that is looked at.
            parts: what the nodes are, in words that follow their number.
            fewest: least number of nodes; None where every cell has ``max_nodes``.

        Raises:
            InvalidCellError: with the reason.
        """
        one_cell(cell)
        if not (fewest or self.max_nodes) <= cell.num_nodes <= self.max_nodes:
            number = f"{fewest} to {self.max_nodes}" if fewest else f"{self.max_nodes}"
            raise InvalidCellError(f"A cell of {self.title} has {number} {parts}; got {cell.num_nodes}.")
        if cell.ops[0] != INPUT or cell.ops[-1] != OUTPUT:
            raise InvalidCellError(
                f"A cell of {self.title} starts with {INPUT!r} and ends with {OUTPUT!r}; "
                f"got {cell.ops[0][:40]!r} and {cell.ops[-1][:40]!r}."
            )
        for op in cell.ops[1:-1]:
            if op not in self.operations:
                raise InvalidCellError(f"Unknown operation {op[:40]!r}: expected one of {', '.join(self.operations)}.")

    def is_valid(self, cell: Cell) -> bool:
        """Whether the cell is a member of the space."""
        try:
            self.validate(cell)
        except InvalidCellError:
            return False
        return True

    @abstractmethod
    def canonical(self, cell: Cell) -> Cell:
        """The same architecture in the space's one canonical node order (what the encoder sees).

        Raises:
            InvalidCellError: if the cell is not a relabelling of a member.
        """

    @abstractmethod
    def key(self, cell: Cell) -> str:
        """Same text exactly when two cells compute the same thing, as the space's authors define it."""

    @cached_property  # two threads may make it twice: a lock could not be copied with the space
    def _indices_of_keys(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, cell in enumerate(self.enumerate()):
            found.setdefault(self.key(cell), []).append(index)
        return found

    def equivalents(self, cell: Cell) -> tuple[Cell, ...]:
        """All members with the key of a cell, canonical: the same ones in the same order for each of them.

        A space that cannot be listed knows the cell itself alone, unless it says more.
        """
        if not self.enumerated:
            return (self.canonical(cell),)
        indices = self._indices_of_keys[self.key(cell)]
        return tuple(dict.fromkeys(self.canonical(self.from_index(index)) for index in indices))

    def representative(self, cell: Cell) -> Cell:
        """The first of :meth:`equivalents`, without making the others."""
        if not self.enumerated:
            return self.equivalents(cell)[0]
        return self.canonical(self.from_index(self._indices_of_keys[self.key(cell)][0]))

    @abstractmethod
    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Draw one member; the distribution is stated by the space."""

    @abstractmethod
    def neighbours(self, cell: Cell) -> list[Cell]:
        """All members one edit away, without the cell itself and without repeats."""

    @abstractmethod
    def enumerate(self) -> Iterator[Cell]:
        """All members in the official index order.

        Raises:
            SvgeError: if the space is not enumerated.
        """

    @abstractmethod
    def parse(self, text: str) -> Cell:
        """Read a cell in the community's notation.

        Raises:
            ParseError: with what was expected and what came.
        """

    @abstractmethod
    def format(self, cell: Cell) -> str:
        """Write a cell in the community's notation; ``parse(format(cell)) == cell``."""

    @abstractmethod
    def genotype(self, cell: Cell) -> Genotype:
        """The flat categorical genotype, one choice per gene."""

    @abstractmethod
    def from_genotype(self, genotype: Genotype) -> Cell:
        """The cell of a genotype.

        Raises:
            InvalidCellError: if a gene is out of range or the genotype is not a member.
        """

    @abstractmethod
    def index(self, cell: Cell) -> int:
        """Position in the official order, that of :meth:`enumerate` where the space is enumerated.

        Raises:
            SvgeError: if cells of the space have no index.
        """

    @abstractmethod
    def from_index(self, index: int) -> Cell:
        """The cell at a position of the official order.

        Raises:
            ParseError: if there is no such position.
        """

    def arrays(self, indices: np.ndarray) -> CellArrays:
        """Canonical forms of the cells at many positions of the official order; large spaces have a faster way."""
        cells = [self.canonical(self.from_index(int(index))) for index in indices]
        ids = {label: number for number, label in enumerate(self.vocabulary)}
        types = np.zeros((len(cells), self.max_nodes), dtype=np.int64)
        adjacency = np.zeros((len(cells), self.max_nodes, self.max_nodes), dtype=np.int8)
        for row, cell in enumerate(cells):
            types[row, : cell.num_nodes] = [ids[op] for op in cell.ops]
            for source, target in cell.edges:
                adjacency[row, source, target] = 1
        return CellArrays(types, adjacency, np.array([cell.num_nodes for cell in cells], dtype=np.int64))

    @property
    def genes_have_places(self) -> bool:
        """Whether a gene says the same in every canonical cell, so that parts of a cell can be fixed by their genes."""
        return self.positional

    @property
    def digits_joined(self) -> bool:
        """Whether every choice is one digit, so that a genotype may be written without spaces."""
        return max(self.gene_choices) <= 10

    @property
    def has_cost(self) -> bool:
        """Whether cells stand for networks that can be counted: a space that leaves :meth:`cost` out has none."""
        return type(self).cost is not AbstractSearchSpace.cost

    def cost(self, cell: Cell) -> Cost:
        """Analytic parameters and multiply-accumulates of the cell's standard network.

        Raises:
            DataError: if the space has none; see :attr:`has_cost`.
        """
        raise DataError(f"Cells of {self.title} stand for no network: they have no parameters and no FLOPs.")

    def costs_of(self, cells: Iterable[Cell]) -> np.ndarray:
        """Parameters and multiply-accumulates in millions of many cells, (cells, 2); large spaces have a faster way.

        Raises:
            DataError: as :meth:`cost`.
        """
        return np.array([(cost.params_m, cost.flops_m) for cost in map(self.cost, cells)]).reshape(-1, 2)

    def costs(self) -> np.ndarray:
        """The same of all cells by official index, (cells, 2)."""
        return self.costs_of(self.enumerate())

    @abstractmethod
    def decoding_rules(self) -> DecodingRules:
        """The masks of constrained decoding."""

    # what is particular to a space; other parts read these values instead of asking which space it is

    def views(self) -> tuple[DrawingView, ...]:
        """How cells can be drawn, the view that is taken for members first; one draws any graph."""
        return (DrawingView(),)

    def text_forms(self) -> tuple[TextForm, ...]:
        """Further ways in which people write a cell."""
        return ()

    def resembles(self, text: str) -> bool:
        """Whether a text could be meant for the notation; if not, people are told all the forms there are."""
        return True

    def aliases(self, cell: Cell) -> tuple[Alias, ...]:
        """Further names of a member, for the panel and for files; the same names for every cell."""
        return ()

    def generator_view(self) -> GeneratorView | None:
        """Cells as the graphs that GraphPNAS draws; None where it has no view of the space."""
        return None

    def random_start(self, rng: np.random.Generator) -> Cell:
        """One cell of GraphPNAS's random start, canonical; by default as :meth:`random_cell`."""
        return self.canonical(self.random_cell(rng))

    def families(self) -> Mapping[str, Callable[[np.random.Generator], Cell]]:
        """The random generators that :meth:`random_cell` chooses from, by name; none where there is one alone."""
        return {}

    def family_entropy(self, family: str) -> Entropy | None:
        """How many nats tell one cell of a family from the others, as it was drawn; None where nobody has said."""
        return None

    def larger(self) -> LargerSpace | None:
        """The space of larger cells to extrapolate to; None where there is none."""
        return None

    def size_split(self, indices: np.ndarray) -> SizeSplit | None:
        """Which cells, by index, are small and which are larger; None where all are of one size."""
        return None

    def network(self) -> Reference | None:
        """What builds the trainable network of a cell: ``(cell, *, ...)``, its options being keyword-only."""
        return None

    def network_code(self) -> Reference | None:
        """What writes that network as a Python file: ``(cell, options) -> NetworkCode``; None where nobody has said."""
        return None

    def bundled_scores(self) -> Reference | None:
        """What reads the measured scores that come with the installation, as ``Scores`` of the whole space."""
        return None
