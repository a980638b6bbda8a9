"""Searches: the best value so far of the methods of a race, and the fronts of several goals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from svge_core.data import count_of, score_name
from svge_core.drawing import THEMES, blended
from svge_core.errors import DataError
from svge_core.figures.paper.forms import PaperWidth
from svge_core.figures.paper.protocol import meaning_lines
from svge_core.figures.paper.sheet import NOTE, PaperFigure, Sheet
from svge_core.figures.search import MethodStyle, curve_reach, front_axes, front_rows, gap_floor, method_style
from svge_core.search import Lineup, MethodCurve, best_curves, by_method, comparable
from svge_core.search.objectives import Goal
from svge_core.search.runs import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOK = THEMES["light"]
#: seeds that a caption lists one by one
MOST_SEEDS = 8
#: Plotly's words in matplotlib's
_DASHES: dict[str, Any] = {
    "solid": "solid",
    "dash": (0, (4, 2)),
    "dot": (0, (1, 1.5)),
    "dashdot": (0, (4, 1.5, 1, 1.5)),
    "longdash": (0, (7, 2)),
    "longdashdot": (0, (7, 1.5, 1, 1.5)),
}
_SYMBOLS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "cross": "P",
    "x": "X",
    "triangle-up": "^",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "star": "*",
    "pentagon": "p",
    "hexagon": "h",
    "hexagram": "*",
    "diamond-wide": "d",
    "square-cross": "s",
    "circle-cross": "o",
    "star-triangle-up": "^",
    "star-diamond": "D",
}


def race_sheet(lineup: Lineup, *, goal: int = 0, regret: bool = False, width: PaperWidth = "single") -> PaperFigure:
    """Best value so far over the number of labels, a line a method, a band where it has several runs.

    Args:
        lineup: runs of the same cells and goals, by race.
        goal: position of the shown goal.
        regret: show the gap to the known optimum on a logarithmic axis instead.
        width: of a column.

    Raises:
        DataError: if there is no value yet, the runs do not go together, or a gap to an unknown optimum is asked for.
    """
    lineup = _ordered(lineup)
    views, goals = _together(lineup)
    if not 0 <= goal < len(goals):
        raise DataError(f"These runs have {count_of(len(goals), 'goal')}; there is no number {goal}.")
    what, curves = goals[goal], [curve for curve in best_curves(lineup, goal) if len(curve.x)]
    optimum = views[0].optimum[0] if views[0].optimum is not None and len(goals) == 1 else None
    if regret and optimum is None:
        raise DataError("The optimum of this search is not known, so there is no gap to it.")
    budget = max(view.start_count + view.config.budget for view in views)

    def draw(sheet: Sheet) -> None:
        axes = sheet.figure.add_subplot()
        axes.grid(True, axis="y")
        floor = gap_floor(curves, optimum) if regret and optimum is not None else 0.0
        for curve in curves:
            _line(axes, curve, what, optimum if regret else None, floor)
        axes.set_xlim(0, budget * 1.02)
        axes.set_xlabel("Labels used")
        if regret:
            axes.set_yscale("log")
            axes.set_ylabel(f"Gap to the optimum{_unit(what)}")
        else:
            axes.set_ylabel(_axis(what))
            if (reach := curve_reach(curves, what, optimum)) is not None:
                axes.set_ylim(*reach)
            if optimum is not None:
                axes.axhline(optimum, color=_LOOK.text, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
                at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
                words = f"optimum {optimum:.6g}"
                axes.annotate(words, (1, optimum), (0, 1.5), ha="right", va="bottom", fontsize=NOTE, **at)
        _legend(sheet, axes)

    title = f"Best so far of {count_of(len(views), 'run')}: {score_name(what.meaning)}"
    bands = sorted({curve.band for curve in curves if curve.band})
    lines = [
        f"Lines: median over runs{f'; bands: {_joined(bands)}' if bands else ''}. "
        "Every label counts, first random ones and existing labels too.",
        *_searched(lineup, goals[goal : goal + 1]),
    ]
    if optimum is not None:
        lines.append("Optimum: best of all cells that could be proposed; no method is told it.")
    return PaperFigure(f"{views[0].config.space}-race", title, _height, draw, tuple(lines), width)


def front_sheet(lineup: Lineup, *, across: int = 1, up: int = 0, width: PaperWidth = "single") -> PaperFigure:
    """All evaluations in the plane of two goals, and of each method those that no other of its runs dominates.

    Args:
        lineup: runs of the same cells and goals, by race.
        across: position of the goal on the horizontal axis.
        up: position of the goal on the vertical axis.
        width: of a column.

    Raises:
        DataError: if there is no value yet, the runs do not go together, or there are no two such goals.
    """
    lineup = _ordered(lineup)
    views, goals = _together(lineup)
    if across == up or not all(0 <= place < len(goals) for place in (across, up)):
        raise DataError(f"A front needs two of the goals of its runs, which have {count_of(len(goals), 'goal')}.")
    found = [(label, method, runs) for label, views in lineup for method, runs in by_method(views).items()]

    def draw(sheet: Sheet) -> None:
        axes = sheet.figure.add_subplot()
        axes.grid(True)
        ends = front_axes([runs for _, _, runs in found], (across, up))
        for label, method, runs in found:
            _front(axes, method_style(method, "light", label), runs, (across, up))
        if ends is not None:
            axes.set_xlim(*ends[0].tolist())
            axes.set_ylim(*ends[1].tolist())
        axes.set_xlabel(_axis(goals[across]))
        axes.set_ylabel(_axis(goals[up]))
        _legend(sheet, axes)

    ways = {"max": "more is better", "min": "less is better"}
    # cells are dominated in all goals, also in those that are no axis
    every = [goals[across], goals[up], *(g for place, g in enumerate(goals) if place not in (across, up))]
    better = "; ".join(f"{score_name(g.meaning)}: {ways[g.direction]}" for g in every)
    beyond = "" if len(goals) == 2 else f" in the {len(goals)} goals"
    lines = [
        f"Large marks: not dominated{beyond} by any other evaluation of the method's runs together ({better}). "
        "Others may lie beyond the axes.",
        *_searched(lineup, every),
    ]
    title = f"{score_name(goals[up].meaning)} and {score_name(goals[across].meaning)}: fronts"
    return PaperFigure(f"{views[0].config.space}-front", title, _height, draw, tuple(lines), width)


def _ordered(lineup: Lineup) -> Lineup:
    """The same figure however the runs were listed."""
    return [(label, sorted(views, key=lambda view: (view.config.seed, view.config.name))) for label, views in lineup]


def _together(lineup: Lineup) -> tuple[list[RunView], tuple[Goal, ...]]:
    """All runs and their goals, if one chart can hold them."""
    views = [view for _, found in lineup for view in found]
    if not any(view.done for view in views):
        raise DataError("There is no finished evaluation yet, so there is nothing to draw.")
    for view in views[1:]:
        if not comparable(views[0], view):
            names = f"{views[0].config.name[:60]!r} and {view.config.name[:60]!r}"
            raise DataError(f"{names} search other cells or goals and cannot stand in one figure.")
    return views, views[0].goals


def _height(wide: float) -> float:
    return 2.3 if wide < 5 else 2.9


def _axis(goal: Goal) -> str:
    """A goal beside an axis: predicted ones say so."""
    return f"{score_name(goal.meaning)}{', predicted' if goal.kind == 'predicted' else ''}{_unit(goal)}"


def _unit(goal: Goal) -> str:
    return f" ({goal.meaning.unit})" if goal.meaning.unit else ""


def _joined(bands: Sequence[str]) -> str:
    return "; ".join(bands)


def _searched(lineup: Lineup, goals: Sequence[Goal]) -> list[str]:
    """What is searched, with how many runs, and what the goals are."""
    views = [view for _, found in lineup for view in found]
    counts = sorted({len(runs) for _, found in lineup for runs in by_method(found).values()})
    each = count_of(counts[0], "run") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs"
    which = _seeds(sorted({view.config.seed for view in views}))
    unfinished = sum(view.state != "finished" for view in views)
    each += " a method and race" if len(lineup) > 1 else " a method"
    rest = f", {unfinished} not finished" if unfinished else ""
    return [
        f"Searched: {views[0].domain_title}; {each}, {which}{rest}.",
        *meaning_lines(g.meaning for g in goals),
    ]


def _seeds(seeds: Sequence[int]) -> str:
    """Seeds in words: "seeds 0 to 4" only where none between them is missing."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if seeds[-1] - seeds[0] == len(seeds) - 1 and len(seeds) > 2:
        return f"seeds {seeds[0]} to {seeds[-1]}"
    if len(seeds) <= MOST_SEEDS:
        return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"
    return f"{len(seeds)} seeds between {seeds[0]} and {seeds[-1]}"


