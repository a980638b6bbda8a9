"""The surrogate against scikit-learn's Gaussian process, closed forms, and data with known noise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from svge_core.cells.cell import Cell
from svge_core.errors import CheckpointError, DataError
from svge_core.features import feature_scaling
from svge_core.features.structure import structure_features
from svge_core.predictors import surrogate as structure
from svge_core.predictors.calibration import TargetTransform, conformal_factor, fold_numbers
from svge_core.predictors.gaussian_process import (
    JITTER,
    GaussianProcess,
    KernelParameters,
    covariance,
    fit_parameters,
    negative_log_posterior,
    squared_distances,
)
from svge_core.predictors.surrogate import StructureSurrogate
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.spaces.nasbench201 import NASBench201
from svge_core.spaces.registry import get_space
from tests.support.untyped import there

SPACE = get_space("nasbench201")


def parameters(groups: int) -> KernelParameters:
    ramp = np.arange(1.0, groups + 1)
    return KernelParameters(
        signal=np.append(0.4 * ramp, 0.7), length=0.8 * ramp, joint_length=1.5 / ramp, linear=0.2 * ramp, noise=0.05
    )


def sklearn_kernel(p: KernelParameters):
    fixed = "fixed"
    return (
        ConstantKernel(p.signal[0], fixed) * Matern(p.length[0], fixed, nu=2.5)
        + ConstantKernel(p.signal[1], fixed) * Matern(p.joint_length[0], fixed, nu=2.5)
        + ConstantKernel(p.linear[0], fixed) * DotProduct(0.0, fixed)
        + WhiteKernel(p.noise + JITTER, fixed)
    )


def noisy_labels(rng: np.random.Generator, count: int, noise: float) -> tuple[list[Cell], np.ndarray, np.ndarray]:
    """Distinct cells, a smooth function of their structure, and that function with normal noise."""
    rows = rng.choice(SPACE.size or 0, size=count, replace=False)
    cells = [SPACE.from_index(int(i)) for i in rows]
    table = structure_features(SPACE, cells)
    column = {name: table.values[:, i] for i, name in enumerate(table.names)}
    truth = 60.0 + 3.0 * column["nodes: live nor_conv_3x3"] + 5.0 * np.tanh(column["paths: number of live paths"] - 1)
    return cells, truth, truth + noise * rng.standard_normal(count)


@pytest.fixture(scope="module")
def fitted() -> StructureSurrogate:
    cells, _, values = noisy_labels(np.random.default_rng(3), 40, 0.5)
    return StructureSurrogate.fit(SPACE, cells, values, seed=3)


# the Gaussian process


def test_posterior_and_likelihood_equal_scikit_learn(rng: np.random.Generator) -> None:
    x, y, new = rng.standard_normal((25, 3)), rng.standard_normal(25), rng.standard_normal((9, 3))
    p = parameters(1)
    options: Any = {"alpha": 0.0, "optimizer": None}  # None keeps the kernel as it is; the signature names a text alone
    reference: Any = GaussianProcessRegressor(sklearn_kernel(p), **options).fit(x, y)
    expected_mean, expected_std = reference.predict(new, return_std=True)
    mean, std = GaussianProcess(p, [x], y).predict([new])
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-8)
    np.testing.assert_allclose(std, expected_std, rtol=1e-8)

    value, _ = negative_log_posterior(p.to_log(), [squared_distances(x, x)], [x @ x.T], y)
    deviations = (p.to_log() - [0.3, -1.0, -1.0, 0.7, -2.0, -3.0]) / [1.0, 1.5, 1.5, 1.0, 2.0, 1.0]
    likelihood = reference.log_marginal_likelihood_value_ + 0.5 * len(y) * np.log(2 * np.pi)
    assert value == pytest.approx(-likelihood + 0.5 * np.sum(deviations**2), rel=1e-9)


def test_grouped_covariance_equals_sums_of_scikit_learn_kernels(rng: np.random.Generator) -> None:
    left = [rng.standard_normal((6, 2)), rng.standard_normal((6, 4))]
    right = [rng.standard_normal((5, 2)), rng.standard_normal((5, 4))]
    p = parameters(2)
    expected = p.signal[2] * Matern(1.0, nu=2.5)(
        np.hstack([a / s for a, s in zip(left, p.joint_length, strict=True)]),
        np.hstack([b / s for b, s in zip(right, p.joint_length, strict=True)]),
    )
    for g in range(2):
        expected += p.signal[g] * Matern(p.length[g], nu=2.5)(left[g], right[g])
        expected += p.linear[g] * left[g] @ right[g].T
    np.testing.assert_allclose(covariance(p, left, right), expected, rtol=1e-9)


def test_gradient_equals_finite_differences(rng: np.random.Generator) -> None:
    groups = [rng.standard_normal((15, 2)), rng.standard_normal((15, 3))]
    y = rng.standard_normal(15)
    arguments = ([squared_distances(x, x) for x in groups], [x @ x.T for x in groups], y)
    error = check_grad(
        lambda log: negative_log_posterior(log, *arguments)[0],
        lambda log: negative_log_posterior(log, *arguments)[1],
        parameters(2).to_log(),
    )
    assert error < 1e-4


def test_fitted_parameters_are_a_better_maximum(rng: np.random.Generator) -> None:
    x = rng.standard_normal((40, 2))
    y = np.sin(2 * x[:, 0])
    y = (y - y.mean()) / y.std()
    arguments = ([squared_distances(x, x)], [x @ x.T], y)
    best = fit_parameters([x], y).to_log()
    value, gradient = negative_log_posterior(best, *arguments)
    assert value < negative_log_posterior(parameters(1).to_log(), *arguments)[0]
    inside = (best > -5.99) & (best < 3.99)
    assert np.abs(gradient[inside]).max() < 0.05


def test_parameters_survive_the_logarithm() -> None:
    p = parameters(3)
    back = KernelParameters.from_log(p.to_log(), 3)
    for name in ("signal", "length", "joint_length", "linear", "noise"):
        np.testing.assert_allclose(getattr(back, name), getattr(p, name))


# transform and calibration


def test_transform_averages_the_identity_and_scikit_learns_yeo_johnson(rng: np.random.Generator) -> None:
    values = 90.0 - rng.exponential(4.0, 60)
    transform = TargetTransform.fit(values)
    standard = (values - np.median(values)) / values.std()
    power: Any = PowerTransformer("yeo-johnson", standardize=True).fit(standard[:, None])
    assert transform.exponent == pytest.approx(power.lambdas_[0], abs=1e-3)
    expected = power.transform(standard[:, None])[:, 0] / 2 + standard / 2
    expected = (expected - expected.mean()) / expected.std()
    np.testing.assert_allclose(transform.forward(values), expected, atol=1e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["tail above", "tail below"])
def test_transform_is_monotone_and_inverts(sign: float, rng: np.random.Generator) -> None:
    values = sign * rng.exponential(4.0, 80)
    transform = TargetTransform.fit(values)
    grid = np.linspace(transform.low, transform.high, 500)
    assert (np.diff(transform.forward(grid)) > 0).all()
    np.testing.assert_allclose(transform.backward(transform.forward(grid)), grid, atol=2e-3 * values.std())
    assert transform.backward(np.array([-1e9, 1e9])).tolist() == [transform.low, transform.high]


def test_failed_single_runs_neither_set_the_scale_nor_break_the_inverse(rng: np.random.Generator) -> None:
    good = 93.0 - rng.exponential(1.0, 100)
    failed = np.append(good, 9.8)
    plain, robust = TargetTransform.fit(good, single_runs=True), TargetTransform.fit(failed, single_runs=True)
    first, third = np.percentile(failed, [25, 75])
    assert robust.floor == pytest.approx(first - 3 * (third - first))
    assert robust.forward(np.array([9.8])) == robust.forward(np.array([robust.floor]))
    spread = [np.ptp(transform.forward(np.array([90.0, 92.5]))) for transform in (plain, robust)]
    assert spread[1] == pytest.approx(spread[0], rel=0.15), "one failure hardly changes the others"
    inside = np.linspace(robust.floor, failed.max(), 300)
    np.testing.assert_allclose(robust.backward(robust.forward(inside)), inside, atol=2e-3)
    standard = (np.maximum(failed, robust.floor) - robust.centre) / robust.scale
    power: Any = PowerTransformer("yeo-johnson", standardize=True).fit_transform(standard[:, None])
    np.testing.assert_allclose(robust.forward(failed), power[:, 0], atol=2e-3)


def test_transform_of_equal_labels_has_no_effect() -> None:
    transform = TargetTransform.fit(np.full(8, 3.0))
    np.testing.assert_allclose(transform.backward(transform.forward(np.array([2.0, 3.0, 4.0]))), [2.0, 3.0, 4.0])


def test_conformal_factor_is_the_rank_it_claims() -> None:
    scores = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0])
    assert conformal_factor(scores, 0.9) == 9.0  # ceil(10 * 0.9) = 9th of nine
    assert conformal_factor(scores, 0.5) == 5.0
    assert conformal_factor(np.arange(1.0, 100.0), 0.9) == 90.0


def test_conformal_factor_covers_exchangeable_scores(rng: np.random.Generator) -> None:
    # split-conformal theory: expected coverage is ceil((n + 1) level) / (n + 1) exactly
    factors = np.array([conformal_factor(np.abs(rng.standard_normal(19)), 0.9) for _ in range(4000)])
    coverage = np.mean(2 * norm.cdf(factors) - 1)
    assert coverage == pytest.approx(18 / 20, abs=0.005)


def test_folds_are_balanced(rng: np.random.Generator) -> None:
    assert sorted(np.bincount(fold_numbers(23, 5, rng)).tolist()) == [4, 4, 5, 5, 5]


# the surrogate


def test_interval_covers_and_is_as_wide_as_the_noise_asks() -> None:
    noise, coverage, width, error = 1.0, [], [], []
    for draw in range(6):
        cells, truth, values = noisy_labels(np.random.default_rng(draw), 1_060, noise)
        prediction = StructureSurrogate.fit(SPACE, cells[:60], values[:60], seed=draw).predict(cells[60:])
        coverage.append(np.mean((prediction.low <= values[60:]) & (values[60:] <= prediction.high)))
        width.append(np.mean(prediction.high - prediction.low))
        error.append(np.sqrt(np.mean((prediction.mean - truth[60:]) ** 2)) / truth.std())
        assert np.mean(there(prediction.std)) == pytest.approx(width[-1] / 3.29, rel=0.15)
    assert 0.85 < np.mean(coverage) < 0.96
    # a model that knew the truth would need 2 * 1.645 noise
    assert np.mean(width) < 1.6 * 3.29 * noise
    assert np.mean(error) < 0.3


def test_interval_level_is_obeyed() -> None:
    cells, _, values = noisy_labels(np.random.default_rng(1), 500, 1.0)
    wide = StructureSurrogate.fit(SPACE, cells[:100], values[:100], seed=0, level=0.9).predict(cells[100:])
    narrow = StructureSurrogate.fit(SPACE, cells[:100], values[:100], seed=0, level=0.5).predict(cells[100:])
    assert (narrow.level, wide.level) == (0.5, 0.9)
    assert (wide.low < narrow.low).all()
    assert (narrow.high < wide.high).all()
    inside = np.mean((narrow.low <= values[100:]) & (values[100:] <= narrow.high))
    assert 0.35 < inside < 0.65


def test_many_labels_all_count_though_few_fit_the_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    cells, truth, values = noisy_labels(np.random.default_rng(5), 300, 0.3)
    monkeypatch.setattr(structure, "_MAX_FOR_PARAMETERS", 60)
    surrogate = StructureSurrogate.fit(SPACE, cells[:200], values[:200], seed=0)
    assert surrogate.num_labels == len(surrogate.posterior.targets) == 200
    assert np.sqrt(np.mean((surrogate.predict(cells[200:]).mean - truth[200:]) ** 2)) < 0.1 * truth.std()


def test_a_fit_is_repeatable_and_a_prediction_is_ordered(fitted: StructureSurrogate) -> None:
    cells, _, values = noisy_labels(np.random.default_rng(3), 40, 0.5)
    again = StructureSurrogate.fit(SPACE, cells, values, seed=3).predict(cells)
    first = fitted.predict(cells)
    np.testing.assert_array_equal(first.mean, again.mean)
    np.testing.assert_array_equal(first.low, again.low)
    assert ((first.low < first.mean) & (first.mean < first.high)).all()
    backwards = fitted.predict(cells[::-1])
    np.testing.assert_allclose(backwards.mean[::-1], first.mean, rtol=1e-10)


def test_the_unit_does_not_matter(fitted: StructureSurrogate) -> None:
    cells, _, values = noisy_labels(np.random.default_rng(3), 40, 0.5)
    shifted = StructureSurrogate.fit(SPACE, cells, values / 100 - 7, seed=3).predict(cells)
    np.testing.assert_allclose((shifted.mean + 7) * 100, fitted.predict(cells).mean, rtol=1e-4)


def test_no_cells_give_no_predictions(fitted: StructureSurrogate) -> None:
    assert fitted.predict([]).mean.shape == (0,)


def test_scaling_drops_constant_columns_and_balances_groups() -> None:
    scaling = feature_scaling("nasbench201")
    table = structure_features(SPACE, list(SPACE.enumerate()))
    scaled = scaling.apply(table.values)
    assert len(scaled) == 4
    for group in scaled:
        # mean squared distance of two random cells is 2 in every group
        assert 2 * group.var(axis=0).sum() == pytest.approx(2.0, rel=0.1)
    dropped = np.flatnonzero(scaling.scale == 0)
    assert "edges: live input to output" in [table.names[i] for i in dropped]


# bad labels


class Foreign(NASBench201):
    name = "foreign"


@pytest.mark.parametrize(
    ("count", "change", "level", "message"),
    [
        (9, {}, 0.9, "needs at least 10 labelled cells; got 9"),
        (12, {4: np.nan}, 0.9, "1 of 12 are not, the first is nan at position 4"),
        (12, {0: np.inf, 3: -np.inf}, 0.9, "2 of 12 are not, the first is inf at position 0"),
        (12, {}, 0.95, "95% interval needs at least 19 labels; got 12"),
        (12, {}, 1.0, "between 0 and 1"),
    ],
)
def test_bad_labels_are_named(count: int, change: dict[int, float], level: float, message: str) -> None:
    cells, _, values = noisy_labels(np.random.default_rng(0), count, 0.1)
    for position, value in change.items():
        values[position] = value
    with pytest.raises(DataError, match=message):
        StructureSurrogate.fit(SPACE, cells, values, seed=0, level=level)


def test_bad_pairs_are_named() -> None:
    cells, _, values = noisy_labels(np.random.default_rng(0), 12, 0.1)
    with pytest.raises(DataError, match=r"got 12 cells and scores of shape \(11,\)"):
        StructureSurrogate.fit(SPACE, cells, values[:-1], seed=0)
    with pytest.raises(DataError, match="All 12 scores equal 5"):
        StructureSurrogate.fit(SPACE, cells, np.full(12, 5.0), seed=0)
    with pytest.raises(DataError, match="Unknown search space 'foreign': expected one of .*nasbench201"):
        StructureSurrogate.fit(Foreign(), cells, values, seed=0)


# files


def test_round_trip(fitted: StructureSurrogate, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "surrogate.npz"
    save_surrogate(fitted, path)
    loaded = load_surrogate(path)
    cells = [SPACE.from_index(i) for i in range(200)]
    before, after = fitted.predict(cells), loaded.predict(cells)
    for name in ("mean", "std", "low", "high"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-9)
    assert (loaded.level, loaded.seed, loaded.num_labels) == (fitted.level, fitted.seed, fitted.num_labels)
    assert [p.name for p in path.parent.iterdir()] == ["surrogate.npz"]  # no temporary file is left
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)
        dense = sum(archive[name].nbytes for name in archive.files if name.startswith("kernel_"))
        dense += fitted.posterior.features[-1].nbytes  # of the labelled cells: its numbers do not repeat either
    with_kernel = path.stat().st_size
    cells, _, values = noisy_labels(np.random.default_rng(3), 40, 0.5)
    save_surrogate(StructureSurrogate.fit(SPACE, cells, values, seed=3, kernel=False), path)
    with np.load(path, allow_pickle=False) as archive:
        raw = sum(archive[name].nbytes for name in archive.files)
    assert path.stat().st_size < raw / 3
    assert with_kernel < raw / 3 + dense


def test_a_failed_write_leaves_the_old_file(
    fitted: StructureSurrogate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "surrogate.npz"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        save_surrogate(fitted, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "expected the format 'svge-structure-surrogate'"),
        ({"version": 99}, "format version 99; this program reads 2 and 3"),
        ({"space": "mars"}, "belongs to the space 'mars'"),
        ({"features": ["paths: odd"]}, "'features' differs"),
        ({"transform": {}}, "'centre'"),
        ({"level": None}, "damaged"),
    ],
)
def test_foreign_meta_is_named(
    fitted: StructureSurrogate, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "s.npz"
    save_surrogate(fitted, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(str(arrays.pop("meta"))) | change
    np.savez(path, allow_pickle=False, meta=np.array(json.dumps(meta)), **arrays)
    with pytest.raises(CheckpointError, match=message):
        load_surrogate(path)


def test_damaged_files_are_named(fitted: StructureSurrogate, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    with pytest.raises(CheckpointError, match=r"no surrogate file s\.npz"):
        load_surrogate(path)
    save_surrogate(fitted, path)
    whole = path.read_bytes()
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for damaged in (b"", b"not a zip", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="cannot be read as a surrogate file"):
            load_surrogate(path)
    for name, array, message in (
        ("scores", arrays["scores"][:-1], "'scores' has shape"),
        ("features", arrays["features"] * np.nan, "'features' holds values that are not finite"),
        ("log_parameters", np.zeros(3), "'log_parameters' has shape"),
        ("tree_value", arrays["tree_value"][1:], "'tree_value' has shape"),
        ("tree_left", np.zeros_like(arrays["tree_left"]), "trees point outside"),  # a walk that never ends
        ("tree_feature", arrays["tree_feature"] + 500, "trees point outside"),
        ("tree_left", arrays["tree_left"].astype(float), "no table of whole numbers"),
    ):
        np.savez(path, allow_pickle=False, **(arrays | {name: array}))
        with pytest.raises(CheckpointError, match=message):
            load_surrogate(path)
    arrays.pop("values")
    np.savez(path, allow_pickle=False, **arrays)
    with pytest.raises(CheckpointError, match="expected the array 'values'"):
        load_surrogate(path)
