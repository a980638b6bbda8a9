"""What can be registered, what is refused, and that a suite which cannot fail proves nothing."""

import os
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core import plugins
from svge_core.drawing import THEMES
from svge_core.errors import SvgeError
from svge_core.figures import method_style
from svge_core.search import Domain, History
from svge_core.search.searchers import METHODS, Method, Proposal, Searcher, register_method
from svge_core.spaces import SPACES, DrawingView, NASBench201, get_space, register_space, resolve
from svge_core.testing.methods import SearcherContract
from tests.support.colours import contrast


def test_registering_again_changes_nothing_and_a_taken_name_is_refused() -> None:
    ring = get_space("ring")
    assert register_space(ring) is ring and list(SPACES)[-2:] == ["ring", "functions"]

    class Thief(NASBench201):
        name = "enas6"

    with pytest.raises(SvgeError, match="'enas6' already"):
        register_space(Thief())
    Thief.name = "../ring"
    with pytest.raises(SvgeError, match="small letter"):
        register_space(Thief())
    coin = METHODS["coin"]
    assert register_method("coin", coin) is coin
    for name, reason in (("random", "'random' already, Random search"), ("Coin toss", "small letter")):
        with pytest.raises(SvgeError, match=reason):
            register_method(name, coin)


def test_entry_points_register_spaces_and_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(group: str, name: str, value: str) -> EntryPoint:
        return EntryPoint(name, f"tests.third_party.{value}", group)

    ring, coin = SPACES.pop("ring"), METHODS.pop("coin")
    found = (
        named(plugins.SPACES, "ring", "ring_space:RingSpace"),
        named(plugins.METHODS, "coin", "coin_method:COIN"),
    )
    monkeypatch.setattr(plugins, "_entries", lambda: found)
    monkeypatch.setattr(plugins, "_loaded", set(plugins._loaded))
    try:
        plugins.load_plugins()
        assert SPACES["ring"].title == ring.title and METHODS["coin"] == coin
        plugins.load_plugins()  # once is enough
    finally:
        SPACES["ring"], METHODS["coin"] = ring, coin
    for wrong, reason in (
        (named(plugins.SPACES, "a", "coin_method:COIN"), "is no AbstractSearchSpace"),
        (named(plugins.METHODS, "b", "ring_space:RingSpace"), "is no Method"),
        (named(plugins.SPACES, "c", "ring_space:Nothing"), "AttributeError"),
    ):
        monkeypatch.setattr(plugins, "_entries", lambda wrong=wrong: (wrong,))
        with pytest.raises(SvgeError, match=f"The plug-in {wrong.group}: {wrong.name} cannot be used .*{reason}"):
            plugins.load_plugins()


