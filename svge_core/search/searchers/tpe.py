"""Optuna's tree-structured Parzen estimator over the genotype, as a rival under the same protocol."""

from typing import Any

import numpy as np

from svge_core.cells import Cell
from svge_core.errors import InvalidCellError
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal


class ParzenEstimator:
    """Optuna's ``TPESampler`` with its default settings.

    What it proposes twice or outside the space is told back to it as pruned and costs nothing; after ``tries`` of those
    in a row a random cell is taken.

    Args:
        domain: what may be proposed.
        tries: draws of one new member.
    """

    name = "tpe"

    def __init__(self, domain: Domain, tries: int = 50) -> None:
        self.domain, self.tries = domain, tries
        self._study: Any = None
        self._told: list[Cell] = []

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        import optuna

        distributions: dict[str, optuna.distributions.BaseDistribution] = {
            f"gene {number}": optuna.distributions.CategoricalDistribution(tuple(range(choices)))
            for number, choices in enumerate(self.domain.space.gene_choices)
        }
        utility = history.scalar(rng)
        observed = [observation.cell for observation in history.observations]
        if self._study is None or len(history.directions) > 1 or observed[: len(self._told)] != self._told:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._study, self._told = optuna.create_study(direction="maximize"), []
        self._study.sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
        for cell, value in zip(observed[len(self._told) :], utility[len(self._told) :], strict=True):
            genes = self.domain.space.genotype(cell)
            params = {f"gene {number}": gene for number, gene in enumerate(genes)}
            self._study.add_trial(
                optuna.trial.create_trial(params=params, distributions=distributions, value=float(value))
            )
        self._told = observed
        found: dict[Cell, str] = {}
        for _ in range(self.tries * count):
            if len(found) == count:
                break
            trial = self._study.ask(distributions)
            genes = tuple(int(trial.params[f"gene {n}"]) for n in range(len(self.domain.space.gene_choices)))
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            try:
                cell = self.domain.canonical(self.domain.space.from_genotype(genes))
            except InvalidCellError:
                continue
            if cell in self.domain and cell not in history.taken:
                found.setdefault(cell, "drawn by the Parzen estimator")
        for cell in self.domain.fresh(rng, count - len(found), history.taken | found.keys()):
            found[cell] = "random, nothing new drawn"
        return [Proposal(cell, source) for cell, source in found.items()]
