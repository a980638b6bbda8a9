"""`Prediction`: what a model says of one score of some cells. Predictors make it, panels, paths and exports take it.

It lies beside `Scores` because both are values about cells, and so that an export need not know who predicts.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from svge_core.errors import SvgeError


class PredictionRow(NamedTuple):
    """One row of a :class:`Prediction`: what is predicted of one cell; the fields are those of the columns."""

    score: str
    mean: float
    low: float
    high: float
    level: float
    model: str
    labels: int | None = None
    joint: float | None = None

    def check(self) -> None:
        """Be sure that it can be handed on.

        Raises:
            SvgeError: if a number is not finite, the interval is upside down or the level is no probability.
        """
        if not all(map(math.isfinite, self[1:5])) or self.low > self.high or not 0 < self.level < 1:
            raise SvgeError(
                f"The prediction of {self.score[:64]!r} needs finite numbers, low <= high and a level between 0 and 1; "
                f"got value {self.mean}, low {self.low}, high {self.high}, level {self.level}."
            )


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of one score as columns over cells, in the unit of the score.

    Attributes:
        score: key of the score; empty where a surrogate was fitted on labels without a name.
        mean: predicted mean of a measurement (cells); NaN where nothing is predicted.
        low, high: ends of the interval (cells).
        level: share of measurements that the interval is made to cover, such as 0.9.
        model: what predicts, in words.
        labels: number of labelled cells that the model was fitted on; None where that is not known.
        joint: the model's own head, a point prediction without interval (cells); None where there is none.
        std: predictive standard deviation of a measurement, noise of a label included, calibrated (cells); None where
            it was not kept.
    """

    score: str
    mean: Float[np.ndarray, " cells"]
    low: Float[np.ndarray, " cells"]
    high: Float[np.ndarray, " cells"]
    level: float
    model: str
    labels: int | None
    joint: Float[np.ndarray, " cells"] | None = None
    std: Float[np.ndarray, " cells"] | None = None

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.mean)

    def __iter__(self) -> Iterator[PredictionRow]:
        """The rows, cell by cell."""
        return map(self.row, range(len(self)))

    def row(self, number: int) -> PredictionRow:
        """What is predicted of one cell."""
        joint = None if self.joint is None else float(self.joint[number])
        mean, low, high = (float(column[number]) for column in (self.mean, self.low, self.high))
        return PredictionRow(self.score, mean, low, high, self.level, self.model, self.labels, joint)

    def within(self, bounds: tuple[float, float]) -> "Prediction":
        """The same with values and interval ends that can be: what lies beyond a bound is the bound.

        Args:
            bounds: least and greatest possible value, in the unit of the score, see :attr:`ScoreMeaning.bounds`.
        """
        if all(map(math.isinf, bounds)):
            return self
        mean, low, high = (np.clip(column, *bounds) for column in (self.mean, self.low, self.high))
        joint = None if self.joint is None else np.clip(self.joint, *bounds)
        return replace(self, mean=mean, low=low, high=high, joint=joint)

    def arranged(self, places: Sequence[int | None], other: "Prediction | None" = None) -> "Prediction":
        """One row per place: that row of this prediction; for None the next row of another one.

        Args:
            places: rows, in the order wanted.
            other: has a row for every None; without it such rows are NaN.
        """
        here = np.array([place is not None for place in places], dtype=bool)
        rows = np.array([place for place in places if place is not None], dtype=np.int64)

        def column(mine: np.ndarray | None, others: np.ndarray | None) -> np.ndarray | None:
            if mine is None or (other is not None and others is None):
                return None
            values = np.full(len(here), np.nan)
            values[here] = mine[rows]
            if others is not None:
                values[~here] = others
            return values

        pairs = [(getattr(self, name), getattr(other, name, None)) for name in ("mean", "low", "high", "joint", "std")]
        mean, low, high, joint, std = (column(*pair) for pair in pairs)
        assert mean is not None and low is not None and high is not None
        return Prediction(self.score, mean, low, high, self.level, self.model, self.labels, joint, std)


def nothing_predicted(score: str, cells: int) -> Prediction:
    """NaN for every cell, of a score that no model predicts."""
    empty = np.full(cells, np.nan)
    return Prediction(score, empty, empty, empty, math.nan, "", None)
