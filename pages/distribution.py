"""The Distribution page: what GraphPNAS has learned about good architectures, drawn beside random ones."""

import streamlit as st

from ui.distribution.run import distribution_section
from ui.shared import reruns
from ui.shared.sidebar import opened_or_none

reruns.through_app("distribution")

st.title("Distribution")
st.markdown(
    "GraphPNAS learns a distribution of good architectures: a graph generator, fitted again after every evaluation to "
    "the best so far, draws the next one. Here is what it draws, beside random architectures."
)
distribution_section(opened_or_none())
