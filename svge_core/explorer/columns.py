"""Columns that can colour the map: measured and analytic scores, predictions, their errors, and categories."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from svge_core.data import Direction, ScoreMeaning, scaled, score_name, unscaled
from svge_core.drawing import operation_label
from svge_core.errors import DataError
from svge_core.evaluation import title
from svge_core.explorer.charted import ChartedCells

ColumnKind = Literal["measured", "analytic", "predicted", "error", "category", "structure", "trust"]
PREDICTED, ERROR = "predicted-", "error-"
SPLIT, DOMINANT, FAMILY = "split", "dominant-operation", "family"
#: share of the worst values that may take the first colour, so that a few failures do not use up the whole bar
CLIPPED_PERCENT = 5.0
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class ColumnName:
    """A column in the list of choices.

    Attributes:
        key: identifier for links and files.
        title: short name with data set and kind, for legends and lists.
        kind: what sort of number it is.
        score: key of the score that it shows, predicts or checks; empty for a category.
    """

    key: str
    title: str
    kind: ColumnKind
    score: str = ""


@dataclass(frozen=True)
class Column:
    """One number per cell, ready to be shown.

    Attributes:
        name: see :class:`ColumnName`.
        unit: of the values; may be empty.
        direction: which way is better.
        description: one line: what the number is and where it is from.
        values: by row of the atlas, NaN where there is none; category numbers for a category.
        low, high: the ends of the colour bar.
        limits: how the ends were chosen, in words.
        categories: names of the categories.
        most: a value of this stands for itself and for all above.
    """

    name: ColumnName
    unit: str
    direction: Direction
    description: str
    values: Float[np.ndarray, " cells"]
    low: float
    high: float
    limits: str
    categories: tuple[str, ...] = ()
    most: float = math.inf

    def clipped(self, low: float, high: float) -> tuple[bool, bool]:
        """Whether values below a bar with these ends share its first colour, and values above it its last one."""
        above = self.values >= self.most if high == self.most else self.values > high
        return bool((self.values < low).any()), bool(above.any())


def column_names(explorer: ChartedCells) -> tuple[ColumnName, ...]:
    """All columns of an explorer, without computing any: goals first, then what explains them."""
    meanings = explorer.scores.meanings
    predicted = explorer.predicted_keys
    everything = {**meanings, **{key: explorer.meaning(key) for key in predicted}}
    names: list[ColumnName] = []
    for key, meaning in sorted(everything.items(), key=lambda item: _rank(item[1])):
        if meaning.detail and key not in predicted:
            continue
        if key in meanings and not meaning.detail:
            names.append(ColumnName(key, _title(meaning, meaning.kind), meaning.kind, key))
        if key in predicted:
            names.append(ColumnName(PREDICTED + key, _title(meaning, "predicted"), "predicted", key))
        if key in predicted and key in meanings:
            error = score_name(meaning).replace("validation accuracy", "accuracy")
            names.append(ColumnName(ERROR + key, f"{error} error (predicted − measured)", "error", key))
    names += [ColumnName(SPLIT, "Training or held-out cell", "category")]
    drawn = explorer.atlas.drawn
    if drawn is not None and len(drawn.families) > 1:
        names = [ColumnName(FAMILY, "Random generator", "category"), *names]
    if len(explorer.space.operations) > 1:
        names += [ColumnName(DOMINANT, "Most frequent operation", "category")]
    return (*names, *(ColumnName(m.key, _title(m, m.kind), m.kind, m.key) for m in meanings.values() if m.detail))


def column(explorer: ChartedCells, key: str) -> Column:
    """The values of a column.

    Raises:
        DataError: if there is no such column.
    """
    name = _named(explorer, key)
    if name.kind == "category":
        return _category(explorer, name)
    meaning = explorer.meaning(name.score)
    values = _values(explorer, name, meaning)
    if name.kind == "error":
        reach = _rounded_reach(values)
        limits = f"the bar reaches to ±{reach:.3g}; larger errors take its end colours"
        return Column(name, meaning.unit, "min", _described(explorer, name, meaning), values, -reach, reach, limits)
    low, high, limits = robust_limits(values, meaning.direction)
    described = _described(explorer, name, meaning)
    return Column(name, meaning.unit, meaning.direction, described, values, low, high, limits)


def column_values(explorer: ChartedCells, key: str) -> Float[np.ndarray, " cells"]:
    """The numbers of a column alone, without how they are shown.

    Raises:
        DataError: if there is no such column.
    """
    name = _named(explorer, key)
    if name.kind == "category":
        return _category(explorer, name).values
    return _values(explorer, name, explorer.meaning(name.score))


def _named(explorer: ChartedCells, key: str) -> ColumnName:
    names = column_names(explorer)
    name = next((name for name in names if name.key == key), None)
    if name is None:
        some = ", ".join(name.key for name in names[:3])
        raise DataError(f"There is no column {key[:80]!r} for the map: expected one of {some}, ... ({len(names)}).")
    return name


def robust_limits(values: Float[np.ndarray, " cells"], direction: Direction) -> tuple[float, float, str]:
    """Ends of a colour bar: all values, unless a bad tail of at most 5 % would use up more than a quarter of it."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0, "no cell has a value"
    low, high = float(known.min()), float(known.max())
    if low == high:
        apart = max(0.5, abs(low) / 8)  # more than the next number, and never beyond the last one
        return max(low - apart, -_LARGEST), min(high + apart, _LARGEST), "all cells have the same value"
    small, exponent = scaled(known)  # so that no difference overflows
    start, end = float(small.min()), float(small.max())
    if direction == "max":
        clipped = float(np.percentile(small, CLIPPED_PERCENT))
        if clipped - start > (end - start) / 4 and clipped < end:
            words = f"the lowest {CLIPPED_PERCENT:g} % (down to {low:.4g}) share the first colour"
            return float(unscaled(np.array(clipped), exponent)), high, words
    else:
        clipped = float(np.percentile(small, 100 - CLIPPED_PERCENT))
        if end - clipped > (end - start) / 4 and clipped > start:
            words = f"the highest {CLIPPED_PERCENT:g} % (up to {high:.4g}) share the last colour"
            return low, float(unscaled(np.array(clipped), exponent)), words
    return low, high, ""


