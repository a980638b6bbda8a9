"""D-VAE, GCN and DGMG against slow per-graph implementations, torch_geometric and exact probabilities."""

import dataclasses
from itertools import product

import pytest
import torch
from scipy.stats import chisquare

from svge_core.errors import SvgeError
from svge_core.evaluation.metrics import forward_log_probability, same_graphs
from svge_core.models.baselines.gcn import directed_normalisation
from svge_core.models.decoding.decoding import decode
from svge_core.models.options import DecodeOptions
from svge_core.models.registry import MODELS, build_model
from svge_core.models.vae import GraphVAE
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.registry import get_space
from svge_core.tensors import END, START, CellBatch, to_batch, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.trainer import Trainer
from tests.support.core import TINY, TinySpace, in_double, narrowed, random_cells, tiny_batch
from tests.support.oracles.baselines import Edges, SlowDGMG, SlowDVAE

BASELINES = ("dvae", "gcn", "dgmg")
ENCODINGS = ("one-hot", "learned")
SMALL = TinySpace(4)
Graph = tuple[tuple[int, ...], frozenset[tuple[int, int]]]


def baseline(
    kind: str, space: AbstractSearchSpace = TINY, seed: int = 0, gain: float = 2.0, **settings: object
) -> GraphVAE:
    """An untrained model with weights far from zero, so that mistakes show."""
    config = dataclasses.replace(MODELS[kind].defaults, **{"hidden": 8, "latent": 4, **settings})  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(kind, space, config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(gain)
    return model


def graphs(batch: CellBatch) -> list[tuple[list[int], Edges]]:
    found = []
    for types, matrix, size in zip(batch.types.tolist(), batch.adjacency.tolist(), batch.sizes.tolist(), strict=True):
        found.append((types[:size], {(u, v) for u in range(size) for v in range(size) if matrix[u][v]}))
    return found


def assert_follows(observed: list[int], wanted: list[float], draws: int) -> None:
    """Chi-square test; what is not listed is counted together."""
    rest = draws - sum(wanted)
    if rest >= 8:
        observed, wanted = [*observed, draws - sum(observed)], [*wanted, rest]
    scale = sum(observed) / sum(wanted)
    assert scale == pytest.approx(1.0, abs=0.01)
    assert chisquare(observed, [scale * value for value in wanted]).pvalue > 1e-3


def slow(model: GraphVAE) -> SlowDVAE | SlowDGMG:
    return SlowDGMG(model) if model.kind == "dgmg" else SlowDVAE(model)  # type: ignore[arg-type]


@pytest.mark.parametrize("positions", [True, False])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", BASELINES)
def test_the_posterior_is_that_of_the_slow_encoder(kind: str, encoding: str, positions: bool) -> None:
    if kind == "dgmg" and positions:
        pytest.skip("published without")
    model = baseline(kind, encoding=encoding, positions=positions).double()
    batch = in_double(tiny_batch())
    found, oracle = model.encode(batch), slow(model)
    for row, (types, edges) in enumerate(graphs(batch)):
        encode = oracle.encode_gcn if kind == "gcn" else oracle.encode  # type: ignore[union-attr]
        mean, log_var = encode(types, edges)
        torch.testing.assert_close(found.mean[row], mean)
        torch.testing.assert_close(found.log_var[row], log_var)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", BASELINES)
def test_the_likelihood_is_that_of_the_slow_decoder(
    kind: str, encoding: str, reduction: str, generator: torch.Generator
) -> None:
    model = baseline(kind, encoding=encoding).double()
    batch = in_double(tiny_batch())
    z = torch.randn(len(batch), 4, generator=generator, dtype=torch.double)
    found, oracle = model.terms(batch, z, reduction), slow(model)
    for row, (types, edges) in enumerate(graphs(batch)):
        type_logits, edge_logits = oracle.logits(z[row], types, edges)
        by_type = -sum(scores.log_softmax(0)[types[v]] for v, scores in type_logits.items())
        by_edge = torch.zeros((), dtype=torch.double)
        for (u, v), odds in edge_logits.items():
            there = torch.tensor(float((u, v) in edges), dtype=torch.double)
            share = 1.0 if reduction == "sum" else 1.0 / v
            by_edge = by_edge - share * torch.distributions.Bernoulli(logits=odds).log_prob(there)
        torch.testing.assert_close(found[0][row], by_type)
        torch.testing.assert_close(found[1][row], by_edge)


def test_the_probability_of_a_cell_of_two_nodes_by_hand() -> None:
    """Input and output alone: one type is drawn, and D-VAE's end takes the edge that nobody else takes."""
    model = baseline("dvae", positions=False).double()
    batch = CellBatch(torch.tensor([[1, 0, 0, 0, 0]]), torch.zeros(1, 5, 5).double(), torch.tensor([2]))
    batch.adjacency[0, 0, 1] = 1.0
    z = torch.tensor([[0.3, -0.2, 0.5, 1.0]]).double()
    decoder = model.decoder  # type: ignore[union-attr]
    first = decoder.update(model.table[START][None], torch.tanh(decoder.start(z)))  # type: ignore[operator]
    chance = decoder.add_node(first).softmax(1)[0, END]  # type: ignore[operator]
    torch.testing.assert_close(forward_log_probability(model, batch, z), chance.log()[None])


def outcomes(model: GraphVAE) -> list[Graph]:
    """Every graph that a run over at most four nodes can write."""
    found = []
    for size in (2, 3, 4):
        pairs = [(u, v) for v in range(1, size - 1) for u in range(v)]
        last = [(u, size - 1) for u in range(size - 1)]
        for inner, chosen in product(product((1, 2, 3), repeat=size - 2), product((0, 1), repeat=len(pairs))):
            there = {pair for pair, bit in zip(pairs, chosen, strict=True) if bit}
            if model.kind == "dgmg":
                raise AssertionError("its edges into the end are drawn")
            loose = {pair for pair in last if not any(source == pair[0] for source, _ in there)}
            found.append(((START, *inner, END), frozenset(there | loose)))
    return found


@pytest.mark.parametrize("kind", ["dvae", "gcn"])
def test_draws_follow_the_probabilities_of_the_slow_decoder(kind: str, generator: torch.Generator) -> None:
    draws = 20_000
    model = baseline(kind, SMALL, 7, hidden=4, latent=2)
    z = torch.randn(1, 2, generator=generator)
    batch = decode(model, z.expand(draws, -1), DecodeOptions("forward"), generator, chunk=5_000)
    exact, point = model.double(), z[0].double()
    with torch.no_grad():
        expected = {g: SlowDVAE(exact).probability(point, list(g[0]), set(g[1])) for g in outcomes(model)}  # type: ignore[arg-type]
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-9)
    counted = dict.fromkeys(expected, 0)
    for types, edges in graphs(batch):
        counted[tuple(types), frozenset(edges)] += 1
    often = [graph for graph, chance in expected.items() if chance * draws >= 8]
    assert len(often) > 20
    assert_follows([counted[graph] for graph in often], [expected[graph] * draws for graph in often], draws)
    # the model's own exact probability is the slow one's
    cells = CellBatch(
        torch.tensor([[*g[0], *[0] * (4 - len(g[0]))] for g in expected]),
        torch.tensor([[[float((u, v) in g[1]) for v in range(4)] for u in range(4)] for g in expected]).double(),
        torch.tensor([len(g[0]) for g in expected]),
    )
    own = forward_log_probability(exact, cells, point.expand(len(cells), -1)).exp()
    torch.testing.assert_close(own, torch.tensor(list(expected.values())).double())
    # with an edge into the end that its rule does not give, a cell cannot be drawn
    wrong = CellBatch(cells.types[-1:], cells.adjacency[-1:].clone(), cells.sizes[-1:])
    wrong.adjacency[0, 0, 3] = 1 - wrong.adjacency[0, 0, 3]
    assert forward_log_probability(exact, wrong, point[None]).tolist() == [-torch.inf]


