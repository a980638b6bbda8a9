"""Alignment of latent and edit distance, on codes where the answer is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from svge_core.evaluation.latent_smoothness import smoothness
from svge_core.spaces.registry import get_space


def genotypes() -> np.ndarray:
    space = get_space("nasbench201")
    return np.array([space.genotype(cell) for _, cell in zip(range(1500), space.enumerate(), strict=False)])


def one_hot(codes: np.ndarray) -> np.ndarray:
    return np.eye(5)[codes].reshape(len(codes), -1)


def test_one_hot_codes_follow_edit_distance_exactly() -> None:
    codes = genotypes()
    result = smoothness(one_hot(codes), codes, pairs=20_000)
    assert result.spearman == pytest.approx(1.0)  # Euclidean distance of one-hot codes is sqrt(2 * edits)


def test_nearest_neighbours_equal_a_full_distance_matrix(rng: np.random.Generator) -> None:
    codes = genotypes()[:300]
    latents = rng.normal(size=(300, 3))
    distances = cdist(latents, latents)
    np.fill_diagonal(distances, np.inf)
    edits = (codes != codes[distances.argmin(1)]).sum(1)
    result = smoothness(latents, codes, pairs=1000)
    assert result.nearest_is_one_edit.count == int((edits == 1).sum())
    assert result.nearest_is_one_edit.of == 300
    assert result.mean_edits_to_nearest == pytest.approx(edits.mean())


def test_random_codes_show_no_alignment(rng: np.random.Generator) -> None:
    codes = genotypes()
    result = smoothness(rng.normal(size=(len(codes), 8)), codes, pairs=50_000)
    assert abs(result.spearman) < 0.03
