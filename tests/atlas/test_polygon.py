"""Points in a polygon, against a brute-force ray walk in exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.atlas.polygon import select_in_polygon

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]
coordinate = st.integers(-6, 6)
corner_lists = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9)
point_lists = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=30)


def exact_inside(x: int, y: int, polygon: list[tuple[int, int]]) -> bool:
    """One point, one edge at a time, in fractions: slow, and nothing to round."""
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y0 <= y) == (y1 <= y):
            continue
        if x < x0 + Fraction((y - y0) * (x1 - x0), y1 - y0):
            inside = not inside
    return inside


def exact_on_outline(x: int, y: int, polygon: list[tuple[int, int]]) -> bool:
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        straight = (x1 - x0) * (y - y0) == (y1 - y0) * (x - x0)
        if straight and min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
            return True
    return False


@given(corner_lists, point_lists)
@settings(max_examples=300, deadline=None)
def test_agrees_with_exact_arithmetic_off_the_outline(corners, points):
    got = set(select_in_polygon(points, corners).tolist())
    for i, (x, y) in enumerate(points):
        if not exact_on_outline(x, y, corners):
            assert (i in got) == exact_inside(x, y, corners), (x, y)


@given(corner_lists, point_lists, st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_start_corner_does_not_matter(corners, points, turn):
    turn %= len(corners)
    turned = corners[turn:] + corners[:turn]
    np.testing.assert_array_equal(select_in_polygon(points, corners), select_in_polygon(points, turned))


def test_polygons_sharing_an_edge_split_the_points_on_it():
    grid = [[x, y] for x in range(9) for y in range(5)]
    left = select_in_polygon(grid, SQUARE)
    right = select_in_polygon(grid, [[4, 0], [8, 0], [8, 4], [4, 4]])
    both = select_in_polygon(grid, [[0, 0], [8, 0], [8, 4], [0, 4]])
    assert not set(left) & set(right)
    assert sorted([*left, *right]) == both.tolist()


def test_concave_and_self_crossing():
    notch = [[0, 0], [6, 0], [6, 6], [3, 1], [0, 6]]
    assert select_in_polygon([[3, 4], [1, 2], [5, 2]], notch).tolist() == [1, 2]
    star = [[0, -5], [3, 4], [-5, -2], [5, -2], [-3, 4]]  # even-odd: the middle of a pentagram is outside
    assert select_in_polygon([[0, 0], [0, -3]], star).tolist() == [1]


@pytest.mark.parametrize("polygon", [[], [[0, 0]], [[0, 0], [4, 4]]])
def test_fewer_than_three_corners_enclose_nothing(polygon):
    assert select_in_polygon([[0, 0], [2, 2]], polygon).size == 0


def test_no_points_and_not_a_number():
    assert select_in_polygon(np.empty((0, 2)), SQUARE).size == 0
    assert select_in_polygon([[np.nan, 1], [1, np.nan], [1, 1]], SQUARE).tolist() == [2]


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match=r"points: expected two columns.*\(2, 3\)"):
        select_in_polygon(np.zeros((2, 3)), SQUARE)
    with pytest.raises(ValueError, match="polygon: every corner"):
        select_in_polygon([[0, 0]], [[0, 0], [1, 0], [1, np.inf]])


def test_many_points_in_a_round_lasso():
    points = np.random.default_rng(0).normal(size=(100_000, 2)).astype(np.float32)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    chosen = select_in_polygon(points, circle)
    radius = np.hypot(*points.T)
    assert set(np.flatnonzero(radius < np.cos(np.pi / 200))) <= set(chosen) <= set(np.flatnonzero(radius < 1))
    assert (np.diff(chosen) > 0).all()
