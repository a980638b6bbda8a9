"""A second map beside the first, of the same cells: its own colour, layout and checkpoint; focus, marks, filter and
selection are those of the first."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.explorer import Explorer, map_names
from ui.latent_map.component import latent_map
from ui.latent_map.values import MapClick, MapLasso, MapTwin
from ui.map import travel
from ui.map.controls import PLANES, layout_control
from ui.map.figure import map_figure
from ui.map.marks import marks, marks_of_another, opened_mark, trip_ends, trip_line, trip_places
from ui.map.regions import region_list, region_names
from ui.map.selection import charted_focus
from ui.shared import loaders, session
from ui.shared.choices import CellFocus, Lasso, PlaceFocus
from ui.shared.loaders import ShownColumn
from ui.shared.map_look import MapLook, bare_look, both, map_look
from ui.shared.theme import plain, theme_name

SECOND_KEY = "second-map"
#: of both maps, when there are two; then they are narrower, too
HEIGHT = 490
_AS_FIRST = "As the first map"


@dataclass(frozen=True)
class Second:
    """The second map as it is to be shown.

    Attributes:
        explorer: of its checkpoint.
        plane: its layout.
        shown: the column that colours it.
        checkpoint: name of its checkpoint; empty for that of the first map.
        same_rows: whether both charts list the same cells in the same order.
        asked: name of the checkpoint that was asked for; another than what is shown where that cannot be.
        coloured: what the choice of colours stands on.
        lines: what was asked for and cannot be shown.
    """

    explorer: Explorer
    plane: PlaneName
    shown: ShownColumn
    checkpoint: str
    same_rows: bool
    asked: str
    coloured: str
    lines: tuple[str, ...]


def second_map(explorer: Explorer, plane: PlaneName, shown: ShownColumn) -> Second | None:
    """The second map; None while there is none.

    Args:
        explorer: of the first map, with the user's own columns.
        plane: layout of the first map.
        shown: the column that colours the first map.
    """
    choice = session.display().second
    if not choice.shown:
        return None
    chosen_one = session.checkpoint()
    asked = "" if chosen_one is not None and choice.checkpoint == chosen_one.name else choice.checkpoint
    opened = loaders.named_explorer(asked) if asked else None
    name, chart = "" if opened is None else asked, explorer
    if opened is not None:
        chart = loaders.with_own_scores(opened, "own explorer beside")
    planes = chart.plane_names
    usual = planes[0] if name or planes[0] != plane else planes[-1]
    chosen = choice.plane if choice.plane in planes else usual
    titles, first_key = {column.key: column.title for column in map_names(chart)}, shown.column.name.key
    key = next(key for key in (choice.colour, first_key, next(iter(titles))) if key in titles)
    lines = [] if name == asked else [_not_opened(asked)]
    if choice.plane is not None and choice.plane != chosen:
        lines.append(f"The second map has no layout {PLANES[choice.plane]}; shown is {PLANES[chosen]}.")
    if (choice.colour or first_key) != key:
        known = {column.key: column.title for column in map_names(explorer)}
        missing = choice.colour or first_key
        words = known.get(missing, missing[:60])
        lines.append(f"The second map has no colour {words!r}; shown is {titles[key]!r}.")
    coloured = "" if key == first_key and choice.colour != key else key
    same_rows = not name or loaders.joined_rows(explorer, chart) is None
    column = loaders.shown_column(chart, key, theme_name())
    return Second(chart, chosen, column, name, same_rows, asked, coloured, tuple(lines))


def _not_opened(name: str) -> str:
    """Why the checkpoint that was asked for is not shown."""
    there = (session.space_name(), name) in loaders.checkpoint_folders()
    why = "cannot be opened" if name in others() else "has no map" if there else "is not here"
    return f"The second map's checkpoint {name[:60]!r} {why}; the first map's is shown."


def others() -> list[str]:
    """Names of the other checkpoints of the space that have a map."""
    chosen = session.checkpoint()
    return [
        name
        for (space, name), folder in loaders.checkpoint_folders().items()
        if space == session.space_name() and folder != chosen and loaders.has_map(name)
    ]


def show_second(
    explorer: Explorer,
    second: Second,
    way: travel.Way | None,
    opened_at: CellFocus | None,
    keep: np.ndarray | None,
    selected: np.ndarray | None,
    first_key: str,
    on_lasso: Callable[[PlaneName, str, MapLasso], None],
    on_clear: Callable[[], None],
) -> None:
    """Show it with its choices.

    Args:
        explorer: of the first map.
        second: what is shown.
        way: the trip on the first map.
        opened_at: the cell that the page opens with.
        keep: true for the cells of the first map that pass the filter; None for all.
        selected: rows of the first map inside the outline of the selection; None without one.
        first_key: of the first map.
        on_lasso: called with the plane, the checkpoint (empty for that of the first map) and the drawn outline.
        on_clear: called when Escape was pressed.
    """
    chart, plane, foreign = second.explorer, second.plane, bool(second.checkpoint)
    places = trip_places(chart, plane, way, same_model=not foreign)
    own_marks = marks_of_another(explorer, chart, plane) if foreign else marks(chart, plane)
    outline = outline_on(plane, second.checkpoint)

    def clicked(click: MapClick) -> None:
        row = click.index
        if row is not None and row < len(chart.atlas):
            session.set_focus(charted_focus(chart, row))
        elif not foreign:
            session.set_focus(PlaceFocus(plane, click.x, click.y))

    latent_map(
        key=SECOND_KEY,
        points=loaders.map_points(chart, plane, explorer if foreign else None),
        marks=[*own_marks, *opened_mark(explorer, chart, plane, opened_at), *trip_ends(places)],
        lines=trip_line(places),
        lasso=None if outline is None else outline.polygon,
        lasso_parts=() if outline is None else outline.parts,
        height=HEIGHT,
        **vars(_look(explorer, second, keep, None if outline is not None else selected)),
        regions=region_names(chart, plane),
        twin=MapTwin(first_key, second.same_rows, places, second=True),
        points_only=foreign,
        on_click=clicked,
        on_lasso=lambda lasso: on_lasso(plane, second.checkpoint, lasso),
        on_clear=on_clear,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="second-controls"):
        _choices(second)
        focus = session.focus() or opened_at
        map_figure(chart, plane, second.shown.column, focus, outline, key=SECOND_KEY, foreign=foreign)
    for line in second.lines:
        st.warning(plain(line), icon=":material/info:")
    _words(explorer, second, selected is not None and outline is None, keep is not None)
    region_list(chart, plane)


def outline_on(plane: PlaneName, checkpoint: str) -> Lasso | None:
    """The outline of the selection, if it was drawn on this map.

    Args:
        plane: its layout.
        checkpoint: name of its checkpoint; empty for the chosen one.
    """
    outline = session.lasso()
    return outline if outline is not None and (outline.plane, outline.checkpoint) == (plane, checkpoint) else None


def chosen_cells(count: int, selected: np.ndarray | None) -> np.ndarray | None:
    """True for the cells that are selected; None where nothing selects."""
    if selected is None:
        return None
    found = np.zeros(count, dtype=bool)
    found[selected] = True
    return found


def _look(explorer: Explorer, second: Second, keep: np.ndarray | None, selected: np.ndarray | None) -> MapLook:
    """Dimmed is what is dimmed on the first map, and what an outline there leaves out."""
    chart, chosen = second.explorer, chosen_cells(len(explorer.atlas), selected)
    if not second.checkpoint:
        return map_look(chart, second.plane, second.shown, chosen=chosen, name="second map filter")
    # by the first checkpoint's values: predicted ones are others here, and another number of cells would pass
    stays = both(keep, chosen)
    if stays is not None and (there := loaders.joined_rows(chart, explorer)) is not None:
        stays = np.where(there >= 0, stays[there], False)
    return bare_look(chart, second.plane, second.shown, None if stays is None else ~stays)


def _choices(second: Second) -> None:
    """What it shows: colour, layout, checkpoint."""
    names, chart = others(), second.explorer
    # what cannot be shown stays in the box: another choice is a change then, that of the first map's too
    names += [second.asked] if second.asked and second.asked not in names else []
    titles = {"": _AS_FIRST} | {name.key: name.title for name in map_names(chart)}
    st.session_state["w-second-colour"] = second.coloured
    st.selectbox(
        "Colour of the second map",
        list(titles),
        format_func=lambda key: titles[key],
        key="w-second-colour",
        on_change=lambda: change(colour=st.session_state["w-second-colour"]),
        width=220,
    )
    layout_control("Its layout", "w-second-plane", chart, second.plane, lambda plane: change(plane=plane))
    chosen = session.checkpoint()
    if names and chosen is not None:
        st.session_state["w-second-checkpoint"] = second.asked
        st.selectbox(
            "Its checkpoint",
            ["", *names],
            format_func=lambda name: name or chosen.name,
            key="w-second-checkpoint",
            on_change=lambda: change(checkpoint=st.session_state["w-second-checkpoint"]),
            width=170,
        )


def change(**values: Any) -> None:
    """From a callback: show the second map in another way."""
    now = session.display()
    session.set_display(replace(now, second=replace(now.second, **values)))


def _words(explorer: Explorer, second: Second, selected: bool, filtered: bool) -> None:
    """How far it is linked; on asking, what the colours mean and how it is laid out."""
    chart, column = second.explorer, second.shown.column
    lines = ["**Second map.**"]
    if selected:
        lines.append("The selection keeps its colours; it was drawn on the first map.")
    if second.checkpoint:
        lines.append(
            f"The same cells in the latent space of {plain(second.checkpoint)}; the panel is about the first map's "
            "model. A click chooses a cell: empty space is decoded on the first map only."
        )
    else:
        lines.append("The same cells and model: a click chooses a cell or decodes empty space, as on the first.")
    lines += _not_on_both(explorer, chart, filtered or selected)
    whole = (column.description, chart.atlas.planes[second.plane].note)
    st.caption(" ".join(lines), help="\n\n".join(f"{plain(text.rstrip('.'))}\\." for text in whole))


def _not_on_both(explorer: Explorer, chart: Explorer, dimmed: bool) -> list[str]:
    """How many cells only one of two different charts has."""
    found = []
    for one, other, words in ((chart, explorer, "this map's"), (explorer, chart, "the first map's")):
        there = loaders.joined_rows(one, other)
        if there is not None and (missing := int((there < 0).sum())):
            found.append(f"{missing:,} of {words} {len(there):,} cells are not on the other.")
    return [*found, "Dimmed is here what the first map does not have, too."] if found and dimmed else found
