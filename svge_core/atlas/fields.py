"""Fields over a map: how dense its points lie, and what a score is likely to be between them."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from svge_core.atlas.projection import NEIGHBOURS, Projection, inverse_square_rows
from svge_core.errors import DataError

#: standard deviation of the kernel, as a share of the diagonal of the points' bounding box
BANDWIDTH = 0.012
#: shares of the points inside a contour, the widest first
SHARES = (0.95, 0.75, 0.5, 0.25)


def point_density(
    plane: Projection, columns: int, rows: int, bandwidth: float | None = None
) -> Float[np.ndarray, "rows columns"]:
    """Kernel density estimate of a map's points at the places of :meth:`Projection.grid`.

    A Gaussian kernel, equally wide along both axes; points are counted at their nearest place of the grid first, so
    the kernel shall be wider than the grid's steps.

    Args:
        plane: the map.
        columns: places along x, at least 2.
        rows: places along y, at least 2.
        bandwidth: the kernel's standard deviation in map units; None for :data:`BANDWIDTH` of the diagonal.

    Returns:
        Points per unit of area, as a share of all points; rows from low to high y.
    """
    _, (left, right, low, high) = plane.grid(columns, rows)
    across, up = max((right - left) / (columns - 1), 1e-12), max((high - low) / (rows - 1), 1e-12)
    if bandwidth is None:
        bandwidth = BANDWIDTH * float(np.hypot(*np.ptp(plane.xy, axis=0)))
    edges = [
        np.linspace(first - step / 2, last + step / 2, count + 1)
        for first, last, step, count in ((low, high, up, rows), (left, right, across, columns))
    ]
    counts, *_ = np.histogram2d(plane.xy[:, 1], plane.xy[:, 0], bins=edges)
    # a map that is flat along an axis has steps of almost nothing there: a kernel as wide as the grid smooths all of it
    sigmas = min(bandwidth / up, rows), min(bandwidth / across, columns)
    smooth = gaussian_filter(counts, sigmas, mode="constant", truncate=4)
    return smooth / (len(plane.xy) * across * up)


def density_levels(
    plane: Projection, density: Float[np.ndarray, "rows columns"], shares: tuple[float, ...] = SHARES
) -> tuple[float, ...]:
    """Densities whose contours hold these shares of the points: highest-density regions (Hyndman 1996).

    Args:
        plane: the map.
        density: of :func:`point_density`.
        shares: between 0 and 1.

    Returns:
        One density for each share, at the places of the grid that are nearest to the points.
    """
    rows, columns = density.shape
    _, (left, right, low, high) = plane.grid(columns, rows)
    column = np.rint((plane.xy[:, 0] - left) / max(right - left, 1e-12) * (columns - 1)).astype(int)
    row = np.rint((plane.xy[:, 1] - low) / max(high - low, 1e-12) * (rows - 1)).astype(int)
    return tuple(float(level) for level in np.quantile(density[row, column], [1 - share for share in shares]))


def interpolated_values(
    plane: Projection, values: Float[np.ndarray, " cells"], columns: int, rows: int, count: int = NEIGHBOURS
) -> Float[np.ndarray, "rows columns"]:
    """A score between the cells: inverse-square-distance weighted average (Shepard 1968) of the nearest with a value.

    Args:
        plane: the map.
        values: one for each cell of the map; what is not finite is not known.
        columns: places along x of :meth:`Projection.grid`.
        rows: places along y.
        count: how many cells an average is taken of.

    Returns:
        The averages in the unit of the values, rows from low to high y; NaN where the nearest cell with a value is
        farther than the map's :attr:`Projection.spacing`, where the map is greyed or too few cells have one.

    Raises:
        DataError: if there is not one value for each cell.
    """
    if np.shape(values) != (len(plane.xy),):
        raise DataError(f"Expected {len(plane.xy):,} values, one for each cell of the map; got {np.shape(values)}.")
    grid, _ = plane.grid(columns, rows)
    found = np.full((rows, columns), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return found
    tree = plane.tree if len(known) == len(plane.xy) else KDTree(plane.xy[known])
    nearest, _ = tree.query(grid.reshape(-1, 2))
    near = nearest <= plane.spacing
    distances, indices = tree.query(grid.reshape(-1, 2)[near], k=min(count, len(known)))
    distances, indices = distances.reshape(near.sum(), -1), indices.reshape(near.sum(), -1)  # flat for one neighbour
    found.ravel()[near] = (inverse_square_rows(distances) * values[known][indices]).sum(axis=1)
    return found
