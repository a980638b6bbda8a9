"""GraphPNAS as a search method, its policy gradient and its recurrent rival; and the protocol of its benchmark."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare

from bench.graphpnas_steps import steps
from bench.harness.graphpnas_runs import Tables, logged, read_tables, rescored, run, summary
from svge_core.cells.cell import Cell
from svge_core.errors import DataError
from svge_core.graphpnas.fitting import RefitOptions
from svge_core.graphpnas.generator import Generator, GeneratorOptions
from svge_core.graphpnas.policy import Policy, PolicyOptions
from svge_core.graphpnas.recurrent import Recurrent, RecurrentOptions, refit_recurrent
from svge_core.graphpnas.rows import layout
from svge_core.graphpnas.space_views import to_graphs, view_of
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.searchers.base import Searcher, rng_for
from svge_core.search.searchers.generative import (
    LOGGED,
    GraphPNAS,
    GraphPNASOptions,
    GraphPNASReinforce,
    RandomStart,
    RecurrentSearch,
)
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")
QUICK = GraphPNASOptions(warm_up=6, refit=RefitOptions(keep=4, epochs=20, batch=4, rate=1e-2))


def convolutions(genes: tuple[int, ...]) -> float:
    """How many operations are 3x3 convolutions."""
    return float(sum(gene == 3 for gene in genes))


def played(searcher: Searcher, count: int, seed: int = 0) -> tuple[History, list[str]]:
    history, sources = History(), []
    while len(history) < count:
        (proposal,) = searcher.propose(history, 1, rng_for(seed, len(history)))
        value = convolutions(searcher.domain.space.genotype(proposal.cell))  # type: ignore[attr-defined]
        found = Observation(len(history), proposal.cell, (value,))
        history = replace(history, observations=(*history.observations, found))
        sources.append(proposal.source)
    return history, sources


def methods() -> dict[str, Searcher]:
    domain = Domain(SPACE)
    return {
        "graphpnas": GraphPNAS(domain, QUICK),
        "reinforce": GraphPNASReinforce(domain),
        "lstm": RecurrentSearch(domain, RecurrentOptions(keep=4, epochs=10), warm_up=6),
    }


@pytest.mark.parametrize("name", ["graphpnas", "reinforce", "lstm"])
def test_learned_proposals_follow_from_the_history_alone(name: str) -> None:
    history, sources = played(methods()[name], 12)
    assert {"drawn from the learned distribution"} <= set(sources[6:])
    assert len({o.cell for o in history.observations}) == 12
    first = methods()[name].propose(history, 3, rng_for(0, 12))
    assert len({p.cell for p in first}) == 3 and not {p.cell for p in first} & history.taken
    assert first == methods()[name].propose(history, 3, rng_for(0, 12))


def test_runs_side_by_side_propose_what_each_would_alone() -> None:
    searcher = GraphPNAS(Domain(SPACE), QUICK)
    histories = [played(searcher, 9, seed)[0] for seed in (0, 1)]
    together = searcher.propose_each(histories, 2, [rng_for(seed, 9) for seed in (0, 1)])
    assert together == [searcher.propose(histories[seed], 2, rng_for(seed, 9)) for seed in (0, 1)]


def test_the_logged_runs_had_fewer_epochs_early() -> None:
    """The epochs of the authors' log: 23 up to 24 observations, 46 up to 47, then 70 on CIFAR-10."""
    fits = [LOGGED["cifar10"].fit(count).epochs for count in (24, 25, 47, 48, 99)]
    assert fits == [23, 46, 46, 70, 70]
    assert [LOGGED[data].fit(10).epochs for data in ("cifar100", "imagenet16")] == [60, 50]
    assert all(options.none_seen for options in LOGGED.values())
    quick = replace(QUICK, early=((8, 1),), none_seen=True)
    history = played(GraphPNAS(Domain(SPACE), quick), 9)[0]
    assert len({o.cell for o in history.observations}) == 9


def test_distinct_proposals_are_equivalent_to_no_other_cell() -> None:
    """Where nothing reaches the output but one edge, cells differ by edges that do nothing."""
    same = [SPACE.from_genotype((gene, 0, 0, 3, 0, 0)) for gene in (1, 2, 3)]
    others = [SPACE.from_genotype((gene, 3, 3, 3, 3, 3)) for gene in (1, 2)]
    assert len({SPACE.key(cell) for cell in same}) == 1 and len({SPACE.key(cell) for cell in others}) == 2

    class Fixed(GraphPNAS):
        """Draws the same every time."""

        def _fitted(self, history: History, rng: np.random.Generator) -> Callable[[int], list[Cell]]:
            del history, rng
            return lambda count: [*same[1:], others[0], same[1], others[1]]

    start = [same[0], SPACE.from_genotype((2, 2, 2, 2, 2, 2))]
    history = History(observations=tuple(Observation(i, cell, (1.0,)) for i, cell in enumerate(start)))
    for distinct, expected in ((False, [*same[1:], others[0]]), (True, others)):
        searcher = Fixed(Domain(SPACE), replace(QUICK, warm_up=2, distinct=distinct))
        proposals = searcher.propose(history, len(expected), rng_for(0, 2))
        assert [proposal.cell for proposal in proposals] == expected


