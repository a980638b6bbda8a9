"""The workspace of the Interpolate page: ends, filmstrip, slider, map and panel, curve; one fragment."""

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.figures import path_figure
from svge_core.interpolation import LatentPath, score_titles
from ui.interpolate.controls import controls, position_bar
from ui.interpolate.path import (
    both_ends,
    change,
    chosen_path,
    go_to,
    identity_of_path,
    is_example,
    nearest_stop,
    places,
    position,
    random_ends,
    shown_choice,
    shown_score,
    shown_scores,
)
from ui.interpolate.stop import stop_panel
from ui.interpolate.strip import exports, filmstrip, numbers_in_words
from ui.latent_map.component import latent_map
from ui.latent_map.values import MapClick, MapLine, MapMark, MarkKind
from ui.map.controls import shown_colour, shown_plane
from ui.player.component import player
from ui.player.paths import path_curves, path_frames, path_pictures
from ui.shared import links, loaders, reruns, session
from ui.shared.map_look import map_look
from ui.shared.meaning import protocol
from ui.shared.opening import first_score
from ui.shared.path_buttons import set_end
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_chart

MAP_KEY, MAP_HEIGHT = "path-map", 470


@st.fragment
def workspace(opened: Explorer) -> None:
    """Show the whole page of an opened checkpoint."""
    if reruns.refresh_asked():
        st.rerun()  # the basket stands in the sidebar, outside this fragment
    explorer = loaders.with_own_scores(opened)
    plane = shown_plane(explorer)
    links.write_path_link(plane, shown_colour(explorer))
    # every part has a place of its own: a map that moved when a line above it comes or goes would be loaded once more
    head, above, below = st.container(), st.container(), st.container(key="map-and-panel")
    with below:
        left, right = st.columns([0.63, 0.37], gap="medium")
    with head:
        controls(explorer, plane)
    with above:
        path = _path_or_why(explorer)
        if path is not None and is_example():
            _invitation(explorer)
        if path is not None:
            scores = shown_scores(explorer, path)
            st.markdown(numbers_in_words(explorer, path))
            _cautions(explorer, path)
            filmstrip(explorer, path, scores)
            position_bar(path)
    with left:
        _map(explorer, plane, path)
        if path is not None:
            _player(explorer, plane, path)
            _legend(explorer, plane, path)
            _curve(explorer, path)
            exports(explorer, path, "" if (along := shown_scores(explorer, path)) is None else along.meaning.key)
    with right:
        if path is not None:
            stop_panel(explorer, path)
        elif not both_ends(session.path_choice()):
            _invitation(explorer)


def _path_or_why(explorer: Explorer) -> LatentPath | None:
    """The chosen path; None, and the reason on the page, if it cannot be laid."""
    try:
        return chosen_path(explorer)
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _invitation(explorer: Explorer) -> None:
    """What to do while an end is missing."""
    choice = session.path_choice()
    missing = "B" if choice.start is not None else "A" if choice.end is not None else "A and B"
    by = first_score(explorer) if is_example() and both_ends(shown_choice(explorer)) else None
    shown = f" Shown is an example: from the best cell to the worst by {plain(by.name.title)}." if by else ""
    with st.container(gap="small", key="path-invitation"):
        st.info(
            f"Choose {missing} to see a path: click a point of this map, type a cell above, take one from the basket, "
            f"or use **Start of path** and **End of path** beside a cell of the Map page.{shown}",
            icon=":material/timeline:",
        )
        st.button(
            "Two random cells", key="path-random", icon=":material/casino:", on_click=random_ends, args=(explorer,)
        )


def _cautions(explorer: Explorer, path: LatentPath) -> None:
    """What a reader has to know before believing the path."""
    if path.start == path.end:
        st.info("A and B are the same cell, so there is nowhere to go.", icon=":material/info:")
    elif path.fallback:
        st.warning(f"A straight line is shown: {plain(path.fallback)}.", icon=":material/info:")
    elif explorer.space.key(path.start) == explorer.space.key(path.end):
        st.info("A and B are written differently and compute the same thing.", icon=":material/info:")
    if not path.lost:
        return
    if path.kind == "graph":
        which = ", ".join(str(stop.number) for stop in path.lost)
        st.caption(
            f":material/warning: The decoder gives other cells than those shown at the latents of stops {which}; "
            "what is shown are the known cells."
        )
    else:
        names = " and ".join("A" if stop.number == 0 else "B" for stop in path.lost)
        st.warning(
            f"The model does not give {names} back: encoded and decoded, another graph comes out. The path shows what "
            "is decoded, so it does not begin or end where you chose.",
            icon=":material/sync_problem:",
        )


