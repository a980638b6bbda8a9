"""A small app around the map for the browser tests: every control a test needs, and the last event in plain text.

``?n=423624`` sets the number of points. Run it by hand with
``PYTHONPATH=. streamlit run tests/browser/map_demo_app.py --server.enableStaticServing true``.
"""

import json
from dataclasses import asdict

import numpy as np
import streamlit as st

from svge_core.atlas.polygon import select_in_polygon
from tests.browser.demo_points import demo_accuracy, demo_xy
from ui.latent_map.component import latent_map
from ui.latent_map.published import publish_array, publish_text
from ui.latent_map.values import (
    CATEGORICAL,
    SEQUENTIAL,
    MapBackground,
    MapBrush,
    MapClick,
    MapColour,
    MapEvents,
    MapField,
    MapLasso,
    MapLine,
    MapMark,
    MapPoints,
)

OPERATIONS = ("avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "none", "skip <b>connect</b>")


@st.cache_data
def demo_arrays(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    xy = demo_xy(n)
    rng = np.random.default_rng(2)
    operation = ((xy[:, 0] + 20 + rng.normal(size=n)) // 4 % len(OPERATIONS)).astype(int)
    return xy, demo_accuracy(n), operation.astype(np.float32)


@st.cache_data
def demo_points(n: int) -> MapPoints:
    xy, _, _ = demo_arrays(n)
    labels = publish_text([f"|nor_conv_3x3~0|+|<i>cell</i> {i}~0|" for i in range(n)], "demo-labels")
    return MapPoints(f"demo-{n}", publish_array(xy, "demo-xy"), n, labels)


@st.cache_data
def demo_background(n: int) -> MapBackground:
    xy, _, _ = demo_arrays(n)
    counts, _, _ = np.histogram2d(xy[:, 1], xy[:, 0], bins=64, range=((-12, 12), (-16, 16)))
    for _ in range(3):
        padded = np.pad(counts, 1, mode="edge")
        counts = sum(padded[i : i + 64, j : j + 64] for i in range(3) for j in range(3)) / 9
    grey = np.clip(1 - counts / 0.4, 0, 1) * 255
    return MapBackground(64, 64, (-16.0, 16.0, -12.0, 12.0), grey.astype(np.uint8).tobytes())


@st.cache_data
def demo_fields(n: int) -> tuple[MapField, MapField]:
    """A surface that rises to the right, and densities of which one contour is a circle around the middle."""
    extent, side = (-16.0, 16.0, -12.0, 12.0), 65
    x, y = np.meshgrid(np.linspace(*extent[:2], side), np.linspace(*extent[2:], side))
    rising = np.where(np.hypot(x, y) < 11, 91 + x / 4, np.nan)
    surface = MapField(publish_array(rising, "demo-surface"), side, side, extent, words="between the points")
    density = publish_array(100 - np.hypot(x, y), "demo-density")
    return surface, MapField(density, side, side, extent, (92.0,))


def demo_colour(n: int, column: str) -> MapColour:
    _, accuracy, operation = demo_arrays(n)
    if column == "Operation":
        values = publish_array(operation, "demo-operation")
        return MapColour(values, "Most frequent operation", "", 0, 1, CATEGORICAL[:5], OPERATIONS)
    if column == "Missing file":
        return MapColour("app/static/map/no-such-file.bin", "Missing file", "", 0, 1, SEQUENTIAL)
    values = publish_array(accuracy, "demo-accuracy")
    scale = "ranks" if st.query_params.get("scale") == "ranks" else "values"
    return MapColour(values, "CIFAR-10 validation accuracy, measured", "%", 88, 94, SEQUENTIAL, scale=scale)


def remember(name: str, value: object) -> None:
    count = st.session_state.get("last", {}).get("count", 0) + 1
    st.session_state["last"] = {"event": name, "value": value, "count": count}


def on_click(click: MapClick) -> None:
    remember("click", asdict(click))
    st.session_state["focus"] = click


def on_lasso(lasso: MapLasso) -> None:
    remember("lasso", {"polygon": lasso.polygon, "mode": lasso.mode})
    if lasso.mode == "new":
        st.session_state["lasso"], st.session_state["parts"] = lasso.polygon, ()
    else:
        st.session_state["parts"] = (*st.session_state["parts"], (lasso.mode, lasso.polygon))


def on_brush(brush: MapBrush | None) -> None:
    remember("brush", None if brush is None else asdict(brush))
    st.session_state["brush"] = brush and (brush.low or 0.0, brush.high or 100.0)


def on_clear() -> None:
    remember("clear", None)
    st.session_state["focus"] = st.session_state["lasso"] = None


def demo_marks(xy: np.ndarray) -> list[MapMark]:
    marks = []
    if focus := st.session_state.get("focus"):
        marks.append(MapMark(focus.x, focus.y, "focus" if focus.kind == "point" else "decoded"))
    if st.session_state.get("show_marks"):
        near = np.argsort(np.hypot(xy[:, 0] - 1, xy[:, 1]))[:4]
        marks += [MapMark(float(xy[i, 0]), float(xy[i, 1]), "neighbour", number=k + 1) for k, i in enumerate(near)]
        marks += [MapMark(-6, -2, "start"), MapMark(5, 3, "end"), MapMark(-2, 4, "basket", "<b>ours</b>", 1)]
        marks += [MapMark(-6 + 11 * t, -2 + 5 * t, "path") for t in (0.2, 0.4, 0.6, 0.8)]
        marks += [MapMark(6 + np.cos(t), -4 + np.sin(2 * t), "trail") for t in np.linspace(0, 4, 9)]
    return marks


@st.fragment
def map_and_event() -> None:
    n = int(st.query_params.get("n", 15625))
    xy, _, _ = demo_arrays(n)
    shown = bool(st.session_state.get("show_marks"))
    trail = tuple((6 + float(np.cos(t)), -4 + float(np.sin(2 * t))) for t in np.linspace(0, 4, 9))
    lines = [MapLine(((-6.0, -2.0), (5.0, 3.0)), "path"), MapLine(trail, "trail")] if shown else []
    events: MapEvents = latent_map(
        key="demo",
        points=demo_points(n),
        colour=demo_colour(n, st.session_state.get("column", "Accuracy")),
        marks=demo_marks(xy),
        lines=lines,
        lasso=st.session_state.get("lasso"),
        lasso_parts=st.session_state.get("parts", ()),
        dim=xy[:, 0] > 0 if st.session_state.get("dim") else None,
        background=demo_background(n) if st.session_state.get("grey", True) else None,
        surface=demo_fields(n)[0] if st.session_state.get("layers") else None,
        contours=demo_fields(n)[1] if st.session_state.get("layers") else None,
        brush=st.session_state.get("brush"),
        on_click=on_click,
        on_lasso=on_lasso,
        on_clear=on_clear,
        on_status=lambda status: remember("status", status),
        on_brush=on_brush,
    )
    last = dict(st.session_state.get("last", {"event": None, "value": None, "count": 0}))
    if last["event"] == "lasso":
        last["selected"] = len(select_in_polygon(xy, last["value"]["polygon"]))
    with st.container(key="event"):
        st.code(json.dumps({**last, "status": events.status}), language=None, wrap_lines=True)


def map_page() -> None:
    # Plain session keys, because widget values do not survive a change of page.
    controls = st.columns(5)
    column = controls[0].selectbox("Colour", ["Accuracy", "Operation", "Missing file"])
    st.session_state["column"] = column
    st.session_state["show_marks"] = controls[1].checkbox("Marks", value=st.session_state.get("show_marks", False))
    st.session_state["dim"] = controls[2].checkbox("Dim the right half", value=st.session_state.get("dim", False))
    st.session_state["grey"] = controls[3].checkbox("Grey sparse zones", value=st.session_state.get("grey", True))
    st.session_state["layers"] = controls[4].checkbox("Layers", value=st.session_state.get("layers", False))
    map_and_event()


def other_page() -> None:
    st.header("Another page")


st.set_page_config(page_title="Map demo", layout="wide")
pages = [st.Page(map_page, title="Map", default=True), st.Page(other_page, title="Other", url_path="other")]
st.navigation(pages).run()
