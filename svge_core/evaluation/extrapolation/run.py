"""All of extrapolation for one checkpoint: the table over several draws, and larger cells ranked by a surrogate."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels
from svge_core.evaluation.extrapolation.config import ExtrapolationConfig
from svge_core.evaluation.extrapolation.draws import one_draw, points, split_by_size, table
from svge_core.evaluation.extrapolation.file import (
    FORMAT_VERSION,
    ExtrapolationContent,
    LargerCells,
    OriginSummary,
    RankedCell,
    larger_space,
)
from svge_core.evaluation.extrapolation.larger_cells import (
    Candidate,
    best_first,
    larger_enas,
    larger_nasbench101,
    predict_larger,
    shared_scaling,
)
from svge_core.files import to_plain, to_record
from svge_core.predictors import StructureSurrogate
from svge_core.spaces import AbstractSearchSpace, ENASMacro, resolve
from svge_core.spaces.nasbench101 import SEEN_VERTICES, ExtendedNASBench101


def extrapolate(
    checkpoint: Checkpoint,
    meaning: ScoreMeaning,
    judged: Labels,
    known: Labels,
    config: ExtrapolationConfig,
    *,
    command: str,
    on_step: Callable[[str], None] = lambda text: None,
) -> ExtrapolationContent:
    """Measure extrapolation and rank larger cells.

    Args:
        checkpoint: the model, which is not fitted again.
        meaning: what the labels are.
        judged: labels that the table is made of.
        known: labels that the ranking is fitted on.
        config: how much is measured.
        command: that does it again.
        on_step: told what is done next.

    Returns:
        what :func:`save` writes.
    """
    space = checkpoint.model.space
    larger_space(space, config.max_edges)  # a space without a larger one is said before the work
    split = split_by_size(space, judged.indices)
    draws = []
    for seed in range(config.draws):
        on_step(f"draw {seed + 1} of {config.draws}")
        draws.append(
            one_draw(
                space,
                meaning,
                judged,
                labels=config.labels,
                held_out=config.held_out,
                seed=seed,
                level=config.level,
            )
        )
    on_step("larger cells")
    content = {
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
        "larger": rank_candidates(checkpoint, meaning, known, config),
    }
    return to_record(to_plain(content), ExtrapolationContent)


def rank_candidates(
    checkpoint: Checkpoint, meaning: ScoreMeaning, known: Labels, config: ExtrapolationConfig, seed: int = 0
) -> LargerCells:
    """Larger cells by the surrogate fitted on labels of the known space."""
    space, rng = checkpoint.model.space, np.random.default_rng(seed)
    larger = larger_space(space, config.max_edges)
    rows = np.sort(rng.permutation(len(known.indices))[: config.fit_labels])
    surrogate = StructureSurrogate.fit(
        space,
        [space.from_index(int(index)) for index in known.indices[rows]],
        known.values[rows],
        seed=seed,
        level=config.level,
        single_runs=meaning.single_run,
        scaling=shared_scaling(space, larger)[0],
    )
    growth = space.larger()
    assert growth is not None, "larger_space has raised"
    candidates, reference = resolve(growth.grow)(checkpoint, surrogate, meaning, larger, config, rng)
    found = predict_larger(surrogate, larger, [c.cell for c in candidates])
    mean, low, high = found.mean, found.low, found.high
    order = best_first(mean, meaning.direction)
    best_of = max if meaning.direction == "max" else min
    origins = []
    for origin in dict.fromkeys(c.origin for c in candidates):
        means = mean[[row for row, c in enumerate(candidates) if c.origin == origin]]
        best, middle = float(best_of(means)), float(np.median(means))
        origins.append(OriginSummary(origin=origin, cells=len(means), best=best, median=middle))
    own = surrogate.predict([reference])
    return LargerCells(
        title=larger.title,
        fitted_on=len(rows),
        features=int(np.count_nonzero(surrogate.scaling.scale)),
        labels_range=(float(known.values[rows].min()), float(known.values[rows].max())),
        distinct=len(candidates),
        origins=tuple(origins),
        reference=_row(space, reference, "known space", float(own.mean[0]), float(own.low[0]), float(own.high[0])),
        best=tuple(
            _row(larger, candidates[i].cell, candidates[i].origin, *map(float, (mean[i], low[i], high[i])))
            for i in order[: config.shown]
        ),
    )


def grow_layers(
    checkpoint: Checkpoint,
    surrogate: StructureSurrogate,
    meaning: ScoreMeaning,
    larger: ENASMacro,
    config: ExtrapolationConfig,
    rng: np.random.Generator,
) -> tuple[list[Candidate], Cell]:
    """Candidates of twice as many layers, and the best predicted cell that they were made from.

    Args:
        checkpoint: of the known space.
        surrogate: that ranks cells of both spaces.
        meaning: of what it predicts.
        larger: the larger space.
        config: how much is drawn and kept.
        rng: draws cells of the known space.
    """
    space = checkpoint.model.space
    pool = [space.random_cell(rng) for _ in range(config.searched)]
    best = _best(surrogate, meaning, pool, config.best)
    return larger_enas(best, larger, mutants=config.mutants, drawn=config.drawn, seed=surrogate.seed), best[0]


def grow_vertices(
    checkpoint: Checkpoint,
    surrogate: StructureSurrogate,
    meaning: ScoreMeaning,
    larger: ExtendedNASBench101,
    config: ExtrapolationConfig,
    rng: np.random.Generator,
) -> tuple[list[Candidate], Cell]:
    """The same for cells of one vertex more, from cells of seven; arguments as those of :func:`grow_layers`.

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


def _row(space: AbstractSearchSpace, cell: Cell, origin: str, mean: float, low: float, high: float) -> RankedCell:
    notation, size = space.format(space.canonical(cell)), space.cost(cell).params_m
    return RankedCell(cell=notation, origin=origin, mean=mean, low=low, high=high, params_m=size)
