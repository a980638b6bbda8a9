"""How good predictions are: ranks, correlation, error and intervals, and their mean and spread over draws.

One definition for the predictors stored beside a checkpoint, for extrapolation and for the benchmarks.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

MEASURES = (
    "kendall_tau",
    "spearman",
    "pearson_r",
    "rmse",
    "rmse_standardised",
    "coverage",
    "width",
    "median_width",
)

Values = Float[np.ndarray, " cells"]


def measure_predictions(
    mean: Values, truth: Values, low: Values | None = None, high: Values | None = None
) -> dict[str, float | None]:
    """All of :data:`MEASURES` for predictions of some cells; None where one does not exist.

    Args:
        mean: predictions, in the unit of the score (cells).
        truth: measured values, same unit (cells).
        low: lower ends of the intervals, same unit (cells); None, or an end that is not finite, is no interval.
        high: upper ends, likewise.

    Returns:
        - ``kendall_tau`` (tau-b), ``spearman``, ``pearson_r``: need two different values on both sides;
        - ``rmse`` in the unit of the score; ``rmse_standardised`` divided by the standard deviation of ``truth``;
        - ``coverage``: share of cells inside the closed interval; ``width``, ``median_width`` of it in the unit.
    """
    found: dict[str, float | None] = dict.fromkeys(MEASURES)
    if not len(truth):
        return found
    mean, truth = mean.astype(np.float64), truth.astype(np.float64)
    if np.ptp(mean) > 0 and np.ptp(truth) > 0:
        from scipy.stats import kendalltau, pearsonr, spearmanr  # half a second, and predictions need none of it

        for name, statistic in (("kendall_tau", kendalltau), ("spearman", spearmanr), ("pearson_r", pearsonr)):
            found[name] = float(np.asarray(statistic(mean, truth))[0])
    found["rmse"] = float(np.sqrt(np.mean((mean - truth) ** 2)))
    if np.ptp(truth) > 0:
        found["rmse_standardised"] = found["rmse"] / float(truth.std())
    if low is not None and high is not None and np.isfinite(low).all() and np.isfinite(high).all():
        widths = high.astype(np.float64) - low.astype(np.float64)
        found["coverage"] = float(np.mean((low <= truth) & (truth <= high)))
        found["width"], found["median_width"] = float(np.mean(widths)), float(np.median(widths))
    return found


#: coverage in each fifth of some cells, from the lowest predicted to the highest
Fifths = tuple[float, float, float, float, float]


def coverage_by_fifth(mean: Values, truth: Values, low: Values, high: Values) -> Fifths | None:
    """Share of cells inside the closed interval, in each fifth of the cells from the lowest predicted to the highest.

    Args are those of :func:`measure_predictions`. None for fewer than five cells.
    """
    if len(truth) < 5:
        return None
    inside = ((low <= truth) & (truth <= high))[np.argsort(mean, kind="stable")]
    first, second, third, fourth, fifth = (float(part.mean()) for part in np.array_split(inside, 5))
    return first, second, third, fourth, fifth


def summarise_draws(
    draws: Sequence[Mapping[str, float | None]], measures: Sequence[str] = MEASURES
) -> dict[str, float | None]:
    """Mean over draws under each measure's name, sample standard deviation under ``<name>_sd``.

    Both are None where a draw lacks the measure, the deviation also where there is a single draw.
    """
    found: dict[str, float | None] = {}
    for name in measures:
        column = [value for draw in draws if (value := draw[name]) is not None]
        whole = len(column) == len(draws) > 0
        found[name] = float(np.mean(column)) if whole else None
        found[f"{name}_sd"] = float(np.std(column, ddof=1)) if whole and len(column) > 1 else None
    return found
