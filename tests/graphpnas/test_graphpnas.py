"""The generator of GraphPNAS against a loop over rows, exhaustive sums, sampling frequencies and plain autograd."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.graphpnas.fitting import RefitOptions, best_by_rank, refit, refit_many
from svge_core.graphpnas.generator import Generator, GeneratorOptions
from svge_core.graphpnas.rows import Rows, lay_out, layout
from svge_core.graphpnas.sampling import sample
from svge_core.graphpnas.space_views import (
    Graphs,
    GraphView,
    from_upper_triangular,
    to_cells,
    to_graphs,
    topology_view,
    view_of,
)
from svge_core.graphpnas.target_weights import targets, weighted_loss
from svge_core.spaces.registry import get_space
from tests.support.oracles.graphpnas import log_probability, published_loss, rows_of, seen_probability

SPACES = ("nasbench201", "nasbench101", "enas6")
TOPOLOGY, EDGES = topology_view(3), GraphView(3, edge_labels=("none", "a", "b"))
OPEN = GraphView(3, node_labels=("in", "a", "out"), open_ended=True)


def some(name: str, count: int = 6, seed: int = 0) -> tuple[GraphView, Graphs, list[Cell]]:
    space, rng = get_space(name), np.random.default_rng(seed)
    cells = [space.canonical(space.random_cell(rng)) for _ in range(count)]
    return view_of(space), to_graphs(space, cells), cells


def dags(nodes: int, count: int, share: float, seed: int = 0) -> Graphs:
    rng = np.random.default_rng(seed)
    return from_upper_triangular(
        torch.from_numpy(np.triu(rng.random((count, nodes, nodes)) < share, 1).astype("int64"))
    )


def everything(view: GraphView, size: int, ends: bool = False) -> Graphs:
    """All graphs of a view with so many nodes."""
    choices = range(len(view.edge_labels) or 2)
    places = [(i, j) for i in range(size) for j in range(i)]
    inner = list(product(range(len(view.node_labels) - 1), repeat=size - 2)) if ends else [()]
    edges, labels = [], []
    for values, middle in product(product(choices, repeat=len(places)), inner):
        matrix = torch.zeros(view.nodes, view.nodes, dtype=torch.long)
        for place, value in zip(places, values, strict=True):
            matrix[place] = value
        names = torch.zeros(view.nodes, dtype=torch.long)
        if ends:
            names[1:size] = torch.tensor([*middle, len(view.node_labels) - 1])
        edges.append(matrix)
        labels.append(names)
    return Graphs(torch.stack(edges), torch.stack(labels), torch.full((len(edges),), size))


def generator(view: GraphView, seed: int = 1) -> Generator:
    """Small, with weights large enough that no two graphs are equally likely."""
    made = Generator(view, GeneratorOptions(hidden=14, layers=2, wide=9, components=3), seed)
    with torch.no_grad():
        made.flat.mul_(2.5)
    return made


@pytest.mark.parametrize("name", SPACES)
def test_cells_survive_the_way_to_graphs_and_back(name: str) -> None:
    view, graphs, cells = some(name, 200)
    assert to_cells(get_space(name), graphs) == cells
    assert torch.equal(graphs.edges, graphs.edges.tril(-1))
    for target, source in view.certain:
        assert bool(graphs.adjacency[:, target, source].all())


def test_what_is_no_graph_of_a_view_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidCellError, match="strictly upper triangular"):
        from_upper_triangular(torch.ones(1, 3, 3))
    with pytest.raises(InvalidCellError, match="0 and 1; got 0 to 2"):
        from_upper_triangular(2 * torch.ones(1, 3, 3).triu(1))
    with pytest.raises(SvgeError, match="at least 35"):
        Generator(topology_view(32), GeneratorOptions(hidden=24))
    unended = Graphs(torch.zeros(1, 7, 7, dtype=torch.long), torch.zeros(1, 7, dtype=torch.long), torch.tensor([0]))
    assert to_cells(get_space("nasbench101"), unended) == [None]


@pytest.mark.parametrize("name", [*SPACES, "topology"])
def test_likelihood_and_loss_are_those_of_a_loop_over_rows(name: str) -> None:
    view, graphs = (topology_view(6), dags(6, 3, 0.4)) if name == "topology" else some(name, 3)[:2]
    made = Generator(view, GeneratorOptions(hidden=20, layers=2, wide=9, components=3), seed=1)
    with torch.no_grad():
        made.flat.mul_(2.0)
    exact = torch.stack([log_probability(made, graphs, i) for i in range(3)])
    torch.testing.assert_close(made.log_likelihood(graphs), exact, rtol=1e-4, atol=1e-4)
    rewards = torch.tensor([1.0, 2 / 3, 1 / 3])
    loss = torch.stack([published_loss(made, graphs, i, float(rewards[i])) for i in range(3)]).mean()
    found = weighted_loss(made(lay_out(view, graphs)), targets(view, graphs, rewards), layout(view).row_sum)
    torch.testing.assert_close(found, loss, rtol=1e-4, atol=1e-5)


def test_all_graphs_together_have_probability_one() -> None:
    space = get_space("nasbench201")
    cells = to_graphs(space, list(space.enumerate()))
    with torch.no_grad():
        assert float(generator(view_of(space)).log_likelihood(cells).exp().double().sum()) == pytest.approx(1, abs=1e-5)
        for view in (TOPOLOGY, EDGES):
            total = generator(view).log_likelihood(everything(view, 3)).exp().sum()
            assert float(total) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("view", [TOPOLOGY, EDGES, OPEN], ids=["topology", "edge labels", "node labels"])
def test_samples_are_as_frequent_as_their_probability_says(view: GraphView) -> None:
    made, count = generator(view), 20_000
    parts = [everything(view, size, view.open_ended) for size in ((2, 3) if view.open_ended else (3,))]
    with torch.no_grad():
        expected = torch.cat([made.log_likelihood(part) for part in parts]).exp().double().numpy()
    drawn = sample(made, count, torch.Generator().manual_seed(5))
    keys = [
        (*g.flatten().tolist(), *n.tolist()) for part in parts for g, n in zip(part.edges, part.labels, strict=True)
    ]
    place = {key: number for number, key in enumerate(keys)}
    found = np.zeros(len(keys) + 1)
    for edges, labels, size in zip(drawn.edges, drawn.labels, drawn.sizes, strict=True):
        found[place[(*edges.flatten().tolist(), *labels.tolist())] if size else -1] += 1
    rest = 1 - expected.sum()  # never ended
    assert (rest > 0.01) == view.open_ended
    wanted = np.append(expected, max(rest, 0.0)) * count
    kept = wanted > 5
    observed = np.append(found[kept], found[~kept].sum())
    likely = np.append(wanted[kept], wanted[~kept].sum())
    shown = likely > 0.5
    assert chisquare(observed[shown], likely[shown] * observed[shown].sum() / likely[shown].sum()).pvalue > 1e-3


def test_the_authors_sampler_lets_later_rows_see_edges_of_no_operation() -> None:
    made, count, graphs = generator(EDGES), 20_000, everything(EDGES, 3)
    with torch.no_grad():
        expected = np.array([seen_probability(made, edges) for edges in graphs.edges])
        plain = made.log_likelihood(graphs).exp().double().numpy()
    assert expected.sum() == pytest.approx(1, abs=1e-5) and np.abs(expected - plain).max() > 0.005
    place = {tuple(edges.flatten().tolist()): number for number, edges in enumerate(graphs.edges)}
    drawn = sample(made, count, torch.Generator().manual_seed(6), none_seen=True)
    found = np.bincount([place[tuple(edges.flatten().tolist())] for edges in drawn.edges], minlength=len(place))
    shown = expected * count > 5
    observed, likely = (np.append(a[shown], a[~shown].sum()) for a in (found, expected * count))
    if likely[-1] < 1:
        observed, likely = observed[:-1], likely[:-1]
    assert chisquare(observed, likely * observed.sum() / likely.sum()).pvalue > 1e-3


def test_certain_edges_are_always_drawn() -> None:
    view = view_of(get_space("enas6"))
    drawn = sample(Generator(view), 50, torch.Generator().manual_seed(0))
    assert None not in [cell and get_space("enas6").is_valid(cell) for cell in to_cells(get_space("enas6"), drawn)][:0]
    for target, source in view.certain:
        assert bool(drawn.adjacency[:, target, source].all())


@pytest.mark.parametrize("name", [*SPACES, "topology"])
def test_a_refit_takes_the_steps_of_plain_autograd_and_adam(name: str) -> None:
    """Of 32 nodes the batch is too large for incidence matrices, so both ways of summing messages are checked."""
    view, graphs = (topology_view(32), dags(32, 5, 0.13)) if name == "topology" else some(name, 5)[:2]
    options, rewards = RefitOptions(epochs=2, batch=2), torch.arange(1, 6) / 5
    sizes = GeneratorOptions(layers=3)
    made = Generator(view, sizes, seed=3)
    optimiser = torch.optim.Adam(made.parameters(), lr=options.rate)
    chance, rows, wanted = torch.Generator().manual_seed(3), lay_out(view, graphs), targets(view, graphs, rewards)
    losses, row_sum = [], layout(view).row_sum
    for _ in range(options.epochs):
        total = 0.0
        for part in torch.randperm(5, generator=chance).split(options.batch):
            batch = Rows(
                graphs.select(part), rows.inputs[part], rows.source[part], rows.target[part], rows.features[part]
            )
            loss = weighted_loss(made(batch), wanted.select(part), row_sum)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(part)
        losses.append(total / 5)
    seen: list[float] = []
    fitted = refit(view, graphs, rewards, options, 3, sizes, on_epoch=lambda epoch, loss: seen.append(loss))
    assert seen == pytest.approx(losses, rel=1e-4)
    # the sign of a vanishing gradient decides Adam's first step: such weights may differ by a step
    apart = (fitted.flat - made.flat).detach().abs()
    assert float(apart.quantile(0.999) if len(apart) < 1e6 else apart.mean()) < 1e-5
    assert float(apart.max()) <= 2.5 * options.rate * 6


def test_fits_side_by_side_are_those_one_after_another() -> None:
    for name in ("nasbench201", "nasbench101"):
        pools = [some(name, 5, seed)[1] for seed in (0, 1, 2)]
        view, rewards = view_of(get_space(name)), torch.stack([torch.arange(1, 6) / k for k in (5, 7, 9)])
        options = RefitOptions(epochs=2, batch=2)
        sizes = GeneratorOptions(layers=2)
        many = refit_many(view, pools, rewards, options, (4, 5, 6), sizes)
        for place, fitted in enumerate(many):
            one = refit(view, pools[place], rewards[place], options, 4 + place, sizes)
            apart = (fitted.flat - one.flat).detach().abs()
            assert float(apart.quantile(0.999)) < 1e-5


def test_a_fitted_generator_draws_the_pool_more_often_than_others() -> None:
    view, graphs, cells = some("nasbench201", 4)
    fitted = refit(view, graphs, torch.ones(4), RefitOptions(epochs=80, batch=4, rate=5e-3))
    drawn = to_cells(get_space("nasbench201"), sample(fitted, 500, torch.Generator().manual_seed(0)))
    share = sum(cell in set(cells) for cell in drawn) / 500
    assert share > 0.2
    with torch.no_grad():  # and as often as it says
        assert share == pytest.approx(float(fitted.log_likelihood(graphs).exp().sum()), abs=0.08)


def test_rows_before_the_newest_edge_do_not_depend_on_it() -> None:
    """Teacher forcing sees the past alone."""
    made, graphs = generator(EDGES), everything(EDGES, 3)
    logits = made(lay_out(EDGES, graphs))
    same = (graphs.edges[:, 1, 0] == 2).nonzero()[:, 0]
    at = layout(EDGES)
    for row in (0, 1, 2):
        theta = logits.theta[same][:, at.row == row]
        torch.testing.assert_close(theta, theta[:1].expand_as(theta))
    assert len(rows_of(made, graphs.edges[0])) == 3


def test_rewards_are_ranks_of_the_best() -> None:
    order, rewards = best_by_rank([3.0, 9.0, 1.0, 7.0, 5.0], 3)
    assert order.tolist() == [4, 3, 1]
    np.testing.assert_allclose(rewards, [1 / 3, 2 / 3, 1.0])
    assert best_by_rank([2.0], 15)[1].tolist() == [1.0]


def test_the_published_explorer_never_draws_none_and_everything_else_alike() -> None:
    space, rng = get_space("nasbench201"), np.random.default_rng(2)
    genes = np.array([space.genotype(space.random_start(rng)) for _ in range(1_500)])
    assert genes.min() == 1
    assert chisquare(np.bincount(genes.ravel())[1:]).pvalue > 1e-3
    space = get_space("nasbench101")
    cells = [space.random_start(rng) for _ in range(60)]
    assert all(space.is_valid(cell) and cell == space.canonical(cell) for cell in cells)
    assert {cell.num_nodes for cell in cells} >= {3, 4, 5, 6, 7}
