"""What the browser sends, read and checked, and handed to whoever asked for it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from ui.latent_map.values import (
    MapBrush,
    MapClick,
    MapLasso,
    MapStatus,
)

NO_WEBGL = "_latent_map_no_webgl"  # a browser that cannot draw the map cannot on any page: one answer per session


@dataclass(frozen=True, slots=True)
class Handlers:
    """Streamlit calls callbacks without arguments; these read the event, check it and hand it on."""

    key: str
    on_click: Callable[[MapClick], None] | None
    on_lasso: Callable[[MapLasso], None] | None
    on_clear: Callable[[], None] | None
    on_status: Callable[[MapStatus], None] | None
    on_brush: Callable[[MapBrush | None], None] | None = None

    @property
    def seq_key(self) -> str:
        return f"_latent_map_seq_{self.key}"

    def known_status(self) -> str:
        state = st.session_state.get(self.key)
        return parse_status(state.get("status") if isinstance(state, Mapping) else None)

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

    def brush(self) -> None:
        event = self._event("brush")
        if self.on_brush and isinstance(event, Mapping):
            self.on_brush(parse_brush(event))

    def clear(self) -> None:
        if self.on_clear:
            self.on_clear()

    def status(self) -> None:
        said = self._event("status")
        if said in ("no-webgl2", "no-webgl"):
            st.session_state[NO_WEBGL] = said
        if self.on_status:
            self.on_status(parse_status(said))


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
    corners, mode = (event.get("polygon"), event.get("mode", "new")) if isinstance(event, Mapping) else (None, "")
    if mode not in ("new", "add", "remove") or not isinstance(corners, list) or not 3 <= len(corners) <= 10_000:
        return None
    pairs = [(_number(c[0]), _number(c[1])) for c in corners if isinstance(c, list) and len(c) == 2]
    polygon = tuple((x, y) for x, y in pairs if x is not None and y is not None)
    return MapLasso(polygon, mode) if len(polygon) == len(corners) else None


def parse_brush(event: object) -> MapBrush | None:
    """A brush as the browser sends it, or ``None`` where it was removed or makes no sense."""
    ends = event.get("range") if isinstance(event, Mapping) else None
    if not isinstance(ends, list) or len(ends) != 2:
        return None
    low, high = (None if end is None else _number(end) for end in ends)
    if (low is None) != (ends[0] is None) or (high is None) != (ends[1] is None) or low is high is None:
        return None
    return None if low is not None and high is not None and low > high else MapBrush(low, high)


def parse_status(said: object) -> MapStatus:
    if said in ("no-webgl", "no-webgl2"):
        return "no-webgl2"
    return said if said in ("context-lost", "fetch-failed") else "ready"  # type: ignore[return-value]


def _number(value: object) -> float | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if ok else None  # type: ignore[arg-type]
