"""A score along a path: measured where it is known, predicted with its interval, never one in place of the other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning, score_name
from svge_core.errors import DataError
from svge_core.explorer import Explorer, PredictedValue, column_names
from svge_core.interpolation.path import LatentPath

#: follow from the structure, so they are known also of cells that are not charted
_COSTS = ("params_m", "flops_m")


@dataclass(frozen=True)
class PathScores:
    """One score at every stop; NaN where there is none, as at stops that are no member of the space.

    Attributes:
        meaning: what the score is.
        title: short name for people, without saying whether it was measured.
        known: measured or analytic values (``meaning.kind`` tells which).
        mean, low, high: predictions for the architectures, with their intervals.
        level: nominal coverage of the intervals; NaN without predictions.
        model: what predicted, in words; empty without predictions.
        label_used: stops whose own label trained the predictor, so that the prediction is no test.
    """

    meaning: ScoreMeaning
    title: str
    known: Float[np.ndarray, " stops"]
    mean: Float[np.ndarray, " stops"]
    low: Float[np.ndarray, " stops"]
    high: Float[np.ndarray, " stops"]
    level: float
    model: str
    label_used: Bool[np.ndarray, " stops"]

    @property
    def digits(self) -> int:
        """Decimals that tell the values apart: an accuracy of 0.74 needs more than one of 74 %."""
        values = np.concatenate([self.known, self.mean])
        return 4 if np.abs(values[np.isfinite(values)]).max(initial=0.0) < 2 else 2

    @property
    def any_known(self) -> bool:
        """Whether any stop has a measured or analytic value."""
        return bool(np.isfinite(self.known).any())

    @property
    def any_predicted(self) -> bool:
        """Whether any stop has a prediction."""
        return bool(np.isfinite(self.mean).any())


def score_titles(explorer: Explorer) -> dict[str, str]:
    """Scores that can be followed along a path, by key, goals first; details such as single seeds are left out."""

    keys = dict.fromkeys(name.score for name in column_names(explorer) if name.kind not in ("category", "error"))
    meanings = {key: explorer.meaning(key) for key in keys}
    return {key: score_name(meaning) for key, meaning in meanings.items() if not meaning.detail}


def path_scores(explorer: Explorer, path: LatentPath, key: str) -> PathScores:
    """A score at every stop.

    Raises:
        DataError: if there is no such score.
    """
    if key not in score_titles(explorer):
        raise DataError(f"There is no score {key[:80]!r}; choose one from the list.")
    meaning = explorer.meaning(key)
    count = len(path.stops)
    columns = {name: np.full(count, np.nan) for name in ("known", "mean", "low", "high")}
    used, level, model = np.zeros(count, dtype=bool), float("nan"), ""
    predicted = _predicted(explorer, path, key)
    for stop in path.stops:
        if not stop.valid:
            continue
        columns["known"][stop.number] = _known(explorer, stop.cell, stop.row, key)
        if (value := predicted.get(stop.cell)) is not None:
            for name in ("mean", "low", "high"):
                columns[name][stop.number] = getattr(value, name)
            used[stop.number], level, model = value.label_used, value.level, value.model
    return PathScores(meaning, score_name(meaning), **columns, level=level, model=model, label_used=used)


def _predicted(explorer: Explorer, path: LatentPath, key: str) -> dict[Cell, PredictedValue]:
    if key not in explorer.predicted_keys:
        return {}
    cells = list(dict.fromkeys(stop.cell for stop in path.stops if stop.valid))
    place = explorer.predicted_keys.index(key)
    return {cell: values[place] for cell, values in zip(cells, explorer.predictions(cells), strict=True)}


def _known(explorer: Explorer, cell: Cell, row: int | None, key: str) -> float:
    if key in _COSTS:
        return float(getattr(explorer.space.cost(cell), key))
    if row is None or key not in explorer.scores.meanings:
        return float("nan")
    return float(explorer.scores.of(row).get(key, float("nan")))
