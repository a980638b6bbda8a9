"""Does latent distance follow structural distance? Two numbers a reader can check against one-hot codes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from scipy.stats import spearmanr

from svge_core.evaluation.metrics import Share


@dataclass(frozen=True)
class Smoothness:
    """Alignment of latent and edit distance.

    Attributes:
        spearman: rank correlation of Euclidean latent distance and number of differing genes over random pairs.
        pairs: number of pairs.
        nearest_is_one_edit: cells whose nearest other latent belongs to a one-edit neighbour.
        mean_edits_to_nearest: differing genes between a cell and its nearest other latent, mean over all cells.
    """

    spearman: float
    pairs: int
    nearest_is_one_edit: Share
    mean_edits_to_nearest: float


def smoothness(
    latents: Float[np.ndarray, "cells latent"],
    genotypes: Int[np.ndarray, "cells genes"],
    *,
    pairs: int = 200_000,
    seed: int = 0,
) -> Smoothness:
    """Measure a whole space (the protocol of arch2vec's figure 3, over random pairs instead of random walks)."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(len(latents), size=(2, pairs))
    different = first != second
    first, second = first[different], second[different]
    distance = np.linalg.norm(latents[first] - latents[second], axis=1)
    edits = (genotypes[first] != genotypes[second]).sum(1)
    correlation = float(np.asarray(spearmanr(distance, edits))[0])
    found = np.asarray(KDTree(latents).query(latents, k=2)[1])
    # equal latents may put the cell itself second
    nearest = np.where(found[:, 0] == np.arange(len(latents)), found[:, 1], found[:, 0])
    steps = (genotypes != genotypes[nearest]).sum(1)
    return Smoothness(correlation, len(first), Share(int((steps == 1).sum()), len(latents)), float(steps.mean()))
