"""Trained on small cells, asked about larger ones: how well scores are predicted inside and outside the seen sizes.

A draw fits on labels of small cells alone and predicts held-out small cells (inside) and larger ones (outside). Beside
the structure surrogate stands a baseline that only counts nodes, edges and operations: what is not better than counting
is no knowledge of structure. The surrogate is used as it is; nothing of it is chosen here. Its feature scaling comes
from random cells of the whole space, without labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.cells import Cell
from svge_core.data.labels import Labels
from svge_core.data.scores import ScoreMeaning
from svge_core.errors import DataError
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.enas import ENASMacro
from svge_core.spaces.nasbench101 import NASBench101
from svge_core.surrogates import StructureSurrogate

INSIDE, OUTSIDE = "inside", "outside"
SURROGATE, BASELINE = "structure GP", "counts only"
MEASURES = ("kendall_tau", "spearman", "rmse", "coverage", "width")
#: largest cells that are seen: vertices of NAS-Bench-101, and the share of the possible skip connections of ENAS
SEEN_VERTICES = 6
SEEN_SKIPS = 0.5
#: fewer held-out cells on a side say nothing about a rank
MIN_HELD_OUT = 10


@dataclass(frozen=True)
class Split:
    """Which of some cells are of a seen size, and which are larger.

    Attributes:
        inside: True at small cells (cells).
        outside: True at larger ones (cells).
        inside_words, outside_words: what the two sides are.
    """

    inside: Bool[np.ndarray, " cells"]
    outside: Bool[np.ndarray, " cells"]
    inside_words: str
    outside_words: str


def split_by_size(space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"]) -> Split:
    """Small against larger cells: NAS-Bench-101 by vertices, ENAS (whose cells are equally long) by skip connections.

    Raises:
        DataError: for a space whose cells are all of one size.
    """
    if isinstance(space, NASBench101):
        sizes = space.arrays(indices).sizes
        largest = f"{space.max_nodes} vertices"
        return Split(sizes <= SEEN_VERTICES, sizes > SEEN_VERTICES, f"at most {SEEN_VERTICES} vertices", largest)
    if isinstance(space, ENASMacro):
        possible = space.layers * (space.layers - 1) // 2
        bound = int(SEEN_SKIPS * possible)
        skips = space.arrays(indices).adjacency.sum((1, 2)).astype(np.int64) - (space.layers + 1)
        words = f"at most {bound} of {possible} skip connections", f"more than {bound} of {possible} skip connections"
        return Split(skips <= bound, skips > bound, *words)
    raise DataError(f"The cells of {space.title} are all of one size: there is nothing larger to extrapolate to.")


def counts(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells counts"]:
    """Nodes, edges, and nodes of each operation."""
    rows = [[c.num_nodes, len(c.edges), *(c.ops.count(op) for op in space.operations)] for c in cells]
    return np.array(rows, dtype=np.float64).reshape(len(cells), 2 + len(space.operations))


@dataclass(frozen=True)
class CountBaseline:
    """Ridge regression on :func:`counts`, in closed form; the penalty spares the intercept.

    Attributes:
        space: of the cells.
        weights: score per node, edge and operation.
        intercept: score of a cell that has none of them.
    """

    space: AbstractSearchSpace
    weights: Float[np.ndarray, " counts"]
    intercept: float

    @classmethod
    def fit(
        cls,
        space: AbstractSearchSpace,
        cells: Sequence[Cell],
        values: Float[np.ndarray, " cells"],
        penalty: float = 1.0,
    ) -> "CountBaseline":
        """Solve ``(X'X + penalty I) w = X'y`` over centred columns. The penalty settles what the columns share: the
        number of nodes is that of all operations, and two more."""
        columns = counts(space, cells)
        centre, level = columns.mean(axis=0), float(values.mean())
        centred = columns - centre
        gram = centred.T @ centred + penalty * np.eye(columns.shape[1])
        weights = np.linalg.solve(gram, centred.T @ (values - level))
        return cls(space, weights, level - float(centre @ weights))

    def predict(self, cells: Sequence[Cell]) -> Float[np.ndarray, " cells"]:
        """Predicted scores."""
        return counts(self.space, cells) @ self.weights + self.intercept


def measured(
    mean: Float[np.ndarray, " cells"],
    truth: Float[np.ndarray, " cells"],
    low: Float[np.ndarray, " cells"] | None = None,
    high: Float[np.ndarray, " cells"] | None = None,
) -> dict[str, float | None]:
    """Rank correlations, error, and of an interval its coverage and mean width; None where a rank does not exist."""
    from scipy.stats import kendalltau, spearmanr

    ranked = np.ptp(mean) > 0 and np.ptp(truth) > 0
    coverage = width = None
    if low is not None and high is not None:
        coverage, width = float(np.mean((low <= truth) & (truth <= high))), float(np.mean(high - low))
    return {
        "kendall_tau": float(np.asarray(kendalltau(mean, truth))[0]) if ranked else None,
        "spearman": float(np.asarray(spearmanr(mean, truth))[0]) if ranked else None,
        "rmse": float(np.sqrt(np.mean((mean - truth) ** 2))),
        "coverage": coverage,
        "width": width,
    }


@dataclass(frozen=True)
class Draw:
    """One fit and its held-out cells.

    Attributes:
        rows: measures by predictor and side.
        indices: official indices of the held-out cells, inside ones first.
        inside: True at cells of a seen size.
        truth: their labels.
        predicted: means by predictor.
    """

    rows: dict[tuple[str, str], dict[str, float | None]]
    indices: Int[np.ndarray, " cells"]
    inside: Bool[np.ndarray, " cells"]
    truth: Float[np.ndarray, " cells"]
    predicted: dict[str, Float[np.ndarray, " cells"]]


def one_draw(
    space: AbstractSearchSpace,
    meaning: ScoreMeaning,
    pool: Labels,
    *,
    labels: int,
    held_out: int,
    seed: int,
    level: float = 0.9,
) -> Draw:
    """Fit on random small cells; predict other small cells and larger ones.

    Args:
        pool: labelled cells of all sizes.
        labels: how many small cells are fitted on.
        held_out: most held-out cells of each side.
        seed: draws both, and the folds of the surrogate.

    Raises:
        DataError: if a side has too few cells.
    """
    split, rng = split_by_size(space, pool.indices), np.random.default_rng(seed)
    inside, outside = (rng.permutation(np.flatnonzero(side)) for side in (split.inside, split.outside))
    if len(inside) < labels + MIN_HELD_OUT or len(outside) < MIN_HELD_OUT:
        raise DataError(
            f"{labels} labels of cells with {split.inside_words} and {MIN_HELD_OUT} held-out ones on each side are "
            f"more than there are: {len(inside)} with {split.inside_words}, {len(outside)} with {split.outside_words}."
        )
    train, kept, larger = inside[:labels], inside[labels : labels + held_out], outside[:held_out]
    held = np.concatenate([kept, larger])
    seen = [space.from_index(int(index)) for index in pool.indices[train]]
    asked = [space.from_index(int(index)) for index in pool.indices[held]]
    surrogate = StructureSurrogate.fit(
        space, seen, pool.values[train], seed=seed, level=level, single_runs=meaning.single_runs
    )
    found = surrogate.predict(asked)
    counted = CountBaseline.fit(space, seen, pool.values[train]).predict(asked)
    truth, is_inside = pool.values[held], np.arange(len(held)) < len(kept)
    rows: dict[tuple[str, str], dict[str, float | None]] = {}
    for side, there in ((INSIDE, is_inside), (OUTSIDE, ~is_inside)):
        rows[SURROGATE, side] = measured(found.mean[there], truth[there], found.low[there], found.high[there])
        rows[BASELINE, side] = measured(counted[there], truth[there])
    return Draw(rows, pool.indices[held], is_inside, truth, {SURROGATE: found.mean, BASELINE: counted})


def table(draws: Sequence[Draw], labels: int) -> list[dict[str, Any]]:
    """Mean and standard deviation over draws, a row per predictor and side."""
    rows = []
    for predictor, side in draws[0].rows:
        inside = draws[0].inside if side == INSIDE else ~draws[0].inside
        row: dict[str, Any] = {
            "predictor": predictor, "side": side, "labels": labels, "held_out": int(inside.sum()), "draws": len(draws)
        }  # fmt: skip
        for measure in MEASURES:
            column = [value for draw in draws if (value := draw.rows[predictor, side][measure]) is not None]
            whole = len(column) == len(draws)
            row[measure] = float(np.mean(column)) if whole else None
            row[f"{measure}_sd"] = float(np.std(column, ddof=1)) if whole and len(column) > 1 else None
        rows.append(row)
    return rows


def points(draw: Draw, most: int = 300) -> list[dict[str, Any]]:
    """Up to so many held-out cells of each side of one draw, for a chart: index, side, measured and predicted."""
    chosen = np.concatenate([np.flatnonzero(draw.inside)[:most], np.flatnonzero(~draw.inside)[:most]])
    return [
        {
            "index": int(draw.indices[row]),
            "side": INSIDE if draw.inside[row] else OUTSIDE,
            "measured": round(float(draw.truth[row]), 4),
            "predicted": round(float(draw.predicted[SURROGATE][row]), 4),
            "counted": round(float(draw.predicted[BASELINE][row]), 4),
        }
        for row in chosen
    ]
