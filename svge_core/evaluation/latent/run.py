"""All measures of one checkpoint, gathered as plain values: what the command stores and the Model page shows."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from svge_core.atlas import FILE as ATLAS_FILE, Projection, chart_indices, encode_indices, load_atlas, nearest_spacings
from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels
from svge_core.evaluation.latent.collisions import close_share, copies, equivalents
from svge_core.evaluation.latent.content import FORMAT_VERSION, QualityContent
from svge_core.evaluation.latent.decoding import AgreementOverLatents, certainty, cycle, histogram
from svge_core.evaluation.latent.dimension import dimension
from svge_core.evaluation.latent.edit_run import measure_edits, untrained_model
from svge_core.evaluation.latent.edits import distances, flat_codes, slots
from svge_core.evaluation.latent.knn import measure_preservation
from svge_core.evaluation.latent.knn_run import Neighbourhoods, measure_neighbours
from svge_core.evaluation.latent.settings import QualityConfig
from svge_core.evaluation.metrics import Share, prior_latents
from svge_core.files import to_plain, to_record
from svge_core.tensors import index_batch

ScoreLabels = list[tuple[ScoreMeaning, Labels]]
#: cells of a larger chart whose nearest other cell is looked for among all
SPACED = 5_000
#: below this share of equal decodings a latent has no cell that most runs agree on
UNSURE = 0.5


@dataclass(frozen=True)
class Charted:
    """The cells that are looked at.

    Attributes:
        indices: official indices, ascending.
        latents: their posterior means.
        planes: maps, if there is an atlas.
        words: which cells these are.
    """

    indices: Int[np.ndarray, " cells"]
    latents: Float[np.ndarray, "cells latent"]
    planes: tuple[Projection, ...]
    words: str


def charted(checkpoint: Checkpoint, config: QualityConfig) -> Charted:
    """The atlas; without one, the cells it would chart, but of a listed space at most a sample.

    Raises:
        CheckpointError: if the atlas is damaged or of other weights.
    """
    space = checkpoint.model.space
    size = space.size or 0
    if (checkpoint.folder / ATLAS_FILE).is_file():
        atlas = load_atlas(checkpoint, space)
        indices, latents, planes = atlas.indices, np.asarray(atlas.latents), tuple(atlas.planes.values())
    else:
        indices = chart_indices(space, config.sample)
        rows = _sample(len(indices), config.sample, config.seed)
        indices, planes = indices[rows], ()
        latents = encode_indices(checkpoint.model, indices)
    count = len(indices)
    words = f"all {size:,} cells" if count == size else f"a random sample of {count:,} of {size:,} cells"
    return Charted(indices, latents, planes, words)


def _sample(cells: int, most: int, seed: int) -> Int[np.ndarray, " rows"]:
    """All rows, or a seeded sample in ascending order."""
    if cells <= most:
        return np.arange(cells)
    return np.sort(np.random.default_rng((seed, 11)).choice(cells, most, replace=False))


def measure(
    checkpoint: Checkpoint,
    labelled: ScoreLabels,
    config: QualityConfig,
    *,
    command: str,
    on_step: Callable[[str], None] = lambda text: None,
) -> QualityContent:
    """Measure everything.

    Args:
        checkpoint: the model, its cells and its maps.
        labelled: scores that are predicted by neighbours, with what they are.
        config: how much is measured.
        command: that does it again.
        on_step: told what is done next.

    Returns:
        what :func:`svge_core.evaluation.latent.file.save` writes.
    """
    model, space, began = checkpoint.model, checkpoint.model.space, time.monotonic()
    on_step("latents")
    cells = charted(checkpoint, config)
    rows = _sample(len(cells.indices), config.sample, config.seed)
    indices, latents = cells.indices[rows], cells.latents[rows]
    batch = index_batch(space, indices)
    forms = slots(batch)
    codes = flat_codes(forms)
    rng = np.random.default_rng((config.seed, 12))
    pairs = rng.integers(len(rows), size=(2, config.pairs))
    pairs = pairs[:, pairs[0] != pairs[1]]
    typical = float(np.median(distances(latents, pairs)))
    other = untrained_model(model, config.seed)
    on_step("edit distances")
    edits = measure_edits(model, other, forms, latents, batch, pairs, config)
    on_step("nearest neighbours")
    near = Neighbourhoods(model, other, config)
    neighbours = [measure_neighbours(near, meaning, labels, config) for meaning, labels in labelled]
    on_step("cycles")
    means = torch.from_numpy(latents)
    found = cycle(model, means, draws=config.draws, seed=config.seed)
    on_step("decode certainty")
    chosen = rng.permutation(len(rows))[: config.places]
    prior = prior_latents(means, config.places, torch.Generator().manual_seed(config.seed + 1))
    sure = {
        name: certainty(model, z, decodings=config.decodings, seed=config.seed)
        for name, z in (("means", means[chosen]), ("prior", prior))
    }
    on_step("collisions")
    looked_at = config.sample if len(cells.indices) <= config.sample else min(config.sample, SPACED)
    nearest = nearest_spacings(cells.latents, looked_at, config.seed)
    close, bound = close_share(nearest, config.close)
    as_cells = [space.from_index(int(index)) for index in indices]
    same = equivalents([space.key(cell) for cell in as_cells], latents, rng)
    copied = copies(model, [as_cells[row] for row in rng.permutation(len(rows))[: config.copies]], rng)
    on_step("maps")
    maps = [_map(cells, plane, config) for plane in cells.planes if 2 * config.map_neighbours < len(cells.indices)]
    content = {
        "format_version": FORMAT_VERSION,
        "checkpoint": checkpoint.digest,
        "space": space.name,
        "command": command,
        "config": asdict(config),
        "cells": {"charted": len(cells.indices), "sample": len(rows), "words": cells.words},
        "edits": edits,
        "neighbours": neighbours,
        "cycle": {
            "same": asdict(found.same),
            "valid": asdict(found.valid),
            "distinct": found.distinct,
            "returned": _quantiles(found.returned),
            "strangers": _quantiles(found.strangers),
            "nearest": float(np.median(nearest)),
        },
        "certainty": {"decodings": config.decodings, **{name: _sureness(one) for name, one in sure.items()}},
        "collisions": {
            "close": asdict(close),
            "bound": bound,
            "nearest": float(np.median(nearest)),
            "random": typical,
            "equivalents": {**asdict(same), "distance": _finite(same.distance)},
            "copies": copied,
        },
        "maps": maps,
        "dimension": {"latent": asdict(dimension(latents)), "one_hot": asdict(dimension(codes))},
        "seconds": round(time.monotonic() - began, 1),
    }
    return to_record(to_plain(content), QualityContent)


def _map(cells: Charted, plane: Projection, config: QualityConfig) -> dict[str, Any]:
    count = len(cells.indices)
    rows = None if count <= config.map_whole else _sample(count, config.map_rows, config.seed)
    own = measure_preservation(cells.latents, plane.xy, neighbours=config.map_neighbours, rows=rows)
    # the control is a map with its places dealt out at random; a few rows are enough for it
    rng = np.random.default_rng((config.seed, 13))
    few = rng.permutation(count)[: min(config.map_rows, 200)]
    chance = measure_preservation(
        cells.latents, plane.xy[rng.permutation(count)], neighbours=config.map_neighbours, rows=few
    )
    return {"name": plane.name, **asdict(own), "permuted": chance.trustworthiness}


def _sureness(found: AgreementOverLatents) -> dict[str, Any]:
    return {
        "mean": float(found.modal.mean()),
        "median": float(np.median(found.modal)),
        "unsure": asdict(Share(int((found.modal < UNSURE).sum()), len(found.modal))),
        "log_probability": float(found.likeliest.mean()),
        "probability": float(np.exp(found.likeliest).mean()),
        "histogram": histogram(found.modal),
    }


def _quantiles(values: Float[np.ndarray, " values"]) -> dict[str, float | None]:
    if not len(values):
        return {"q10": None, "median": None, "q90": None}
    low, middle, high = (float(value) for value in np.quantile(values, (0.1, 0.5, 0.9)))
    return {"q10": low, "median": middle, "q90": high}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has no NaN
