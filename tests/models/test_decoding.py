"""Decoding: frequencies against the slow decoder's probabilities, seeds, validity, and cells known by heart."""

from collections import Counter, defaultdict
from itertools import combinations, product

import pytest
import torch
from scipy.stats import chisquare

from svge_core.evaluation.metrics import same_graphs
from svge_core.models.decoding.constraints import OpenNodes
from svge_core.models.decoding.decoding import decode
from svge_core.models.options import DecodeDirection, DecodeOptions
from svge_core.models.svge import SVGe
from svge_core.spaces.registry import get_space
from svge_core.tensors import END, START, CellBatch, to_batch, to_cells
from tests.support.core import OVERFITTED, TINY, TinySpace, overfitted_model, tiny_model
from tests.support.oracles.svge import Edges, SlowDecoder

NB201 = get_space("nasbench201")
DIRECTIONS: tuple[DecodeDirection, ...] = ("forward", "backward", "both")
SMALL = TinySpace(4)
DRAWS = 20_000
#: types in the order they are written down, and edges
Graph = tuple[tuple[int, ...], frozenset[tuple[int, int]]]


def run_outcomes(direction: int) -> list[Graph]:
    """Every graph that one run over at most four nodes can write, in the order of the run."""
    first, last = (START, END) if direction == 0 else (END, START)
    open_types = [kind for kind in range(4) if kind != last]
    graphs = []
    for size in (2, 3, 4):
        pairs = [(u, v) for v in range(2, size) for u in range(v)]
        for inner, chosen in product(product(open_types, repeat=size - 2), product((0, 1), repeat=len(pairs))):
            there = {pair for pair, bit in zip(pairs, chosen, strict=True) if bit}
            graphs.append(((first, *inner, last), frozenset({(0, 1), *there})))
    return graphs


def turned(graph: Graph) -> Graph:
    """The graph written from its other end."""
    types, edges = graph
    last = len(types) - 1
    return types[::-1], frozenset((last - v, last - u) for u, v in edges)


def run_distribution(model: SVGe, z: torch.Tensor, direction: int) -> dict[Graph, float]:
    """Probability of every graph of one run by the slow decoder; keys in input-to-output order."""
    slow, found = SlowDecoder(model, direction), {}
    for types, edges in run_outcomes(direction):
        forced = 3 if len(types) == 4 else None  # the last position can only be the end
        probability = torch.tensor(slow.log_probability(z, list(types), set(edges), forced)).exp().item()
        found[(types, edges) if direction == 0 else turned((types, edges))] = probability
    return found


def vote_distribution(model: SVGe, z: torch.Tensor) -> dict[Graph, float]:
    """Two runs score a forward draft; types and edges are drawn from the averaged log-odds, as documented."""
    found: defaultdict[Graph, float] = defaultdict(float)
    forward, backward = SlowDecoder(model, 0), SlowDecoder(model, 1)
    for (types, edges), weight in run_distribution(model, z, 0).items():
        last = len(types) - 1
        ahead, ahead_edges = forward.logits(z, list(types), set(edges))
        back_types, back_edges = turned((types, edges))
        back, behind = backward.logits(z, list(back_types), set(back_edges))
        choices: list[torch.Tensor] = []
        for node in range(1, last):
            mean = 0.5 * (ahead[node].log_softmax(0) + back[last - node].log_softmax(0))
            choices.append(mean.softmax(0))
        odds: dict[tuple[int, int], torch.Tensor] = {}
        for u, v in combinations(range(last + 1), 2):
            pair = (last - v, last - u)
            scores = [source[key] for source, key in ((ahead_edges, (u, v)), (behind, pair)) if key in source]
            if scores:
                odds[u, v] = torch.stack(scores).mean().sigmoid()
        always = edges - set(odds)
        for inner in product(range(4), repeat=last - 1):
            of_types = weight
            for kind, chances in zip(inner, choices, strict=True):
                of_types *= float(chances[kind])
            for bits in product((0, 1), repeat=len(odds)):
                probability = of_types
                there: Edges = set(always)
                for (pair, chance), bit in zip(odds.items(), bits, strict=True):
                    probability *= float(chance) if bit else 1 - float(chance)
                    if bit:
                        there.add(pair)
                found[(types[0], *inner, types[-1]), frozenset(there)] += probability
    return found


