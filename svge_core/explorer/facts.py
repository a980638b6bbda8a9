"""What an open checkpoint knows without the scores; explorers with other columns of the same checkpoint share it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from svge_core.atlas import Atlas, nearest_rows, operation_counts
from svge_core.checkpoints import Checkpoint
from svge_core.data import Prediction
from svge_core.errors import CheckpointError
from svge_core.explorer.certainty import decode_certainty, near_in_function
from svge_core.explorer.graphs import Structure, structure_of
from svge_core.explorer.predictor_source import PredictorSource
from svge_core.spaces import AbstractSearchSpace
from svge_core.threads import computed_once

#: cells that are called the nearest ones of another
NEAR = 10


@dataclass(frozen=True, eq=False)
class Facts:
    """Seconds of work each, done at the first question, by one thread.

    Attributes:
        space, checkpoint, atlas, predictors: see `Explorer`.
        predicted_keys: scores that are predicted.
        bounds: per predicted score, what a value can be.
    """

    space: AbstractSearchSpace
    checkpoint: Checkpoint
    atlas: Atlas
    predictors: PredictorSource | None
    predicted_keys: tuple[str, ...]
    bounds: dict[str, tuple[float, float]]

    @computed_once
    def operation_counts(self) -> Int[np.ndarray, "cells operations"]:
        """See `Explorer`."""
        if self.atlas.drawn is None:
            return operation_counts(self.space, self.atlas.indices)
        used = [[cell.ops.count(op) for op in self.space.operations] for cell in self.atlas.drawn.cells]
        return np.array(used, dtype=np.int8)

    @computed_once
    def structure(self) -> Structure:
        """See `Explorer`."""
        return structure_of(self.space, self.atlas)

    @computed_once
    def near_rows(self) -> Int[np.ndarray, "cells near"]:
        """See `Explorer`."""
        return nearest_rows(self.atlas.latents[:, self.atlas.first :], NEAR)

    @computed_once
    def decode_certainty(self) -> Float[np.ndarray, " cells"]:
        """See `Explorer`."""
        return decode_certainty(self.checkpoint.model, self.atlas)

    @computed_once
    def near_in_function(self) -> Float[np.ndarray, " cells"]:
        """See `Explorer`."""
        return near_in_function(self.space, self.atlas, self.near_rows)

    @computed_once
    def held_out(self) -> Bool[np.ndarray, " cells"]:
        """See `Explorer`."""
        mask = np.zeros(len(self.atlas), dtype=bool)
        mask[np.searchsorted(self.atlas.indices, self.atlas.held_out)] = True
        return mask

    @computed_once
    def weights(self) -> Any:
        """See `Explorer`."""
        with torch.inference_mode():
            return self.checkpoint.model.prepare()

    @computed_once
    def label_indices(self) -> dict[str, frozenset[int]]:
        """See `Explorer`."""
        if self.predictors is None:
            return {}
        return {key: frozenset(map(int, self.predictors.training_indices(key))) for key in self.predicted_keys}

    @computed_once
    def stored_predictions(self) -> dict[str, Prediction]:
        """See `Explorer`.

        Raises:
            CheckpointError: if they are damaged, or of another chart.
        """
        found = {key: self.predictors.whole_space(key) for key in self.predicted_keys} if self.predictors else {}
        for key, stored in found.items():
            if len(stored.mean) != len(self.atlas):
                raise CheckpointError(
                    f"The predictions of {key!r} are of {len(stored.mean):,} cells, the atlas has {len(self.atlas):,}. "
                    "Fit the predictor again."
                )
        # predictors of others may know no limits
        return {key: stored.within(self.bounds[key]) for key, stored in found.items()}
