"""A path between two architectures: cells on the way, and a score along it."""

from typing import TYPE_CHECKING

import numpy as np

from svge_core.cells import edits_in_words
from svge_core.data import axis_ends
from svge_core.drawing import THEMES, blended, cell_strokes
from svge_core.errors import DataError
from svge_core.explorer import Explorer, short_name
from svge_core.figures.paper.forms import PaperWidth
from svge_core.figures.paper.protocol import meaning_lines, prediction_line
from svge_core.figures.paper.sheet import NOTE, SMALL, PaperFigure, Sheet, wrapped
from svge_core.figures.paper.strokes import Grid, grid_for, put_drawing
from svge_core.figures.paper.table import ground
from svge_core.figures.style import SERIES
from svge_core.interpolation import LatentPath, PathScores, path_scores, score_titles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOK = THEMES["light"]
#: inches that drawings may be high, of the chart, and of the lines above a drawing
HIGHEST, CHART, HEAD = 1.9, 1.75, 0.3
#: drawings below each other where two have no room side by side
STACKED = 3


def path_sheet(explorer: Explorer, path: LatentPath, score: str = "", width: PaperWidth = "single") -> PaperFigure:
    """Some of the cells on the way, evenly chosen, with what changed marked, above the curve of a score.

    Args:
        explorer: that the path was laid with.
        path: from A to B.
        score: key of the score; empty for the first there is.
        width: of a column.

    Raises:
        DataError: if there is no such score.
    """
    titles = score_titles(explorer)
    if not titles:
        raise DataError(f"No score of {explorer.space.title} is known or predicted, so there is no curve.")
    scores, space, frames = path_scores(explorer, path, score or next(iter(titles))), explorer.space, path.frames
    drawings = [
        cell_strokes(frame.cell, space, highlight=None if frame.change is None else frame.change.second)
        for frame in frames
    ]

    def strip(wide: float) -> tuple[list[int], Grid]:
        """Places of the drawn frames, as many as fit and both ends among them, and how they stand."""
        columns = grid_for(drawings, wide, HIGHEST).columns
        most = min(len(frames), columns if columns > 1 else STACKED)
        chosen = sorted({round(place) for place in np.linspace(0, len(frames) - 1, most).tolist()})
        return chosen, grid_for([drawings[place] for place in chosen], wide, HIGHEST)

    def height(wide: float) -> float:
        chosen, grid = strip(wide)
        return -(-len(chosen) // grid.columns) * (HEAD + grid.tall) + CHART

    def draw(sheet: Sheet) -> None:
        chosen, grid = strip(sheet.wide)
        each = sheet.wide / grid.columns
        for number, place in enumerate(chosen):
            row, column = divmod(number, grid.columns)
            top, left = row * (HEAD + grid.tall), column * each
            _head(ground(sheet, top, HEAD), path, place, left + each / 2)
            axes = sheet.place(left, top + HEAD, each, grid.tall)
            put_drawing(axes, drawings[place], grid.scale, wide=72 * each, tall=72 * grid.tall)
        sheet.keep_free(sheet.tall - CHART)
        _curve(sheet, path, scores, [frames[place].first for place in chosen])

    numbers = path.numbers(space.key)
    kind = {"linear": "straight line", "spherical": "arc about the origin", "graph": "way over neighbouring cells"}
    way = kind["linear" if path.fallback else path.kind]
    lines = [
        f"{space.title}, {way} of {numbers.stops} stops in the latent space of checkpoint "
        f"{explorer.checkpoint.digest[:12]}, {'decoded within the space' if path.constrained else 'decoded freely'}: "
        f"{numbers.distinct} distinct cells, {numbers.invalid} invalid stops, {edits_in_words(numbers.edits)}. "
        "Marked in the drawings: what changed from the architecture before.",
        *meaning_lines([scores.meaning], "predicted" if scores.any_predicted and not scores.any_known else ""),
    ]
    if scores.any_predicted:
        lines.append(prediction_line(scores.predicted.model, scores.predicted.level))
        if scores.label_used.any():
            which = ", ".join(str(stop) for stop in np.flatnonzero(scores.label_used).tolist())
            lines.append(f"The labels of stops {which} trained the predictor, so their predictions are no test.")
    title = f"{scores.title} along a path of {numbers.stops} stops"
    return PaperFigure(f"{space.name}-path", title, height, draw, tuple(lines), width)


def _head(axes: "Axes", path: LatentPath, place: int, middle: float) -> None:
    """Name of a drawn cell, its stops, and how far it is from the architecture before."""
    frame = path.frames[place]
    stop = frame.stops[0]
    ends = [letter for letter, at in (("A", 0), ("B", len(path.frames) - 1)) if place == at]
    title = " ".join([*ends, short_name(stop.index, stop.row) if stop.valid else "no member"])
    where = f"stop {frame.first}" if frame.first == frame.last else f"stops {frame.first}–{frame.last}"
    below = where if frame.change is None else f"{where}, {edits_in_words(frame.change.edits)}"
    axes.text(middle, 0.08, title, ha="center", va="center", fontsize=SMALL, weight="bold")
    axes.text(middle, 0.21, below, ha="center", va="center", fontsize=NOTE, color=_LOOK.muted)


def _curve(sheet: Sheet, path: LatentPath, scores: PathScores, drawn: list[int]) -> None:
    axes = sheet.figure.add_subplot()
    x, guess = np.arange(len(path.stops)), SERIES["light"][3]
    for stop in drawn:
        axes.axvline(stop, color=_LOOK.faint, linewidth=0.6, zorder=0)
    if scores.any_predicted:
        found = scores.predicted
        pale = blended(guess, _LOOK.page, 0.16)
        alone = np.isfinite(found.mean)
        beside = np.r_[False, alone[:-1]] | np.r_[alone[1:], False]
        axes.fill_between(x, found.low, found.high, color=pale, linewidth=0, zorder=1)
        lone = alone & ~beside  # a stop between two without a prediction still has an interval
        axes.vlines(x[lone], found.low[lone], found.high[lone], color=pale, linewidth=4, zorder=1)
        label = f"predicted, {100 * found.level:.0f} % interval"
        axes.plot(
            x,
            found.mean,
            "o",
            linestyle=(0, (1, 1.5)),
            color=guess,
            markerfacecolor="white",
            markersize=3,
            label=label,
            zorder=2,
        )
    if scores.any_known:
        axes.plot(x, scores.known, "D-", color=_LOOK.text, markersize=2.6, label=scores.meaning.kind, zorder=3)
    columns = np.concatenate([scores.known, scores.predicted.low, scores.predicted.high])
    there = columns[np.isfinite(columns)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    low, high = axis_ends(low, high, 0.1, max(abs(high) * 0.01, 0.5))
    axes.set_ylim(low, high)
    if invalid := [stop.number for stop in path.stops if not stop.valid]:
        at = axes.get_xaxis_transform()
        axes.plot(
            invalid,
            [0.03] * len(invalid),
            "x",
            color=SERIES["light"][4],
            markersize=3.5,
            transform=at,
            label="no valid cell",
        )
    last = len(path.stops) - 1
    axes.set_xlim(-0.4, last + 0.4)
    inner = [stop for stop in drawn if 0 < stop < last]
    axes.set_xticks([0, *inner, last], ["A", *map(str, inner), "B"])
    axes.set_xlabel("Stop")
    unit = f" ({scores.meaning.unit})" if scores.meaning.unit else ""
    axes.set_ylabel("\n".join(wrapped(f"{scores.title}{unit}", 0.55 * CHART)), fontsize=SMALL)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderpad=0.1, columnspacing=1.2)
