"""Travel on the Map page: a straight way through the latent space from the best cell to a random one, played."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.errors import SvgeError
from svge_core.explorer import Column, Explorer
from svge_core.interpolation import LatentPath, PathScores, lay_path, path_scores, score_titles
from ui.latent_map.values import MapLine, MapMark
from ui.player.component import player
from ui.player.paths import path_curves, path_frames, path_pictures, path_places
from ui.shared import reruns, session
from ui.shared.choices import CellFocus, Focus, PathChoice
from ui.shared.theme import plain, theme_name

#: the trip; how many there were; the trip and the stop that a person stopped at
_TRAVEL, _TRIPS, _STOPPED = "map_travel", "map_trips", "map_travel_stop"
STOPS = 25


@dataclass(frozen=True)
class Trip:
    """A way that was asked for.

    Attributes:
        space: that it leads through.
        start, end: official indices.
        number: of the trip in this session; a new one is played.
        before: what was in focus when it was asked for.
    """

    space: str
    start: int
    end: int
    number: int
    before: Focus | None


@dataclass(frozen=True)
class Way:
    """A trip that was laid.

    Attributes:
        trip: that was asked for.
        path: its stops.
        points: their places on the shown map.
    """

    trip: Trip
    path: LatentPath
    points: list[tuple[float, float]]


def set_out(explorer: Explorer, start: int) -> None:
    """A callback: travel from a cell to a random one."""
    indices = explorer.atlas.indices
    end = start
    while end == start:
        end = int(indices[np.random.default_rng().integers(len(indices))])
    # counted apart, because a trip that is over is forgotten and its number is not given again
    number = st.session_state[_TRIPS] = st.session_state.get(_TRIPS, 0) + 1
    st.session_state[_TRAVEL] = Trip(explorer.space.name, start, end, number, session.focus())


def arrive() -> None:
    """The trip is over: the map is as it was."""
    st.session_state[_TRAVEL] = None


def way_of(explorer: Explorer, plane: PlaneName) -> Way | None:
    """The trip on the shown map; None while there is none."""
    trip: Trip | None = st.session_state.get(_TRAVEL)
    if trip is None or trip.space != explorer.space.name:
        return None
    start, end = (explorer.space.from_index(index) for index in (trip.start, trip.end))
    try:
        path = reruns.memo(
            "travel",
            (explorer.atlas.digest, trip),
            lambda: lay_path(explorer, start, end, "linear", STOPS, constrained=True),
        )
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    key = (explorer.atlas.digest, trip, plane)
    return Way(trip, path, reruns.memo("travel places", key, lambda: path_places(explorer, plane, path)))


def lines_of(way: Way | None) -> list[MapLine]:
    """What the map draws of it."""
    return [] if way is None else [MapLine(tuple(way.points), "path")]


def ends_of(way: Way | None) -> list[MapMark]:
    """A and B."""
    return [] if way is None else [MapMark(*way.points[0], "start"), MapMark(*way.points[-1], "end")]


def show_way(explorer: Explorer, plane: PlaneName, way: Way, by: Column | None, map_key: str) -> None:
    """Play it; where a person stops, that cell is in focus.

    Args:
        explorer: of the checkpoint.
        plane: the shown map.
        way: the trip.
        by: column whose score is followed.
        map_key: of the map.
    """
    path, trip = way.path, way.trip
    scores = _scores(explorer, path, by, trip)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="travel-head"):
        st.markdown(
            f"**#{trip.start}** to **#{trip.end}**, a random cell, straight through the latent space: "
            f"{len(path.frames)} architectures on {len(path.stops)} stops",
            width="stretch",
        )
        if st.button("Open as a path", key="travel-open", icon=":material/timeline:", type="tertiary"):
            session.set_path_choice(PathChoice(trip.start, trip.end, stops=STOPS, constrained=True))
            st.switch_page("pages/interpolate.py")
        st.button("Close", key="travel-close", icon=":material/close:", type="tertiary", on_click=arrive)
    curves, title = path_curves(scores)

    def stopped(number: int) -> None:
        index = path.stops[number].index
        if index is not None:
            st.session_state[_STOPPED] = (trip, number)
            session.walk_focus(CellFocus(index))

    at = _stop_in_focus(path, trip)
    player(
        key="travel-player",
        map_key=map_key,
        kind="path",
        identity=f"{trip.number}-{plane}-{theme_name()}",
        frames=path_frames(path, way.points, scores),
        pictures=path_pictures(path, explorer.space.name),
        curves=curves,
        title=title,
        at=at or 0,
        play=trip.number,
        always=at is not None,
        on_stop=stopped,
    )


def _stop_in_focus(path: LatentPath, trip: Trip) -> int | None:
    """The stop that the page shows, the first one until a person stops; None where something else was chosen since the
    trip was asked for: its mark is not to be hidden."""
    now, (stopped, number) = session.focus(), st.session_state.get(_STOPPED, (None, 0))
    if stopped == trip and now == CellFocus(path.stops[number].index or 0):
        return number
    return 0 if now in (None, trip.before, CellFocus(trip.start)) else None


def _scores(explorer: Explorer, path: LatentPath, by: Column | None, trip: Trip) -> PathScores | None:
    titles = score_titles(explorer)
    if not titles:
        return None
    key = by.name.score if by is not None and by.name.score in titles else next(iter(titles))
    return reruns.memo("travel scores", (explorer.digest, trip, key), lambda: path_scores(explorer, path, key))
