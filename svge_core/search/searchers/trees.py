"""Boosted trees on structure features: an ensemble over bootstrap samples, Thompson sampling over mutations.

The recipe of tree-based rivals (White et al. 2021; BANANAS' loop with trees): each proposal is the best candidate by
one member of the ensemble, drawn at random, so disagreement explores. A proposal needs that one member alone, so no
other is fitted.
"""

import numpy as np

from svge_core.cells import Cell
from svge_core.predictors import grow_trees
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal
from svge_core.search.searchers.bayesian import rank_normal, shared_encodings


class BoostedTrees:
    """See the module's docstring.

    Args:
        domain: what may be proposed.
        initial: random cells before the first ensemble.
        trees: boosting rounds of a member.
        random: random candidates per ask.
        incumbents: best observations whose one-edit neighbours are candidates.
    """

    name = "trees"

    def __init__(
        self, domain: Domain, initial: int = 10, trees: int = 80, random: int = 200, incumbents: int = 5
    ) -> None:
        self.domain, self.encodings = domain, shared_encodings(domain)
        self.initial, self.trees, self.random, self.incumbents = initial, trees, random, incumbents

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        from sklearn.ensemble import GradientBoostingRegressor

        missing = self.initial - len(history) - len(history.pending)
        if missing > 0 or len(history) < 2:
            drawn = self.domain.fresh(rng, count, history.taken)
            return [Proposal(cell, "initial design") for cell in drawn]
        utility = history.scalar(rng)
        pool: dict[Cell, str] = {}
        for i in np.argsort(-utility, kind="stable")[: self.incumbents]:
            parent = history.observations[i]
            for cell in self.domain.neighbours(parent.cell):
                if cell not in history.taken:
                    pool.setdefault(cell, f"one edit of #{parent.number}")
        for cell in self.domain.fresh(rng, self.random, history.taken):
            pool.setdefault(cell, "random")
        cells = list(pool)
        if not cells:
            return []
        targets = rank_normal(utility)
        features = np.concatenate(self.encodings.groups([o.cell for o in history.observations], "structure"), axis=1)
        candidates = np.concatenate(self.encodings.groups(cells, "structure"), axis=1)
        chosen: list[int] = []
        for _ in range(min(count, len(cells))):
            rows = rng.integers(len(targets), size=len(targets))
            seed = int(rng.integers(2**31))
            member = GradientBoostingRegressor(
                n_estimators=self.trees,
                max_depth=4,
                subsample=0.8,
                max_features=0.3,
                random_state=seed,
            )
            grow_trees(member, features[rows], targets[rows])
            ranking = np.argsort(-member.predict(candidates), kind="stable")
            chosen.append(next(int(i) for i in ranking if int(i) not in chosen))
        return [Proposal(cells[i], pool[cells[i]]) for i in chosen]
