"""Small pieces that the sections of the Model page share."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

CHART_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    "toImageButtonOptions": {"format": "svg"},
}


def halves(name: str) -> "tuple[DeltaGenerator, DeltaGenerator]":
    """Two halves of the page that move below each other where they do not fit; see ``app.css``."""
    with st.container(key=f"model_pair_{name}"):
        left, right = st.columns(2, gap="large")
    return left, right


def show_chart(figure: "go.Figure", *, key: str, alt: str) -> None:
    """A chart in its own colours, with a text for screen readers."""
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config=CHART_CONFIG)


def show_missing(what: str, command: str) -> None:
    """Say what is not there and which command makes it."""
    st.info(what, icon=":material/info:")
    st.code(command, language="bash", wrap_lines=True)
