"""What all maps of the app share: colours by rank or value, limits by hand, layers, and what the filter dims."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName, density_levels, interpolated_values, point_density
from svge_core.errors import SvgeError
from svge_core.explorer import CellFilter, Column, Explorer, kept_by, map_column
from ui.latent_map.own import OWN, publish_own
from ui.latent_map.published import publish_array, published_path
from ui.latent_map.values import MapBackground, MapBrush, MapColour, MapField
from ui.shared import loaders, reruns, session
from ui.shared.loaders import GREY_COLUMNS, GREY_ROWS, ShownColumn

#: finer than the greyness: contours show the steps of their grid
_COLUMNS, _ROWS = 200, 150
_BETWEEN = "between cells: interpolated, not measured"


@dataclass(frozen=True)
class MapLook:
    """Arguments of :func:`ui.latent_map.component.latent_map` that every map takes; see there."""

    colour: MapColour
    background: MapBackground
    surface: MapField | None
    contours: MapField | None
    dim: np.ndarray | None
    brush: tuple[float, float] | None
    on_brush: Callable[[MapBrush | None], None] | None


def map_look(
    explorer: Explorer,
    plane: PlaneName,
    shown: ShownColumn,
    *,
    chosen: np.ndarray | None = None,
    name: str = "map filter",
) -> MapLook:
    """How a map of this column is drawn now.

    Args:
        explorer: with the user's own columns.
        plane: the map that is shown.
        shown: the column that colours it.
        chosen: true for the cells that an outline on another map selects, where one does; the others are dimmed.
        name: that what the filter leaves is remembered under.
    """
    conditions, key = session.cell_filter(), shown.column.name.key
    # the browser moves the brush by itself, and so has to know what the other conditions leave
    brush = conditions.score if conditions.score_key == key and not shown.column.categories else None
    others = conditions if brush is None else replace(conditions, score=None, score_key="")
    found = passing(explorer, others, name)
    keep = both(found if isinstance(found, np.ndarray) else None, chosen)
    look = bare_look(explorer, plane, shown, None if keep is None else ~keep)
    return replace(look, brush=brush, on_brush=lambda brush: set_brush(shown.column, brush))


def bare_look(explorer: Explorer, plane: PlaneName, shown: ShownColumn, dim: np.ndarray | None) -> MapLook:
    """How a map is drawn whose legend is not brushed.

    Args:
        explorer: with the user's own columns.
        plane: the map that is shown.
        shown: the column that colours it.
        dim: true for the points that are dimmed; None for none.
    """
    display = session.display()
    return MapLook(
        colour=shown_colours(shown),
        background=loaders.map_background(explorer.atlas.planes[plane].digest, plane, explorer),
        surface=_surface(explorer, plane, shown) if display.surface and not shown.column.categories else None,
        contours=_contours(explorer, plane) if display.contours else None,
        dim=dim,
        brush=None,
        on_brush=None,
    )


def both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """True for what passes two conditions, each of which may be none."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def passing(explorer: Explorer, conditions: CellFilter, name: str = "filter") -> np.ndarray | str | None:
    """True for the cells that pass a filter; None without a condition, one line where it cannot be applied."""
    if not conditions.active:
        return None

    def ask() -> np.ndarray | str:
        try:
            score = map_column(explorer, conditions.score_key).values if conditions.score is not None else None
            return kept_by(explorer, conditions, score)
        except SvgeError as error:
            return f"The filter cannot be applied: {error} Remove it under Filter."

    found: np.ndarray | str = reruns.memo(name, (explorer.digest, conditions), ask)
    return found


def set_brush(about: Column, brush: MapBrush | None) -> None:
    """Make a brush on the legend of a column the score part of the filter."""
    now = session.cell_filter()
    known = about.values[np.isfinite(about.values)]
    if brush is None or not len(known):
        session.set_cell_filter(replace(now, score=None, score_key=""))
        return
    low = float(known.min()) if brush.low is None else brush.low
    high = float(known.max()) if brush.high is None else brush.high
    session.set_cell_filter(replace(now, score=(low, high), score_key=about.name.key))


def by_rank(about: Column) -> bool:
    """Whether the colours of a column follow ranks: not those of errors, whose middle colour means none."""
    return not about.categories and about.name.kind != "error" and session.display().scale == "ranks"


def hand_limits(about: Column) -> tuple[float, float] | None:
    """Ends of the colours of a column, if they were chosen by hand."""
    display = session.display()
    return display.limits if display.limits_of == about.name.key and not about.categories else None


def shown_colours(shown: ShownColumn) -> MapColour:
    """The colours of a column as its map is to show them."""
    about, colour = shown.column, shown.colour
    scale = "ranks" if by_rank(about) else "values"
    low, high = hand_limits(about) or (colour.low, colour.high)
    below, above = about.clipped(low, high)
    return replace(colour, scale=scale, low=low, high=high, low_clipped=below, high_clipped=above)


# ---- layers -------------------------------------------------------------------------------------------------------


def _contours(explorer: Explorer, plane: PlaneName) -> MapField:
    layout = explorer.atlas.planes[plane].digest
    return _published(_density, layout, plane, explorer)


def _surface(explorer: Explorer, plane: PlaneName, shown: ShownColumn) -> MapField:
    # the name of the published values holds their digest
    return _published(_between, shown.colour.values_url, explorer.atlas.planes[plane].digest, plane, explorer, shown)


def _published(make: Any, *arguments: Any) -> MapField:
    """A cached field; made anew if somebody emptied the folder of its file."""
    found: MapField = make(*arguments)
    if not published_path(found.url).exists():
        make.clear(*arguments)
        found = make(*arguments)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _density(layout: str, plane: PlaneName, _explorer: Explorer) -> MapField:
    points = _explorer.atlas.planes[plane]
    density = point_density(points, _COLUMNS, _ROWS)
    levels = density_levels(points, density)
    _, extent = points.grid(_COLUMNS, _ROWS)
    url = publish_array(density.astype(np.float32), f"{_explorer.space.name}-{plane}-density")
    return MapField(url, _COLUMNS, _ROWS, extent, levels)


@st.cache_resource(max_entries=64, show_spinner=False)
def _between(values_url: str, layout: str, plane: PlaneName, _explorer: Explorer, _shown: ShownColumn) -> MapField:
    points = _explorer.atlas.planes[plane]
    values = interpolated_values(points, _shown.column.values, GREY_COLUMNS, GREY_ROWS)
    _, extent = points.grid(GREY_COLUMNS, GREY_ROWS)
    own = published_path(values_url).name.startswith(OWN)
    url = publish_own(values) if own else publish_array(values, f"{_shown.column.name.key}-surface")
    return MapField(url, GREY_COLUMNS, GREY_ROWS, extent, words=_BETWEEN)
