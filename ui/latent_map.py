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
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components import v2 as components

from ui.public_files import keep_public, publish_array, publish_text

__all__ = [
    "CATEGORICAL", "SEQUENTIAL", "MapBackground", "MapClick", "MapColour", "MapEvents", "MapLasso", "MapLine",
    "MapMark", "MapPoints", "latent_map", "publish_array", "publish_text",
]  # fmt: skip

MarkKind = Literal["focus", "decoded", "basket", "neighbour", "start", "end", "path", "trail", "pending"]
MapStatus = Literal["ready", "no-webgl2", "context-lost", "fetch-failed"]

_HERE = Path(__file__).parent
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

# Legible on white and on near-black: the usual maps end in a purple or a yellow that vanishes on one of the two.
# Lightness rises steadily from L* 44 to 80, so that it also reads in grey and with colour-blind eyes.
SEQUENTIAL: tuple[str, ...] = ("#6e54c0", "#4b78c9", "#2b96b4", "#2eae8a", "#7fbf4d", "#e2c117")
CATEGORICAL: tuple[str, ...] = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#9c6bb0", "#2fa5a0", "#c99a1e", "#d37295", "#9c755f", "#7f8791",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MapPoints:
    """Where the points are; constant for one checkpoint and plane.

    Attributes:
        digest: content hash of the layout. The browser remembers the camera under it.
        xy_url: from :func:`publish_array`, float32 ``(n, 2)``. A row that is not finite is never drawn nor hit.
        n: number of points.
        labels_url: from :func:`publish_text`, one line a point, fetched when a point is first hovered; without it a
            point is named by its row, so leave it out only where that is the official index.
    """

    digest: str
    xy_url: str
    n: int
    labels_url: str | None = None


@dataclass(frozen=True, slots=True)
class MapColour:
    """How the points are coloured; constant for one column.

    Attributes:
        values_url: from :func:`publish_array`, float32, one a point; NaN means no value and is drawn grey. With
            ``categories`` the values are category numbers.
        title: what the number is, as the legend and the tooltip show it; say here whether it was measured or predicted.
        unit: such as ``"%"``; may be empty.
        low: value at the left end of the colour bar; lower ones take the same colour.
        high: value at the right end.
        palette: ``#rrggbb`` stops from low to high, at least two; with ``categories`` one colour for each.
        categories: names. When given, a legend replaces the colour bar.
        on_top: which end is drawn last where points overlap. ``"low"`` suits errors and latencies.
        low_clipped: there are values below ``low``, and the legend says so.
        high_clipped: there are values above ``high``.
    """

    values_url: str
    title: str
    unit: str
    low: float
    high: float
    palette: tuple[str, ...]
    categories: tuple[str, ...] = ()
    on_top: Literal["high", "low"] = "high"
    low_clipped: bool = False
    high_clipped: bool = False

    def __post_init__(self) -> None:
        bad = [stop for stop in self.palette if not _HEX.fullmatch(stop)]
        if bad:
            raise ValueError(f"palette: {bad[0]!r} is not a colour like '#1f77b4'")
        if self.categories:
            if len(self.palette) != len(self.categories):
                raise ValueError(f"{len(self.categories)} categories need as many colours, not {len(self.palette)}")
        elif len(self.palette) < 2:
            raise ValueError("palette: a colour bar needs at least two stops")
        elif not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low must be below high, both finite; got {self.low} and {self.high}")


@dataclass(frozen=True, slots=True)
class MapMark:
    """One marked place, drawn above the points.

    Attributes:
        x: map coordinate.
        y: map coordinate, upwards.
        kind: decides the shape: ``focus`` a crosshair, ``decoded`` a diamond (an architecture decoded between the
            points), ``basket`` a filled disc with its number, ``neighbour`` a ring, ``start`` and ``end`` discs A and
            B, ``path`` and ``trail`` dots, ``pending`` a dashed crosshair.
        label: short text beside the mark; up to two characters replace the letter of ``start`` and ``end``.
        number: a rank or step, shown with the label.
    """

    x: float
    y: float
    kind: MarkKind
    label: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MapLine:
    """A line through map coordinates: an interpolation ``path`` (strong) or a search ``trail`` (thin)."""

    xy: tuple[tuple[float, float], ...]
    kind: Literal["path", "trail"]


