"""The architectures of a comparison in a row: a field for each, its drawing with what differs marked, and its facts."""

from dataclasses import replace

import streamlit as st

from svge_core.cells import Highlight, change_in_words, edits_in_words
from svge_core.comparison import FEWEST_CELLS, MOST_CELLS, Comparison
from svge_core.errors import SvgeError
from svge_core.explorer import CellName, Explorer, Inspection, cell_name, cell_named, find_cell, find_forms
from svge_core.spaces import AbstractSearchSpace
from ui.interpolate.strip import drawing
from ui.shared import session
from ui.shared.basket import cells_of, entry_for
from ui.shared.cell_panel import MEMBERSHIP, add_to_basket, names
from ui.shared.choices import CellFocus
from ui.shared.comparing import LINE, add, compare_all, put, take_away
from ui.shared.theme import plain, theme_name

#: entries of the basket that are offered
OFFERED = 30
#: least width of a place in pixels; where fewer fit, the rest go below
WIDTH = 250


def places(explorer: Explorer, comparison: Comparison | None) -> None:
    """Show the architectures that are chosen, and where there is room a place for one more."""
    chosen = session.compare_choice().cells
    with st.container(horizontal=True, gap="small", key="compare-places", vertical_alignment="top"):
        for place, name in enumerate(chosen):
            with st.container(border=True, gap="small", width=WIDTH, key=f"compare-place-{place}"):
                _field(explorer, place, name)
                if comparison is not None:
                    _shown(explorer, comparison, place)
                else:
                    _alone(explorer, name, place)
        if len(chosen) < MOST_CELLS:
            with st.container(border=True, gap="small", width=WIDTH, key="compare-place-new"):
                _one_more(explorer, len(chosen))


def reference_control(comparison: Comparison) -> None:
    """Which architecture the others' differences are marked from."""
    choice = session.compare_choice()
    st.session_state["w-compare-with"] = choice.reference
    st.segmented_control(
        "Mark what differs from",
        range(len(comparison.cells)),
        format_func=lambda place: f"{place + 1}: {plain(comparison.names[place])}",
        key="w-compare-with",
        required=True,
        on_change=_marked_from,
    )


def _marked_from() -> None:
    session.set_compare_choice(replace(session.compare_choice(), reference=int(st.session_state["w-compare-with"])))


def _field(explorer: Explorer, place: int, name: CellName) -> None:
    """What stands at a place, by text, and the way to take it away."""
    key = f"w-compare-{place}"
    st.session_state[key] = f"#{name}" if isinstance(name, int) else name
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"compare-head-{place}"):
        st.text_input(
            f"Architecture {place + 1}",
            key=key,
            on_change=_typed,
            args=(explorer.space, key, place),
            help=plain(f"Type another one to put it here. Reads {find_forms(explorer.space)}."),
        )
        st.button(
            "Take away",
            key=f"compare-drop-{place}",
            icon=":material/close:",
            type="tertiary",
            help=f"Take architecture {place + 1} away",
            on_click=take_away,
            args=(name,),
        )


def _typed(space: AbstractSearchSpace, key: str, place: int | None) -> None:
    text = str(st.session_state[key]).strip()
    chosen = session.compare_choice().cells
    if not text:
        if place is not None:
            take_away(chosen[place])
        return
    try:
        name = cell_name(space, find_cell(space, text))
    except SvgeError as error:
        session.say(LINE, str(error))
        return
    if place is None:
        st.session_state[key] = ""
        add(name)
    else:
        put(place, name)


def _shown(explorer: Explorer, comparison: Comparison, place: int) -> None:
    found, cells = comparison.cells[place], comparison.architectures
    reference = session.compare_choice().reference
    change = None if place == reference else comparison.change(reference, place)
    _picture(explorer, found, place, comparison.marks(reference)[place])
    if change is None:
        alone = len(cells) == FEWEST_CELLS
        st.caption(
            "Marked: what is different in the other, or missing."
            if alone
            else "What the others have different is marked in theirs."
        )
    else:
        words = change_in_words(change, cells[reference], cells[place])
        count = comparison.pair(reference, place)
        text = f"Marked, from {reference + 1}: **{words or 'nothing'}**"
        if count.fewest is not None and count.fewest < change.edits:
            text += f"; with nodes paired otherwise, {edits_in_words(count.fewest)} would do"
        st.caption(f"{text}.")
    _facts(explorer, found, place)


