"""What a row code says of a wiring's function: numbers of nodes against networkx, a read-out that no renaming changes,
a decoder that does without, and files of before that still load."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import CheckpointMeta, load_checkpoint, save_checkpoint
from svge_core.errors import CheckpointError
from svge_core.evaluation.metrics import same_graphs
from svge_core.features.components import StructureComponents
from svge_core.models.config import ADDED_FIELDS
from svge_core.models.decoding.decoding import decode
from svge_core.models.options import DecodeOptions
from svge_core.models.rows import MIXES
from svge_core.models.wiring_readout import NUMBERS, node_numbers
from svge_core.spaces.randwire import inner_edges
from svge_core.tensors import to_batch
from svge_core.training.config import TrainConfig
from svge_core.training.trainer import Trainer, function_of
from tests.models.test_rows import RANDWIRE, row_code
from tests.support.core import in_double, random_cells


def matrix(cell: Cell) -> torch.Tensor:
    return to_batch(RANDWIRE, [cell], canonical=False).adjacency[:, 1:-1, 1:-1].double()


def numbers_of(cell: Cell) -> np.ndarray:
    """The numbers from the definition, every way listed."""
    graph = nx.DiGraph(inner_edges(cell))
    ways: dict[str, dict[int, list[int]]] = {}
    for name, turned in (("ahead", graph), ("back", graph.reverse())):
        lengths: dict[int, list[int]] = {}
        for node in nx.topological_sort(turned):
            before = list(turned.predecessors(node))
            lengths[node] = [length + 1 for other in before for length in lengths[other]] if before else [0]
        ways[name] = lengths
    rows = []
    for node in range(32):
        row = [graph.in_degree(node), graph.out_degree(node)]
        ends = [(max(found[node]), min(found[node]), len(found[node])) for found in ways.values()]
        rows.append([*row, *ends[0], *ends[1], ends[0][0] + ends[1][0], ends[0][1] + ends[1][1]])
    return np.array(rows, dtype=float)


@pytest.mark.parametrize("family", RANDWIRE.families())
def test_numbers_of_nodes_are_those_of_all_ways_listed(family: str) -> None:
    cell = RANDWIRE.families()[family](np.random.default_rng(3))
    found = node_numbers(matrix(cell))
    assert found.shape == (1, 32, NUMBERS)
    np.testing.assert_allclose(found[0].numpy(), numbers_of(cell))


def test_nothing_changes_with_the_order_in_which_nodes_are_written() -> None:
    model = row_code(latent=67, function=3).double()
    assert model.function is not None
    cells = random_cells(RANDWIRE, 4)
    for cell in cells:
        other = RANDWIRE.canonical(cell)
        assert other != cell
        torch.testing.assert_close(model.function(matrix(other)), model.function(matrix(cell)))
    empty = in_double(to_batch(RANDWIRE, cells)).select(slice(0, 0))
    assert model.encode(empty).mean.shape == (0, 67)


def test_the_last_dimensions_have_the_variance_of_the_setting_and_no_part_in_kl() -> None:
    model, batch = row_code(latent=67, function=3, function_noise=0.25), to_batch(RANDWIRE, random_cells(RANDWIRE, 5))
    plain = row_code(latent=64)
    plain.load_state_dict({name: value for name, value in model.state_dict().items() if "function" not in name})
    whole, code = model.encode(batch), plain.encode(batch)
    torch.testing.assert_close(whole.mean[:, :64], code.mean)
    torch.testing.assert_close(whole.log_var[:, :64], code.log_var)
    torch.testing.assert_close(whole.log_var[:, 64:].exp().sqrt(), torch.full((5, 3), 0.25))
    torch.testing.assert_close(whole.kl(), code.kl())


def test_the_decoder_does_without_them(generator: torch.Generator) -> None:
    model = row_code(latent=67, function=3)
    z = torch.randn(8, 67, generator=generator)
    other = torch.cat([z[:, :64], torch.randn(8, 3, generator=generator)], dim=1)
    for options in (DecodeOptions(argmax=True), DecodeOptions(argmax=True, constrained=True)):
        assert same_graphs(decode(model, z, options), decode(model, other, options)).all()


def test_a_model_without_them_starts_from_the_weights_it_always_had() -> None:
    with_function, without = row_code(latent=67, function=3, gain=1.0), row_code(latent=64, gain=1.0)
    own = with_function.state_dict()
    assert set(without.state_dict()) == {name for name in own if not name.startswith("function.")}


def test_training_reads_the_components_and_still_writes_the_wiring() -> None:
    cells = random_cells(RANDWIRE, 96)
    batch = to_batch(RANDWIRE, cells)
    model = row_code(gain=1.0, hidden=64, latent=324, function=4, function_noise=1.0)
    target = function_of(model, batch)
    expected = model.config.function_scale * StructureComponents.of(RANDWIRE, 4).scores(cells)
    np.testing.assert_allclose(target.numpy(), expected, rtol=1e-4, atol=1e-4)
    config = TrainConfig(epochs=60, batch_size=16, warmup_steps=5, kl_warmup_epochs=0.0, held_out=0.0)
    rows = list(Trainer(model, batch, config).epochs())
    assert rows[-1].edges < 0.3 * rows[0].edges
    found = model.eval().encode(batch).mean[:, 320:].detach()
    assert float((found - target).square().sum()) < 0.3 * float((target - target.mean(0)).square().sum())


def test_its_files_are_read_back_and_those_of_before_too(tmp_path: Path) -> None:
    for name, settings in (("new", {"latent": 326, "function": 6}), ("old", {"latent": 320})):
        model = row_code(gain=1.0, **settings)  # type: ignore[arg-type]
        meta = CheckpointMeta("randwire", model.config, TrainConfig().to_dict(), "0" * 16, 1, 0, "train", model="rows")
        save_checkpoint(tmp_path / name, model, meta)
        if name == "old":
            path = tmp_path / name / "meta.json"
            values = json.loads(path.read_text())
            values["config"] = {key: value for key, value in values["config"].items() if key not in ADDED_FIELDS}
            path.write_text(json.dumps(values))
        again = load_checkpoint(tmp_path / name)
        assert again.model.config == model.config
        batch = to_batch(RANDWIRE, random_cells(RANDWIRE, 2))
        torch.testing.assert_close(again.model.encode(batch).mean, model.encode(batch).mean)


def test_a_code_that_cannot_be_shared_out_is_named() -> None:
    with pytest.raises(CheckpointError) as caught:
        row_code(latent=70, function=3)
    said = "'latent' less 'function' (3) must be a multiple of the 32 inner nodes for model 'rows'; got 70"
    assert said in str(caught.value)


def test_between_wirings_stands_the_mixture_that_computes_what_their_average_says() -> None:
    model = row_code(latent=67, function=3)
    rng = np.random.default_rng(0)
    latents, weights = rng.normal(size=(3, 67)).astype(np.float32), np.array([0.5, 0.3, 0.2])
    average = (weights @ latents).astype(np.float32)
    found = model.mixed(latents, weights, average)
    np.testing.assert_array_equal(found[64:], average[64:])
    rows, sources = latents[:, :64].reshape(3, 32, 2), []
    for node, numbers in enumerate(found[:64].reshape(32, 2)):
        (source,) = np.flatnonzero((rows[:, node] == numbers).all(1))
        sources.append(int(source))
    assert len(set(sources)) == 3
    read = model.function
    assert read is not None

    def away(code: np.ndarray) -> float:
        z = torch.from_numpy(np.concatenate([code, average[64:]])[None])
        cells = decode(model, z, DecodeOptions(constrained=True, argmax=True))
        with torch.no_grad():
            return float((read(cells.adjacency[:, 1:-1, 1:-1])[0] - z[0, 64:]).square().sum())

    picks = np.random.default_rng(0).choice(3, (MIXES, 32), p=weights)
    each = [away(rows[pick, np.arange(32)].reshape(64)) for pick in picks]
    assert away(found[:64]) == pytest.approx(min(each), rel=1e-5)
    alone = model.mixed(latents, np.array([1.0, 0.0, 0.0]), average)
    np.testing.assert_array_equal(alone[:64], latents[0, :64])


def test_a_row_code_alone_is_mixed_too_and_near_in_all_numbers() -> None:
    model = row_code(latent=64)
    latents = np.random.default_rng(1).normal(size=(2, 64)).astype(np.float32)
    found = model.mixed(latents, np.array([0.5, 0.5]), latents.mean(0))
    assert model.first_near == 0 and row_code(latent=67, function=3).first_near == 64
    assert all(value in latents[:, place] for place, value in enumerate(found))
