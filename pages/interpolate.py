"""Interpolate: a path between two architectures, every stop decoded, drawn and scored."""

import streamlit as st

from ui.interpolate.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop

if reruns.entered("interpolate"):
    st.switch_page("app.py", query_params=st.query_params.to_dict())

workspace(opened_or_stop())
