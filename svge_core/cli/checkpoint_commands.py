"""Commands that make or measure a checkpoint: train, evaluate, atlas, fit, card."""

import argparse
import json
import platform
import shutil
import sys
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from svge_core import __version__
from svge_core.atlas import CHARTED
from svge_core.checkpoints import (
    META,
    CheckpointMeta,
    MetricRow,
    data_digest,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    update_metrics,
)
from svge_core.cli.common import (
    add_checkpoint,
    add_command,
    add_device,
    add_fields,
    command_line,
    config_from,
    emit,
    open_model,
    use_threads,
    whole_number,
)
from svge_core.data import split_cells
from svge_core.devices import pick_device
from svge_core.errors import SvgeError
from svge_core.evaluation import percent
from svge_core.files import to_plain
from svge_core.models import MODELS, GraphVAE, ModelConfig, build_model
from svge_core.spaces import SPACES, get_space
from svge_core.tensors import whole_space
from svge_core.training import (
    FILE as STATE_FILE,
    DrawnCells,
    TrainConfig,
    Trainer,
    first_cells,
    restore_state,
    save_state,
)

SAVE_EVERY_SECONDS = 30.0


def register(commands: Any) -> None:
    """Add the commands."""
    parser = add_command(commands, "train", train, "Train a model; resumes by itself after a kill.")
    parser.add_argument("--space", default="nasbench201", choices=sorted(SPACES), help="search space")
    parser.add_argument("--name", default="svge", help="name of the checkpoint (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"), help="root folder (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="ignore and overwrite an unfinished run")
    parser.add_argument(
        "--initial", type=Path, metavar="DIR", help="start from the weights of this checkpoint (same space and model)"
    )
    parser.add_argument(
        "--save-every", type=float, default=SAVE_EVERY_SECONDS, metavar="SECONDS", help="(default: %(default)s)"
    )
    add_device(parser)
    models = parser.add_argument_group("model", f"defaults are SVGe's; others differ in: {_other_defaults()}")
    models.add_argument("--model", default="svge", choices=sorted(MODELS), help="(default: %(default)s)")
    add_fields(models, ModelConfig, typed_only=True)
    add_fields(parser, TrainConfig)
    parser = add_command(
        commands, "evaluate", evaluate, "Reconstruction, validity, uniqueness and novelty of a checkpoint."
    )
    add_checkpoint(parser)
    parser.add_argument("--seed", type=whole_number(0), default=0, help="sampling seed (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="do not store the results in meta.json")
    parser = add_command(commands, "atlas", atlas, "Encode the space, or a sample of it, and lay out its 2-D maps.")
    add_checkpoint(parser)
    parser.add_argument(
        "--charted",
        type=whole_number(3),
        default=CHARTED,
        help="size of the sample of a space that is too large to list (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=whole_number(0), default=1, help="of UMAP and of the sample (default: %(default)s)"
    )
    parser = add_command(commands, "fit", fit, "Fit the predictors of one score on a random set of labels.")
    add_checkpoint(parser)
    parser.add_argument("--score", default="cifar10_valid", help="score to predict (default: %(default)s)")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="take labels from the column --score of a CSV file (with --meaning)"
    )
    parser.add_argument("--meaning", type=Path, metavar="JSON", help="what the labels of --csv are")
    parser.add_argument(
        "--labels", type=whole_number(2), default=781, help="number of labelled cells (default: %(default)s, 5 %%)"
    )
    parser.add_argument(
        "--seed", type=whole_number(0), default=1, help="draws the labelled cells (default: %(default)s)"
    )
    parser = add_command(commands, "card", card, "Write the model card of a checkpoint from its meta data.")
    add_checkpoint(parser)


