"""SVGe's joint head beside the structure surrogate, on equal draws; `bench predictor --checkpoint DIR` adds its row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from svge_core.cells import Cell
from svge_core.checkpoints import load_checkpoint
from svge_core.data import Prediction
from svge_core.models import HeadConfig, fit_joint
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch


class JointHeadPredictor:
    """The published fine-tuning of a trained VAE with its MLP head; a point prediction without an interval."""

    name = "SVGe joint head"

    def __init__(self, checkpoint: Path, space: AbstractSearchSpace, cells: Sequence[Cell], level: float) -> None:
        self.model = load_checkpoint(checkpoint, space=space.name).model
        self.batch = to_batch(space, cells)
        self.level = level

    def fit_predict(self, train_indices: np.ndarray, values: np.ndarray, seed: int) -> Prediction:
        """See :class:`bench.predictor.Predictor`."""
        labelled = self.batch.select(torch.from_numpy(train_indices))
        joint = fit_joint(self.model, labelled, torch.from_numpy(values), HeadConfig(seed=seed))
        mean = joint.predict(self.batch).numpy().astype(np.float64)
        none = np.full_like(mean, np.nan)
        return Prediction("", mean, none, none, self.level, self.name, len(values))
