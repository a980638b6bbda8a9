"""A player: pictures, a curve and a marker on a map that move together, in the browser, without a rerun per frame.

Everything is sent once. The browser plays it, or walks it with the slider and the arrow keys, and tells the map beside
it (:mod:`ui.latent_map`) what to mark; the server hears of the frame at which a person stops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.components import v2 as components

from ui.shared.theme import theme

_HERE = Path(__file__).parent
_component = components.component(
    "svge_player",
    html=(_HERE / "player.html").read_text("utf-8"),
    css=(_HERE / "player.css").read_text("utf-8"),
    js="\n".join((_HERE / name).read_text("utf-8") for name in ("curve.js", "player.js")),
)
#: seconds that a frame lasts at the usual speed
PACE = {"path": 0.45, "search": 0.22}


@dataclass(frozen=True, slots=True)
class PlayerFrame:
    """One moment.

    Attributes:
        x: map coordinate of the marker; NaN for a place that is on no map.
        y: the same, upwards.
        words: what there is to say, one line.
        picture: number of the picture that is shown; None for none.
        label: beside the marker of a search.
    """

    x: float
    y: float
    words: str
    picture: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class PlayerPicture:
    """A drawing.

    Attributes:
        svg: as :func:`svge_core.drawing.to_svg` gives it, with what changed marked.
        changed: whether anything is marked: that glows when the picture comes.
    """

    svg: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class PlayerCurve:
    """Numbers over the frames.

    Attributes:
        name: in the legend.
        values: one for each frame, None where there is none.
        colour: ``#rrggbb``; empty for that of the text.
        kind: a line; a dashed line of predictions; steps of a best so far; or single dots.
    """

    name: str
    values: tuple[float | None, ...]
    colour: str = ""
    kind: Literal["line", "predicted", "steps", "dots"] = "line"


def player(
    *,
    key: str,
    map_key: str,
    kind: Literal["path", "search"],
    identity: str,
    frames: Sequence[PlayerFrame],
    pictures: Sequence[PlayerPicture] = (),
    curves: Sequence[PlayerCurve] = (),
    title: str = "",
    at: int = 0,
    play: int = 0,
    always: bool = False,
    on_stop: Callable[[int], None] | None = None,
) -> None:
    """Show it.

    Args:
        key: of the component on its page.
        map_key: of the map that the marker moves over.
        kind: along a path the marker glides; a search leaves a trail and marks the best so far.
        identity: of what is played; the place in it stays while this stays.
        frames: in order.
        pictures: that the frames name.
        curves: beside them.
        title: what the curves show, with its unit.
        at: the frame that the page shows.
        play: plays at once, for each new number once, also if the page is left and comes
            back; not for people who want less motion.
        always: the marker is this player's even at the frame that the page shows.
        on_stop: called with the frame at which a person stopped.
    """
    _component(
        key=key,
        data={
            "map": map_key,
            "kind": kind,
            "identity": identity,
            "frames": [_plain(asdict(frame)) for frame in frames],
            "pictures": [asdict(picture) for picture in pictures],
            "curves": [{**asdict(curve), "values": list(map(_number, curve.values))} for curve in curves],
            "title": title,
            "at": at,
            "play": play,
            "always": always,
            "pace": PACE[kind],
            "accent": theme().accent,
        },
        on_stop_change=lambda: _stopped(key, len(frames), on_stop),
    )


def _plain(frame: dict[str, Any]) -> dict[str, Any]:
    return {**frame, "x": _number(frame["x"]), "y": _number(frame["y"])}


def _number(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return None if value is None or value != value else float(value)


def _stopped(key: str, count: int, on_stop: Callable[[int], None] | None) -> None:
    state = st.session_state.get(key)
    event = state.get("stop") if isinstance(state, Mapping) else None
    frame = event.get("frame") if isinstance(event, Mapping) else None
    if on_stop is not None and isinstance(frame, int) and not isinstance(frame, bool) and 0 <= frame < count:
        on_stop(frame)
