"""Lines for a person: left by a callback for a place of the page, and shown in the next run."""

from typing import Literal

import streamlit as st

from ui.shared.choices import Notice

_NOTICE = "one_line"


def say(place: str, text: str, kind: Literal["error", "success"] = "error") -> None:
    """Leave one line for a place of the page; it is shown in the next run."""
    st.session_state[_NOTICE] = Notice(place, text, kind)


def said(place: str) -> Notice | None:
    """Take the line left for a place."""
    notice: Notice | None = st.session_state.get(_NOTICE)
    if notice is None or notice.place != place:
        return None
    st.session_state[_NOTICE] = None
    return notice
