"""Intervals that depend on the prediction: against a slow definition, closed forms, and data with known noise."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from svge_core.cells import Cell
from svge_core.errors import CheckpointError, DataError
from svge_core.features.structure import structure_features
from svge_core.predictors.calibration import EFFECTIVE, conformal_factor, local_factors
from svge_core.predictors.measures import coverage_by_fifth
from svge_core.predictors.surrogate import StructureSurrogate
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.spaces.registry import get_space
from tests.support.untyped import there

SPACE = get_space("nasbench201")


def heteroscedastic(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and absolute scores whose scale triples from the lowest prediction to the highest."""
    predicted = rng.uniform(-1, 1, count)
    return predicted, np.abs(rng.standard_normal(count)) * (2 + predicted)


def labelled(seed: int, count: int) -> tuple[list[Cell], np.ndarray]:
    """Cells of a smooth score whose noise grows fourfold with it."""
    rng = np.random.default_rng(seed)
    cells = [SPACE.from_index(int(i)) for i in rng.choice(SPACE.size or 0, size=count, replace=False)]
    table = structure_features(SPACE, cells)
    column = {name: table.values[:, i] for i, name in enumerate(table.names)}
    truth = 60 + 3 * column["nodes: live nor_conv_3x3"] + 5 * np.tanh(column["paths: number of live paths"] - 1)
    rank = truth.argsort().argsort() / count
    return cells, truth + (0.4 + 1.2 * rank) * rng.standard_normal(count)


def slow_factor(scores: np.ndarray, predicted: np.ndarray, level: float, rank: float) -> float:
    """The factor at one rank, by its definition, one label after another."""
    count, width = len(scores), 0.1
    ranks = [(np.sum(predicted < p) + np.sum(predicted == p) / 2) / count for p in predicted]
    while True:
        weights = [math.exp(-((r - rank) ** 2) / (2 * width**2)) for r in ranks]
        effective = sum(weights) ** 2 / sum(w * w for w in weights)
        if effective >= max(EFFECTIVE, 3 / (1 - level)):
            break
        width *= 1.1
    total = sum(weights) * (1 + 1 / effective)
    reached = 0.0
    for score, weight in sorted(zip(scores.tolist(), weights, strict=True)):
        reached += weight
        if reached >= level * total - 1e-9 * total:
            return score
    return max(scores)


@pytest.mark.parametrize(("count", "level"), [(45, 0.9), (300, 0.9), (300, 0.5), (300, 0.95)])
def test_factors_are_those_of_the_definition(count: int, level: float, rng: np.random.Generator) -> None:
    predicted, scores = heteroscedastic(rng, count)
    predicted = np.round(predicted, 1)  # equal predictions share a rank
    grid = np.linspace(0, 1, 41)
    values = np.unique(predicted)
    middle = np.array([(np.sum(predicted < v) + np.sum(predicted == v) / 2) / count for v in values])
    wanted = np.interp(middle, grid, [slow_factor(scores, predicted, level, rank) for rank in grid])
    np.testing.assert_allclose(local_factors(scores, predicted, level, values), wanted, rtol=1e-12)


def test_up_to_thirty_labels_share_the_single_factor(rng: np.random.Generator) -> None:
    predicted, scores = heteroscedastic(rng, EFFECTIVE)
    found = local_factors(scores, predicted, 0.9, np.linspace(-2, 2, 9))
    assert (found == conformal_factor(scores, 0.9)).all()
    with pytest.raises(DataError, match="between 0 and 1"):
        local_factors(scores, predicted, 1.0, predicted)


def test_only_the_order_of_predictions_counts(rng: np.random.Generator) -> None:
    predicted, scores = heteroscedastic(rng, 200)
    found = local_factors(scores, predicted, 0.9, predicted)
    np.testing.assert_allclose(local_factors(scores, np.exp(5 * predicted), 0.9, np.exp(5 * predicted)), found)
    order = rng.permutation(200)
    np.testing.assert_allclose(local_factors(scores[order], predicted[order], 0.9, predicted), found)
    assert local_factors(scores, predicted, 0.9, np.array([-9.0, 9.0])).tolist() == [
        local_factors(scores, predicted, 0.9, predicted.min(keepdims=True))[0],
        local_factors(scores, predicted, 0.9, predicted.max(keepdims=True))[0],
    ]


@pytest.mark.parametrize(("count", "tolerance"), [(150, 0.035), (800, 0.03)])
def test_every_fifth_is_covered_where_one_factor_is_not_enough(
    count: int, tolerance: float, rng: np.random.Generator
) -> None:
    # exact coverage at a prediction p of scale s(p) is 2 Phi(factor / s) - 1: no held-out sample, no noise of one
    grid = np.linspace(-1, 1, 201)
    local, single = [], []
    for _ in range(60):
        predicted, scores = heteroscedastic(rng, count)
        local.append(2 * norm.cdf(local_factors(scores, predicted, 0.9, grid) / (2 + grid)) - 1)
        single.append(2 * norm.cdf(conformal_factor(scores, 0.9) / (2 + grid)) - 1)
    fifths = [part.mean() for part in np.array_split(np.mean(local, axis=0), 5)]
    assert np.abs(np.array(fifths) - 0.9).max() < tolerance
    plain = [part.mean() for part in np.array_split(np.mean(single, axis=0), 5)]
    assert plain[0] > 0.97
    assert plain[4] < 0.82


