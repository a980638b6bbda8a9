"""What a race is called, and a note on it: for everybody who opens the store."""

from collections.abc import Sequence

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.jobs import SearchJobs
from svge_core.search.runs import MAX_NOTE, MAX_TITLE, RaceNotes
from ui.search import state
from ui.search.start import LINE
from ui.search.state import RunGroup
from ui.shared import session
from ui.shared.hiding import why
from ui.shared.theme import plain
from ui.visitors import acts


def name_button(jobs: SearchJobs, group: RunGroup) -> None:
    """Name a race, where this person may; a run of no race has a name of its own."""
    if not group.config.race or not all(run.steerable for run in group.runs):
        return
    with st.popover("Name", icon=":material/edit_note:", type="tertiary", key="search-race-name"):
        keys = [f"search-race-{field}-{group.id}" for field in ("title", "note")]
        for key, text in zip(keys, (group.notes.title, group.notes.note), strict=True):
            st.session_state.setdefault(key, text)
        st.text_input("Name of the race", max_chars=MAX_TITLE, key=keys[0])
        st.text_area("Note", max_chars=MAX_NOTE, key=keys[1])
        st.button("Save", key="search-race-save", on_click=_save, args=(jobs, group, keys))
        st.caption("Both are kept with the runs, and stand in the export as JSON.")


def show_notes(groups: Sequence[RunGroup], labels: Sequence[str]) -> None:
    """The notes on the shown races."""
    for label, group in zip(labels, groups, strict=False):
        if group.notes.note:
            head = f"{label}: " if len(groups) > 1 else ""
            st.caption(head + "  \n".join(plain(line) for line in group.notes.note.splitlines()))


def _save(jobs: SearchJobs, group: RunGroup, keys: Sequence[str]) -> None:
    title, note = (str(st.session_state.get(key, "")) for key in keys)
    try:
        acts.note_race(jobs, group.config.race, RaceNotes(title, note))
    except (SvgeError, OSError) as error:
        session.say(LINE, why(error))
        return
    for key in keys:
        st.session_state.pop(key, None)  # as it is stored
    state.draw_lists_anew()