def test_draws_of_dgmg_follow_its_own_probabilities(generator: torch.Generator) -> None:
    """Its likelihood is checked against the slow decoder above; here the runs are checked against the likelihood."""
    draws = 20_000
    model = baseline("dgmg", SMALL, 7, hidden=4, latent=2, rounds=1)
    z = torch.randn(1, 2, generator=generator)
    batch = decode(model, z.expand(draws, -1), DecodeOptions("forward"), generator, chunk=5_000)
    flat = torch.cat([batch.sizes[:, None], batch.types, batch.adjacency.flatten(1).long()], dim=1)
    distinct, counts = flat.unique(dim=0, return_counts=True)
    cells = CellBatch(distinct[:, 1:5], distinct[:, 5:].view(-1, 4, 4).float(), distinct[:, 0])
    chances = forward_log_probability(model, cells, z.expand(len(cells), -1)).exp().double()
    assert 0.98 < float(chances.sum()) <= 1 + 1e-5
    often = chances * draws >= 8
    observed, wanted = counts[often].tolist(), (chances[often] * draws).tolist()
    assert len(observed) > 30
    assert_follows(observed, wanted, draws)


def test_the_gcn_layer_is_that_of_torch_geometric_and_of_dense_algebra() -> None:
    """On a graph with edges both ways, in- and out-degrees agree and the layer is Kipf & Welling's."""
    from torch_geometric.nn import GCNConv

    torch.manual_seed(0)
    half = (torch.rand(6, 6) < 0.5).double().triu(1)
    adjacency, features = half + half.t(), torch.randn(6, 3).double()
    layer = GCNConv(3, 4).double()
    sources, targets = adjacency.nonzero().t()
    expected = layer(features, torch.stack([sources, targets]))
    weights = directed_normalisation(adjacency[None])[0]
    torch.testing.assert_close(weights @ features @ layer.lin.weight.t() + layer.bias, expected)
    entering, leaving = half.sum(0) + 1, half.sum(1) + 1
    dense = (half.t() + torch.eye(6)) / (entering[:, None] * torch.where(torch.eye(6) > 0, entering, leaving)).sqrt()
    torch.testing.assert_close(directed_normalisation(half[None])[0], dense.double())


