"""Charts of searches: best value so far, gap to the optimum, Pareto fronts and hypervolumes.

A method has one colour, dash and symbol everywhere. Measured values are solid marks, predicted ones hollow.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import Float

from svge_core.data import DRAWN, axis_ends
from svge_core.drawing import THEMES, ThemeName, blended
from svge_core.figures.style import new_figure
from svge_core.search import TOLERANCE, Hypervolumes, Lineup, MethodCurve, by_method
from svge_core.search.objectives import Goal
from svge_core.search.runs import RunView
from svge_core.search.searchers import METHODS, LineStyle

if TYPE_CHECKING:
    import plotly.graph_objects

HEIGHT = 430
#: of methods that bring no style: colours of the shipped ones' kind, dashes and symbols that none of them has together
_PALETTE = (
    LineStyle("#7a4b00", "#d9a441", "dot", "square-cross"),
    LineStyle("#00695f", "#3fc4b4", "longdashdot", "diamond-wide"),
    LineStyle("#8a0f6a", "#e58fce", "longdash", "star-triangle-up"),
    LineStyle("#4f5d00", "#aebf3b", "dashdot", "star-diamond"),
    LineStyle("#1f4e79", "#8fb8de", "dash", "circle-cross"),
    LineStyle("#8c2f00", "#f09a6c", "solid", "hexagram"),
)
#: the vertical axis opens where the methods are after this share of the labels: first draws can be arbitrarily bad
_SETTLED = 0.06


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn.

    Attributes:
        title: its name.
        colour: ``#rrggbb``.
        dash, symbol: in Plotly's words.
        width: of its line in pixels.
    """

    title: str
    colour: str
    dash: str
    symbol: str
    width: float


def method_style(method: str, theme: ThemeName, label: str = "") -> MethodStyle:
    """Colour, dash and symbol of a method, the same on every chart.

    Args:
        method: name of a searcher.
        theme: light or dark.
        label: of its race where several are compared; all but race A are thinner and paler.
    """
    known = METHODS.get(method)
    style = (known.style if known else None) or _from_palette(method)
    # a store may hold runs of a method that this process does not know
    title, colour, width = (
        known.title if known else method,
        style.light if theme == "light" else style.dark,
        style.width,
    )
    if label not in ("", "A"):
        colour, width = blended(colour, THEMES[theme].page, 0.62), width - 0.5
    return MethodStyle(f"{label}: {title}" if label else title, colour, style.dash, style.symbol, width)


def _from_palette(method: str) -> LineStyle:
    plain = [name for name, known in METHODS.items() if known.style is None]
    place = plain.index(method) if method in plain else zlib.crc32(method.encode())
    return _PALETTE[place % len(_PALETTE)]


def axis_title(goal: Goal) -> str:
    """Title of an axis that shows a goal: data set, what it is, its unit, and that it is predicted if it is."""
    meaning = goal.meaning
    where = f"{meaning.data_set}, " if meaning.data_set and meaning.data_set not in meaning.title else ""
    unit = f" ({meaning.unit})" if meaning.unit else ""
    text = f"{where}{meaning.title[:80]}{unit}"
    return escaped(f"≈ {text}, predicted" if goal.kind == "predicted" and "redicted" not in text else text)


