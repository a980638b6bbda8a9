"""Edit distances of one checkpoint's latents, of the one-hot codes, and of an untrained model of the same kind."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from svge_core.atlas import nearest_rows
from svge_core.evaluation.latent.edits import (
    Slots,
    band_rows,
    distances,
    edit_distances,
    edits_are_exact,
    flat_codes,
    random_walk,
    rank_correlation,
    slots,
    walk_pairs,
)
from svge_core.evaluation.latent.settings import QualityConfig
from svge_core.evaluation.metrics import Share
from svge_core.models import GraphVAE, encode_all
from svge_core.tensors import CellBatch, to_batch


def untrained_model(model: GraphVAE, seed: int) -> GraphVAE:
    """The same kind of model with fresh random weights: what the shape of the network alone gives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(model)(model.space, model.config).to(model.device).eval()


def measure_edits(
    model: GraphVAE,
    untrained: GraphVAE,
    cells: Slots,
    latents: Float[np.ndarray, "cells latent"],
    batch: CellBatch,
    pairs: Int[np.ndarray, "2 pairs"],
    config: QualityConfig,
) -> dict[str, Any]:
    """Correlations and curves; distances of the curves are in units of the median distance of the random pairs.

    Args:
        model: trained model.
        untrained: the same model before training, a control.
        cells: random cells as slots.
        latents: codes of the same cells.
        batch: the same cells as tensors.
        pairs: random pairs of their rows.
        config: how much is measured.
    """
    space, rng = model.space, np.random.default_rng((config.seed, 21))
    walked = [cell for _ in range(config.walks) for cell in random_walk(space, config.steps, rng)]
    steps = to_batch(space, walked)
    forms = slots(steps)
    near = walk_pairs(config.walks, config.steps, config.lag)
    edits = edit_distances(space, forms.select(near[0]), forms.select(near[1]))
    kept = (edits > 0) & (edits <= config.max_edits)
    near, edits = near[:, kept], edits[kept]
    apart = edit_distances(space, cells.select(pairs[0]), cells.select(pairs[1]))
    # one-hot columns are those that vary in both sets together
    both = flat_codes(Slots(*(np.concatenate(part) for part in _together(forms, cells))))
    sides = {
        "latent": (encode_all(model, steps)[0].numpy(), latents),
        "one_hot": (both[: len(walked)], both[len(walked) :]),
        "untrained": tuple(encode_all(untrained, part)[0].numpy() for part in (steps, batch)),
    }
    walk: dict[str, float | None] = {}
    random: dict[str, float | None] = {}
    curves = {}
    for name, (on_walk, anywhere) in sides.items():
        far, close = distances(anywhere, pairs), distances(on_walk, near)
        walk[name], random[name] = rank_correlation(edits, close), rank_correlation(apart, far)
        curves[name] = band_rows(edits, close, float(np.median(far)), most=config.max_edits)
    walk["permuted"] = rank_correlation(edits, distances(rng.permutation(sides["latent"][0]), near))
    random["permuted"] = rank_correlation(apart, distances(rng.permutation(latents), pairs))
    nearest = nearest_rows(latents, 1, seed=config.seed)[:, 0]
    steps_away = edit_distances(space, cells, cells.select(nearest))
    return {
        "walk": {"pairs": len(edits), "spearman": walk},
        "random": {"pairs": len(apart), "spearman": random, "mean_edits": float(apart.mean())},
        "curves": curves,
        "nearest": {
            "cells": len(nearest),
            "mean_edits": float(steps_away.mean()),
            "one_edit": vars(Share(int((steps_away == 1).sum()), len(nearest))),
        },
        "exact": edits_are_exact(space),
    }


def _together(first: Slots, second: Slots) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return (first.types, second.types), (first.adjacency, second.adjacency)
