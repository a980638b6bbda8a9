"""A search method of somebody else, in one file: heads, an edit of the best cell; tails, a random cell.

Importing this module makes the method known; nothing else mentions it.
"""

import numpy as np

from svge_core.search import Domain, History
from svge_core.search.searchers import Method, Proposal, register_method


class CoinSearch:
    """See the module's docstring; for several goals the best is drawn anew by every toss."""

    name = "coin"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`svge_core.search.searchers.Searcher`."""
        found: list[Proposal] = []
        taken = set(history.taken)
        while len(found) < count:
            near = []
            if len(history) and rng.random() < 0.5:
                best = history.observations[int(history.scalar(rng).argmax())].cell
                near = [cell for cell in self.domain.neighbours(best) if cell not in taken]
            cells = [near[int(rng.integers(len(near)))]] if near else self.domain.fresh(rng, 1, taken)
            if not cells:
                break
            found.append(Proposal(cells[0], "heads: one edit of the best" if near else "tails: random"))
            taken.add(cells[0])
        return found


COIN = Method("Coin toss", "Heads: one edit of the best; tails: a random cell.", lambda domain, _: CoinSearch(domain))
register_method("coin", COIN)