def _alone(explorer: Explorer, name: CellName, place: int) -> None:
    """The one architecture that waits for another."""
    found = explorer.inspect_cell(cell_named(explorer.space, name), draws=1)
    _picture(explorer, found, place, None)
    _facts(explorer, found, place)


def _picture(explorer: Explorer, found: Inspection, place: int, mark: Highlight | None) -> None:
    assert found.cell is not None
    with st.container(key=f"compare-drawing-{place}"):
        svg = drawing(found.cell, explorer.space.name, theme_name(), mark)
        st.image(svg, width="stretch", alt=f"Drawing of architecture {place + 1}: {found.notation}")


def _facts(explorer: Explorer, found: Inspection, place: int) -> None:
    assert found.cell is not None
    badges = [] if found.membership is None else [MEMBERSHIP[found.membership]]
    if found.row is None:
        badges.append(":gray-badge[not on the map]")
    if not found.comes_back:
        badges.append(":orange-badge[the model gives another cell back]")
    st.markdown(" ".join(badges))
    entry = entry_for(explorer.space, found.cell)
    inside = entry.notation in {other.notation for other in session.basket()}
    with st.container(horizontal=True, gap="small", key=f"compare-acts-{place}"):
        if st.button("Show on map", key=f"compare-map-{place}", icon=":material/scatter_plot:", type="tertiary"):
            session.set_focus(CellFocus(cell_name(explorer.space, found.cell)))
            st.switch_page("pages/map.py")
        st.button(
            "In basket" if inside else "Basket",
            key=f"compare-basket-{place}",
            icon=":material/add_shopping_cart:",
            type="tertiary",
            disabled=inside,
            on_click=add_to_basket,
            args=(entry,),
        )
    with st.expander("Names", key=f"compare-names-{place}"):
        names(found, explorer.space)


def _one_more(explorer: Explorer, place: int) -> None:
    """Three ways to choose one more: text, basket, map."""
    space, key = explorer.space, "w-compare-new"
    st.text_input(
        "Add an architecture" if place else f"Choose {FEWEST_CELLS} to {MOST_CELLS} architectures",
        key=key,
        placeholder="string, index, genotype …",
        on_change=_typed,
        args=(space, key, None),
        help=plain(f"Reads {find_forms(space)}."),
    )
    _from_basket(space)
    focus = session.focus()
    if isinstance(focus, CellFocus) and focus.name not in session.compare_choice().cells:
        shown = f"#{focus.name}" if isinstance(focus.name, int) else "the cell"
        st.button(
            f"{shown} from the map",
            key="compare-from-map",
            icon=":material/scatter_plot:",
            on_click=add,
            args=(focus.name,),
            help="The cell that is shown on the Map page",
        )


def _from_basket(space: AbstractSearchSpace) -> None:
    entries, chosen = session.basket()[:OFFERED], session.compare_choice().cells
    with st.popover("From the basket", icon=":material/shopping_cart:", key="compare-basket"):
        if not entries:
            st.caption("The basket is empty. Put architectures aside on the Map page.")
            return
        named = [cell_name(space, cell) for cell in cells_of(entries, space)]
        if len(named) >= FEWEST_CELLS:
            st.button(
                f"Compare the first {min(len(named), MOST_CELLS)} only",
                key="compare-first",
                on_click=compare_all,
                args=(named[:MOST_CELLS],),
            )
        for number, (entry, name) in enumerate(zip(entries, named, strict=True), start=1):
            key = f"w-compare-basket-{entry.notation}"
            st.session_state[key] = name in chosen
            label = f"#{name} " if isinstance(name, int) else ""
            st.checkbox(
                plain(f"{number}. {label}{entry.label[:40]}"),
                key=key,
                help=plain(entry.notation),
                disabled=name not in chosen and len(chosen) >= MOST_CELLS,
                on_change=_ticked,
                args=(key, name),
            )


def _ticked(key: str, name: CellName) -> None:
    (add if st.session_state[key] else take_away)(name)
