"""The row code: who owns which pair, encoder and decoder against loops, probabilities against frequencies, members."""

import dataclasses
import json
from itertools import combinations, product
from pathlib import Path

import networkx as nx
import pytest
import torch
from scipy.stats import chisquare

from svge_core.__main__ import main
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.errors import CheckpointError, SvgeError
from svge_core.evaluation.card import card
from svge_core.evaluation.metrics import forward_log_probability, same_graphs
from svge_core.figures.operations import operation_tables
from svge_core.models.decoding.decoding import decode
from svge_core.models.options import DecodeOptions
from svge_core.models.registry import MODELS, build_model
from svge_core.models.rows import RowVAE, in_one_piece, mended
from svge_core.spaces.base import DecodingRules
from svge_core.spaces.hooks import GeneratorView, GraphView
from svge_core.spaces.randwire import RandWire, from_edges
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_batch, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.trainer import Trainer
from tests.support.core import in_double, random_cells

RANDWIRE = get_space("randwire")
OTHERS = ("nasbench201", "nasbench101", "enas6")


class FewNodes(RandWire):
    """Wirings of fewer nodes, for what is counted in full: only what the model asks of a space is right."""

    def __init__(self, nodes: int, most: int) -> None:
        self.name, self.title, self.max_nodes, self.most = f"wire{nodes}", f"Wire {nodes}", nodes + 2, most

    def generator_view(self) -> GeneratorView:
        whole = super().generator_view()
        return GeneratorView(GraphView(self.max_nodes - 2), whole.graph_of, whole.cell_of)

    def decoding_rules(self) -> DecodingRules:
        whole = super().decoding_rules()
        return dataclasses.replace(whole, max_edges=self.most + self.max_nodes - 2)


def row_code(space: RandWire = RANDWIRE, gain: float = 3.0, seed: int = 0, **settings: object) -> RowVAE:  # type: ignore[assignment]
    """An untrained model, its biases too far from zero, so that mistakes show."""
    nodes = space.max_nodes - 2
    config = dataclasses.replace(MODELS["rows"].defaults, **{"hidden": 8, "latent": 2 * nodes, **settings})  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model("rows", space, config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter * gain + 0.3 * torch.randn(parameter.shape))
    assert isinstance(model, RowVAE)
    return model


def wirings(count: int = 6) -> CellBatch:
    return in_double(to_batch(RANDWIRE, random_cells(RANDWIRE, count)))


def owned_by(node: int, nodes: int) -> list[tuple[int, int] | None]:
    """The pair at every place of a node's row, from the definition; None where the other node owns it."""
    row = []
    for offset in range(1, nodes // 2 + 1):
        other = (node + offset) % nodes
        elsewhere = 2 * offset == nodes and node >= nodes // 2
        row.append(None if elsewhere else (min(node, other), max(node, other)))
    return row


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 8, 32])
def test_every_pair_is_owned_once(nodes: int) -> None:
    model = row_code(FewNodes(nodes, 999))
    pairs = list(combinations(range(nodes), 2))
    rows = [owned_by(node, nodes) for node in range(nodes)]
    assert sorted(pair for row in rows for pair in row if pair) == pairs
    found = [
        [pairs[pair] if own else None for pair, own in zip(*places, strict=True)]
        for places in zip(model.pair.tolist(), model.owned.tolist(), strict=True)
    ]
    assert found == rows
    flat = [pair for row in rows for pair in row]
    assert [flat[place] for place in model.slot.tolist()] == pairs


def test_the_posterior_is_that_of_a_loop_over_nodes() -> None:
    model, batch = row_code().double(), wirings()
    found = model.encode(batch)
    assert found.mean.shape == (6, 64)
    for number, matrix in enumerate(batch.adjacency):
        for node in range(32):
            row = torch.tensor([0.0 if p is None else float(matrix[p[0] + 1, p[1] + 1]) for p in owned_by(node, 32)])
            hidden = (model.read.weight @ row.double() + model.read_bias[node]).relu()
            out, own = model.code.weight @ hidden, slice(2 * node, 2 * node + 2)
            torch.testing.assert_close(found.mean[number, own], out[:2] + model.code_bias[0, own])
            torch.testing.assert_close(found.log_var[number, own], out[2:] + model.code_bias[1, own])
    assert model.encode(batch.select(slice(0, 0))).mean.shape == (0, 64)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_likelihood_is_that_of_a_loop_over_nodes(reduction: str, generator: torch.Generator) -> None:
    model, batch = row_code().double(), wirings()
    z = torch.randn(6, 64, generator=generator, dtype=torch.double)
    types, edges = model.terms(batch, z, reduction)
    wanted = torch.zeros(6, dtype=torch.double)
    for number, node in product(range(6), range(32)):
        code = z[number, 2 * node : 2 * node + 2]
        hidden = (model.unfold.weight @ code + model.unfold_bias[node]).relu()
        logits = model.write.weight @ hidden + model.write_bias[node]
        for odds, pair in zip(logits, owned_by(node, 32), strict=True):
            if pair is not None:
                there = batch.adjacency[number, pair[0] + 1, pair[1] + 1]
                share = 1.0 if reduction == "sum" else 1.0 / pair[1]
                wanted[number] -= share * torch.distributions.Bernoulli(logits=odds).log_prob(there)
    torch.testing.assert_close(edges, wanted)
    assert types.tolist() == [0.0] * 6
    alone = torch.cat([model.terms(batch.select(slice(n, n + 1)), z[n : n + 1], reduction)[1] for n in range(6)])
    torch.testing.assert_close(alone, edges)


