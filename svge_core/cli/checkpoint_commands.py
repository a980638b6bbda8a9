"""Commands that make or measure a checkpoint: train, evaluate, atlas, fit, card."""

import argparse
import sys
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from svge_core import api, training
from svge_core.checkpoints import MetricRow
from svge_core.checks import file_name
from svge_core.cli.common import command_line, config_from, emit, json_line, open_model, refuse_unused, use_threads
from svge_core.cli.options import FIT_LABELS, FIT_SEED
from svge_core.cli.waiting import counted
from svge_core.data import ScoreMeaning, direction_of
from svge_core.errors import SvgeError
from svge_core.evaluation import label, percent
from svge_core.files import to_plain
from svge_core.models import DEFAULTS, ModelConfig
from svge_core.predictors import FEWEST_LABELS, HeldOut, PredictorInfo
from svge_core.training import TrainConfig, TrainingStep


def train(arguments: argparse.Namespace) -> int:
    """Train to the end, saving every half minute; a rerun of the same command goes on from the last save."""
    use_threads(arguments)
    typed = {item.name for item in fields(ModelConfig)} & set(vars(arguments))
    model_config = replace(DEFAULTS[arguments.model], **{name: getattr(arguments, name) for name in typed})
    config: TrainConfig = config_from(arguments, TrainConfig)
    bar: Any = None

    def step(progress: TrainingStep) -> None:
        nonlocal bar
        if bar is not None:
            bar.update(1)
            return
        if progress.step:
            _event(arguments, {"event": "resumed", "step": progress.step, "of": progress.total_steps})
        hidden = arguments.json or not sys.stderr.isatty()
        bar = tqdm(total=progress.total_steps, initial=progress.step, unit="step", disable=hidden)

    run = training.train(
        arguments.space,
        arguments.out / arguments.space / file_name("The name", arguments.name),
        model_config,
        config,
        model=arguments.model,
        initial=arguments.initial,
        fresh=arguments.fresh,
        device=arguments.device,
        save_every=arguments.save_every,
        command=command_line(),
        on_row=lambda row: _event(arguments, {"event": "epoch", "of": config.epochs, **asdict(row)}),
        on_step=step,
    )
    bar.close()
    _event(arguments, {"event": "done", "folder": str(run.folder)})
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure, print, and store the rows in the checkpoint's ``meta.json``."""
    model = api.Model(open_model(arguments))
    bar = tqdm(unit="row", disable=arguments.json or not sys.stderr.isatty())

    def shown(row: MetricRow) -> None:
        bar.set_postfix_str(label(row))
        bar.update(1)

    with counted(arguments):
        rows = api.evaluate(model, seed=arguments.seed, store=not arguments.dry_run, on_row=shown)
    bar.close()
    text = "\n".join(f"{_row_text(row)}  {label(row)}" for row in rows)
    emit(arguments, to_plain(rows), text)
    return 0


def atlas(arguments: argparse.Namespace) -> int:
    """Build and store ``atlas.safetensors``."""
    from svge_core.atlas import build_atlas, save_atlas

    checkpoint = open_model(arguments)
    if checkpoint.model.space.enumerated:
        refuse_unused(arguments, ("charted",), f"Every cell of {checkpoint.model.space.title} is in its atlas")
    with counted(arguments):
        built = build_atlas(checkpoint, seed=arguments.seed, charted=arguments.charted)
    path = save_atlas(checkpoint.folder, built)
    count, size = len(built), checkpoint.model.space.size
    row = {"file": str(path), "cells": count, "of": size, "planes": list(built.planes)}
    emit(arguments, row, f"{path}: {count:,}{'' if size is None else f' of {size:,}'} cells")
    return 0


