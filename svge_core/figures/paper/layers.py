"""What lies under and over the points of a map: the surface between them, and contours of their density."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from svge_core.atlas import SHARES, Projection, density_levels, interpolated_values, point_density
from svge_core.errors import DataError
from svge_core.explorer import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: places of the grids: contours as on the page, the surface finer, as print shows its edges
CONTOUR_GRID, SURFACE_GRID = (200, 150), (640, 480)
#: as on the page: half, so that the points stand out
_OPACITY = 0.5
_LINE = "#1f2933"


def check_surface(shown: Column) -> None:
    """Raises DataError: if there is nothing between two values of a column."""
    if shown.categories:
        raise DataError(f"A surface lies between numbers; {shown.name.title!r} has categories. Choose another column.")


def draw_surface(
    axes: "Axes",
    layout: Projection,
    shown: Column,
    scale: str,
    limits: tuple[float, float],
    place: Callable[[Float[np.ndarray, " values"]], Float[np.ndarray, " values"]],
) -> None:
    """The values between the cells, in the colours of the points, below them.

    Args:
        axes: of the map.
        layout: the map.
        shown: the column.
        scale: name of the colours.
        limits: ends of the colours.
        place: of values between these ends.
    """
    values = interpolated_values(layout, shown.values, *SURFACE_GRID)
    known = np.isfinite(values)
    values[known] = place(values[known])
    _, (left, right, low, high) = layout.grid(*SURFACE_GRID)
    # the outer places of the grid lie on its edges, in the middle of their pixels
    across, up = ((right - left) / (SURFACE_GRID[0] - 1) / 2, (high - low) / (SURFACE_GRID[1] - 1) / 2)
    axes.imshow(
        np.ma.masked_invalid(values),
        origin="lower",
        extent=(left - across, right + across, low - up, high + up),
        aspect="auto",
        interpolation="nearest",
        cmap=scale,
        vmin=limits[0],
        vmax=limits[1],
        alpha=_OPACITY,
        zorder=0.5,
        rasterized=True,
    )


def draw_contours(axes: "Axes", layout: Projection) -> None:
    """Lines around the densest places, above the points; the narrower, the thicker."""
    density = point_density(layout, *CONTOUR_GRID)
    levels = np.unique(density_levels(layout, density))
    levels = levels[(levels > density.min()) & (levels < density.max())]
    if not len(levels):  # a map whose points all lie at one place
        return
    columns, rows = CONTOUR_GRID
    _, (left, right, low, high) = layout.grid(columns, rows)
    x, y = np.linspace(left, right, columns), np.linspace(low, high, rows)
    thick = np.linspace(0.4, 0.8, len(levels))
    for colour, more, alpha in (("white", 0.8, 0.55), (_LINE, 0.0, 0.8)):
        axes.contour(x, y, density, levels=levels, colors=colour, linewidths=thick + more, alpha=alpha, zorder=3)


def layer_lines(*, contours: bool, surface: bool) -> list[str]:
    """What the layers are, for the protocol."""
    lines = []
    if surface:
        lines.append(
            "Surface between the points: interpolated on the map, not measured (average of the 8 nearest cells with a "
            "value, weighted by the inverse squared distance)."
        )
    if contours:
        shares = [f"{100 * share:.0f}" for share in sorted(SHARES)]
        lines.append(f"Lines: density contours, which hold {', '.join(shares[:-1])} and {shares[-1]} % of the points.")
    return lines
