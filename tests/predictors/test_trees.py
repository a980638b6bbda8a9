"""Boosted trees kept as arrays against scikit-learn, and a model's latents as features of the surrogate."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from svge_core.cells.cell import Cell
from svge_core.errors import CheckpointError
from svge_core.predictors.surrogate import StructureSurrogate
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.predictors.trees import MANY_LABELS, TreeEnsemble, grow_trees
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")


@pytest.mark.parametrize(("rows", "settings"), [(60, (3, 150, 3, 0.06)), (MANY_LABELS, (1, 600, 6, 0.03))])
def test_the_arrays_predict_what_scikit_learn_predicts(rows: int, settings: tuple[int, int, int, float]) -> None:
    rng = np.random.default_rng(0)
    features = rng.integers(0, 4, size=(rows, 12)) / 3.0  # ties with thresholds are where rounding would show
    targets = np.round(np.sin(features @ rng.standard_normal(12)) + 0.1 * rng.standard_normal(rows), 5)
    found = TreeEnsemble.fit(features, targets, seed=7)
    ensembles, rounds, depth, rate = settings
    models = [
        GradientBoostingRegressor(
            n_estimators=rounds,
            max_depth=depth,
            learning_rate=rate,
            subsample=0.6,
            max_features=0.2,
            random_state=7 * 3 + number,
        ).fit(features, targets)
        for number in range(ensembles)
    ]
    assert len(found.left) == ensembles * rounds
    others = np.concatenate([features, rng.uniform(-1, 2, size=(400, 12))])
    expected = np.mean([model.predict(others) for model in models], axis=0)
    np.testing.assert_allclose(found.predict(others), expected, atol=1e-5)
    np.testing.assert_allclose(found.predict(others[:1]), expected[:1], atol=1e-5)
    assert found.predict(others[:0]).shape == (0,)


def hidden(cells: Sequence[Cell]) -> np.ndarray:
    """A stand-in for a model: codes that know a thing the structure features do not."""
    return np.array([[hash_of(cell), SPACE.index(cell) % 7] for cell in cells], dtype=np.float64)


def hash_of(cell: Cell) -> float:
    return float(np.sin(1.7 * SPACE.index(cell)))


def test_latents_join_from_a_thousand_labels_on_and_are_asked_for_on_reading(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cells = [SPACE.from_index(int(i)) for i in rng.permutation(SPACE.size or 0)[: MANY_LABELS + 300]]
    values = np.array([70 + 5 * hash_of(cell) for cell in cells])
    few = StructureSurrogate.fit(SPACE, cells[:50], values[:50], seed=0, encode=hidden)
    assert few.latent is None
    with_latents = StructureSurrogate.fit(SPACE, cells[:MANY_LABELS], values[:MANY_LABELS], seed=0, encode=hidden)
    errors = np.abs(with_latents.predict(cells[MANY_LABELS:]).mean - values[MANY_LABELS:])
    assert np.median(errors) < 0.5, "what only the latents know is learned"
    path = tmp_path / "s.npz"
    save_surrogate(with_latents, path)
    with pytest.raises(CheckpointError, match="beside that model only"):
        load_surrogate(path)
    again = load_surrogate(path, hidden).predict(cells)
    before = with_latents.predict(cells)
    np.testing.assert_allclose(again.mean, before.mean, rtol=1e-9)
    np.testing.assert_allclose(again.low, before.low, rtol=1e-9)


def test_the_share_of_the_trees_is_that_of_least_squared_error() -> None:
    from svge_core.predictors.surrogate import best_share

    rng = np.random.default_rng(2)
    truth = rng.standard_normal(300)
    for noise_smooth, noise_stepped in ((0.3, 0.3), (0.1, 0.6), (0.6, 0.1), (0.0, 1.0), (1.0, 0.0)):
        smooth = truth + noise_smooth * rng.standard_normal(300)
        stepped = truth + noise_stepped * rng.standard_normal(300)
        grid = np.linspace(0, 1, 11)
        errors = [((truth - (1 - w) * smooth - w * stepped) ** 2).sum() for w in grid]
        assert best_share(smooth, stepped, truth) == pytest.approx(grid[int(np.argmin(errors))])
    assert best_share(truth, truth, truth) == 0.0


def test_rows_checked_once_grow_the_trees_that_scikit_learn_grows_by_itself(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(60, 5)), rng.normal(size=60)
    settings = {"n_estimators": 20, "subsample": 0.6, "max_features": 0.4, "random_state": 3}
    alone = GradientBoostingRegressor(**settings).fit(x, y)
    ours = grow_trees(GradientBoostingRegressor(**settings), x, y)
    np.testing.assert_array_equal(ours.predict(x), alone.predict(x))
    with pytest.raises(ValueError, match="NaN"):
        grow_trees(GradientBoostingRegressor(**settings), np.where(x > 2, np.nan, x), y)
    with pytest.raises(ValueError, match="infinity"):
        grow_trees(GradientBoostingRegressor(**settings), x, np.where(y > 1, np.inf, y))
