"""Cross-validated coverage of the surrogate's intervals: what they are worth where no labels are left to judge them on.

The labels are split into five parts, and each is predicted by a surrogate that is fitted, transform, hyper-parameters
and interval included, on the other four. So every label is judged once by a fit that never saw it, and the shares are
of all labels. They say what a fit on four fifths of the labels is worth; that of all of them is hardly worse.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.predictors.calibration import conformal_factor, fold_numbers
from svge_core.predictors.measures import coverage_by_fifth, measure_predictions
from svge_core.predictors.predictor_info import HeldOut
from svge_core.predictors.surrogate import MIN_LABELS, Encode, StructureSurrogate
from svge_core.spaces import AbstractSearchSpace

#: parts of the labels, and fewest labels of which four fifths are enough for a fit
PARTS, FEWEST_LABELS = 5, 13
#: purpose of the numbers that are drawn, so that the parts are not the folds of the fit itself
_DRAWN_FOR = 5


def cross_validated(
    space: AbstractSearchSpace,
    cells: Sequence[Cell],
    values: Float[np.ndarray, " labels"],
    *,
    seed: int,
    level: float,
    single_runs: bool = False,
    encode: Encode | None = None,
) -> HeldOut | None:
    """Measure the surrogate on its own labels, each predicted by a fit on four fifths that it is not in.

    Args:
        space: of the cells.
        cells: distinct labelled cells.
        values: their scores, finite.
        seed: draws the parts, and is that of the fits.
        level: probability that the intervals are to cover.
        single_runs: as :meth:`.StructureSurrogate.fit` takes it.
        encode: likewise.

    Returns:
        ranks, errors and coverage over all labels; None where four fifths of them are too few for a fit, or all alike.
    """
    parts = fold_numbers(len(values), PARTS, np.random.default_rng((seed, _DRAWN_FOR)))
    fewest = min((int((parts != part).sum()) for part in range(PARTS)), default=0)
    try:
        conformal_factor(np.zeros(fewest), level)
    except DataError:  # an interval of so few labels does not exist
        return None
    if fewest < MIN_LABELS or any(np.ptp(values[parts != part]) == 0 for part in range(PARTS)):
        return None
    mean, low, high = np.empty((3, len(values)))
    for part in range(PARTS):
        seen, held = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        fitted = StructureSurrogate.fit(
            space,
            [cells[int(row)] for row in seen],
            values[seen],
            seed=seed,
            level=level,
            single_runs=single_runs,
            encode=encode,
        )
        found = fitted.predict([cells[int(row)] for row in held])
        mean[held], low[held], high[held] = found.mean, found.low, found.high
    measured = measure_predictions(mean, values, low, high)
    return HeldOut(
        kendall_tau=measured["kendall_tau"],
        rmse=measured["rmse"],
        of=len(values),
        coverage=measured["coverage"],
        mean_width=measured["width"],
        coverage_fifths=coverage_by_fifth(mean, values, low, high),
    )
