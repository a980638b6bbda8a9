"""The predictors shipped with a checkpoint: per score, a calibrated structure surrogate and SVGe's joint head.

Both are fitted on the same small random set of labelled cells; every other labelled cell is held out. Their predictions
for every charted cell are stored beside them, so that the map can be coloured at once, and so is the meaning of the
score, because its measured values may not be there where the predictor is used.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import save

from svge_core.atlas import load_chart
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, load_weights
from svge_core.data import Prediction, ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, DataError
from svge_core.files import read_columns, read_tensors, write_atomically, write_columns
from svge_core.models import GraphVAE, HeadConfig, JointModel, encode_all, fit_joint
from svge_core.predictors.cross_validation import cross_validated
from svge_core.predictors.measures import coverage_by_fifth, measure_predictions
from svge_core.predictors.predictor_info import (
    FOLDER,
    META,
    HeldOut,
    PredictorInfo,
    check_belongs,
    read_info,
    write_info,
)
from svge_core.predictors.replacing import replaced_by
from svge_core.predictors.surrogate import Encode, StructureSurrogate
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch, to_batch

JOINT, WHOLE = "joint.safetensors", "whole_space.safetensors"
SURROGATE = "surrogate.npz"
COLUMNS = ("mean", "low", "high", "joint")
#: fewer held-out labels than this say little of a coverage: its standard error is 3 percentage points
FEW_HELD_OUT = 100
#: cells that are predicted at one time
PIECE = 20_000


@dataclass
class _Fitted:
    folder: Path
    info: PredictorInfo
    surrogate: StructureSurrogate | None = None
    joint: JointModel | None = None


@dataclass(frozen=True)
class Predictors:
    """All predictors of a checkpoint; models are read from disk when first asked."""

    checkpoint: Checkpoint
    space: AbstractSearchSpace
    fitted: dict[str, _Fitted] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """32 hex digits that change with the model's weights or any file of a predictor (BLAKE2b, 128 bits).

        Raises:
            CheckpointError: if a file cannot be read.
        """
        return self._digest

    @cached_property
    def _digest(self) -> str:
        state = hashlib.blake2b(self.checkpoint.digest.encode(), digest_size=16)
        for key, fitted in self.fitted.items():
            for path in sorted(path for path in fitted.folder.glob("*") if path.is_file()):
                try:
                    content = path.read_bytes()
                except OSError as error:
                    raise CheckpointError(f"{path} cannot be read: {error.strerror}. Restore the file.") from None
                state.update(f" {key} {path.name} {len(content)} ".encode())
                state.update(content)
        return state.hexdigest()

    @property
    def score_keys(self) -> tuple[str, ...]:
        """Scores there is a predictor for."""
        return tuple(self.fitted)

    def info(self, key: str) -> PredictorInfo:
        """What was fitted: number of labels, seed, settings, score description, held-out results."""
        return self._of(key).info

    def meaning(self, key: str) -> ScoreMeaning | None:
        """What the predicted score is; None for predictors of before this was stored."""
        stored = self._of(key).info.meaning
        return None if stored is None else meaning_from_dict(stored)

    def training_indices(self, key: str) -> np.ndarray:
        """Official indices of the cells whose labels were used, int64."""
        return np.asarray(self._of(key).info.training_indices, dtype=np.int64)

    def predict(self, key: str, cells: list[Cell]) -> Prediction:
        """Predictions for any cells of the space, known or not; within what a value of the score can be."""
        fitted = self._of(key)
        labels = fitted.info.labels
        if not cells:
            none = np.empty(0)
            return Prediction(key, none, none, none, fitted.info.level, fitted.info.model, labels, none)
        if fitted.surrogate is None:
            fitted.surrogate = load_surrogate(fitted.folder / SURROGATE, encoder_of(self.checkpoint.model))
        joint = self.joint_values(key, to_batch(self.space, cells))
        prediction = fitted.surrogate.predict(cells)
        found = replace(prediction, score=key, model=fitted.info.model, labels=labels, joint=joint)
        return self._possible(found)

    def joint_values(self, key: str, cells: CellBatch) -> Float[np.ndarray, " cells"]:
        """What the model's own head says of cells that are tensors already, float64: the fastest prediction there is;
        within what a value of the score can be.

        Raises:
            DataError: if there is no predictor of that score.
        """
        fitted = self._of(key)
        if fitted.joint is None:
            fitted.joint = load_joint(fitted.folder, self.checkpoint, fitted.info)
        return np.clip(fitted.joint.predict(cells).numpy().astype(np.float64), *self._bounds(key))

    def whole_space(self, key: str) -> Prediction:
        """Stored predictions for every charted cell, row by row (see `Atlas`); within what a value of the score can be.

        Raises:
            CheckpointError: if the file is missing or damaged.
        """
        fitted = self._of(key)
        labels = fitted.info.labels
        mean, low, high, joint = read_columns(fitted.folder / WHOLE, COLUMNS)
        return self._possible(Prediction(key, mean, low, high, fitted.info.level, fitted.info.model, labels, joint))

    def _possible(self, found: Prediction) -> Prediction:
        """A surrogate knows no limits: the interval of a poor cell's accuracy would reach below 0 %."""
        return found.within(self._bounds(found.score))

    def _bounds(self, key: str) -> tuple[float, float]:
        meaning = self.meaning(key)
        return (-math.inf, math.inf) if meaning is None else meaning.bounds

    def _of(self, key: str) -> _Fitted:
        if key not in self.fitted:
            raise DataError(f"No predictor for {key!r}: this checkpoint has {', '.join(self.fitted) or 'none'}.")
        return self.fitted[key]


