"""Small pieces that several pages and sections share."""

import re
from typing import TYPE_CHECKING, Literal

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

#: pixels that a panel beside a map has, about
PANEL = 420
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


def hidden_title(text: str) -> None:
    """The title of a page whose room belongs to a map, for screen readers; see ``app.css``."""
    with st.container(key="page-title"):
        st.title(text, anchor=False)


def show_chart(figure: "go.Figure", *, key: str, alt: str) -> None:
    """A chart in its own colours, with a text for screen readers."""
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config=CHART_CONFIG)


def drawing_width(svg: str) -> int | Literal["stretch"]:
    """How wide a cell's drawing is shown: as wide as the panel, but a small cell at most at twice its own size."""
    found = re.match(r'[^>]*<svg width="(\d+)"', svg)
    twice = 2 * int(found[1]) if found else PANEL
    return twice if twice < PANEL else "stretch"


def show_drawing(svg: str, *, alt: str) -> None:
    """The drawing of a cell in a panel, with a text for screen readers."""
    st.image(svg, width=drawing_width(svg), alt=alt)


def show_missing(what: str, command: str) -> None:
    """Say what is not there and which command makes it."""
    st.info(what, icon=":material/info:")
    st.code(command, language="bash", wrap_lines=True)