def test_references_and_views_that_lead_nowhere_are_refused() -> None:
    for reference in ("no.such.module:f", "math:no_such_function", "math"):
        with pytest.raises(SvgeError, match="expected package.module:name"):
            resolve(reference)
    assert resolve("math:floor")(1.5) == 1 == resolve(lambda x: x)(1)
    with pytest.raises(SvgeError, match="edge from 1 to 4"):
        DrawingView("maps", map_edges=((0, 1), (1, 4)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_without_a_style_have_one_that_is_seen_and_differs(theme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {(look.dash, look.symbol) for look in (method_style(m, theme) for m, k in METHODS.items() if k.style)}
    names = [f"guest-{number}" for number in range(5)]
    for name in names:
        monkeypatch.setitem(METHODS, name, Method(name, "", METHODS["random"].make))
    looks = [method_style(name, theme) for name in ("coin", *names)]
    assert len({look.colour for look in looks}) == len(looks)
    assert looks[0].title == "Coin toss"
    assert all(contrast(look.colour, THEMES[theme].page) >= 3 for look in looks)
    assert not {(look.dash, look.symbol) for look in looks} & shipped
    # a store may hold a run of a method that this process does not know
    assert method_style("gone", theme).title == "gone" and method_style("gone", theme, "B").title == "B: gone"


class Bad:
    """A searcher with one fault."""

    name = "bad"

    def __init__(self, fault: str, domain: Domain) -> None:
        self.fault, self.domain, self.asked = fault, domain, 0

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        self.asked += 1
        space = self.domain.space
        taken = set() if self.fault == "repeats" else history.taken
        domain = Domain(space) if self.fault == "strays" else self.domain
        if self.fault == "own chance":
            rng = np.random.default_rng()
        if self.fault == "remembers":
            rng = np.random.default_rng(self.asked)
        if self.fault == "deaf":
            rng = np.random.default_rng(0)
        if self.fault == "maximises" and len(history):
            rng = np.random.default_rng(int(np.argmax([o.values[0] for o in history.observations])))
        found = [Proposal(cell, "any") for cell in domain.fresh(rng, count, taken)]
        if self.fault == "stingy":
            return found[:1]
        if self.fault == "one goal" and len(history.directions) > 1:
            raise ValueError("one goal")
        if self.fault == "equal" and len({o.values for o in history.observations}) == 1 < len(history):
            raise ZeroDivisionError("no spread")
        return [replace(proposal, source="") for proposal in found] if self.fault == "silent" else found


FAULTS = {
    "repeats": ("a_restricted_domain_is_kept_to_and_can_be_exhausted", AssertionError),
    "strays": ("a_restricted_domain_is_kept_to_and_can_be_exhausted", AssertionError),
    "own chance": ("proposals_are_new_distinct_canonical_and_the_same_after_a_restart", AssertionError),
    "remembers": ("an_old_searcher_proposes_what_a_new_one_does", AssertionError),
    "deaf": ("chance_depends_on_the_seed", AssertionError),
    "maximises": ("lower_is_better_where_the_goal_says_so", AssertionError),
    "stingy": ("several_goals_are_searched", AssertionError),
    "one goal": ("several_goals_are_searched", ValueError),
    "equal": ("equal_values_stop_nobody", ZeroDivisionError),
    "silent": ("proposals_are_new_distinct_canonical_and_the_same_after_a_restart", AssertionError),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_promise_is_missed_by_a_searcher_that_breaks_it(fault: str) -> None:
    class Suite(SearcherContract):
        space = get_space("ring")

        def searcher(self, domain: Domain) -> Searcher:
            return Bad(fault, domain)

    name, error = FAULTS[fault]
    with pytest.raises(error):
        getattr(Suite(), f"test_{name}")()


def test_a_broken_plug_in_is_named_and_the_others_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ends_the_process.py").write_text("raise SystemExit\n")
    (tmp_path / "a_good_one.py").write_text("import os\nos.environ['SVGE_TEST_PLUGIN'] = 'loaded'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SVGE_TEST_PLUGIN", "")
    monkeypatch.setenv(plugins.VARIABLE, "ends_the_process, no_such_module, a_good_one")
    with pytest.raises(SvgeError, match="SVGE_PLUGINS: ends_the_process cannot be used .*SystemExit"):
        plugins.load_plugins()
    assert os.environ["SVGE_TEST_PLUGIN"] == "loaded"


def unchecked(function: Any) -> Any:
    """A function as users have it: without the type checks that run in tests."""
    return getattr(function, "__wrapped__", function)


@pytest.mark.parametrize("wrong", [NASBench201, None, 3, "ring"])
def test_what_is_no_space_is_not_registered(wrong: Any) -> None:
    before = dict(SPACES)
    with pytest.raises(SvgeError, match="A search space is an instance of a subclass of AbstractSearchSpace; got "):
        unchecked(register_space)(wrong)
    with pytest.raises(SvgeError, match="A search method is a svge_core.search.Method; got "):
        unchecked(register_method)("wrong", wrong)
    assert before == SPACES
