"""Strokes of a cell's drawing put into a figure, as vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from svge_core.drawing import Stroke, Strokes
from svge_core.figures.paper.sheet import SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: points around a drawing, so that thick lines at its edge are not cut, and between two of them
PAD, BETWEEN = 4.0, 6.0
#: points of a letter in a drawing of full size, and of the smallest one that stands free
_FULL, _LEAST = 12.0, 5.5
#: drawings are made no smaller than this to stand beside each other; a lone one in a stack no larger than that
_SMALLEST, _STACKED = 0.36, 0.46


@dataclass(frozen=True)
class Grid:
    """How drawings stand on a sheet.

    Attributes:
        columns: beside each other.
        scale: points of the figure for one of a drawing.
        tall: inches of the highest drawing.
    """

    columns: int
    scale: float
    tall: float


def grid_for(drawings: Sequence[Strokes], wide: float, highest: float) -> Grid:
    """As many beside each other as can be read, at one scale.

    Args:
        drawings: one or more.
        wide: inches that there are.
        highest: inches that one may be high.
    """
    largest, points = max(one.width for one in drawings) + 2 * PAD, 72 * wide
    columns = max(1, min(len(drawings), int(points / (_SMALLEST * largest + BETWEEN))))
    scale = min(SIZE / _FULL, (points / columns - BETWEEN) / largest)
    if columns == 1 < len(drawings):
        scale = min(scale, _STACKED)
    scale = min(scale, 72 * highest / max(one.height for one in drawings))
    return Grid(columns, scale, (scale * max(one.height for one in drawings) + 2 * PAD) / 72)


def put_drawing(axes: "Axes", drawing: Strokes, scale: float, *, wide: float, tall: float) -> None:
    """Draw into the middle of axes of that size.

    Args:
        axes: empty ones, of a place of their own on the sheet.
        drawing: of a cell.
        scale: points of the figure for one of the drawing.
        wide: points of the axes across.
        tall: points upwards.
    """
    axes.set_axis_off()
    axes.set_xlim(0, wide)
    axes.set_ylim(0, tall)
    left, below = (wide - scale * drawing.width) / 2, (tall - scale * drawing.height) / 2

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return left + scale * place[0], below + scale * place[1]

    for order, stroke in enumerate(drawing.strokes):
        _put(axes, stroke, scale, at, order)


def _put(
    axes: "Axes",
    stroke: Stroke,
    scale: float,
    at: Callable[[tuple[float, float]], tuple[float, float]],
    order: int,
) -> None:
    from matplotlib.patches import Ellipse, PathPatch
    from matplotlib.path import Path

    if stroke.shape == "text":
        size = scale * stroke.size
        if stroke.beside or len(stroke.text) <= 3:  # a short name has room in its disc, too
            size = max(size, min(_LEAST, stroke.size / 2 if stroke.beside else 1.25 * size))
        (x, y) = at(stroke.places[0])
        axes.text(x, y, stroke.text, ha="center", va="baseline", fontsize=size, color=stroke.colour, zorder=order)
        return
    look: dict[str, Any] = {
        "edgecolor": stroke.colour,
        "facecolor": stroke.fill or "none",
        "linewidth": scale * stroke.width,
        "linestyle": (0, (3.0, 2.0)) if stroke.dashed else "solid",
        "zorder": order,
        "clip_on": False,
        "capstyle": "butt",
    }
    if stroke.shape == "ellipse":
        middle, (across, up) = stroke.places
        axes.add_patch(Ellipse(at(middle), 2 * scale * across, 2 * scale * up, **look))
        return
    places = [at(place) for place in stroke.places]
    if stroke.shape == "polygon":
        path = Path([*places, places[0]], closed=True)
    else:
        path = Path(places, [Path.MOVETO, *[Path.CURVE4] * (len(places) - 1)])
    axes.add_patch(PathPatch(path, **look))
