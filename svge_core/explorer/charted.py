"""What an open checkpoint knows of its charted cells, row by row: what columns, filters and queries stand on."""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.atlas import Atlas, PlaneName
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import Prediction, ScoreMeaning, Scores
from svge_core.errors import DataError
from svge_core.explorer.facts import Facts
from svge_core.explorer.graphs import Structure
from svge_core.explorer.predictor_source import PredictorSource
from svge_core.spaces import AbstractSearchSpace
from svge_core.threads import computed_once


@dataclass(frozen=True)
class ChartedCells:
    """A checkpoint, its atlas, the known scores and its predictors: what is known without asking the model.

    Attributes:
        space: the search space.
        checkpoint: the model.
        atlas: the charted cells' latents and places on the maps.
        scores: measured and analytic values of the charted cells, row by row of the atlas.
        predictors: predictors of some scores; None where the checkpoint has none.
        notices: what is missing and what to do about it, in words for people; empty if all is there.
    """

    space: AbstractSearchSpace
    checkpoint: Checkpoint
    atlas: Atlas
    scores: Scores
    predictors: PredictorSource | None = None
    notices: tuple[str, ...] = ()

    @computed_once
    def _facts(self) -> Facts:
        bounds = {key: self.meaning(key).bounds for key in self.predicted_keys}
        return Facts(self.space, self.checkpoint, self.atlas, self.predictors, self.predicted_keys, bounds)

    @computed_once
    def digest(self) -> str:
        """32 hex digits that change with the checkpoint, its atlas, its predictors or any score: the key of caches.

        The identity of the model alone is ``checkpoint.digest``, that of everything but predictors and scores
        ``atlas.digest``.
        """
        meta = json.dumps(asdict(self.checkpoint.meta), sort_keys=True, default=str)
        predictors = "" if self.predictors is None else self.predictors.digest
        parts = (self.checkpoint.digest, meta, self.atlas.digest, predictors, self.scores.digest)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    @property
    def plane_names(self) -> tuple[PlaneName, ...]:
        """The maps of the atlas, the first one being the default."""
        return tuple(self.atlas.planes)

    @computed_once
    def predicted_keys(self) -> tuple[str, ...]:
        """Scores that can be predicted and whose meaning is known; their measured values need not be."""
        keys = self.predictors.score_keys if self.predictors else ()
        return tuple(key for key in keys if self._meaning(key) is not None)

    def meaning(self, key: str) -> ScoreMeaning:
        """What a measured, analytic or predicted score is.

        Raises:
            DataError: if there is no such score.
        """
        return self._meaning(key) or self.scores.meaning(key)

    def _meaning(self, key: str) -> ScoreMeaning | None:
        if key in self.scores.meanings or self.predictors is None:
            return self.scores.meanings.get(key)
        return self.predictors.meaning(key) if key in self.predictors.score_keys else None

    @property
    def charted(self) -> str:
        """Which cells are on the maps, in words."""
        size, count = self.space.size or 0, len(self.atlas)
        if self.atlas.drawn is not None:
            parts = len(self.atlas.drawn.families)
            return f"{count:,} random cells" + (f", in equal parts of {parts} random generators" if parts > 1 else "")
        return f"all {size:,} cells" if count == size else f"a random sample of {count:,} of {size:,} cells"

    def cells_at(self, rows: Int[np.ndarray, " rows"]) -> list[Cell]:
        """The cells of rows of the atlas."""
        return self.atlas.cells(self.space, rows)

    def row_of(self, cell: Cell) -> int | None:
        """The row of a cell; None where it is not charted."""
        return self.atlas.row_of(self.space, cell)

    @computed_once
    def params(self) -> Float[np.ndarray, " cells"]:
        """Parameters of the charted cells in millions.

        Raises:
            DataError: if cells of the space have none.
        """
        if not self.space.has_cost:
            raise DataError(f"Cells of {self.space.title} have no parameters: they stand for no network.")
        return self.scores.frame["params_m"].to_numpy()

    @property
    def operation_counts(self) -> Int[np.ndarray, "cells operations"]:
        """How often each charted cell uses each operation of the space."""
        return self._facts.operation_counts

    @property
    def structure(self) -> Structure:
        """Edges and depth of the charted cells."""
        return self._facts.structure

    @property
    def near_rows(self) -> Int[np.ndarray, "cells near"]:
        """Rows of the 10 cells nearest to every charted cell in the latent space, nearest first, ties shuffled."""
        return self._facts.near_rows

    @property
    def decode_certainty(self) -> Float[np.ndarray, " cells"]:
        """How many random decodings of each charted cell's latent it takes, on average, until one gives another graph,
        as a power of ten between 0 and 6: see :func:`svge_core.explorer.certainty.decode_certainty`.
        """
        return self._facts.decode_certainty

    @property
    def near_in_function(self) -> Float[np.ndarray, " cells"]:
        """Of the 10 cells nearest to every charted cell in the latent space, the share that are also among the nearest
        by what cells compute, 0 to 1: see :func:`svge_core.explorer.certainty.near_in_function`.
        """
        return self._facts.near_in_function

    @property
    def held_out(self) -> Bool[np.ndarray, " cells"]:
        """True for the charted cells the model was never trained on."""
        return self._facts.held_out

    @property
    def label_indices(self) -> dict[str, frozenset[int]]:
        """Per predicted score, the official indices of the cells whose labels trained the predictor."""
        return self._facts.label_indices

    @property
    def stored_predictions(self) -> dict[str, Prediction]:
        """Per predicted score, the stored predictions of the charted cells, within what a value can be:
        reading them needs no model.

        Raises:
            CheckpointError: if they are damaged, or of another chart.
        """
        return self._facts.stored_predictions
