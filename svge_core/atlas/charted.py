"""Which cells of a space are charted, and what follows from the weights alone: their latents, streamed and cached.

A listed space is charted whole. Of a larger one a seeded uniform sample of official indices is. Whatever a minute of
computing gives back is kept in the user's cache folder, not beside the checkpoint.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from svge_core.atlas.size import CHARTED
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import (
    ScoreMeaning,
    Scores,
    analytic_scores,
    has_indices,
    held_out_mask,
    scores_from_columns,
    split_cells,
)
from svge_core.errors import SvgeError
from svge_core.features import structure_features
from svge_core.files import cache_dir, keep_arrays
from svge_core.models import GraphVAE, encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import index_batch
from svge_core.threads import counting
from svge_core.training import TrainConfig

#: cells that are tensors at one time
PIECE = 16_384
#: latents that are computed anew to know a cached file for what it is, and how far they may be off
_PROBED, _TOLERANCE = 64, 1e-3


def chart_indices(space: AbstractSearchSpace, charted: int = CHARTED, seed: int = 1) -> Int[np.ndarray, " cells"]:
    """Official indices of the charted cells, ascending: all of a listed space, else a uniform sample.

    Raises:
        SvgeError: if cells of the space have no index, or none of 64 bits.
    """
    if space.size is None or not has_indices(space):
        raise SvgeError(
            f"Cells of {space.title} have no index of 64 bits, by which they could be told apart and drawn."
        )
    if space.enumerated:
        return np.arange(space.size)
    rng = np.random.default_rng(seed)
    drawn = np.unique(rng.integers(space.size, size=charted))
    while len(drawn) < charted:
        drawn = np.union1d(drawn, rng.integers(space.size, size=charted - len(drawn)))
    return drawn


def charted_held_out(
    space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"], training: TrainConfig
) -> Bool[np.ndarray, " cells"]:
    """True for the charted cells that the model was never trained on."""
    if not space.enumerated:
        return held_out_mask(indices, training.held_out, training.seed)
    mask = np.zeros(len(indices), dtype=bool)
    mask[split_cells(len(indices), training.held_out, training.seed).held_out.numpy()] = True
    return mask


def operation_counts(
    space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"]
) -> Int8[np.ndarray, "cells operations"]:
    """How often each cell, by its official index, uses each operation of the space."""
    first = len(space.vocabulary) - len(space.operations)
    counts = np.zeros((len(indices), len(space.operations)), dtype=np.int8)
    for start in range(0, len(indices), PIECE):
        types = space.arrays(indices[start : start + PIECE]).types
        for number in range(len(space.operations)):
            counts[start : start + PIECE, number] = (types == first + number).sum(axis=1)
    return counts


def chart_scores(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Scores:
    """What follows from the structure of the charted cells of a space that is not listed, row by row of the chart.

    Of cells that differ in their wiring alone, also what can be said of that in a number.
    """
    columns: dict[str, np.ndarray] = {}
    meanings: dict[str, ScoreMeaning] = {}
    if space.has_cost:
        costs, known = space.costs_of(cells), analytic_scores(space).meanings
        network = space.cost(cells[0]).network if cells else ""
        columns = {"params_m": costs[:, 0], "flops_m": costs[:, 1]}
        meanings = {key: replace(known[key], source=network) for key in columns}
    found = wiring_columns(space, cells)
    columns |= found
    meanings |= {key: _WIRING[key] for key in found}
    return scores_from_columns(space.name, columns, meanings, len(cells))


def wiring_columns(space: AbstractSearchSpace, cells: Sequence[Cell]) -> dict[str, Float[np.ndarray, " cells"]]:
    """Of every cell the edges between inner nodes, and the nodes on its longest and on an average way through.

    None where cells differ in more than their wiring.
    """
    op, *others = space.operations
    if others:
        return {}
    features = structure_features(space, cells)
    named = dict(zip(features.names, features.values.T, strict=True))
    return {
        "edges": named[f"edges: live {op} to {op}"],
        "depth": named[f"paths: largest number of {op} on a live path"],
        "mean_depth": named[f"paths: mean number of {op} on a live path"],
    }


def _of_wiring(key: str, title: str, unit: str, source: str) -> ScoreMeaning:
    # a detail, as nobody has said that more of it is better or worse
    known = {"role": "other", "origin": "analytic", "single_run": False, "detail": True}
    return ScoreMeaning(key, title, unit, "min", "", "", None, "", "analytic", source, **known)


_WIRING = {
    "edges": _of_wiring("edges", "Edges", "", "edges between the inner nodes of the wiring"),
    "depth": _of_wiring("depth", "Depth", "nodes", "nodes on the longest way from the input to the output"),
    "mean_depth": _of_wiring("mean_depth", "Mean depth", "nodes", "nodes on a way from input to output, mean over all"),
}


def encode_indices(model: GraphVAE, indices: Int[np.ndarray, " cells"]) -> Float[np.ndarray, "cells latent"]:
    """Posterior means of the cells at official indices; only a piece of them is tensors at one time."""
    latents = np.empty((len(indices), model.config.latent), dtype=np.float32)
    with counting(model.space.title, "cells encoded", len(indices)) as tell:
        for start in range(0, len(indices), PIECE):
            piece = index_batch(model.space, indices[start : start + PIECE])
            latents[start : start + PIECE] = encode_all(model, piece)[0].numpy()
            tell(min(start + PIECE, len(indices)))
    return latents


def latents_file(space: AbstractSearchSpace, digest: str) -> Path:
    """Where the latents of a checkpoint of a large space are kept once they were encoded."""
    return cache_dir() / f"latents-{space.name}-{digest}.npy"


def cached_latents(checkpoint: Checkpoint, indices: Int[np.ndarray, " cells"]) -> Float[np.ndarray, "cells latent"]:
    """Latents of a listed space, from the user's cache folder where they are known to be of these weights."""
    model = checkpoint.model
    path = latents_file(model.space, checkpoint.digest)
    found = _checked(path, model, indices)
    if found is not None:
        return found
    latents = encode_indices(model, indices)
    keep_arrays(path, latents)
    return latents


def _checked(path: Path, model: GraphVAE, indices: np.ndarray) -> np.ndarray | None:
    """The cached latents, read as they are needed; nothing where the file is missing, damaged or of other weights."""
    with contextlib.suppress(OSError, ValueError):
        latents = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if latents.shape != (len(indices), model.config.latent) or latents.dtype != np.float32:
            return None
        rows = np.unique(np.linspace(0, len(indices) - 1, _PROBED).astype(np.int64))
        if np.isfinite(latents).all() and np.allclose(
            latents[rows], encode_indices(model, indices[rows]), atol=_TOLERANCE
        ):
            return latents
    return None
