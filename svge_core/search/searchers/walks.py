"""Searchers without a model: regularised evolution, local search and REINFORCE, replayed from the history.

They are the rivals any method must beat. Local search with one-edit moves alone solves both CIFAR tables of
NAS-Bench-201 in about 60 evaluations (White et al. 2021, "Local search is state of the art for NAS benchmarks").
"""

import numpy as np

from svge_core.cells import Cell
from svge_core.data import scaled
from svge_core.errors import InvalidCellError
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal


class RegularisedEvolution:
    """Ageing evolution (Real et al. 2019): mutate the best of a random sample of the youngest evaluations.

    Args:
        domain: what may be proposed.
        population: how many of the youngest evaluations are alive.
        sample: how many of them compete to be the parent.
    """

    name = "evolution"

    def __init__(self, domain: Domain, population: int = 20, sample: int = 5) -> None:
        self.domain, self.population, self.sample = domain, population, sample

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        found: dict[Cell, str] = {}
        alive = history.observations[-self.population :]
        utility = history.scalar(rng)[-self.population :]
        grown = len(history) + len(history.pending)
        while len(found) < count:
            taken = history.taken | found.keys()
            if grown + len(found) < self.population or not alive:
                fresh = self.domain.fresh(rng, 1, taken)
                source = "random start"
            else:
                drawn = rng.choice(len(alive), min(self.sample, len(alive)), replace=False)
                parent = alive[int(max(drawn, key=lambda i: utility[i]))]
                children = [c for c in self.domain.neighbours(parent.cell) if c not in taken]
                fresh = [children[int(rng.integers(len(children)))]] if children else []
                source = f"one edit of #{parent.number}"
                if not fresh:  # every neighbour is known already: nothing to breed here
                    fresh, source = self.domain.fresh(rng, 1, taken), "random, no new neighbour left"
            if not fresh:
                break
            found[fresh[0]] = source
        return [Proposal(cell, source) for cell, source in found.items()]


class LocalSearch:
    """First improvement over one-edit moves, with random restarts in local optima.

    The walk is replayed from the history: it stands at the first cell after a restart, and steps to every later
    evaluation that is a neighbour of where it stands and better. When all neighbours are known it starts anew.
    """

    name = "local-search"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def _standing(self, history: History, utility: np.ndarray) -> Cell | None:
        """Where the walk stands; None where it has to start anew."""
        value = {o.cell: u for o, u in zip(history.observations, utility, strict=True)}
        at: Cell | None = None
        known: set[Cell] = set(history.failed)  # no neighbour to wait for
        for observation in history.observations:
            known.add(observation.cell)
            if at is None or observation.cell in self.domain.neighbours(at) and value[observation.cell] > value[at]:
                at = observation.cell
            at = self._descend(at, known, value)
        return at

    def _descend(self, at: Cell | None, known: set[Cell], value: dict[Cell, float]) -> Cell | None:
        """Follow better neighbours that were evaluated before; None in a local optimum whose neighbours are known."""
        while at is not None:
            around = self.domain.neighbours(at)
            better = [c for c in around if value.get(c, -np.inf) > value[at] and c in known]
            if better:
                at = max(better, key=lambda c: value[c])
            elif all(c in known for c in around):
                return None
            else:
                return at
        return None

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        at = self._standing(history, history.steady()) if len(history) else None
        found: list[Proposal] = []
        if at is not None:
            number = next(o.number for o in history.observations if o.cell == at)
            around = [cell for cell in self.domain.neighbours(at) if cell not in history.taken]
            order = rng.permutation(len(around))[:count]
            found = [Proposal(around[int(i)], f"one edit of #{number}") for i in order]
        taken = history.taken | {proposal.cell for proposal in found}
        # with several workers the rest of a round starts new walks rather than waiting for this one
        fresh = self.domain.fresh(rng, count - len(found), taken)
        return found + [Proposal(cell, "random restart" if len(history) else "random start") for cell in fresh]


class Reinforce:
    """REINFORCE (Williams 1992) over the genotype: one categorical distribution per gene, reward minus its mean.

    Args:
        domain: what may be proposed.
        rate: step of the logits per unit of standardised reward.
        decay: of the moving average that is the baseline.
        tries: draws of one new member before a random one is taken instead.
    """

    name = "reinforce"

    def __init__(self, domain: Domain, rate: float = 0.3, decay: float = 0.9, tries: int = 200) -> None:
        self.domain, self.rate, self.decay, self.tries = domain, rate, decay, tries

    def _policy(self, history: History, utility: np.ndarray) -> list[np.ndarray]:
        """Probabilities of every gene after all updates, in the order of the evaluations."""
        logits = [np.zeros(choices) for choices in self.domain.space.gene_choices]
        if len(utility) < 2:
            return [_softmax(row) for row in logits]
        # rewards are put on one scale whatever the unit; a long bad tail must not swamp the rest
        small, _ = scaled(utility)
        middle = float(np.median(small))
        spread = float(np.median(np.abs(small - middle))) or float(small.std()) or 1.0
        rewards = np.clip((small - middle) / spread, -3.0, 3.0)
        baseline = float(rewards[0])
        for observation, reward in zip(history.observations, rewards, strict=True):
            for row, gene in zip(logits, self.domain.space.genotype(observation.cell), strict=True):
                gradient = -_softmax(row)
                gradient[gene] += 1.0
                row += self.rate * (float(reward) - baseline) * gradient
            baseline = self.decay * baseline + (1.0 - self.decay) * float(reward)
        return [_softmax(row) for row in logits]

    def _member(self, genes: tuple[int, ...]) -> Cell | None:
        try:
            cell = self.domain.canonical(self.domain.space.from_genotype(genes))
        except InvalidCellError:
            return None
        return cell if cell in self.domain else None

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        policy = self._policy(history, history.steady())
        found: dict[Cell, str] = {}
        for _ in range(self.tries * count):
            if len(found) == count:
                break
            cell = self._member(tuple(int(rng.choice(len(p), p=p)) for p in policy))
            if cell is not None and cell not in history.taken:
                found.setdefault(cell, "drawn from the policy")
        for cell in self.domain.fresh(rng, count - len(found), history.taken | found.keys()):
            found[cell] = "random, the policy draws nothing new"
        return [Proposal(cell, source) for cell, source in found.items()]


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    return raised / raised.sum()
