"""A tiny checkpoint with everything beside it: untrained weights, made-up history, metrics and predictions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from svge_core.checkpoints.checkpoint import Checkpoint, CheckpointMeta, load_checkpoint, save_checkpoint
from svge_core.checkpoints.metric_row import MetricRow, rows_of_format_1
from svge_core.data import load_scores
from svge_core.files.schema import to_record
from svge_core.models.config import ModelConfig
from svge_core.models.head import HeadConfig
from svge_core.models.svge import SVGe
from svge_core.spaces.registry import get_space
from svge_core.training.config import TrainConfig

SCORE = "cifar10_valid"
LABELS = 50


def share(count: int, of: int, **more: Any) -> dict[str, Any]:
    return {"value": count / of, "count": count, "of": of, "protocol": "10 x 10", "split": "held-out cells", **more}


#: as files of format 1 have them
METRICS = {
    "reconstruction.both.sampled": share(155_000, 156_200, data_set="NAS-Bench-201"),
    "reconstruction.both.argmax": share(1_560, 1_562),
    "reconstruction_equivalent.both.sampled": share(155_900, 156_200),
    "valid.both.raw.1000x10": share(9_990, 10_000, reasons={"an edge without an operation": 10}),
    "valid.both.constrained.1000x10": share(10_000, 10_000),
    "valid_unique.both.raw.1000x10": share(7_000, 10_000, uniform_ceiling=0.7386),
    "elbo": {"value": -1.25, "n": 1_562, "unit": "nats per cell"},
}


def make_checkpoint(root: Path, name: str = "tiny", *, full: bool = True, encoding: str = "one-hot") -> Checkpoint:
    """Write ``root/nasbench201/<name>``; with ``full`` also metrics, history, model card and predictions."""
    torch.manual_seed(1)
    space = get_space("nasbench201")
    config = ModelConfig(hidden=8, latent=4, encoding=encoding, operation_dim=3)  # type: ignore[arg-type]
    history = [
        {
            "epoch": epoch,
            "loss": 10.0 / epoch,
            "types": 6.0 / epoch,
            "edges": 4.0 / epoch,
            "kl": 3.0 + epoch,
            "learning_rate": 0.001,
            "cells_seen": 14_062 * epoch,
            "cpu_seconds": 2.0 * epoch,
        }
        for epoch in range(1, 6)
    ]
    meta = CheckpointMeta(
        space=space.name,
        config=config,
        training=TrainConfig(epochs=5, seed=3).to_dict(),
        data_digest="0123456789abcdef",
        data_count=14_062,
        held_out_count=1_563,
        command="python -m svge_core train --space nasbench201 --epochs 5",
        metrics=tuple(to_record(row, MetricRow) for row in rows_of_format_1(METRICS)) if full else (),
        history=history if full else [],
        environment={"torch": "2.13.0", "device": "cpu"} if full else {},
    )
    folder = root / space.name / name
    save_checkpoint(folder, SVGe(space, config), meta)
    checkpoint = load_checkpoint(folder)
    if full:
        (folder / "README.md").write_text("# A tiny model\n\nGood for tests.\n")
        write_predictor(checkpoint)
    return checkpoint


def write_predictor(checkpoint: Checkpoint, noise: float = 0.5) -> None:
    """Predictions that are the truth plus Gaussian noise, with intervals that know it."""
    truth = load_scores("nasbench201").frame[SCORE].to_numpy(dtype=float)
    rng = np.random.default_rng(0)
    mean = np.nan_to_num(truth) + rng.normal(0, noise, len(truth))
    half = 1.6448536 * noise
    columns = {"mean": mean, "low": mean - half, "high": mean + half, "joint": mean + rng.normal(0, 1, len(truth))}
    folder = checkpoint.folder / "predictors" / SCORE
    folder.mkdir(parents=True)
    save_file({k: v.astype(np.float32) for k, v in columns.items()}, folder / "whole_space.safetensors")
    info = {
        "format_version": 1,
        "checkpoint": checkpoint.digest,
        "space": "nasbench201",
        "score": SCORE,
        "description": "made up",
        "labels": LABELS,
        "seed": 1,
        "level": 0.9,
        "head": HeadConfig().to_dict(),
        "held_out": {},
        "training_indices": rng.choice(len(truth), LABELS, replace=False).tolist(),
    }
    (folder / "predictor.json").write_text(json.dumps(info))
