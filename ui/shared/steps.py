"""Undo and redo: of the focus, the lasso, the filter, the basket and own scores; by button and by key."""

import streamlit as st
from streamlit.components import v2 as components

from ui.shared import session

# Streamlit's own shortcuts also work while a person types, where Ctrl+Z belongs to the text.
_keys = components.component(
    "svge_steps",
    html="<span hidden></span>",
    js="""
export default function () {
  const pressed = (event) => {
    const at = event.composedPath()[0];
    const typed = 'input:not([type="checkbox"], [type="radio"], [type="range"], [type="file"]), textarea, select';
    const typing = at instanceof HTMLElement && (at.isContentEditable || at.matches(typed));
    if (typing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    const name = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!name) return;
    event.preventDefault();
    [...document.querySelectorAll(`.st-key-${name} button`)].find((each) => !each.disabled)?.click();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
""",
)


def undo_and_redo() -> None:
    """Show both buttons; once on a page."""
    st.button(
        "Undo",
        key="undo",
        icon=":material/undo:",
        type="tertiary",
        on_click=session.undo,
        disabled=not session.can_undo(),
        help="Undo the last step: focus, lasso, filter, basket or own scores (Ctrl+Z)",
    )
    st.button(
        "Redo",
        key="redo",
        icon=":material/redo:",
        type="tertiary",
        on_click=session.redo,
        disabled=not session.can_redo(),
        help="Make the step again that was undone (Ctrl+Shift+Z)",
    )
    with st.container(key="step-keys"):
        _keys(key="steps")
