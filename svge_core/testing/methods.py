"""The importable contract of search methods: subclass it, say how the method is made, and every promise is tested."""

from dataclasses import replace

import numpy as np
import pytest

from svge_core.cells import Cell
from svge_core.data import Direction
from svge_core.search import Domain, History, Observation
from svge_core.search.searchers import Proposal, Searcher, rng_for
from svge_core.spaces import AbstractSearchSpace


class SearcherContract:
    """What every search method promises.

    Subclasses are named ``Test...``, set ``space`` and override :meth:`searcher`; pytest does the rest.
    """

    #: the space that is searched; one that can be listed
    space: AbstractSearchSpace
    #: whether the method searches for several goals at once
    several_goals = True
    #: rounds of ``batch`` proposals that a history of the method's own has: more than its random start
    rounds, batch = 5, 4
    #: cells of the restricted domain
    few = 40

    def searcher(self, domain: Domain) -> Searcher:
        """The method for a domain, made anew: what it learned before must not matter."""
        raise NotImplementedError

    def worth(self, cell: Cell) -> float:
        """What the cells of the tests are worth: the genes' numbers, later ones counting more."""
        return sum((1.0 + 0.1 * place) * gene for place, gene in enumerate(self.space.genotype(cell)))

    # what the tests share

    def domain(self, known: int = 0) -> Domain:
        """The whole space, or some of its cells drawn at random."""
        if not known:
            return Domain(self.space)
        order = np.random.default_rng(5).permutation(self.space.size or 0)
        cells = dict.fromkeys(self.space.canonical(self.space.from_index(int(index))) for index in order[: 4 * known])
        return Domain(self.space, list(cells)[:known])

    def played(
        self, domain: Domain, rounds: int, count: int, *, seed: int = 0, directions: tuple[Direction, ...] = ("max",)
    ) -> History:
        """A history that the method made for itself; a second goal is the number of the evaluation."""
        method, history = self.searcher(domain), History(directions)
        for _ in range(rounds):
            found = list(history.observations)
            for proposal in method.propose(history, count, rng_for(seed, len(found))):
                values = (self.worth(proposal.cell), float(len(found)))
                found.append(Observation(len(found), proposal.cell, values[: len(history.directions)]))
            history = replace(history, observations=tuple(found))
        return history

    def check(self, domain: Domain, history: History, proposals: list[Proposal], count: int) -> list[Cell]:
        """What every answer is: so many distinct canonical cells of the domain, none of them taken, with a source."""
        cells = [proposal.cell for proposal in proposals]
        assert len(cells) == count, f"asked for {count}, got {len(cells)}"
        assert len(set(cells)) == len(cells), "a cell is proposed twice"
        assert not set(cells) & history.taken, "a taken cell is proposed"
        for proposal in proposals:
            assert self.space.canonical(proposal.cell) == proposal.cell, "not in canonical form"
            assert proposal.cell in domain, "outside the domain"
            assert proposal.source, "no source"
            assert (proposal.mean is None) == (proposal.std is None)
            if proposal.mean is not None and proposal.std is not None:
                assert np.isfinite(proposal.mean)
                assert 0 <= proposal.std < np.inf
        return cells

    # the promises

    def test_follows_the_protocol(self) -> None:
        assert isinstance(self.searcher(self.domain()), Searcher)

    @pytest.mark.parametrize("count", [1, 3])
    def test_begins_without_any_history(self, count: int) -> None:
        domain = self.domain()
        self.check(domain, History(), self.searcher(domain).propose(History(), count, rng_for(0, 0)), count)

    def test_proposals_are_new_distinct_canonical_and_the_same_after_a_restart(self) -> None:
        domain = self.domain()
        history = self.played(domain, self.rounds, self.batch)
        assert len(history.taken) == len(history) == self.rounds * self.batch
        others = domain.fresh(np.random.default_rng(3), 5, history.taken)
        history = replace(history, pending=tuple(others[:3]), failed=tuple(others[3:]))
        found = self.searcher(domain).propose(history, self.batch, rng_for(1, len(history)))
        cells = self.check(domain, history, found, self.batch)
        # nothing is remembered that the history does not hold: a searcher made anew proposes the same
        again = self.searcher(domain).propose(history, self.batch, rng_for(1, len(history)))
        assert [proposal.cell for proposal in again] == cells

    def test_an_old_searcher_proposes_what_a_new_one_does(self) -> None:
        """Also after it was asked about another run in between."""
        domain = self.domain()
        history, other = (self.played(domain, self.rounds, self.batch, seed=seed) for seed in (0, 1))
        old = self.searcher(domain)
        for seen in (history.until(self.batch), other, history):
            found = old.propose(seen, 2, rng_for(7, len(seen)))
        new = self.searcher(domain).propose(history, 2, rng_for(7, len(history)))
        assert [proposal.cell for proposal in found] == [proposal.cell for proposal in new]

    def test_chance_depends_on_the_seed(self) -> None:
        domain = self.domain()
        first = {self.searcher(domain).propose(History(), 1, rng_for(seed, 0))[0].cell for seed in range(8)}
        assert len(first) > 1

    def test_a_restricted_domain_is_kept_to_and_can_be_exhausted(self) -> None:
        domain, size = self.domain(self.few), self.few
        history = self.played(domain, size // 6, 6)
        left = size - len(history)
        assert {observation.cell for observation in history.observations} <= set(domain.known or ())
        last = self.searcher(domain).propose(history, left + 5, rng_for(0, len(history)))
        cells = self.check(domain, history, last, left)
        history = replace(history, pending=tuple(cells))
        assert self.searcher(domain).propose(history, 4, rng_for(0, size)) == [], "no cell is left"

    def test_lower_is_better_where_the_goal_says_so(self) -> None:
        """The same history with negated values and direction gives the same proposals."""
        domain = self.domain()
        history = self.played(domain, self.rounds, self.batch)
        turned = tuple(replace(o, values=tuple(-value for value in o.values)) for o in history.observations)
        up = self.searcher(domain).propose(history, 3, rng_for(2, len(history)))
        low = self.searcher(domain).propose(History(("min",), turned), 3, rng_for(2, len(history)))
        assert [proposal.cell for proposal in up] == [proposal.cell for proposal in low]
        for one, other in zip(up, low, strict=True):
            assert (one.mean is None) == (other.mean is None)
            if one.mean is not None and other.mean is not None:
                assert one.mean == pytest.approx(-other.mean)
                assert one.std == pytest.approx(other.std)

    def test_equal_values_stop_nobody(self) -> None:
        domain = self.domain()
        history = self.played(domain, self.rounds, self.batch)
        flat = replace(history, observations=tuple(replace(o, values=(1.0,)) for o in history.observations))
        self.check(domain, flat, self.searcher(domain).propose(flat, 2, rng_for(0, len(flat))), 2)

    def test_several_goals_are_searched(self) -> None:
        if not self.several_goals:
            pytest.skip("the method searches for one goal alone")
        domain = self.domain()
        history = self.played(domain, self.rounds, self.batch, directions=("max", "min"))
        assert len(history.taken) == self.rounds * self.batch
        self.check(domain, history, self.searcher(domain).propose(history, 2, rng_for(0, len(history))), 2)