def fit_predictor(
    checkpoint: Checkpoint,
    meaning: ScoreMeaning,
    indices: Int[np.ndarray, " labelled"],
    values: Float[np.ndarray, " labelled"],
    *,
    labels: int,
    seed: int = 1,
    level: float = 0.9,
    head: HeadConfig | None = None,
    chart: Int[np.ndarray, " charted"] | None = None,
    command: str = "",
    column: str = "",
    cross_validate: bool = False,
) -> PredictorInfo:
    """Fit both predictors of one score on ``labels`` random labelled cells and store them beside the checkpoint.

    Args:
        checkpoint: the model beside which they are stored.
        meaning: what the score is; the folder is ``predictors/<key of the score>``.
        indices: official indices of labelled cells, each once: all cells of the space or some.
        values: their scores; cells whose value is NaN are left out.
        labels: how many labelled cells are drawn.
        seed: of the draw and of both fits.
        level: probability that the intervals are to cover.
        head: settings of the joint fit; None for the default.
        chart: official indices of the cells whose predictions are stored; None for the charted cells, which are those
            of the atlas where the space is not listed.
        command: that fits it again, for the model card.
        column: that the labels came from, see :func:`.replaced_by`; empty for unknown.
        cross_validate: measure the surrogate on its own labels too, see :mod:`.cross_validation`, where fewer than
            :data:`FEW_HELD_OUT` are held out; takes about five times the fit.

    Returns:
        the information stored with the predictor.

    Raises:
        DataError: if there are fewer labels than asked for, a cell has two, or a predictor of another column stands
            under the key.
        CheckpointError: if the space is not listed and the checkpoint has no atlas.
    """
    space, model, key = checkpoint.model.space, checkpoint.model, meaning.key
    replaced_by(checkpoint.folder, meaning, column)
    head = head or HeadConfig(seed=seed)
    indices, values = known_labels(key, indices, values)
    if len(indices) < labels:
        raise DataError(f"Asked for {labels} labels of {key!r}, but only {len(indices)} cells have one.")
    chart = load_chart(checkpoint) if chart is None else chart
    rows = np.sort(np.random.default_rng(seed).choice(len(indices), size=labels, replace=False))
    cells = [space.from_index(int(index)) for index in indices[rows]]
    surrogate = StructureSurrogate.fit(
        space, cells, values[rows], seed=seed, level=level, single_runs=meaning.single_run, encode=encoder_of(model)
    )
    joint = fit_joint(model, index_batch(space, indices[rows]), torch.from_numpy(values[rows]), head)
    columns = predicted_columns(surrogate, joint, space, chart)
    labelled = columns_at(indices, chart, columns, surrogate, joint, space)
    info = PredictorInfo(
        checkpoint=checkpoint.digest,
        space=space.name,
        score=key,
        description=meaning.describe(),
        meaning=meaning.to_dict(),
        column=column,
        labels=labels,
        command=command,
        seed=seed,
        level=level,
        head=head,
        training_indices=tuple(indices[rows].tolist()),
        held_out=held_out_results(values, rows, labelled),
        beside=surrogate.beside,
        cross_validated=cross_validated(
            space,
            cells,
            values[rows],
            seed=seed,
            level=level,
            single_runs=meaning.single_run,
            encode=encoder_of(model),
        )
        if cross_validate and len(indices) - labels < FEW_HELD_OUT
        else None,
    )
    folder = checkpoint.folder / FOLDER / key
    save_surrogate(surrogate, folder / SURROGATE)
    weights = {name: t.detach().cpu().contiguous() for name, t in joint.state_dict().items() if _kept(name)}
    write_atomically(folder / JOINT, save(weights))
    write_columns(folder / WHOLE, columns)
    write_info(folder, info)
    return info


