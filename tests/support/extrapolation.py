"""A score, a short configuration and an untrained checkpoint for tests of extrapolation."""

from pathlib import Path

import torch

from svge_core.checkpoints.checkpoint import CheckpointMeta, load_checkpoint, save_checkpoint
from svge_core.data.meaning import ScoreMeaning
from svge_core.evaluation.extrapolation.config import ExtrapolationConfig
from svge_core.models.config import ModelConfig
from svge_core.models.svge import SVGe
from svge_core.training.config import TrainConfig

MEANING = ScoreMeaning(
    "made_up",
    "Made-up accuracy",
    "%",
    "max",
    "none",
    "none",
    None,
    "made up",
    "measured",
    "a formula of the test",
    role="other",
    origin="user",
    single_run=False,
)


SMALL = ExtrapolationConfig(
    labels=40, held_out=30, draws=2, fit_labels=60, searched=60, best=3, per_latent=4, mutants=1, drawn=10, shown=5
)


def untrained_checkpoint(space, folder: Path):
    torch.manual_seed(3)
    meta = CheckpointMeta(
        space.name, ModelConfig(hidden=16, latent=4), TrainConfig().to_dict(), "0" * 16, 10, 1, "none"
    )
    save_checkpoint(folder, SVGe(space, meta.config), meta)
    return load_checkpoint(folder)
