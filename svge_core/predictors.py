"""The predictors shipped with a checkpoint: per score, a calibrated structure surrogate and SVGe's joint head.

Both are fitted on the same small random set of labelled cells; every other cell of the space is held out. Their
predictions for the whole space are stored beside them, so that the map can be coloured at once.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, load_weights
from svge_core.errors import CheckpointError, DataError
from svge_core.files import write_atomically
from svge_core.models.head import HeadConfig, JointModel, fit_joint
from svge_core.spaces import AbstractSearchSpace
from svge_core.surrogates import StructureSurrogate
from svge_core.tensors import to_batch

FORMAT_VERSION = 1
FOLDER = "predictors"
META, JOINT, WHOLE = "predictor.json", "joint.safetensors", "whole_space.safetensors"
SURROGATE = "surrogate.npz"
COLUMNS = ("mean", "low", "high", "joint")
INFO_FIELDS = {"format_version", "checkpoint", "space", "score", "description", "labels", "level", "head"} | {
    "training_indices",
    "held_out",
}


@dataclass(frozen=True)
class CellPrediction:
    """Prediction for one cell, in the score's own unit.

    Attributes:
        mean, low, high: the surrogate's prediction and its interval.
        level: nominal coverage of the interval, e.g. 0.9.
        joint: SVGe's joint head, a point prediction without interval.
        model: what the interval is from, in words.
        labels: number of labelled cells both were fitted on.
    """

    mean: float
    low: float
    high: float
    level: float
    joint: float | None
    model: str
    labels: int


@dataclass(frozen=True)
class WholeSpacePrediction:
    """Predictions for every cell of the space, by official index; level, model and labels as in `CellPrediction`."""

    mean: Float[np.ndarray, " cells"]
    low: Float[np.ndarray, " cells"]
    high: Float[np.ndarray, " cells"]
    joint: Float[np.ndarray, " cells"]
    level: float
    model: str
    labels: int


@dataclass
class _Fitted:
    folder: Path
    info: dict[str, Any]
    surrogate: StructureSurrogate | None = None
    joint: JointModel | None = None


@dataclass(frozen=True)
class Predictors:
    """All predictors of a checkpoint; models are read from disk when first asked."""

    checkpoint: Checkpoint
    space: AbstractSearchSpace
    fitted: dict[str, _Fitted] = field(default_factory=dict)

    @property
    def score_keys(self) -> tuple[str, ...]:
        """Scores there is a predictor for."""
        return tuple(self.fitted)

    def info(self, key: str) -> dict[str, Any]:
        """What was fitted: number of labels, seed, settings, score description, held-out results."""
        return self._of(key).info

    def training_indices(self, key: str) -> np.ndarray:
        """Official indices of the cells whose labels were used, int64."""
        return np.asarray(self._of(key).info["training_indices"], dtype=np.int64)

    def predict(self, key: str, cells: list[Cell]) -> list[CellPrediction]:
        """Predictions for any cells of the space, known or not."""
        if not cells:
            return []
        fitted = self._of(key)
        if fitted.surrogate is None:
            fitted.surrogate = StructureSurrogate.load(fitted.folder / SURROGATE)
        if fitted.joint is None:
            fitted.joint = _load_joint(fitted.folder, self.checkpoint, fitted.info)
        prediction = fitted.surrogate.predict(cells)
        joint = fitted.joint.predict(to_batch(self.space, cells))
        labels = int(fitted.info["labels"])
        return [
            CellPrediction(
                float(prediction.mean[i]),
                float(prediction.low[i]),
                float(prediction.high[i]),
                float(prediction.level),
                float(joint[i]),
                _model_in_words(labels),
                labels,
            )
            for i in range(len(cells))
        ]

    def whole_space(self, key: str) -> WholeSpacePrediction:
        """Stored predictions for every cell, in official order."""
        fitted = self._of(key)
        path, labels = fitted.folder / WHOLE, int(fitted.info["labels"])
        try:
            with safe_open(path, framework="np") as file:
                columns = [file.get_tensor(name) for name in COLUMNS]
            mean, low, high, joint = columns
            level = float(fitted.info["level"])
            return WholeSpacePrediction(mean, low, high, joint, level, _model_in_words(labels), labels)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is missing or damaged ({error}). Fit the predictor again.") from None

    def _of(self, key: str) -> _Fitted:
        if key not in self.fitted:
            raise DataError(f"No predictor for {key!r}: this checkpoint has {', '.join(self.fitted) or 'none'}.")
        return self.fitted[key]


def fit_predictor(
    checkpoint: Checkpoint,
    key: str,
    description: str,
    scores: Float[np.ndarray, " cells"],
    *,
    labels: int,
    seed: int = 1,
    level: float = 0.9,
    head: HeadConfig | None = None,
) -> dict[str, Any]:
    """Fit both predictors of one score on ``labels`` random labelled cells and store them beside the checkpoint.

    Args:
        key: name of the score; the folder is ``predictors/<key>``.
        description: what the score is (data set, split, epochs, seeds), stored with the predictor.
        scores: one value per cell in official order, NaN where unknown.

    Returns:
        the information stored with the predictor.
    """
    space, model = checkpoint.model.space, checkpoint.model
    head = head or HeadConfig(seed=seed)
    known = np.flatnonzero(np.isfinite(scores))
    if len(known) < labels:
        raise DataError(f"Asked for {labels} labels of {key!r}, but only {len(known)} cells have one.")
    rows = np.sort(np.random.default_rng(seed).choice(known, size=labels, replace=False))
    cells = list(space.enumerate())
    surrogate = StructureSurrogate.fit(space, [cells[i] for i in rows], scores[rows], seed=seed, level=level)
    batch = to_batch(space, cells)
    joint = fit_joint(model, batch.select(torch.from_numpy(rows)), torch.from_numpy(scores[rows]), head)
    prediction = surrogate.predict(cells)
    columns = {
        "mean": prediction.mean,
        "low": prediction.low,
        "high": prediction.high,
        "joint": joint.predict(batch).numpy(),
    }
    info: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "checkpoint": checkpoint.digest,
        "space": space.name,
        "score": key,
        "description": description,
        "labels": labels,
        "seed": seed,
        "level": level,
        "head": head.to_dict(),
        "training_indices": rows.tolist(),
        "held_out": held_out_results(scores, rows, columns),
    }
    folder = checkpoint.folder / FOLDER / key
    surrogate.save(folder / SURROGATE)
    weights = {name: t.detach().cpu().contiguous() for name, t in joint.state_dict().items() if _kept(name)}
    write_atomically(folder / JOINT, save(weights))
    whole = {name: torch.from_numpy(np.asarray(column, dtype=np.float32)) for name, column in columns.items()}
    write_atomically(folder / WHOLE, save(whole))
    write_atomically(folder / META, (json.dumps(info) + "\n").encode())
    return info


def held_out_results(
    scores: Float[np.ndarray, " cells"], rows: np.ndarray, columns: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Kendall's tau, RMSE and interval coverage over all labelled cells that were not fitted on."""
    from scipy.stats import kendalltau

    unseen = np.isfinite(scores)
    unseen[rows] = False
    truth = scores[unseen]
    results: dict[str, dict[str, float]] = {}
    for name, column in (("surrogate", "mean"), ("joint", "joint")):
        predicted = np.asarray(columns[column], dtype=float)[unseen]
        results[name] = {
            "kendall_tau": float(np.asarray(kendalltau(predicted, truth))[0]),
            "rmse": float(np.sqrt(np.mean((predicted - truth) ** 2))),
            "of": int(unseen.sum()),
        }
    low, high = np.asarray(columns["low"])[unseen], np.asarray(columns["high"])[unseen]
    results["surrogate"]["coverage"] = float(np.mean((truth >= low) & (truth <= high)))
    results["surrogate"]["mean_width"] = float(np.mean(high - low))
    return results


