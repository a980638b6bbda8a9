"""A map of the charted cells, coloured by a column, with a selection and names of chosen cells.

Points are one picture inside the vector file: 423,624 circles would make a file that no reader opens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.atlas import PlaneName, select_in_polygon
from svge_core.cells import Cell
from svge_core.drawing import THEMES, operation_colours
from svge_core.errors import DataError
from svge_core.explorer import (
    FAMILY,
    CellFilter,
    Column,
    Explorer,
    charted_name,
    column_names,
    kept_by,
    map_column,
)
from svge_core.figures.paper.colours import colour_scale, draw_bar, placed
from svge_core.figures.paper.forms import PaperWidth
from svge_core.figures.paper.layers import check_surface, draw_contours, draw_surface, layer_lines
from svge_core.figures.paper.protocol import meaning_lines, prediction_line
from svge_core.figures.paper.sheet import SMALL, PaperFigure, Sheet, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOK = THEMES["light"]
#: cells that are not selected, or have no value
_PALE = "#d9dde2"
#: inches of the titles of the axes, of the bar with its numbers, and of a legend above the map
EDGE, BAR, LEGEND = 0.2, 0.5, 0.34
#: most cells whose names a figure can hold
MOST_NAMES = 30

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class MapChoice:
    """What a figure of a map shows.

    Attributes:
        colour: key of the column, see :func:`svge_core.explorer.map_names`; empty for the first there is.
        plane: the map; None for the first there is.
        outline: corners of a selection in coordinates of the map; empty for none.
        parts: outlines that add to the selection or remove from it, in order.
        conditions: cells that fail them are pale, as on the page.
        cells: charted cells whose names stand beside them.
        limits: ends of the colours; None for those of the column.
        ranks: colours by place in the order of the values, so that cells of like values can be told apart.
        contours: lines around the densest places.
        surface: the values between the cells, interpolated.
    """

    colour: str = ""
    plane: PlaneName | None = None
    outline: Corners = ()
    parts: tuple[tuple[Literal["add", "remove"], Corners], ...] = ()
    conditions: CellFilter = CellFilter()
    cells: tuple[Cell, ...] = ()
    limits: tuple[float, float] | None = None
    ranks: bool = False
    contours: bool = False
    surface: bool = False


def map_sheet(explorer: Explorer, choice: MapChoice, width: PaperWidth = "single") -> PaperFigure:
    """The map of a space.

    Args:
        explorer: an open checkpoint.
        choice: what is shown.
        width: of a column.

    Raises:
        DataError: if there is no such column, map or cell on it, or too many names.
    """
    plane = explorer.plane_names[0] if choice.plane is None else choice.plane
    if plane not in explorer.plane_names:
        raise DataError(f"This checkpoint has no {plane!r} map: it has {', '.join(explorer.plane_names)}.")
    if len(choice.cells) > MOST_NAMES:
        raise DataError(f"A figure holds the names of at most {MOST_NAMES} cells; got {len(choice.cells)}.")
    shown = map_column(explorer, choice.colour or column_names(explorer)[0].key)
    if choice.surface:
        check_surface(shown)
    layout = explorer.atlas.planes[plane]
    xy = layout.xy
    outlines: list[tuple[Literal["add", "remove"], Corners]] = [*choice.parts]
    if choice.outline:
        outlines.insert(0, ("add", choice.outline))
    if any(len(corners) < 3 for _, corners in outlines):
        raise DataError("An outline has three corners or more.")
    for mode, _ in outlines:
        if mode not in ("add", "remove"):
            raise DataError(
                f"An outline adds to the selection or removes from it: expected add or remove; got {mode!r:.40}."
            )
    keep = _kept(explorer, choice, xy, outlines)
    names = [_row(explorer, cell) for cell in choice.cells]

    def draw(sheet: Sheet) -> None:
        label = "" if shown.categories else _bar_title(shown, choice)
        axes, beside = _ground(sheet, xy, label, bool(shown.categories))
        _points(axes, explorer, shown, xy, keep, choice)
        if choice.surface:
            draw_surface(axes, layout, shown, colour_scale(shown), *placed(shown, choice.limits, choice.ranks))
        if choice.contours:
            draw_contours(axes, layout)
        if beside is not None:
            draw_bar(sheet, beside, shown, choice.limits, choice.ranks, label)
        for mode, corners in outlines:
            x, y = np.array([*corners, corners[0]]).T
            axes.plot(x, y, color=_LOOK.accent, linewidth=0.9, linestyle=(0, (2, 1.5)) if mode == "remove" else "solid")
        _names(axes, explorer, xy, names)
        axes.set_xlabel(f"{plane.upper()} 1", labelpad=2)
        axes.set_ylabel(f"{plane.upper()} 2", labelpad=2)

    return PaperFigure(
        f"{explorer.space.name}-map-{shown.name.key}",
        f"{plane.upper()} map of {explorer.space.title}, coloured by {shown.name.title}",
        lambda wide: _height(wide, xy, bool(shown.categories)),
        draw,
        _protocol(explorer, choice, shown, plane, keep),
        width,
    )


def _height(wide: float, xy: Float[np.ndarray, "cells 2"], legend: bool) -> float:
    """Inches: as the map is shaped, between a half and the whole of the width."""
    across, up = np.ptp(xy, axis=0) + 1e-9
    room = wide - EDGE - (0.04 if legend else BAR + 0.25)
    return float(
        np.clip(room * up / across + EDGE + (LEGEND if legend else 0.04), wide / 2, wide if wide < 4 else 0.7 * wide)
    )


def _ground(
    sheet: Sheet, xy: Float[np.ndarray, "cells 2"], label: str, legend: bool
) -> "tuple[Axes, tuple[float, float, float, float] | None]":
    """The axes of the map, one unit as long across as upwards, and the place of the bar of its colours."""
    top = LEGEND if legend else 0.04
    tall = sheet.tall - top - EDGE
    beside = BAR + 0.12 * len(wrapped(label, 0.95 * tall)) if label else 0.04
    wide = sheet.wide - EDGE - beside
    axes = sheet.place(EDGE, top, wide, tall)
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = float(max((high[0] - low[0]) / wide, (high[1] - low[1]) / tall, 1e-9)) * 1.04
    middle = (low + high) / 2
    axes.set_xlim(middle[0] - unit * wide / 2, middle[0] + unit * wide / 2)
    axes.set_ylim(middle[1] - unit * tall / 2, middle[1] + unit * tall / 2)
    axes.set_autoscale_on(False)
    return axes, (EDGE + wide + 0.06, top + 0.05 * tall, 0.08, 0.9 * tall) if label else None


def _kept(
    explorer: Explorer,
    choice: MapChoice,
    xy: Float[np.ndarray, "cells 2"],
    outlines: Sequence[tuple[Literal["add", "remove"], Corners]],
) -> Bool[np.ndarray, " cells"] | None:
    """True for the cells in full colour; None where all are."""
    keep = None
    if choice.conditions.active:
        by_score = choice.conditions.score is not None
        score = map_column(explorer, choice.conditions.score_key).values if by_score else None
        keep = kept_by(explorer, choice.conditions, score)
    if outlines:
        inside = np.zeros(len(xy), dtype=bool)
        for mode, corners in outlines:
            inside[select_in_polygon(xy, np.asarray(corners, dtype=np.float64))] = mode == "add"
        keep = inside if keep is None else keep & inside
    return keep


def _row(explorer: Explorer, cell: Cell) -> int:
    row = explorer.row_of(cell)
    if row is None:
        raise DataError(f"{explorer.space.format(cell)[:120]} is not on the map, so it cannot be named there.")
    return row


def _points(
    axes: "Axes",
    explorer: Explorer,
    shown: Column,
    xy: Float[np.ndarray, "cells 2"],
    keep: Bool[np.ndarray, " cells"] | None,
    choice: MapChoice,
) -> None:
    """All cells: pale ones below, the others above, in an order that says nothing."""
    coloured = np.isfinite(shown.values)
    if keep is not None:
        coloured &= keep
    wide, tall = np.asarray(axes.get_window_extent().size) * 72 / axes.figure.dpi
    area = float(np.clip(0.35 * wide * tall / len(xy), 0.12, 9.0))
    look: dict[str, Any] = {"s": area, "linewidths": 0, "rasterized": True, "marker": "o"}
    pale = np.flatnonzero(~coloured)
    axes.scatter(*xy[pale].T, color=_PALE, zorder=1, **look)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(coloured))
    if shown.categories:
        from matplotlib.colors import ListedColormap

        colours = _categories(explorer, shown)
        scale = {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(colours) - 0.5}
        axes.scatter(*xy[rows].T, c=shown.values[rows], zorder=2, **scale, **look)
        there = [number for number in range(len(colours)) if (shown.values[rows] == number).any()]
        _legend(axes, [(shown.categories[number], colours[number]) for number in there], bool(len(pale)))
        return
    (low, high), place = placed(shown, choice.limits, choice.ranks)
    axes.scatter(
        *xy[rows].T, c=place(shown.values[rows]), cmap=colour_scale(shown), vmin=low, vmax=high, zorder=2, **look
    )


def _bar_title(shown: Column, choice: MapChoice) -> str:
    parts = (shown.name.title, shown.unit, "by rank" if choice.ranks else "")
    return ", ".join(part for part in parts if part)


def _categories(explorer: Explorer, shown: Column) -> list[str]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    plain = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#9c6bb0", "#2fa5a0", "#b8860b", "#7d8694"]
    if shown.name.key != FAMILY and len(shown.categories) > 2:
        colours = [*operation_colours(explorer.space).values(), "#e15759"]
        if len(colours) == len(shown.categories):
            return colours
    more = [to_hex(colormaps["tab20"](number)) for number in range(20)]
    return [(plain + more)[number % 28] for number in range(len(shown.categories))]


def _legend(axes: "Axes", entries: Sequence[tuple[str, str]], pale: bool) -> None:
    from matplotlib.lines import Line2D

    marks = [*entries, *([("others", _PALE)] if pale else [])]
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=4, color=colour, label=name) for name, colour in marks
    ]
    axes.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handletextpad=0.1, columnspacing=1
    )


def _names(axes: "Axes", explorer: Explorer, xy: Float[np.ndarray, "cells 2"], rows: Sequence[int]) -> None:
    from matplotlib import patheffects

    halo = [patheffects.withStroke(linewidth=1.8, foreground="white")]
    for number, row in enumerate(rows):
        x, y = map(float, xy[row])
        axes.plot(
            [x],
            [y],
            "o",
            markersize=4.2,
            markerfacecolor="none",
            markeredgecolor="white",
            markeredgewidth=1.8,
            zorder=4,
        )
        axes.plot(
            [x],
            [y],
            "o",
            markersize=4.2,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=0.8,
            zorder=5,
        )
        up = 2.5 if number % 2 == 0 else -2.5
        axes.annotate(
            charted_name(explorer, row),
            (x, y),
            (4, up),
            textcoords="offset points",
            fontsize=SMALL,
            va="bottom" if up > 0 else "top",
            path_effects=halo,
            zorder=6,
        )


def _protocol(
    explorer: Explorer, choice: MapChoice, shown: Column, plane: PlaneName, keep: Bool[np.ndarray, " cells"] | None
) -> tuple[str, ...]:
    """What is on the map, what the colours are, how it was laid out."""
    space, count = explorer.space, len(explorer.atlas)
    lines = [
        f"{space.title}, {explorer.charted}: latents of checkpoint {explorer.checkpoint.digest[:12]}, {plane.upper()}."
    ]
    if shown.categories:
        lines.append(f"Colour: {shown.description}")
    else:
        if shown.name.kind == "trust":  # of no score, or of a difference between scores
            lines.append(f"Colour: {shown.description.rstrip('.')}.")
        else:
            meaning = explorer.meaning(shown.name.score)
            if shown.name.kind in ("predicted", "error"):
                lines.append(prediction_line(explorer.stored_predictions[meaning.key].model, None))
            said = {"predicted": "predicted", "error": "predicted minus measured"}.get(shown.name.kind, "")
            lines += meaning_lines([meaning], said)
        without = int((~np.isfinite(shown.values)).sum())
        if without:
            lines.append(f"{count - without:,} of {count:,} cells have a value; the others are pale.")
        if choice.ranks:
            lines.append("Colours: by rank among all cells with a value; the bar names the values.")
        if choice.ranks and choice.limits is not None:
            lines.append("Values beyond {:.6g} and {:.6g} have the colours of these.".format(*choice.limits))
        elif choice.limits is None and shown.limits:
            lines.append(f"Colours: {shown.limits}.")
    lines += layer_lines(contours=choice.contours, surface=choice.surface)
    if keep is not None:
        drawn = bool(choice.outline or choice.parts)
        outline = "inside the outlines (dashed: removed)" if choice.parts else "inside the outline"
        passing = "that pass the filter" if choice.conditions.active else ""
        what = " ".join(part for part in (outline if drawn else "", passing) if part)
        coloured = int((keep & np.isfinite(shown.values)).sum())
        lines.append(f"In colour: {coloured:,} cells {what}{_best_inside(explorer, shown, keep)}.")
    return tuple(lines)


def _best_inside(explorer: Explorer, shown: Column, keep: Bool[np.ndarray, " cells"]) -> str:
    rows: Int[np.ndarray, " rows"] = np.flatnonzero(keep & np.isfinite(shown.values))
    if shown.categories or shown.name.kind in ("error", "trust") or not len(rows):
        return ""
    found = shown.values[rows]
    best = int(rows[found.argmax() if shown.direction == "max" else found.argmin()])
    unit = f" {shown.unit}" if shown.unit else ""
    return f", best {charted_name(explorer, best)} with {shown.values[best]:.4g}{unit}"
