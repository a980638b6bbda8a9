"""Latents <-> map plane. PCA is inverted along its axes and by neighbours across them, UMAP by neighbours alone.

``UMAP.inverse_transform`` is never used: it takes seconds per point. A position between known points becomes the
inverse-square-distance weighted average of its nearest neighbours' latents (Shepard 1968); at a known point it is that
point's own latent.
"""

import hashlib
import io
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from svge_core.errors import SvgeError
from svge_core.threads import Tell, computed_once, counting

PlaneName = Literal["umap", "pca"]
NEIGHBOURS = 8
#: UMAP's neighbours and minimal distance up to so many cells; more neighbours than the last would take hours
UMAP_SETTINGS = ((50_000, 100, 0.8), (1_000_000, 20, 0.3))
#: spacings from the nearest drawn cell at which a map is fully grey; grey begins at one
FULLY_GREY = 3.0


@dataclass(frozen=True)
class Projection:
    """A 2-D map of known latents.

    Attributes:
        name: "umap" or "pca".
        xy: (cells, 2) coordinates.
        note: how it was made, one line.
        components, mean: (2, latent), (latent,) of the linear map; empty for UMAP.
        explained: share of the latents' variance on each axis; empty for UMAP.
    """

    name: PlaneName
    xy: Float[np.ndarray, "cells plane"]
    note: str
    components: Float[np.ndarray, "axes latent"]
    mean: Float[np.ndarray, " latent_or_none"]
    explained: Float[np.ndarray, " axes"]

    @computed_once
    def digest(self) -> str:
        """Identity of the layout: 16 hex digits."""
        return hashlib.blake2b(np.ascontiguousarray(self.xy).tobytes(), digest_size=8).hexdigest()

    @computed_once
    def tree(self) -> KDTree:
        """Nearest-neighbour index over the map."""
        return KDTree(self.xy)

    @computed_once
    def spacing(self) -> float:
        """95th percentile of the distance from a known point to its nearest other point on the map."""
        distances, _ = self.tree.query(self.xy, k=2)
        return float(np.percentile(distances[:, 1], 95))

    def neighbours(self, point: tuple[float, float], count: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
        """Distances and indices of the nearest known points on the map."""
        distances, indices = self.tree.query(np.asarray(point, dtype=float), k=min(count, len(self.xy)))
        return np.atleast_1d(distances), np.atleast_1d(indices)

    def to_latent(
        self, point: tuple[float, float], latents: Float[np.ndarray, "cells latent"]
    ) -> Float[np.ndarray, " latent"]:
        """Latent of a position on the map."""
        distances, indices = self.neighbours(point)
        if self.name == "umap":
            return weighted_latent(distances, latents[indices])
        # two axes of many: what they leave out comes from the neighbours, so that the result lies among known cells;
        # it is orthogonal to the axes, so the result still projects onto the clicked point
        left_out = latents[indices] - self._from_axes(self.xy[indices])
        return self._from_axes(np.asarray(point, dtype=np.float32)) + weighted_latent(distances, left_out)

    def _from_axes(self, xy: np.ndarray) -> np.ndarray:
        return (self.mean + xy @ self.components).astype(np.float32)

    def grid(
        self, columns: int, rows: int
    ) -> tuple[Float[np.ndarray, "rows columns plane"], tuple[float, float, float, float]]:
        """Evenly spaced places over the map and a margin around it.

        Returns:
            the coordinates, rows from low to high y, and their extent (x low, x high, y low, y high).
        """
        low, high = self.xy.min(0), self.xy.max(0)
        margin = 0.15 * (high - low)
        low, high = low - margin, high + margin
        x, y = np.linspace(low[0], high[0], columns), np.linspace(low[1], high[1], rows)
        return np.stack(np.meshgrid(x, y), axis=-1), (float(low[0]), float(high[0]), float(low[1]), float(high[1]))

    def sparseness(
        self, columns: int, rows: int
    ) -> tuple[Float[np.ndarray, "rows columns"], tuple[float, float, float, float]]:
        """How far each point of a grid is from known points: 0 where populated, 1 from three spacings on.

        Returns:
            the grid, rows from low to high y, and its extent (x low, x high, y low, y high).
        """
        grid, extent = self.grid(columns, rows)
        distances, _ = self.tree.query(grid.reshape(-1, 2))
        scale = max(self.spacing, 1e-12)
        grey = np.clip((distances / scale - 1) / (FULLY_GREY - 1), 0, 1).reshape(rows, columns)
        return grey, extent


def weighted_latent(
    distances: Float[np.ndarray, " neighbours"], latents: Float[np.ndarray, "neighbours latent"]
) -> Float[np.ndarray, " latent"]:
    """Inverse-square-distance weighted average (Shepard 1968); a neighbour at distance 0 is returned as it is."""
    weights = inverse_square(distances)
    return latents[0].astype(np.float32) if weights[0] == 1 else (weights @ latents).astype(np.float32)


def inverse_square(distances: Float[np.ndarray, " neighbours"]) -> Float[np.ndarray, " neighbours"]:
    """Weights of neighbours, nearest first, that add up to 1; one at distance 0 has all."""
    if distances[0] <= 1e-9:
        return np.eye(1, len(distances))[0]
    weights = (distances[0] / distances) ** 2  # scaled by the nearest, so that nothing overflows
    return weights / weights.sum()


def inverse_square_rows(
    distances: Float[np.ndarray, "places neighbours"],
) -> Float[np.ndarray, "places neighbours"]:
    """:func:`inverse_square` of many places at once."""
    nearest = distances[:, :1]
    exact = nearest[:, 0] <= 1e-9
    weights = (nearest / np.maximum(distances, 1e-9)) ** 2
    weights[exact] = np.eye(1, distances.shape[1])[0]
    return weights / weights.sum(axis=1, keepdims=True)


#: a bar that writes nothing but its two numbers, and all of them
EPOCH_LINES = {"disable": False, "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0, "miniters": 1}
_EPOCH = re.compile(r"(\d+)/(\d+)", re.ASCII)


class EpochReader(io.StringIO):
    """What UMAP's bar writes to; UMAP counts its epochs for nobody else."""

    def __init__(self, tell: Tell) -> None:
        """Tell the epochs."""
        super().__init__()
        self._tell = tell

    def write(self, text: str, /) -> int:
        """Read the two numbers out of a line; nothing is kept."""
        if found := _EPOCH.search(text):
            self._tell(int(found[1]), int(found[2]))
        return len(text)


def pca_plane(latents: Float[np.ndarray, "cells latent"], first: int = 0) -> Projection:
    """First two principal components, signs fixed so that the largest loading of each is positive.

    Args:
        latents: of all charted cells.
        first: of the dimensions that count; those before it have no part in the components.
    """
    if len(latents) < 3:
        raise SvgeError(f"A map needs at least 3 cells; got {len(latents)}.")
    data = latents.astype(np.float64)
    mean = data.mean(0)
    centred = data - mean
    centred[:, :first] = 0.0
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(data) - 1))
    components = vectors[:, ::-1][:, :2].T
    signs = np.sign(components[np.arange(2), np.abs(components).argmax(1)])
    components = components * signs[:, None]
    explained = values[::-1][:2] / values.sum()
    what = (
        "the latents' variance"
        if not first
        else f"the variance of the latents' last {latents.shape[1] - first} numbers"
    )
    note = f"PCA: the two axes carry {100 * explained[0]:.1f} % and {100 * explained[1]:.1f} % of {what}"
    xy = (centred @ components.T).astype(np.float32)
    return Projection(
        "pca", xy, note, components.astype(np.float32), mean.astype(np.float32), explained.astype(np.float32)
    )


