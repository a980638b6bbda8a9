"""``extrapolation.json`` beside a checkpoint: the table, points for a chart, and ranked cells outside the space."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data.labels import Labels
from svge_core.data.scores import ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.extrapolation import MEASURES, SEEN_VERTICES, one_draw, points, split_by_size, table
from svge_core.extrapolation_cells import (
    Candidate,
    best_first,
    larger_enas,
    larger_nasbench101,
    predict_larger,
    shared_scaling,
)
from svge_core.files import write_atomically
from svge_core.predictors import SINGLE_RUN
from svge_core.spaces import AbstractSearchSpace, ENASMacro
from svge_core.spaces.nasbench101 import NASBench101
from svge_core.spaces.nasbench101_extended import ExtendedNASBench101
from svge_core.surrogates import StructureSurrogate

FILE = "extrapolation.json"
FORMAT_VERSION = 1
MAX_BYTES = 200_000


@dataclass(frozen=True)
class ExtrapolationConfig:
    """How much is drawn, fitted and kept; all of it is written into the file."""

    labels: int = 1_000
    """Labels of small cells that a draw fits on (as many as SVGe's predictor was given)."""
    held_out: int = 2_000
    """Most held-out cells of each side in a draw."""
    draws: int = 10
    """Draws, with seeds 0, 1, ..."""
    level: float = 0.9
    """Of the interval."""
    fit_labels: int = 4_236
    """Most labels, of all sizes, that the ranking of larger cells is fitted on."""
    searched: int = 4_000
    """Random cells of the known space among which the best predicted ones are looked for."""
    best: int = 20
    """Best predicted cells of the known space that the larger ones are made from."""
    per_latent: int = 20
    """Decodings of each of them (NAS-Bench-101)."""
    mutants: int = 2
    """Mutants of each grown cell (ENAS)."""
    drawn: int = 300
    """Random cells of the larger space, for comparison."""
    shown: int = 20
    """Ranked cells that are kept."""
    max_edges: int = 9
    """Most edges of a cell of eight vertices (NAS-Bench-101)."""


@dataclass(frozen=True)
class LargerCell:
    """A ranked cell; its score is predicted."""

    cell: Cell
    origin: str
    mean: float
    low: float
    high: float
    params_m: float


@dataclass(frozen=True)
class Extrapolation:
    """What the file holds, checked.

    Attributes:
        content: everything as it was written.
        meaning: what the score is.
        table: a row per predictor and side.
        points: held-out cells of the first draw.
        space: the space of the ranked cells.
        ranked: from the best predicted one on.
        reference: the best predicted cell of the known space, by the same surrogate.
    """

    content: dict[str, Any]
    meaning: ScoreMeaning
    table: list[dict[str, Any]]
    points: list[dict[str, Any]]
    space: AbstractSearchSpace
    ranked: list[LargerCell]
    reference: LargerCell


def larger_space(name: str, max_edges: int = 9) -> AbstractSearchSpace:
    """The larger space of a known one.

    Raises:
        SvgeError: if there is none.
    """
    if name == NASBench101.name:
        return ExtendedNASBench101(max_edges)
    if name == "enas6":
        return ENASMacro(12)
    raise SvgeError(f"There is no larger space of {name}: extrapolation goes from nasbench101 and from enas6.")


def extrapolate(
    checkpoint: Checkpoint,
    meaning: ScoreMeaning,
    judged: Labels,
    known: Labels,
    config: ExtrapolationConfig,
    *,
    command: str,
    on_step: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure extrapolation and rank larger cells.

    Args:
        judged: labels that the table is made of.
        known: labels that the ranking is fitted on.
        command: that does it again.
        on_step: told what is done next.

    Returns:
        what :func:`save` writes.
    """
    space = checkpoint.model.space
    larger_space(space.name, config.max_edges)  # a space without a larger one is said before the work
    split = split_by_size(space, judged.indices)
    draws = []
    for seed in range(config.draws):
        on_step(f"draw {seed + 1} of {config.draws}")
        draws.append(
            one_draw(
                space, meaning, judged,
                labels=config.labels, held_out=config.held_out, seed=seed, level=config.level,
            )
        )  # fmt: skip
    on_step("larger cells")
    return {
        "format_version": FORMAT_VERSION,
        "checkpoint": checkpoint.digest,
        "space": space.name,
        "meaning": meaning.to_dict(),
        "config": asdict(config),
        "command": command,
        "inside": split.inside_words,
        "outside": split.outside_words,
        "judged_on": {"inside": int(split.inside.sum()), "outside": int(split.outside.sum())},
        "table": table(draws, config.labels),
        "draws": [[{"predictor": p, "side": s, **row} for (p, s), row in draw.rows.items()] for draw in draws],
        "points": points(draws[0]),
        "larger": ranked(checkpoint, meaning, known, config),
    }


def ranked(
    checkpoint: Checkpoint, meaning: ScoreMeaning, known: Labels, config: ExtrapolationConfig, seed: int = 0
) -> dict[str, Any]:
    """Larger cells by the surrogate fitted on labels of the known space."""
    space, rng = checkpoint.model.space, np.random.default_rng(seed)
    larger = larger_space(space.name, config.max_edges)
    rows = np.sort(rng.permutation(len(known.indices))[: config.fit_labels])
    surrogate = StructureSurrogate.fit(
        space, [space.from_index(int(index)) for index in known.indices[rows]], known.values[rows],
        seed=seed, level=config.level, single_runs=meaning.seeds.startswith(SINGLE_RUN),
        scaling=shared_scaling(space, larger)[0],
    )  # fmt: skip
    if isinstance(larger, ExtendedNASBench101):
        candidates, reference = _from_seven_vertices(checkpoint, surrogate, meaning, larger, config, rng)
    else:
        assert isinstance(larger, ENASMacro)
        pool = [space.random_cell(rng) for _ in range(config.searched)]
        best = _best(surrogate, meaning, pool, config.best)
        candidates = larger_enas(best, larger, mutants=config.mutants, drawn=config.drawn, seed=seed)
        reference = best[0]
    found = predict_larger(surrogate, larger, [c.cell for c in candidates])
    mean, low, high = found.mean, found.low, found.high
    order = best_first(mean, meaning.direction)
    best_of = max if meaning.direction == "max" else min
    origins = []
    for origin in dict.fromkeys(c.origin for c in candidates):
        means = mean[[row for row, c in enumerate(candidates) if c.origin == origin]]
        origins.append(
            {"origin": origin, "cells": len(means), "best": float(best_of(means)), "median": float(np.median(means))}
        )
    own = surrogate.predict([reference])
    return {
        "title": larger.title,
        "fitted_on": len(rows),
        "features": int(np.count_nonzero(surrogate.scaling.scale)),
        "labels_range": [float(known.values[rows].min()), float(known.values[rows].max())],
        "distinct": len(candidates),
        "origins": origins,
        "reference": _row(space, reference, "known space", float(own.mean[0]), float(own.low[0]), float(own.high[0])),
        "best": [
            _row(larger, candidates[i].cell, candidates[i].origin, *map(float, (mean[i], low[i], high[i])))
            for i in order[: config.shown]
        ],
    }


def _from_seven_vertices(
    checkpoint: Checkpoint,
    surrogate: StructureSurrogate,
    meaning: ScoreMeaning,
    larger: ExtendedNASBench101,
    config: ExtrapolationConfig,
    rng: np.random.Generator,
) -> tuple[list[Candidate], Cell]:
    """Candidates, and the best predicted cell of seven vertices.

    A new vertex needs two edges, so cells are grown from the best ones that have room for them.
    """
    space = checkpoint.model.space
    indices = rng.choice(space.size or 0, size=min(12 * config.searched, space.size or 0), replace=False)
    found = space.arrays(indices)
    large, edges = found.sizes > SEEN_VERTICES, found.adjacency.sum((1, 2))
    whole = indices[large][: config.searched]
    roomy = indices[large & (edges <= larger.max_edges - 2)][: config.searched // 2]
    best, with_room = (
        _best(surrogate, meaning, [space.from_index(int(index)) for index in part], config.best)
        for part in (whole, roomy)
    )
    candidates = larger_nasbench101(
        checkpoint.model, best, with_room, larger, per_latent=config.per_latent, drawn=config.drawn, seed=surrogate.seed
    )
    return candidates, best[0]


def _best(surrogate: StructureSurrogate, meaning: ScoreMeaning, cells: list[Cell], count: int) -> list[Cell]:
    order = best_first(surrogate.predict(cells).mean, meaning.direction)
    return [cells[row] for row in order[:count]]


def _row(space: AbstractSearchSpace, cell: Cell, origin: str, mean: float, low: float, high: float) -> dict[str, Any]:
    return {
        "cell": space.format(space.canonical(cell)),
        "origin": origin,
        "mean": float(mean),
        "low": float(low),
        "high": float(high),
        "params_m": space.cost(cell).params_m,
    }


def save(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``extrapolation.json`` whole or not at all.

    Raises:
        DataError: if it would be larger than a page should read.
    """
    text = (json.dumps(content, allow_nan=False, separators=(",", ":")) + "\n").encode()
    if len(text) > MAX_BYTES:
        raise DataError(f"{FILE} would have {len(text):,} bytes, more than {MAX_BYTES:,}: keep fewer cells.")
    write_atomically(folder / FILE, text)
    return folder / FILE


def load(folder: Path, space: AbstractSearchSpace) -> Extrapolation | None:
    """Read and check the file; None where there is none.

    Raises:
        CheckpointError: if it is damaged, too large, or of another version or space; the message names the field.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path.name} is larger than {MAX_BYTES:,} bytes. Make it again with 'extrapolate'.")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged ({error}). Make it again with 'extrapolate'.") from None
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        found = content.get("format_version") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path.name}: 'format_version' is {found!r}, this version reads {FORMAT_VERSION}.")
    if content.get("space") != space.name:
        raise CheckpointError(f"{path.name}: 'space' is {content.get('space')!r}, the checkpoint's is {space.name!r}.")
    try:
        larger = larger_space(space.name, content["config"]["max_edges"])
        rows = [_checked(row, ("predictor", "side", "labels", "held_out"), MEASURES) for row in content["table"]]
        dots = [_checked(row, ("side",), ("measured", "predicted", "counted")) for row in content["points"]]
        part = content["larger"]
        for name in ("title", "fitted_on", "distinct", "origins", "labels_range"):
            part[name]
        for name in ("checkpoint", "command", "inside", "outside", "judged_on"):
            content[name]
        best = [_larger(larger, row) for row in part["best"]]
        return Extrapolation(
            content, meaning_from_dict(content["meaning"]), rows, dots, larger, best, _larger(space, part["reference"])
        )
    except (SvgeError, KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{path.name} is damaged: {what}. Make it again with 'extrapolate'.") from None


def _checked(row: dict[str, Any], texts: tuple[str, ...], numbers: tuple[str, ...]) -> dict[str, Any]:
    for name in texts:
        row[name]
    for name in numbers:
        if row[name] is not None:
            float(row[name])
    return row


def _larger(space: AbstractSearchSpace, row: dict[str, Any]) -> LargerCell:
    numbers = (float(row[name]) for name in ("mean", "low", "high", "params_m"))
    return LargerCell(space.parse(row["cell"]), str(row["origin"]), *numbers)
