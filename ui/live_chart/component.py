"""A Plotly chart that keeps its zoom while its data changes; elsewhere Streamlit's own chart will do."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import streamlit as st
from streamlit.components import v2 as components

from ui.latent_map.published import keep_public, publish_file, published_path
from ui.shared.widgets import CHART_CONFIG, show_chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

_component = components.component(
    "svge_live_chart",
    html='<div class="live-chart" role="group"></div>',
    css=".live-chart { width: 100%; overflow: hidden; }",
    js=(Path(__file__).parent / "live_chart.js").read_text("utf-8"),
    isolate_styles=False,  # Plotly puts its style rules into the page
)
#: the browser could not load the library: ordinary charts from then on
_FAILED = "live_chart_failed"


def live_chart(figure: "go.Figure", *, key: str, alt: str) -> None:
    """Show a figure; a later one under the same key changes the chart in place.

    Args:
        figure: with ``layout.uirevision`` set to what the zoom belongs to.
        key: identity of the chart on its page.
        alt: text for screen readers.
    """
    if st.session_state.get(_FAILED):
        show_chart(figure, key=f"{key}-plain", alt=alt)
        return
    library = _library()
    if not published_path(library).exists():  # somebody emptied the folder
        _library.clear()
        library = _library()
    keep_public(library)
    _component(
        key=key,
        data={
            "key": key,
            "figure": figure.to_json(validate=False),
            "config": {**CHART_CONFIG, "responsive": False},
            "alt": alt,
            "height": int(cast(Any, figure.layout).height or 430),
            "library": library,
        },
        default={"status": "ready"},
        on_status_change=lambda: _note(key),
    )


def _note(key: str) -> None:
    state = st.session_state.get(key)
    if isinstance(state, dict) and state.get("status") == "failed":
        st.session_state[_FAILED] = True


@st.cache_resource(show_spinner=False)
def _library() -> str:
    import plotly

    return publish_file(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", "plotly")
