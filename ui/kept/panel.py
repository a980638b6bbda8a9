"""The session in the sidebar: where it is kept, to a file and back, and a fresh start."""

import datetime

import streamlit as st

from svge_core.errors import SvgeError
from ui.kept import keeping
from ui.kept.document import MAX_BYTES, read_session, write_session
from ui.kept.keeping import LINE
from ui.kept.store import KEEP_DAYS
from ui.shared import loaders, session
from ui.shared.hiding import why
from ui.shared.theme import plain

FILE = "session-file"


def session_sidebar() -> None:
    """Show it, closed."""
    with st.sidebar:
        if problem := keeping.problem():
            st.warning(plain(f"What you make cannot be kept here: {problem.rstrip('.')}. Save it to a file."))
        if notice := session.said(LINE):
            (st.error if notice.kind == "error" else st.success)(plain(notice.text))
        with st.expander("Session", key="session", icon=":material/history:"):
            st.caption(
                f"Basket, own scores, lasso, filters and colours are kept on this server for this browser, {KEEP_DAYS} "
                "days from your last visit. A cookie says which browser it is."
            )
            kept = keeping.now()  # here: the file is made in a thread that has no session
            st.download_button(
                "Save to a file",
                key="session-save",
                icon=":material/download:",
                on_click="ignore",
                mime="application/json",
                data=lambda: write_session(kept),
                file_name=f"svge-session-{datetime.datetime.now():%Y-%m-%d-%H%M}.json",
            )
            file = st.file_uploader("A session file", type="json", key=FILE, max_upload_size=MAX_BYTES // 2**20)
            with st.container(horizontal=True, gap="small"):
                st.button("Open the file", key="session-open", disabled=file is None, on_click=_open)
                st.button(
                    "Start afresh",
                    key="session-afresh",
                    type="tertiary",
                    on_click=_start_afresh,
                    help="Drops everything that was made, here and on the server",
                )
        if keeping.before() is not None:
            st.button("Back to the session before", key="session-before", icon=":material/undo:", on_click=_back)


def _open() -> None:
    file = st.session_state.get(FILE)
    if file is None:
        return
    try:
        lines = keeping.open_session(read_session(file.getvalue()), loaders.checkpoint_folders())
    except SvgeError as error:
        session.say(LINE, str(error))
        return
    session.say(LINE, " ".join([f"{file.name} is open.", *lines]), "error" if lines else "success")


def _start_afresh() -> None:
    try:
        keeping.start_afresh()
    except OSError as error:
        session.say(LINE, f"What this server keeps for your browser cannot be deleted: {why(error)}.")
        return
    session.say(LINE, "A new session has begun.", "success")


def _back() -> None:
    if lines := keeping.bring_back(loaders.checkpoint_folders()):
        session.say(LINE, " ".join(lines))
