"""Exact nearest neighbours by comparing all pairs, in pieces of bounded memory: the one place that looks for them.

Squares are compared as |a|^2 + |b|^2 - 2ab, one matrix product a piece, about the mean of the points: lengths near 0
keep the digits that differences of squares would lose. What is handed on as a distance is computed from the
difference. Three rules for ties, each said where it holds: by a seeded shuffle where many points coincide and their
order means something (:func:`nearest_rows`), by row (:func:`nearest_latents`), else as PyTorch leaves them.

Maps of two dimensions and the whole-space smoothness keep SciPy's trees: they ask in 2-D, or in float64.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.errors import DataError
from svge_core.threads import counting

#: fields of a distance table held at one time: 16 MB of float32
TABLE = 4_000_000
#: what is counted while it is looked for many neighbours
COUNTED = ("Nearest neighbours", "cells compared with all others")
#: nearest points that are compared exactly beyond those asked for, because of rounding
_SPARE = 24


class PointTable:
    """Points about their mean, ready to be compared with each other.

    Attributes:
        points: float32 (points, dimensions).
        squares: their squared lengths (points).
    """

    def __init__(self, points: Tensor) -> None:
        """Take points as they are."""
        self.points, self.squares = points, points.square().sum(1)

    @classmethod
    def centred(cls, points: Float[np.ndarray, "points dimensions"]) -> "PointTable":
        """About the mean, subtracted in float64."""
        moved = np.asarray(points - points.mean(axis=0, dtype=np.float64), dtype=np.float32)
        return cls(torch.from_numpy(moved))

    @classmethod
    def centred_float32(cls, points: Float[np.ndarray, "points dimensions"]) -> "PointTable":
        """About the mean as float32 has it: no wider copy of a large chart, and the spacings of stored atlases."""
        return cls(torch.from_numpy(points - points.mean(axis=0, dtype=np.float64).astype(np.float32)))

    def __len__(self) -> int:
        """Number of points."""
        return len(self.points)

    def pieces(self, rows: int) -> tuple[Tensor, ...]:
        """The numbers 0..rows-1 in parts whose distances to all points fit :data:`TABLE`."""
        return torch.arange(rows).split(max(1, TABLE // max(len(self), 1)))

    def squared_distances(self, rows: Int[Tensor, " rows"]) -> Float[Tensor, "rows points"]:
        """Squared distances of some points to all, the points themselves at infinity."""
        if self.points.shape[1] <= 2:  # a map: exact where points lie close together
            table = (self.points[rows][:, None] - self.points[None]).square().sum(2)
        else:
            own = self.squares[rows][:, None]
            table = torch.addmm(self.squares + own, self.points[rows], self.points.T, alpha=-2.0)
        table[torch.arange(len(rows)), rows] = torch.inf
        return table

    def order_table(self, rows: Int[Tensor, " rows"]) -> Float[Tensor, "rows points"]:
        """The same but for the asking point's own square, which changes no order."""
        table = torch.addmm(self.squares, self.points[rows], self.points.T, alpha=-2.0)
        table[torch.arange(len(rows)), rows] = torch.inf
        return table


def nearest_rows(
    features: Float[np.ndarray, "cells features"],
    count: int,
    *,
    seed: int = 0,
    queries: Int[np.ndarray, " queries"] | None = None,
) -> Int[np.ndarray, "queries neighbours"]:
    """The ``count`` nearest other rows by Euclidean distance, nearest first, ties in a seeded random order.

    Args:
        features: one row per cell.
        count: how many neighbours.
        seed: of the order of ties.
        queries: rows whose neighbours are wanted; all by default.

    Raises:
        DataError: if there are not more rows than neighbours.
    """
    cells = len(features)
    if cells <= count:
        raise DataError(f"{count} neighbours need more than {count} cells; got {cells}.")
    order = np.random.default_rng(seed).permutation(cells)
    place = np.argsort(order)  # of every row in the shuffled order
    table = PointTable.centred(features[order])
    wanted = torch.from_numpy(place if queries is None else place[queries])
    found = np.empty((len(wanted), count), dtype=np.int64)
    with counting(*COUNTED, len(wanted)) as tell:
        for part in table.pieces(len(wanted)):
            near = table.squared_distances(wanted[part]).topk(count, dim=1, largest=False).indices.numpy()
            found[part.numpy()] = order[near]
            tell(int(part[-1]) + 1)
    return found