def load_predictors(checkpoint: Checkpoint, space: AbstractSearchSpace) -> Predictors:
    """Find the predictors beside a checkpoint (there may be none).

    Raises:
        CheckpointError: if one is damaged or was fitted on other weights.
    """
    fitted: dict[str, _Fitted] = {}
    for path in sorted((checkpoint.folder / FOLDER).glob(f"*/{META}")):
        try:
            info = json.loads(path.read_text("utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} is damaged (not JSON: {error}). Fit the predictor again.") from None
        if not isinstance(info, dict):
            raise CheckpointError(f"{path} is damaged (not an object). Fit the predictor again.")
        if missing := sorted(INFO_FIELDS - set(info)):
            raise CheckpointError(f"{path} lacks the fields {missing}. Fit the predictor again.")
        if not isinstance(info["head"], dict) or set(info["head"]) != set(HeadConfig.__dataclass_fields__):
            raise CheckpointError(f"{path}: field 'head' is not a head's settings. Fit the predictor again.")
        for name, expected in (
            ("format_version", FORMAT_VERSION),
            ("checkpoint", checkpoint.digest),
            ("space", space.name),
        ):
            if info.get(name) != expected:
                raise CheckpointError(
                    f"{path}: field {name!r} is {info.get(name)!r}, expected {expected!r}. Fit the predictor again."
                )
        fitted[info["score"]] = _Fitted(path.parent, info)
    return Predictors(checkpoint, space, fitted)


def _model_in_words(labels: int) -> str:
    return f"Gaussian process on structure features, {labels} labels"


def _kept(name: str) -> bool:
    """Prediction needs the encoder and the head only; the fine-tuned decoder is not stored."""
    return not name.startswith("vae.generator.")


def _load_joint(folder: Path, checkpoint: Checkpoint, info: dict[str, Any]) -> JointModel:
    path = folder / JOINT
    joint = JointModel(checkpoint.model, HeadConfig(**info["head"]).layers)
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}). Fit the predictor again.") from None
    own = {name: tensor for name, tensor in joint.state_dict().items() if not _kept(name)}
    load_weights(joint, {**own, **weights}, str(path))
    return joint.eval()
