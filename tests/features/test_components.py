"""Main components of structure features, against scikit-learn's PCA."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from svge_core.errors import DataError
from svge_core.features import REFERENCE_CELLS, StructureComponents, feature_scaling, structure_features
from svge_core.spaces import get_space


@pytest.mark.parametrize("name", ["nasbench201", "enas6"])
def test_scores_are_those_of_an_independent_pca_of_each_group(name: str) -> None:
    space, count = get_space(name), 12
    found = StructureComponents.of(space, count)
    rng = np.random.default_rng(0)
    reference = [space.random_cell(rng) for _ in range(REFERENCE_CELLS)]
    scaling = feature_scaling(name)
    groups = scaling.apply(structure_features(space, reference).values)
    oracles = [PCA(min(count, group.shape[1]), svd_solver="full").fit(group) for group in groups]
    variances = [oracle.explained_variance_ * (1 - 1 / len(reference)) for oracle in oracles]
    everything = np.sort(np.concatenate(variances))
    assert sum(found.blocks) == count
    assert found.explained == pytest.approx(
        everything[-count:].sum() / sum(group.var(axis=0).sum() for group in groups)
    )
    rng = np.random.default_rng(9)
    others = [space.random_cell(rng) for _ in range(20)]
    first = [space.equivalents(cell)[0] for cell in others]
    scores, column = found.scores(others), 0
    of_others = scaling.apply(structure_features(space, first).values)
    taken = [int((own >= everything[-count]).sum()) for own in variances]
    assert tuple(number for number in taken if number) == found.blocks
    for oracle, group, number in zip(oracles, of_others, taken, strict=True):
        expected = oracle.transform(group)[:, :number] / np.sqrt(everything[-count:].mean())
        own = scores[:, column : column + number]
        np.testing.assert_allclose(own, expected * np.sign((own * expected).sum(axis=0)), atol=1e-6)
        column += number


def test_scores_have_mean_near_zero_and_variance_near_one_on_average() -> None:
    space = get_space("nasbench201")
    rng = np.random.default_rng(0)
    scores = StructureComponents.of(space, 14).scores([space.random_cell(rng) for _ in range(REFERENCE_CELLS)])
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=0.1)  # not 0: the first notation of each function
    assert scores.var(axis=0).mean() == pytest.approx(1, abs=0.05)
    assert scores.var(axis=0).max() > 2 * scores.var(axis=0).min()  # not whitened


def test_equivalent_cells_have_one_score() -> None:
    space = get_space("nasbench201")
    components = StructureComponents.of(space, 14)
    rng = np.random.default_rng(3)
    several = 0
    for _ in range(40):
        together = space.equivalents(space.random_cell(rng))
        several += len(together) > 1
        scores = components.scores(together)
        np.testing.assert_allclose(scores, np.broadcast_to(scores[0], scores.shape), atol=1e-9)
    assert several > 10


def test_no_cells_give_no_rows() -> None:
    assert StructureComponents.of(get_space("nasbench201"), 5).scores([]).shape == (0, 5)


@pytest.mark.parametrize("count", [0, 500])
def test_impossible_numbers_of_components_are_refused(count: int) -> None:
    with pytest.raises(DataError, match=r"components; expected 1 to \d+, got"):
        StructureComponents.of(get_space("nasbench201"), count)
