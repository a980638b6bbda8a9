"""A tiny untrained checkpoint with a PCA map and made-up predictors: enough for every question, no training needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from svge_core.atlas.atlas import build_atlas
from svge_core.atlas.file import save_atlas
from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import CheckpointMeta, load_checkpoint, save_checkpoint
from svge_core.data import Prediction, ScoreMeaning
from svge_core.models.config import ModelConfig
from svge_core.models.registry import build_model
from svge_core.models.svge import SVGe
from svge_core.spaces.registry import get_space
from svge_core.training.config import TrainConfig

KEYS = ("cifar10_valid", "cifar100_valid")


def make_checkpoint(folder: Path, *, atlas: bool = True) -> Path:
    """Write the checkpoint into ``folder`` and return it."""
    space = get_space("nasbench201")
    torch.manual_seed(3)
    config = ModelConfig(hidden=16, latent=4)
    meta = CheckpointMeta(
        "nasbench201", config, TrainConfig().to_dict(), "0" * 16, 14_062, 1_563, "python -m svge_core train"
    )
    save_checkpoint(folder, SVGe(space, config), meta)
    if atlas:
        save_atlas(folder, build_atlas(load_checkpoint(folder), planes=("pca",)))
    return folder


def made_up_prediction(key: str, means: Sequence[float]) -> Prediction:
    """These means with an interval around each, and 88.5 from a joint head."""
    mean = np.array(means, dtype=np.float64)
    joint = np.full_like(mean, 88.5)
    return Prediction(key, mean, mean - 1.5, mean + 1.25, 0.9, "made-up model, 3 labels", 3, joint)


@dataclass
class MadeUpPredictors:
    """Predicts 80 plus the number of 3x3 convolutions; cells 1, 2 and 3 were its labels."""

    score_keys: tuple[str, ...] = KEYS
    digest: str = "made up"
    asked: list[int] = field(default_factory=list)

    def meaning(self, key: str) -> ScoreMeaning | None:
        return None

    def predict(self, key: str, cells: list[Cell]) -> Prediction:
        assert key in self.score_keys
        self.asked.append(len(cells))
        return made_up_prediction(key, [80.0 + cell.ops.count("nor_conv_3x3") for cell in cells])

    def training_indices(self, key: str) -> np.ndarray:
        return np.array([1, 2, 3])

    def whole_space(self, key: str) -> Prediction:
        cells = get_space("nasbench201").enumerate()
        return made_up_prediction(key, [80.0 + cell.ops.count("nor_conv_3x3") for cell in cells])


WS_ACC = ScoreMeaning(
    "enas6_ws_acc",
    "Weight-sharing accuracy",
    "%",
    "max",
    "CIFAR-10",
    "validation images of the ENAS run",
    None,
    "one network with shared weights for all cells",
    "measured",
    "D-VAE",
    role="accuracy",
    origin="imported",
    single_run=False,
)


@dataclass
class ChartPredictors:
    """Predicts 70 plus the number of 5x5 convolutions of cells of a sampled space; nothing is measured here."""

    indices: np.ndarray
    score_keys: tuple[str, ...] = (WS_ACC.key,)
    digest: str = "charted"
    asked: list[int] = field(default_factory=list)

    def meaning(self, key: str) -> ScoreMeaning | None:
        return WS_ACC if key == WS_ACC.key else None

    def predict(self, key: str, cells: list[Cell]) -> Prediction:
        self.asked.append(len(cells))
        return made_up_prediction(key, [self._mean(cell) for cell in cells])

    def training_indices(self, key: str) -> np.ndarray:
        return self.indices[:2]

    def whole_space(self, key: str) -> Prediction:
        space = get_space("enas6")
        return made_up_prediction(key, [self._mean(space.from_index(index)) for index in self.indices.tolist()])

    def _mean(self, cell: Cell) -> float:
        return 70.0 + cell.ops.count("conv_5x5")


def make_enas_checkpoint(folder: Path, charted: int = 300) -> Path:
    """Write a tiny checkpoint of a space that is charted by a sample, and return its folder."""
    space = get_space("enas6")
    torch.manual_seed(4)
    config = ModelConfig(hidden=16, latent=4)
    meta = CheckpointMeta(
        space.name, config, TrainConfig(held_out=0.1).to_dict(), "0" * 16, 1_000, 100, "python -m svge_core train"
    )
    save_checkpoint(folder, SVGe(space, config), meta)
    save_atlas(folder, build_atlas(load_checkpoint(folder), planes=("pca",), charted=charted))
    return folder


def make_randwire_checkpoint(folder: Path, charted: int = 90) -> Path:
    """Write a tiny row code with numbers of function and a chart of cells without indices, and return its folder."""
    space = get_space("randwire")
    torch.manual_seed(5)
    config = ModelConfig(hidden=16, latent=64 + 4, rounds=1, function=4, function_hidden=8)
    training = TrainConfig(held_out=0.2, cells_per_epoch=10)
    meta = CheckpointMeta(space.name, config, training.to_dict(), "0" * 16, 10, 0, "train", model="rows")
    save_checkpoint(folder, build_model("rows", space, config), meta)
    save_atlas(folder, build_atlas(load_checkpoint(folder), planes=("pca",), charted=charted))
    return folder
