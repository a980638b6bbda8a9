"""Beside a cell of the Map page: take it as the start or the end of a path."""

from dataclasses import replace

import streamlit as st

from ui.shared import session


def path_buttons(index: int | None) -> None:
    """Show both buttons, and the way to the Interpolate page once both ends are chosen.

    Args:
        index: official index of the cell in focus; None where there is none.
    """
    if index is None:
        return
    choice = session.path_choice()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="path-buttons"):
        for end, title, chosen in (("start", "Start of path", choice.start), ("end", "End of path", choice.end)):
            st.button(
                title,
                key=f"path-as-{end}",
                icon=":material/line_start_circle:" if end == "start" else ":material/line_end_circle:",
                type="tertiary",
                disabled=chosen == index,
                on_click=set_end,
                args=(end, index),
                help="It is" if chosen == index else "none chosen" if chosen is None else f"Now #{chosen}",
            )
        if choice.start is not None and choice.end is not None:
            st.page_link("pages/interpolate.py", label=f"#{choice.start} to #{choice.end}", icon=":material/timeline:")


def set_end(end: str, index: int) -> None:
    """Choose A ("start") or B ("end"); one stands at A again."""
    session.set_path_choice(replace(session.path_choice(), **{end: index}, share=0.0))
