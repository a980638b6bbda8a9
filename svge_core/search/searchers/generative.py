"""Searchers that draw from a learned distribution of good architectures: GraphPNAS, its policy gradient, an LSTM."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from svge_core.cells import Cell
from svge_core.errors import InvalidCellError
from svge_core.graphpnas import (
    Generator,
    Graphs,
    Policy,
    PolicyOptions,
    RecurrentOptions,
    RefitOptions,
    best_by_rank,
    refit,
    refit_many,
    refit_recurrent,
    sample,
    to_cells,
    to_graphs,
    view_of,
)
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal

#: where proposals come from, as people and the Distribution page read it
RANDOM_START, DRAWN = "random start", "drawn from the learned distribution"
#: rounds of draws, the first as many as are asked for, each later one five more (for one cell, as published)
_ROUNDS, _GROWTH = 20, 5
#: draws of one new random cell of the published explorer before any new cell of the domain is taken
_TRIES = 200


@dataclass(frozen=True)
class GraphPNASOptions:
    """Settings of GraphPNAS; the defaults are its authors' for NAS-Bench-201 and CIFAR-10, and for NAS-Bench-101.

    Attributes:
        warm_up: random cells before the first generator.
        refit: pool, epochs and steps of every fit.
        early: (observations, epochs) in ascending order: the epochs of fits to no more observations than these.
        none_seen: see :func:`svge_core.graphpnas.sampling.sample`.
        distinct: never propose a cell that the space holds equivalent to an evaluated one; the authors leave out equal
            cells alone.
    """

    warm_up: int = 30
    refit: RefitOptions = field(default_factory=RefitOptions)
    early: tuple[tuple[int, int], ...] = ()
    none_seen: bool = False
    distinct: bool = False

    def fit(self, observations: int) -> RefitOptions:
        """The options of a fit to a number of observations."""
        for most, epochs in self.early:
            if observations <= most:
                return replace(self.refit, epochs=epochs)
        return self.refit


#: the authors' settings on NAS-Bench-201 by data set
PUBLISHED: dict[str, GraphPNASOptions] = {
    "cifar10": GraphPNASOptions(30, RefitOptions(keep=15, epochs=70)),
    "cifar100": GraphPNASOptions(15, RefitOptions(keep=10, epochs=60)),
    "imagenet16": GraphPNASOptions(10, RefitOptions(keep=5, epochs=50)),
}


#: the same as the authors' logged runs were made: fewer epochs early on CIFAR-10, and their sampler
LOGGED = {
    data: replace(options, early=((24, 23), (47, 46)) if data == "cifar10" else (), none_seen=True)
    for data, options in PUBLISHED.items()
}


def draw_unseen(domain: Domain, rng: np.random.Generator, count: int, taken: Set[Cell]) -> list[Cell]:
    """Distinct new cells as GraphPNAS's explorer draws them; any others of the domain where it finds no more."""
    found: dict[Cell, None] = {}
    if domain.known is None:
        for _ in range(_TRIES * count):
            if len(found) == count:
                break
            cell = domain.space.random_start(rng)
            if cell not in taken and cell in domain:
                found.setdefault(cell)
    missing = count - len(found)
    return [*found, *domain.fresh(rng, missing, taken | found.keys())] if missing else list(found)


class RandomStart:
    """The random rival of GraphPNAS's authors: their explorer, for ever."""

    name = "explorer"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        return [Proposal(cell, "random") for cell in draw_unseen(self.domain, rng, count, history.taken)]


class _Generative(ABC):
    """Random cells first, then draws from a distribution that was fitted to the history."""

    name: str

    def __init__(self, domain: Domain, warm_up: int, distinct: bool = False) -> None:
        self.domain, self.warm_up, self.distinct = domain, warm_up, distinct

    @abstractmethod
    def _fitted(self, history: History, rng: np.random.Generator) -> Callable[[int], Iterable[Cell | None]]:
        """What draws a number of cells, None for each draw that is no member."""

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        # pending cells count for the start, as those of a batch are asked for together
        if len(history) + len(history.pending) < self.warm_up or len(history) < 2:
            return [Proposal(cell, RANDOM_START) for cell in draw_unseen(self.domain, rng, count, history.taken)]
        return self._taken(history, count, rng, self._fitted(history, rng))

    def _taken(
        self, history: History, count: int, rng: np.random.Generator, draw: Callable[[int], Iterable[Cell | None]]
    ) -> list[Proposal]:
        """The first new cells of the domain among the draws."""
        found: dict[Cell, str] = {}
        keys = {self.domain.space.key(cell) for cell in history.taken} if self.distinct else set[str]()
        for number in range(_ROUNDS):
            for cell in draw(count + _GROWTH * number):
                if cell is None or cell in history.taken or cell not in self.domain or len(found) >= count:
                    continue
                if self.distinct:
                    if (key := self.domain.space.key(cell)) in keys:
                        continue
                    keys.add(key)
                found.setdefault(cell, DRAWN)
            if len(found) == count:
                break
        for cell in draw_unseen(self.domain, rng, count - len(found), history.taken | found.keys()):
            found[cell] = "random, the distribution draws nothing new"
        return [Proposal(cell, source) for cell, source in found.items()]

    def _members(self, genotypes: Iterable[Iterable[int]]) -> Iterable[Cell | None]:
        space = self.domain.space
        for genes in genotypes:
            try:
                yield self.domain.canonical(space.from_genotype(tuple(genes)))
            except InvalidCellError:
                yield None


