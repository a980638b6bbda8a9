"""A model as people use it: cells to latents and back, predictions, and how good it is. The command line calls this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from svge_core import checkpoints, evaluation
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, MetricRow
from svge_core.checks import many_cells, seed as checked_seed, yes_or_no
from svge_core.data import Prediction
from svge_core.devices import pick_device
from svge_core.errors import DataError, InvalidCellError
from svge_core.evaluation.verdict import Sentence, verdict_of
from svge_core.models import DecodeDirection, DecodeOptions, encode_all
from svge_core.models.decoding import decode
from svge_core.predictors import Predictors, load_predictors
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.tensors import to_batch, to_cells
from svge_core.threads import computed_once


@dataclass(frozen=True)
class Model:
    """A trained model with what lies beside it in its folder.

    Attributes:
        checkpoint: weights and meta data.
    """

    checkpoint: Checkpoint

    @property
    def space(self) -> AbstractSearchSpace:
        """The search space it was trained on."""
        return self.checkpoint.model.space

    @property
    def folder(self) -> Path:
        """Where it was read from."""
        return self.checkpoint.folder

    @property
    def digest(self) -> str:
        """Identity of the weights, and so of every latent and prediction."""
        return self.checkpoint.digest

    @property
    def latent_size(self) -> int:
        """Dimensions of a latent."""
        return self.checkpoint.model.config.latent

    @computed_once
    def predictors(self) -> Predictors:
        """The predictors that were fitted for it; there may be none.

        Raises:
            CheckpointError: if one is damaged or was fitted on other weights.
        """
        return load_predictors(self.checkpoint, self.space)

    def encode(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells latent"]:
        """Posterior means, float32.

        Raises:
            InvalidCellError: if a cell is no member of the space.
        """
        return encode_all(self.checkpoint.model, to_batch(self.space, many_cells(cells)))[0].numpy()

    def decode(
        self,
        z: Float[np.ndarray, "cells latent"],
        *,
        direction: DecodeDirection = "both",
        constrained: bool = True,
        argmax: bool = True,
        seed: int = 0,
    ) -> list[Cell]:
        """One cell per latent; members of the space in canonical form, others as they were decoded.

        Args:
            z: latents, such as :meth:`encode` gives.
            direction: which run of the decoder decides; both: they vote.
            constrained: keep to members of the space; otherwise take whatever the decoder says.
            argmax: the likeliest cell; otherwise one that is drawn.
            seed: of the draws, and unused for the likeliest.

        Raises:
            DataError: if the latents are not rows of so many finite numbers as the model has dimensions.
        """
        options, seed = DecodeOptions(direction, constrained, argmax), checked_seed(seed)
        try:
            given = np.asarray(z)
        except ValueError:  # rows of several lengths
            raise DataError(f"Latents of this model are rows of {self.latent_size} numbers each.") from None
        if given.dtype.kind not in "fiu":
            raise DataError(f"Latents are real numbers; got an array of {given.dtype}.")
        z = given.astype(np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent_size or not np.isfinite(z).all():
            raise DataError(
                f"Latents of this model are rows of {self.latent_size} finite numbers; got an array of shape {z.shape}"
                f"{'' if np.isfinite(z).all() else ' with a number that is not finite'}."
            )
        model = self.checkpoint.model
        generator = torch.Generator(device=model.device).manual_seed(seed)
        decoded = to_cells(self.space, decode(model, torch.from_numpy(z), options, generator).to("cpu"))
        return [self._canonical(cell) for cell in decoded]

    def predict(self, cells: Sequence[Cell], score: str) -> Prediction:
        """A predicted score with its interval as columns over the cells; ``predictors.meaning(score)`` says what it is.

        Raises:
            DataError: if there is no predictor of that score; those there are, are named.
        """
        return self.predictors.predict(score, many_cells(cells))

    def verdict(self) -> tuple[Sentence, Sentence, Sentence]:
        """What it reconstructs, what distances follow and what to predict from, by the numbers in its folder.

        ``print(*model.verdict(), sep="\\n")`` shows them; ``command`` of a sentence measures what it says is missing.
        """
        return verdict_of(self.checkpoint)

    def _canonical(self, cell: Cell) -> Cell:
        try:
            self.space.validate(cell)
        except InvalidCellError:
            return cell
        return self.space.canonical(cell)


def load_checkpoint(
    folder: str | Path, *, space: AbstractSearchSpace | str | None = None, device: str = "auto"
) -> Model:
    """Open a checkpoint folder.

    Args:
        folder: with ``meta.json`` and ``weights.safetensors``.
        space: that it must belong to.
        device: auto, cpu, cuda or mps.

    Raises:
        CheckpointError: missing, damaged, of another version or space; the message names the field.
    """
    name = None if space is None else get_space(space).name
    return Model(checkpoints.load_checkpoint(Path(folder), space=name, device=pick_device(device)))


def evaluate(
    model: Model | str | Path,
    *,
    seed: int = 0,
    store: bool = False,
    on_row: Callable[[MetricRow], None] = lambda row: None,
) -> tuple[MetricRow, ...]:
    """Reconstruction, validity, uniqueness and novelty by the published protocol; each row says out of how many.

    Args:
        model: or the folder of its checkpoint.
        seed: of the sampling.
        store: also write the rows into the checkpoint's ``meta.json``.
        on_row: told every finished row.
    """
    seed, store = checked_seed(seed), yes_or_no("store", store)
    checkpoint = (model if isinstance(model, Model) else load_checkpoint(model)).checkpoint
    rows = evaluation.evaluate(checkpoint, seed=seed, on_row=on_row)
    if store:
        checkpoints.update_metrics(checkpoint, rows)
    return rows
