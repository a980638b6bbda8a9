"""Edge F1: by hand, against scikit-learn, and over a tiny model of RandWire."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score, precision_recall_curve

from svge_core.cells.cell import INPUT, OUTPUT, Cell
from svge_core.checkpoints.metric_row import MetricRow, RowKey, edge_f1_key
from svge_core.data.held_out import cell_numbers, held_out_mask
from svge_core.errors import SvgeError
from svge_core.evaluation.edge_f1 import best_threshold, edge_counts, inner_edges
from svge_core.evaluation.edges import EdgeProtocol, edge_rows, linear_scores
from svge_core.spaces.randwire import RandWire, inner_edges as edges_of
from svge_core.spaces.randwire_generators import PAIRS
from svge_core.tensors import to_batch
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import draw_cells
from tests.support.core import TINY, random_cells, tiny_model

RANDWIRE = RandWire()
CONFIG = TrainConfig(seed=4, held_out=0.2)
SMALL = EdgeProtocol(held_out=6, choosing=4, guessing=10, draws=3)


def flags(*rows: str) -> torch.Tensor:
    return torch.tensor([[digit == "1" for digit in row] for row in rows])


@pytest.fixture(scope="module")
def measured() -> dict[RowKey, MetricRow]:
    model = tiny_model(RANDWIRE, edge_sampling="sequential", rounds=1)
    return {row.key: row for row in edge_rows(model, CONFIG, SMALL)}


def test_f1_by_hand() -> None:
    # two hits of three predicted and four true edges; nothing found of one edge; an empty cell that is right
    counts = edge_counts(flags("111000", "010000", "000000"), flags("110011", "100000", "000000"))
    assert counts.hits.tolist() == [2, 0, 0]
    assert counts.pooled == pytest.approx(2 * 2 / (4 + 5))
    assert counts.per_cell == pytest.approx((4 / 7 + 0 + 1) / 3)
    assert counts.select(torch.tensor([True, False, False])).pooled == pytest.approx(4 / 7)
    assert math.isnan(edge_counts(flags("000"), flags("000")).pooled)


def test_f1_is_that_of_scikit_learn() -> None:
    rng = torch.Generator().manual_seed(1)
    predicted, truth = (torch.rand(40, 60, generator=rng) < share for share in (0.3, 0.2))
    counts = edge_counts(predicted, truth)
    assert counts.pooled == pytest.approx(f1_score(truth.flatten(), predicted.flatten()))
    single = [f1_score(t, p) for t, p in zip(truth.numpy(), predicted.numpy(), strict=True)]
    assert counts.per_cell == pytest.approx(np.mean(single))


@pytest.mark.parametrize("levels", [5, 1_000_000])  # scores with many ties, and hardly any
def test_the_best_threshold_is_that_of_the_whole_precision_recall_curve(levels: int) -> None:
    rng = torch.Generator().manual_seed(2)
    scores = (torch.rand(20, 30, generator=rng) * levels).floor() / levels
    truth = torch.rand(20, 30, generator=rng) < scores * 0.6
    precision, recall, thresholds = precision_recall_curve(truth.flatten(), scores.flatten())
    f1 = 2 * precision[:-1] * recall[:-1] / (precision[:-1] + recall[:-1]).clip(1e-9)
    found = best_threshold(scores, truth)
    assert edge_counts(scores >= found, truth).pooled == pytest.approx(f1.max())
    assert found == pytest.approx(thresholds[f1.argmax()])
    with pytest.raises(SvgeError, match="have no edge"):
        best_threshold(scores, truth & False)


def test_inner_edges_are_the_genotype_of_randwire() -> None:
    cells = [RANDWIRE.canonical(cell) for cell in random_cells(RANDWIRE, 4)]
    found = inner_edges(to_batch(RANDWIRE, cells))
    assert found.int().tolist() == [list(RANDWIRE.genotype(cell)) for cell in cells]
    assert [PAIRS[place] for place in found[0].nonzero().flatten().tolist()] == list(edges_of(cells[0]))


def test_edges_at_the_ends_of_a_short_cell_do_not_count() -> None:
    # input 0, a 1, a 2, output 3: the one inner edge is 1 -> 2, whatever room for nodes there is
    cell = Cell((INPUT, "a", "a", OUTPUT), ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)))
    assert inner_edges(to_batch(TINY, [cell], canonical=False)).tolist() == [[True, False, False]]


def test_cells_are_drawn_by_the_seed_and_held_out_by_their_keys() -> None:
    drawn = {unseen: draw_cells(RANDWIRE, 30, CONFIG, (7,), held_out=unseen) for unseen in (True, False)}
    for unseen, cells in drawn.items():
        assert len(cells) == 30
        assert all(cell == RANDWIRE.canonical(cell) for cell in cells)
        numbers = cell_numbers(RANDWIRE, cells)
        assert (held_out_mask(numbers, CONFIG.held_out, CONFIG.seed) == unseen).all()
        assert cells == draw_cells(RANDWIRE, 30, CONFIG, (7,), held_out=unseen)
        assert cells != draw_cells(RANDWIRE, 30, CONFIG, (8,), held_out=unseen)
    keys = [{RANDWIRE.key(cell) for cell in cells} for cells in drawn.values()]
    assert not keys[0] & keys[1]


def test_relabelled_cells_share_their_number() -> None:
    cell = random_cells(RANDWIRE, 1)[0]
    assert cell_numbers(RANDWIRE, [cell])[0] == cell_numbers(RANDWIRE, [RANDWIRE.canonical(cell)])[0]
    assert len(set(cell_numbers(RANDWIRE, random_cells(RANDWIRE, 50)).tolist())) == 50


def test_every_measure_has_its_groups_and_says_on_what(measured: dict[RowKey, MetricRow]) -> None:
    kinds = ("argmax", "sampled", "frequent", "other_argmax", "other_frequent")
    measures: list[tuple[Any, str]] = [
        *product(("forward", "both"), kinds),
        ("", "constant"),
        ("", "constant_per_family"),
    ]
    groups = ("all", "ws", "er", "ba", "per_cell")
    wanted = [edge_f1_key(way, how, group) for way, how in measures for group in groups]
    nats = [RowKey("entropy", group=family) for family in ("ws", "er", "ba")]
    assert list(measured) == [*wanted, *nats]
    for key in nats:
        row, known = measured[key], RANDWIRE.family_entropy(key.group)
        assert known is not None and (row.value, row.n, row.split) == (known.nats, known.n, known.over)
        assert known.words in row.protocol and row.unit == "nats"
    for key in wanted:
        row = measured[key]
        assert row.value is not None and 0 <= row.value <= 1
        assert row.n == (6 if row.group in ("ws", "er", "ba") else 18)
        assert "18 cells never trained on" in row.split


def test_the_constant_control_is_its_definition(measured: dict[RowKey, MetricRow]) -> None:
    families, seed = ("ws", "er", "ba"), 0

    def drawn(count: int, purpose: int, *, held_out: bool) -> torch.Tensor:
        cells = [
            draw_cells(
                RANDWIRE,
                count,
                CONFIG,
                (purpose, seed, number),
                held_out=held_out,
                draw=lambda rng, family=family: RANDWIRE.family_cell(family, rng),
            )
            for number, family in enumerate(families)
        ]
        return inner_edges(to_batch(RANDWIRE, sum(cells, []), canonical=False))

    truth, training = drawn(6, 4, held_out=True), drawn(10, 6, held_out=False)
    shares = training.float().mean(0)
    f1 = [f1_score(training.flatten(), (shares >= bound).expand(30, -1).flatten()) for bound in shares.unique()]
    guess = (shares >= shares.unique()[int(np.argmax(f1))]).expand(18, -1)
    assert measured[edge_f1_key("", "constant")].value == pytest.approx(f1_score(truth.flatten(), guess.flatten()))
    assert measured[edge_f1_key("", "constant", "er")].value == pytest.approx(
        f1_score(truth[6:12].flatten(), guess[6:12].flatten())
    )


@pytest.mark.parametrize("kept", [1, 5, 20])
def test_linear_scores_are_those_of_scikit_learn(kept: int) -> None:
    rng = torch.Generator().manual_seed(3)
    training, cells = (torch.rand(count, 20, generator=rng) < 0.3 for count in (60, 8))
    pca = PCA(kept, svd_solver="full").fit(training.numpy())
    wanted = pca.inverse_transform(pca.transform(cells.numpy()))
    torch.testing.assert_close(linear_scores(training, kept, cells), torch.from_numpy(wanted))


def test_main_components_are_a_control_where_there_are_cells_enough() -> None:
    model = tiny_model(RANDWIRE, rounds=1)
    protocol = EdgeProtocol(held_out=3, choosing=4, guessing=25, draws=1)
    rows = {row.key: row for row in edge_rows(model, CONFIG, protocol)}
    row = rows[edge_f1_key("", "pca64")]
    assert row.value is not None and row.n == 9
    assert "first 64 main components of 75 training cells" in row.protocol
    assert edge_f1_key("", "pca320") not in rows


def test_a_latent_that_says_nothing_gives_what_another_one_gives() -> None:
    # without anything of z or of the cell in the decoder, all latents decode alike: the control equals the model
    model = tiny_model(RANDWIRE, rounds=1)
    with torch.no_grad():
        model.encoder.readout.value.zero_()
        model.encoder.readout.value_bias.zero_()
    rows = {row.key: row.value for row in edge_rows(model, CONFIG, SMALL)}
    own, other = (rows[edge_f1_key("forward", how)] for how in ("argmax", "other_argmax"))
    assert own is not None and own == pytest.approx(other)


def test_nothing_is_measured_where_nothing_was_held_out() -> None:
    assert list(edge_rows(tiny_model(RANDWIRE, rounds=1), TrainConfig(held_out=0.0), SMALL)) == []