def test_the_edges_of_the_ends_are_those_of_the_space() -> None:
    model, batch = row_code(), to_batch(RANDWIRE, random_cells(RANDWIRE, 20))
    assert same_graphs(model.cells(model.bits(batch)), batch).all()
    lonely = model.cells(torch.zeros(1, 496))
    assert to_cells(RANDWIRE, lonely) == [from_edges([])]


def test_draws_follow_the_probabilities_and_these_add_up_to_one(generator: torch.Generator) -> None:
    space, draws = FewNodes(4, 6), 20_000
    model = row_code(space, gain=1.0)
    z = torch.randn(1, 8, generator=generator)
    bits = torch.tensor(list(product((0.0, 1.0), repeat=6)))
    cells = model.cells(bits)
    chances = forward_log_probability(model, cells, z.expand(64, -1)).exp().double()
    assert float(chances.sum()) == pytest.approx(1.0, abs=1e-5)
    decoded = decode(model, z.expand(draws, -1), DecodeOptions(), generator, chunk=5_000)
    numbers = (model.bits(decoded) @ torch.tensor([32.0, 16, 8, 4, 2, 1])).long()
    observed, often = numbers.bincount(minlength=64).double(), chances * draws >= 8
    assert int(often.sum()) > 30
    rest = [draws - float(part[often].sum()) for part in (observed, chances * draws)]
    seen, wanted = [*observed[often].tolist(), rest[0]], [*(chances[often] * draws).tolist(), rest[1]]
    scale = sum(seen) / sum(wanted)
    assert chisquare(seen, [scale * value for value in wanted]).pvalue > 1e-3
    likeliest = decode(model, z, DecodeOptions(argmax=True))
    assert same_graphs(likeliest, cells.select(chances.argmax()[None])).all()


def test_a_cell_that_no_run_writes_has_no_probability() -> None:
    model, batch = row_code(), to_batch(RANDWIRE, random_cells(RANDWIRE, 1))
    z = torch.zeros(1, 64)
    assert torch.isfinite(forward_log_probability(model, batch, z)).all()
    source = int(batch.adjacency[0, 0].argmax())
    for changed in ((0, source), (3, 2), (0, 33)):
        adjacency = batch.adjacency.clone()
        adjacency[0][changed] = 1 - adjacency[0][changed]
        wrong = CellBatch(batch.types, adjacency, batch.sizes)
        assert forward_log_probability(model, wrong, z).tolist() == [-torch.inf]
    types = batch.types.clone()
    types[0, 5] = 1
    assert forward_log_probability(model, CellBatch(types, batch.adjacency, batch.sizes), z).tolist() == [-torch.inf]


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("shift", [-6.0, -2.0, 0.0, 4.0])
def test_constrained_cells_are_members(shift: float, argmax: bool, generator: torch.Generator) -> None:
    """With hardly any edge, with some, and with more than a cell may have."""
    model = row_code()
    with torch.no_grad():
        model.write_bias.add_(shift)
    z = torch.randn(40, 64, generator=generator)
    raw = decode(model, z, DecodeOptions(argmax=argmax), torch.Generator().manual_seed(3))
    kept = decode(model, z, DecodeOptions("both", constrained=True, argmax=argmax), torch.Generator().manual_seed(3))
    members = torch.tensor([RANDWIRE.is_valid(cell) for cell in to_cells(RANDWIRE, raw)])
    if shift in (-6.0, 4.0):
        assert not members.any()
    assert all(RANDWIRE.is_valid(cell) for cell in to_cells(RANDWIRE, kept))
    assert same_graphs(raw, kept)[members].all(), "what is a member already stays"
    with pytest.raises(SvgeError, match="forwards only"):
        decode(model, z, DecodeOptions("backward"))


