"""Structure features on one scale: what the Gaussian processes measure distances in, and what latents are shown."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.features.structure import GROUPS, FeatureTable, structure_features
from svge_core.spaces import SPACES

REFERENCE_CELLS = 4000


@dataclass(frozen=True)
class FeatureScaling:
    """How raw structure features become the Gaussian process's groups.

    Attributes:
        mean: mean of each column over random cells of the space (features).
        scale: what each centred column is divided by: its standard deviation times the root of the number of columns
            kept in its group; 0 marks a column that is constant over the space and left out (features).
        group: index into :data:`svge_core.features.GROUPS` of each column (features).
    """

    mean: Float[np.ndarray, " features"]
    scale: Float[np.ndarray, " features"]
    group: np.ndarray

    def apply(self, values: Float[np.ndarray, "cells features"]) -> list[Float[np.ndarray, "cells columns"]]:
        """One scaled matrix per group that has columns."""
        kept = self.scale > 0
        scaled = (values[:, kept] - self.mean[kept]) / self.scale[kept]
        return [scaled[:, self.group[kept] == g] for g in np.unique(self.group[kept])]


def reference_cells(space_name: str) -> list[Cell]:
    """4,000 random cells of a space, drawn with a fixed seed."""
    space, rng = SPACES[space_name], np.random.default_rng(0)
    return [space.random_cell(rng) for _ in range(REFERENCE_CELLS)]


@lru_cache(maxsize=2)
def reference_features(space_name: str) -> FeatureTable:
    """Features of :func:`reference_cells`."""
    return structure_features(SPACES[space_name], reference_cells(space_name))


@lru_cache(maxsize=8)
def feature_scaling(space_name: str) -> FeatureScaling:
    """Scaling of a space's features by :func:`reference_features`: it needs no label."""
    table = reference_features(space_name)
    group = np.array([GROUPS.index(name) for name in table.groups], dtype=np.int64)
    spread = table.values.std(axis=0)
    spread[spread < 1e-9] = 0.0
    width = np.array([np.count_nonzero(spread[group == g]) for g in group])
    return FeatureScaling(table.values.mean(axis=0), spread * np.sqrt(width), group)