def test_draws_become_better_than_the_random_start() -> None:
    history, sources = played(GraphPNAS(Domain(SPACE), QUICK), 40)
    values = np.array([o.values[0] for o in history.observations])
    assert sources[:6] == ["random start"] * 6
    assert values[-15:].mean() > values[:6].mean() + 0.5


def test_a_distribution_that_draws_nothing_new_gives_way_to_chance() -> None:
    """Of a restricted domain only known cells count; when all are taken nothing is left."""
    known = [SPACE.from_index(i) for i in range(8)]
    searcher = GraphPNAS(Domain(SPACE, known), QUICK)
    history, _ = played(searcher, 8)
    assert {o.cell for o in history.observations} == set(known)
    assert searcher.propose(history, 2, rng_for(0, 8)) == []


def test_the_explorer_leaves_none_out_until_nothing_else_is_left() -> None:
    proposals = RandomStart(Domain(SPACE)).propose(History(), 300, rng_for(0, 0))
    assert min(min(SPACE.genotype(p.cell)) for p in proposals) == 1
    assert len({p.cell for p in proposals}) == 300


def test_the_policy_moves_along_advantage_times_the_score() -> None:
    view, sizes = view_of(SPACE), GeneratorOptions(layers=2, wide=8)
    policy, plain = Policy(view, PolicyOptions(rate=0.01), sizes), Generator(view, sizes, 0)
    optimiser = torch.optim.Adam(plain.parameters(), lr=0.01)
    rng, baseline, spread = np.random.default_rng(0), None, 0.0
    for step, reward in enumerate((1.0, 3.0, 2.0, 0.0)):
        graph = to_graphs(SPACE, [SPACE.random_cell(rng)])
        advantage = policy.update(graph, reward)
        if baseline is None:
            baseline, expected = reward, 0.0
        else:
            gap = reward - baseline
            spread = abs(gap) if step == 1 else 0.9 * spread + 0.1 * abs(gap)
            baseline, expected = 0.9 * baseline + 0.1 * reward, float(np.clip(gap / spread, -3, 3))
            optimiser.zero_grad()
            (-expected * plain.log_likelihood(graph).sum()).backward()
            optimiser.step()
        assert advantage == pytest.approx(expected)
    torch.testing.assert_close(policy.generator.flat, plain.flat)


def test_the_policy_raises_what_is_rewarded() -> None:
    view, space = view_of(SPACE), SPACE
    policy = Policy(view, PolicyOptions(rate=1e-3))
    good = to_graphs(space, [space.from_genotype((3,) * 6)])

    def likely() -> float:
        with torch.no_grad():
            return float(policy.generator.log_likelihood(good))

    before = likely()
    rng = np.random.default_rng(1)
    for _ in range(15):
        policy.update(to_graphs(space, [space.random_cell(rng)]), 0.0)
        policy.update(good, 1.0)
    assert likely() > before + 1.0


def test_what_is_cached_while_drawing_serves_the_gradient_later() -> None:
    layout.cache_clear()
    with torch.inference_mode():  # as a searcher that only draws does, in the same process
        layout(view_of(SPACE))
    policy = Policy(view_of(SPACE), PolicyOptions())
    for reward in (0.0, 1.0):
        policy.update(to_graphs(SPACE, [SPACE.from_index(5)]), reward)


def test_the_recurrent_rival_is_a_distribution_and_draws_from_it() -> None:
    choices = (3, 2, 4)
    model = Recurrent(choices, RecurrentOptions(hidden=8, temperature=0.2), seed=1)
    every = torch.tensor(list(product(*map(range, choices))))
    with torch.no_grad():
        exact = model.log_likelihood(every).exp().double().numpy()
    assert exact.sum() == pytest.approx(1, abs=1e-5)
    drawn = model.sample(8_000, torch.Generator().manual_seed(3))
    found = np.bincount((drawn @ torch.tensor([8, 4, 1])).numpy(), minlength=24)
    assert chisquare(found, exact / exact.sum() * 8_000).pvalue > 1e-3
    pool = torch.tensor([[0, 1, 3], [2, 0, 0]])
    fitted = refit_recurrent(choices, pool, torch.ones(2), RecurrentOptions(hidden=16, epochs=80, rate=1e-2))
    with torch.no_grad():
        assert float(fitted.log_likelihood(pool).exp().sum()) > 0.6


