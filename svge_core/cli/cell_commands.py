"""Commands that ask the model about architectures or latents, one or a file of them: encode, decode, predict."""

import argparse
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from svge_core.atlas import load_atlas
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.cli.cell_parts import (
    CellRow,
    csv_bytes,
    encode_cells,
    known_scores,
    name_cell,
    open_predictors,
    title,
    write_output,
)
from svge_core.cli.common import emit, json_line, open_model, refuse_unused
from svge_core.cli.reading import read_cells, read_latents
from svge_core.data import split_cells
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.evaluation import prior_latents
from svge_core.models import DecodeOptions, encode_all
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, to_batch, to_cells
from svge_core.training import DrawnCells, TrainConfig, first_cells

#: training cells of a space that is not listed whose latents scale samples of the prior
MAX_DRAWN = 20_000


def encode_command(arguments: argparse.Namespace) -> int:
    """Posterior mean and standard deviation of every architecture."""
    checkpoint = open_model(arguments)
    space = checkpoint.model.space
    given = read_cells(arguments, space)
    means, deviations = encode_cells(checkpoint, given.cells)
    rows = [
        {**name_cell(space, cell), "latent": mean.tolist(), "deviation": deviation.tolist()}
        for cell, mean, deviation in zip(given.cells, means, deviations, strict=True)
    ]
    document = {"checkpoint": checkpoint.digest, "space": space.name, "cells": rows}
    path: Path | None = arguments.out
    if path is None:
        lines = [f"{title(row)}\n  {' '.join(f'{value:.5f}' for value in row['latent'])}" for row in rows]
        emit(arguments, document, "\n".join(lines))
        return 0
    form = path.suffix.lower()
    if form == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, means, allow_pickle=False)
        content = buffer.getvalue()
    elif form == ".csv":
        names = [f"z{number}" for number in range(means.shape[1])]
        content = csv_bytes(
            [
                {**name_cell(space, c), **dict(zip(names, z.tolist(), strict=True))}
                for c, z in zip(given.cells, means, strict=True)
            ]
        )
    elif form == ".json":
        content = (json_line(document) + "\n").encode()
    else:
        raise SvgeError(f"Cannot write latents to {path.name!r}: expected .npy, .csv or .json.")
    return write_output(arguments, path, content, len(rows))


def decode_command(arguments: argparse.Namespace) -> int:
    """Decode latents from wherever they come."""
    checkpoint = open_model(arguments)
    model, space = checkpoint.model, checkpoint.model.space
    if not arguments.samples and not arguments.sample:
        refuse_unused(arguments, ("seed",), "Nothing is drawn without --samples N or --sample")
    seed = arguments.seed or 0
    latents = _latents(arguments, checkpoint, seed)
    options = DecodeOptions(arguments.direction, constrained=not arguments.raw, argmax=not arguments.sample)
    generator = torch.Generator(device=model.device).manual_seed(seed)
    cells = to_cells(space, decode(model, torch.from_numpy(latents), options, generator).to("cpu"))
    rows = [{**_decoded(space, cell), "latent": z.tolist()} for cell, z in zip(cells, latents, strict=True)]
    valid = sum(row["valid"] for row in rows)
    document = {
        "checkpoint": checkpoint.digest,
        "space": space.name,
        "options": {**vars(options), "seed": seed},
        "valid": {"count": valid, "of": len(rows)},
        "cells": rows,
    }
    lines = [title(row) if row["valid"] else f"not a member: {row['reason']}" for row in rows]
    path: Path | None = arguments.out
    if path is None:
        emit(arguments, document, "\n".join(lines))
        return 0
    form = path.suffix.lower()
    if form == ".json":
        content = (json_line(document) + "\n").encode()
    elif form == ".csv":
        columns = ("index", "arch_str", "valid", "reason")
        content = csv_bytes([{name: row[name] for name in columns} for row in rows])
    elif form == ".txt":
        content = "".join(f"{row['arch_str']}\n" for row in rows if row["valid"]).encode()
    else:
        raise SvgeError(f"Cannot write architectures to {path.name!r}: expected .json, .csv or .txt.")
    return write_output(arguments, path, content, len(rows))


