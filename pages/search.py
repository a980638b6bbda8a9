"""Search: methods race for the best architectures under equal budgets; live, durable, comparable."""

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.search.runs import list_runs
from ui.paths import ROOT, shared
from ui.search import state as search_state
from ui.search.form import race_form, show_quota
from ui.search.live import live_section
from ui.shared import reruns, session
from ui.shared.loaders import opening
from ui.shared.sidebar import opened_or_none
from ui.shared.theme import plain

reruns.through_app("search")

st.title("Search")
st.html(ROOT / "ui" / "search" / "search.css")
try:
    groups = search_state.list_groups(search_state.search_jobs())
except (SvgeError, OSError) as error:
    st.error(plain(f"Runs cannot be read. {error}"), icon=":material/error:")
    st.caption("The store is named by the environment variable `SVGE_STORAGE`; mend it or name another, then reload.")
    st.stop()
# each part has a place of its own that nothing above it can shift: what moves while a part refreshes itself stays twice
notes, form, live = st.container(), st.container(), st.container()
if wanted := search_state.linked_run():
    if problem := search_state.follow_link(wanted, groups):
        notes.warning(plain(problem), icon=":material/link_off:")
    else:
        st.rerun()  # the run may be of another search space, which the sidebar shows

if shared():
    with notes:  # in view before the form is opened
        show_quota(list_runs(search_state.search_jobs().storage))
folder = session.checkpoint()
if folder is None:
    explorer = None
else:
    with notes, opening(folder):
        explorer = opened_or_none()
# a new one for every race: after Start it is folded, and the race is in view
with form, st.expander("New race", icon=":material/add:", key=f"search-form-{search_state.ticket()}"):
    race_form(explorer)
with live:
    live_section(explorer, groups)
