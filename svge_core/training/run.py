"""A whole training run: resumed where one was interrupted, saved as it goes, written as a checkpoint at its end."""

import json
import math
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from svge_core import __version__
from svge_core.checkpoints import (
    META,
    CheckpointMeta,
    data_digest,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from svge_core.data import split_cells
from svge_core.devices import has_bfloat16, pick_device
from svge_core.errors import SvgeError
from svge_core.features import FunctionTargets
from svge_core.files import LockHeldError, exclusive
from svge_core.models import DEFAULTS, GraphVAE, ModelConfig, build_model
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.tensors import CellBatch, whole_space
from svge_core.threads import between_steps
from svge_core.training.config import SAVE_EVERY_SECONDS, TrainConfig
from svge_core.training.drawn import DrawnCells, first_cells
from svge_core.training.state import FILE as STATE_FILE, restore_state, save_state
from svge_core.training.trainer import Trainer, TrainingStep, TrainRow

#: held by the process that trains into a folder
LOCK_FILE = "training.lock"
#: what was made with the weights that a run replaces
STALE_FILES, STALE_FOLDER = ("atlas.safetensors", "README.md"), "predictors"


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Attributes:
        folder: where the checkpoint was written.
        meta: its meta data; ``meta.history`` has one row per epoch.
        steps: of the whole run.
        resumed_at: steps that an earlier, interrupted run had done; 0 for a run from the beginning.
    """

    folder: Path
    meta: CheckpointMeta
    steps: int
    resumed_at: int


def train(
    space: AbstractSearchSpace | str,
    folder: str | Path,
    model_config: ModelConfig | None = None,
    config: TrainConfig | None = None,
    *,
    model: str = "svge",
    initial: str | Path | None = None,
    fresh: bool = False,
    device: str = "auto",
    save_every: float = SAVE_EVERY_SECONDS,
    command: str = "",
    on_row: Callable[[TrainRow], object] | None = None,
    on_step: Callable[[TrainingStep], object] | None = None,
) -> TrainedRun:
    """Train to the end and write a checkpoint folder.

    Called again, a run goes on: after a kill from its last save, after a request to end (Ctrl-C, SIGTERM) from the step
    that was done by then.

    Args:
        space: the search space or its name.
        folder: of the checkpoint; made where it is not there.
        model_config: size and objective; those that the kind of model starts from by default.
        config: optimisation.
        model: kind of model, a key of :data:`svge_core.models.DEFAULTS`.
        initial: folder of a checkpoint of the same space and model whose weights the run starts from.
        fresh: begin anew where the folder holds a finished checkpoint or an interrupted run.
        device: auto, cpu, cuda or mps.
        save_every: seconds between saves of the run's state.
        command: that makes the checkpoint again, for its model card; by default the call of this function.
        on_row: told the row of every finished epoch.
        on_step: told where the run stands, before the first step and after each.

    Raises:
        SvgeError: if the folder holds a finished checkpoint, another process trains into it, the settings do not fit,
            the device has no bfloat16 in hardware that was asked for, or the loss is not finite.
        CheckpointError: if an interrupted run there is damaged or has other settings.
    """
    space, folder, chosen = get_space(space), Path(folder), pick_device(device)
    model_config = model_config or DEFAULTS.get(model, ModelConfig())
    config = config or TrainConfig()
    if config.precision == "bfloat16" and not has_bfloat16(chosen):
        raise SvgeError(
            f"bfloat16 is computed by software on this machine's {chosen.type}, slower by orders of magnitude: train "
            "with float32.",
            settings=("precision",),
        )
    if config.only_decoder and initial is None:
        raise SvgeError(
            "An encoder that is not trained has to come from somewhere: name the checkpoint to start from.",
            settings=("initial",),
        )
    if model_config.function:  # what cannot be is refused before a folder is made
        FunctionTargets.of(space, model_config.function_targets, model_config.function)
    with _sole(folder):
        if (folder / META).is_file() and not (folder / STATE_FILE).is_file() and not fresh:
            raise SvgeError(
                f"{folder} holds a finished checkpoint: choose another folder, or say that it may be replaced.",
                settings=("name", "fresh"),
            )
        cells, held_out = _training_cells(space, config, chosen)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = build_model(model, space, model_config).to(chosen)
        source = start_from(Path(initial), network, config) if initial is not None else {}
        trainer = Trainer(network, cells, config)
        trainer.initial = str(source.get("initial_weights", ""))
        if fresh:
            (folder / STATE_FILE).unlink(missing_ok=True)
        history = restore_state(folder, trainer)
        resumed_at = trainer.step
        _run(trainer, folder, history, save_every, on_row, on_step)
        meta = CheckpointMeta(
            space=space.name,
            config=model_config,
            training=config.to_dict(),
            data_digest=data_digest(first_cells(cells)),
            data_count=len(cells) * (1 if space.enumerated else max(config.epochs, source.get("initial_longest", 0))),
            held_out_count=held_out,
            command=command or _call(space.name, folder, model_config, config, model, initial),
            history=history,
            model=model,
            environment={
                "svge_core": __version__,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
                "device": str(chosen),
                "threads": torch.get_num_threads(),
                "parameters": sum(p.numel() for p in network.parameters()),
                **source,
            },
        )
        for stale in STALE_FILES:
            (folder / stale).unlink(missing_ok=True)
        shutil.rmtree(folder / STALE_FOLDER, ignore_errors=True)
        save_checkpoint(folder, network, meta)
        (folder / STATE_FILE).unlink(missing_ok=True)
        return TrainedRun(folder, meta, trainer.total_steps, resumed_at)


def _call(
    space: str, folder: Path, model_config: ModelConfig, config: TrainConfig, model: str, initial: str | Path | None
) -> str:
    """The call that trains the same again; of folders the names alone."""
    first = "" if initial is None else f", initial={Path(initial).name!r}"
    return f"svge_core.train({space!r}, {folder.name!r}, {model_config}, {config}, {model=}{first})"


@contextmanager
def _sole(folder: Path) -> Iterator[None]:
    """Nobody else trains into the folder meanwhile: the later one would replace the earlier one's weights."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive(folder / LOCK_FILE, wait=False):
            try:
                yield
            finally:
                if not (folder / STATE_FILE).exists():  # else the next process waits for this file, too
                    (folder / LOCK_FILE).unlink(missing_ok=True)
    except LockHeldError:
        raise SvgeError(
            f"{folder} is being trained by another process: wait for it, stop it, or choose another folder.",
            settings=("name",),
        ) from None
    finally:
        with suppress(OSError):
            for each in made:
                each.rmdir()  # only where nothing was written


def _training_cells(
    space: AbstractSearchSpace, config: TrainConfig, device: torch.device
) -> tuple[CellBatch | DrawnCells, int]:
    """What is trained on, and how many cells of the space never are."""
    if not space.enumerated:
        return DrawnCells(space, config), round((space.size or 0) * config.held_out)
    cells = whole_space(space)
    split = split_cells(len(cells), config.held_out, config.seed)
    return cells.select(split.train).to(device), len(split.held_out)


def _run(
    trainer: Trainer,
    folder: Path,
    history: list[dict[str, Any]],
    save_every: float,
    on_row: Callable[[TrainRow], object] | None,
    on_step: Callable[[TrainingStep], object] | None,
) -> None:
    """Step by step to the end; epochs are added to ``history``, the state is saved beside them."""
    if on_step is not None:
        on_step(TrainingStep(trainer.step, trainer.total_steps, None))
    saved = time.monotonic()
    with between_steps() as leave:
        for progress in trainer.steps():
            if on_step is not None:
                on_step(progress)
            if progress.row is not None:
                history.append(asdict(progress.row))
                if on_row is not None:
                    on_row(progress.row)
            if time.monotonic() - saved > save_every:
                save_state(folder, trainer, history)
                saved = time.monotonic()
            try:
                leave()
            except KeyboardInterrupt:
                save_state(folder, trainer, history)
                raise


def start_from(folder: Path, model: GraphVAE, config: TrainConfig) -> dict[str, Any]:
    """Copy the weights of a checkpoint; returns where they came from, for the new one's meta data."""
    found = load_checkpoint(folder, device=model.device, space=model.space.name)
    objective = {"beta", "posterior_noise", "edge_reduction"}  # may change; the weights fit all the same
    theirs = {"model": found.meta.model, **found.meta.config.to_dict()}
    own = {"model": model.kind, **model.config.to_dict()}
    if different := [k for k, v in own.items() if theirs[k] != v and k not in objective]:
        raise SvgeError(f"{folder} has another model: {', '.join(different)} differ. Give the same settings.")
    # else cells held out here would have been trained on there, or it would not be known which were
    for name in ("seed", "held_out", *(() if model.space.enumerated else ("cells_per_epoch",))):
        if found.meta.training.get(name) != getattr(config, name):
            raise SvgeError(
                f"{folder} was trained with {name} {found.meta.training.get(name)}, not {getattr(config, name)}: its "
                "cells are others. Give the same value."
            )
    load_weights(model, found.model.state_dict(), str(folder))
    return {
        "initial_weights": found.digest,
        "initial_commands": json.dumps(found.meta.commands),
        "initial_epochs": found.meta.total_epochs,
        "initial_longest": found.meta.longest_run,
        "initial_cpu_seconds": None if math.isnan(found.meta.total_cpu_seconds) else found.meta.total_cpu_seconds,
    }
