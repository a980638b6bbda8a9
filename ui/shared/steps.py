"""Undo and redo: of the focus, the lasso, the filter, the basket and own scores."""

import streamlit as st

from ui.shared import session


def undo_and_redo() -> None:
    """Show both buttons."""
    st.button(
        "Undo",
        key="undo",
        icon=":material/undo:",
        type="tertiary",
        on_click=session.undo,
        disabled=not session.can_undo(),
        help="Undo the last step: focus, lasso, filter, basket or own scores",
        shortcut="Ctrl+Z",
    )
    st.button(
        "Redo",
        key="redo",
        icon=":material/redo:",
        type="tertiary",
        on_click=session.redo,
        disabled=not session.can_redo(),
        help="Make the step again that was undone",
        shortcut="Ctrl+Shift+Z",
    )
