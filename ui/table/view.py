"""The workspace of the Table page: question, what is selected, the table and its pages, the panel of a cell."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from svge_core.errors import SvgeError
from svge_core.explorer import (
    INDEX,
    MAX_QUERY,
    NUMBER,
    CellFilter,
    Explorer,
    charted_name,
    table_names,
)
from ui.map.selection import charted_focus
from ui.shared import loaders, reruns, session
from ui.shared.basket import LINE as BASKET_LINE, entry_for
from ui.shared.cell_panel import cell_panel, inspect_focus
from ui.shared.choices import BASKET_CAP, CellFocus
from ui.shared.opening import cells_of
from ui.shared.selections import (
    ask,
    drop_lost_lasso,
    inside_of,
    release,
    saved_popover,
    set_table_choice,
    table_choice,
    vocabulary,
    words_of,
)
from ui.shared.theme import plain
from ui.table.component import space_table
from ui.table.files import downloads
from ui.table.rows import PAGE, Shown, header, ranks_of, shown_rows, texts_of, ticked, turned_by, usual_columns

LINE = "table"
WELCOME = (
    "**Press a row** to see its cell here. Headers sort. Arrow keys walk the rows, Enter chooses one, space ticks it "
    "for the basket."
)
ARCHITECTURE, RANK = "architecture", "rank"


@st.fragment
def workspace(opened: Explorer) -> None:
    """Show the whole page of an opened checkpoint."""
    if reruns.refresh_asked():
        st.rerun()  # the basket stands in the sidebar, outside this fragment
    explorer = loaders.with_own_scores(opened)
    st.title("Table")
    head, below = st.container(), st.container(key="map-and-panel")
    with below:
        left, right = st.columns([0.66, 0.34], gap="medium")
    with head:
        _question(explorer)
        if line := drop_lost_lasso():
            st.warning(plain(line))
        shown = shown_rows(explorer, table_choice())
        _selected(explorer, shown)
    with left:
        _actions(explorer, shown)
        _table(explorer, shown)
        _pages(shown)
    with right:
        if isinstance(session.focus(), CellFocus):
            st.page_link("pages/map.py", label="Show on the map", icon=":material/scatter_plot:")
            _rank(explorer, shown)
        cell_panel(explorer, shown.sorting.name.score, welcome=WELCOME)


# ---- the question ------------------------------------------------------------------------------------------------


def _question(explorer: Explorer) -> None:
    notice = session.said(LINE)
    if notice is None:
        st.session_state["w-where"] = session.cell_filter().where
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="table-question"):
        st.text_input(
            "Find in words",
            key="w-where",
            max_chars=MAX_QUERY,
            placeholder=vocabulary(explorer).example,
            icon=":material/search:",
            on_change=_asked,
            args=(explorer,),
            help="Counts of operations, columns between numbers, best N by a column; commas between. "
            "All that can be asked stands in the documentation under Table and questions.",
        )
        saved_popover()
    if notice is not None:
        st.error(plain(notice.text), icon=":material/search_off:")


def _asked(explorer: Explorer) -> None:
    text = st.session_state["w-where"]
    if not text.strip():
        session.set_cell_filter(replace(session.cell_filter(), where=""))
        set_table_choice(replace(table_choice(), start=0))
        return
    try:
        ask(explorer, text)
    except SvgeError as error:
        session.say(LINE, str(error))


def _selected(explorer: Explorer, shown: Shown) -> None:
    """What the rows are, and what can be released."""
    if shown.problem:
        st.error(plain(shown.problem))
    conditions, outline = session.cell_filter(), session.lasso()
    parts = []
    if conditions.where and (words := words_of(explorer, conditions.where)):
        parts.append(plain(words))
    if others := conditions.active - bool(conditions.where):
        parts.append(f"{others} condition{'s' if others > 1 else ''} of the map's filter")
    if (inside := inside_of(explorer, outline)) is not None:
        drawn_on = "" if outline is None or not outline.checkpoint else f" on the map of {plain(outline.checkpoint)}"
        parts.append(f"{len(inside):,} cells in the lasso{drawn_on}")
    total, found = len(explorer.atlas), len(shown.rows)
    cells = cells_of(explorer)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="table-selected"):
        if not parts:
            st.markdown(f"**{total:,}** {cells} of {plain(explorer.space.title)}.", width="stretch")
            return
        st.markdown(f"**{found:,} of {total:,}** {cells}: {'; '.join(parts)}.", width="stretch")
        if conditions.active:
            st.button(
                "Filter", key="table-drop-filter", icon=":material/close:", on_click=_drop_filter, type="tertiary"
            )
        if inside is not None:
            st.button("Lasso", key="table-drop-lasso", icon=":material/close:", on_click=_drop_lasso, type="tertiary")
        st.button("Show all", key="table-release", icon=":material/filter_alt_off:", on_click=release, type="tertiary")


def _drop_filter() -> None:
    session.set_cell_filter(CellFilter())
    set_table_choice(replace(table_choice(), start=0))


def _drop_lasso() -> None:
    session.set_lasso(None)
    set_table_choice(replace(table_choice(), start=0))


# ---- what can be done with the rows -------------------------------------------------------------------------------


def _actions(explorer: Explorer, shown: Shown) -> None:
    choice = table_choice()
    chosen = ticked(choice, explorer.atlas.digest)
    names = {name.key: name.title for name in table_names(explorer) if name.key not in (INDEX, NUMBER)}
    row, notes = (
        st.container(horizontal=True, vertical_alignment="center", gap="small", key="table-actions"),
        st.empty(),
    )
    with row:
        with st.popover("Columns", icon=":material/view_column:", key="w-columns"):
            st.session_state["w-table-columns"] = [k for k in choice.columns or usual_columns(explorer) if k in names]
            st.multiselect(
                "Columns",
                list(names),
                format_func=names.__getitem__,
                key="w-table-columns",
                on_change=_columns_chosen,
                placeholder="the usual ones",
            )
            st.button("Usual columns", key="table-usual", on_click=_usual, disabled=not choice.columns)
        downloads(explorer, shown.rows, notes)
        st.button(
            f"Basket ({len(chosen)})" if chosen else "Basket",
            key="table-basket",
            icon=":material/add_shopping_cart:",
            disabled=not chosen,
            help="Puts the ticked cells into the basket",
            on_click=_to_basket,
            args=(explorer, tuple(chosen)),
        )
        if chosen:
            st.button("Untick all", key="table-untick", type="tertiary", on_click=_untick)


def _columns_chosen() -> None:
    set_table_choice(replace(table_choice(), columns=tuple(st.session_state["w-table-columns"])))


def _usual() -> None:
    set_table_choice(replace(table_choice(), columns=()))


def _untick() -> None:
    set_table_choice(replace(table_choice(), chosen=()))


def _to_basket(explorer: Explorer, rows: tuple[int, ...]) -> None:
    reruns.refresh_all()
    cells = explorer.cells_at(np.array(rows, dtype=np.int64))
    added, full = session.add_to_basket(tuple(entry_for(explorer.space, cell) for cell in cells))
    rest = f" {full:,} found no room, the basket holds {BASKET_CAP}." if full else ""
    session.say(BASKET_LINE, f"{added} added.{rest}", "error" if full else "success")
    _untick()


# ---- the table ----------------------------------------------------------------------------------------------------


def first_of(shown: Shown) -> int:
    """Place of the first shown row: that of a page that there is."""
    last = max(0, (len(shown.rows) - 1) // PAGE * PAGE)
    return min(max(0, table_choice().start) // PAGE * PAGE, last)


def window(explorer: Explorer, shown: Shown) -> dict[str, Any]:
    """What the browser is given: the columns and the texts of one page of rows."""
    choice, start = table_choice(), first_of(shown)
    rows = shown.rows[start : start + PAGE].astype(np.int64)
    names = {name.key: name for name in table_names(explorer)}
    first = NUMBER if explorer.atlas.drawn is not None else INDEX
    keys = [key for key in choice.columns or usual_columns(explorer) if key in names]
    sort = shown.sorting.name.key
    keys = [first, *([sort] if sort not in (first, *keys) else []), *keys]
    columns: list[dict[str, Any]] = [{**header(explorer, names[key]), "sortable": True} for key in keys]
    for column in columns:
        if column["key"] == sort:
            column["sort"] = "descending" if shown.sorting.descending else "ascending"
    texts = [texts_of(explorer, key, rows) for key in keys]
    places = ranks_of(explorer, shown.sorting)
    if places is not None:
        by = header(explorer, shown.sorting.name)["title"]
        ranked = int(np.count_nonzero(places))
        about = {"key": RANK, "title": "Rank", "small": f"of {ranked:,}", "kind": "structure", "sortable": False}
        among = ranked_words(explorer, ranked)
        columns.insert(1, {**about, "help": f"Among all {among} by {by}; equal values share a rank"})
        texts.insert(1, [f"{place:,}" if place else "" for place in places[rows].tolist()])
    wide = {"key": ARCHITECTURE, "title": "Architecture", "kind": "structure", "sortable": False, "wide": True}
    columns.append(wide)
    cells = explorer.cells_at(rows)
    texts.append([explorer.space.format(cell) for cell in cells])
    chosen, focus = set(ticked(choice, explorer.atlas.digest)), session.focus()
    lines = [
        {
            "row": row,
            "name": charted_name(explorer, row),
            "ticked": row in chosen,
            "focus": charted_focus(explorer, row) == focus,
            "cells": list(values),
        }
        for row, *values in zip(rows.tolist(), *texts, strict=True)
    ]
    return {
        "caption": f"Cells of {explorer.space.title}, {place_words(shown)}",
        "columns": columns,
        "rows": lines,
        "window": f"{start} {sort} {shown.sorting.descending} {len(shown.rows)}",
    }


def place_words(shown: Shown) -> str:
    """Which rows are shown: "rows 1 to 100 of 423,624"."""
    start = first_of(shown)
    if not len(shown.rows):
        return "no rows"
    return f"rows {start + 1:,} to {min(start + PAGE, len(shown.rows)):,} of {len(shown.rows):,}"


def _table(explorer: Explorer, shown: Shown) -> None:
    if not len(shown.rows):
        st.info("No cell meets all of this. Release a condition above.", icon=":material/filter_alt_off:")
        return

    def sort(key: str) -> None:
        set_table_choice(turned_by(shown.sorting, table_choice(), key))

    def tick(rows: tuple[int, ...], on: bool) -> None:
        choice = table_choice()
        before = [row for row in ticked(choice, explorer.atlas.digest) if row not in rows]
        now = (*before, *rows) if on else tuple(before)
        set_table_choice(replace(choice, chosen=now[:BASKET_CAP], atlas=explorer.atlas.digest))

    space_table(
        window(explorer, shown),
        on_sort=sort,
        on_focus=lambda row: session.set_focus(charted_focus(explorer, row)),
        on_tick=tick,
    )


def _pages(shown: Shown) -> None:
    start, count = first_of(shown), len(shown.rows)
    last = max(0, (count - 1) // PAGE * PAGE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="table-pages"):
        for key, title, icon, target in (
            ("first", "First", ":material/first_page:", 0),
            ("previous", "Previous", ":material/chevron_left:", start - PAGE),
            ("next", "Next", ":material/chevron_right:", start + PAGE),
            ("last", "Last", ":material/last_page:", last),
        ):
            there = 0 <= target <= last and target != start
            st.button(title, key=f"table-{key}", icon=icon, disabled=not there, on_click=_go, args=(target,))
        st.markdown(place_words(shown).capitalize(), width="content")
        if count > PAGE:
            st.session_state["w-table-row"] = start + 1
            st.number_input("Go to row", 1, count, key="w-table-row", step=PAGE, on_change=_jump, width=150)


def _go(target: int) -> None:
    set_table_choice(replace(table_choice(), start=target))


def _jump() -> None:
    _go(int(st.session_state["w-table-row"]) - 1)


def _rank(explorer: Explorer, shown: Shown) -> None:
    """Where the cell in focus stands by the sorted column."""
    places, focus = ranks_of(explorer, shown.sorting), session.focus()
    row = None if focus is None else inspect_focus(explorer, focus).row
    if places is None or row is None or not places[row]:
        return
    title = plain(shown.sorting.name.title)
    ranked = int(np.count_nonzero(places))
    words = ranked_words(explorer, ranked)
    among = "" if words == "cells" else f" {words}"
    st.markdown(f"**{ordinal(int(places[row]))}** of {ranked:,}{among} by {title}")


def ranked_words(explorer: Explorer, ranked: int) -> str:
    """Among which cells so many of them are ranked."""
    return cells_of(explorer) + (" with a value" if ranked < len(explorer.atlas) else "")


def ordinal(number: int) -> str:
    """A place in English: 1st, 2nd, 3rd, 11th, 1,021st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