def test_coverage_by_fifth_goes_from_the_lowest_predicted_to_the_highest() -> None:
    mean = np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 5, 0])
    truth = mean + np.where(mean >= 8, 2.0, 0.0)
    assert coverage_by_fifth(mean, truth, mean - 1, mean + 1) == (1.0, 1.0, 1.0, 1.0, 0.0)


def test_the_surrogate_covers_every_fifth_of_its_predictions() -> None:
    local, single = [], []
    for seed in range(6):
        cells, values = labelled(seed, 1_700)
        surrogate = StructureSurrogate.fit(SPACE, cells[:200], values[:200], seed=seed)
        found, plain = (s.predict(cells[200:]) for s in (surrogate, replace(surrogate, predicted=None)))
        assert np.array_equal(found.mean, plain.mean), "the calibration moves no prediction"
        assert np.array_equal(there(found.std), there(plain.std))
        assert ((found.low <= found.mean) & (found.mean <= found.high)).all()
        local.append(coverage_by_fifth(found.mean, values[200:], found.low, found.high))
        single.append(coverage_by_fifth(plain.mean, values[200:], plain.low, plain.high))
    fifths, plain = np.mean(local, axis=0), np.mean(single, axis=0)
    assert np.abs(fifths - 0.9).max() < 0.04
    assert np.abs(plain - 0.9).max() > 0.06, "one factor is not enough here"


def test_files_of_before_open_and_keep_their_interval(tmp_path: Path) -> None:
    cells, values = labelled(1, 60)
    fitted = StructureSurrogate.fit(SPACE, cells[:50], values[:50], seed=1, kernel=False)
    with_kernel = StructureSurrogate.fit(SPACE, cells[:50], values[:50], seed=1)
    before = replace(fitted, predicted=None)
    files = {"old": (2, before), "new": (3, fitted), "kernel": (4, with_kernel)}
    for name, (version, kept) in files.items():
        save_surrogate(kept, tmp_path / f"{name}.npz")
        with np.load(tmp_path / f"{name}.npz") as archive:
            assert json.loads(str(archive["meta"]))["version"] == version
            assert ("predicted" in archive.files) == (version > 2)
            assert ("kernel_directions" in archive.files) == (version > 3)
        loaded, wanted = load_surrogate(tmp_path / f"{name}.npz").predict(cells[50:]), kept.predict(cells[50:])
        np.testing.assert_allclose(loaded.low, wanted.low, rtol=1e-9)
        np.testing.assert_allclose(loaded.high, wanted.high, rtol=1e-9)
    assert not np.allclose(before.predict(cells).low, fitted.predict(cells).low)
    with np.load(tmp_path / "new.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(tmp_path / "none.npz", allow_pickle=False, **{n: a for n, a in arrays.items() if n != "predicted"})
    with pytest.raises(CheckpointError, match="expected the array 'predicted' from version 3 on"):
        load_surrogate(tmp_path / "none.npz")
    np.savez(tmp_path / "short.npz", allow_pickle=False, **(arrays | {"predicted": arrays["predicted"][1:]}))
    with pytest.raises(CheckpointError, match=r"the array 'predicted' has shape \(49,\), expected \(50,\)"):
        load_surrogate(tmp_path / "short.npz")
    with np.load(tmp_path / "kernel.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(tmp_path / "less.npz", allow_pickle=False, **{n: a for n, a in arrays.items() if n != "kernel_centre"})
    with pytest.raises(CheckpointError, match="expected the array 'kernel_centre' from version 4 on"):
        load_surrogate(tmp_path / "less.npz")
    np.savez(tmp_path / "few.npz", allow_pickle=False, **(arrays | {"kernel_centre": arrays["kernel_centre"][1:]}))
    with pytest.raises(CheckpointError, match=r"the array 'kernel_centre' has shape \(665,\), expected \(666,\)"):
        load_surrogate(tmp_path / "few.npz")


def test_an_old_surrogate_gets_the_interval_of_a_new_one() -> None:
    cells, values = labelled(2, 80)
    fitted = StructureSurrogate.fit(SPACE, cells[:50], values[:50], seed=2)
    again = replace(fitted, predicted=None).recalibrated()
    for name in ("mean", "low", "high"):
        assert np.array_equal(getattr(again.predict(cells), name), getattr(fitted.predict(cells), name))
    with pytest.raises(DataError, match="folds cannot be fitted again"):
        replace(fitted, scores=fitted.scores[::-1]).recalibrated()
