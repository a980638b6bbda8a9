"""What people and files call a cell: its official index, or where cells have none, its notation or place on the map."""

import numpy as np
from jaxtyping import Int

from svge_core.cells import Cell
from svge_core.evaluation import title
from svge_core.explorer.charted import ChartedCells
from svge_core.spaces import AbstractSearchSpace

#: an official index; the notation where cells have none
CellName = int | str


def cell_name(space: AbstractSearchSpace, cell: Cell) -> CellName:
    """The name of a cell, the same for every way of writing it."""
    return space.format(space.canonical(cell)) if space.size is None else space.index(cell)


def cell_named(space: AbstractSearchSpace, name: CellName) -> Cell:
    """The cell of a name.

    Raises:
        ParseError: if there is none.
    """
    return space.canonical(space.parse(name)) if isinstance(name, str) else space.from_index(name)


def short_name(index: int | None, row: int | None) -> str:
    """A cell in a few characters: "#12" by its index, else "no. 3" by its place on the map, counted from 1."""
    if index is not None:
        return f"#{index}"
    return "not on the map" if row is None else f"no. {row + 1}"


def charted_name(explorer: ChartedCells, row: int) -> str:
    """The short name of the cell of a row."""
    return short_name(None if explorer.atlas.drawn is not None else int(explorer.atlas.indices[row]), row)


def point_labels(explorer: ChartedCells, rows: Int[np.ndarray, " cells"] | None = None) -> list[str]:
    """One line for every charted cell: name and notation; of cells without an index their generator and sizes.

    Args:
        explorer: of the chart.
        rows: of the same cells in another chart, which numbers those without an index, -1 for those that it does not
            have and that have no number then; None for the numbers of this chart.
    """
    atlas, space = explorer.atlas, explorer.space
    if atlas.drawn is None:
        cells = atlas.cells(space, np.arange(len(atlas)))
        return [f"#{index}  {space.format(cell)}" for index, cell in zip(atlas.indices.tolist(), cells, strict=True)]
    names, family = tuple(map(title, atlas.drawn.families)), atlas.drawn.family.tolist()
    shown = [key for key in ("edges", "depth") if key in explorer.scores.meanings]
    columns = [explorer.scores.frame[key].to_numpy() for key in shown]
    lines = []
    for row in range(len(atlas)):
        sizes = [f"{key} {column[row]:g}" for key, column in zip(shown, columns, strict=True)]
        numbered = row if rows is None else int(rows[row])
        name = f"{short_name(None, numbered)}  " if numbered >= 0 else ""
        lines.append(", ".join([f"{name}{names[family[row]]}", *sizes]))
    return lines
