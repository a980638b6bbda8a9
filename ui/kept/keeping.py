"""Keeps what a person makes: brings it back when the browser comes again, and writes it down with every change."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import streamlit as st

from svge_core.errors import SvgeError
from svge_core.spaces import get_space
from ui.kept import browser
from ui.kept.document import Kept, PutAside, SpaceRecord
from ui.kept.store import KEEP_DAYS, KeptSessions
from ui.paths import sessions_folder
from ui.shared import reruns, session
from ui.shared.choices import BasketEntry, CellFocus, PlaceFocus, SpaceState, View
from ui.shared.hiding import why

#: whose session this is; as it was last loaded or kept; as it was before a file was opened; why it cannot be kept
_SECRET, _BASE, _BEFORE, _PROBLEM = "browser_secret", "kept_session", "session_before", "keep_problem"
LINE = "session"


def come_back(checkpoints: Mapping[tuple[str, str], Path]) -> None:
    """At the first run of a session: what this browser made before is there again.

    Args:
        checkpoints: the folders there are, by space and name.
    """
    if _SECRET in st.session_state:
        return
    secret = browser.secret_of_browser()
    st.session_state[_SECRET] = secret or browser.new_secret()
    try:
        lines: list[str] = []
        kept = None if secret is None else KeptSessions(sessions_folder()).load(secret, lines.append)
    except (SvgeError, OSError) as error:
        session.say(LINE, why(error))
        return
    if kept is not None:
        lines += _take_over(kept, checkpoints)
        st.session_state[_BASE] = kept
    if lines:
        session.say(LINE, " ".join(lines))


def secret() -> str:
    """Of this browser; empty before :func:`come_back`."""
    return st.session_state.get(_SECRET, "")


def listen() -> None:
    """From here on every change is kept; what a page chooses by itself at its first run is none."""
    browser.hand_out(st.session_state[_SECRET], KEEP_DAYS)
    if _BASE not in st.session_state:
        st.session_state[_BASE] = now()
    session.on_change(_keep)


def now() -> Kept:
    """The session as it is."""
    found = session.states()
    spaces = {name: _record(state) for name, state in found.items()}
    return Kept(
        session.space_name(),
        {name: record for name, record in spaces.items() if record != SpaceRecord()},
        {name: state.view.own for name, state in found.items() if state.view.own is not None},
    )


def open_session(kept: Kept, checkpoints: Mapping[tuple[str, str], Path]) -> list[str]:
    """Replace the session by one of a file; the one before can be had back.

    Returns:
        What of it means nothing here, one line each.
    """
    st.session_state[_BEFORE] = now()
    lines = _take_over(kept, checkpoints)
    _keep()
    return lines


def start_afresh() -> None:
    """Drop everything that was made, here and on the server; it can be had back until the page is left.

    Raises:
        OSError: if it cannot be deleted on the server; here it is dropped all the same.
    """
    st.session_state[_BEFORE] = now()
    session.set_states(session.space_name(), {}, {})
    KeptSessions(sessions_folder()).forget(st.session_state[_SECRET])
    st.session_state[_BASE] = now()


def before() -> Kept | None:
    """The session that was replaced last."""
    return st.session_state.get(_BEFORE)


def bring_back(checkpoints: Mapping[tuple[str, str], Path]) -> list[str]:
    """The session that was replaced last, again.

    Returns:
        What of it means nothing here any more, one line each.
    """
    if (kept := before()) is None:
        return []
    st.session_state[_BEFORE] = None
    lines = _take_over(kept, checkpoints)
    _keep()
    return lines


def problem() -> str:
    """Why the last change could not be kept; empty if it was."""
    return st.session_state.get(_PROBLEM, "")


def _keep() -> None:
    mine, base = now(), st.session_state[_BASE]
    if mine == base:
        return
    try:
        kept = KeptSessions(sessions_folder()).save(st.session_state[_SECRET], mine, base)
    except (SvgeError, OSError) as error:
        _set_problem(why(error))
        return
    _set_problem("")
    spaces = {name: _with_basket(record, kept.spaces.get(name)) for name, record in mine.spaces.items()}
    if spaces != mine.spaces:
        session.adopt_baskets(tuple(entry for name, record in spaces.items() for entry in _entries(name, record)))
        reruns.refresh_all()
    st.session_state[_BASE] = replace(mine, spaces=spaces)


def _set_problem(line: str) -> None:
    if line != problem():
        st.session_state[_PROBLEM] = line
        reruns.refresh_all()  # the sidebar shows it


def _with_basket(mine: SpaceRecord, kept: SpaceRecord | None) -> SpaceRecord:
    return mine if kept is None or kept.basket == mine.basket else msgspec.structs.replace(mine, basket=kept.basket)


def _take_over(kept: Kept, checkpoints: Mapping[tuple[str, str], Path]) -> list[str]:
    """Make a session the one that is shown; returns what of it means nothing here, one line each."""
    states = {name: _state(name, record, kept) for name, record in kept.spaces.items()}
    states |= {name: SpaceState(view=View(own=own)) for name, own in kept.own.items() if name not in states}
    lost: list[str] = []
    for name, state in states.items():
        outline = state.view.lasso
        if outline is None or not outline.checkpoint or (name, outline.checkpoint) in checkpoints:
            continue
        states[name] = replace(state, view=state.view.without_lasso(outline.checkpoint))
        if (name, state.checkpoint or "") in checkpoints:  # else it goes with the places of that one
            lost.append(
                f"The checkpoint {outline.checkpoint[:60]!r} of {get_space(name).title} is not here; the lasso on its "
                "map was dropped."
            )
    session.set_states(kept.space or session.space_name(), states, checkpoints)
    return lost + [
        f"The checkpoint {record.checkpoint[:60]!r} of {get_space(name).title} is not here; the lasso or place on its "
        "maps was dropped."
        for name, record in kept.spaces.items()
        if record.checkpoint
        and (name, record.checkpoint) not in checkpoints
        and (record.lasso is not None or record.place is not None)
    ]


def _record(state: SpaceState) -> SpaceRecord:
    view = state.view
    return SpaceRecord(
        checkpoint=state.checkpoint,
        plane=state.plane,
        colour=state.colour,
        display=state.display,
        cell=view.focus.name if isinstance(view.focus, CellFocus) else None,
        place=view.focus if isinstance(view.focus, PlaceFocus) else None,
        lasso=view.lasso,
        filter=view.filter,
        saved=state.saved,
        path=state.path,
        compare=state.compare,
        basket=tuple(PutAside(notation=entry.notation, label=entry.label[:500]) for entry in view.basket),
    )


def _state(name: str, record: SpaceRecord, kept: Kept) -> SpaceState:
    focus = record.place if record.cell is None else CellFocus(record.cell)
    view = View(focus, record.lasso, record.filter, _entries(name, record), kept.own.get(name))
    chosen = (record.checkpoint, record.plane, record.colour, record.path, record.compare, view, record.display)
    return SpaceState(*chosen, record.saved)


def _entries(space: str, record: SpaceRecord) -> tuple[BasketEntry, ...]:
    return tuple(BasketEntry(space, entry.notation, entry.label) for entry in record.basket)
