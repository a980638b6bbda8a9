"""Results: what the published systems report and what this project measured, side by side and marked."""

import streamlit as st

from svge_core.errors import SvgeError
from ui import session
from ui.model_state import read_benchmark
from ui.model_widgets import show_missing
from ui.results_view import show_comparisons

if session.entered("results"):
    st.switch_page("app.py")

st.title("Results")
try:
    papers = read_benchmark("papers")
except SvgeError as problem:
    st.error(str(problem))
    st.stop()
if papers is None:
    show_missing("The papers' comparisons were not collected yet.", "python -m svge_core bench papers")
    st.stop()
show_comparisons(papers)
