"""Latencies of cells that were not measured, from those that were."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class LatencyEstimate:
    """Latencies of cells that were not measured, as a sum over what the network consists of.

    Attributes:
        names: of the terms, the constant first.
        milliseconds: of one of each term (terms), 0 or more.
        error: median relative error over measured cells that were left out (share); NaN for fewer than ten.
        rank_correlation: Spearman's, of the same; NaN likewise.
        cells: measured cells it was fitted on.
    """

    names: tuple[str, ...]
    milliseconds: Float[np.ndarray, " terms"]
    error: float
    rank_correlation: float
    cells: int

    def of(self, space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, " cells"]:
        """Estimates in milliseconds."""
        return _terms(space, cells) @ self.milliseconds


#: parts into which measured cells are split; each is estimated from the others
_FOLDS, _FEWEST = 5, 10


def require_enough_cells(cells: Sequence[Cell]) -> None:
    """Check, before anything is measured, that estimates can be fitted on so many cells.

    Raises:
        SvgeError: if there are fewer than two.
    """
    if len(cells) < 2:
        raise SvgeError(
            f"An estimate of all cells is fitted on two or more measured ones; got {len(cells)}: give more cells.",
            settings=("file",),
        )


def fit_latency(
    space: AbstractSearchSpace, cells: Sequence[Cell], milliseconds: Sequence[float], seed: int = 0
) -> LatencyEstimate:
    """Fit a constant, a cost per operation of each kind, per edge, and per million parameters and multiply-accumulates.

    Non-negative least squares, so that no part takes less than no time; its error is that of five-fold
    cross-validation.

    Args:
        space: of the cells.
        cells: measured ones.
        milliseconds: their latencies (cells).
        seed: of the folds.

    Raises:
        SvgeError: if there are fewer than two cells, or not as many latencies.
    """
    from scipy.optimize import nnls
    from scipy.stats import spearmanr

    if len(cells) != len(milliseconds) or len(cells) < 2:
        raise SvgeError(f"Expected two or more cells and a latency of each; got {len(cells)} and {len(milliseconds)}.")
    terms, values = _terms(space, cells), np.asarray(milliseconds, dtype=float)
    # relative errors count alike for small and large networks
    weight = 1 / values.clip(min=np.finfo(float).tiny)

    def fitted(rows: np.ndarray) -> np.ndarray:
        return nnls(terms[rows] * weight[rows, None], values[rows] * weight[rows])[0]

    error = correlation = float("nan")
    if len(cells) >= _FEWEST:
        fold = np.random.default_rng(seed).permutation(len(cells)) % _FOLDS
        left_out = np.empty(len(cells))
        for number in range(_FOLDS):
            left_out[fold == number] = terms[fold == number] @ fitted(np.flatnonzero(fold != number))
        error = float(np.median(np.abs(left_out / values - 1)))
        correlation = float(np.asarray(spearmanr(left_out, values))[0])
    return LatencyEstimate(_names(space), fitted(np.arange(len(cells))), error, correlation, len(cells))


def _names(space: AbstractSearchSpace) -> tuple[str, ...]:
    sizes = ("million parameters", "million multiply-accumulates") if space.has_cost else ()
    return ("constant", *space.operations, "edge", *sizes)


def _terms(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells terms"]:
    counts = [[1, *(cell.ops.count(op) for op in space.operations), len(cell.edges)] for cell in cells]
    table = np.array(counts, dtype=float).reshape(len(cells), -1)
    return np.hstack([table, space.costs_of(cells)]) if space.has_cost else table
