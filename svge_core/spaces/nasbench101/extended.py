"""Cells with one vertex more than NAS-Bench-101 has: outside the known space, measured by nobody.

The three operations, the pruning rule, the md5 key and the network are those of NAS-Bench-101; only the bounds move.
By default the bound of nine edges stays, so that the number of vertices alone is extrapolated. The space is not in
``SPACES``: it has no table, index or scores, and no page offers it for exploration.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import ParseError, SvgeError
from svge_core.spaces.base import CellArrays, DecodingRules
from svge_core.spaces.hooks import Alias, LargerSpace, SizeSplit, TextForm
from svge_core.spaces.nasbench101.codes import MAX_EDGES, MAX_VERTICES, canonical_order, upper_pairs
from svge_core.spaces.nasbench101.space import MAX_TEXT, OPERATIONS, NASBench101, digits, from_matrix

VERTICES = MAX_VERTICES + 1
_DRAWS = 4_096


class ExtendedNASBench101(NASBench101):
    """NAS-Bench-101 with up to eight vertices.

    Members have 2 to 8 vertices, so that every cell of NAS-Bench-101 is one; what is drawn or decoded has exactly 8.

    Args:
        max_edges: most edges of a cell, 7 or more; NAS-Bench-101 has 9. The paper's own extension had no bound.

    Raises:
        SvgeError: if eight vertices cannot be connected with so few edges, or there are not so many pairs.
    """

    name = "nasbench101_8"
    max_nodes = VERTICES
    notation_in_words = "a ModelSpec as JSON"
    size = None  # type: ignore[assignment]
    equivalence = (
        "two cells are the same if the md5 key of their labelled graphs, made by the authors' recipe, is equal"
    )
    gene_choices = (2,) * len(upper_pairs(VERTICES)) + (len(OPERATIONS),) * (VERTICES - 2)

    def __init__(self, max_edges: int = MAX_EDGES) -> None:
        if not VERTICES - 1 <= max_edges <= len(upper_pairs(VERTICES)):
            raise SvgeError(
                f"Cells of {VERTICES} vertices have {VERTICES - 1} to {len(upper_pairs(VERTICES))} edges; "
                f"got a bound of {max_edges}."
            )
        self.max_edges = max_edges
        self.title = f"NAS-Bench-101 extended to {VERTICES} vertices and at most {max_edges} edges"

    def canonical(self, cell: Cell) -> Cell:
        """Vertices by depth, ties by operations, then by adjacency: for smaller cells the form of NAS-Bench-101."""
        self.validate(cell)
        return cell.relabelled(canonical_order(digits(cell), cell.edges))

    def code(self, cell: Cell) -> int:
        """Raises: the 64-bit codes end at seven vertices."""
        raise SvgeError(f"Cells of {self.title} have no code.")

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """Exactly 8 vertices: every edge with the same probability, every operation; redrawn until it is a member."""
        return self.random_cells(rng, 1)[0]

    def random_cells(self, rng: np.random.Generator, count: int) -> list[Cell]:
        """Many at once, as :meth:`random_cell`; there may be repeats."""
        pairs = np.array(upper_pairs(VERTICES))
        found: list[Cell] = []
        while len(found) < count:
            bits = rng.random((_DRAWS, len(pairs))) < min(self.max_edges / len(pairs), 0.5)
            keep = bits.sum(1) <= self.max_edges
            for vertex in range(VERTICES):
                keep &= (vertex == 0) | bits[:, pairs[:, 1] == vertex].any(1)
                keep &= (vertex == VERTICES - 1) | bits[:, pairs[:, 0] == vertex].any(1)
            for row in np.flatnonzero(keep):
                ops: list[str] = [OPERATIONS[digit] for digit in rng.integers(len(OPERATIONS), size=VERTICES - 2)]
                edges = tuple((int(u), int(v)) for u, v in pairs[bits[row]])
                found.append(Cell((INPUT, *ops, OUTPUT), edges))
        return found[:count]

    def neighbours(self, cell: Cell) -> list[Cell]:
        """Raises: the one-edit moves are those of the known space."""
        raise SvgeError(f"The neighbours of a cell of {self.title} are not listed.")

    def enumerate(self) -> Iterator[Cell]:
        """Raises: nobody has listed them."""
        raise SvgeError(f"{self.title} is not enumerated. Draw cells at random instead.")

    def parse(self, text: str) -> Cell:
        """Read a ModelSpec as JSON (``matrix``, ``ops``); an md5 key cannot be looked up here."""
        try:
            spec: Any = json.loads(text) if len(text) <= MAX_TEXT else None
            matrix, ops = spec["matrix"], spec["ops"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ParseError(
                f'Not a cell of {self.title}: expected a ModelSpec {{"matrix": ..., "ops": ...}}; got {text[:80]!r}.'
            ) from None
        cell, _ = from_matrix(matrix, ops, VERTICES)
        self.validate(cell)
        return cell

    def index(self, cell: Cell) -> int:
        """Raises: cells have no index."""
        raise SvgeError(f"Cells of {self.title} have no index.")

    def from_index(self, index: int) -> Cell:
        """Raises: cells have no index."""
        raise ParseError(f"Cells of {self.title} have no index; got {index}.")

    def arrays(self, indices: np.ndarray) -> CellArrays:
        """Raises: cells have no index."""
        raise SvgeError(f"Cells of {self.title} have no index.")

    def decoding_rules(self) -> DecodingRules:
        """Exactly 8 vertices, the smaller cells being those of the known space; else as in NAS-Bench-101."""
        rules = super().decoding_rules()
        rules.node_types[1:-1, self.vocabulary.index(OUTPUT)] = False
        return rules

    def text_forms(self) -> tuple[TextForm, ...]:
        """None: an md5 key cannot be looked up here."""
        return ()

    def aliases(self, cell: Cell) -> tuple[Alias, ...]:
        """None: the authors' files do not hold these cells."""
        return ()

    def larger(self) -> LargerSpace | None:
        """None: nothing is extrapolated twice."""
        return None

    def size_split(self, indices: np.ndarray) -> SizeSplit | None:
        """None: cells have no index."""
        return None