def escaped(text: str) -> str:
    """A user's own text: Plotly reads tags in titles."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def progress_figure(
    curves: Sequence[MethodCurve],
    goal: Goal,
    theme: ThemeName,
    *,
    optimum: float | None = None,
    regret: bool = False,
    budget: int = 0,
) -> "plotly.graph_objects.Figure":
    """Best value so far over the number of labels: a line per method, with a band where it has several runs.

    Args:
        curves: one for each method.
        goal: what is improved.
        theme: light or dark.
        optimum: best value there is, for a labelled line; no searcher sees it.
        regret: show how far the best so far is from the optimum on a logarithmic axis instead.
        budget: largest number of labels, so that the axis does not grow while runs go on.
    """
    figure = new_figure(theme, height=HEIGHT)
    regret = regret and optimum is not None
    unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
    floor = gap_floor(curves, optimum) if regret and optimum is not None else 0.0
    for curve in curves:
        if not len(curve.x):
            continue
        columns = [curve.median, curve.low, curve.high]
        if regret and optimum is not None:
            columns = [np.maximum(np.abs(column - optimum), floor) for column in columns]
        what = "gap of the best" if regret else "best"
        _add_curve(figure, curve, columns, theme, goal.kind == "predicted", f"{what} %{{y:.4g}}{escaped(unit)}")
    if regret:
        title = f"Gap to the optimum, {axis_title(goal)}"
        figure.update_yaxes(type="log", title_text=title, exponentformat="power", dtick=1)
        if any((np.abs(curve.median - (optimum or 0.0)) <= floor).any() for curve in curves if len(curve.x)):
            _label_line(figure, floor, "optimum found", theme)
    else:
        figure.update_yaxes(title_text=axis_title(goal))
        if (reach := curve_reach(curves, goal, optimum)) is not None:
            figure.update_yaxes(range=reach)
        if optimum is not None:
            _label_line(figure, optimum, f"best of all known cells: {optimum:.6g}{escaped(unit)}", theme)
    _finish(figure, budget)
    return figure


def hypervolume_figure(
    volumes: Hypervolumes, theme: ThemeName, *, budget: int = 0, predicted: bool = False
) -> "plotly.graph_objects.Figure":
    """Dominated share of the box over the number of labels."""
    figure = new_figure(theme, height=HEIGHT)
    for curve in volumes.curves:
        if len(curve.x):
            _add_curve(figure, curve, [curve.median, curve.low, curve.high], theme, predicted, "%{y:.2%}")
    figure.update_yaxes(title_text="Hypervolume, share of the box", tickformat=".0%")
    _finish(figure, budget)
    return figure


def front_figure(lineup: Lineup, across: int, up: int, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """All evaluations in the plane of two goals, and each method's non-dominated ones of all its runs together.

    The axes are those of the fronts: random first evaluations would leave them a corner. What lies beyond stands at the
    edge as an arrow that points to it.

    Args:
        lineup: the runs by method.
        across: position of the goal on the horizontal axis.
        up: position of the goal on the vertical axis.
        theme: light or dark.
    """
    figure = new_figure(theme, height=HEIGHT)
    everything = [(label, method, found) for label, views in lineup for method, found in by_method(views).items()]
    axes = front_axes([found for _, _, found in everything], (across, up))
    for label, method, found in everything:
        _add_front(figure, method_style(method, theme, label), found, (across, up), axes)
    if axes is not None:
        figure.update_xaxes(range=axes[0].tolist())
        figure.update_yaxes(range=axes[1].tolist())
    if goals := [view.goals for _, views in lineup for view in views]:
        figure.update_xaxes(title_text=axis_title(goals[0][across]))
        figure.update_yaxes(title_text=axis_title(goals[0][up]))
    figure.update_layout(hovermode="closest", uirevision=f"{across} {up}", legend={"y": 1.03})
    return figure


def _add_front(
    figure: "plotly.graph_objects.Figure",
    look: MethodStyle,
    views: Sequence[RunView],
    plane: tuple[int, int],
    axes: Float[np.ndarray, "2 2"] | None,
) -> None:
    values = np.concatenate([view.values for view in views])
    if axes is None or not len(values):
        return
    across, up = plane
    goals = views[0].goals
    names = [f"#{e.number} of {escaped(view.config.name)}" for view in views for e in view.done]
    symbol = look.symbol + ("-open" if any(goal.kind == "predicted" for goal in goals) else "")
    shown = np.clip(values[:, plane], axes[:, 0], axes[:, 1])
    sides = [_side(place, axes) for place in values[:, plane]]
    symbols = [f"arrow-bar-{side}" if side else symbol for side in sides]
    figure.add_scatter(
        x=shown[:, 0],
        y=shown[:, 1],
        mode="markers",
        name=look.title,
        legendgroup=look.title,
        showlegend=False,
        customdata=[[name, *place] for name, place in zip(names, values[:, plane].tolist(), strict=True)],
        opacity=0.35,
        marker={"size": 5, "color": look.colour, "symbol": symbols},
        hovertemplate="%{customdata[0]}<br>%{customdata[1]:.5g}, %{customdata[2]:.5g}<extra></extra>",
        cliponaxis=False,
    )
    front = front_rows(values, views[0].directions)
    order = front[np.argsort(values[front, across], kind="stable")]
    figure.add_scatter(
        x=values[order, across],
        y=values[order, up],
        name=look.title,
        legendgroup=look.title,
        mode="lines+markers" if len(goals) == 2 else "markers",
        customdata=[names[row] for row in order],
        line={"color": look.colour, "dash": look.dash, "width": 1.75},
        marker={"size": 9, "color": look.colour, "symbol": symbol},
        hovertemplate="%{customdata}, not dominated<br>%{x:.5g}, %{y:.5g}<extra></extra>",
    )


def front_axes(everything: Sequence[Sequence[RunView]], plane: tuple[int, int]) -> Float[np.ndarray, "2 2"] | None:
    """Lowest and highest value across and up of all fronts, with room around them; None before the first value."""
    tables = [np.concatenate([view.values for view in views]) for views in everything]
    fronts = [
        table[front_rows(table, views[0].directions)][:, plane]
        for table, views in zip(tables, everything, strict=True)
        if len(table)
    ]
    if not fronts:
        return None
    together = np.concatenate(fronts)
    low, high = together.min(axis=0), together.max(axis=0)
    shown = np.clip(np.concatenate([table for table in tables if len(table)])[:, plane], -DRAWN, DRAWN)
    alone = np.where((whole := np.ptp(shown, axis=0)) > 0, whole / 8, 1.0)
    return np.array([axis_ends(a, b, 1 / 8, room) for a, b, room in zip(low, high, alone, strict=True)])


def _side(place: Float[np.ndarray, " 2"], axes: Float[np.ndarray, "2 2"]) -> str:
    """Which edge a place lies beyond; empty for none."""
    for at, (low, high), (before, after) in zip(place, axes, (("left", "right"), ("down", "up")), strict=True):
        if at < low:
            return before
        if at > high:
            return after
    return ""


def front_rows(values: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """Rows that no other row beats in all goals; of equal rows all."""
    utilities = values * np.array([1.0 if way == "max" else -1.0 for way in directions])
    order = np.lexsort(-utilities.T[::-1])  # a row can only be beaten by one before it
    kept: list[int] = []
    for row in order:
        front = utilities[kept]
        if not ((front >= utilities[row]).all(axis=1) & (front > utilities[row]).any(axis=1)).any():
            kept.append(int(row))
    return np.array(sorted(kept), dtype=int)


def _add_curve(
    figure: "plotly.graph_objects.Figure",
    curve: MethodCurve,
    columns: Sequence[np.ndarray],
    theme: ThemeName,
    hollow: bool,
    words: str,
) -> None:
    look = method_style(curve.method, theme, curve.label)
    median, low, high = columns
    x = curve.x
    if curve.band:
        red, green, blue = bytes.fromhex(look.colour[1:])
        figure.add_scatter(
            x=np.concatenate([_corners(x), _corners(x)[::-1]]),
            mode="lines",
            line={"width": 0},
            y=np.concatenate([_treads(high), _treads(low)[::-1]]),
            fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.13)",
            hoverinfo="skip",
            showlegend=False,
            legendgroup=look.title,
            name=f"{look.title}, {curve.band}",
        )
    # marks on some points only: they tell methods apart in print, and hollow ones say that values are predicted
    every = max(1, len(x) // 8)
    sizes = np.where((np.arange(len(x)) % every == every - 1) | (len(x) == 1), 8, 0)
    figure.add_scatter(
        x=x,
        y=median,
        name=look.title,
        mode="lines+markers",
        legendgroup=look.title,
        line={"color": look.colour, "dash": look.dash, "width": look.width, "shape": "hv"},
        marker={
            "size": sizes,
            "color": look.colour,
            "symbol": look.symbol + ("-open" if hollow else ""),
            "line": {"width": 1.5 if hollow else 0, "color": look.colour},
            "opacity": 1,
        },
        customdata=[f"{count} of {curve.runs}" for count in curve.counts],
        hovertemplate=f"{words}, %{{customdata}} runs" if curve.runs > 1 else words,
    )


def _corners(x: np.ndarray) -> np.ndarray:
    """Both ends of every tread of a staircase, as the lines are drawn."""
    return np.repeat(x, 2)[1:]


def _treads(y: np.ndarray) -> np.ndarray:
    return np.repeat(y, 2)[:-1]


def _label_line(figure: "plotly.graph_objects.Figure", y: float, words: str, theme: ThemeName) -> None:
    colours = THEMES[theme]
    logarithmic = cast(Any, figure.layout).yaxis.type == "log"
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=y,
        y1=y,
        line={"color": colours.text, "dash": "dot", "width": 1.25},
        layer="below",
    )
    figure.add_annotation(
        xref="paper",
        x=1,
        xanchor="right",
        y=float(np.log10(y)) if logarithmic else y,
        yanchor="bottom",
        text=words,
        showarrow=False,
        font={"size": 12, "color": colours.text},
    )


def _finish(figure: "plotly.graph_objects.Figure", budget: int) -> None:
    figure.update_xaxes(title_text="Labels used (evaluations, existing labels included)", rangemode="tozero")
    if budget:
        figure.update_xaxes(range=[0, budget * 1.02])
    # the view that somebody has zoomed to stays while new values come in
    figure.update_layout(hovermode="x unified", uirevision="kept", legend={"y": 1.03})


def curve_reach(curves: Sequence[MethodCurve], goal: Goal, optimum: float | None) -> list[float] | None:
    """Ends of the vertical axis: from where the methods have settled to the best value there is."""
    filled = [curve for curve in curves if len(curve.x)]
    if not filled:
        return None
    best = np.concatenate([curve.high if goal.direction == "max" else curve.low for curve in filled])
    longest = max(len(curve.x) for curve in filled)
    settled = [curve.median[min(len(curve.x) - 1, max(1, int(_SETTLED * longest)))] for curve in filled]
    ends = [*settled, float(best.max() if goal.direction == "max" else best.min())]
    ends += [optimum] if optimum is not None else []
    low, high = float(min(ends)), float(max(ends))
    return list(axis_ends(low, high, 0.09, max(abs(high) * 0.002, 1e-6)))


def gap_floor(curves: Sequence[MethodCurve], optimum: float) -> float:
    """Where a gap of nothing is drawn on the logarithmic axis: below the smallest real gap."""
    gaps = np.concatenate([np.abs(curve.median - optimum) for curve in curves] or [np.empty(0)])
    real = gaps[gaps > TOLERANCE]
    return float(10.0 ** np.floor(np.log10(real.min()))) / 2 if len(real) else 1e-3