def known_labels(
    key: str, indices: Int[np.ndarray, " labelled"], values: Float[np.ndarray, " labelled"]
) -> tuple[Int[np.ndarray, " known"], Float[np.ndarray, " known"]]:
    """Cells that have a value, in the order of their indices, and their values.

    Raises:
        DataError: if a cell has two.
    """
    known = np.isfinite(values)
    order = np.argsort(indices[known], kind="stable")
    indices, values = indices[known][order], values[known][order].astype(np.float64)
    if (twice := indices[1:][np.diff(indices) == 0]).size:
        raise DataError(f"Every cell has one label of {key!r}; cell {int(twice[0])} has more.")
    return indices, values


def encoder_of(model: GraphVAE) -> Encode:
    """The posterior means of a model, as the surrogate takes them."""

    def encode(cells: Sequence[Cell]) -> Float[np.ndarray, "cells latent"]:
        return encode_all(model, to_batch(model.space, cells))[0].numpy().astype(np.float64)

    return encode


def predicted_columns(
    surrogate: StructureSurrogate, joint: JointModel, space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"]
) -> dict[str, Float[np.ndarray, " cells"]]:
    """Predictions of the cells at official indices; only a piece of them is cells at one time."""
    columns = {name: np.empty(len(indices), dtype=np.float32) for name in COLUMNS}
    for start in range(0, len(indices), PIECE):
        piece = indices[start : start + PIECE]
        prediction = surrogate.predict([space.from_index(int(index)) for index in piece])
        for name in ("mean", "low", "high"):
            columns[name][start : start + PIECE] = getattr(prediction, name)
        columns["joint"][start : start + PIECE] = joint.predict(index_batch(space, piece)).numpy()
    return columns


def columns_at(
    indices: Int[np.ndarray, " labelled"],
    chart: Int[np.ndarray, " charted"],
    columns: dict[str, Float[np.ndarray, " charted"]],
    surrogate: StructureSurrogate,
    joint: JointModel,
    space: AbstractSearchSpace,
) -> dict[str, Float[np.ndarray, " labelled"]]:
    """Predictions of labelled cells: those of the charted cells where all are charted, otherwise predicted anew."""
    places = np.searchsorted(chart, indices).clip(max=len(chart) - 1)
    if (chart[places] == indices).all():
        return {name: column[places] for name, column in columns.items()}
    return predicted_columns(surrogate, joint, space, indices)


def held_out_results(
    scores: Float[np.ndarray, " cells"], rows: np.ndarray, columns: dict[str, np.ndarray]
) -> dict[Literal["surrogate", "joint"], HeldOut]:
    """Kendall's tau, RMSE and interval coverage, by fifths too, over all labelled cells that were not fitted on.

    Empty where fewer than two are left; tau is None where all predictions, or all labels, are equal.

    Args:
        scores: labels, NaN where a cell has none.
        rows: positions in ``scores`` that were fitted on.
        columns: predictions of the same cells.
    """
    unseen = np.isfinite(scores)
    unseen[rows] = False
    if unseen.sum() < 2:  # nothing to rank
        return {}
    truth = scores[unseen]
    mean, low, high, joint = (columns[name][unseen] for name in COLUMNS)
    own, other = measure_predictions(mean, truth, low, high), measure_predictions(joint, truth)
    of = int(unseen.sum())
    return {
        "surrogate": HeldOut(
            kendall_tau=own["kendall_tau"],
            rmse=own["rmse"],
            of=of,
            coverage=own["coverage"],
            mean_width=own["width"],
            coverage_fifths=coverage_by_fifth(mean, truth, low, high),
        ),
        "joint": HeldOut(kendall_tau=other["kendall_tau"], rmse=other["rmse"], of=of),
    }


def load_predictors(checkpoint: Checkpoint, space: AbstractSearchSpace) -> Predictors:
    """Find the predictors beside a checkpoint (there may be none).

    Raises:
        CheckpointError: if one is damaged or was fitted on other weights.
    """
    fitted: dict[str, _Fitted] = {}
    for path in sorted((checkpoint.folder / FOLDER).glob(f"*/{META}")):
        info = read_info(path)
        check_belongs(path, info, (("checkpoint", checkpoint.digest), ("space", space.name)))
        fitted[info.score] = _Fitted(path.parent, info)
    return Predictors(checkpoint, space, fitted)


def _kept(name: str) -> bool:
    """Prediction needs the encoder and the head only; the fine-tuned decoder is not stored."""
    return not name.startswith("vae.generator.")


def load_joint(folder: Path, checkpoint: Checkpoint, info: PredictorInfo) -> JointModel:
    """The joint head that is stored in a folder, ready to predict."""
    path = folder / JOINT
    joint = JointModel(checkpoint.model, info.head.layers)
    _, weights = read_tensors(path, "Fit the predictor again.")
    own = {name: tensor for name, tensor in joint.state_dict().items() if not _kept(name)}
    load_weights(joint, {**own, **weights}, str(path))
    return joint.eval()
