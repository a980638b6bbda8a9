"""Decoding and collisions in the latent-quality panel, counted by hand; a collapsed encoder is caught."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from svge_core.cells.cell import canonical_cell
from svge_core.evaluation.latent.collisions import close_share, copies, equivalents, relabelled
from svge_core.evaluation.latent.decoding import certainty, cycle, histogram, modal_shares
from svge_core.evaluation.latent.dimension import dimension
from svge_core.evaluation.latent.edits import distances, edit_distances, rank_correlation, slots
from svge_core.evaluation.metrics import expected_reconstruction, forward_log_probability
from svge_core.models.decoding.decoding import decode
from svge_core.models.encoding import encode_all
from svge_core.models.options import DecodeOptions
from svge_core.models.svge import SVGe
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_batch, to_cells
from tests.support.core import TINY, overfitted_model, random_cells, tiny_batch, tiny_model

NB201, NB101, ENAS = (get_space(name) for name in ("nasbench201", "nasbench101", "enas6"))


def test_modal_shares_are_counted_by_hand() -> None:
    batch = tiny_batch(count=40)
    shares = modal_shares(batch, 8)
    cells = to_cells(TINY, batch)
    assert shares.tolist() == [max(Counter(cells[start : start + 8]).values()) / 8 for start in range(0, 40, 8)]
    assert histogram(np.array([0.0, 0.05, 0.5, 1.0])) == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_the_log_probability_of_a_cell_is_how_often_it_is_drawn() -> None:
    model = tiny_model(TINY, 3)
    z = torch.randn(1, 4, generator=torch.Generator().manual_seed(1))
    draws = decode(model, z.expand(20_000, -1), DecodeOptions("forward"), torch.Generator().manual_seed(2))
    counts = Counter(to_cells(TINY, draws))
    for cell, count in counts.most_common(3):
        batch = to_batch(TINY, [cell], canonical=False)
        chance = float(forward_log_probability(model, batch, z).exp())
        assert count / 20_000 == pytest.approx(chance, abs=5 * math.sqrt(chance * (1 - chance) / 20_000) + 1e-4)
    batch = tiny_batch(count=6)
    means = encode_all(model, batch)[0]
    torch.testing.assert_close(
        expected_reconstruction(model, batch), forward_log_probability(model, batch, means).exp()
    )


def test_a_model_that_knows_its_cells_is_certain_and_returns() -> None:
    model = overfitted_model()
    cells = to_batch(NB201, [NB201.from_index(index) for index in (0, 1, 2, 3, 5_000, 10_000, 15_000, 15_624)])
    means = encode_all(model, cells)[0]
    sure = certainty(model, means, decodings=32)
    assert sure.modal.mean() > 0.9
    assert sure.likeliest.max() <= 0
    assert np.exp(sure.likeliest).min() > 0.8
    unsure = certainty(tiny_model(NB201, 1), torch.randn(20, 4), decodings=32)
    assert unsure.modal.mean() < 0.3
    assert unsure.likeliest.mean() < -3


class Collapsed(torch.nn.Module):
    """An encoder that gives every cell nearly the same code."""

    def __init__(self, encoder: torch.nn.Module, noise: float) -> None:
        super().__init__()
        self.inner, self.noise, self.embed = encoder, noise, encoder.embed

    def forward(self, batch, table):
        found = self.inner(batch, table)
        return type(found)(found.mean * self.noise + 0.5, found.log_var)


@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_a_collapsed_encoder_is_caught(noise: float) -> None:
    model = tiny_model(NB201, 2)
    model.encoder = Collapsed(model.encoder, noise)  # type: ignore[assignment]
    cells = random_cells(NB201, 400, 7)
    codes = encode_all(model, to_batch(NB201, cells))[0].numpy()
    nearest = np.sort(cdist(codes, codes), axis=1)[:, 1]
    share, bound = close_share(nearest, 0.01)
    assert bound < 1e-6
    assert share.value > 0.9 or noise
    assert dimension(codes).active == 0
    returned = cycle(model, torch.from_numpy(codes) + torch.randn(400, 4), draws=200)
    assert returned.same.count < 0.5 * returned.same.of
    if not noise:
        forms = slots(to_batch(NB201, cells))
        pairs = np.random.default_rng(0).integers(400, size=(2, 300))
        edits = edit_distances(NB201, forms.select(pairs[0]), forms.select(pairs[1]))
        assert rank_correlation(edits, distances(codes, pairs)) is None


def test_cycles_are_counted_by_hand() -> None:
    model = overfitted_model()
    means = encode_all(model, to_batch(NB201, random_cells(NB201, 200, 1)))[0]
    found = cycle(model, means, draws=60, seed=4)
    generator = torch.Generator().manual_seed(4)
    z = torch.randn(60, 8, generator=generator) * means.std(0) + means.mean(0)
    options, same, apart = DecodeOptions("both", argmax=True), 0, []
    for latent in z:
        (cell,) = to_cells(NB201, decode(model, latent[None], options))
        if NB201.is_valid(cell):
            back = encode_all(model, to_batch(NB201, [cell]))[0]
            apart.append(float((back - latent).norm()))
            same += to_cells(NB201, decode(model, back, options)) == [cell]
    assert (found.same.count, found.same.of) == (same, 60)
    assert found.valid.count == len(apart)
    assert found.returned == pytest.approx(sorted(apart), abs=1e-4)
    assert np.median(found.strangers) > np.median(found.returned)


def test_draws_that_are_no_members_are_counted() -> None:
    model = tiny_model(NB101, 3, hidden=8)
    means = encode_all(model, to_batch(NB101, random_cells(NB101, 50, 1)))[0]
    found = cycle(model, 50 * means, draws=40)
    assert found.valid.of == found.same.of == 40
    assert found.valid.count <= 40 and len(found.returned) == found.valid.count


# collisions


def test_close_cells_are_counted_relative_to_the_usual_distance() -> None:
    nearest = np.array([0.001, 1.0, 1.0, 1.0, 1.2])
    share, bound = close_share(nearest, 0.01)
    assert (share.count, share.of, bound) == (1, 5, 0.01)


def test_equivalent_cells_are_paired_within_their_group() -> None:
    keys, latents = ["a", "b", "a", "c", "b", "b"], np.arange(6.0)[:, None]
    found = equivalents(keys, latents, np.random.default_rng(0))
    assert (found.cells, found.pairs, found.different) == (6, 5, 5)
    latents[2] = latents[0]
    found = equivalents(keys, latents, np.random.default_rng(0))
    assert (found.pairs, found.different) == (5, 3)
    none = equivalents(["a", "b"], latents, np.random.default_rng(0))
    assert none.pairs == 0 and math.isnan(none.distance)


@pytest.mark.parametrize("space", [NB201, NB101, TINY], ids=lambda s: s.name)
def test_copies_in_another_order_have_one_code_and_only_by_the_canonical_order(space, rng) -> None:
    cells = random_cells(space, 60 if space is not TINY else 300, 9)
    others = [relabelled(cell, rng) for cell in cells]
    there = [(cell, other) for cell, other in zip(cells, others, strict=True) if other is not None]
    assert there
    for cell, other in there:
        assert other != cell and canonical_cell(other) == canonical_cell(cell)
        assert other.ops[0] == "input" and other.ops[-1] == "output"
    found = copies(tiny_model(space, 1), cells, rng)
    assert found.equal.count == found.equal.of > 10
    assert found.uncanonical.count < found.equal.of


def test_a_chain_has_no_other_order(rng: np.random.Generator) -> None:
    cells = random_cells(ENAS, 5, 1)
    assert all(relabelled(cell, rng) is None for cell in cells)
    assert copies(SVGe(ENAS, tiny_model(TINY).config).eval(), cells, rng).equal.of == 0
