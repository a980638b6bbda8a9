"""Putting architectures side by side, from wherever one sees them: map, basket, Compare page. Callbacks and buttons."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from svge_core.cells import Cell
from svge_core.comparison import FEWEST_CELLS, MOST_CELLS
from svge_core.explorer import CellName, cell_name
from svge_core.spaces import AbstractSearchSpace
from ui.shared import session
from ui.shared.choices import CompareChoice

#: the line above the cells of the Compare page
LINE = "compare"


def add(name: CellName) -> None:
    """Put one more architecture beside the others, where there is room."""
    choice = session.compare_choice()
    if name in choice.cells:
        session.say(LINE, "This architecture stands there already.")
    elif len(choice.cells) >= MOST_CELLS:
        session.say(LINE, f"There is room for {MOST_CELLS} architectures: take one away first.")
    else:
        session.set_compare_choice(replace(choice, cells=(*choice.cells, name)))


def put(place: int, name: CellName) -> None:
    """Put an architecture in the place of another."""
    choice = session.compare_choice()
    cells = list(choice.cells)
    if name in cells and cells[place] != name:
        session.say(LINE, "This architecture stands there already.")
        return
    cells[place] = name
    session.set_compare_choice(replace(choice, cells=tuple(cells)))


def take_away(name: CellName) -> None:
    """Take an architecture out of the comparison; the differences are then marked from the same one as before."""
    choice = session.compare_choice()
    marked = choice.cells[choice.reference] if choice.reference < len(choice.cells) else None
    cells = tuple(other for other in choice.cells if other != name)
    session.set_compare_choice(CompareChoice(cells, cells.index(marked) if marked in cells else 0))


def compare_all(names: Sequence[CellName]) -> None:
    """Put these side by side instead of what was there: as many of them as there is room for."""
    different = tuple(dict.fromkeys(names))
    session.set_compare_choice(CompareChoice(different[:MOST_CELLS]))
    if len(different) > MOST_CELLS:
        session.say(
            LINE, f"The first {MOST_CELLS} of {len(different)} are shown: there is no room for more.", "success"
        )


def compare_button(space: AbstractSearchSpace, cell: Cell) -> None:
    """Beside a cell of the Map page: put it into the comparison, or go there once it holds enough."""
    name, choice = cell_name(space, cell), session.compare_choice()
    inside, full = name in choice.cells, len(choice.cells) >= MOST_CELLS
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", width="content", key="compare-buttons"
    ):
        st.button(
            "Compare",
            key="compare-add",
            icon=":material/compare:",
            type="tertiary",
            disabled=inside or full,
            on_click=add,
            args=(name,),
            help="It stands in the comparison"
            if inside
            else f"The comparison is full: it holds {MOST_CELLS}"
            if full
            else f"Put it beside others: {len(choice.cells)} of {MOST_CELLS} chosen",
        )
        if len(choice.cells) >= FEWEST_CELLS:
            st.page_link("pages/compare.py", label=f"{len(choice.cells)} side by side", icon=":material/compare:")
