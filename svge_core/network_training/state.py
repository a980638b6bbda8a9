"""A training in the middle, on disk: everything needed to go on after a kill as if nothing had happened."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from svge_core.errors import CheckpointError
from svge_core.files import read_tensors, write_atomically
from svge_core.network_training.failures import disk_named
from svge_core.network_training.trainer import NetworkTrainer

STATE = "network_training_state.safetensors"
FORMAT_VERSION = 1


def save_state(folder: Path, trainer: NetworkTrainer, identity: dict[str, Any], finished: list[dict[str, Any]]) -> None:
    """Write weights, the optimiser's moments, counters and the runs that are over, whole or not at all.

    Args:
        folder: of the training.
        trainer: of the run that is going on.
        identity: what the training is of; another one cannot go on from this file.
        finished: results of the seeds before.

    Raises:
        TrainingFailedError: if it cannot be written; the file of before stays.
    """
    header = {
        "format_version": str(FORMAT_VERSION),
        "identity": json.dumps(identity),
        "seed": str(trainer.seed),
        "counters": json.dumps(trainer.counters()),
        "finished": json.dumps(finished),
    }
    with disk_named(f"The state of the training in {folder}", "What was saved before is kept."):
        write_atomically(folder / STATE, save(trainer.tensors(), metadata=header))


def read_state(folder: Path, identity: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]] | None:
    """Header and tensors of a saved training; None where there is none.

    Raises:
        CheckpointError: if the file is damaged, or is of another training; the setting is named.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    afresh = "Delete it to start the training afresh."
    header, tensors = read_tensors(path, afresh)
    try:
        version, saved = header["format_version"], json.loads(header["identity"])
        same = {name: saved[name] == value for name, value in identity.items()}
        counters, runs = json.loads(header["counters"]), json.loads(header["finished"])
        whole = isinstance(counters, dict) and isinstance(runs, list) and header["seed"].isdecimal()
    except (KeyError, TypeError, json.JSONDecodeError):
        raise CheckpointError(f"{path} is no state of a training. {afresh}") from None
    if version != str(FORMAT_VERSION) or not whole:
        raise CheckpointError(f"{path} is of format {version}, this version reads {FORMAT_VERSION}. {afresh}")
    if different := [name for name, equal in same.items() if not equal]:
        raise CheckpointError(
            f"{path} is of a training with another {different[0]}: use the same, another folder, or start afresh.",
            settings=("fresh",),
        )
    return header, tensors