@dataclass(frozen=True, slots=True)
class MapBackground:
    """Greyness of sparse zones, drawn under the points.

    Attributes:
        width: columns of the grid.
        height: rows of the grid.
        extent: (x_min, x_max, y_min, y_max) that the grid covers; everything beyond is fully grey.
        opacity: ``width * height`` bytes, 0 clear to 255 grey, row by row, the first row at y_min.
    """

    width: int
    height: int
    extent: tuple[float, float, float, float]
    opacity: bytes

    def __post_init__(self) -> None:
        if len(self.opacity) != self.width * self.height:
            raise ValueError(f"opacity: expected {self.width} x {self.height} bytes, got {len(self.opacity)}")


@dataclass(frozen=True, slots=True)
class MapClick:
    """A chosen place: a point with its row number, or empty space with its exact coordinates.

    Attributes:
        kind: ``"point"`` where a point lies within reach, else ``"empty"``; with Alt or Shift held always ``"empty"``.
        index: row of the point, else ``None``.
        x: coordinate of the point, or of the place itself.
        y: the same, upwards.
        source: ``"pointer"``, or ``"key"`` for a step with the arrow keys.
    """

    kind: Literal["point", "empty"]
    index: int | None
    x: float
    y: float
    source: Literal["pointer", "key"]


@dataclass(frozen=True, slots=True)
class MapLasso:
    """A drawn outline in map coordinates, at most some 200 corners; see ``svge_core.geometry.select_in_polygon``."""

    polygon: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class MapEvents:
    """What happened on the map since the last run. Pages usually need only the callbacks.

    Attributes:
        click: set only in the run that a click caused.
        lasso: set only in the run that a lasso caused.
        cleared: true only in the run that Escape caused.
        status: what the browser says about the map.
    """

    click: MapClick | None
    lasso: MapLasso | None
    cleared: bool
    status: MapStatus


# Joined into one module: inline components cannot import files of their own.
_SCRIPTS = tuple(f"latent_map{part}.js" for part in ("_data", "_gl", "_overlay", "_view", ""))
_component = components.component(
    "svge_latent_map",
    html=(_HERE / "latent_map.html").read_text("utf-8"),
    css=(_HERE / "latent_map.css").read_text("utf-8"),
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
    dim: NDArray[np.bool_] | None = None,
    background: MapBackground | None = None,
    height: int = 620,
    on_click: Callable[[MapClick], None] | None = None,
    on_lasso: Callable[[MapLasso], None] | None = None,
    on_clear: Callable[[], None] | None = None,
    on_status: Callable[[MapStatus], None] | None = None,
) -> MapEvents:
    """Show the map. Where the browser has no WebGL2, a Plotly chart with the same events takes its place.

    Args:
        key: identity of the map on its page.
        points: the layout.
        colour: the column that colours it.
        marks: places to mark; changing them never redraws the points nor moves the view.
        lines: lines to draw under the marks.
        lasso: outline of the current selection. Pass back what ``on_lasso`` gave to keep it drawn.
        dim: one boolean a point; true fades it to light grey. Dimmed points can still be hovered and clicked.
        background: greyness of sparse zones.
        height: in CSS pixels, legend included.
        on_click: called before the rerun with the chosen place.
        on_lasso: called with the drawn outline.
        on_clear: called when Escape was pressed.
        on_status: called when the state of the map changes for better or worse.

    Returns:
        The events of this run.
    """
    if dim is not None and len(dim) != points.n:
        raise ValueError(f"dim: expected {points.n} booleans, got {len(dim)}")
    keep_public(points.xy_url, colour.values_url, points.labels_url)
    handlers = _Handlers(key, on_click, on_lasso, on_clear, on_status)
    if (missing := st.session_state.get(_NO_WEBGL)) is not None:
        from ui.latent_map_fallback import fallback_map  # Plotly is not imported unless it is needed

        return fallback_map(
            key=key, points=points, colour=colour, marks=marks, lines=lines, lasso=lasso, dim=dim, height=height,
            webgl=missing == "no-webgl2", handlers=handlers,
        )  # fmt: skip
    result = _component(
        key=key,
        data={
            "key": key,
            "height": height,
            "points": {"digest": points.digest, "url": points.xy_url, "n": points.n, "labels": points.labels_url},
            "colour": {
                "url": colour.values_url, "title": colour.title, "unit": colour.unit, "low": float(colour.low),
                "high": float(colour.high), "palette": list(colour.palette), "categories": list(colour.categories),
                "onTop": colour.on_top, "lowClipped": colour.low_clipped, "highClipped": colour.high_clipped,
            },
            "marks": [{**asdict(mark), "x": float(mark.x), "y": float(mark.y)} for mark in marks],
            "lines": [{"kind": line.kind, "xy": _pairs(line.xy)} for line in lines],
            "lasso": _pairs(lasso) if lasso else None,
            "dim": None if dim is None else base64.b64encode(np.packbits(dim).tobytes()).decode(),
            "background": _background_data(background),
            "seq": st.session_state.get(handlers.seq_key, 0),
            "status": handlers.known_status(),
        },
        default={"status": "ready"},
        on_click_change=handlers.click,
        on_lasso_change=handlers.lasso,
        on_clear_change=handlers.clear,
        on_status_change=handlers.status,
    )  # fmt: skip
    return MapEvents(
        parse_click(result.click), parse_lasso(result.lasso), result.clear is not None, _parse_status(result.status)
    )


