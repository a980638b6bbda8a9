"""The workspace of the Map page: controls, map, panel, selection; one fragment, so that a click reruns only these."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.cells import Cell
from svge_core.explorer import Explorer
from svge_core.spaces import AbstractSearchSpace
from ui.cell_training.latency import latency_section
from ui.cell_training.panel import train_section
from ui.latent_map.component import latent_map
from ui.latent_map.values import MapClick, MapLasso, MapTwin
from ui.map import travel
from ui.map.controls import LINE, PLANES, controls, shown_colour, shown_plane
from ui.map.figure import map_figure
from ui.map.first import BEST, first_row
from ui.map.marks import marks, opened_mark
from ui.map.regions import region_list, region_names
from ui.map.second import (
    HEIGHT,
    SECOND_KEY,
    Second,
    chosen_cells,
    outline_on,
    second_map,
    show_second,
)
from ui.map.selection import charted_focus, selection
from ui.shared import links, loaders, opening, reruns, session
from ui.shared.cell_panel import cell_panel
from ui.shared.choices import LASSO_PARTS, CellFocus, Lasso, PlaceFocus
from ui.shared.loaders import ShownColumn
from ui.shared.map_look import hand_limits, map_look, passing
from ui.shared.selections import drop_lost_lasso, inside_of
from ui.shared.theme import plain, theme_name

MAP_KEY, MAP_HEIGHT = "latent-map", 620


@st.fragment
def workspace(opened: Explorer) -> None:
    """Show the whole page of an opened checkpoint."""
    if reruns.refresh_asked():
        st.rerun()  # the basket stands in the sidebar, outside this fragment
    explorer = loaders.with_own_scores(opened)
    plane = shown_plane(explorer)
    shown = loaders.shown_column(explorer, shown_colour(explorer), theme_name())
    # every part has a place of its own: a map that moved when a line above it comes or goes would be loaded once more
    head, below = st.container(), st.container(key="map-and-panel")
    with head:
        second = second_map(explorer, plane, shown)
    with below:
        left, right = st.columns([0.63, 0.37] if second is None else [0.68, 0.32], gap="medium")
    with left:
        pair, under = st.container(horizontal=True, key="map-pair"), st.container()
    first = pair.container(key="first-map")
    with head:
        _drop_foreign_focus(explorer)
        if line := drop_lost_lasso():
            st.warning(plain(line))
        links.write_link(plane, shown.column.name.key)
        controls(explorer, shown.column, plane)
        keep = _kept(explorer)
        best = opening.ranked(explorer, shown.column, keep, BEST)
        first_row(explorer, plane, best, filtered=keep is not None)
        opened_at = opening.opened(explorer, best)
        way = travel.way_of(explorer, plane)
        if way is not None:
            travel.show_way(explorer, plane, way, best and best.column, MAP_KEY)
    outline = _shown_outline(plane, second)
    selected = inside_of(explorer, outline)
    with first:
        _map(explorer, plane, shown, opened_at, way, second, selected)
        map_figure(explorer, plane, shown.column, session.focus() or opened_at, outline_on(plane, ""))
    if second is not None:
        with pair.container(key="second-map-pair"):
            show_second(explorer, second, way, opened_at, keep, selected, MAP_KEY, _drawn, _cleared)
        with pair.container(key="first-map-words"):
            elsewhere = selected is not None and outline_on(plane, "") is None
            _legend(explorer, plane, shown, keep, only=False, elsewhere=elsewhere)
            region_list(explorer, plane)
    with under:
        selection(explorer, outline, shown.column, keep)
        if outline is None and (unseen := session.lasso()) is not None:
            _elsewhere(explorer, unseen)
        if second is None:
            _legend(explorer, plane, shown, keep)
            region_list(explorer, plane)
    with right:
        cell_panel(explorer, shown.column.name.score, partial(_real, explorer.space), opened_at)


def _shown_outline(plane: PlaneName, second: Second | None) -> Lasso | None:
    """The outline of the selection, if it was drawn on a map that is shown."""
    found = outline_on(plane, "")
    return found if found is not None or second is None else outline_on(second.plane, second.checkpoint)


def _elsewhere(explorer: Explorer, unseen: Lasso) -> None:
    """Where an outline is that no shown map has: it restricts the table all the same."""
    if (inside := inside_of(explorer, unseen)) is None:
        return
    whose = f" of {plain(unseen.checkpoint)}" if unseen.checkpoint else ""
    st.caption(
        f"The lasso is on the {PLANES[unseen.plane]} map{whose}, which is not shown. The Table page lists its "
        f"{len(inside):,} cells; Esc on a map removes it."
    )


def _real(space: AbstractSearchSpace, cell: Cell) -> None:
    """What a cell is worth on this machine, where its network can be made."""
    if space.network() is not None:
        notation = space.format(space.canonical(cell))
        train_section(space, notation)
        latency_section(space, notation)


def _drop_foreign_focus(explorer: Explorer) -> None:
    """A link may name a position on a map that this checkpoint does not have."""
    now = session.focus()
    if isinstance(now, PlaceFocus) and now.plane not in explorer.plane_names:
        session.set_focus(None)
        st.warning(f"This checkpoint has no {PLANES[now.plane]} map, so the link's position means nothing on it.")


def _kept(explorer: Explorer) -> np.ndarray | None:
    """True for the cells that pass the filter; None without a filter."""
    found = passing(explorer, session.cell_filter())
    if isinstance(found, str):
        st.error(plain(found))
        return None
    return found


def _map(
    explorer: Explorer,
    plane: PlaneName,
    shown: ShownColumn,
    opened_at: CellFocus | None,
    way: travel.Way | None,
    second: Second | None,
    selected: np.ndarray | None,
) -> None:
    here = outline_on(plane, "")

    def clicked(click: MapClick) -> None:
        row = click.index
        if row is not None and row < len(explorer.atlas):
            session.set_focus(charted_focus(explorer, row))
        else:
            session.set_focus(PlaceFocus(plane, click.x, click.y))

    # what an outline on the second map selects keeps its colours here; on one map alone nothing is dimmed for it
    elsewhere = selected if second is not None and here is None else None
    latent_map(
        key=MAP_KEY,
        points=loaders.map_points(explorer, plane),
        marks=[*marks(explorer, plane), *opened_mark(explorer, explorer, plane, opened_at), *travel.ends_of(way)],
        lines=travel.lines_of(way),
        flight=opening.flight(plane),
        lasso=None if here is None else here.polygon,
        lasso_parts=() if here is None else here.parts,
        height=MAP_HEIGHT if second is None else HEIGHT,
        **vars(map_look(explorer, plane, shown, chosen=chosen_cells(len(explorer.atlas), elsewhere))),
        regions=region_names(explorer, plane),
        twin=None if second is None else MapTwin(SECOND_KEY, second.same_rows),
        on_click=clicked,
        on_lasso=partial(_drawn, plane, ""),
        on_clear=_cleared,
    )


def _drawn(plane: PlaneName, checkpoint: str, lasso: MapLasso) -> None:
    now = session.lasso()
    if lasso.mode == "new" or now is None or (now.plane, now.checkpoint) != (plane, checkpoint):
        if lasso.mode != "remove":
            session.set_lasso(Lasso(plane, lasso.polygon, checkpoint=checkpoint))
    elif len(now.parts) < LASSO_PARTS:
        session.set_lasso(replace(now, parts=(*now.parts, (lasso.mode, lasso.polygon))))
    else:
        session.say(LINE, f"A selection has at most {LASSO_PARTS} parts: draw a new one.")


def _cleared() -> None:
    opening.close()
    travel.arrive()
    with session.one_step():
        session.set_focus(None)
        session.set_lasso(None)


def _legend(
    explorer: Explorer,
    plane: PlaneName,
    shown: ShownColumn,
    keep: np.ndarray | None,
    *,
    only: bool = True,
    elsewhere: bool = False,
) -> None:
    """What the colours mean, how the map was made, and what a filter leaves.

    Args:
        explorer: of the map.
        plane: its layout.
        shown: the column that colours it.
        keep: true for the cells that pass the filter; None without one.
        only: there is no second map.
        elsewhere: the selection was drawn there.
    """
    if keep is not None:
        cells = opening.cells_of(explorer)
        st.markdown(f"**{int(keep.sum()):,} of {len(keep):,} {cells}** pass the filter; the others are dimmed.")
    if elsewhere:
        st.caption("The selection keeps its colours; it was drawn on the second map.")
    reach = "its limits were chosen by hand" if hand_limits(shown.column) else shown.column.limits
    short = f"Colours: {reach}. " if reach else ""
    layout = explorer.atlas.planes[plane]
    where, inverse = (
        ("from the cells around it", "UMAP has no inverse: it is the distance-weighted average of their latents.")
        if layout.name == "umap"
        else ("at its exact point of the plane", "All other latent directions are at their mean.")
    )
    if explorer.atlas.first:
        # what is before the numbers that the map is laid out by has no average that means anything
        where, inverse = (
            "from the codes of the cells around it",
            "Some nodes' codes are from one, some from another, so that the wiring computes about what their weighted "
            "average says.",
        )
    sampled = len(explorer.atlas) != explorer.space.size
    which = f"The map shows {explorer.charted}. " if sampled else ""
    measured = explorer.atlas.spacings_of
    spacing = "" if measured == len(explorer.atlas) else f" What is far is judged by {measured:,} random cells."
    whole = f"{shown.column.description.rstrip('.')}.\n\n{layout.note}. {inverse}{spacing}"
    short += f"{which}Empty space is decoded {where}; greyed zones are far from every known cell."
    begins = "" if only else "**First map.** "
    st.caption(begins + plain(short), help="\n\n".join(map(plain, whole.split("\n\n"))))