def _line(axes: "Axes", curve: MethodCurve, goal: Goal, optimum: float | None, floor: float) -> None:
    look = method_style(curve.method, "light", curve.label)
    columns = [curve.median, curve.low, curve.high]
    if optimum is not None:
        columns = [np.maximum(np.abs(column - optimum), floor) for column in columns]
    median, low, high = columns
    if curve.band:
        axes.fill_between(
            curve.x, low, high, step="post", color=blended(look.colour, _LOOK.page, 0.16), linewidth=0, zorder=1
        )
    every = max(1, len(curve.x) // 6)
    axes.plot(
        curve.x,
        median,
        drawstyle="steps-post",
        label=look.title,
        color=look.colour,
        linestyle=_DASHES.get(look.dash, "solid"),
        linewidth=0.6 * look.width,
        marker=_SYMBOLS.get(look.symbol, "o"),
        markevery=(every - 1, every),
        markersize=3.6,
        markerfacecolor="white" if goal.kind == "predicted" else look.colour,
        zorder=3,
    )


def _front(axes: "Axes", look: MethodStyle, views: Sequence[RunView], plane: tuple[int, int]) -> None:
    values = np.concatenate([view.values for view in views])
    if not len(values):
        return
    across, up = plane
    hollow = any(goal.kind == "predicted" for goal in views[0].goals)
    pale, marker = blended(look.colour, _LOOK.page, 0.4), _SYMBOLS.get(look.symbol, "o")
    axes.plot(
        values[:, across],
        values[:, up],
        marker,
        markersize=1.6,
        color=pale,
        linestyle="",
        zorder=2,
        rasterized=len(values) > 5_000,
    )
    front = front_rows(values, views[0].directions)
    order = front[np.argsort(values[front, across], kind="stable")]
    axes.plot(
        values[order, across],
        values[order, up],
        label=look.title,
        color=look.colour,
        linestyle=_DASHES.get(look.dash, "solid") if len(views[0].goals) == 2 else "",
        marker=marker,
        markersize=3.6,
        markerfacecolor="white" if hollow else look.colour,
        zorder=3,
    )


def _legend(sheet: Sheet, axes: "Axes") -> None:
    """Above the chart, as many columns as there is room for."""
    count = len(axes.get_legend_handles_labels()[0])
    columns = max(1, min(count, int(sheet.wide / 1.55)))
    sheet.figure.legend(loc="outside upper center", ncols=columns, columnspacing=1.2, borderpad=0.1)
