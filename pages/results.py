"""Results: what the published systems report and what this project measured, side by side and marked."""

import streamlit as st

from svge_core.errors import SvgeError
from ui.model.state import read_benchmark
from ui.results.rows import Comparisons
from ui.results.view import show_comparisons
from ui.shared import reruns
from ui.shared.theme import plain
from ui.shared.widgets import show_missing

reruns.through_app("results")

st.title("Results")
try:
    papers = read_benchmark("papers", Comparisons)
except SvgeError as problem:
    st.error(plain(str(problem)))
    st.stop()
if papers is None:
    show_missing("The papers' comparisons were not collected yet.", "python -m svge_core bench papers")
    st.stop()
show_comparisons(papers)
