"""Known sizes against extrapolated ones: predicted over measured values, and the table beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from svge_core.data import axis_ends
from svge_core.drawing import THEMES, ThemeName
from svge_core.evaluation import percent
from svge_core.evaluation.extrapolation import INSIDE, OUTSIDE, HeldOutPoint, TableRow
from svge_core.figures.style import SERIES, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects

#: side: place of its colour, symbol; colour alone would not tell them apart
LOOKS = {INSIDE: (0, "circle"), OUTSIDE: (1, "diamond-open")}
#: failed runs lie so far below the rest that they would hide it; they are counted in the words below the chart
_SHOWN_FROM = 0.02


def shown_range(points: Sequence[HeldOutPoint]) -> tuple[float, float]:
    """The drawn range of both axes: measured values but for the lowest 2 %, and a margin."""
    values = np.array([point.measured for point in points], dtype=float)
    low, high = float(np.quantile(values, _SHOWN_FROM)), float(values.max())
    return axis_ends(low, high, 0.05, max(abs(high), 1.0) * 0.01)


def beyond(points: Sequence[HeldOutPoint], column: str) -> int:
    """How many points the chart does not show."""
    low, high = shown_range(points)
    return sum(not all(low <= getattr(point, name) <= high for name in ("measured", column)) for point in points)


def extrapolation_figure(
    points: Sequence[HeldOutPoint],
    names: dict[str, str],
    theme: ThemeName,
    *,
    column: str = "predicted",
    unit: str = "",
) -> "plotly.graph_objects.Figure":
    """Held-out cells, each side with its own colour and symbol, and the line where prediction equals measurement.

    Args:
        points: held-out cells.
        names: what each side is.
        theme: light or dark.
        column: "predicted" or "counted".
        unit: of the values, empty where there is none.
    """
    figure = new_figure(theme, height=440)
    ends = list(shown_range(points))
    line = {"color": THEMES[theme].accent, "dash": "dash", "width": 1.5}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, name="predicted = measured", hoverinfo="skip")
    for side, (place, symbol) in LOOKS.items():
        own = [point for point in points if point.side == side]
        figure.add_scatter(
            x=[point.measured for point in own],
            y=[getattr(point, column) for point in own],
            customdata=[point.index for point in own],
            mode="markers",
            name=names[side],
            marker={"color": SERIES[theme][place], "symbol": symbol, "size": 7, "opacity": 0.75},
            hovertemplate=f"cell %{{customdata}}, {names[side]}<br>measured %{{x:.4f}}<br>predicted %{{y:.4f}}"
            "<extra></extra>",
        )
    named = f" ({unit})" if unit else ""
    figure.update_xaxes(title_text=f"Measured{named}", range=ends)
    figure.update_yaxes(title_text=f"Predicted{named}", range=ends)
    return figure


def table_rows(table: Sequence[TableRow], names: dict[str, str]) -> list[dict[str, str]]:
    """Rows in words: a mean over draws with its standard deviation."""
    return [
        {
            "Cells": names[row.side],
            "Predictor": row.predictor,
            "Held out": f"{row.held_out:,}",
            "Kendall tau": _spread(row.kendall_tau, row.kendall_tau_sd),
            "Spearman": _spread(row.spearman, row.spearman_sd),
            "RMSE": _significant(row.rmse, row.rmse_sd),
            "In the interval": "no interval" if row.coverage is None else percent(row.coverage, 1),
        }
        for row in table
    ]


def _spread(value: float | None, spread: float | None) -> str:
    if value is None:
        return "all equal"
    return f"{value:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def _significant(value: float | None, spread: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3g}" + ("" if spread is None else f" ± {spread:.2g}")