_NO_WEBGL = "_latent_map_no_webgl"  # a browser that cannot draw the map cannot on any page: one answer per session


@dataclass(frozen=True, slots=True)
class _Handlers:
    """Streamlit calls callbacks without arguments; these read the event, check it and hand it on."""

    key: str
    on_click: Callable[[MapClick], None] | None
    on_lasso: Callable[[MapLasso], None] | None
    on_clear: Callable[[], None] | None
    on_status: Callable[[MapStatus], None] | None

    @property
    def seq_key(self) -> str:
        return f"_latent_map_seq_{self.key}"

    def known_status(self) -> str:
        state = st.session_state.get(self.key)
        return _parse_status(state.get("status") if isinstance(state, Mapping) else None)

    def _event(self, name: str) -> Any:
        state = st.session_state.get(self.key)
        return state.get(name) if isinstance(state, Mapping) else None

    def click(self) -> None:
        event = self._event("click")
        self.deliver_click(parse_click(event), event.get("seq") if isinstance(event, Mapping) else None)

    def deliver_click(self, click: MapClick | None, seq: object = None) -> None:
        if isinstance(seq, int | float):
            st.session_state[self.seq_key] = seq  # echoed, so that the browser knows which click was answered
        if click and self.on_click:
            self.on_click(click)

    def lasso(self) -> None:
        self.deliver_lasso(parse_lasso(self._event("lasso")))

    def deliver_lasso(self, lasso: MapLasso | None) -> None:
        if lasso and self.on_lasso:
            self.on_lasso(lasso)

    def clear(self) -> None:
        if self.on_clear:
            self.on_clear()

    def status(self) -> None:
        said = self._event("status")
        if said in ("no-webgl2", "no-webgl"):
            st.session_state[_NO_WEBGL] = said
        if self.on_status:
            self.on_status(_parse_status(said))


def parse_click(event: object) -> MapClick | None:
    """A click as the browser sends it, or ``None`` where there is none or it makes no sense."""
    if not isinstance(event, Mapping):
        return None
    index, x, y = event.get("index"), _number(event.get("x")), _number(event.get("y"))
    if x is None or y is None or not (index is None or (isinstance(index, int) and index >= 0)):
        return None
    source: Literal["pointer", "key"] = "key" if event.get("source") == "key" else "pointer"
    return MapClick("empty" if index is None else "point", index, x, y, source)


def parse_lasso(event: object) -> MapLasso | None:
    """A lasso as the browser sends it, or ``None`` where there is none or it makes no sense."""
    corners = event.get("polygon") if isinstance(event, Mapping) else None
    if not isinstance(corners, list) or not 3 <= len(corners) <= 10_000:
        return None
    pairs = [(_number(c[0]), _number(c[1])) for c in corners if isinstance(c, list) and len(c) == 2]
    polygon = tuple((x, y) for x, y in pairs if x is not None and y is not None)
    return MapLasso(polygon) if len(polygon) == len(corners) else None


def _parse_status(said: object) -> MapStatus:
    if said in ("no-webgl", "no-webgl2"):
        return "no-webgl2"
    return said if said in ("context-lost", "fetch-failed") else "ready"  # type: ignore[return-value]


def _number(value: object) -> float | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if ok else None  # type: ignore[arg-type]


def _pairs(xy: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in xy]


def _background_data(background: MapBackground | None) -> dict[str, Any] | None:
    if background is None:
        return None
    url = publish_array(np.frombuffer(background.opacity, dtype=np.uint8), "background")
    extent = [float(edge) for edge in background.extent]
    return {"url": url, "width": background.width, "height": background.height, "extent": extent}