def counted(batch: CellBatch) -> Counter[Graph]:
    rows = zip(batch.types.tolist(), batch.adjacency.int().tolist(), batch.sizes.tolist(), strict=True)
    return Counter(
        (tuple(types[:size]), frozenset((u, v) for u in range(size) for v in range(size) if matrix[u][v]))
        for types, matrix, size in rows
    )


def assert_follows(found: Counter[Graph], expected: dict[Graph, float]) -> None:
    """Chi-square test; graphs expected fewer than eight times are counted together."""
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-5)
    assert set(found) <= set(expected)
    draws = sum(found.values())
    often = [graph for graph, chance in expected.items() if chance * draws >= 8]
    assert len(often) > 40
    observed = [found[graph] for graph in often]
    wanted = [expected[graph] * draws for graph in often]
    observed.append(draws - sum(observed))
    wanted.append(draws - sum(wanted))
    assert chisquare(observed, wanted).pvalue > 1e-3


@pytest.mark.parametrize("edge_sampling", ["independent", "sequential"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_draws_follow_the_probabilities_of_the_slow_decoder(
    direction: DecodeDirection, edge_sampling: str, generator: torch.Generator
) -> None:
    model = tiny_model(SMALL, 7, hidden=4, latent=2, rounds=1, edge_sampling=edge_sampling)
    z = torch.randn(1, 2, generator=generator)
    batch = decode(model, z.expand(DRAWS, -1), DecodeOptions(direction), generator, chunk=5_000)
    with torch.no_grad():
        exact, point = model.double(), z[0].double()
        if direction == "both":
            assert_follows(counted(batch), vote_distribution(exact, point))
        else:
            assert_follows(counted(batch), run_distribution(exact, point, DIRECTIONS.index(direction)))


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("space", [TINY, NB201], ids=lambda space: space.name)
def test_equal_seeds_give_equal_cells(space, direction: DecodeDirection, argmax: bool) -> None:
    model, z = tiny_model(space), torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    options = DecodeOptions(direction, argmax=argmax)
    first, again, other = (decode(model, z, options, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert same_graphs(first, again).all()
    assert bool(same_graphs(first, other).all()) is argmax


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_argmax_does_not_depend_on_chunks_or_on_weights_made_before(direction: DecodeDirection) -> None:
    model, z = tiny_model(TINY), torch.randn(33, 4, generator=torch.Generator().manual_seed(0))
    options = DecodeOptions(direction, argmax=True)
    whole = decode(model, z, options)
    weights = model.generator.prepare(model.table)
    for other in (decode(model, z, options, chunk=7), decode(model, z, options, weights=weights)):
        assert same_graphs(whole, other).all()
    alone = [to_cells(TINY, decode(model, row[None], options))[0] for row in z]
    assert alone == to_cells(TINY, whole)


@pytest.mark.parametrize("edge_sampling", ["independent", "sequential"])
@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_constrained_cells_of_any_size_are_members(
    direction: DecodeDirection, argmax: bool, edge_sampling: str
) -> None:
    space, sizes = get_space("nasbench101"), Counter[int]()
    for seed, scale in ((1, 1.0), (2, 30.0)):  # the second model is wild, and as sure of nonsense as can be
        model, noise = tiny_model(space, seed, edge_sampling=edge_sampling), torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= scale**0.5
        z = scale * torch.randn(300, 4, generator=noise)
        for cell in to_cells(space, decode(model, z, DecodeOptions(direction, True, argmax), noise)):
            space.validate(cell)
            sizes[cell.num_nodes] += 1
    assert set(sizes) <= set(range(2, 8))
    assert argmax or len(sizes) == 6


def test_a_run_of_any_size_keeps_what_was_drawn_where_it_can(generator: torch.Generator) -> None:
    books = OpenNodes(1, 4, max_edges=4, device=torch.device("cpu"))
    no, yes = torch.tensor([False]), torch.tensor([True])
    drawn = books.edges(torch.zeros(1, 1), torch.zeros(1, 1), no, 0, True, None)
    assert drawn.tolist() == [[1.0]], "a node without an edge gets one"
    books.add(1, drawn, no)
    assert books.slack.tolist() == [2], "four edges, one spent, one open node"
    odds = torch.tensor([[3.0, -1.0]])
    assert books.edges(odds, torch.ones(1, 2), no, 0, False, generator).tolist() == [[1.0, 1.0]]
    assert books.edges(odds, torch.ones(1, 2), no, 1, False, generator).tolist() == [[0.0, 1.0]], "one is still to come"
    only = torch.tensor([[1.0, 0.0]])
    books.add(2, only, no)
    assert books.slack.tolist() == [0], "nodes 1 and 2 are open"
    last = books.edges(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, 0.0]]), yes, 0, False, generator)
    assert last.tolist() == [[0.0, 1.0, 1.0]], "the end takes the open nodes, and nothing that is over the bound"


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_constrained_decodings_of_an_untrained_model_are_members(direction: DecodeDirection, argmax: bool) -> None:
    for seed in range(3):
        model, noise = tiny_model(NB201, seed), torch.Generator().manual_seed(seed)
        z = 3 * torch.randn(200, 4, generator=noise)
        cells = to_cells(NB201, decode(model, z, DecodeOptions(direction, True, argmax), noise))
        for cell in cells:
            NB201.validate(cell)
        raw = to_cells(NB201, decode(model, z, DecodeOptions(direction, False, argmax), noise))
        assert not all(map(NB201.is_valid, raw)), "nothing but the rules makes these valid"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_constrained_draws_still_follow_the_model(direction: DecodeDirection) -> None:
    """Among members the rules change nothing: the masked draw is the raw one given that it is allowed."""
    model = overfitted_model()
    cells = to_batch(NB201, [NB201.from_index(index) for index in OVERFITTED])
    z = model.encode(cells).mean.detach()
    for options in (DecodeOptions(direction, True), DecodeOptions(direction, True, argmax=True)):
        decoded = decode(model, z, options, torch.Generator().manual_seed(0))
        assert same_graphs(decoded, cells).float().mean() > 0.8


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_decoding_is_a_well_formed_graph(direction: DecodeDirection, generator: torch.Generator) -> None:
    model = tiny_model(TINY, 3)
    batch = decode(model, 2 * torch.randn(400, 4, generator=generator), DecodeOptions(direction), generator)
    assert len(set(batch.sizes.tolist())) > 2
    assert (batch.types[:, 0] == START).all()
    assert (batch.types.gather(1, batch.sizes[:, None] - 1) == END).all()
    assert not batch.adjacency.tril().any()
    outside = ~(batch.mask[:, :, None] & batch.mask[:, None, :])
    assert not batch.adjacency[outside].any()
    assert not batch.types[~batch.mask].any()


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_cells_known_by_heart_come_back(direction: DecodeDirection, constrained: bool) -> None:
    model = overfitted_model()
    cells = to_batch(NB201, [NB201.from_index(index) for index in OVERFITTED])
    z = model.encode(cells).mean.detach()
    assert same_graphs(decode(model, z, DecodeOptions(direction, constrained, argmax=True)), cells).all()


def test_no_latents_give_no_cells() -> None:
    for direction, space in product(DIRECTIONS, (TINY, NB201)):
        decoded = decode(tiny_model(space), torch.zeros(0, 4), DecodeOptions(direction, space is NB201))
        assert len(decoded) == 0
        assert to_cells(space, decoded) == []


def test_latents_of_another_kind_of_number_are_taken() -> None:
    model, z = tiny_model(TINY), torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    options = DecodeOptions(argmax=True)
    assert same_graphs(decode(model, z, options), decode(model, z.float(), options)).all()
