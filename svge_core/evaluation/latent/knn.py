"""What nearest neighbours tell: prediction by them, and how many of them a 2-D map keeps."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.atlas import PointTable
from svge_core.errors import DataError


@dataclass(frozen=True)
class FitQuality:
    """How well predictions follow labels.

    Attributes:
        kendall_tau: tau-b; None where one side is constant.
        r2: 1 - squared error / variance; None where the labels are constant.
        cells: that both are over.
    """

    kendall_tau: float | None
    r2: float | None
    cells: int


def fit_quality(values: Float[np.ndarray, " cells"], predicted: Float[np.ndarray, " cells"]) -> FitQuality:
    """Kendall's tau and R2."""
    from scipy.stats import kendalltau

    ranked = np.ptp(values) > 0 and np.ptp(predicted) > 0
    tau = float(np.asarray(kendalltau(predicted, values))[0]) if ranked else None
    total = float(np.square(values - values.mean()).sum())
    r2 = 1.0 - float(np.square(values - predicted).sum()) / total if total > 0 else None
    return FitQuality(tau, r2, len(values))


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
    high, low = PointTable.centred(latents), PointTable.centred(xy)
    losses = np.empty((2, len(chosen)))
    for part in high.pieces(len(chosen)):
        there, here = high.squared_distances(chosen[part]), low.squared_distances(chosen[part])
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