class GraphPNAS(_Generative):
    """A graph generator refitted at every ask to the best cells by rank-weighted likelihood (Li et al. 2022).

    Args:
        domain: what may be proposed.
        options: settings.

    Raises:
        SvgeError: if the space has no view as graphs.
    """

    name = "graphpnas"

    def __init__(self, domain: Domain, options: GraphPNASOptions | None = None) -> None:
        self.options = options or GraphPNASOptions()
        super().__init__(domain, self.options.warm_up, self.options.distinct)
        self.view = view_of(domain.space)

    def _pool(self, history: History, rng: np.random.Generator) -> tuple[Graphs, torch.Tensor, int]:
        """The best cells with their rewards, and the seed of the fit."""
        best, rewards = best_by_rank(history.scalar(rng), self.options.refit.keep)
        graphs = to_graphs(self.domain.space, [history.observations[i].cell for i in best])
        return graphs, torch.from_numpy(rewards).float(), int(rng.integers(2**31))

    def _drawing(self, generator: Generator, seed: int) -> Callable[[int], Iterable[Cell | None]]:
        chance = torch.Generator().manual_seed(seed)
        return lambda count: to_cells(self.domain.space, sample(generator, count, chance, self.options.none_seen))

    def _fitted(self, history: History, rng: np.random.Generator) -> Callable[[int], Iterable[Cell | None]]:
        graphs, rewards, seed = self._pool(history, rng)
        return self._drawing(refit(self.view, graphs, rewards, self.options.fit(len(history)), seed), seed)

    def propose_each(
        self, histories: Sequence[History], count: int, rngs: Sequence[np.random.Generator]
    ) -> list[list[Proposal]]:
        """What :meth:`propose` gives for each of several runs of equal length, with all fits side by side."""
        runs = list(zip(histories, rngs, strict=True))
        if any(len(h) + len(h.pending) < self.warm_up or len(h) < 2 for h in histories):
            return [self.propose(history, count, rng) for history, rng in runs]
        pools = [self._pool(history, rng) for history, rng in runs]
        graphs, rewards, seeds = zip(*pools, strict=True)
        generators = refit_many(self.view, graphs, torch.stack(rewards), self.options.fit(len(histories[0])), seeds)
        return [
            self._taken(history, count, rng, self._drawing(generator, seed))
            for (history, rng), generator, seed in zip(runs, generators, seeds, strict=True)
        ]


class GraphPNASReinforce(_Generative):
    """The same generator moved by the true policy gradient after each evaluation.

    Its first weights are the same in every run: they cannot depend on anything but the history.

    Args:
        domain: what may be proposed.
        options: settings.

    Raises:
        SvgeError: if the space has no view as graphs.
    """

    name = "graphpnas-reinforce"

    def __init__(self, domain: Domain, options: PolicyOptions | None = None) -> None:
        super().__init__(domain, warm_up=0)
        self.options, self.view = options, view_of(domain.space)
        self._replayed: list[tuple[Cell, float]] = []
        self._policy = Policy(self.view, options)

    def _fitted(self, history: History, rng: np.random.Generator) -> Callable[[int], Iterable[Cell | None]]:
        steps = [(o.cell, float(u)) for o, u in zip(history.observations, history.steady(), strict=True)]
        # the policy follows from the history; what was replayed at the last ask need not be replayed again
        if steps[: len(self._replayed)] != self._replayed:
            self._replayed, self._policy = [], Policy(self.view, self.options)
        for cell, reward in steps[len(self._replayed) :]:
            self._policy.update(to_graphs(self.domain.space, [cell]), reward)
        self._replayed = steps
        chance = torch.Generator().manual_seed(int(rng.integers(2**31)))
        return lambda count: to_cells(self.domain.space, sample(self._policy.generator, count, chance))


class RecurrentSearch(_Generative):
    """An LSTM over the genotype in place of the graph generator; everything else as :class:`GraphPNAS`.

    Args:
        domain: what may be proposed.
        options: settings of the LSTM.
        warm_up: random cells before the first.
    """

    name = "lstm"

    def __init__(self, domain: Domain, options: RecurrentOptions | None = None, warm_up: int = 30) -> None:
        super().__init__(domain, warm_up)
        self.options = options or RecurrentOptions()

    def _fitted(self, history: History, rng: np.random.Generator) -> Callable[[int], Iterable[Cell | None]]:
        space, seed = self.domain.space, int(rng.integers(2**31))
        best, rewards = best_by_rank(history.scalar(rng), self.options.keep)
        genotypes = torch.tensor([space.genotype(history.observations[i].cell) for i in best])
        weights = torch.from_numpy(rewards).float()
        model = refit_recurrent(space.gene_choices, genotypes, weights, self.options, seed)
        chance = torch.Generator().manual_seed(seed)
        return lambda count: self._members(model.sample(count, chance).tolist())


def recurrent_like(options: GraphPNASOptions) -> RecurrentOptions:
    """The LSTM's settings with the pool, epochs and batches of GraphPNAS's."""
    return replace(RecurrentOptions(), keep=options.refit.keep, epochs=options.refit.epochs, batch=options.refit.batch)
