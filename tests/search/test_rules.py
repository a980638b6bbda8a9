"""Limits and fixed parts: what does not meet them is never proposed, whoever works on the run."""

from functools import cache

import numpy as np
import pytest

from svge_core.errors import DataError, ParseError
from svge_core.search import Domain, rules
from svge_core.search.rules import CostLimit, Rules, fixed_genes, parse_limit
from svge_core.search.runs import control, create_run, execute_elsewhere, read_run
from svge_core.search.runs.types import SearchConfig
from svge_core.spaces import get_space
from tests.search.test_dispatch import Place
from tests.support.cli import RunCommand, known_scores
from tests.support.runs import SPACE, config, execute

COST = ("table:flops_m",)
LIKE = SPACE.from_index(4_321)


_counted = cache(type(SPACE).costs)


@pytest.fixture(autouse=True)
def counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a second under the run-time type checks is computed once."""
    monkeypatch.setattr(type(SPACE), "costs", _counted)


def sizes(name: str = "params_m") -> np.ndarray:
    """What the benchmark's authors published, by official index."""
    return known_scores(SPACE.name).frame[name].to_numpy()


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("params_m<0.5", CostLimit("params_m", "<", 0.5)),
        ("  params_m <= 1 ", CostLimit("params_m", "<=", 1.0)),
        ("flops_m>20.", CostLimit("flops_m", ">", 20.0)),
        ("FLOPS_M >= 2e1", CostLimit("flops_m", ">=", 20.0)),
        ("params_m<.25", CostLimit("params_m", "<", 0.25)),
    ],
)
def test_limits_are_read(text: str, limit: CostLimit) -> None:
    assert parse_limit(text) == limit == parse_limit(limit.words)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "params_m",
        "params_m=1",
        "params_m<",
        "acc<1",
        "0.5>params_m",
        "params_m<1<2",
        "params_m<-1",
        "params_m<nan",
        "params_m<1 or 1",
        "params_m<1_0",
        "params_m<١",
    ],
)
def test_other_texts_are_no_limits(text: str) -> None:
    with pytest.raises(DataError, match="is no limit: expected params_m or flops_m"):
        parse_limit(text)


def test_each_sign_leaves_the_cells_that_the_published_numbers_say() -> None:
    published = sizes()
    bound = float(np.unique(published)[4])
    domains = {sign: Domain(SPACE, rules=Rules(SPACE, [CostLimit("params_m", sign, bound)])) for sign in ("<", "<=")}
    wanted = {"<": published < bound, "<=": published <= bound}
    for sign, domain in domains.items():
        assert domain.known is not None
        assert {SPACE.index(cell) for cell in domain.known} == set(np.flatnonzero(wanted[sign]).tolist())
        assert domain.size == wanted[sign].sum()
    assert domains["<"].size != domains["<="].size
    high = Domain(SPACE, rules=Rules(SPACE, [CostLimit("params_m", ">=", 1.0), CostLimit("flops_m", "<", 160.0)]))
    assert high.size == ((published >= 1.0) & (sizes("flops_m") < 160.0)).sum() > 0
    assert high.title == f"{SPACE.title}, restricted to the {high.size:,} cells with params_m >= 1 and flops_m < 160"


def test_limits_of_known_cells_and_of_one_for_all_that_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [SPACE.from_index(index) for index in range(0, 15_625, 500)]
    few = Rules(SPACE, [parse_limit("params_m<0.3")])
    domain = Domain(SPACE, cells, rules=few)
    assert domain.known == tuple(cell for cell in cells if sizes()[SPACE.index(cell)] < 0.3)
    assert domain.title.endswith(f"the {domain.size} cells with a known value, with params_m < 0.3")
    alike = tuple(cell for cell in map(SPACE.from_index, range(4_000, 4_600)) if SPACE.key(cell) == SPACE.key(LIKE))
    monkeypatch.setattr(type(SPACE), "equivalents", lambda self, cell: alike)  # those of all indices take seconds
    smallest = min(sizes()[SPACE.index(cell)] for cell in alike)
    large = [cell for cell in alike if sizes()[SPACE.index(cell)] > smallest]
    once = Domain(SPACE, alike, distinct=True, rules=Rules(SPACE, [CostLimit("params_m", ">", float(smallest))]))
    assert 0 < len(large) < len(alike) and once.known == (large[0],)


def test_no_cell_left_is_one_line_with_the_nearest_value() -> None:
    low, high = sizes().min(), sizes().max()
    for text, said in (
        ("params_m<0.01", f"has params_m < 0.01: the smallest has {low:.6g}."),
        ("params_m>=9", f"has params_m >= 9: the largest has {high:.6g}."),
    ):
        with pytest.raises(DataError, match=f"No cell of {SPACE.title} {said}"):
            Domain(SPACE, rules=Rules(SPACE, [parse_limit(text)]))
    both = [parse_limit("params_m<0.08"), parse_limit("flops_m>200")]
    with pytest.raises(DataError, match="has params_m < 0.08 and flops_m > 200 at once"):
        Domain(SPACE, rules=Rules(SPACE, both))
    enas = get_space("enas12")
    with pytest.raises(DataError, match=r"No cell among 500 random ones has params_m < 0.001: the smallest has "):
        Domain(enas, rules=Rules(enas, [parse_limit("params_m<0.001")]))


