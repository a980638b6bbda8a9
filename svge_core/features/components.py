"""The main components of structure features: what a cell computes, in a few numbers and without a label.

Every group of features (paths, routes, nodes, edges ...) has components of its own, so that a Gaussian process can give
each group its length scale; of all groups' components the ones of the largest variance are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.errors import DataError, InvalidCellError
from svge_core.features.scaling import feature_scaling, reference_features
from svge_core.features.structure import structure_features
from svge_core.spaces import SPACES, AbstractSearchSpace

_CHUNK = 16_384


@dataclass(frozen=True)
class StructureComponents:
    """Principal components (Hotelling 1933) of each group of the scaled structure features of a space.

    Scores keep the proportions of their variances (they are not whitened) and have variance 1 on average over random
    cells, so that distances between cells are those of the features as far as so many components hold them.

    Attributes:
        space: of the cells.
        centre: mean of the scaled features over random cells (columns).
        directions: one column per component, zero outside its group; orthogonal, each of the length that gives the
            scores their common scale (columns, components).
        blocks: how many components each group has, those of a group side by side, largest variance first.
        explained: share of the variance of all scaled features that the components hold over random cells.
    """

    space: AbstractSearchSpace
    centre: Float[np.ndarray, " columns"]
    directions: Float[np.ndarray, "columns components"]
    blocks: tuple[int, ...]
    explained: float

    @classmethod
    def of(cls, space: AbstractSearchSpace, count: int) -> "StructureComponents":
        """The first components of a registered space, a function of the space alone.

        Args:
            space: of the cells.
            count: how many components.

        Raises:
            DataError: if the features of the space have fewer dimensions.
        """
        return _of(space.name, count)

    def scores(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells components"]:
        """Where cells lie along the components; cells that compute the same (``space.equivalents``) lie together.

        The features count what is written down, and a few of them differ between notations of one function: all get
        those of the first.
        """
        found = [np.zeros((0, self.directions.shape[1]))]
        for start in range(0, len(cells), _CHUNK):
            features = function_features(self.space, cells[start : start + _CHUNK])
            found.append((features - self.centre) @ self.directions)
        return np.concatenate(found)


@lru_cache(maxsize=8)
def _of(space_name: str, count: int) -> StructureComponents:
    space, scaling = SPACES[space_name], feature_scaling(space_name)
    groups = scaling.apply(reference_features(space_name).values)
    found = [principal_components(group) for group in groups]
    all_variances = np.concatenate([variances for variances, _ in found])
    if not 1 <= count <= len(all_variances):
        raise DataError(
            f"The structure features of {space.title} have {len(all_variances)} components; expected 1 to "
            f"{len(all_variances)}, got {count}."
        )
    least = np.sort(all_variances)[-count]
    blocks = [min(int((variances >= least).sum()), count) for variances, _ in found]
    directions = np.zeros((sum(group.shape[1] for group in groups), sum(blocks)))
    row = column = 0
    for group, (_, own), block in zip(groups, found, blocks, strict=True):
        directions[row : row + group.shape[1], column : column + block] = own[:, :block]
        row, column = row + group.shape[1], column + block
    held = float(np.sort(all_variances)[-count:].sum())
    directions /= np.sqrt(held / count)
    centre = np.concatenate([group.mean(axis=0) for group in groups])
    used = tuple(block for block in blocks if block)
    return StructureComponents(space, centre, directions, used, held / float(all_variances.sum()))


def principal_components(
    values: Float[np.ndarray, "cells columns"],
) -> tuple[Float[np.ndarray, " components"], Float[np.ndarray, "columns components"]]:
    """Variances, largest first, and directions of the components of a table, without those that are rounding alone."""
    _, singular, directions = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    variances = singular**2 / len(values)
    kept = variances > 1e-9 * variances[0]
    chosen = directions[kept].T
    largest = np.abs(chosen).argmax(axis=0)
    # the sign of a component is free: one for everybody
    return variances[kept], chosen * np.sign(chosen[largest, np.arange(chosen.shape[1])])


def function_features(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells columns"]:
    """All scaled structure features side by side: what cells compute, the same for cells that compute the same.

    Args:
        space: of the cells, registered.
        cells: one or more; their features are held all at once.
    """
    groups = feature_scaling(space.name).apply(structure_features(space, representatives(space, cells)).values)
    return np.concatenate(groups, axis=1)


def representatives(space: AbstractSearchSpace, cells: Sequence[Cell]) -> list[Cell]:
    """Of each cell the first that computes the same; a cell that is larger than the space's stands for itself."""
    found = []
    for cell in cells:
        try:
            found.append(space.representative(cell))
        except InvalidCellError:  # such as those of an extrapolation
            found.append(cell)
    return found
