"""Map: every architecture of the space in the model's latent space; click to decode, draw to select."""

import streamlit as st

from ui.map.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop

if reruns.entered("map"):
    st.switch_page("app.py")

workspace(opened_or_stop())
