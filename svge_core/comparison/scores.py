"""The scores of the compared cells as rows: measured, analytic and predicted ones apart, the best marked where it is
known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from svge_core.data import Kind, ScoreMeaning, score_name
from svge_core.explorer import Explorer, Inspection, column_names

#: follow from the structure, so they are known also of cells that are not charted
_COSTS = ("params_m", "flops_m")
#: decimals that nobody reads more of
MOST_DIGITS = 6


@dataclass(frozen=True)
class ComparedValue:
    """One number of one cell.

    Attributes:
        value: measured or analytic value, or the mean of a prediction.
        low: lower end of a prediction's interval, or of what a count can be; None where there is none.
        high: upper end.
        label_used: whether this very cell's label trained the predictor, so that the prediction is no test of it.
    """

    value: float
    low: float | None = None
    high: float | None = None
    label_used: bool = False


@dataclass(frozen=True)
class ScoreRow:
    """One score of all compared cells, from one source: measured, analytic, or predicted by one model.

    Attributes:
        meaning: what the score is; of a predicted row, as it would be measured.
        kind: what the numbers of this row are.
        values: cell by cell; None where nothing is known.
        best: positions of the best cells; empty where none is marked, see :attr:`unmarked`.
        level: of the intervals of a predicted row, such as 0.9; else None.
        model: what predicts; else empty.
    """

    meaning: ScoreMeaning
    kind: Kind
    values: tuple[ComparedValue | None, ...]
    best: tuple[int, ...]
    level: float | None = None
    model: str = ""

    @property
    def title(self) -> str:
        """Short name of the score for people."""
        return score_name(self.meaning)

    @property
    def digits(self) -> int:
        """Decimals that tell the values apart: an accuracy of 0.74 needs more than one of 74 %."""
        known = {one.value for one in self.values if one is not None}
        largest = max(map(abs, known), default=0.0)
        digits = 4 if largest < 2 else 2 if largest < 1_000 else 0
        while digits < MOST_DIGITS and len({f"{value:.{digits}f}" for value in known}) < len(known):
            digits += 1
        return digits

    @property
    def unmarked(self) -> str:
        """Why no cell is marked as best, in words; empty if one is."""
        if self.best:
            return ""
        if self.kind == "predicted":
            return "predictions are guesses with an interval, so none is marked as best"
        if self.meaning.detail:
            return "explains another score"
        if any(value is None for value in self.values):
            return "not known of all, so none is marked as best"
        return "all are equal"


def score_rows(explorer: Explorer, cells: Sequence[Inspection]) -> tuple[ScoreRow, ...]:
    """All scores of which at least one cell has a value, goals first and what explains them last."""
    rows = []
    for name in column_names(explorer):
        if name.kind not in ("measured", "analytic", "predicted"):
            continue
        meaning = explorer.meaning(name.score)
        if name.key == name.score:
            values = tuple(_known(cell, meaning.key) for cell in cells)
            row = ScoreRow(meaning, name.kind, values, best_of(values, meaning) if name.kind != "predicted" else ())
        else:
            row = _predicted_row(meaning, cells)
        if any(value is not None for value in row.values):
            rows.append(row)
    return tuple(rows)


def best_of(values: Sequence[ComparedValue | None], meaning: ScoreMeaning) -> tuple[int, ...]:
    """Positions of the best of known values; none where one is missing, all are equal, or the score is no goal."""
    known = [value.value for value in values if value is not None]
    if len(known) < len(values) or meaning.detail or len(set(known)) == 1:
        return ()
    best = max(known) if meaning.direction == "max" else min(known)
    return tuple(place for place, value in enumerate(known) if value == best)


def _known(cell: Inspection, key: str) -> ComparedValue | None:
    value = cell.value(key)
    if value is None and cell.cost is not None and key in _COSTS:
        value = float(getattr(cell.cost, key))
    if value is None or math.isnan(value):
        return None
    if key == _COSTS[0] and cell.cost is not None and cell.cost.params_range_m is not None:
        return ComparedValue(value, *cell.cost.params_range_m)
    return ComparedValue(value)


def _predicted_row(meaning: ScoreMeaning, cells: Sequence[Inspection]) -> ScoreRow:
    values: list[ComparedValue | None] = []
    level, model = None, ""
    for cell in cells:
        pairs = zip(cell.predicted, cell.label_used, strict=True)
        one, used = next(((p, mark) for p, mark in pairs if p.score == meaning.key), (None, False))
        values.append(None if one is None else ComparedValue(one.mean, one.low, one.high, used))
        if one is not None:
            level, model = one.level, one.model
    return ScoreRow(meaning, "predicted", tuple(values), (), level, model)
