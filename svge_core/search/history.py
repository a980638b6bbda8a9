"""What a search knows: finished evaluations, and cells that somebody is evaluating right now."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.data import Direction

#: weight of the sum in the augmented Chebyshev scalarisation (Knowles 2006, ParEGO, section II)
_AUGMENTATION = 0.05


@dataclass(frozen=True)
class Observation:
    """One finished evaluation.

    Attributes:
        number: order in which the cell was proposed.
        cell: in the space's canonical node order.
        values: one per goal, in the goal's own unit; finite.
    """

    number: int
    cell: Cell
    values: tuple[float, ...]


@dataclass(frozen=True)
class History:
    """All that a searcher may look at.

    Attributes:
        directions: of each goal.
        observations: finished evaluations, by number.
        pending: canonical cells under evaluation by any worker; no one may propose them again.
        failed: canonical cells whose evaluation failed: taken, but there is nothing to wait for.
    """

    directions: tuple[Direction, ...] = ("max",)
    observations: tuple[Observation, ...] = ()
    pending: tuple[Cell, ...] = ()
    failed: tuple[Cell, ...] = ()

    def __len__(self) -> int:
        return len(self.observations)

    @cached_property
    def taken(self) -> frozenset[Cell]:
        """Cells that were evaluated, with a value or in vain, or are pending."""
        return frozenset(o.cell for o in self.observations) | frozenset(self.pending) | frozenset(self.failed)

    @cached_property
    def utilities(self) -> Float[np.ndarray, "observations goals"]:
        """The values with signs such that greater is better."""
        signs = np.array([1.0 if d == "max" else -1.0 for d in self.directions])
        values = np.array([o.values for o in self.observations], dtype=np.float64)
        return values.reshape(-1, len(self.directions)) * signs

    def steady(self) -> Float[np.ndarray, " observations"]:
        """As :meth:`scalar`, but with the same weights at every ask of a run, for methods that walk.

        The weights of several goals are drawn by the first evaluation, which differs from run to run.
        """
        first = repr(self.observations[0].cell) if self.observations else ""
        return self.scalar(np.random.default_rng(zlib.crc32(first.encode())))

    def mapped(self, canonical: Callable[[Cell], Cell]) -> "History":
        """The same of the cells that stand for these in a domain."""
        return History(
            self.directions,
            tuple(replace(o, cell=canonical(o.cell)) for o in self.observations),
            tuple(map(canonical, self.pending)),
            tuple(map(canonical, self.failed)),
        )

    def until(self, size: int) -> "History":
        """What was known after the first ``size`` observations."""
        return History(self.directions, self.observations[:size])

    def scalar(self, rng: np.random.Generator) -> Float[np.ndarray, " observations"]:
        """One utility per observation, greater is better.

        Of one goal it is the goal. Of several it is the augmented Chebyshev function of their ranks with weights drawn
        anew on every call (Knowles 2006), so that repeated asks walk along the Pareto front.
        """
        utilities = self.utilities
        if utilities.shape[1] == 1:
            return utilities[:, 0]
        from scipy.stats import rankdata

        ranks = rankdata(utilities, axis=0) / max(len(utilities), 1)
        weights = rng.dirichlet(np.ones(utilities.shape[1]))
        gaps = weights * (1.0 - ranks)
        return -(gaps.max(axis=1) + _AUGMENTATION * gaps.sum(axis=1))