def _map(explorer: Explorer, plane: PlaneName, path: LatentPath | None) -> None:
    shown = loaders.shown_column(explorer, shown_colour(explorer), theme_name())
    points = [] if path is None else places(explorer, plane, path)

    def clicked(click: MapClick) -> None:
        choice = session.path_choice()
        if path is not None and not is_example():
            go_to(path, nearest_stop(points, click.x, click.y))
        elif click.index is not None and click.index < len(explorer.atlas) and not both_ends(choice):
            set_end("start" if choice.start is None else "end", int(explorer.atlas.indices[click.index]))

    latent_map(
        key=MAP_KEY,
        points=loaders.map_points(explorer, plane),
        marks=_marks(explorer, plane, path, points),
        lines=[MapLine(tuple(points), "path")] if len(points) > 1 else [],
        height=MAP_HEIGHT,
        **vars(map_look(explorer, plane, shown)),
        on_click=clicked,
    )


def _marks(
    explorer: Explorer, plane: PlaneName, path: LatentPath | None, points: list[tuple[float, float]]
) -> list[MapMark]:
    """A and B, a dot for every stop, and where one stands."""
    if path is None:
        choice, xy = session.path_choice(), explorer.atlas.planes[plane].xy
        found = []
        ends: tuple[tuple[int | None, MarkKind], ...] = ((choice.start, "start"), (choice.end, "end"))
        for index, kind in ends:
            row = None if index is None else explorer.atlas.row(index)
            if row is not None:
                found.append(MapMark(float(xy[row, 0]), float(xy[row, 1]), kind))
        return found
    now = position(path)
    marks = [MapMark(*points[frame.first], "path") for frame in path.frames]
    marks += [MapMark(*points[0], "start"), MapMark(*points[-1], "end")]
    return [*marks, MapMark(*points[now], "focus" if path.kind == "graph" else "decoded", f"stop {now}")]


def _player(explorer: Explorer, plane: PlaneName, path: LatentPath) -> None:
    """The same way, played; where a person stops, that stop is shown."""
    scores = shown_scores(explorer, path)
    curves, title = path_curves(scores)
    player(
        key="path-player",
        map_key=MAP_KEY,
        kind="path",
        identity=f"{identity_of_path(explorer)} {plane} {title} {theme_name()}",
        frames=path_frames(path, places(explorer, plane, path), scores),
        pictures=path_pictures(path, explorer.space.name),
        curves=curves,
        title=title,
        at=position(path),
        on_stop=lambda number: go_to(path, number),
    )


def _legend(explorer: Explorer, plane: PlaneName, path: LatentPath) -> None:
    """How the path was laid, and how it is drawn."""
    drawn = "A click on the map " + ("chooses A." if is_example() else "shows the nearest stop.")
    if path.kind != "graph" and plane == "umap":
        drawn = (
            "UMAP does not keep lines straight: a stop between known cells is drawn at the distance-weighted average "
            f"of its nearest cells' places. {drawn}"
        )
    sampled = "" if len(explorer.atlas) == explorer.space.size else f" The map shows {explorer.charted}."
    st.caption(plain(f"{path.note} {drawn}{sampled}"))


def _curve(explorer: Explorer, path: LatentPath) -> None:
    titles, scores = score_titles(explorer), shown_scores(explorer, path)
    if scores is None:
        st.caption(plain(f"No score of {explorer.space.title} is known or predicted, so there is no curve."))
        return
    st.session_state["w-path-score"] = shown_score(titles)
    st.selectbox(
        "Score along the path",
        list(titles),
        format_func=lambda key: titles[key],
        key="w-path-score",
        width=380,
        on_change=lambda: change(score=st.session_state["w-path-score"]),
    )
    if not scores.any_known and not scores.any_predicted:
        st.caption("No architecture on this path has a value of this score, and nothing predicts it.")
        return
    show_chart(
        path_figure(path, scores, theme_name(), position(path)),
        key="path-curve",
        alt=f"{scores.title} at the {len(path.stops)} stops of the path",
    )
    words = []
    if scores.any_predicted:
        words.append(f"Predicted by: {scores.predicted.model}.")
        if scores.label_used.any():
            which = ", ".join(str(stop) for stop in scores.label_used.nonzero()[0].tolist())
            words.append(f"The labels of stops {which} trained the predictor, so their predictions are no test.")
    if not scores.any_known and scores.meaning.kind == "measured":
        words.append("No measured value of these architectures is on this machine.")
    shown = " and ".join(
        kind for kind, there in ((scores.meaning.kind, scores.any_known), ("predicted", scores.any_predicted)) if there
    )
    protocol(scores.meaning, "At the stops:", " ".join(words), kind=shown)
