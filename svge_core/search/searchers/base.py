"""The searcher contract: a history goes in, proposals come out.

A searcher keeps nothing that it could not work out again from the history, so a run goes on after a kill as if nothing
had happened, and many workers share one run through its store. What a searcher caches only saves time.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from svge_core.cells import Cell
from svge_core.search.domain import Domain
from svge_core.search.history import History


@dataclass(frozen=True)
class Proposal:
    """A cell to evaluate next.

    Attributes:
        cell: canonical, in the domain, neither evaluated nor pending.
        source: where it comes from, in a few words for people, such as ``one edit of the best``.
        mean, std: predicted value and standard deviation in the goal's unit, where the method predicts the goal itself.
    """

    cell: Cell
    source: str
    mean: float | None = None
    std: float | None = None


@runtime_checkable
class Searcher(Protocol):
    """A search method. ``domain`` and everything else it needs are given when it is made."""

    name: str

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """Up to ``count`` distinct proposals, none of them in ``history.taken``; fewer only where no cell is left.

        Args:
            history: finished and pending evaluations.
            count: how many cells can be evaluated at once (q).
            rng: the only source of chance; the caller seeds it by the run's seed and the number of proposals so far.
        """
        ...


def rng_for(seed: int, proposed: int) -> np.random.Generator:
    """The generator of one ask: the same run at the same point proposes the same, before a kill and after it."""
    return np.random.default_rng([seed, proposed])


class RandomSearch:
    """Distinct random cells of the domain."""

    name = "random"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`Searcher`."""
        return [Proposal(cell, "random") for cell in self.domain.fresh(rng, count, history.taken)]