def train(arguments: argparse.Namespace) -> int:
    """Train to the end, saving every half minute; a rerun of the same command goes on from the last save."""
    use_threads(arguments)
    device = pick_device(arguments.device)
    space = get_space(arguments.space)
    typed = {item.name for item in fields(ModelConfig)} & set(vars(arguments))
    model_config = replace(MODELS[arguments.model].defaults, **{name: getattr(arguments, name) for name in typed})
    config: TrainConfig = config_from(arguments, TrainConfig)
    folder = arguments.out / space.name / arguments.name
    if (folder / META).is_file() and not (folder / STATE_FILE).is_file() and not arguments.fresh:
        raise SvgeError(f"{folder} holds a finished checkpoint: choose another --name, or replace it with --fresh.")
    if space.enumerated:
        cells = whole_space(space)
        split = split_cells(len(cells), config.held_out, config.seed)
        training_cells, held_out = cells.select(split.train).to(device), len(split.held_out)
    else:
        training_cells, held_out = DrawnCells(space, config), round((space.size or 0) * config.held_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = build_model(arguments.model, space, model_config).to(device)
    initial = start_from(arguments.initial, model, config) if arguments.initial is not None else {}
    trainer = Trainer(model, training_cells, config)
    trainer.initial = str(initial.get("initial_weights", ""))
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        (folder / STATE_FILE).unlink(missing_ok=True)
    history = restore_state(folder, trainer)
    if trainer.step:
        _event(arguments, {"event": "resumed", "step": trainer.step, "of": trainer.total_steps})
    saved = time.monotonic()
    bar = tqdm(
        total=trainer.total_steps, initial=trainer.step, unit="step", disable=arguments.json or not sys.stderr.isatty()
    )
    for progress in trainer.steps():
        bar.update(1)
        if progress.row is not None:
            history.append(asdict(progress.row))
            _event(arguments, {"event": "epoch", "of": config.epochs, **asdict(progress.row)})
        if time.monotonic() - saved > arguments.save_every:
            save_state(folder, trainer, history)
            saved = time.monotonic()
    bar.close()
    meta = CheckpointMeta(
        space=space.name,
        config=model_config,
        training=config.to_dict(),
        data_digest=data_digest(first_cells(training_cells)),
        data_count=len(training_cells) if space.enumerated else len(training_cells) * config.epochs,
        held_out_count=held_out,
        command=command_line(),
        history=history,
        model=arguments.model,
        environment={
            "svge_core": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": str(device),
            "threads": torch.get_num_threads(),
            "parameters": sum(p.numel() for p in model.parameters()),
            **initial,
        },
    )
    for stale in ("atlas.safetensors", "README.md"):  # of the weights that are replaced
        (folder / stale).unlink(missing_ok=True)
    shutil.rmtree(folder / "predictors", ignore_errors=True)
    save_checkpoint(folder, model, meta)
    (folder / STATE_FILE).unlink(missing_ok=True)
    _event(arguments, {"event": "done", "folder": str(folder)})
    return 0


def start_from(folder: Path, model: GraphVAE, config: TrainConfig) -> dict[str, Any]:
    """Copy the weights of a checkpoint; returns where they came from, for the new one's meta data."""
    found = load_checkpoint(folder, device=model.device, space=model.space.name)
    objective = {"beta", "posterior_noise", "edge_reduction"}  # may change; the weights fit all the same
    theirs = {"model": found.meta.model, **found.meta.config.to_dict()}
    own = {"model": model.kind, **model.config.to_dict()}
    if different := [k for k, v in own.items() if theirs[k] != v and k not in objective]:
        raise SvgeError(f"{folder} has another model: {', '.join(different)} differ. Give the same settings.")
    for name in ("seed", "held_out"):  # else cells held out here would have been trained on there
        if found.meta.training.get(name) != getattr(config, name):
            raise SvgeError(
                f"{folder} was trained with {name} {found.meta.training.get(name)}, not {getattr(config, name)}: its "
                "held-out cells are others. Give the same value."
            )
    load_weights(model, found.model.state_dict(), str(folder))
    return {
        "initial_weights": found.digest,
        "initial_command": found.meta.command,
        "initial_epochs": found.meta.training.get("epochs"),
        "initial_cpu_seconds": found.meta.history[-1]["cpu_seconds"] if found.meta.history else None,
    }


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure, print, and store the rows in the checkpoint's ``meta.json``."""
    from svge_core.evaluation import evaluate as measure, label

    checkpoint = open_model(arguments)
    bar = tqdm(unit="row", disable=arguments.json or not sys.stderr.isatty())

    def shown(row: MetricRow) -> None:
        bar.set_postfix_str(label(row))
        bar.update(1)

    rows = measure(checkpoint, seed=arguments.seed, on_row=shown)
    bar.close()
    if not arguments.dry_run:
        update_metrics(checkpoint, rows)
    text = "\n".join(f"{_row_text(row)}  {label(row)}" for row in rows)
    emit(arguments, to_plain(rows), text)
    return 0


def atlas(arguments: argparse.Namespace) -> int:
    """Build and store ``atlas.safetensors``."""
    from svge_core.atlas import build_atlas, save_atlas

    checkpoint = open_model(arguments)
    built = build_atlas(checkpoint, seed=arguments.seed, charted=arguments.charted)
    path = save_atlas(checkpoint.folder, built)
    count, size = len(built), checkpoint.model.space.size
    row = {"file": str(path), "cells": count, "of": size, "planes": list(built.planes)}
    emit(arguments, row, f"{path}: {count:,} of {size:,} cells")
    return 0


def fit(arguments: argparse.Namespace) -> int:
    """Fit and store the structure surrogate and the joint head of one score."""
    from svge_core.data import load_scores
    from svge_core.data.csv import read_labels, read_meaning
    from svge_core.predictors import fit_predictor

    use_threads(arguments)
    checkpoint = load_checkpoint(arguments.checkpoint, device=pick_device(arguments.device))
    if (arguments.csv is None) != (arguments.meaning is None):
        raise SvgeError("--csv and --meaning go together: labels from a file, and what they are.")
    if arguments.csv is not None:
        found = read_labels(arguments.csv, arguments.score, checkpoint.model.space)
        meaning, indices, values = read_meaning(arguments.meaning), found.indices, found.values
    else:
        scores = load_scores(checkpoint.meta.space)
        if arguments.score not in scores.meanings:
            raise SvgeError(f"Unknown score {arguments.score!r}: expected one of {', '.join(scores.meanings)}.")
        values = scores.frame[arguments.score].to_numpy(dtype=float)
        meaning, indices = scores.meaning(arguments.score), np.arange(len(values))
    info = fit_predictor(
        checkpoint, meaning, indices, values, labels=arguments.labels, seed=arguments.seed, command=command_line()
    )
    shown = {name: value for name, value in to_plain(info).items() if name != "training_indices"}
    emit(arguments, shown, f"fitted {meaning.key} on {info.labels} labels (seed {info.seed})")
    return 0


def _row_text(row: MetricRow) -> str:
    if row.of is None:
        return f"{row.value:9.4f}  {row.unit}, n = {row.n:,}"
    value = "-" if row.value is None else percent(row.value)
    return f"{value:>9}  {row.count:>7,} of {row.of:>7,}"


def card(arguments: argparse.Namespace) -> int:
    """Write ``README.md`` in the checkpoint's folder."""
    from svge_core.evaluation import write_card

    path = write_card(open_model(arguments))
    emit(arguments, {"file": str(path)}, f"wrote {path}")
    return 0


def _other_defaults() -> str:
    """Where the models' default settings differ from SVGe's, in words."""
    usual, parts = MODELS["svge"].defaults.to_dict(), []
    for name, kind in MODELS.items():
        own = [f"{key} {value}" for key, value in kind.defaults.to_dict().items() if value != usual[key]]
        if own:
            parts.append(f"{name} ({', '.join(own)})")
    return "; ".join(parts)


def _event(arguments: argparse.Namespace, event: dict[str, Any]) -> None:
    """One line per event: JSON for machines, words for people."""
    if arguments.json:
        sys.stdout.write(json.dumps(event) + "\n")
    elif event["event"] == "epoch":
        tqdm.write(
            f"epoch {event['epoch']}/{event['of']}  loss {event['loss']:.4f}  types {event['types']:.4f}  "
            f"edges {event['edges']:.4f}  KL {event['kl']:.2f}  {event['cpu_seconds']:.0f} CPU-s"
        )
    elif event["event"] == "resumed":
        tqdm.write(f"resumed at step {event['step']} of {event['of']}")
    else:
        tqdm.write(f"wrote {event['folder']}")
    sys.stdout.flush()
