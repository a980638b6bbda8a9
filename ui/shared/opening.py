"""What a page shows before anybody has chosen anything: shown, not chosen, so there is nothing to undo, to keep or to
put into the address. It gives way to any choice, and to Esc."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.explorer import Column, Explorer, cell_name, charted_name, column, column_names
from ui.latent_map.values import MapFlight
from ui.shared import reruns, session
from ui.shared.choices import CellFocus
from ui.shared.numbers import number_in_words
from ui.shared.theme import plain

_CLOSED, _FLIGHT = "opening_closed", "map_flight"


@dataclass(frozen=True)
class _Flight:
    space: str
    plane: PlaneName
    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Ranked:
    """Cells by the shown column, best first.

    Attributes:
        column: they are ranked by.
        rows: of the atlas.
        of: how many cells have a value.
    """

    column: Column
    rows: tuple[int, ...]
    of: int


def ranked(explorer: Explorer, shown: Column, keep: np.ndarray | None, count: int) -> Ranked | None:
    """The best cells by the shown column, or where that is no score, by the first score there is.

    Args:
        explorer: gives the columns.
        shown: the column that colours the map.
        keep: true for the rows that pass the filter; None for all.
        count: how many; fewer where fewer have a value.

    Returns:
        None where nothing is known or predicted of any cell that passes.
    """
    by = scored(explorer, shown)
    if by is None:
        return None
    key = (explorer.digest, by.name.key, None if keep is None else keep.tobytes(), count)
    return reruns.memo(f"ranked {count}", key, lambda: _ranked(by, keep, count))


def scored(explorer: Explorer, shown: Column) -> Column | None:
    """The shown column if it is a score that was measured or predicted, else the first there is."""
    return shown if shown.name.kind in ("measured", "predicted") else first_score(explorer)


def first_score(explorer: Explorer) -> Column | None:
    """The first score that was measured or predicted; None where there is none."""
    names = [name for name in column_names(explorer) if name.kind in ("measured", "predicted")]
    return column(explorer, names[0].key) if names else None


def _ranked(by: Column, keep: np.ndarray | None, count: int) -> Ranked | None:
    known = np.isfinite(by.values) if keep is None else np.isfinite(by.values) & keep
    rows = best_rows(by, keep, count)
    return Ranked(by, rows, int(known.sum())) if rows else None


def best_rows(by: Column, keep: np.ndarray | None, count: int) -> tuple[int, ...]:
    """Rows of the atlas with the best values, best first; of equal ones the first rows.

    Args:
        by: the column.
        keep: true for the rows that may be chosen; None for all.
        count: how many; fewer where fewer have a value.
    """
    rows = np.flatnonzero(np.isfinite(by.values) if keep is None else np.isfinite(by.values) & keep)
    if not len(rows) or not count:
        return ()
    values = by.values[rows] if by.direction == "min" else -by.values[rows]
    last = np.partition(values, min(count, len(rows)) - 1)[min(count, len(rows)) - 1]
    few = np.flatnonzero(values <= last)  # all that are as good as the last: a choice among equals would be by chance
    return tuple(rows[few[np.lexsort((rows[few], values[few]))]][:count].tolist())


def value_in_words(by: Column, row: int) -> str:
    """A value as people write it; a predicted one in violet, with ≈."""
    unit = f" {by.unit}" if by.unit else ""
    number = plain(f"{number_in_words(float(by.values[row]), by.unit)}{unit}")
    return f":violet[*≈ {number}*]" if by.name.kind == "predicted" else f"**{number}**"


def cells_of(explorer: Explorer) -> str:
    """What the cells of the map are called: where it shows a sample, nothing is said of the others."""
    return "cells" if len(explorer.atlas) == explorer.space.size else "charted cells"


def best_in_words(explorer: Explorer, found: Ranked, *, filtered: bool) -> str:
    """One line on the best cell: of how many, by what, which, how good."""
    cells = cells_of(explorer) + (" that pass the filter" if filtered else "")
    title = plain(found.column.name.title)
    row = found.rows[0]
    name = plain(charted_name(explorer, row))
    return f"**Best of {found.of:,} {cells}** by {title}: **{name}**, {value_in_words(found.column, row)}"


def focus_of(explorer: Explorer, row: int) -> CellFocus:
    """The focus on a charted cell."""
    return CellFocus(cell_name(explorer.space, explorer.cells_at(np.array([row]))[0]))


def opened(explorer: Explorer, found: Ranked | None) -> CellFocus | None:
    """The best cell, while nothing is chosen and Esc has not closed it."""
    if found is None or session.focus() is not None or session.space_name() in st.session_state.get(_CLOSED, ()):
        return None
    return focus_of(explorer, found.rows[0])


def close() -> None:
    """From here on, nothing chosen is shown as nothing chosen."""
    st.session_state[_CLOSED] = {*st.session_state.get(_CLOSED, ()), session.space_name()}


# ---- flights ----------------------------------------------------------------------------------------------------


def fly_to(plane: PlaneName, x: float, y: float) -> None:
    """From a callback: have the map move there."""
    asked: _Flight | None = st.session_state.get(_FLIGHT)
    number = 1 if asked is None else asked.number + 1
    st.session_state[_FLIGHT] = _Flight(session.space_name(), plane, number, x, y)


def flight(plane: PlaneName) -> MapFlight | None:
    """The last one on the shown map."""
    asked: _Flight | None = st.session_state.get(_FLIGHT)
    if asked is None or (asked.space, asked.plane) != (session.space_name(), plane):
        return None
    return MapFlight(asked.number, asked.x, asked.y)
