"""Densities and interpolated values over a map, against sums over all points."""

import numpy as np
import pytest

from svge_core.atlas.fields import SHARES, density_levels, interpolated_values, point_density
from svge_core.errors import DataError
from tests.support.planes import free_plane


def cloud(seed: int = 0, cells: int = 300) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(cells, 2)) * (3, 1), rng.normal(size=(cells // 3, 2)) * 0.4 + (5, 4)])


def test_density_is_the_sum_of_a_gaussian_on_every_point() -> None:
    plane, bandwidth = free_plane(cloud()), 0.5
    density = point_density(plane, 160, 120, bandwidth)
    grid, (left, right, low, high) = plane.grid(160, 120)
    apart = ((grid[:, :, None, :] - plane.xy[None, None]) ** 2).sum(-1)
    expected = np.exp(-apart / (2 * bandwidth**2)).mean(-1) / (2 * np.pi * bandwidth**2)
    np.testing.assert_allclose(density, expected, atol=0.03 * expected.max())
    area = (right - left) / 159 * (high - low) / 119
    assert density.sum() * area == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("flat", [0, 1])
@pytest.mark.parametrize("spread", [0.0, 1e-6])
def test_points_on_a_line_have_a_density(flat: int, spread: float) -> None:
    rng = np.random.default_rng(3)
    xy = rng.normal(size=(200, 2))
    xy[:, flat] *= spread
    density = point_density(free_plane(xy), 60, 50)
    assert np.isfinite(density).all() and (density >= 0).all() and density.max() > 0
    along = density.mean(axis=1 - flat)  # rows are y, columns x
    grid, _ = free_plane(xy).grid(60, 50)
    places = grid[0, :, 0] if flat else grid[:, 0, 1]
    peak = float(places[along.argmax()])
    near = np.exp(-(((xy[:, 1 - flat] - places[:, None]) / (0.012 * np.ptp(xy[:, 1 - flat]))) ** 2) / 2).sum(1)
    assert peak == pytest.approx(float(places[near.argmax()]), abs=2 * float(places[1] - places[0]))


def test_contours_hold_their_share_of_the_points() -> None:
    plane = free_plane(cloud(1, 3000))
    density = point_density(plane, 200, 150)
    levels = density_levels(plane, density)
    grid, _ = plane.grid(200, 150)
    columns = np.abs(plane.xy[:, :1] - grid[0, :, 0]).argmin(1)
    rows = np.abs(plane.xy[:, 1:] - grid[:, 0, 1]).argmin(1)
    at_points = density[rows, columns]
    for share, level in zip(SHARES, levels, strict=True):
        assert (at_points >= level).mean() == pytest.approx(share, abs=0.02)
    assert list(levels) == sorted(levels)


def test_values_between_cells_are_shepards_average_of_the_nearest_with_a_value() -> None:
    rng = np.random.default_rng(2)
    plane = free_plane(cloud(2, 150))
    values = rng.normal(size=len(plane.xy))
    values[rng.random(len(values)) < 0.3] = np.nan
    found = interpolated_values(plane, values, 40, 30, count=5)
    grid, _ = plane.grid(40, 30)
    known = np.isfinite(values)
    drawn = 0
    for place, value in zip(grid.reshape(-1, 2), found.ravel(), strict=True):
        distances = np.hypot(*(plane.xy[known] - place).T)
        assert np.isnan(value) == (distances.min() > plane.spacing)
        if not np.isnan(value):
            near = np.argsort(distances)[:5]
            assert value == pytest.approx(np.average(values[known][near], weights=distances[near] ** -2.0), abs=1e-5)
            drawn += 1
    assert 20 < drawn < found.size - 20


def test_on_a_cell_stands_its_own_value_and_without_values_nothing() -> None:
    plane = free_plane(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    # a margin of 0.15 on either side: 27 places from -0.15 to 1.15 are 0.05 apart
    found = interpolated_values(plane, np.array([1.0, 2.0, 3.0, 4.0]), 27, 27)
    assert not np.isnan(found).any()
    assert [found[row, column] for row, column in ((3, 3), (3, 23), (23, 3), (23, 23))] == pytest.approx([1, 2, 3, 4])
    assert found[13, 13] == pytest.approx(2.5)
    assert np.isnan(interpolated_values(plane, np.full(4, np.nan), 14, 14)).all()


def test_values_of_other_cells_are_refused() -> None:
    with pytest.raises(DataError, match=r"Expected 4 values, one for each cell of the map; got \(3,\)"):
        interpolated_values(free_plane(np.eye(4, 2)), np.zeros(3), 5, 5)