def fit(arguments: argparse.Namespace) -> int:
    """Fit and store the structure surrogate and the joint head of one score, or the intervals alone."""
    from svge_core.data import load_scores
    from svge_core.data.csv import read_labels, read_meaning
    from svge_core.predictors import fit_predictor, refit_intervals, replaced_by

    if arguments.intervals:
        refuse_unused(
            arguments, ("labels", "seed"), "The intervals are fitted again on the predictor's own labels and seed"
        )
    checkpoint = open_model(arguments)
    space = checkpoint.model.space
    if (arguments.csv is None) != (arguments.meaning is None):
        raise SvgeError("--csv and --meaning go together: labels from a file, and what they are.")
    if arguments.csv is not None:
        if arguments.score is None:
            raise SvgeError("Which column of the file are the labels? Name it with --score.")
        meaning, found = read_meaning(arguments.meaning), read_labels(arguments.csv, arguments.score, space)
        indices, values = found.indices, found.values
        column, remarks = found.column, [*found.remarks, *against_the_name(meaning, found.column)]
    else:
        scores = load_scores(space)
        score = arguments.score or next((key for key, m in scores.meanings.items() if m.kind == "measured"), None)
        if score is None:
            raise SvgeError(f"{space.title} has no measured scores here: give labels with --csv.")
        meaning, values = scores.meaning(score), scores.frame[score].to_numpy(dtype=float)
        indices, column, remarks = np.arange(len(values)), score, []
    replaced = None
    if arguments.intervals:
        info, fitted = refit_intervals(checkpoint, meaning, indices, values), "fitted the intervals of"
    else:
        replaced = replaced_by(checkpoint.folder, meaning, column)
        info = fit_predictor(
            checkpoint,
            meaning,
            indices,
            values,
            labels=arguments.labels or (FIT_LABELS if arguments.csv is None else min(FIT_LABELS, len(values))),
            seed=FIT_SEED if arguments.seed is None else arguments.seed,
            command=command_line(),
            column=column,
            cross_validate=arguments.csv is not None,
        )
        fitted = "fitted"
    shown = {name: value for name, value in to_plain(info).items() if name != "training_indices"}
    lines = [*remarks, *([] if replaced is None else [f"replaced {replaced}"])]
    lines.append(f"{fitted} {meaning.key} on {info.labels} labels (seed {info.seed})")
    lines += _judged(info, meaning.unit, own=arguments.csv is not None)
    emit(arguments, {**shown, "replaced": to_plain(replaced), "remarks": remarks}, "\n".join(lines))
    return 0


def _judged(info: PredictorInfo, unit: str, *, own: bool) -> list[str]:
    """How well labels are predicted that were not fitted on, and how many of them lie inside the intervals."""

    def said(found: HeldOut) -> str:
        inside = f"{round((found.coverage or 0) * found.of):,} of {found.of:,} inside the {info.level:.0%} interval"
        tau = "no rank" if found.kendall_tau is None else f"Kendall tau {found.kendall_tau:.3f}"
        width = "" if found.mean_width is None else f", {found.mean_width:.3g}{unit and ' '}{unit} wide on average"
        error = "" if found.rmse is None else f", RMSE {found.rmse:.3g}{unit and ' '}{unit}"
        return f"{inside} ({percent(found.coverage or 0)}){width}; {tau}{error}"

    lines = []
    if (held := info.held_out.get("surrogate")) is not None:
        lines.append(f"  held-out labels: {said(held)}")
    if info.cross_validated is not None:
        lines.append(f"  cross-validated, each fifth by a fit on the others: {said(info.cross_validated)}")
    if own and not lines:
        lines.append(f"  too few labels to say how often the intervals are right: {FEWEST_LABELS} or more are needed")
    return lines


def against_the_name(meaning: ScoreMeaning, column: str) -> list[str]:
    """A remark where a column's name says another direction than its meaning, which counts; otherwise none."""
    said = direction_of(column)
    if said in (None, meaning.direction):
        return []
    word = {"max": "more", "min": "less"}
    return [f"Column {column!r} is named as if {word[said]} were better; its meaning says {word[meaning.direction]}."]


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


def _event(arguments: argparse.Namespace, event: dict[str, Any]) -> None:
    """One line per event: JSON for machines, words for people."""
    if arguments.json:
        sys.stdout.write(json_line(event) + "\n")
    elif event["event"] == "epoch":
        function = f"function {event['function']:.4f}  " if event["function"] else ""
        tqdm.write(
            f"epoch {event['epoch']}/{event['of']}  loss {event['loss']:.4f}  types {event['types']:.4f}  "
            f"edges {event['edges']:.4f}  {function}KL {event['kl']:.2f}  {event['cpu_seconds']:.0f} CPU-s"
        )
    elif event["event"] == "resumed":
        tqdm.write(f"resumed at step {event['step']} of {event['of']}")
    else:
        tqdm.write(f"wrote {event['folder']}")
    sys.stdout.flush()
