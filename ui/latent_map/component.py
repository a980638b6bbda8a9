"""The map of a latent space: typed access to our own WebGL2 component. Nothing is computed here.

Points and values never travel over the websocket. :func:`publish_array` puts each array once into ``static/map/``
beside the running script, under a name that holds its content's hash, and the browser fetches it by URL; a rerun then
sends only marks. The camera belongs to the browser, which remembers it per ``MapPoints.digest``, so no rerun and no
page switch moves the view.

A page calls :func:`latent_map` with callbacks that write its focus into the session state, and reads nothing else::

    def chosen(click: MapClick) -> None:
        st.session_state["focus"] = {"index": click.index, "x": click.x, "y": click.y}

    latent_map(key="map", points=points, colour=colour, marks=marks, on_click=chosen)

Call it inside ``st.fragment`` together with the panel that shows the focus: then a click reruns those two only.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components import v2 as components

from ui.latent_map.events import NO_WEBGL, Handlers, parse_click, parse_lasso, parse_status
from ui.latent_map.own import name_files
from ui.latent_map.published import keep_public, publish_array
from ui.latent_map.values import (
    LassoMode,
    MapBackground,
    MapBrush,
    MapClick,
    MapColour,
    MapEvents,
    MapField,
    MapFlight,
    MapLasso,
    MapLine,
    MapMark,
    MapPoints,
    MapRegion,
    MapStatus,
    MapTwin,
)

_HERE = Path(__file__).parent / "frontend"


# Joined into one module, because inline components cannot import files of their own; a class follows what it extends.
_SCRIPTS = tuple(
    f"{part}.js"
    for part in ("data", "scale", "gl", "layers", "regions", "overlay", "legend", "view", "input", "motion", "map")
)
_component = components.component(
    "svge_latent_map",
    html=(_HERE / "map.html").read_text("utf-8"),
    css=(_HERE / "map.css").read_text("utf-8"),
    js="\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS),
)


def latent_map(
    *,
    key: str,
    points: MapPoints,
    colour: MapColour,
    marks: Sequence[MapMark] = (),
    lines: Sequence[MapLine] = (),
    lasso: Sequence[tuple[float, float]] | None = None,
    lasso_parts: Sequence[tuple[LassoMode, Sequence[tuple[float, float]]]] = (),
    dim: NDArray[np.bool_] | None = None,
    background: MapBackground | None = None,
    surface: MapField | None = None,
    contours: MapField | None = None,
    brush: tuple[float, float] | None = None,
    flight: MapFlight | None = None,
    regions: Sequence[MapRegion] = (),
    twin: MapTwin | None = None,
    points_only: bool = False,
    height: int = 620,
    on_click: Callable[[MapClick], None] | None = None,
    on_lasso: Callable[[MapLasso], None] | None = None,
    on_clear: Callable[[], None] | None = None,
    on_status: Callable[[MapStatus], None] | None = None,
    on_brush: Callable[[MapBrush | None], None] | None = None,
) -> MapEvents:
    """Show the map. Where the browser has no WebGL2, a Plotly chart with the same events takes its place.

    Args:
        key: identity of the map on its page.
        points: the layout.
        colour: the column that colours it.
        marks: places to mark; changing them never redraws the points nor moves the view.
        lines: lines to draw under the marks.
        lasso: outline of the current selection. Pass back what ``on_lasso`` gave to keep it drawn.
        lasso_parts: outlines that were added to it or removed from it since. The chart without WebGL2 leaves them out.
        dim: one boolean a point; true fades it to light grey. Dimmed points can still be hovered and clicked.
        background: greyness of sparse zones.
        surface: values between the points, in the colours of the column. The chart without WebGL2 leaves it out.
        contours: densities of the points, drawn as lines; left out there too.
        brush: lowest and highest value that keep their colours; it fades the other points as ``dim`` does, and lies on
            the legend. Pass back what ``on_brush`` gave.
        flight: moves the camera to a place, once for each number.
        regions: names of parts of the map, the most important first. The chart without WebGL2 leaves them out.
        twin: another map on the page that shows the same cells.
        points_only: a click on empty space is no click.
        height: in CSS pixels, legend included.
        on_click: called before the rerun with the chosen place.
        on_lasso: called with the drawn outline.
        on_clear: called when Escape was pressed.
        on_status: called when the state of the map changes for better or worse.
        on_brush: called when the brush on the legend is released; ``None`` when it is removed. Without it the legend
            cannot be brushed.

    Returns:
        The events of this run.
    """
    if dim is not None and len(dim) != points.n:
        raise ValueError(f"dim: expected {points.n} booleans, got {len(dim)}")
    fields = [field.url for field in (surface, contours) if field is not None]
    keep_public(points.xy_url, colour.values_url, points.labels_url, *fields)
    name_files([colour.values_url, *fields], beside=twin is not None and twin.second)
    handlers = Handlers(key, on_click, on_lasso, on_clear, on_status, on_brush)
    if (missing := st.session_state.get(NO_WEBGL)) is not None:
        from ui.latent_map.fallback import fallback_map  # Plotly is not imported unless it is needed

        return fallback_map(
            key=key,
            points=points,
            colour=colour,
            marks=marks,
            lines=lines,
            lasso=lasso,
            dim=dim,
            brush=brush,
            height=height,
            webgl=missing == "no-webgl2",
            handlers=handlers,
        )
    result = _component(
        key=key,
        data={
            "key": key,
            "height": height,
            "points": {"digest": points.digest, "url": points.xy_url, "n": points.n, "labels": points.labels_url},
            "colour": {
                "url": colour.values_url,
                "title": colour.title,
                "unit": colour.unit,
                "low": float(colour.low),
                "high": float(colour.high),
                "palette": list(colour.palette),
                "categories": list(colour.categories),
                "onTop": colour.on_top,
                "lowClipped": colour.low_clipped,
                "highClipped": colour.high_clipped,
                "scale": colour.scale,
            },
            "marks": [{**asdict(mark), "x": float(mark.x), "y": float(mark.y)} for mark in marks],
            "lines": [{"kind": line.kind, "xy": _pairs(line.xy)} for line in lines],
            "lasso": _pairs(lasso) if lasso else None,
            "lassoParts": [{"mode": mode, "xy": _pairs(part)} for mode, part in lasso_parts],
            "dim": None if dim is None else base64.b64encode(np.packbits(dim).tobytes()).decode(),
            "background": _background_data(background),
            "surface": None if surface is None else asdict(surface),
            "contours": None if contours is None else asdict(contours),
            "regions": [asdict(region) for region in regions],
            "brush": None if brush is None else [float(end) for end in brush],
            "brushable": on_brush is not None,
            "flight": None if flight is None else asdict(flight),
            "twin": _twin_data(twin),
            "pointsOnly": points_only,
            "seq": st.session_state.get(handlers.seq_key, 0),
            "status": handlers.known_status(),
        },
        default={"status": "ready"},
        on_click_change=handlers.click,
        on_lasso_change=handlers.lasso,
        on_clear_change=handlers.clear,
        on_status_change=handlers.status,
        on_brush_change=handlers.brush,
    )
    return MapEvents(
        parse_click(result.click), parse_lasso(result.lasso), result.clear is not None, parse_status(result.status)
    )


def _pairs(xy: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in xy]


def _twin_data(twin: MapTwin | None) -> dict[str, Any] | None:
    return (
        None
        if twin is None
        else {"key": twin.key, "sameRows": twin.same_rows, "track": twin.track, "second": twin.second}
    )


def _background_data(background: MapBackground | None) -> dict[str, Any] | None:
    if background is None:
        return None
    url = publish_array(np.frombuffer(background.opacity, dtype=np.uint8), "background")
    extent = [float(edge) for edge in background.extent]
    return {"url": url, "width": background.width, "height": background.height, "extent": extent}
