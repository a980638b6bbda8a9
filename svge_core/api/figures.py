"""Figures for papers in a line of code: each is drawn when it is shown or written, and is equal for equal input."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from svge_core.atlas import PlaneName
from svge_core.cells import Cell
from svge_core.checks import many_cells, one_cell, yes_or_no
from svge_core.comparison import Comparison
from svge_core.errors import DataError, SvgeError
from svge_core.explorer import CellFilter, Explorer
from svge_core.figures.paper import (
    MapChoice,
    PaperFigure,
    PaperWidth,
    cell_sheet,
    compare_sheet,
    front_sheet,
    map_sheet,
    path_sheet,
    race_sheet,
)
from svge_core.interpolation import LatentPath
from svge_core.search import Lineup
from svge_core.search.runs import RunView

#: runs of one search, or of several by the label of each
Runs = Sequence[RunView] | Mapping[str, Sequence[RunView]]


def figure_map(
    explorer: Explorer,
    colour: str = "",
    *,
    plane: PlaneName | None = None,
    cells: Sequence[Cell] = (),
    outline: Sequence[tuple[float, float]] = (),
    parts: Sequence[tuple[Literal["add", "remove"], Sequence[tuple[float, float]]]] = (),
    conditions: CellFilter | None = None,
    limits: tuple[float, float] | None = None,
    ranks: bool = False,
    contours: bool = False,
    surface: bool = False,
    width: PaperWidth = "single",
    path: str | Path | None = None,
) -> PaperFigure:
    """The map of a space for a paper.

    Args:
        explorer: an open checkpoint.
        colour: key of the column that colours it, such as ``"cifar10_valid"`` or ``"predicted-cifar10_valid"``; by
            default the first there is.
        plane: ``"umap"`` or ``"pca"``; by default the first there is.
        cells: charted cells whose names stand beside them.
        outline: corners of a selection in coordinates of the map; what is outside is pale.
        parts: outlines that add to the selection or remove from it, in order.
        conditions: cells that fail them are pale.
        limits: ends of the colours, in the unit of the column.
        ranks: colours by rank instead of by value.
        contours: lines around the densest places that hold 25, 50, 75 and 95 % of the points.
        surface: values between the cells, interpolated on the map from the 8 nearest cells with a value.
        width: of a column of the paper: single (3.25 in), text (5.5 in) or double (6.75 in).
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if there is no such column, map, cell or width, or the file cannot be written.
    """
    for word, value in (("ranks", ranks), ("contours", contours), ("surface", surface)):
        yes_or_no(word, value)
    if limits is not None and not limits[0] < limits[1]:
        raise DataError(f"limits are two numbers, the lower one first; got {limits!r:.80}.")
    later: tuple[tuple[Literal["add", "remove"], tuple[tuple[float, float], ...]], ...] = tuple(
        (mode, _corners(corners)) for mode, corners in parts
    )
    named = tuple(many_cells(cells))
    kept, corners = conditions or CellFilter(), _corners(outline)
    chosen = MapChoice(colour, plane, corners, later, kept, named, limits, ranks, contours, surface)
    return _written(map_sheet(explorer, chosen, width), path)


def figure_path(
    explorer: Explorer,
    way: LatentPath,
    score: str = "",
    *,
    width: PaperWidth = "single",
    path: str | Path | None = None,
) -> PaperFigure:
    """Architectures along a path above the curve of a score.

    Args:
        explorer: that the path was laid with.
        way: from :func:`svge_core.interpolate`.
        score: key of the score; by default the first there is.
        width: of a column of the paper, as of :func:`figure_map`.
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if there is no such score or width, or the file cannot be written.
    """
    return _written(path_sheet(explorer, way, score, width), path)


def figure_race(
    runs: Runs,
    *,
    goal: int = 0,
    gap: bool = False,
    width: PaperWidth = "single",
    path: str | Path | None = None,
) -> PaperFigure:
    """Best value so far of several runs, a line a method, with the known optimum.

    Args:
        runs: from :func:`svge_core.search.read_run`; of several races by the label of each.
        goal: position of the shown goal.
        gap: show the gap to the known optimum on a logarithmic axis.
        width: of a column of the paper, as of :func:`figure_map`.
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if there is nothing to draw, the runs do not go together, or the file cannot be written.
    """
    return _written(race_sheet(_lineup(runs), goal=goal, regret=yes_or_no("gap", gap), width=width), path)


def figure_front(
    runs: Runs,
    *,
    across: int = 1,
    up: int = 0,
    width: PaperWidth = "single",
    path: str | Path | None = None,
) -> PaperFigure:
    """Evaluations in the plane of two goals with the Pareto front of every method.

    Args:
        runs: as of :func:`figure_race`.
        across: position of the goal on the horizontal axis.
        up: position of the goal on the vertical axis.
        width: of a column of the paper, as of :func:`figure_map`.
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if there is nothing to draw, there are no two such goals, or the file cannot be written.
    """
    return _written(front_sheet(_lineup(runs), across=across, up=up, width=width), path)


def figure_compare(
    comparison: Comparison,
    *,
    reference: int = 0,
    width: PaperWidth = "double",
    path: str | Path | None = None,
) -> PaperFigure:
    """Two to four architectures side by side, with their scores.

    Args:
        comparison: from :func:`svge_core.compare`.
        reference: position of the cell that the others' differences are marked from.
        width: of a column of the paper, as of :func:`figure_map`.
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if there is no such cell or width, or the file cannot be written.
    """
    return _written(compare_sheet(comparison, reference, width), path)


def figure_cell(
    explorer: Explorer, cell: Cell, *, width: PaperWidth = "single", path: str | Path | None = None
) -> PaperFigure:
    """The drawing of an architecture with its scores.

    Args:
        explorer: an open checkpoint.
        cell: a member of its space.
        width: of a column of the paper, as of :func:`figure_map`.
        path: also write it there: .pdf, .svg or .png.

    Raises:
        SvgeError: if it is no member, there is no such width, or the file cannot be written.
    """
    return _written(cell_sheet(explorer, one_cell(cell), width), path)


def _corners(outline: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in outline)


def _lineup(runs: Runs) -> Lineup:
    found = list(runs.items()) if isinstance(runs, Mapping) else [("", list(runs))]
    for _, views in found:
        for view in views:
            if not isinstance(view, RunView):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give a name
                raise SvgeError(f"Expected runs, from search.read_run(storage, name); got {view!r:.80}.")
    return found


def _written(figure: PaperFigure, path: str | Path | None) -> PaperFigure:
    if path is not None:
        figure.save(path)
    return figure