def test_the_recurrent_rival_learns_more_of_a_wiring_than_its_density() -> None:
    """With the default settings, on the largest genotype: a rival that has not learned is none."""
    space, rng = get_space("randwire"), np.random.default_rng(0)
    pool = torch.tensor([space.genotype(space.canonical(space.random_cell(rng))) for _ in range(15)])
    model = refit_recurrent(space.gene_choices, pool, torch.ones(15), seed=0)
    share = float(pool.double().mean())
    density = pool.shape[1] * (share * np.log(share) + (1 - share) * np.log(1 - share))
    with torch.no_grad():
        assert float(model.log_likelihood(pool).mean()) > density + 20


def made_up() -> Tables:
    rng = np.random.default_rng(0)
    test = rng.uniform(80, 94.4, 15_625)
    search = np.stack([test, np.full(15_625, np.nan)], axis=1)
    return Tables(search, test)


def test_the_benchmark_reports_incumbents_by_search_accuracy(tmp_path: Path) -> None:
    tables = made_up()
    runs = run("cifar10", "explorer", tables, [0, 1], 35)
    row = summary("cifar10", runs, tables)
    best = [tables.test[found["indices"]].max() for found in runs]  # search and test agree here
    assert row["final_test"] == row["test@35"] == pytest.approx(np.mean(best))
    assert row["final_test_sd"] == pytest.approx(np.std(best, ddof=1))
    last = np.concatenate([tables.test[found["indices"][-30:]] for found in runs])
    assert row["good_last"] == pytest.approx((last >= 94).mean())
    assert row["good_learned"] is None and row["good_random"] is not None
    rows = [("cifar10", 21, 2, "generator", 70.0, 94.5), ("cifar10", 21, 1, "random", 60.0, 90.0)]
    frame = pd.DataFrame(rows, columns=["dataset", "seed", "query", "source", "search_val_acc", "test_acc"])
    frame["arch"] = [SPACE.format(SPACE.from_index(i)) for i in (7, 5)]
    frame.to_csv(tmp_path / "log.csv", index=False)
    (found,) = logged(tmp_path / "log.csv", "cifar10")
    assert found["indices"] == [5, 7] and found["learned"] == [False, True]
    row = summary("cifar10", [found], tables)
    assert row["test@1"] == 90.0 and row["final_test"] == 94.5 and row["good_learned"] == 1.0
    with pytest.raises(DataError, match="no query of im16"):
        logged(tmp_path / "log.csv", "imagenet16")
    with pytest.raises(DataError, match="no column 'index'"):
        read_tables("cifar10", tmp_path / "log.csv", tmp_path / "log.csv", tmp_path / "log.csv")


def test_the_explorer_goes_on_when_its_own_cells_are_all_taken() -> None:
    """Of the 4,096 cells without "none" all are taken: what is left of the space is drawn, without repeats."""
    cells = [SPACE.from_genotype(genes) for genes in product(range(1, 5), repeat=6)]
    observations = tuple(Observation(number, cell, (0.0,)) for number, cell in enumerate(cells))
    history = replace(History(), observations=observations)
    proposals = RandomStart(Domain(SPACE)).propose(history, 5, rng_for(0, 0))
    assert len({proposal.cell for proposal in proposals}) == 5
    assert all(0 in SPACE.genotype(proposal.cell) for proposal in proposals)


def test_queries_are_rescored_by_the_tables_accuracies() -> None:
    search = np.full((15_625, 2), np.nan)
    search[:3] = [[5.0, 7.0], [9.0, np.nan], [8.0, 9.0]]  # means 6, 9 and 8.5
    test = np.arange(15_625) + 10.0
    assert rescored([{"indices": [0, 1, 2]}, {"indices": [0, 2]}], Tables(search, test)) == pytest.approx(11.5)


def test_steps_from_a_log_compare_our_draws_with_its_next_cells() -> None:
    """A log whose cells all are of skips alone: its next cells are the table's worst, and ours are like its pool."""
    runs = [
        {
            "seed": seed,
            "indices": list(range(seed, seed + 15)),
            "values": [float(i) for i in range(15)],
            "learned": [False] * 15,
        }
        for seed in (0, 40)
    ]
    table = np.zeros(15_625)
    table[[run["indices"][number] for run in runs for number in range(10, 15)]] = 80.0
    rows = steps(runs, "imagenet16", draws=40, every=2, table=table)
    assert [row["sampler"] for row in rows] == ["authors'", "by the likelihood"]
    for row in rows:
        assert row["runs"] == 2 and 0 < row["steps"] <= 6 and row["test_log"] == 80.0 and row["good_log"] == 1.0
        assert row["test_difference"] == pytest.approx(row["test_ours"] - 80.0, abs=8.0)
        assert 0 <= row["good_ours"] <= 1 and row["test_ours"] == pytest.approx(80 * row["good_ours"])
