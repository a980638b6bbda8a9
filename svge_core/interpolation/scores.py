"""A score along a path: measured where it is known, predicted with its interval, never one in place of the other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from svge_core.cells import Cell
from svge_core.data import Prediction, ScoreMeaning, nothing_predicted, score_name
from svge_core.errors import DataError
from svge_core.explorer import Explorer, column_names
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
        predicted: predictions for the architectures.
        label_used: stops whose own label trained the predictor, so that the prediction is no test.
    """

    meaning: ScoreMeaning
    title: str
    known: Float[np.ndarray, " stops"]
    predicted: Prediction
    label_used: Bool[np.ndarray, " stops"]

    @property
    def digits(self) -> int:
        """Decimals that tell the values apart: an accuracy of 0.74 needs more than one of 74 %."""
        values = np.concatenate([self.known, self.predicted.mean])
        return 4 if np.abs(values[np.isfinite(values)]).max(initial=0.0) < 2 else 2

    @property
    def any_known(self) -> bool:
        """Whether any stop has a measured or analytic value."""
        return bool(np.isfinite(self.known).any())

    @property
    def any_predicted(self) -> bool:
        """Whether any stop has a prediction."""
        return bool(np.isfinite(self.predicted.mean).any())


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
    known, used = np.full(count, np.nan), np.zeros(count, dtype=bool)
    for stop in path.stops:
        if stop.valid:
            known[stop.number] = _known(explorer, stop.cell, stop.row, key)
    predicted = nothing_predicted(key, count)
    if key in explorer.predicted_keys:
        cells = list(dict.fromkeys(stop.cell for stop in path.stops if stop.valid))
        places = [cells.index(stop.cell) if stop.valid else None for stop in path.stops]
        predicted = explorer.predictions(cells, [key])[key].arranged(places)
        valid = [stop.number for stop in path.stops if stop.valid]
        used[valid] = explorer.label_used(key, [path.stops[number].cell for number in valid])
    return PathScores(meaning, score_name(meaning), known, predicted, used)


def _known(explorer: Explorer, cell: Cell, row: int | None, key: str) -> float:
    if key in _COSTS and explorer.space.has_cost:
        return float(getattr(explorer.space.cost(cell), key))
    if row is None or key not in explorer.scores.meanings:
        return float("nan")
    return float(explorer.scores.of(row).get(key, float("nan")))
