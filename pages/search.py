"""Search: methods race for the best architectures under equal budgets; live, durable, comparable."""

from pathlib import Path

import streamlit as st

from svge_core.errors import SvgeError
from ui import search_state, session
from ui.loaders import opening
from ui.search_form import race_form
from ui.search_live import live_section
from ui.sidebar import opened_or_none
from ui.theme import plain

if session.entered("search"):
    search_state.note_link()
    st.switch_page("app.py")

st.title("Search")
st.html(Path(__file__).parent.parent / "ui" / "search.css")
try:
    groups = search_state.list_groups(search_state.search_jobs())
except (SvgeError, OSError) as error:
    st.error(plain(f"Runs cannot be read. {error}"), icon=":material/error:")
    st.caption("The store is named by the environment variable `SVGE_STORAGE`; mend it or name another, then reload.")
    st.stop()
if wanted := search_state.linked_run():
    if problem := search_state.follow_link(wanted, groups):
        st.warning(plain(problem), icon=":material/link_off:")
    else:
        st.rerun()  # the run may be of another search space, which the sidebar shows

folder = session.checkpoint()
if folder is None:
    explorer = None
else:
    with opening(folder):
        explorer = opened_or_none()
with st.expander("New race", icon=":material/add:"):
    race_form(explorer)
live_section(explorer, groups)
