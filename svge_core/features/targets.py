"""What the last dimensions of a latent are trained towards, by name: numbers of a cell that need no label.

``structure``       main components of the structure features (:class:`~svge_core.features.StructureComponents`)
``structure+size``  fewer of them, and parameters and multiply-accumulates of the cell's network as it is written,
                    for a space whose structure features say nothing of its size
``kernel``          main components of the covariance of wide networks: no feature that anybody made
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.features.components import StructureComponents
from svge_core.features.kernel import KernelComponents
from svge_core.features.kinds import FUNCTION_WORDS, FunctionKind
from svge_core.features.scaling import reference_cells, reference_features
from svge_core.spaces import SPACES, AbstractSearchSpace

#: parameters, multiply-accumulates
_SIZES = 2
#: keeps the logarithm finite for cells that compute nothing (million parameters or multiply-accumulates)
_SMALLEST = 0.05


@dataclass(frozen=True)
class FunctionTargets:
    """Numbers that say what a cell computes, of variance 1 on average over random cells.

    Attributes:
        blocks: how many numbers stand together as a group of a Gaussian process, in their order.
        words: what they are, for protocols.
    """

    blocks: tuple[int, ...]
    words: str
    _scores: Callable[[Sequence[Cell]], Float[np.ndarray, "cells numbers"]]

    @classmethod
    def of(cls, space: AbstractSearchSpace, kind: FunctionKind, count: int) -> "FunctionTargets":
        """The numbers of a kind, a function of the registered space alone.

        Args:
            space: of the cells.
            kind: see the module's docstring.
            count: how many numbers.

        Raises:
            DataError: if the space has no or fewer numbers of this kind.
        """
        return _of(space.name, kind, count)

    def scores(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells numbers"]:
        """Of each cell; cells that compute the same (``space.equivalents``) have the same but for their sizes."""
        return self._scores(cells)


def log_sizes(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells 2"]:
    """Logarithms of million parameters and million multiply-accumulates of the cells' networks, kept finite at 0."""
    return np.log(space.costs_of(cells) + _SMALLEST)


@lru_cache(maxsize=8)
def _of(space_name: str, kind: FunctionKind, count: int) -> FunctionTargets:
    space = SPACES[space_name]
    words = f"{count} {FUNCTION_WORDS[kind]}"
    if kind == "kernel":
        return FunctionTargets((count,), words, KernelComponents.of(space, count).scores)
    if kind == "structure":
        components = StructureComponents.of(space, count)
        return FunctionTargets(components.blocks, words, components.scores)
    if not space.has_cost or "size" in reference_features(space_name).groups:
        why = "they hold it already" if space.has_cost else "it is not known"
        raise DataError(
            f"Expected a space whose structure features lack the size of the network; of {space.title} {why}. Use the "
            "structure alone.",
            settings=("function_targets",),
        )
    if count <= _SIZES:
        raise DataError(
            f"Expected more than {_SIZES} numbers, as the size of the network is {_SIZES} of them; got {count}.",
            settings=("function",),
        )
    components = StructureComponents.of(space, count - _SIZES)
    reference = log_sizes(space, reference_cells(space_name))
    centre, spread = reference.mean(axis=0), reference.std(axis=0)

    def scores(cells: Sequence[Cell]) -> Float[np.ndarray, "cells numbers"]:
        sizes = (log_sizes(space, cells) - centre) / spread
        return np.concatenate([components.scores(cells), sizes.reshape(-1, _SIZES)], axis=1)

    return FunctionTargets((*components.blocks, _SIZES), words, scores)