def _values(explorer: ChartedCells, name: ColumnName, meaning: ScoreMeaning) -> np.ndarray:
    if name.kind in ("measured", "analytic"):
        return explorer.scores.frame[meaning.key].to_numpy()
    predicted = np.asarray(explorer.stored_predictions[meaning.key].mean, dtype=np.float64)
    return predicted - explorer.scores.frame[meaning.key].to_numpy() if name.kind == "error" else predicted


def _described(explorer: ChartedCells, name: ColumnName, meaning: ScoreMeaning) -> str:
    if name.kind in ("measured", "analytic"):
        return explorer.scores.describe(meaning.key)
    labels = len(explorer.label_indices[meaning.key])
    made = f"by a model fitted on {labels:,} measured labels"
    start = f"Predicted {made}" if name.kind == "predicted" else f"Prediction ({made}) minus measured value"
    return f"{start}. Stands for: {meaning.describe()}"


def _category(explorer: ChartedCells, name: ColumnName) -> Column:
    if name.key == FAMILY:
        drawn = explorer.atlas.drawn
        assert drawn is not None  # else there is no such column
        values, categories = drawn.family.astype(np.float64), tuple(map(title, drawn.families))
        text = "The random generator that drew the cell; the model was never told."
    elif name.key == SPLIT:
        held_out, total = int(explorer.held_out.sum()), len(explorer.held_out)
        values = explorer.held_out.astype(np.float64)
        if explorer.space.enumerated:
            categories = ("trained on", "held out")
            text = (
                f"The model was trained on {total - held_out:,} cells (structures only, no scores); "
                f"{held_out:,} were held out and never seen."
            )
        else:
            categories = ("not held out", "held out")
            text = (
                f"{held_out:,} of the {total:,} charted cells belong to the part of the space that the model was never "
                "trained on; from the rest cells were drawn at random (structures only, no scores)."
            )
    else:
        counts = explorer.operation_counts
        best = counts.max(axis=1)
        values = counts.argmax(axis=1).astype(np.float64)
        values[(counts == best[:, None]).sum(axis=1) > 1] = counts.shape[1]
        categories = (*map(operation_label, explorer.space.operations), "several equally")
        text = "The operation that a cell uses most often; follows from the structure."
    return Column(name, "", "max", text, values, 0.0, float(len(categories) - 1), "", categories)


def _rounded_reach(errors: np.ndarray) -> float:
    known = np.abs(errors[np.isfinite(errors)])
    return float(np.percentile(known, 95)) or 1.0 if len(known) else 1.0


def _title(meaning: ScoreMeaning, kind: str) -> str:
    words = f"{meaning.data_set}, {kind}" if meaning.origin == "user" else kind
    return score_name(meaning) if kind == "analytic" else f"{score_name(meaning)} ({words})"


def _rank(meaning: ScoreMeaning) -> int:
    """Place in the list: accuracies, a user's own columns, costs, latencies, other goals."""
    if meaning.origin == "user":
        return 1
    latency = meaning.role == "time" and meaning.epochs is None  # with epochs it is the time of training
    places = (meaning.role == "accuracy", False, meaning.kind == "analytic", latency)
    return places.index(True) if any(places) else len(places)
