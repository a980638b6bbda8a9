"""What Streamlit's way of running a page again and again asks for: memory, whole reruns, the address, the entrance."""

from typing import Any

import streamlit as st

_LINK, _MEMO, _REFRESH = "links_known", "memo", "refresh_all"
_ENTERED, _WANTED = "entered_by_app", "wanted_page"
#: addresses that are remembered: more than a person brings about while an answer is on its way
_LINKS_KNOWN = 50


def refresh_all() -> None:
    """From a callback inside a fragment: what it changed is also shown outside, so the whole page has to run."""
    st.session_state[_REFRESH] = True


def refresh_asked() -> bool:
    """Whether the whole page has to run; asks once."""
    asked = bool(st.session_state.get(_REFRESH, False))
    st.session_state[_REFRESH] = False
    return asked


def memo(name: str, key: object, make: Any) -> Any:
    """The last value made under a name, made anew when the key changes; spares a rerun what it already knows."""
    kept: dict[str, tuple[object, Any]] = st.session_state.setdefault(_MEMO, {})
    if name not in kept or kept[name][0] != key:
        kept[name] = (key, make())
    return kept[name][1]


def link_known(parameters: dict[str, str]) -> bool:
    """Whether the address had these parameters before, as read or written here.

    A browser sends its address with everything it asks for, also the one that it was told to change a moment ago: what
    was here before is no wish.
    """
    return parameters in st.session_state.get(_LINK, ())


def note_link(parameters: dict[str, str]) -> None:
    """Remember what the address says."""
    others = [before for before in st.session_state.get(_LINK, ()) if before != parameters]
    st.session_state[_LINK] = [*others, parameters][-_LINKS_KNOWN:]


def through_app(page: str) -> None:
    """From a page: go by way of app.py where that has not run yet.

    Streamlit runs a file of ``pages/`` alone when its address is the first that a fresh server is asked for. The page
    then notes its name and goes to app.py, which comes back to it; what the address asks for goes along both ways.
    """
    if not st.session_state.get(_ENTERED):
        st.session_state[_WANTED] = page
        st.switch_page("app.py", query_params=st.query_params.to_dict())


def wanted_page() -> str | None:
    """From app.py: that it runs, and the page that was asked for before it did, once."""
    st.session_state[_ENTERED] = True
    return st.session_state.pop(_WANTED, None)