def umap_plane(
    latents: Float[np.ndarray, "cells latent"],
    *,
    neighbours: int | None = None,
    min_distance: float | None = None,
    first: int = 0,
    seed: int = 1,
) -> Projection:
    """UMAP (McInnes et al. 2018) from a PCA start, on one thread so that a seed gives one map.

    Args:
        latents: of all charted cells.
        neighbours: UMAP's; None for that of :data:`UMAP_SETTINGS`.
        min_distance: UMAP's; None for that of :data:`UMAP_SETTINGS`.
        first: of the dimensions that distances are taken in.
        seed: of the layout.
    """
    usual = next((row for row in UMAP_SETTINGS if len(latents) <= row[0]), UMAP_SETTINGS[-1])
    neighbours = usual[1] if neighbours is None else neighbours
    min_distance = usual[2] if min_distance is None else min_distance
    import umap  # seconds to import: only where a map is built

    start = pca_plane(latents, first).xy
    start = 10 * start / np.abs(start).max()
    with counting("UMAP", "epochs of the layout", 0) as tell:
        reducer = umap.UMAP(
            n_neighbors=neighbours,
            min_dist=min_distance,
            init=start,
            random_state=seed,
            n_jobs=1,
            low_memory=True,
            tqdm_kwds={**EPOCH_LINES, "file": EpochReader(tell)},
        )
        xy = np.asarray(reducer.fit_transform(latents[:, first:]), dtype=np.float32)
    part = f", their last {latents.shape[1] - first} numbers" if first else ""
    note = f"UMAP of the posterior means{part}: {neighbours} neighbours, minimal distance {min_distance}, seed {seed}"
    empty = np.zeros((0, latents.shape[1]), dtype=np.float32)
    return Projection(
        "umap", xy - xy.mean(0), note, empty, np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32)
    )
