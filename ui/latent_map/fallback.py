"""The map without WebGL2: a Plotly chart that reports the same events.

Two limits come with it. Plotly gives any changed figure its first view back, so a new mark undoes the zoom; and only
a sample of a large space is drawn. Every point can still be chosen, because hits are resolved here against all of them.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from streamlit.components import v2 as components

from ui.latent_map.events import Handlers, parse_click, parse_lasso
from ui.latent_map.published import published_floats
from ui.latent_map.values import MapClick, MapColour, MapEvents, MapLine, MapMark, MapPoints

_MAX_WEBGL1, _MAX_SVG = 50_000, 4_000  # more points than this make Plotly too slow to use
_HIT_RADIUS = 8.0
_GREY, _LINE, _ACCENT = "rgba(128,128,128,0.25)", "rgba(128,128,128,0.9)", "#e0405e"
_SYMBOLS = {
    "focus": "cross-thin-open",
    "decoded": "diamond-open",
    "basket": "square",
    "neighbour": "circle-open",
    "start": "circle",
    "end": "circle",
    "path": "circle",
    "trail": "circle",
    "pending": "cross-thin-open",
}

# Streamlit drops clicks that hit no point, so this listens to the chart itself (layout.clickanywhere makes it speak).
_LISTENER = """
const listeners = new WeakMap();

function attach(state) {
  const chart = document.querySelector(`.st-key-${CSS.escape(state.chart)} .js-plotly-plot`);
  if (!chart || !chart.on || chart === state.attached) return;
  state.attached = chart;
  chart.on("plotly_click", (event) => {
    const point = event.points[0], { xaxis } = chart._fullLayout;
    const x = point ? point.x : event.xvals[0], y = point ? point.y : event.yvals[0];
    const exact = Boolean(event.event && (event.event.altKey || event.event.shiftKey));
    const scale = xaxis._length / Math.abs(xaxis.range[1] - xaxis.range[0]);
    state.component.setTriggerValue("click", { x, y, exact, scale, seq: Date.now() });
  });
  chart.on("plotly_selected", (event) => {
    const drawn = event && event.lassoPoints;
    if (drawn) state.component.setTriggerValue("lasso", { polygon: drawn.x.map((x, i) => [x, drawn.y[i]]) });
  });
  chart.on("plotly_deselect", () => state.component.setTriggerValue("clear", { seq: Date.now() }));
}