def test_a_space_too_large_to_list_is_drawn_from_within_the_limits() -> None:
    space, rng = get_space("enas6"), np.random.default_rng(0)
    costs = space.costs_of(space.random_cell(rng) for _ in range(50))
    limit = CostLimit("params_m", "<", float(np.median(costs[:, 0])))
    domain = Domain(space, rules=Rules(space, [limit]))
    assert domain.known is None and domain.size is None
    cells = domain.fresh(rng, 20, ())
    assert len(set(cells)) == 20
    assert all(space.cost(cell).params_m < limit.bound for cell in [*cells, *domain.neighbours(cells[0])])


@pytest.mark.parametrize("name", ["nasbench201", "enas6", "enas12"])
@pytest.mark.parametrize("most", [20_000, 0])
def test_fixed_genes_stay(monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    monkeypatch.setattr(rules, "MAX_LISTED_CELLS", most)
    space, rng = get_space(name), np.random.default_rng(1)
    like = space.random_cell(rng)
    fixed = fixed_genes(space, space.format(like), (3, 0))
    domain = Domain(space, rules=Rules(space, fixed=fixed))
    count = space.gene_choices[0] * space.gene_choices[3]
    assert domain.size == (count if most else None)
    cells = domain.fresh(rng, count + 5 if most else count // 2, ())
    assert len(set(cells)) == len(cells) == (count if most else count // 2)  # listed: every one, and no other
    genes = [space.genotype(cell) for cell in cells]
    mine = space.genotype(like)
    assert all(one[place] == mine[place] for one in genes for place in range(len(mine)) if place not in (0, 3))
    assert len(domain.neighbours(cells[0])) == sum(space.gene_choices[place] - 1 for place in (0, 3))


def test_what_cannot_be_fixed_or_limited_is_one_line() -> None:
    for name in ("nasbench101", "randwire"):
        space = get_space(name)
        with pytest.raises(DataError, match="cannot be fixed: its nodes have no order of their own"):
            fixed_genes(space, "0", (0,))
    with pytest.raises(DataError, match="has the genes 0 to 5; got 6"):
        fixed_genes(SPACE, "0", (1, 6))
    with pytest.raises(ParseError):
        fixed_genes(SPACE, "nothing", (1,))
    for changed in ({"like": "0"}, {"free": (1,)}):
        with pytest.raises(DataError, match="give both"):
            config(**changed)
    with pytest.raises(DataError, match="is no limit"):
        config(where=("acc<1",))


def test_genes_have_places_where_no_relabelling_moves_them() -> None:
    rng = np.random.default_rng(3)
    for name in ("nasbench201", "enas6"):
        space = get_space(name)
        assert space.genes_have_places
        for _ in range(20):
            cell = space.random_cell(rng)
            order = [0, *(1 + rng.permutation(cell.num_nodes - 2)).tolist(), cell.num_nodes - 1]
            genes = space.genotype(cell)
            assert genes == space.genotype(space.canonical(space.from_genotype(genes)))
            if all(order.index(u) < order.index(v) for u, v in cell.edges):
                assert space.genotype(space.canonical(cell.relabelled(order))) == genes


def test_a_run_keeps_its_rules_in_the_store(any_store: str) -> None:
    given = config(
        objective=COST,
        method="evolution",
        budget=12,
        where=("params_m<0.5", "params_m>0.1"),
        like="4321",
        free=(0, 2, 5),
    )
    assert SearchConfig.from_dict(given.to_dict()) == given
    name = create_run(any_store, given)
    first = execute(any_store, name, lambda e: control(any_store, name, "pause") if e.number == 4 else None)
    control(any_store, name, "run")
    assert (first, execute_elsewhere(any_store, name, Place(3))) == ("paused", "finished")
    view = read_run(any_store, name)
    assert view.config.where == given.where and len(view.done) == 12
    for evaluation in view.done:
        genes = SPACE.genotype(evaluation.cell)
        assert 0.1 < sizes()[SPACE.index(evaluation.cell)] < 0.5
        assert [genes[place] for place in (1, 3, 4)] == [SPACE.genotype(LIKE)[place] for place in (1, 3, 4)]
    assert view.optimum is None
    assert view.domain_title.endswith(f"like {SPACE.format(LIKE)} but for genes 0, 2, 5")


def test_the_optimum_of_a_chart_is_the_best_that_may_be_proposed(storage: str) -> None:
    name = create_run(storage, config(objective=("table:cifar10_valid",), where=("params_m<0.1",)))
    values = known_scores(SPACE.name).frame["cifar10_valid"].to_numpy()
    assert read_run(storage, name).optimum == (values[sizes() < 0.1].max(),)
    assert values[sizes() < 0.1].max() < values.max()


def test_from_the_command_line(run: RunCommand, fails: RunCommand, storage: str) -> None:
    words = ("search", "--objective", *COST, "--budget", 6, "--storage", storage)
    (found,) = run(*words, "--where", "params_m<0.3", "--where", "flops_m > 20", "--like", 4321, "--free", "0,1,2")
    assert "with params_m < 0.3 and flops_m > 20, like |" in found["domain"]
    assert "--where LIMIT" in fails(*words, "--where", "params_m<0.01")
    assert "(--like ARCH, --free GENES)" in fails(*words, "--like", 4321)
    assert "expected positions of genes such as 0,3" in fails(*words, "--like", 4321, "--free", "a")
    assert "(--free GENES)" in fails(*words, "--like", 4321, "--free", "6")
    assert "leave --where, --free away" in fails(
        "search", "--resume", found["name"], "--where", "params_m<1", "--free", "1", "--storage", storage
    )
