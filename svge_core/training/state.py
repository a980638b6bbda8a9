"""A run in the middle, on disk: everything needed to go on after a kill as if nothing had happened."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from svge_core.checkpoints import data_digest, load_weights
from svge_core.errors import CheckpointError
from svge_core.files import read_tensors, write_atomically
from svge_core.models import ModelConfig
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import first_cells
from svge_core.training.trainer import Trainer

FILE = "training_state.safetensors"
FORMAT_VERSION = 1


def save_state(folder: Path, trainer: Trainer, history: list[dict[str, Any]]) -> None:
    """Write weights, Adam's moments, counters and the history so far, atomically."""
    tensors = {f"model.{name}": tensor.detach().cpu() for name, tensor in trainer.model.state_dict().items()}
    names = [name for name, _ in trainer.model.named_parameters()]
    for name, parameter in zip(names, trainer.model.parameters(), strict=True):
        for moment, tensor in trainer.optimiser.state.get(parameter, {}).items():
            tensors[f"adam.{moment}.{name}"] = tensor.detach().cpu()
    tensors["totals"] = trainer.totals
    header = {
        "format_version": str(FORMAT_VERSION),
        "identity": json.dumps(_identity(trainer)),
        "step": str(trainer.step),
        "cpu_seconds": repr(trainer.cpu_seconds),
        "history": json.dumps(history),
    }
    write_atomically(folder / FILE, save({name: t.contiguous() for name, t in tensors.items()}, metadata=header))


def restore_state(folder: Path, trainer: Trainer) -> list[dict[str, Any]]:
    """Put a saved run into a trainer that was made with the same settings; returns the history so far (empty: no file).

    Raises:
        CheckpointError: if the file is damaged or belongs to a run with other settings; the field is named.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    afresh = "Delete it to start the training afresh."
    header, tensors = read_tensors(path, afresh)
    if header.get("format_version") != str(FORMAT_VERSION):
        raise CheckpointError(
            f"{path}: field 'format_version' is {header.get('format_version')!r}, this version reads {FORMAT_VERSION}. "
            f"{afresh}"
        )
    saved, own = _completed(json.loads(header["identity"])), _identity(trainer)
    for name in own:
        if saved.get(name) != own[name]:
            raise CheckpointError(
                f"{path} belongs to another run: {name} is {saved.get(name)!r} there and {own[name]!r} here. "
                "Use the same settings, another output folder, or start afresh.",
                settings=("fresh",),
            )
    load_weights(trainer.model, {n[6:]: t for n, t in tensors.items() if n.startswith("model.")}, str(path))
    for name, parameter in trainer.model.named_parameters():
        moments = {
            key: tensors[f"adam.{key}.{name}"]
            for key in ("step", "exp_avg", "exp_avg_sq")
            if f"adam.{key}.{name}" in tensors
        }
        if moments:
            on_device = {
                k: t if k == "step" and not parameter.is_cuda else t.to(parameter.device) for k, t in moments.items()
            }
            trainer.optimiser.state[parameter].update(on_device)
    totals = tensors["totals"].to(torch.float64)  # runs of earlier versions have no term of the function
    trainer.totals = torch.cat([totals, torch.zeros(len(trainer.totals) - len(totals), dtype=torch.float64)])
    trainer.step = int(header["step"])
    trainer.cpu_seconds = float(header["cpu_seconds"])
    return json.loads(header["history"])


def _completed(saved: dict[str, Any]) -> dict[str, Any]:
    """An identity written before a setting was there, with that setting's default."""
    defaults = {"model config": ModelConfig().to_dict(), "training config": TrainConfig().to_dict()}
    filled = {name: {**values, **saved.get(name, {})} for name, values in defaults.items()}
    return {"initial weights": "", "model": "svge", **saved, **filled}


def _identity(trainer: Trainer) -> dict[str, Any]:
    return {
        "space": trainer.model.space.name,
        "model": trainer.model.kind,
        "model config": trainer.model.config.to_dict(),
        "training config": trainer.config.to_dict(),
        "training cells": data_digest(first_cells(trainer.cells)),
        "initial weights": trainer.initial,
    }
