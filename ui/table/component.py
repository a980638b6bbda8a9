"""One window of the table as a real HTML table: headers sort, a row is shown in the panel, ticks choose.

Texts reach the browser as data and are shown letter by letter. Only the window travels.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2 as components

_HERE = Path(__file__).parent
_component = components.component(
    "svge_space_table",
    html='<div class="sp"></div>',
    css=(_HERE / "table.css").read_text("utf-8"),
    js=(_HERE / "table.js").read_text("utf-8"),
)
KEY = "space-table"


def space_table(
    data: Mapping[str, Any],
    *,
    on_sort: Callable[[str], None],
    on_focus: Callable[[int], None],
    on_tick: Callable[[tuple[int, ...], bool], None],
) -> None:
    """Show a window.

    Args:
        data: ``caption``, ``columns`` and ``rows``; see :func:`ui.table.view.window`.
        on_sort: called with the key of the column whose header was pressed.
        on_focus: called with the row of the atlas that was chosen.
        on_tick: called with rows, and whether they are ticked now.
    """
    there = {row["row"] for row in data["rows"]}
    keys = {column["key"] for column in data["columns"]}

    def event(name: str) -> Mapping[str, Any]:
        state = st.session_state.get(KEY)
        found = state.get(name) if isinstance(state, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def sorted_by() -> None:
        key = event("sort").get("key")
        if isinstance(key, str) and key in keys:
            on_sort(key)

    def focused() -> None:
        row = event("focus").get("row")
        if isinstance(row, int) and row in there:
            on_focus(row)

    def ticked() -> None:
        found = event("tick")
        rows = found.get("rows")
        good = tuple(row for row in rows if isinstance(row, int) and row in there) if isinstance(rows, list) else ()
        if good:
            on_tick(good, found.get("on") is True)

    _component(key=KEY, data=dict(data), on_sort_change=sorted_by, on_focus_change=focused, on_tick_change=ticked)
