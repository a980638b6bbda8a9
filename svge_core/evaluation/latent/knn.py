"""Nearest neighbours, exactly and in bounded memory: prediction by them, and how many a 2-D map keeps.

Ties (one-hot codes have many) are settled by the order of the rows, so shuffle the rows where that order means
something; :func:`nearest_rows` does.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.errors import DataError

#: fields of a distance table held at one time: 16 MB of float32
TABLE = 4_000_000


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
    data = _centred(features[order])
    squares = data.square().sum(1)
    wanted = torch.from_numpy(place if queries is None else place[queries])
    found = np.empty((len(wanted), count), dtype=np.int64)
    for part in _pieces(len(wanted), cells):
        near = _distances(data, squares, wanted[part]).topk(count, dim=1, largest=False).indices.numpy()
        found[part.numpy()] = order[near]
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


def _pieces(rows: int, cells: int) -> tuple[Tensor, ...]:
    return torch.arange(rows).split(max(1, TABLE // max(cells, 1)))


def _centred(features: np.ndarray) -> Tensor:
    # lengths near 0 keep the digits that differences of squares would lose
    return torch.from_numpy(np.asarray(features - features.mean(axis=0, dtype=np.float64), dtype=np.float32))


def _distances(data: Tensor, squares: Tensor, rows: Tensor) -> Tensor:
    """Squared distances of rows to all cells, the rows themselves at infinity."""
    if data.shape[1] <= 2:  # a map: exact where points lie close together
        table = (data[rows][:, None] - data[None]).square().sum(2)
    else:
        table = torch.addmm(squares + squares[rows][:, None], data[rows], data.T, alpha=-2.0)
    table[torch.arange(len(rows)), rows] = torch.inf
    return table


@dataclass(frozen=True)
class Fit:
    """How well predictions follow labels.

    Attributes:
        kendall_tau: tau-b; None where one side is constant.
        r2: 1 - squared error / variance; None where the labels are constant.
        cells: that both are over.
    """

    kendall_tau: float | None
    r2: float | None
    cells: int


def fit_quality(values: Float[np.ndarray, " cells"], predicted: Float[np.ndarray, " cells"]) -> Fit:
    """Kendall's tau and R2."""
    from scipy.stats import kendalltau

    ranked = np.ptp(values) > 0 and np.ptp(predicted) > 0
    tau = float(np.asarray(kendalltau(predicted, values))[0]) if ranked else None
    total = float(np.square(values - values.mean()).sum())
    r2 = 1.0 - float(np.square(values - predicted).sum()) / total if total > 0 else None
    return Fit(tau, r2, len(values))


def best_rows(values: Float[np.ndarray, " cells"], share: float, direction: str) -> Int[np.ndarray, " best"]:
    """Rows of the best share of the cells, in ascending order; ``direction`` is "max" if more is better, else "min"."""
    order = np.argsort(-values if direction == "max" else values, kind="stable")
    return np.sort(order[: math.ceil(share * len(values))])


@dataclass(frozen=True)
class Preserved:
    """How many neighbourhoods a map keeps.

    Attributes:
        trustworthiness: 1 if all neighbours on the map are neighbours in the latent, about 0.5 for a random map
            (Venna and Kaski 2001).
        continuity: the same the other way round.
        trustworthiness_se, continuity_se: standard errors of a sample of rows; 0 where all rows were looked at.
        neighbours: k.
        rows, cells: rows looked at, out of all cells; ranks are always among all cells.
    """

    trustworthiness: float
    continuity: float
    trustworthiness_se: float
    continuity_se: float
    neighbours: int
    rows: int
    cells: int


def measure_preservation(
    latents: Float[np.ndarray, "cells latent"],
    xy: Float[np.ndarray, "cells plane"],
    *,
    neighbours: int = 15,
    rows: Int[np.ndarray, " rows"] | None = None,
) -> Preserved:
    """Trustworthiness and continuity of a map.

    Args:
        latents: of all cells.
        xy: positions of the same cells on the map.
        neighbours: size of a neighbourhood.
        rows: look at the neighbourhoods of these cells only; all by default.

    Raises:
        DataError: if there are too few cells: the measure needs 2 k < cells.
    """
    cells, k = len(latents), neighbours
    if 2 * k >= cells:
        raise DataError(f"A map of {cells} cells is too small for {k} neighbours: more than {2 * k} are needed.")
    chosen = torch.arange(cells) if rows is None else torch.from_numpy(np.asarray(rows, dtype=np.int64))
    high, low = _centred(latents), _centred(xy)
    squares = high.square().sum(1), low.square().sum(1)
    losses = np.empty((2, len(chosen)))
    for part in _pieces(len(chosen), cells):
        there, here = _distances(high, squares[0], chosen[part]), _distances(low, squares[1], chosen[part])
        losses[0, part.numpy()] = _intruders(there, here, k)
        losses[1, part.numpy()] = _intruders(here, there, k)
    # the largest possible loss of a row, so that each value lies between 0 and 1
    values = 1.0 - losses * 2.0 / (k * (2.0 * cells - 3.0 * k - 1.0))
    spread = values.std(axis=1, ddof=1) / math.sqrt(len(chosen)) if 1 < len(chosen) < cells else np.zeros(2)
    means = values.mean(axis=1)
    return Preserved(float(means[0]), float(means[1]), float(spread[0]), float(spread[1]), k, len(chosen), cells)


def _intruders(true: Tensor, shown: Tensor, k: int) -> np.ndarray:
    """Per row, how far beyond rank k in ``true`` the k nearest of ``shown`` lie, summed."""
    near = true.gather(1, shown.topk(k, dim=1, largest=False).indices)
    loss = torch.zeros(len(true), dtype=torch.float64)
    for row, (all_cells, own) in enumerate(zip(true, near, strict=True)):
        # on a good map few cells are closer than the farthest of the k: only they are sorted
        closer = all_cells[all_cells < own.max()].sort().values
        ranks = torch.searchsorted(closer, own) + 1
        loss[row] = (ranks - k).clamp(min=0).sum()
    return loss.numpy()