def nearest_among(
    features: Float[np.ndarray, "cells features"],
    known: Int[np.ndarray, "cells near"],
    rows: Int[np.ndarray, " rows"],
    count: int,
    *,
    seed: int = 0,
) -> Int[np.ndarray, "rows neighbours"]:
    """The ``count`` nearest of some rows among these rows alone, numbered by their position in ``rows``.

    Args:
        features: one row per cell.
        known: more than ``count`` neighbours of every cell among all, nearest first: where enough of them are among
            the rows, nothing is measured again.
        rows: the cells among which is looked.
        count: how many neighbours.
        seed: of the order of ties.
    """
    position = np.full(len(features), -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    near = position[known[rows]]
    found = np.take_along_axis(near, np.argsort(near < 0, axis=1, kind="stable")[:, :count], axis=1)
    short = np.flatnonzero((near >= 0).sum(1) < count)
    if len(short):
        found[short] = nearest_rows(features[rows], count, seed=seed, queries=short)
    return found


def nearest_lengths(
    points: Float[np.ndarray, "points dimensions"], count: int, *, piece: int
) -> tuple[Int[np.ndarray, "points neighbours"], Float[np.ndarray, "points neighbours"]]:
    """The ``count`` nearest other points of every point and the distances to them in float64, nearest first.

    Args:
        points: float32, more than ``count``.
        count: how many neighbours.
        piece: points that are compared with all others at one time.
    """
    table = PointTable.centred_float32(points)
    found = np.empty((len(points), count), dtype=np.int64)
    lengths = np.empty((len(points), count), dtype=np.float64)
    with counting(*COUNTED, len(points)) as tell:
        for rows in torch.arange(len(points)).split(piece):
            nearest = table.order_table(rows).topk(count, largest=False).indices
            exact = (table.points[rows][:, None] - table.points[nearest]).double().square().sum(-1).sqrt()
            exact, order = exact.sort(dim=1)
            found[rows.numpy()] = nearest.gather(1, order).numpy()
            lengths[rows.numpy()] = exact.numpy()
            tell(int(rows[-1]) + 1)
    return found, lengths


def nearest_spacings(
    latents: Float[np.ndarray, "cells latent"], sample: int, seed: int = 1, piece: int = 128
) -> Float[np.ndarray, " sampled"]:
    """Sorted distances of cells to their nearest other cell: of all cells, or of a seeded sample of that many."""
    rows = np.arange(len(latents))
    if sample < len(latents):
        rows = np.sort(np.random.default_rng(seed).choice(len(latents), sample, replace=False))
    table = PointTable.centred_float32(latents)
    found = np.empty(len(rows), dtype=np.float32)
    with counting(*COUNTED, len(rows)) as tell:
        for start in range(0, len(rows), piece):
            chosen = torch.from_numpy(rows[start : start + piece])
            nearest = table.order_table(chosen).min(dim=1).indices
            found[start : start + piece] = (table.points[chosen] - table.points[nearest]).square().sum(1).sqrt().numpy()
            tell(min(start + piece, len(rows)))
    return np.sort(found)


def nearest_latents(
    latents: Float[np.ndarray, "cells latent"],
    z: Float[np.ndarray, " latent"],
    count: int,
    squares: Float[np.ndarray, " cells"] | None = None,
) -> tuple[Float[np.ndarray, " neighbours"], Int[np.ndarray, " neighbours"]]:
    """Euclidean distances and rows of the known latents nearest to any place, nearest first, ties by row.

    Args:
        latents: known latents.
        z: where to look from.
        count: how many to return.
        squares: squared lengths of the latents; with them, a query is one product of a matrix and a vector.
    """
    if squares is None:
        rows = np.arange(len(latents))
    else:
        wanted = min(count + _SPARE, len(latents))
        rows = np.argpartition(squares - latents @ (2 * z), wanted - 1)[:wanted]
    squared = np.square(latents[rows] - z).sum(1)
    count = min(count, len(latents))
    found = np.argpartition(squared, count - 1)[:count]
    found = found[np.lexsort((rows[found], squared[found]))]
    return np.sqrt(squared[found]), rows[found]


def nearest_known(
    known: Float[Tensor, "cells latent"], places: Float[Tensor, "places latent"], count: int
) -> Int[Tensor, "places neighbours"]:
    """Rows of the known latents nearest to each of a few places, nearest first; all of them where there are fewer."""
    return torch.cdist(places, known).topk(min(count, len(known)), largest=False).indices
