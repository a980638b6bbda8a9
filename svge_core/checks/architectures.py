"""Architectures that a person gave."""

from collections.abc import Iterable

from svge_core.cells import Cell
from svge_core.errors import InvalidCellError


def one_cell(value: Cell) -> Cell:
    """A cell, and not a text or a number that stands for one.

    Raises:
        InvalidCellError: if it is anything else.
    """
    if not isinstance(value, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        raise InvalidCellError(
            f"Expected a Cell; got {value!r:.80}. space.parse(text) and space.from_index(index) make cells."
        )
    return value


def many_cells(values: Iterable[Cell]) -> list[Cell]:
    """Several cells.

    Raises:
        InvalidCellError: if it is a single one, a text, or one of them is no cell.
    """
    if isinstance(values, (Cell, str)):
        raise InvalidCellError(f"Expected a list of cells; got {values!r:.80}. Put it into a list.")
    return [one_cell(value) for value in values]
