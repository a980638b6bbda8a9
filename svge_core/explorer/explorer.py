"""`Explorer`: one open checkpoint with everything known about its space, and the questions people ask of it.

The app and the command line both stand on this. A place of the latent space, a position on a map or a known cell goes
in, an `Inspection` with every answer comes out; nothing here knows of pages or of the command line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.atlas import Place, PlaneName, weighted_latent
from svge_core.cells import Cell
from svge_core.data import Prediction, PredictionRow, Scores, cell_numbers, held_out_mask
from svge_core.errors import DataError
from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.inspection import Inspection, Membership, Origin, decodings, inspection
from svge_core.explorer.queries import find_rows
from svge_core.exporting import ExportItem, item_for
from svge_core.models import encode_all
from svge_core.tensors import to_batch
from svge_core.threads import one_thread
from svge_core.training import TrainConfig

DRAWS = 64


@dataclass(frozen=True)
class Explorer(ChartedCells):
    """A checkpoint, its atlas, the known scores and its predictors, opened together, and what can be asked of them."""

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

    def where(self, text: str) -> Int[np.ndarray, " found"]:
        """The rows of the charted cells that a question in words means: ``explorer.where("no pool, depth over 2")``.

        Best first where the question says by what (``"best 3 by accuracy, under 0.5 M parameters"``), else ascending;
        ``explorer.cells_at(rows)`` gives the cells.

        Raises:
            ParseError: in one line, with what was not understood and an example.
        """
        return find_rows(self, text).rows

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

    def predictions(self, cells: Sequence[Cell], keys: Sequence[str] | None = None) -> dict[str, Prediction]:
        """Predicted scores of cells by key, all or some: stored ones of charted cells, fresh ones of others."""
        rows = [self.row_of(cell) for cell in cells]
        others = [cell for cell, row in zip(cells, rows, strict=True) if row is None]
        found: dict[str, Prediction] = {}
        for key in self.predicted_keys if keys is None else keys:
            assert self.predictors is not None
            fresh = self.predictors.predict(key, others) if others else None
            found[key] = self.stored_predictions[key].arranged(rows, fresh).within(self.meaning(key).bounds)
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
