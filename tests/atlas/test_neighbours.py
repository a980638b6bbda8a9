"""Nearest neighbours against brute force in float64, and their rules for ties."""

import math

import numpy as np
import pytest
import torch

from svge_core.atlas.neighbours import (
    PointTable,
    nearest_among,
    nearest_known,
    nearest_latents,
    nearest_lengths,
    nearest_rows,
    nearest_spacings,
)
from svge_core.errors import DataError


def all_distances(points: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Every pair by the difference of its coordinates; a point is not its own neighbour."""
    wide = points.astype(np.float64)
    apart = np.sqrt(np.square(wide[:, None] - (wide if others is None else others.astype(np.float64))[None]).sum(-1))
    if others is None:
        np.fill_diagonal(apart, np.inf)
    return apart


@pytest.mark.parametrize("dimensions", [2, 3, 16])
@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_every_way_of_asking_agrees_with_brute_force(rng: np.random.Generator, dimensions: int, shift: float) -> None:
    points = (rng.normal(size=(300, dimensions)) + shift).astype(np.float32)
    apart = all_distances(points)
    order = np.argsort(apart, axis=1)
    lengths = np.take_along_axis(apart, order, axis=1)

    def same(found: np.ndarray, rows: np.ndarray | slice = slice(None)) -> None:
        """The rows themselves; where two are equally far but for rounding, either."""
        count = found.shape[1]
        np.testing.assert_allclose(np.take_along_axis(apart[rows], found, 1), lengths[rows, :count], rtol=1e-3)
        assert (found == order[rows, :count]).mean() > 0.99

    same(nearest_rows(points, 7, seed=4))
    some = np.array([5, 250, 6])
    same(nearest_rows(points, 7, queries=some), some)
    found, measured = nearest_lengths(points, 7, piece=41)
    same(found)
    np.testing.assert_allclose(measured, lengths[:, :7], rtol=1e-3)
    np.testing.assert_allclose(nearest_spacings(points, 300), np.sort(lengths[:, 0]), rtol=1e-3)
    places = points[:20] + np.float32(0.01)
    there = all_distances(places, points)
    nearest = nearest_known(torch.from_numpy(points).double(), torch.from_numpy(places).double(), 4).numpy()
    assert (nearest == np.argsort(there, axis=1)[:, :4]).all()
    squares = np.square(points).sum(1)
    for z, row in zip(places, there, strict=True):
        for known in (None, squares):
            distances, rows = nearest_latents(points, z, 4, known)
            np.testing.assert_allclose(distances, np.sort(row)[:4], rtol=1e-3)
            np.testing.assert_allclose(row[rows], np.sort(row)[:4], rtol=1e-3)


def test_a_table_holds_squared_distances_and_no_point_is_its_own_neighbour(rng: np.random.Generator) -> None:
    points = rng.normal(size=(40, 5)).astype(np.float32) + 9
    table, rows = PointTable.centred(points), torch.tensor([3, 11])
    expected = np.square(all_distances(points))[rows.numpy()]
    np.testing.assert_allclose(table.squared_distances(rows).numpy(), expected, rtol=1e-4)
    short = table.order_table(rows) + table.squares[rows][:, None]
    np.testing.assert_allclose(short.numpy(), expected, rtol=1e-4)
    np.testing.assert_allclose(PointTable.centred_float32(points).points.numpy(), table.points.numpy(), atol=1e-5)
    assert len(table) == 40


def test_small_pieces_give_the_same_neighbours(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    points = rng.normal(size=(60, 3)).astype(np.float32)
    whole = nearest_rows(points, 4)
    monkeypatch.setattr("svge_core.atlas.neighbours.TABLE", 130)
    assert len(PointTable.centred(points).pieces(60)) == 30
    assert (nearest_rows(points, 4) == whole).all()


def test_neighbours_among_some_rows_are_those_of_these_rows_alone(rng: np.random.Generator) -> None:
    points = rng.normal(size=(200, 4)).astype(np.float32)
    rows = np.sort(rng.choice(200, 80, replace=False))
    known = nearest_rows(points, 20)
    assert (np.isin(known[rows], rows).sum(1) < 6).any()  # some must be looked for again
    assert (nearest_among(points, known, rows, 6) == np.argsort(all_distances(points[rows]), axis=1)[:, :6]).all()


def test_ties_are_broken_by_the_seed_and_never_by_the_order_of_rows() -> None:
    points = np.zeros((400, 3), dtype=np.float32)
    near = nearest_rows(points, 10, seed=1)
    assert (near != np.arange(400)[:, None]).all()
    assert (near == nearest_rows(points, 10, seed=1)).all()
    assert (near != nearest_rows(points, 10, seed=2)).any()
    assert abs(near.mean() - 199.5) < 6 * 400 / math.sqrt(12 * 10) / 2  # not the first rows


def test_ties_around_a_place_are_taken_by_row() -> None:
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [5, 5]], dtype=np.float32)
    distances, rows = nearest_latents(corners, np.zeros(2, dtype=np.float32), 4)
    assert (rows.tolist(), distances.tolist()) == ([0, 1, 2, 3], [1.0] * 4)


def test_coinciding_cells_are_no_distance_apart(rng: np.random.Generator) -> None:
    twice = np.repeat(rng.normal(size=(50, 6)).astype(np.float32) + 50, 2, axis=0)
    assert nearest_spacings(twice, 100).max() == 0
    assert len(nearest_spacings(twice, 30)) == 30
    assert nearest_lengths(twice, 1, piece=16)[1].max() == 0


def test_fewer_points_than_asked_for(rng: np.random.Generator) -> None:
    points = rng.normal(size=(3, 2)).astype(np.float32)
    assert len(nearest_latents(points, points[0], 9, np.square(points).sum(1))[0]) == 3
    assert nearest_known(torch.from_numpy(points), torch.zeros(1, 2), 9).shape == (1, 3)
    with pytest.raises(DataError, match="10 neighbours need more than 10 cells; got 10"):
        nearest_rows(np.zeros((10, 2), dtype=np.float32), 10)
