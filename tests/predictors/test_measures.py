"""Measures of predictions against SciPy, scikit-learn and pandas; what does not exist is None."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import mean_squared_error, r2_score

from svge_core.predictors.measures import MEASURES, measure_predictions, summarise_draws
from tests.support.untyped import statistic

INTERVAL = ("coverage", "width", "median_width")
RANKED = ("kendall_tau", "spearman", "pearson_r")


@pytest.mark.parametrize("digits", [1, 12])  # with ties and without
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_measures_are_those_of_scipy_and_scikit_learn(digits: int, kind: type, rng: np.random.Generator) -> None:
    mean, truth = rng.normal(size=(2, 50)).round(digits).astype(kind)
    high = truth + np.where(np.arange(50) < 40, 1, -0.5).astype(kind)
    row = measure_predictions(mean, truth, truth - 1, high)
    assert tuple(row) == MEASURES
    assert row["kendall_tau"] == pytest.approx(statistic(kendalltau(mean, truth)))
    assert row["spearman"] == pytest.approx(statistic(spearmanr(mean, truth)))
    assert row["pearson_r"] == pytest.approx(np.corrcoef(mean, truth)[0, 1], rel=1e-5)
    assert row["rmse"] == pytest.approx(mean_squared_error(truth, mean) ** 0.5, rel=1e-5)
    assert row["rmse_standardised"] == pytest.approx(math.sqrt(1 - r2_score(truth, mean)), rel=1e-5)
    assert row["coverage"] == pytest.approx(0.8)
    assert row["width"] == pytest.approx(0.8 * 2 + 0.2 * 0.5, rel=1e-5)
    assert row["median_width"] == pytest.approx(2.0, rel=1e-5)


def test_the_ends_belong_to_the_interval() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    row = measure_predictions(truth, truth, truth - np.array([0, 1, 0, 1]), truth + np.array([1, 0, 0, -0.1]))
    assert row["coverage"] == 0.75
    assert row["rmse"] == row["rmse_standardised"] == 0.0


def test_what_does_not_exist_is_none() -> None:
    truth, same = np.array([1.0, 2.0, 4.0, 3.0]), np.full(4, 2.0)
    constant = measure_predictions(same, truth)
    assert all(constant[name] is None for name in (*RANKED, *INTERVAL))
    assert constant["rmse"] == pytest.approx(math.sqrt((1 + 0 + 4 + 1) / 4))
    assert constant["rmse_standardised"] == pytest.approx(math.sqrt(1.5) / np.std([1, 2, 3, 4]))
    flat = measure_predictions(truth, same)
    assert all(flat[name] is None for name in (*RANKED, "rmse_standardised"))
    assert flat["rmse"] == pytest.approx(math.sqrt(1.5))
    none = np.full(4, np.nan)
    for low, high in ((None, None), (truth, None), (none, none), (np.array([0.0, -np.inf, 0, 0]), truth)):
        row = measure_predictions(truth, truth, low, high)
        assert all(row[name] is None for name in INTERVAL)
        assert row["kendall_tau"] == pytest.approx(1.0)
    assert set(measure_predictions(np.zeros(0), np.zeros(0)).values()) == {None}
    single = measure_predictions(np.ones(1), np.zeros(1), np.zeros(1), np.ones(1))
    assert single["kendall_tau"] is None
    assert (single["rmse"], single["coverage"], single["width"]) == (1.0, 1.0, 1.0)


def test_mean_and_spread_over_draws_are_those_of_pandas(rng: np.random.Generator) -> None:
    normal = rng.normal(size=(5, len(MEASURES))).tolist()
    draws: list[Mapping[str, float | None]] = [dict(zip(MEASURES, row, strict=True)) for row in normal]
    found, frame = summarise_draws(draws), pd.DataFrame(draws)
    for name in MEASURES:
        assert found[name] == pytest.approx(frame[name].mean())
        assert found[f"{name}_sd"] == pytest.approx(frame[name].std())
    assert list(summarise_draws(draws, ["rmse"])) == ["rmse", "rmse_sd"]


def test_a_measure_that_a_draw_lacks_is_not_summarised() -> None:
    assert summarise_draws([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": None}], ("a", "b")) == {
        "a": 2.0,
        "a_sd": pytest.approx(math.sqrt(2)),
        "b": None,
        "b_sd": None,
    }
    assert summarise_draws([{"a": 1.0}], ("a",)) == {"a": 1.0, "a_sd": None}
    assert summarise_draws([], ("a",)) == {"a": None, "a_sd": None}
