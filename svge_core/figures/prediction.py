"""Is a predictor right, and does it know when it is not: parity and calibration over cells it was not fitted on."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.drawing import THEMES, ThemeName
from svge_core.errors import DataError
from svge_core.figures.style import DASHES, SEQUENTIAL, SERIES, new_figure
from svge_core.predictors import coverage_by_fifth, measure_predictions

if TYPE_CHECKING:
    import plotly.graph_objects

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Parity:
    """Predicted against measured over held-out cells.

    Attributes:
        edges: bin edges, the same on both axes.
        counts: cells by bin of the predicted (row) and the measured value (column).
        n: cells the two numbers below are over.
        outside: of these, cells outside the drawn range.
        kendall_tau: rank correlation tau-b; NaN where all values of one side are equal.
        rmse: root mean squared error, in the score's unit.
    """

    edges: Float[np.ndarray, " edges"]
    counts: Int[np.ndarray, "bins bins"]
    n: int
    outside: int
    kendall_tau: float
    rmse: float


def held_out_rows(
    measured: Float[np.ndarray, " cells"], training: Int[np.ndarray, " labels"]
) -> Bool[np.ndarray, " cells"]:
    """Cells with a label that the predictor was not fitted on."""
    rows = np.isfinite(measured)
    rows[training] = False
    return rows


def parity(
    measured: Float[np.ndarray, " cells"],
    predicted: Float[np.ndarray, " cells"],
    *,
    best_share: float = 1.0,
    direction: str = "max",
    bins: int = 64,
) -> Parity:
    """The numbers of a parity chart.

    Args:
        measured: finite values of held-out cells.
        predicted: finite predictions for the same cells.
        best_share: look only at this share of the cells, the best by their measured value.
        direction: "max" if more is better, else "min".
        bins: boxes along each axis.
    """
    if len(measured) != len(predicted) or len(measured) == 0:
        raise DataError(
            f"A parity chart needs held-out cells with both values; got {len(measured)} and {len(predicted)}."
        )
    order = np.argsort(measured, kind="stable")
    kept = max(1, round(best_share * len(order)))
    rows = order[len(order) - kept :] if direction == "max" else order[:kept]
    x, y = measured[rows].astype(float), predicted[rows].astype(float)
    # the measured range is what matters; wild predictions are counted as outside rather than squeezing the rest
    low, high = float(x.min()), float(x.max())
    margin = 0.08 * (high - low) or max(abs(high), 1.0) * 0.01
    edges = np.linspace(low - margin, high + margin, bins + 1)
    counts, _, _ = np.histogram2d(y, x, bins=(edges, edges))
    found = measure_predictions(y, x)
    tau, rmse = (math.nan if value is None else value for value in (found["kendall_tau"], found["rmse"]))
    return Parity(edges, counts.astype(np.int64), len(x), len(x) - int(counts.sum()), tau, rmse)


def parity_figure(info: Parity, theme: ThemeName, unit: str = "") -> "plotly.graph_objects.Figure":
    """Counts as colour (logarithmic), and the line where prediction equals measurement."""
    figure = new_figure(theme, height=440)
    shown = np.where(info.counts > 0, np.log10(np.maximum(info.counts, 1)), np.nan)
    centres = (info.edges[:-1] + info.edges[1:]) / 2
    top = max(1, int(info.counts.max()))
    ticks = [10**power for power in range(int(math.log10(top)) + 1)]
    if top >= 2 * ticks[-1]:
        ticks.append(top)
    figure.add_heatmap(
        x=centres,
        y=centres,
        z=shown,
        customdata=info.counts,
        colorscale=[list(stop) for stop in SEQUENTIAL[theme]],
        zmin=0,
        zmax=max(math.log10(top), 0.3),
        hoverongaps=False,
        hovertemplate="measured %{x:.4g}<br>predicted %{y:.4g}<br>%{customdata} cells<extra></extra>",
        colorbar={
            "title": {"text": "Cells", "side": "top"},
            "tickvals": [math.log10(tick) for tick in ticks],
            "ticktext": [f"{tick:,}" for tick in ticks],
            "thickness": 12,
            "outlinewidth": 0,
        },
    )
    ends = [info.edges[0], info.edges[-1]]
    line = {"color": THEMES[theme].accent, "dash": "dash", "width": 1.5}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, name="predicted = measured", hoverinfo="skip")
    named = f" ({unit})" if unit else ""
    figure.update_xaxes(title_text=f"Measured{named}", range=ends)
    figure.update_yaxes(title_text=f"Predicted{named}", range=ends)
    return figure


@dataclass(frozen=True)
class Calibration:
    """How often the truth lies within an interval, against how often it should.

    Attributes:
        nominal: levels of the intervals.
        empirical: share of held-out cells inside, per level.
        n: held-out cells.
        level: the level that the predictor states; the others are its interval rescaled as for a normal distribution.
        covered: cells inside the stated interval.
        width: median width of the stated interval, in the score's unit.
        fifths: share inside the stated interval in each fifth of the cells, from the lowest predicted to the highest;
            None for fewer than five cells.
    """

    nominal: tuple[float, ...]
    empirical: tuple[float, ...]
    n: int
    level: float
    covered: int
    width: float
    fifths: tuple[float, float, float, float, float] | None


def calibration(
    measured: Float[np.ndarray, " cells"],
    mean: Float[np.ndarray, " cells"],
    low: Float[np.ndarray, " cells"],
    high: Float[np.ndarray, " cells"],
    level: float,
) -> Calibration:
    """Coverage of the stated interval, exactly, and of the intervals it implies at other levels."""
    from scipy.stats import norm

    if len(measured) == 0:
        raise DataError("A calibration chart needs held-out cells with a measured value; there is none.")
    # each side has its own width, so that an interval need not be symmetric; a width of 0 covers only an exact hit
    side = np.where(measured >= mean, high - mean, mean - low)
    distance = np.abs(measured - mean)
    covered = int(((measured >= low) & (measured <= high)).sum())
    empirical = []
    for nominal in LEVELS:
        share = covered / len(measured)
        if not math.isclose(nominal, level):
            scale = norm.ppf((1 + nominal) / 2) / norm.ppf((1 + level) / 2)
            share = float((distance <= scale * side).mean())
        empirical.append(share)
    fifths = coverage_by_fifth(mean, measured, low, high)
    return Calibration(LEVELS, tuple(empirical), len(measured), level, covered, float(np.median(high - low)), fifths)


def calibration_figure(info: Calibration, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Empirical over nominal coverage; on the diagonal the intervals are honest, below it they are too narrow."""
    figure = new_figure(theme, height=440)
    colours = THEMES[theme]
    line = {"color": colours.accent, "dash": "dash", "width": 1.5}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="calibrated", hoverinfo="skip")
    figure.add_scatter(
        x=info.nominal,
        y=info.empirical,
        mode="lines+markers",
        name="observed",
        line={"color": SERIES[theme][0], "dash": DASHES[0], "width": 2},
        hovertemplate="%{y:.1%} of cells inside the %{x:.0%} interval<extra></extra>",
    )
    for text, x, y in (("too wide", 0.12, 0.88), ("too narrow", 0.88, 0.12)):
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"color": colours.muted})
    figure.update_xaxes(title_text="Nominal coverage", tickformat=".0%", dtick=0.2, range=[0, 1.03])
    figure.update_yaxes(title_text="Held-out cells inside the interval", tickformat=".0%", dtick=0.2, range=[0, 1.03])
    return figure
