"""`Comparison`: two to four cells of one space side by side, with all that is known of each and of every pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svge_core.cells import Cell, Difference, Highlight, difference
from svge_core.comparison.pairs import CellPair, RandomPairs, cell_pairs, random_pairs
from svge_core.comparison.rich import comparison_html
from svge_core.comparison.scores import ScoreRow, score_rows
from svge_core.errors import DataError, SvgeError
from svge_core.explorer import Explorer, Inspection, column, column_names, short_name
from svge_core.spaces import AbstractSearchSpace

FEWEST_CELLS, MOST_CELLS = 2, 4


@dataclass(frozen=True)
class Comparison:
    """Cells in the order given, each inspected, with every pair of them and every score.

    Attributes:
        space: of the cells.
        checkpoint: digest of the weights that the latents are of.
        cells: all there is to say about each.
        pairs: (0, 1), (0, 2), ..., each pair once.
        rows: scores, those of one source in one row.
        random: what distances are held against.
    """

    space: AbstractSearchSpace
    checkpoint: str
    cells: tuple[Inspection, ...]
    pairs: tuple[CellPair, ...]
    rows: tuple[ScoreRow, ...]
    random: RandomPairs

    @property
    def architectures(self) -> tuple[Cell, ...]:
        """The cells themselves, in canonical form."""
        return tuple(_cell(found) for found in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Short names: "#12" by the index, "no. 3" by the place on the map, "not on the map" for others."""
        return tuple(short_name(found.index, found.row) for found in self.cells)

    def pair(self, one: int, other: int) -> CellPair:
        """The pair of two different positions, in either order.

        Raises:
            SvgeError: if there are no two such cells.
        """
        wanted = (min(one, other), max(one, other))
        found = next((pair for pair in self.pairs if (pair.first, pair.second) == wanted), None)
        if found is None:
            raise SvgeError(f"Expected two different positions from 0 to {len(self.cells) - 1}; got {one} and {other}.")
        return found

    def change(self, start: int, end: int) -> Difference:
        """What turns one cell into another, for marking it in the drawings of both."""
        cells = self.architectures
        return difference(cells[start], cells[end])

    def marks(self, reference: int) -> tuple[Highlight | None, ...]:
        """What drawings mark, cell by cell: what differs from one of them.

        That one has nothing marked, as what goes depends on the other; where there is one other, it is marked too.
        """
        found: list[Highlight | None] = [
            None if place == reference else self.change(reference, place).second for place in range(len(self.cells))
        ]
        if len(self.cells) == FEWEST_CELLS:
            found[reference] = self.change(reference, 1 - reference).first
        return tuple(found)

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return comparison_html(self)


def compare_cells(explorer: Explorer, cells: Sequence[Cell]) -> Comparison:
    """Put cells side by side.

    Args:
        explorer: an open checkpoint.
        cells: two to four different members of its space.

    Raises:
        SvgeError: if they are too few or too many.
        DataError: if one is given twice.
        InvalidCellError: if one is no member.
    """
    if not FEWEST_CELLS <= len(cells) <= MOST_CELLS:
        raise SvgeError(f"A comparison is of {FEWEST_CELLS} to {MOST_CELLS} architectures; got {len(cells)}.")
    space = explorer.space
    members = [space.canonical(cell) for cell in cells]
    for number, cell in enumerate(members):
        if cell in members[:number]:
            first = members.index(cell)
            raise DataError(f"Architectures {first + 1} and {number + 1} are the same: give each one once.")
    found = tuple(explorer.inspect_cell(cell) for cell in members)
    others = random_pairs(explorer.atlas)
    latents = np.stack([each.place.latent[explorer.atlas.first :] for each in found])
    return Comparison(
        space,
        explorer.checkpoint.digest,
        found,
        cell_pairs(space, members, latents, others),
        score_rows(explorer, found),
        others,
    )


def example_pair(explorer: Explorer) -> tuple[Cell, Cell]:
    """Two charted cells worth a look: the best by the first score there is, and the one nearest to it in the latent
    space."""
    row = 0
    for name in column_names(explorer):
        if name.kind in ("measured", "predicted"):
            shown = column(explorer, name.key)
            known = np.isfinite(shown.values)
            if known.any():
                row = int(np.nanargmax(shown.values) if shown.direction == "max" else np.nanargmin(shown.values))
                break
    near = explorer.atlas.place_of_cell(explorer.plane_names[0], row, 1).neighbours
    first, second = explorer.cells_at(np.array([row, int(near[0])]))
    return explorer.space.canonical(first), explorer.space.canonical(second)


def _cell(found: Inspection) -> Cell:
    assert found.cell is not None  # a known cell was asked for
    return found.cell
