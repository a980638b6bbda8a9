"""What the keyboard needs beyond what Streamlit does for it, on every page; nothing is shown and nothing is sent.

Streamlit hangs what a popover shows at the end of the document, so that Tab reaches it only after all that follows the
button, and draws controls anew while somebody is at them, who is then nowhere.
"""

from pathlib import Path

import streamlit as st
from streamlit.components import v2 as components

_HERE = Path(__file__).parent
_component = components.component(
    "svge_keyboard", html="<span hidden></span>", js=(_HERE / "keyboard.js").read_text("utf-8")
)


def keyboard() -> None:
    """Once for each page."""
    with st.container(key="keyboard"):
        _component(key="keyboard-keeper")