export default function (component) {
  const parent = component.parentElement;
  let state = listeners.get(parent);
  if (!state) {
    state = { timer: setInterval(() => attach(state), 250) }; // Plotly loads late and may build its chart anew
    state.escape = (event) => {
      if (event.key === "Escape") state.component.setTriggerValue("clear", { seq: Date.now() });
    };
    document.addEventListener("keydown", state.escape);
    listeners.set(parent, state);
  }
  Object.assign(state, { component, chart: component.data.chart });
  attach(state);
  return () => {
    clearInterval(state.timer);
    document.removeEventListener("keydown", state.escape);
    listeners.delete(parent);
  };
}
"""
_listener = components.component("svge_latent_map_fallback", js=_LISTENER)


def fallback_map(
    *,
    key: str,
    points: MapPoints,
    colour: MapColour,
    marks: Sequence[MapMark],
    lines: Sequence[MapLine],
    lasso: Sequence[tuple[float, float]] | None,
    dim: NDArray[np.bool_] | None,
    brush: tuple[float, float] | None = None,
    height: int,
    webgl: bool,
    handlers: Handlers,
) -> MapEvents:
    """Show the chart in place of the map; called by ``latent_map`` only."""
    xy = published_floats(points.xy_url).reshape(points.n, 2)
    values = published_floats(colour.values_url)
    if brush is not None and not colour.categories:
        outside = ~((values >= np.asarray(brush[0], values.dtype)) & (values <= np.asarray(brush[1], values.dtype)))
        dim = outside if dim is None else dim | outside
    shown = _sample(points.n, _MAX_WEBGL1 if webgl else _MAX_SVG)
    drawn = "" if len(shown) == points.n else f" {len(shown):,} of {points.n:,} points are drawn; all can be chosen."
    st.caption(f"This browser has no WebGL2, so a simpler chart takes the place of the map.{drawn}")
    figure = map_figure(xy, values, colour, shown, marks, lines, lasso, dim, webgl=webgl)
    figure.update_layout(height=height)
    chart_key = f"{key}-plotly"
    st.plotly_chart(figure, key=chart_key, config={"scrollZoom": True, "displaylogo": False, "doubleClick": "reset"})

    def event(name: str) -> Any:
        state = st.session_state.get(f"{key}-listener")
        return state.get(name) if isinstance(state, Mapping) else None

    def click() -> None:
        sent = event("click")
        handlers.deliver_click(resolve_click(sent, xy), sent.get("seq") if isinstance(sent, Mapping) else None)

    result = _listener(
        key=f"{key}-listener",
        data={"chart": chart_key},
        height=1,
        on_click_change=click,
        on_lasso_change=lambda: handlers.deliver_lasso(parse_lasso(event("lasso"))),
        on_clear_change=handlers.clear,
    )
    return MapEvents(resolve_click(result.click, xy), parse_lasso(result.lasso), result.clear is not None, "no-webgl2")


def resolve_click(sent: object, xy: NDArray[np.float32]) -> MapClick | None:
    """The nearest point within reach of a click on the chart, or the place itself."""
    place = parse_click(sent)
    if place is None or not isinstance(sent, Mapping):
        return None
    scale = sent.get("scale")
    if sent.get("exact") or not isinstance(scale, int | float) or not scale > 0 or not len(xy):
        return place
    distance = np.nan_to_num(np.hypot(xy[:, 0] - place.x, xy[:, 1] - place.y), nan=np.inf)
    index = int(distance.argmin())
    if distance[index] * scale > _HIT_RADIUS:
        return place
    return MapClick("point", index, float(xy[index, 0]), float(xy[index, 1]), "pointer")


def _sample(n: int, limit: int) -> NDArray[np.int64]:
    """Row numbers to draw, the same on every rerun: a changed figure would lose its zoom."""
    return np.arange(n) if n <= limit else np.sort(np.random.default_rng(0).choice(n, limit, replace=False))


def map_figure(
    xy: NDArray[np.float32],
    values: NDArray[np.floating[Any]],
    colour: MapColour,
    shown: NDArray[np.int64],
    marks: Sequence[MapMark],
    lines: Sequence[MapLine],
    lasso: Sequence[tuple[float, float]] | None,
    dim: NDArray[np.bool_] | None,
    *,
    webgl: bool,
) -> go.Figure:
    """The chart: faint points, coloured points, lines, marks, in this order."""
    scatter = go.Scattergl if webgl else go.Scatter
    dimmed = np.zeros(len(xy), dtype=bool) if dim is None else np.asarray(dim, dtype=bool)
    faint = shown[dimmed[shown] | ~np.isfinite(values[shown])]
    plain = shown[~dimmed[shown] & np.isfinite(values[shown])]
    plain = plain if colour.categories else plain[np.argsort(values[plain], kind="stable")]
    faint_style = {"marker": {"size": 4, "color": _GREY}, "hoverinfo": "skip"}
    figure = go.Figure()
    figure.add_trace(scatter(x=xy[faint, 0], y=xy[faint, 1], mode="markers", name="", **faint_style))
    style = _coloured(values[plain], colour, values[np.isfinite(values)])
    figure.add_trace(scatter(x=xy[plain, 0], y=xy[plain, 1], mode="markers", name="", **style))
    # Lines and marks are of the same kind as the points: Plotly draws everything in WebGL above everything in SVG.
    for line in lines:
        stroke = {"width": 3 if line.kind == "path" else 1.5, "color": _ACCENT if line.kind == "path" else _LINE}
        figure.add_trace(scatter(**_columns(line.xy), mode="lines", line=stroke, hoverinfo="skip", name=""))
    if lasso:
        stroke = {"width": 1.5, "color": _ACCENT, "dash": "dot"}
        outline = _columns([*lasso, lasso[0]])
        figure.add_trace(scatter(**outline, mode="lines", line=stroke, hoverinfo="skip", name=""))
    if marks:
        figure.add_trace(scatter(**_mark_style(marks, tags=not webgl)))
    figure.update_layout(
        clickanywhere=True,
        showlegend=False,
        dragmode="pan",
        hoverdistance=8,
        uirevision="map",
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure


def rank_places(
    values: NDArray[np.floating[Any]], known: NDArray[np.floating[Any]], colour: MapColour
) -> NDArray[np.float64]:
    """Places along the palette by rank among all known values, 0 to 1, as the map itself takes them."""
    groups, counts = np.unique(np.clip(known, colour.low, colour.high), return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    if len(groups) < 2:
        return np.full(len(values), 0.5)
    places = (middle - middle[0]) / (middle[-1] - middle[0])
    return places[np.searchsorted(groups, np.clip(values, colour.low, colour.high))]


def _coloured(values: NDArray[np.floating[Any]], colour: MapColour, known: NDArray[np.floating[Any]]) -> dict[str, Any]:
    # Plotly reads tags in its SVG text, links included; titles and names may come from a user's file.
    title = html.escape(f"{colour.title} ({colour.unit})" if colour.unit else colour.title)
    if colour.categories:
        colours = np.array(colour.palette)[values.astype(int) % len(colour.palette)]
        names = np.array([html.escape(name) for name in colour.categories])[values.astype(int) % len(colour.categories)]
        return {"marker": {"size": 5, "color": colours}, "text": names, "hovertemplate": "%{text}<extra></extra>"}
    stops = [[i / (len(colour.palette) - 1), stop] for i, stop in enumerate(colour.palette)]
    bar = {"title": {"text": title, "side": "top"}, "orientation": "h", "y": -0.02, "yanchor": "top", "thickness": 10}
    marker = {"size": 5, "color": values, "colorscale": stops, "cmin": colour.low, "cmax": colour.high, "colorbar": bar}
    if colour.scale == "ranks":
        marker |= {"color": rank_places(values, known, colour), "cmin": 0, "cmax": 1}
        bar["title"] = {"text": f"{title}, colours by rank", "side": "top"}
        bar |= {"tickvals": [0, 1], "ticktext": [f"{colour.low:.4g}", f"{colour.high:.4g}"]}
    template = f"{title}: %{{customdata:.4g}}<extra></extra>"
    return {"marker": marker, "customdata": values, "hovertemplate": template}


def _columns(xy: Sequence[tuple[float, float]]) -> dict[str, list[float]]:
    return {"x": [x for x, _ in xy], "y": [y for _, y in xy]}


def _mark_style(marks: Sequence[MapMark], *, tags: bool) -> dict[str, Any]:
    """Marks with their words; ``tags`` says that Plotly would read tags in them, which it does only in SVG."""
    text = [" ".join(filter(None, ("" if m.number is None else str(m.number), m.label))) for m in marks]
    text = [html.escape(words) for words in text] if tags else text
    line = {"width": 2, "color": _ACCENT}
    marker = {"symbol": [_SYMBOLS[m.kind] for m in marks], "size": 11, "color": _ACCENT, "line": line}
    place = _columns([(m.x, m.y) for m in marks])
    words = {"text": text, "textposition": "middle right", "mode": "markers+text"}
    return {**place, **words, "marker": marker, "hoverinfo": "skip", "name": ""}
