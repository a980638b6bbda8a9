"""Maps of latents against scikit-learn and brute force, and the way back from the map."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import linprog
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from svge_core.atlas.neighbours import nearest_latents
from svge_core.atlas.projection import NEIGHBOURS, pca_plane, weighted_latent
from svge_core.errors import SvgeError
from tests.support.planes import free_plane


def random_latents(seed: int = 0, cells: int = 200, latent: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(cells, latent)) * np.linspace(3, 0.3, latent) @ rng.normal(size=(latent, latent))
    return (mixed + rng.normal(size=latent)).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_pca_is_scikit_learns_up_to_signs(seed: int) -> None:
    latents = random_latents(seed)
    plane, reference = pca_plane(latents), PCA(2).fit(latents.astype(np.float64))
    signs = np.sign((plane.components * reference.components_).sum(1))
    np.testing.assert_allclose(plane.components, signs[:, None] * reference.components_, atol=1e-5)
    np.testing.assert_allclose(plane.xy, signs * reference.transform(latents), atol=1e-4)
    np.testing.assert_allclose(plane.mean, reference.mean_, atol=1e-5)
    np.testing.assert_allclose(plane.explained, reference.explained_variance_ratio_, atol=1e-6)
    assert (plane.components[np.arange(2), np.abs(plane.components).argmax(1)] > 0).all(), "signs are fixed"
    assert f"{100 * reference.explained_variance_ratio_[0]:.1f} %" in plane.note


@given(x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_an_inverted_pca_position_projects_back_onto_the_click(x: float, y: float) -> None:
    latents = random_latents()
    plane = pca_plane(latents)
    latent = plane.to_latent((x, y), latents)
    np.testing.assert_allclose((latent - plane.mean) @ plane.components.T, (x, y), atol=1e-3)


def test_a_drawn_pca_point_inverts_to_its_own_latent() -> None:
    latents = random_latents()
    plane = pca_plane(latents)
    for row in range(len(latents)):
        x, y = plane.xy[row].tolist()
        np.testing.assert_allclose(plane.to_latent((x, y), latents), latents[row], atol=1e-4)


def test_a_latent_on_the_plane_comes_back() -> None:
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    latents = (rng.normal(size=(50, 2)) * (3, 1) @ axes + 1).astype(np.float32)
    plane = pca_plane(latents)
    for row in range(50):
        x, y = plane.xy[row].tolist()
        np.testing.assert_allclose(plane.to_latent((x, y), latents), latents[row], atol=1e-4)


def test_a_map_needs_three_cells() -> None:
    with pytest.raises(SvgeError, match="at least 3 cells; got 2"):
        pca_plane(random_latents()[:2])


def test_a_known_point_has_its_own_latent() -> None:
    latents = random_latents()
    plane = free_plane(np.random.default_rng(2).normal(size=(200, 2)))
    for row in range(0, 200, 17):
        x, y = plane.xy[row].tolist()
        np.testing.assert_array_equal(plane.to_latent((x, y), latents), latents[row])


@settings(max_examples=25)
@given(x=st.floats(-5, 5), y=st.floats(-5, 5))
def test_a_position_between_points_is_a_weighted_mean_of_its_neighbours(x: float, y: float) -> None:
    latents = random_latents()
    plane = free_plane(np.random.default_rng(2).normal(size=(200, 2)))
    found = plane.to_latent((x, y), latents)
    distances = np.hypot(*(plane.xy.astype(np.float64) - (x, y)).T)
    near = np.argsort(distances)[:NEIGHBOURS]
    if distances[near[0]] > 1e-6:
        weights = distances[near] ** -2.0
        np.testing.assert_allclose(found, weights @ latents[near] / weights.sum(), rtol=1e-3, atol=1e-3)
    hull = linprog(
        np.zeros(NEIGHBOURS),
        A_ub=np.vstack([latents[near].T, -latents[near].T]),
        b_ub=np.concatenate([found + 1e-3, -found + 1e-3]),
        A_eq=np.ones((1, NEIGHBOURS)),
        b_eq=[1.0],
    )
    assert hull.success, "inside the convex hull of the neighbours"


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e8, 1e150])
def test_weights_neither_overflow_nor_vanish(scale: float) -> None:
    latents = np.array([[0.0], [1.0]], dtype=np.float32)
    assert weighted_latent(np.array([1.0, 2.0]) * scale, latents) == pytest.approx(0.2)


def test_moving_towards_a_point_approaches_its_latent() -> None:
    latents = random_latents()
    plane = free_plane(np.random.default_rng(2).normal(size=(200, 2)))
    x, y = plane.xy[7].tolist()
    gaps = [np.abs(plane.to_latent((x + step, y), latents) - latents[7]).max() for step in (1e-1, 1e-2, 1e-3, 1e-4)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-3


@pytest.mark.parametrize("count", [1, 6, 200, 500])
def test_nearest_latents_are_scikit_learns(count: int) -> None:
    latents, z = random_latents(), random_latents(9)[0]
    distances, indices = nearest_latents(latents, z, count)
    reference = NearestNeighbors(n_neighbors=min(count, 200), algorithm="brute").fit(latents).kneighbors(z[None])
    np.testing.assert_allclose(distances, reference[0][0], rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(latents[indices] - z, axis=1), distances, rtol=1e-5)
    assert len(set(indices.tolist())) == min(count, 200)
    assert (np.diff(distances) >= 0).all()


def test_map_neighbours_are_brute_force() -> None:
    plane = free_plane(np.random.default_rng(2).normal(size=(30, 2)))
    distances, indices = plane.neighbours((0.3, -0.1), 5)
    expected = np.hypot(*(plane.xy - np.array((0.3, -0.1), dtype=np.float32)).T)
    assert indices.tolist() == np.argsort(expected)[:5].tolist()
    np.testing.assert_allclose(distances, np.sort(expected)[:5], rtol=1e-5)
    assert len(plane.neighbours((0.0, 0.0), 99)[0]) == 30
    assert plane.neighbours((0.0, 0.0), 1)[1].shape == (1,)


def test_sparseness_is_white_at_points_and_grey_far_away() -> None:
    line = np.stack([np.arange(20.0), np.zeros(20)], axis=1)
    plane = free_plane(np.concatenate([line, [[0.0, 40.0]]]))
    assert plane.spacing == pytest.approx(1.0)
    grid, (left, right, low, high) = plane.sparseness(50, 41)
    assert grid.shape == (41, 50)
    assert (left, right, low, high) == pytest.approx((-2.85, 21.85, -6.0, 46.0))
    assert 0 <= grid.min() < grid.max() == 1
    rows, columns = np.linspace(low, high, 41), np.linspace(left, right, 50)
    for row in range(0, 41, 5):
        for column in range(0, 50, 7):
            distance = np.hypot(*(plane.xy - (columns[column], rows[row])).T).min()
            assert grid[row, column] == pytest.approx(np.clip((distance / plane.spacing - 1) / 2, 0, 1), abs=1e-4)
