"""What an `Explorer` asks of predictors."""

from typing import Protocol, runtime_checkable

import numpy as np

from svge_core.cells import Cell
from svge_core.data import Prediction, ScoreMeaning


@runtime_checkable
class PredictorSource(Protocol):
    """What an explorer asks of predictors; :class:`svge_core.predictors.Predictors` is the usual one."""

    @property
    def digest(self) -> str:
        """Changes with anything that they predict."""
        ...

    @property
    def score_keys(self) -> tuple[str, ...]:
        """Scores there is a predictor for."""
        ...

    def meaning(self, key: str) -> ScoreMeaning | None:
        """What a predicted score is, if that was stored."""
        ...

    def predict(self, key: str, cells: list[Cell]) -> Prediction:
        """Predictions of any cells of the space."""
        ...

    def training_indices(self, key: str) -> np.ndarray:
        """Official indices of the cells whose labels were used."""
        ...

    def whole_space(self, key: str) -> Prediction:
        """Stored predictions over the rows of the atlas."""
        ...