def test_mended_graphs_are_the_nearest_of_all_graphs() -> None:
    """Against all connected graphs of five nodes: fewest changes, and of those the likeliest."""
    pairs, rng = [list(pair) for pair in combinations(range(5), 2)], torch.Generator().manual_seed(0)
    graphs = [bits for bits in product((0.0, 1.0), repeat=10) if 4 <= sum(bits) <= 6 and connected(bits, pairs)]
    for _ in range(30):
        odds = torch.randn(10, generator=rng)
        bits = (torch.rand(10, generator=rng) < torch.rand(1, generator=rng)).float()

        def cost(graph: tuple[float, ...], bits: torch.Tensor = bits, odds: torch.Tensor = odds) -> tuple[int, float]:
            there = torch.tensor(graph)
            return int((there != bits).sum()), -float((there * odds).sum())

        found = tuple(mended(bits.tolist(), odds.tolist(), pairs, 5, 6))
        assert found in graphs
        assert cost(found)[0] == min(cost(graph)[0] for graph in graphs)
        if bits.sum() <= 4 or connected(tuple(bits.tolist()), pairs):
            assert cost(found) == pytest.approx(min(map(cost, graphs)))


def connected(bits: tuple[float, ...], pairs: list[list[int]]) -> bool:
    graph = nx.Graph()
    graph.add_nodes_from(range(5))
    graph.add_edges_from((pair[0], pair[1]) for pair, there in zip(pairs, bits, strict=True) if there)
    return nx.is_connected(graph)


def test_pieces_are_those_of_networkx() -> None:
    rng = torch.Generator().manual_seed(1)
    graphs = (torch.rand(200, 12, 12, generator=rng) < 0.17).float().triu(1)
    wanted = [nx.is_weakly_connected(nx.from_numpy_array(one.numpy(), create_using=nx.DiGraph)) for one in graphs]
    assert 20 < sum(wanted) < 180
    assert in_one_piece(graphs).tolist() == wanted
    path = torch.diag(torch.ones(31), 1)[None]
    assert in_one_piece(path).tolist() == [True]


def test_gradients_are_those_of_differences() -> None:
    model, batch = row_code(FewNodes(4, 6)).double(), in_double(row_code(FewNodes(4, 6)).cells(torch.eye(6)))
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    noise = torch.randn(6, 8, generator=torch.Generator().manual_seed(5)).double()

    def loss(*values: torch.Tensor) -> torch.Tensor:
        posterior = model.encode(batch)
        return model.elbo_from(batch, posterior, posterior.mean + (0.5 * posterior.log_var).exp() * noise).loss

    assert len(parameters) == 8
    assert torch.autograd.gradcheck(loss, parameters)


def test_a_run_learns_to_give_wirings_back() -> None:
    batch = to_batch(RANDWIRE, random_cells(RANDWIRE, 64))
    model = row_code(gain=1.0, hidden=64, latent=320)
    config = TrainConfig(epochs=60, batch_size=16, warmup_steps=5, kl_warmup_epochs=0.0, held_out=0.0)
    rows = list(Trainer(model, batch, config).epochs())
    assert rows[-1].edges < 0.2 * rows[0].edges
    assert rows[-1].types == 0.0


@pytest.mark.parametrize("name", OTHERS)
def test_other_spaces_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        build_model("rows", get_space(name), MODELS["rows"].defaults)
    said = str(caught.value)
    assert said.startswith("Model 'rows' expects a space of wirings") and get_space(name).title in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"latent": 100}, "'latent' must be a multiple of the 32 inner nodes for model 'rows'; got 100"),
        ({"encoding": "learned"}, "'encoding' must be 'one-hot' for model 'rows', which has no use for it"),
        ({"rounds": 2}, "'rounds' must be 1 for model 'rows', which has no use for it; got 2"),
        ({"positions": False}, "'positions' must be True"),
        ({"edge_sampling": "sequential"}, "'edge_sampling' must be 'independent'"),
    ],
)
def test_settings_without_use_are_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        row_code(RANDWIRE, **change)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_checkpoint_is_trained_read_back_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--space", "randwire", "--model", "rows", "--name", "tiny", "--out", str(tmp_path)]
    words += ["--epochs", "1", "--cells-per-epoch", "40", "--batch-size", "20"]
    assert main(words) == 0
    folder = tmp_path / "randwire" / "tiny"
    checkpoint = load_checkpoint(folder)  # also that the config's sizes are found among the weights
    assert isinstance(checkpoint.model, RowVAE) and checkpoint.model.config.latent == 320
    assert operation_tables(checkpoint.model) == {}
    text = card(checkpoint)
    assert text.startswith("# Row code on RandWire") and "published code" not in text
    values = json.loads((folder / "meta.json").read_text())
    assert (values["model"], values["config"]["hidden"]) == ("rows", 192)
    capsys.readouterr()
    assert main([*words[:2], "nasbench201", *words[3:]]) == 2
    assert "Model 'rows' expects a space of wirings" in capsys.readouterr().err