@pytest.mark.parametrize("kind", BASELINES)
def test_the_posterior_does_not_depend_on_the_order_of_the_nodes(kind: str) -> None:
    """Without vertex ids, copies of one cell in another topological order have the same posterior."""
    model = baseline(kind, positions=False).double()
    cells = [cell for cell in random_cells(TINY, 600) if cell.num_nodes == 5]
    batch = in_double(to_batch(TINY, cells))
    assert model.encode(batch.select(slice(0, 0))).mean.shape == (0, 4)  # no cells are a batch, too
    moved = 0
    for order in ([0, 2, 1, 3, 4], [0, 1, 3, 2, 4], [0, 3, 1, 2, 4]):
        turned = batch.adjacency[:, order][:, :, order]
        fits = (turned.tril() == 0).all(2).all(1)
        other = CellBatch(batch.types[:, order], turned, batch.sizes).select(fits)
        torch.testing.assert_close(model.encode(other).mean, model.encode(batch.select(fits)).mean)
        moved += int((~same_graphs(other, batch.select(fits))).sum())
    assert moved > 5


def losses(model: GraphVAE, batch: CellBatch) -> torch.Tensor:
    posterior = model.encode(batch)
    return model.elbo_from(batch, posterior, posterior.mean).loss


@pytest.mark.parametrize("kind", BASELINES)
def test_the_loss_of_a_cell_depends_neither_on_its_batch_nor_on_padding(kind: str) -> None:
    model, batch = baseline(kind).double(), in_double(tiny_batch())
    together = losses(model, batch)
    alone = torch.cat([losses(model, batch.select(slice(row, row + 1))) for row in range(len(batch))])
    torch.testing.assert_close(together, alone)
    small = batch.select(batch.sizes <= 4)
    torch.testing.assert_close(losses(model, small), losses(model, narrowed(small)))
    pad = ~batch.mask
    junk = torch.where(pad[:, :, None] & pad[:, None, :], 1.0, batch.adjacency).double().triu(1)
    torch.testing.assert_close(losses(model, CellBatch(batch.types + 2 * pad, junk, batch.sizes)), together)


@pytest.mark.parametrize("kind", BASELINES)
def test_a_learned_table_is_shared_and_a_run_learns_it(kind: str) -> None:
    model = baseline(kind, gain=1.0, encoding="learned", operation_dim=3)
    assert model.table.shape == (4, 3)
    batch = tiny_batch()
    z = torch.zeros(len(batch), 4)
    for used in (model.encode(batch).mean.sum(), model.terms(batch, z, "sum")[0].sum()):
        (gradient,) = torch.autograd.grad(used, model.operations.table)  # type: ignore[arg-type]
        assert gradient.abs().sum() > 0
    before = model.table.detach().clone()
    rows = list(Trainer(model, batch, TrainConfig(epochs=6, batch_size=8, warmup_steps=1, held_out=0.0)).epochs())
    assert rows[-1].loss < rows[0].loss
    assert not torch.equal(before, model.table)
    assert all(table.shape[0] == 4 for table in model.node_tables().values())


@pytest.mark.parametrize("kind", BASELINES)
def test_constrained_cells_are_members_and_backward_runs_are_refused(kind: str) -> None:
    for space in (TINY, get_space("enas6"), get_space("nasbench201"), get_space("nasbench101")):
        model = baseline(kind, space)
        z = 2 * torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
        noise = torch.Generator().manual_seed(1)
        decoded = to_cells(space, decode(model, z, DecodeOptions("both", constrained=True), noise))
        if space is not TINY:  # its rules leave out that every node is on a path
            assert all(space.is_valid(cell) for cell in decoded)
    with pytest.raises(SvgeError, match="forwards only"):
        decode(model, z, DecodeOptions("backward"))
