"""Scores predicted by a cell's nearest neighbours: in the latent, and in four controls."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from svge_core.atlas import nearest_among, nearest_rows
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels
from svge_core.evaluation.latent.edits import flat_codes, slots
from svge_core.evaluation.latent.knn import best_rows, fit_quality
from svge_core.evaluation.latent.settings import QualityConfig
from svge_core.features import structure_features
from svge_core.models import GraphVAE, encode_all
from svge_core.tensors import index_batch

#: failed trainings make up most of a variance: R2 is also taken among the best cells alone
BEST = 0.7
#: sets of features whose neighbours predict; the first is what is measured, the others are controls
SETS = ("latent", "one_hot", "structure", "untrained")
#: so many times the neighbours asked for are found, so that those among the best cells are mostly there already
SPARE = 4


class Neighbourhoods:
    """The labelled cells' features and neighbours, found once for all scores of the same cells."""

    def __init__(self, model: GraphVAE, untrained: GraphVAE, config: QualityConfig) -> None:
        self.model, self.untrained, self.config = model, untrained, config
        self._of: bytes = b""
        self._sets: dict[str, np.ndarray] = {}
        self._near: dict[str, np.ndarray] = {}

    def of(self, indices: Int[np.ndarray, " cells"]) -> dict[str, Int[np.ndarray, "cells neighbours"]]:
        """Rows of every cell's neighbours by the name of the features."""
        k, seed = self.config.neighbours, self.config.seed
        if indices.tobytes() != self._of:
            self._sets = _features(self.model, self.untrained, indices)
            more = max(k, min(SPARE * k, len(indices) - 1))
            self._near = {name: nearest_rows(values, more, seed=seed) for name, values in self._sets.items()}
            self._of = indices.tobytes()
        return {name: near[:, :k] for name, near in self._near.items()}

    def among(self, rows: Int[np.ndarray, " rows"]) -> dict[str, Int[np.ndarray, "rows neighbours"]]:
        """The same among some rows of these cells alone, which are numbered anew."""
        k, seed = self.config.neighbours, self.config.seed
        return {
            name: nearest_among(values, self._near[name], rows, k, seed=seed) for name, values in self._sets.items()
        }


def _features(
    model: GraphVAE, untrained: GraphVAE, indices: np.ndarray
) -> dict[str, Float[np.ndarray, "cells features"]]:
    space, batch = model.space, index_batch(model.space, indices)
    structure = structure_features(space, [space.from_index(int(index)) for index in indices]).values
    spread = structure.std(axis=0)
    structure = (structure[:, spread > 0] - structure[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    own, other = (encode_all(one, batch)[0].numpy() for one in (model, untrained))
    codes = flat_codes(slots(batch))
    return dict(zip(SETS, (own, codes, structure.astype(np.float32), other), strict=True))


def measure_neighbours(
    found: Neighbourhoods, meaning: ScoreMeaning, labels: Labels, config: QualityConfig
) -> dict[str, Any]:
    """Leave-one-out prediction of a score by the mean of k neighbours, per set of features.

    The control with permuted labels uses the latent's neighbours; the labels are dealt out anew several times.
    """
    rng = np.random.default_rng((config.seed, 31))
    known = np.isfinite(labels.values)
    indices, values = labels.indices[known], labels.values[known].astype(np.float64)
    total = len(indices)
    if total > config.labelled:
        rows = np.sort(rng.choice(total, config.labelled, replace=False))
        indices, values = indices[rows], values[rows]
    near, count = found.of(indices), len(values)
    fits = {name: asdict(fit_quality(values, values[rows].mean(axis=1))) for name, rows in near.items()}
    best = best_rows(values, BEST, meaning.direction)
    top = values[best]
    for name, rows in found.among(best).items():
        fits[name]["r2_best"] = fit_quality(top, top[rows].mean(axis=1)).r2
    dealt = [rng.permutation(values) for _ in range(config.permutations)]
    chance = [fit_quality(one, one[near["latent"]].mean(axis=1)) for one in dealt]
    taus = [fit.kendall_tau for fit in chance if fit.kendall_tau is not None]
    shares = [fit.r2 for fit in chance if fit.r2 is not None]
    fits["permuted"] = {
        "kendall_tau": float(np.mean(taus)) if taus else None,
        "r2": float(np.mean(shares)) if shares else None,
        "r2_best": None,
        "cells": count,
    }
    return {
        "key": meaning.key,
        "meaning": meaning.to_dict(),
        "labelled": total,
        "best_cells": len(best),
        # of tau between independent rankings (Kendall 1938): what one permutation may show by chance
        "single_permutation_sd": math.sqrt(2 * (2 * count + 5) / (9 * count * (count - 1))),
        "largest_permuted": max(map(abs, taus), default=None),
        **fits,
    }