def predict_command(arguments: argparse.Namespace) -> int:
    """Predictions with interval, the joint head's, and the measured value where it is known; each says what it is."""
    checkpoint = open_model(arguments)
    space = checkpoint.model.space
    given = read_cells(arguments, space)
    scores = known_scores(space)
    predictors, keys = open_predictors(checkpoint, arguments.score)
    if not keys:
        raise SvgeError(
            f"{checkpoint.folder} has no predictors. Fit one with: "
            f"python -m svge_core fit --checkpoint {checkpoint.folder}"
        )
    predicted = {key: predictors.predict(key, given.cells) for key in keys}
    used = {key: frozenset(predictors.training_indices(key).tolist()) for key in keys}
    rows: list[CellRow] = []
    for number, cell in enumerate(given.cells):
        values = scores.of(space.index(cell)) if space.enumerated else {}
        found = {}
        for key, prediction in predicted.items():
            one = prediction.row(number)
            found[key] = {
                "score": predictors.info(key).description,
                "predicted": {
                    "mean": one.mean,
                    "low": one.low,
                    "high": one.high,
                    "level": one.level,
                    "model": one.model,
                },
                "joint_head": one.joint,
                "measured": values.get(key),
                "label_was_used": space.enumerated and space.index(cell) in used[key],
            }
        rows.append({**name_cell(space, cell), "scores": found})
    document = {"checkpoint": checkpoint.digest, "space": space.name, "cells": rows}
    if arguments.out is not None:
        return write_output(arguments, arguments.out, (json_line(document) + "\n").encode(), len(rows))
    emit(arguments, document, "\n".join(_prediction_text(row) for row in rows))
    return 0


def _prediction_text(row: CellRow) -> str:
    lines = [title(row)]
    for key, score in row["scores"].items():
        one = score["predicted"]
        lines.append(f"  {key}: {score['score']}")
        interval = f"{one['low']:.3f} to {one['high']:.3f}, {100 * one['level']:.0f} % interval"
        lines.append(f"    predicted   {one['mean']:.3f}  ({interval}; {one['model']})")
        if score["joint_head"] is not None:
            lines.append(f"    predicted   {score['joint_head']:.3f}  (joint head of the model, no interval)")
        measured = "unknown" if score["measured"] is None else f"{score['measured']:.3f}"
        used = "  (this label was used to fit the predictors)" if score["label_was_used"] else ""
        lines.append(f"    measured    {measured}{used}")
    return "\n".join(lines)


def _latents(arguments: argparse.Namespace, checkpoint: Checkpoint, seed: int) -> np.ndarray:
    """Where the latents come from: exactly one of typed numbers, a file, a place on a map, samples of the prior."""
    model, space = checkpoint.model, checkpoint.model.space
    sources = (bool(arguments.latent), arguments.file is not None, arguments.plane is not None, bool(arguments.samples))
    if sum(sources) != 1 or (arguments.plane is None) != (arguments.xy is None):
        raise SvgeError("Give exactly one of: numbers, --file FILE, --plane MAP with --xy X Y, or --samples N.")
    if arguments.plane is not None:
        atlas = load_atlas(checkpoint, space)
        if arguments.plane not in atlas.planes:
            raise SvgeError(f"This checkpoint has no {arguments.plane!r} map: it has {', '.join(atlas.planes)}.")
        if not all(map(math.isfinite, arguments.xy)):
            raise SvgeError("A position on the map is two finite numbers.")
        x, y = arguments.xy
        return atlas.place(arguments.plane, (x, y)).latent[None]
    if arguments.samples:
        means, _ = encode_all(model, _trained_cells(space, TrainConfig.from_dict(checkpoint.meta.training)))
        return prior_latents(means, arguments.samples, torch.Generator().manual_seed(seed)).numpy()
    return read_latents(arguments, model.config.latent)


def _trained_cells(space: AbstractSearchSpace, training: TrainConfig) -> CellBatch:
    """Cells whose latents the prior's samples are scaled to: all that were trained on, or some that were drawn."""
    if not space.enumerated:
        few = replace(training, cells_per_epoch=min(training.cells_per_epoch, MAX_DRAWN))
        return first_cells(DrawnCells(space, few))
    cells = to_batch(space, list(space.enumerate()))
    return cells.select(split_cells(len(cells), training.held_out, training.seed).train)


def _decoded(space: AbstractSearchSpace, cell: Cell) -> CellRow:
    """A decoded graph as it came, and which member of the space it is, or why it is none."""
    graph = {"ops": list(cell.ops), "edges": [list(edge) for edge in cell.edges]}
    try:
        space.validate(cell)
    except InvalidCellError as reason:
        return {"valid": False, "reason": str(reason), "index": None, "arch_str": None, **graph}
    return {"valid": True, "reason": "", **name_cell(space, space.canonical(cell)), **graph}
