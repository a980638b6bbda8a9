"""A space and a method that are one file each keep the shipped contracts."""

import pytest

from svge_core.search import Domain
from svge_core.search.searchers import METHODS, Searcher, make_searcher
from svge_core.spaces import get_space
from svge_core.testing.methods import SearcherContract
from svge_core.testing.spaces import SearchSpaceContract


class TestRingSpace(SearchSpaceContract):
    """Mirrored rings are one cell, so an edit can change the order of the arms."""

    edit_is_one_gene = False

    @pytest.fixture(autouse=True)
    def _known(self) -> None:
        self.space = get_space("ring")


class TestFunctionSpace(SearchSpaceContract):
    """How many nodes an operation reads is no matter of masks, and an operation more or less moves the others."""

    rules_are_exact = False
    edit_is_one_gene = False

    @pytest.fixture(autouse=True)
    def _known(self) -> None:
        self.space = get_space("functions")


class TestCoinSearch(SearcherContract):
    """On the third-party space."""

    @pytest.fixture(autouse=True)
    def _known(self) -> None:
        self.space = get_space("ring")

    def searcher(self, domain: Domain) -> Searcher:
        return make_searcher("coin", domain)


class TestCoinSearchElsewhere(TestCoinSearch):
    """On a shipped space."""

    @pytest.fixture(autouse=True)
    def _known(self) -> None:
        self.space = get_space("nasbench201")


@pytest.mark.parametrize("name", ["gp", "trees", "local-search", "evolution", "reinforce", "tpe", "random"])
def test_shipped_methods_search_the_third_party_space(name: str) -> None:
    from svge_core.search import History
    from svge_core.search.searchers import rng_for

    domain = Domain(get_space("ring"))
    assert len(make_searcher(name, domain).propose(History(), 3, rng_for(0, 0))) == 3
    assert METHODS[name].why_not(domain.space) == ""
