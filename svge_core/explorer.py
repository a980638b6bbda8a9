"""`Explorer`: one open checkpoint with everything known about its space, and the questions people ask of it.

The app and the command line both stand on this. A place of the latent space, a position on a map or a known cell goes
in, an `Inspection` with every answer comes out; nothing here knows of pages or of the command line.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from svge_core.atlas import Atlas, Place
from svge_core.atlas_file import load_atlas
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.data.scores import Scores, analytic_scores, load_scores
from svge_core.errors import DataError
from svge_core.explorer_inspection import Inspection, Origin, PredictedValue, decodings, inspection
from svge_core.export_json import ExportItem, Prediction, item_for
from svge_core.projection import PlaneName, nearest_latents, weighted_latent
from svge_core.spaces import AbstractSearchSpace

DRAWS = 64
#: folder of the predictors beside a checkpoint
PREDICTORS = "predictors"


@runtime_checkable
class PredictorSource(Protocol):
    """What an explorer asks of predictors; :class:`svge_core.predictors.Predictors` is the usual one."""

    @property
    def score_keys(self) -> tuple[str, ...]:
        """Scores there is a predictor for."""
        ...

    def predict(self, key: str, cells: list[Cell]) -> Sequence[Any]:
        """One ``CellPrediction`` per cell."""
        ...

    def training_indices(self, key: str) -> np.ndarray:
        """Official indices of the cells whose labels were used."""
        ...

    def whole_space(self, key: str) -> Any:
        """``WholeSpacePrediction`` over official indices."""
        ...


@dataclass(frozen=True)
class Explorer:
    """A checkpoint, its atlas, the known scores and its predictors, opened together.

    Attributes:
        space: the search space.
        checkpoint: the model.
        atlas: every cell's latent and place on the maps.
        scores: measured and analytic values of every cell.
        predictors: predictors of some scores; None where the checkpoint has none.
        notices: what is missing and what to do about it, in words for people; empty if all is there.
    """

    space: AbstractSearchSpace
    checkpoint: Checkpoint
    atlas: Atlas
    scores: Scores
    predictors: PredictorSource | None = None
    notices: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Identity of the model and its latents."""
        return self.checkpoint.digest

    @property
    def plane_names(self) -> tuple[PlaneName, ...]:
        """The maps of the atlas, the first one being the default."""
        return tuple(self.atlas.planes)

    @property
    def predicted_keys(self) -> tuple[str, ...]:
        """Scores that can be predicted and whose meaning is known."""
        return tuple(k for k in (self.predictors.score_keys if self.predictors else ()) if k in self.scores.meanings)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells in official order."""
        return tuple(self.space.enumerate())

    @cached_property
    def operation_counts(self) -> Int[np.ndarray, "cells operations"]:
        """How often each cell uses each operation of the space."""
        column = {op: number for number, op in enumerate(self.space.operations)}
        counts = np.zeros((len(self.cells), len(column)), dtype=np.int16)
        for row, cell in enumerate(self.cells):
            for op in cell.ops:
                if op in column:
                    counts[row, column[op]] += 1
        return counts

    @cached_property
    def held_out(self) -> Bool[np.ndarray, " cells"]:
        """True for the cells the model was never trained on."""
        mask = np.zeros(len(self.atlas.latents), dtype=bool)
        mask[self.atlas.held_out] = True
        return mask

    @cached_property
    def weights(self) -> Any:
        """The decoder's tables, prepared once for many small decodings."""
        with torch.inference_mode():
            return self.checkpoint.model.generator.prepare(self.checkpoint.model.table)

    @cached_property
    def label_rows(self) -> dict[str, frozenset[int]]:
        """Per predicted score, the official indices of the cells whose labels trained the predictor."""
        if self.predictors is None:
            return {}
        return {key: frozenset(map(int, self.predictors.training_indices(key))) for key in self.predicted_keys}

    def inspect_cell(
        self, cell: Cell | int, *, plane: PlaneName | None = None, seed: int = 0, draws: int = DRAWS
    ) -> Inspection:
        """All about a member of the space, given itself or by official index, and how well its latent gives it back.

        Raises:
            InvalidCellError, ParseError: if it is no member, or no cell has the index.
        """
        index = cell if isinstance(cell, int) else self.space.index(self.space.canonical(cell))
        chosen = self.space.from_index(index)
        place = self.atlas.place_of_cell(self._plane(plane), index)
        return self._inspect("cell", place, chosen, seed, draws)

    def inspect_place(
        self, plane: PlaneName, point: tuple[float, float], *, seed: int = 0, draws: int = DRAWS
    ) -> Inspection:
        """All about the cell decoded at a position of a map.

        Args:
            seed: of the stochastic decodings that tell how certain the decoder is; equal seeds give equal answers.
            draws: number of those decodings.

        Raises:
            DataError: if the atlas has no such map or the position is not finite.
        """
        if not np.isfinite(point).all():
            raise DataError(f"A position on the map is two finite numbers; got {point}.")
        return self._inspect("place", self.atlas.place(self._plane(plane), point), None, seed, draws)

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
        return inspection(self.space, self.scores, self.held_out, self._predict, origin, place, given, decoded)

    def _predict(self, cell: Cell) -> tuple[PredictedValue, ...]:
        return self.predictions([cell])[0]

    def locate(self, plane: PlaneName, latent: Float[np.ndarray, " latent"]) -> tuple[float, float]:
        """Where a latent lies on a map: exact for PCA; for UMAP the weighted average of its neighbours' places."""
        layout = self.atlas.planes[plane]
        if layout.name == "pca":
            x, y = (latent - layout.mean) @ layout.components.T
        else:
            x, y = weighted_latent(*self._near(latent, layout.xy))
        return float(x), float(y)

    def _near(self, latent: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distances, indices = nearest_latents(self.atlas.latents, latent, 8)
        return distances, values[indices]

    @cached_property
    def stored_predictions(self) -> dict[str, Any]:
        """Per predicted score, the stored predictions of the whole space: reading them needs no model."""
        if self.predictors is None or not self.space.enumerated:
            return {}
        return {key: self.predictors.whole_space(key) for key in self.predicted_keys}

    def predictions(self, cells: Sequence[Cell]) -> list[tuple[PredictedValue, ...]]:
        """Every predicted score of every cell, read from what is stored for an enumerated space."""
        rows = [self.space.index(cell) for cell in cells] if self.space.enumerated else None
        columns: list[list[PredictedValue]] = []
        for key in self.predicted_keys:
            assert self.predictors is not None
            meaning, trained = self.scores.meaning(key), self.label_rows[key]
            if rows is None:
                columns.append(
                    [
                        PredictedValue(meaning, p.mean, p.low, p.high, p.level, p.joint, p.model, p.labels, False)
                        for p in self.predictors.predict(key, list(cells))
                    ]
                )
                continue
            whole = self.stored_predictions[key]
            columns.append(
                [
                    PredictedValue(
                        meaning, float(whole.mean[row]), float(whole.low[row]), float(whole.high[row]), whole.level,
                        float(whole.joint[row]), whole.model, whole.labels, row in trained,
                    )
                    for row in rows
                ]
            )  # fmt: skip
        return [tuple(column[position] for column in columns) for position in range(len(cells))]

    def export_items(self, cells: Sequence[Cell], labels: Mapping[Cell, str] | None = None) -> list[ExportItem]:
        """Cells with all that is known about them, ready for :mod:`svge_core.export`."""
        items = []
        for cell, predicted in zip(cells, self.predictions(cells), strict=True):
            converted = [Prediction(p.meaning.key, p.mean, p.low, p.high, p.level, p.model) for p in predicted]
            latent = self.atlas.latents[self.space.index(cell)].tolist() if self.space.enumerated else None
            items.append(
                item_for(
                    cell, self.space, self.scores, label=(labels or {}).get(cell, ""), predicted=converted,
                    latent=latent, latent_model=self.digest if latent is not None else "",
                )
            )  # fmt: skip
        return items

    def with_scores(self, extra: Scores) -> "Explorer":
        """The same explorer that also knows a user's own columns; what was computed for the space is kept."""
        joined = replace(self, scores=self.scores.with_columns(extra))
        for name in ("cells", "operation_counts", "held_out", "weights", "label_rows", "stored_predictions"):
            if name in self.__dict__:
                joined.__dict__[name] = self.__dict__[name]
        return joined


def open_explorer(folder: Path, device: str | torch.device = "cpu") -> Explorer:
    """Open a checkpoint folder with its atlas, predictors and the known scores of its space.

    What is merely missing (measured values, predictors) is left out and named in ``notices``; what is damaged raises.

    Raises:
        CheckpointError: checkpoint or atlas missing, damaged or not belonging together.
    """
    checkpoint = load_checkpoint(folder, device=device)
    space = checkpoint.model.space
    atlas = load_atlas(checkpoint, space)
    notices: list[str] = []
    try:
        scores = load_scores(space)
    except DataError as error:
        scores = analytic_scores(space)
        notices.append(f"No measured values are shown. {error}")
    predictors: PredictorSource | None = None
    if (folder / PREDICTORS).is_dir():
        # what predicts is loaded only where there is something to predict with
        from svge_core.predictors import load_predictors

        predictors = load_predictors(checkpoint, space)
    if predictors is None or not predictors.score_keys:
        predictors = None
        notices.append("This checkpoint has no predictors, so no accuracy is predicted.")
    return Explorer(space, checkpoint, atlas, scores, predictors, tuple(notices))


@contextmanager
def one_thread() -> Iterator[None]:
    """Small batches are slower on several threads, and on a busy machine much slower: they wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def usable_devices() -> tuple[str, ...]:
    """Devices of this machine, the preferred one first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(name for name, usable in there.items() if usable)


def place_in_words(place: Place, origin: str) -> str:
    """How far the place is from known cells, for people."""
    if origin == "cell":
        return f"The nearest other cell is {place.distances[0]:.2f} away in the latent space."
    distance = f"The nearest known cell is {place.distances[0]:.2f} away in the latent space"
    if place.far_on_map:
        return (
            f"On the map the nearest known cell is {place.map_spacings:.1f} times the usual spacing away, so this is "
            f"an average of far-apart cells. {distance}. Sparse zone: read this decoding with care."
        )
    if place.sparse:
        return f"{distance}, further than for 99 % of the known cells. Sparse zone: read this decoding with care."
    if place.percentile < 50:
        return f"{distance}, nearer than most known cells are to each other."
    return f"{distance}, further than {place.percentile:.0f} % of the known cells are from their nearest one."
