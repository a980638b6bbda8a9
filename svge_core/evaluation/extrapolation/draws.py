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
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels
from svge_core.errors import DataError
from svge_core.predictors import SHORT_NAME, StructureSurrogate, measure_predictions, summarise_draws
from svge_core.spaces import AbstractSearchSpace, SizeSplit

INSIDE, OUTSIDE = "inside", "outside"
SURROGATE, BASELINE = SHORT_NAME, "counts only"
MEASURES = ("kendall_tau", "spearman", "rmse", "coverage", "width")
#: fewer held-out cells on a side say nothing about a rank
MIN_HELD_OUT = 10


def split_by_size(space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"]) -> SizeSplit:
    """Small against larger cells, as the space tells them apart.

    Raises:
        DataError: for a space whose cells are all of one size.
    """
    found = space.size_split(indices)
    if found is None:
        raise DataError(f"The cells of {space.title} are all of one size: there is nothing larger to extrapolate to.")
    return found


def counts(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells counts"]:
    """Nodes, edges, and nodes of each operation."""
    rows = [[c.num_nodes, len(c.edges), *(c.ops.count(op) for op in space.operations)] for c in cells]
    return np.array(rows, dtype=np.float64).reshape(len(cells), 2 + len(space.operations))


def predicted_by_counts(
    space: AbstractSearchSpace,
    cells: Sequence[Cell],
    values: Float[np.ndarray, " cells"],
    asked: Sequence[Cell],
    penalty: float = 1.0,
) -> Float[np.ndarray, " asked"]:
    """Scores of other cells by ridge regression on :func:`counts`; the penalty spares the intercept.

    The penalty settles what the columns share: the number of nodes is that of all operations, and two more.

    Args:
        space: of all the cells.
        cells: that it is fitted on.
        values: scores of these cells.
        asked: cells to predict, in the unit of the values.
        penalty: weight of the squared coefficients.
    """
    from sklearn.linear_model import Ridge

    return Ridge(alpha=penalty).fit(counts(space, cells), values).predict(counts(space, asked))


@dataclass(frozen=True)
class Draw:
    """One fit and its held-out cells.

    Attributes:
        rows: :data:`MEASURES` by predictor and side.
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
        space: of the labelled cells.
        meaning: what the labels are.
        pool: labelled cells of all sizes.
        labels: how many small cells are fitted on.
        held_out: most held-out cells of each side.
        seed: draws both, and the folds of the surrogate.
        level: probability that the intervals are to cover.

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
        space, seen, pool.values[train], seed=seed, level=level, single_runs=meaning.single_run
    )
    found = surrogate.predict(asked)
    counted = predicted_by_counts(space, seen, pool.values[train], asked)
    truth, is_inside = pool.values[held], np.arange(len(held)) < len(kept)
    rows: dict[tuple[str, str], dict[str, float | None]] = {}
    for side, there in ((INSIDE, is_inside), (OUTSIDE, ~is_inside)):
        own = measure_predictions(found.mean[there], truth[there], found.low[there], found.high[there])
        rows[SURROGATE, side] = {name: own[name] for name in MEASURES}
        counting = measure_predictions(counted[there], truth[there])
        rows[BASELINE, side] = {name: counting[name] for name in MEASURES}
    return Draw(rows, pool.indices[held], is_inside, truth, {SURROGATE: found.mean, BASELINE: counted})


def table(draws: Sequence[Draw], labels: int) -> list[dict[str, Any]]:
    """Mean and standard deviation over draws, a row per predictor and side."""
    rows = []
    for predictor, side in draws[0].rows:
        inside = draws[0].inside if side == INSIDE else ~draws[0].inside
        row: dict[str, Any] = {
            "predictor": predictor,
            "side": side,
            "labels": labels,
            "held_out": int(inside.sum()),
            "draws": len(draws),
        }
        rows.append({**row, **summarise_draws([draw.rows[predictor, side] for draw in draws], MEASURES)})
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
