"""Every search method against the same contract, and what each does against an oracle of its own."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.errors import DataError, SvgeError
from svge_core.graphpnas.fitting import RefitOptions
from svge_core.graphpnas.recurrent import RecurrentOptions
from svge_core.search import rules
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.searchers.base import Searcher, rng_for
from svge_core.search.searchers.bayesian.search import BayesianOptions, BayesianSearch
from svge_core.search.searchers.generative import GraphPNAS, GraphPNASOptions, RecurrentSearch
from svge_core.search.searchers.published import PublishedLatentSearch, PublishedOptions
from svge_core.search.searchers.registry import METHODS, make_searcher
from svge_core.search.searchers.tpe import ParzenEstimator
from svge_core.search.searchers.walks import LocalSearch, RegularisedEvolution, Reinforce
from svge_core.spaces.registry import get_space
from svge_core.testing.methods import SearcherContract
from tests.support.paths import ROOT

SPACE = get_space("nasbench201")


@cache
def checkpoint():
    return load_checkpoint(ROOT / "checkpoints" / "nasbench201" / "svge")


@cache
def domain(known: int = 0) -> Domain:
    cells = [SPACE.from_index(i) for i in np.random.default_rng(5).permutation(15_625)[:known].tolist()]
    return Domain(SPACE, cells or None)


def searcher(name: str, over: Domain | None = None) -> Searcher:
    over = over or domain()
    if name == "svge-bo":  # the published first design alone is longer than these tests
        options = PublishedOptions(initial=8, batch=5, grid=50, decodes=8)
        return PublishedLatentSearch(over, checkpoint(), options)
    if name == "graphpnas":  # so are the published random start and the epochs of every fit
        return GraphPNAS(over, GraphPNASOptions(warm_up=12, refit=RefitOptions(epochs=4, batch=15)))
    if name == "lstm":
        return RecurrentSearch(over, RecurrentOptions(epochs=4), warm_up=12)
    return make_searcher(name, over, checkpoint())


def additive(cell: Cell) -> float:
    """A landscape with one optimum, six 3x3 convolutions, that one-edit moves climb."""
    worth = {"none": 0.0, "avg_pool_3x3": 1.0, "skip_connect": 2.0, "nor_conv_1x1": 3.0, "nor_conv_3x3": 4.0}
    return sum((1.0 + 0.1 * place) * worth[op] for place, op in enumerate(SPACE_OPS(cell)))


def SPACE_OPS(cell: Cell) -> list[str]:
    return [SPACE.operations[gene] for gene in SPACE.genotype(cell)]


BEST = max(additive(SPACE.from_genotype((gene,) * 6)) for gene in range(5))


def played(name: str, rounds: int, count: int, seed: int = 0, worth: Callable[[Cell], float] = additive) -> History:
    """A history that a method made for itself."""
    method, history = searcher(name), History()
    for _ in range(rounds):
        found = list(history.observations)
        for proposal in method.propose(history, count, rng_for(seed, len(found))):
            found.append(Observation(len(found), proposal.cell, (worth(proposal.cell),)))
        history = replace(history, observations=tuple(found))
    return history


class TestShippedMethods(SearcherContract):
    """Every method that is shipped, and on the landscape of this file."""

    space = SPACE

    @pytest.fixture(params=METHODS, autouse=True)
    def _method(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param

    def searcher(self, domain: Domain) -> Searcher:
        return searcher(self.name, domain)

    def worth(self, cell: Cell) -> float:
        return additive(cell)

    def domain(self, known: int = 0) -> Domain:
        return domain(known)


@pytest.mark.parametrize("name", METHODS)
def test_no_method_leaves_a_domain_whose_cells_are_not_listed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(rules, "MAX_LISTED_CELLS", 0)
    fixed = rules.fixed_genes(SPACE, "4321", (0, 1, 2, 3))
    small = Domain(SPACE, rules=rules.Rules(SPACE, [rules.parse_limit("params_m<0.6")], fixed))
    assert small.known is None
    drawn = small.fresh(np.random.default_rng(0), 13, ())
    cells = [*drawn, SPACE.from_index(15_000)]  # a label from outside, to start from
    history = History(observations=tuple(Observation(i, cell, (additive(cell),)) for i, cell in enumerate(cells)))
    proposals = searcher(name, small).propose(history, 4, rng_for(0, len(cells)))
    found = [proposal.cell for proposal in proposals]
    assert len(set(found)) == 4 and not set(found) & history.taken
    for cell in found:
        assert SPACE.genotype(cell)[4:] == SPACE.genotype(SPACE.from_index(4_321))[4:]
        assert SPACE.cost(cell).params_m < 0.6


def test_ours_finds_the_optimum_of_15625_cells_that_random_search_misses() -> None:
    for seed in range(3):
        assert max(o.values[0] for o in played("latent-bo", 35, 1, seed).observations) == pytest.approx(BEST)
    best = [max(o.values[0] for o in played("random", 1, 35, seed).observations) for seed in range(3)]
    assert max(best) < BEST


def test_unknown_methods_and_missing_checkpoints_are_said_in_one_line() -> None:
    with pytest.raises(SvgeError, match="Unknown search method 'gradient'"):
        make_searcher("gradient", domain())
    with pytest.raises(SvgeError, match="give a checkpoint"):
        make_searcher("latent-bo", domain())
    with pytest.raises(SvgeError, match="same space"):
        make_searcher("random", Domain(get_space("enas6")), checkpoint())
    with pytest.raises(DataError, match="nothing to search"):
        Domain(SPACE, [])


def test_neighbours_of_a_restricted_domain_are_the_one_edit_cells_in_it() -> None:
    few = domain(3_000)
    members = set(few.known or ())
    for cell in list(members)[:20]:
        genes = SPACE.genotype(cell)
        brute = {
            other for other in members if sum(a != b for a, b in zip(genes, SPACE.genotype(other), strict=True)) == 1
        }
        assert set(few.neighbours(cell)) == brute


def test_local_search_evaluates_neighbours_of_where_it_stands_and_restarts_in_optima() -> None:
    values = {SPACE.from_index(i): float(v) for i, v in enumerate(np.random.default_rng(8).normal(size=15_625))}
    history = played("local-search", 150, 1, worth=lambda cell: values[cell])
    whole = Domain(SPACE)
    at, restarts = history.observations[0].cell, 0
    known = {at}
    for observation in history.observations[1:]:  # an independent walk along the same evaluations
        around = set(whole.neighbours(at))
        if observation.cell in around:
            assert around - known, "it had neighbours left"
        else:
            assert all(values[n] < values[at] for n in around) or not around - known
            assert not around - known, "a restart with neighbours left"
            restarts += 1
            at = observation.cell
        known.add(observation.cell)
        if values[observation.cell] > values[at]:
            at = observation.cell
        while True:  # what was evaluated earlier can be stepped to at no cost
            better = [n for n in whole.neighbours(at) if n in known and values[n] > values[at]]
            if not better:
                break
            at = max(better, key=lambda n: values[n])
    assert restarts >= 2, "a random landscape has local optima after 24 neighbours"


def test_evolution_breeds_from_the_youngest_alone() -> None:
    history = played("evolution", 60, 1)
    for number, observation in enumerate(history.observations):
        young = history.observations[max(number - 20, 0) : number]
        parents = [o for o in young if observation.cell in domain().neighbours(o.cell)]
        assert number < 20 or parents
    # the sample is of the best alone when it is as large as the population
    greedy = RegularisedEvolution(domain(), population=10, sample=10)
    best = max(history.observations[-10:], key=lambda o: o.values[0])
    child = greedy.propose(history, 1, rng_for(0, 60))[0]
    assert child.cell in domain().neighbours(best.cell)


def test_reinforce_moves_its_logits_along_the_policy_gradient() -> None:
    """Against automatic differentiation of the sum of advantage times log probability, one step at a time."""
    history = played("random", 1, 12)
    policy = Reinforce(domain(), rate=0.2, decay=0.8)
    found = policy._policy(history, history.utilities[:, 0])
    utility = history.utilities[:, 0]
    middle = np.median(utility)
    rewards = np.clip((utility - middle) / np.median(np.abs(utility - middle)), -3, 3)
    logits = [torch.zeros(5, dtype=torch.float64, requires_grad=True) for _ in range(6)]
    baseline = rewards[0]
    for observation, reward in zip(history.observations, rewards, strict=True):
        genes = SPACE.genotype(observation.cell)
        logs = [torch.log_softmax(row, 0)[gene] for row, gene in zip(logits, genes, strict=True)]
        gradients = torch.autograd.grad((reward - baseline) * torch.stack(logs).sum(), logits)
        with torch.no_grad():
            for row, gradient in zip(logits, gradients, strict=True):
                row += 0.2 * gradient
        baseline = 0.8 * baseline + 0.2 * reward
    for probabilities, row in zip(found, logits, strict=True):
        np.testing.assert_allclose(probabilities, torch.softmax(row.detach(), 0).numpy(), rtol=1e-10)


def test_the_parzen_rival_is_optunas_own() -> None:
    import optuna

    history = played("random", 1, 30)
    proposal = ParzenEstimator(domain()).propose(history, 1, rng_for(4, 30))[0]
    study = optuna.create_study(direction="maximize")
    choices: dict[str, optuna.distributions.BaseDistribution]
    choices = {f"gene {n}": optuna.distributions.CategoricalDistribution(tuple(range(5))) for n in range(6)}
    for observation in history.observations:
        params = {f"gene {n}": gene for n, gene in enumerate(SPACE.genotype(observation.cell))}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=choices, value=observation.values[0]))
    study.sampler = optuna.samplers.TPESampler(seed=int(rng_for(4, 30).integers(2**31)))
    cell = history.observations[0].cell
    for _ in range(50):
        trial = study.ask(choices)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        cell = SPACE.from_genotype(tuple(int(trial.params[f"gene {n}"]) for n in range(6)))
        if SPACE.canonical(cell) not in history.taken:
            break
    assert SPACE.canonical(cell) == proposal.cell


def test_the_initial_design_counts_pending_cells_and_candidates_carry_their_source() -> None:
    method = BayesianSearch("latent-bo", domain(), checkpoint(), BayesianOptions(initial=6))
    history = played("random", 1, 3)
    pending = tuple(domain().fresh(np.random.default_rng(0), 2, history.taken))
    first = method.propose(replace(history, pending=pending), 4, rng_for(0, 5))
    assert [p.source for p in first] == ["initial design"] * 4
    full = replace(history, pending=tuple(domain().fresh(np.random.default_rng(0), 3, history.taken)))
    assert "initial design" not in {p.source for p in method.propose(full, 4, rng_for(0, 6))}
    history = played("random", 1, 20)
    pool = method._pool(history, history.utilities[:, 0], rng_for(0, 20))
    sources = {source.split("#")[0].strip() for source in pool.values()}
    assert sources == {"one edit of", "decoded near the best", "decoded from the prior", "random"}
    best = max(history.observations, key=lambda o: o.values[0])
    assert set(domain().neighbours(best.cell)) - history.taken <= set(pool)
    assert not set(pool) & history.taken
    bare = BayesianSearch("x", domain(), checkpoint(), BayesianOptions(mutations=False, decoded=0))
    assert set(bare._pool(history, history.utilities[:, 0], rng_for(0, 20)).values()) == {"random"}


def test_published_search_decodes_rounds_of_latents_after_its_first_design() -> None:
    method = searcher("svge-bo")
    history = played("svge-bo", 8, 1)
    assert {p.source for p in method.propose(History(), 3, rng_for(0, 0))} == {"initial design"}
    later = method.propose(history, 4, rng_for(0, 8))
    assert any(p.source.startswith("decoded") for p in later)
    assert isinstance(LocalSearch(domain()).propose(History(), 1, rng_for(0, 0))[0].cell, Cell)
