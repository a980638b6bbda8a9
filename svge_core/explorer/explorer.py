"""`Explorer`: one open checkpoint with everything known about its space, and the questions people ask of it.

The app and the command line both stand on this. A place of the latent space, a position on a map or a known cell goes
in, an `Inspection` with every answer comes out; nothing here knows of pages or of the command line.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.atlas import Atlas, Place, PlaneName, weighted_latent
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import Prediction, PredictionRow, ScoreMeaning, Scores, cell_numbers, held_out_mask
from svge_core.errors import DataError
from svge_core.explorer.facts import Facts
from svge_core.explorer.inspection import Inspection, Membership, Origin, decodings, inspection
from svge_core.explorer.predictor_source import PredictorSource
from svge_core.exporting import ExportItem, item_for
from svge_core.models import encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch
from svge_core.threads import computed_once, one_thread
from svge_core.training import TrainConfig

DRAWS = 64


@dataclass(frozen=True)
class Explorer:
    """A checkpoint, its atlas, the known scores and its predictors, opened together.

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
        return Facts(self.space, self.checkpoint, self.atlas, self.predictors, self.predicted_keys)

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
    def held_out(self) -> Bool[np.ndarray, " cells"]:
        """True for the charted cells the model was never trained on."""
        return self._facts.held_out

    def membership(self, cell: Cell) -> Membership:
        """Whether the model was trained on a cell."""
        if self.space.enumerated:
            return "held out" if self.held_out[self.space.index(cell)] else "training"
        training = TrainConfig.from_dict(self.checkpoint.meta.training)
        mask = held_out_mask(cell_numbers(self.space, [cell]), training.held_out, training.seed)
        return "held out" if mask[0] else "not held out"

    @property
    def weights(self) -> Any:
        """The decoder's tables, prepared once for many small decodings."""
        return self._facts.weights

    @property
    def label_indices(self) -> dict[str, frozenset[int]]:
        """Per predicted score, the official indices of the cells whose labels trained the predictor."""
        return self._facts.label_indices

    def inspect_cell(
        self, cell: Cell | int, *, plane: PlaneName | None = None, seed: int = 0, draws: int = DRAWS
    ) -> Inspection:
        """All about a member of the space, given itself or by official index, and how well its latent gives it back.

        Raises:
            InvalidCellError, ParseError: if it is no member, or no cell has the index.
        """
        name = self._plane(plane)
        chosen = self.space.from_index(cell) if isinstance(cell, int) else self.space.canonical(cell)
        row = self.row_of(chosen)
        if row is not None:
            place = self.atlas.place_of_cell(name, row)
        else:
            latent = self.encode(chosen)
            place = self.atlas.place_of_latent(latent, self.locate(name, latent))
        return self._inspect("cell", place, chosen, seed, draws)

    def encode(self, cell: Cell) -> Float[np.ndarray, " latent"]:
        """The latent of any cell of the space."""
        with one_thread():
            return encode_all(self.checkpoint.model, to_batch(self.space, [cell]))[0][0].numpy()

    def inspect_place(
        self, plane: PlaneName, point: tuple[float, float], *, seed: int = 0, draws: int = DRAWS
    ) -> Inspection:
        """All about the cell decoded at a position of a map.

        Args:
            plane: name of the map.
            point: position on it.
            seed: of the stochastic decodings that tell how certain the decoder is; equal seeds give equal answers.
            draws: number of those decodings.

        Raises:
            DataError: if the atlas has no such map or the position is not finite.
        """
        if not np.isfinite(point).all():
            raise DataError(f"A position on the map is two finite numbers; got {point}.")
        with one_thread():
            place = self.atlas.place(self._plane(plane), point, mix=self.checkpoint.model.mixed)
        return self._inspect("place", place, None, seed, draws)

    def inspect_latent(
        self,
        latent: Float[np.ndarray, " latent"],
        *,
        plane: PlaneName | None = None,
        seed: int = 0,
        draws: int = DRAWS,
    ) -> Inspection:
        """All about the cell decoded at a latent.

        Raises:
            DataError: if it has another length than the model's latents, or is not finite.
        """
        wanted = self.atlas.latents.shape[1]
        if latent.shape != (wanted,) or not np.isfinite(latent).all():
            raise DataError(f"A latent of this model is {wanted} finite numbers; got an array of shape {latent.shape}.")
        z = latent.astype(np.float32)
        place = self.atlas.place_of_latent(z, self.locate(self._plane(plane), z))
        return self._inspect("latent", place, None, seed, draws)

    def _plane(self, name: PlaneName | None) -> PlaneName:
        if name is None:
            return self.plane_names[0]
        if name not in self.atlas.planes:
            raise DataError(f"This checkpoint has no {name!r} map: it has {', '.join(self.plane_names)}.")
        return name

    def _inspect(self, origin: Origin, place: Place, given: Cell | None, seed: int, draws: int) -> Inspection:
        with one_thread():
            decoded = decodings(self.checkpoint.model, self.weights, place, seed, draws)
        return inspection(
            self.space,
            self.atlas,
            self.scores,
            self.membership,
            self._predict,
            {key: self.meaning(key) for key in self.predicted_keys},
            self.label_indices,
            origin,
            place,
            given,
            decoded,
        )

    def _predict(self, cell: Cell) -> tuple[PredictionRow, ...]:
        return tuple(prediction.row(0) for prediction in self.predictions([cell]).values())

    def locate(self, plane: PlaneName, latent: Float[np.ndarray, " latent"]) -> tuple[float, float]:
        """Where a latent lies on a map: exact for PCA; for UMAP the weighted average of its neighbours' places."""
        layout = self.atlas.planes[plane]
        if layout.name == "pca":
            x, y = (latent - layout.mean) @ layout.components.T
        else:
            x, y = weighted_latent(*self._near(latent, layout.xy))
        return float(x), float(y)

    def _near(self, latent: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distances, rows = self.atlas.nearest(latent, 8)
        return distances, values[rows]

    @property
    def stored_predictions(self) -> dict[str, Prediction]:
        """Per predicted score, the stored predictions of the charted cells: reading them needs no model.

        Raises:
            CheckpointError: if they are damaged, or of another chart.
        """
        return self._facts.stored_predictions

    def predictions(self, cells: Sequence[Cell], keys: Sequence[str] | None = None) -> dict[str, Prediction]:
        """Predicted scores of cells by key, all or some: stored ones of charted cells, fresh ones of others."""
        rows = [self.row_of(cell) for cell in cells]
        others = [cell for cell, row in zip(cells, rows, strict=True) if row is None]
        found: dict[str, Prediction] = {}
        for key in self.predicted_keys if keys is None else keys:
            assert self.predictors is not None
            fresh = self.predictors.predict(key, others) if others else None
            found[key] = self.stored_predictions[key].arranged(rows, fresh)
        return found

    def label_used(self, key: str, cells: Sequence[Cell]) -> Bool[np.ndarray, " cells"]:
        """Which cells' own labels trained the predictor of a score, so that their predictions are no test of it."""
        trained, numbered = self.label_indices[key], self.space.size is not None
        return np.array([numbered and self.space.index(cell) in trained for cell in cells], dtype=bool)

    def export_items(self, cells: Sequence[Cell], labels: Mapping[Cell, str] | None = None) -> list[ExportItem]:
        """Cells with all that is known about them, ready for :mod:`svge_core.exporting.writers`."""
        items = []
        meanings = {key: self.meaning(key) for key in self.predicted_keys}
        predictions = self.predictions(cells).values()
        for number, cell in enumerate(cells):
            row = self.row_of(cell)
            latent = self.encode(cell) if row is None else self.atlas.latents[row]
            items.append(
                item_for(
                    cell,
                    self.space,
                    self.scores,
                    label=(labels or {}).get(cell, ""),
                    predicted=[prediction.row(number) for prediction in predictions],
                    predicted_meanings=meanings,
                    row=row,
                    latent=latent.tolist(),
                    latent_model=self.checkpoint.digest,
                )
            )
        return items

    def with_scores(self, extra: Scores) -> "Explorer":
        """The same explorer that also knows a user's own columns; what was computed for the space is kept."""
        joined = replace(self, scores=self.scores.with_columns(extra))
        vars(joined)["_facts"] = self._facts  # a frozen class is written to like this
        return joined
