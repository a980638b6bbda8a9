"""The map of a run: evaluated cells in order, the best one, the current proposals."""

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer, charted_name, column_names
from svge_core.search.objectives import split_word
from svge_core.search.runs import Evaluation, RunView
from svge_core.spaces import get_space
from ui.latent_map.component import latent_map
from ui.latent_map.values import MapClick, MapLine, MapMark
from ui.search import state
from ui.search.state import Run
from ui.shared import loaders, reruns, session
from ui.shared.map_look import map_look
from ui.shared.theme import plain, theme_name

MAP_KEY, MAP_HEIGHT = "search-map", 520
#: the line follows this many of the last cells: all of them would hide the map
LINE_CELLS = 12
#: proposals that are marked at once
PROPOSALS = 8


def show_trail(explorer: Explorer | None, run: Run, view: RunView) -> None:
    """Show the map; words where there is none."""
    if explorer is None or explorer.space.name != view.config.space:
        st.info(
            f"There is no map: no checkpoint of {get_space(view.config.space).title} is open. The search needs none.",
            icon=":material/info:",
        )
        return
    plane = shown_plane(explorer)
    places = {e.number: place_of(explorer, plane, e.cell) for e in view.evaluations}
    shown = loaders.shown_column(explorer, colour_key(explorer, view), theme_name())
    done = view.done

    def clicked(click: MapClick) -> None:
        if click.index is None:
            state.choose_evaluation(view.config.name, None)
            return
        near = [e.number for e in view.evaluations if _row(explorer, e.cell) == click.index]
        state.choose_evaluation(view.config.name, near[0] if near else None)
        if not near:
            session.say("search-map", f"Cell {charted_name(explorer, click.index)} was not evaluated in this run.")

    latent_map(
        key=MAP_KEY,
        points=loaders.map_points(explorer, plane),
        marks=marks(view, places, active=run.active),
        lines=[MapLine(tuple(places[e.number] for e in done[-LINE_CELLS:]), "trail")] if len(done) > 1 else [],
        height=MAP_HEIGHT,
        **vars(map_look(explorer, plane, shown)),
        on_click=clicked,
        on_clear=lambda: state.choose_evaluation(view.config.name, None),
    )
    if notice := session.said("search-map"):
        st.caption(plain(notice.text))
    legend = (
        f"Dots: the {len(done):,} evaluated cells; the line joins the last {min(len(done), LINE_CELLS)}; ★ the best"
    )
    legend += "; dashed: proposed now" if run.active else ""
    st.caption(f"{legend}. Colour: {plain(shown.column.name.title)}. Click a dot to see that evaluation.")


def shown_plane(explorer: Explorer) -> PlaneName:
    """The chosen map, or the first there is."""
    chosen = session.plane()
    return chosen if chosen is not None and chosen in explorer.plane_names else explorer.plane_names[0]


def colour_key(explorer: Explorer, view: RunView) -> str:
    """The column of the map that shows the run's first goal; else the first there is."""
    kind, rest = split_word(view.config.objective[0])
    wanted = {"table": rest, "predictor": f"predicted-{rest}"}.get(kind, "")
    names = [name.key for name in column_names(explorer)]
    return wanted if wanted in names else names[0]


def marks(view: RunView, places: dict[int, tuple[float, float]], *, active: bool) -> list[MapMark]:
    """A dot per evaluated cell, the best with a star, what is proposed dashed, the chosen one in focus."""
    found = [MapMark(*places[e.number], "trail") for e in view.done]
    best = view.front() if len(view.goals) > 1 else ((view.best,) if view.best else ())
    found += [MapMark(*places[e.number], "basket") for e in best]
    if active:
        found += [MapMark(*places[e.number], "pending", f"#{e.number}") for e in proposals(view)[:PROPOSALS]]
    number = state.chosen_evaluation(view.config.name)
    if number in places:
        found.append(MapMark(*places[number], "focus", f"#{number}"))
    return found


def proposals(view: RunView) -> list[Evaluation]:
    """What is being evaluated; where that takes no time, what was proposed last."""
    waiting = [e for e in view.evaluations if e.state == "running"]
    return waiting or list(view.done[-view.config.batch :])


def _row(explorer: Explorer, cell: Cell) -> int | None:
    rows: dict[Cell, int | None] = reruns.memo("search rows", explorer.atlas.digest, dict)
    if cell not in rows:
        rows[cell] = explorer.row_of(cell)
    return rows[cell]


def place_of(explorer: Explorer, plane: PlaneName, cell: Cell) -> tuple[float, float]:
    """Where a cell lies on the map; one that is not charted is encoded."""
    places: dict[Cell, tuple[float, float]] = reruns.memo("search places", (explorer.atlas.digest, plane), dict)
    if cell not in places:
        row = _row(explorer, cell)
        try:
            if row is None:
                places[cell] = explorer.locate(plane, explorer.encode(cell))
            else:
                x, y = explorer.atlas.planes[plane].xy[row]
                places[cell] = (float(x), float(y))
        except SvgeError:
            places[cell] = (float("nan"), float("nan"))
    return places[cell]
