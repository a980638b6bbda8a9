"""Cross-validated coverage beside a second way to count it, and on labels whose coverage is known."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, kendalltau

from svge_core.data import Prediction
from svge_core.predictors import FEWEST_LABELS, StructureSurrogate, cross_validated
from svge_core.predictors.cross_validation import PARTS
from svge_core.spaces import get_space
from tests.support.fitting import as_they_come

SPACE = get_space("nasbench201")
CELLS = [SPACE.from_index(int(index)) for index in np.random.default_rng(5).choice(15_625, 100, replace=False)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trees, hyper-parameters as they come, no covariance of wide networks: how good a fit is is not the point."""
    monkeypatch.setattr("svge_core.predictors.surrogate.fit_parameters", as_they_come)
    monkeypatch.setattr("svge_core.predictors.trees._ROUNDS", 4)
    monkeypatch.setattr("svge_core.predictors.surrogate.has_kernel", lambda space: False)


def test_every_label_is_judged_once_by_a_fit_that_has_not_seen_it(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 23
    cells, rng = CELLS[:count], np.random.default_rng(1)
    values = np.array([float(cell.ops.count("nor_conv_3x3")) for cell in cells]) + 0.1 * rng.normal(size=count)
    truth = dict(zip(cells, values.tolist(), strict=True))
    fits: list[set[Any]] = []
    judged: list[tuple[float, float, float, float]] = []
    real_fit, real_predict = StructureSurrogate.fit.__func__, StructureSurrogate.predict  # type: ignore[attr-defined]

    def fit(cls: type[StructureSurrogate], space: Any, given: Any, labels: Any, **options: Any) -> StructureSurrogate:
        assert [truth[cell] for cell in given] == labels.tolist()
        fits.append(set(given))
        return real_fit(cls, space, given, labels, **options)

    def predict(self: StructureSurrogate, given: Any) -> Prediction:
        assert fits[-1] & set(given) == set() and fits[-1] | set(given) == set(cells)
        found = real_predict(self, given)
        judged.extend(zip(map(truth.__getitem__, given), found.mean, found.low, found.high, strict=True))
        return found

    monkeypatch.setattr(StructureSurrogate, "fit", classmethod(fit))
    monkeypatch.setattr(StructureSurrogate, "predict", predict)
    found = cross_validated(SPACE, cells, values, seed=3, level=0.8)
    assert found is not None and found.of == count == len(judged) == len({row[0] for row in judged})
    assert len(fits) == PARTS
    inside = [low <= label <= high for label, _, low, high in judged]
    assert found.coverage == pytest.approx(sum(inside) / count)
    assert found.rmse == pytest.approx(np.sqrt(np.mean([(label - mean) ** 2 for label, mean, _, _ in judged])))
    assert found.mean_width == pytest.approx(np.mean([high - low for _, _, low, high in judged]))
    assert found.kendall_tau == pytest.approx(kendalltau(*np.array(judged).T[:2])[0])
    assert found.coverage_fifths is not None and np.dot(found.coverage_fifths, [5, 5, 5, 4, 4]) == pytest.approx(
        sum(inside)
    )


def test_labels_of_pure_chance_are_covered_as_often_as_is_claimed(quick: None) -> None:
    values = np.random.default_rng(7).normal(size=len(CELLS))
    found = cross_validated(SPACE, CELLS, values, seed=0, level=0.9)
    assert found is not None and found.coverage is not None
    # what 999 of 1,000 draws of 100 labels, each covered with a probability of 90 %, stay between
    low, high = binom.ppf([0.0005, 0.9995], len(CELLS), 0.9)
    assert low <= round(found.coverage * len(CELLS)) <= high
    assert abs(found.kendall_tau or 0) < 0.2 and found.rmse == pytest.approx(1, abs=0.2), "there is nothing to learn"


@pytest.mark.parametrize("count", [2, FEWEST_LABELS - 1, FEWEST_LABELS])
def test_too_few_labels_give_nothing_instead_of_an_error(quick: None, count: int) -> None:
    found = cross_validated(SPACE, CELLS[:count], np.arange(float(count)), seed=0, level=0.9)
    assert (found is not None) == (count >= FEWEST_LABELS)


def test_labels_that_are_all_alike_but_one_give_nothing(quick: None) -> None:
    assert cross_validated(SPACE, CELLS[:20], np.eye(20)[0], seed=0, level=0.9) is None
    assert cross_validated(SPACE, CELLS[:20], np.arange(20.0), seed=0, level=0.99) is None, "99 % needs 99 labels"
