"""Counts and denominators of the metrics, on decoders that return what the test says."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.evaluation import metrics
from svge_core.evaluation.metrics import (
    Share,
    expected_reconstruction,
    generation,
    reconstruction,
    same_graphs,
    uniform_uniqueness,
)
from svge_core.models.encoding import encode_all
from svge_core.models.options import DecodeOptions
from svge_core.tensors import CellBatch, index_batch, to_batch
from tests.support.core import (
    OVERFITTED,
    TINY,
    TinySpace,
    all_cells,
    overfitted_model,
    random_cells,
    tiny_batch,
    tiny_model,
)


class Script:
    """Stands in for ``decode``: returns the given batches in turn and remembers the latents."""

    def __init__(self, *batches: CellBatch) -> None:
        self.batches, self.latents = list(batches), []

    def __call__(self, model: Any, z: torch.Tensor, options: Any, generator: Any) -> CellBatch:
        self.latents.append(z)
        return self.batches[(len(self.latents) - 1) % len(self.batches)]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch):
    def use(*batches: CellBatch) -> Script:
        script = Script(*batches)
        monkeypatch.setattr(metrics, "decode", script)
        return script

    return use


def as_written(*cells: Cell) -> CellBatch:
    return to_batch(TINY, cells, canonical=False)


def test_a_share_knows_its_denominator() -> None:
    assert str(Share(1_234, 20_000)) == "6.17 % (1,234 of 20,000)"
    assert Share(1, 4).value == 0.25
    assert math.isnan(Share(0, 0).value)


def test_graphs_are_the_same_row_by_row() -> None:
    batch = tiny_batch(count=12)
    assert same_graphs(batch, batch).all()
    types, adjacency = batch.types.clone(), batch.adjacency.clone()
    types[0, 0] = 3
    adjacency[1, 0, 1] = 0
    sizes = batch.sizes.clone()
    sizes[2] += 1
    assert same_graphs(batch, CellBatch(types, adjacency, sizes)).tolist() == [False] * 3 + [True] * 9


def test_encoding_many_cells_is_encoding_them_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = tiny_model(TINY), tiny_batch(count=20)
    posterior = model.encode(batch)
    monkeypatch.setattr(metrics, "ENCODE_CHUNK", 7)
    means, log_vars = encode_all(model, batch)
    torch.testing.assert_close(means, posterior.mean)
    torch.testing.assert_close(log_vars, posterior.log_var)
    assert encode_all(model, batch.select(slice(0, 0)))[0].shape == (0, 4)


FORK = Cell(("input", "a", "b", "output"), ((0, 1), (0, 2), (1, 3), (2, 3)))
SWAPPED = FORK.relabelled([0, 2, 1, 3])
LINE = Cell(("input", "a", "output"), ((0, 1), (1, 2)))
BROKEN = Cell(("input", "input", "output"), ((0, 1), (1, 2)))


def test_reconstruction_counts_exact_and_equivalent_hits(scripted) -> None:
    truth = as_written(FORK, LINE, FORK)
    scripted(as_written(FORK, LINE, SWAPPED), as_written(LINE, BROKEN, SWAPPED))
    found = reconstruction(tiny_model(TINY), truth, DecodeOptions(), encodings=2, decodings=3)
    # batches come as A B A B A B; A has two exact hits and one relabelled copy, B has only the copy
    assert found.exact == Share(3 * 2, 18)
    assert found.equivalent == Share(3 * 3 + 3 * 1, 18)
    assert found.draws == "2 times the mean x 3 decodings"


def test_reconstruction_latents_are_the_mean_or_posterior_draws(scripted) -> None:
    model, cells = tiny_model(TINY), tiny_batch(count=400)
    script = scripted(cells)
    reconstruction(model, cells, DecodeOptions(), encodings=2, decodings=2)
    means, log_vars = encode_all(model, cells)
    assert all(torch.equal(z, means) for z in script.latents)
    assert len(script.latents) == 4
    script = scripted(cells)
    found = reconstruction(model, cells, DecodeOptions(), encodings=2, decodings=2, sample_posterior=True)
    assert found.draws == "2 posterior draws x 2 decodings"
    first, again, second, _ = script.latents
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    noise = (first - means) / (0.5 * log_vars).exp()
    assert noise.mean().abs() < 0.1
    assert (noise.std() - 1).abs() < 0.1


def test_a_model_that_cannot_fail_reconstructs_everything(scripted) -> None:
    cells = tiny_batch(count=10)
    scripted(cells)
    found = reconstruction(tiny_model(TINY), cells, DecodeOptions(argmax=True), encodings=1, decodings=1)
    assert found.exact == found.equivalent == Share(10, 10)


def test_latents_can_be_drawn_from_elsewhere(scripted) -> None:
    script = scripted(as_written(LINE, LINE))
    latents = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = generation(
        tiny_model(TINY), tiny_batch(), DecodeOptions(), latents=2, decodings=1, latents_drawn=lambda n, g: latents[:n]
    )
    assert torch.equal(script.latents[0], latents)
    assert found.unique == Share(1, 2)


def test_generation_counts_what_it_says(scripted) -> None:
    # of four decodings: a fork in two node orders (one architecture), the known line, one that is no member
    scripted(as_written(FORK, SWAPPED, LINE, BROKEN))
    found = generation(tiny_model(TINY), to_batch(TINY, [LINE, LINE]), DecodeOptions(), latents=4, decodings=3)
    assert found.valid == Share(9, 12)
    assert found.unique == Share(2, 9), "node order does not make a cell another one"
    assert found.unique_keys == Share(2, 9)
    assert found.valid_unique == Share(2, 12)
    assert found.novel == Share(6, 9)
    assert found.uniform_ceiling == uniform_uniqueness(TINY.size, 12)
    assert sum(found.reasons.values()) == 3
    assert list(found.reasons) == ["A tiny cell's operations are a and b"], "without the particulars of one cell"


def test_reasons_are_counted_together_commonest_first(scripted) -> None:
    loose = Cell(("input", "a", "output"), ((0, 1), (0, 2)))
    backwards = Cell(("output", "a", "input"), ((0, 1), (1, 2)))
    scripted(as_written(loose, loose, BROKEN, backwards, LINE, loose))
    found = generation(tiny_model(TINY), tiny_batch(), DecodeOptions(), latents=6, decodings=1)
    assert found.reasons == {
        "Every node of a tiny cell is on a path": 3,
        "A tiny cell's operations are a and b": 1,
        "A tiny cell starts with 'input', ends with 'output'": 1,
    }
    assert list(found.reasons.values())[0] == 3


def test_generation_without_a_valid_decoding_has_empty_denominators(scripted) -> None:
    scripted(as_written(BROKEN, BROKEN))
    found = generation(tiny_model(TINY), tiny_batch(), DecodeOptions(), latents=2, decodings=1)
    assert found.valid == Share(0, 2)
    assert found.unique == found.novel == found.unique_keys == Share(0, 0)


def test_generation_is_seeded_and_decodes_what_it_says() -> None:
    model, cells = tiny_model(TINY), tiny_batch(count=50)
    first, again, other = (
        generation(model, cells, DecodeOptions(), latents=40, decodings=2, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first.valid.of == 80


@pytest.mark.parametrize(("size", "draws"), [(1, 5), (10, 3), (30, 100), (200, 150)])
def test_uniform_uniqueness_is_that_of_simulated_draws(size: int, draws: int, rng: np.random.Generator) -> None:
    repeats = 4_000
    distinct = [len(set(row)) / draws for row in rng.integers(size, size=(repeats, draws)).tolist()]
    error = float(np.std(distinct)) / math.sqrt(repeats)
    assert uniform_uniqueness(size, draws) == pytest.approx(float(np.mean(distinct)), abs=5 * error + 1e-9)


def test_uniform_uniqueness_of_nothing_is_unknown() -> None:
    assert math.isnan(uniform_uniqueness(None, 10))
    assert math.isnan(uniform_uniqueness(10, 0))


def test_the_tiny_space_keeps_its_own_promises() -> None:
    space = TinySpace(4)
    keys = {space.key(cell) for cell in space.enumerate()}
    assert len(keys) == space.size == len(all_cells(space))
    assert all(space.canonical(cell) == cell for cell in space.enumerate())
    assert all(map(TINY.is_valid, random_cells(TINY, 20)))


def test_expected_reconstruction_is_what_sampling_finds(generator: torch.Generator) -> None:
    model = overfitted_model()
    cells = to_batch(model.space, [model.space.from_index(index) for index in (*OVERFITTED, 7, 77, 777)])
    chances = expected_reconstruction(model, cells)
    times = 100
    found = reconstruction(model, cells, DecodeOptions(), encodings=1, decodings=times, seed=1).exact
    spread = float((chances * (1 - chances)).sum().sqrt()) * times**0.5
    assert abs(found.count - times * float(chances.sum())) < 4 * spread + 1


def test_novelty_by_index_is_novelty_by_cell() -> None:
    model = overfitted_model()
    rows = np.arange(0, 15_625, 3)
    cells = index_batch(model.space, rows)
    by_cell = generation(model, cells, DecodeOptions(), latents=200, decodings=2)
    by_index = generation(model, cells, DecodeOptions(), latents=200, decodings=2, known=rows)
    assert by_cell == by_index
    assert 0 < by_cell.novel.count < by_cell.novel.of
