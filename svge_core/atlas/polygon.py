"""Plane geometry for the map: which points does a drawn polygon enclose? NumPy only."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def select_in_polygon(xy: ArrayLike, polygon: ArrayLike) -> NDArray[np.int64]:
    """Indices, ascending, of the points inside a polygon, by the even-odd rule.

    The polygon is closed by itself (its last corner joins its first) and may cross itself: a point is inside
    where a ray from it crosses the outline an odd number of times. Edges are half open, so of two polygons that
    share an edge exactly one holds a point on that edge: none is counted twice and none is lost. A point with a
    coordinate that is not a number is never inside.

    Args:
        xy: (n, 2) points.
        polygon: (k, 2) corners in drawing order. Fewer than three enclose nothing.

    Returns:
        Row numbers of the enclosed points.

    Raises:
        ValueError: if an array is not two columns wide or a corner is not finite.
    """
    points, corners = _two_columns(xy, "points"), _two_columns(polygon, "polygon")
    if not np.isfinite(corners).all():
        raise ValueError("polygon: every corner must be a finite number")
    if len(corners) < 3 or not len(points):
        return np.empty(0, dtype=np.int64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    # In order of height each edge meets one contiguous run of points, so an edge costs what it spans and not n.
    near = near[np.argsort(points[near, 1])]
    x, y = points[near].T
    inside = np.zeros(len(near), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue  # a horizontal edge spans no height: half-open edges leave it to its neighbours
        # One direction whichever way the edge is drawn, so that a shared edge rounds the same for both owners.
        (xa, ya), (xb, yb) = ((x0, y0), (x1, y1)) if y0 < y1 else ((x1, y1), (x0, y0))
        run = slice(*np.searchsorted(y, (ya, yb), side="left"))
        inside[run] ^= x[run] < xa + (y[run] - ya) * ((xb - xa) / (yb - ya))
    return np.sort(near[inside])


def _two_columns(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: expected two columns (x, y), got an array of shape {array.shape}")
    return array
