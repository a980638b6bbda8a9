"""The numbers behind the charts, against independent computations; the drawing itself is smoke-tested."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.stats import kendalltau

from svge_core.drawing.palette import THEMES
from svge_core.errors import DataError
from svge_core.figures.curves import share_of, tradeoff, tradeoff_figure, training_curves, training_figure
from svge_core.figures.operations import (
    OperationRows,
    distance_figure,
    operation_map,
    operation_tables,
    scatter_figure,
)
from svge_core.figures.prediction import calibration, calibration_figure, held_out_rows, parity, parity_figure
from svge_core.figures.style import SEQUENTIAL, SERIES, on_scale, readable_on
from svge_core.models.config import ModelConfig
from svge_core.models.svge import SVGe
from svge_core.spaces.registry import get_space
from tests.support.colours import contrast
from tests.support.untyped import drawn, statistic, there

ROWS = [
    {"epoch": e, "loss": 2.0 / e, "types": 1.0 / e, "edges": 1.0 / e, "kl": 3.0, "learning_rate": 1e-3}
    for e in (1, 2, 4)
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_numbers_in_heat_maps_can_be_read(theme) -> None:
    assert all(contrast(colour, THEMES[theme].page) >= 3 for colour in SERIES[theme])
    for place in np.linspace(0, 1, 21):
        colour = on_scale(theme, float(place))
        assert contrast(readable_on(colour), colour) >= 4.5, place


def test_the_ends_of_the_scale_are_its_stops() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert on_scale("light", 0.0) == SEQUENTIAL["light"][0][1]
    assert on_scale("dark", 1.0) == SEQUENTIAL["dark"][-1][1]


# training curves and the trade-off


@pytest.mark.parametrize("spread", [2.0, 1e4])
def test_the_log_axis_has_no_minor_labels(spread: float) -> None:
    axis = drawn(training_figure(training_curves([{**ROWS[0], "loss": spread}, ROWS[0]]), "light")).layout.yaxis
    assert axis.dtick == 1 if spread > 100 else "1" in axis.ticktext and "2" in axis.ticktext


def test_curves_hold_the_rows_as_they_are() -> None:
    curves = training_curves(ROWS)
    assert curves.x == (1.0, 2.0, 4.0)
    assert curves.terms["Objective"] == (2.0, 1.0, 0.5)
    assert curves.kl == (3.0, 3.0, 3.0)


def test_the_error_of_the_function_part_is_drawn_where_there_is_one() -> None:
    rows = [{**row, "function": 0.0} for row in ROWS]
    assert len(training_curves(rows).terms) == len(training_curves(ROWS).terms)
    rows = [{**row, "function": 4.0} for row in ROWS]
    curves = training_curves(rows)
    assert curves.terms["Function (squared error)"] == (4.0, 4.0, 4.0)
    titles = [note.text for note in drawn(training_figure(curves, "light")).layout.annotations]
    assert titles[0] == "Objective and its terms per cell (log axis)"  # a squared error is no nat


def test_missing_columns_are_left_out_or_nan() -> None:
    curves = training_curves([{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": None}])
    assert list(curves.terms) == ["Objective"]
    assert math.isnan(curves.terms["Objective"][1])
    assert all(map(math.isnan, curves.kl))
    assert training_curves([]).terms == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_training_figure_draws_every_term(rows, theme) -> None:
    figure = training_figure(training_curves(rows), theme)
    assert len(drawn(figure).data) == (5 if rows else 2)
    assert drawn(figure).layout.font.color == THEMES[theme].text


def test_trade_off_sorts_by_weight_and_keeps_denominators() -> None:
    raw = {
        "rows": [
            {"beta": 0.1, "kl_nats": 2, "exact": {"count": 8, "of": 10}, "valid_raw": 1.0, "valid_of": 50, "seed": 1},
            {"beta": 0.01, "exact": {"value": 0.9}, "note": "x"},
        ]
    }
    info = tradeoff(raw)
    assert info.beta == (0.01, 0.1)
    assert info.shares["Exact"] == (0.9, 0.8)
    assert info.denominators == {"Exact": (0, 10), "Valid prior samples": (0, 50)}
    assert math.isnan(info.shares["Valid prior samples"][0])
    assert math.isnan(info.kl[0])
    assert len(drawn(tradeoff_figure(info, "dark")).data) == 2


@pytest.mark.parametrize("raw", [None, [], {"rows": "x"}, [{"beta": 1}], [{"exact": 0.5}], 3])
def test_a_trade_off_without_numbers_says_so(raw) -> None:
    with pytest.raises(DataError, match="trade-off file"):
        tradeoff(raw)


def test_a_share_follows_from_its_counts() -> None:
    assert share_of({"count": 1, "of": 4}) == (0.25, 4)
    assert math.isnan(share_of({"count": 1, "of": 0})[0])
    assert math.isnan(share_of(True)[0])


# parity and calibration


def test_parity_agrees_with_scipy_and_by_hand() -> None:
    rng = np.random.default_rng(0)
    measured, predicted = rng.normal(size=500), rng.normal(size=500)
    info = parity(measured, predicted)
    assert info.kendall_tau == pytest.approx(statistic(kendalltau(measured, predicted)))
    assert info.rmse == pytest.approx(math.sqrt(((measured - predicted) ** 2).sum() / 500))
    assert info.n == 500
    assert info.counts.sum() + info.outside == 500


def test_parity_counts_rows_by_prediction() -> None:
    info = parity(np.array([0.0, 1.0]), np.array([1.0, 1.0]), bins=2)
    assert info.counts.tolist() == [[0, 0], [1, 1]]


def test_parity_of_the_best_respects_the_direction() -> None:
    measured = np.arange(100.0)
    assert parity(measured, measured, best_share=0.1).edges[0] > 80
    assert parity(measured, measured, best_share=0.1, direction="min").edges[-1] < 20
    assert parity(measured, measured, best_share=0.1).n == 10


def test_wild_predictions_are_counted_not_drawn() -> None:
    measured = np.linspace(0, 1, 50)
    predicted = measured.copy()
    predicted[3] = 1e6
    info = parity(measured, predicted)
    assert info.outside == 1
    assert info.edges[-1] < 2


def test_parity_of_nothing_and_of_one_value() -> None:
    with pytest.raises(DataError, match="held-out cells"):
        parity(np.array([]), np.array([]))
    info = parity(np.array([5.0]), np.array([5.0]))
    assert info.rmse == 0
    assert math.isnan(info.kendall_tau)
    assert info.counts.sum() == 1
    assert math.isnan(parity(np.array([1.0, 2.0]), np.array([3.0, 3.0])).kendall_tau)


def test_training_cells_and_unlabelled_cells_are_not_held_out() -> None:
    rows = held_out_rows(np.array([1.0, np.nan, 2.0, 3.0]), np.array([2]))
    assert rows.tolist() == [True, False, False, True]


def test_honest_intervals_lie_on_the_diagonal_and_narrow_ones_below() -> None:
    rng = np.random.default_rng(1)
    mean = rng.normal(size=20_000)
    measured = mean + rng.normal(size=20_000)
    half = 1.6448536
    honest = calibration(measured, mean, mean - half, mean + half, 0.9)
    assert honest.empirical == pytest.approx(honest.nominal, abs=0.015)
    assert honest.covered / honest.n == honest.empirical[honest.nominal.index(0.9)]
    assert honest.width == pytest.approx(2 * half)
    assert there(honest.fifths) == pytest.approx([0.9] * 5, abs=0.02)
    top = mean > np.quantile(mean, 0.8)
    missed = calibration(np.where(top, mean + 9, measured), mean, mean - half, mean + half, 0.9)
    assert there(missed.fifths)[4] == 0.0 and there(missed.fifths)[:4] == there(honest.fifths)[:4]
    assert calibration(measured[:4], mean[:4], mean[:4] - 1, mean[:4] + 1, 0.9).fifths is None
    narrow = calibration(measured, mean, mean - half / 2, mean + half / 2, 0.9)
    assert all(seen < told for seen, told in zip(narrow.empirical, narrow.nominal, strict=True))


@given(st.floats(0.05, 3), st.floats(0.05, 3), st.integers(0, 5))
def test_coverage_rises_with_the_level(below: float, above: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    measured, mean = rng.normal(size=40), np.zeros(40)
    info = calibration(measured, mean, mean - below, mean + above, 0.9)
    assert list(info.empirical) == sorted(info.empirical)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_prediction_figures_draw_the_info(theme) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    info = parity(x, x + 0.1, bins=16)
    figure = parity_figure(info, theme, "%")
    assert drawn(figure).data[0].z.shape == (16, 16)
    assert drawn(figure).layout.xaxis.title.text == "Measured (%)"
    assert len(drawn(calibration_figure(calibration(x, x, x - 1, x + 1, 0.9), theme)).data) == 2


# operations


@pytest.mark.parametrize("encoding", ["one-hot", "learned"])
def test_tables_have_one_row_per_node_type(encoding) -> None:
    torch.manual_seed(0)
    model = SVGe(get_space("nasbench201"), ModelConfig(hidden=8, latent=4, encoding=encoding, operation_dim=3))
    tables = operation_tables(model)
    assert len(tables) == (3 if encoding == "learned" else 2)
    for table in tables.values():
        assert table.rows.shape[0] == len(model.space.vocabulary)
        info = operation_map(table)
        for theme in ("light", "dark"):
            assert len(drawn(distance_figure(info, theme)).layout.annotations) == len(info.labels) ** 2
            assert len(drawn(scatter_figure(info, model.space, theme)).data[0].x) == len(info.labels)


def test_distances_and_components_by_hand() -> None:
    table = OperationRows(("a", "b", "c"), ("a", "b", "c"), np.array([[2.0, 0], [0, 1], [-1, 0]]))
    info = operation_map(table)
    assert info.distances == pytest.approx(np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]]))
    centred = table.rows - table.rows.mean(0)
    assert np.linalg.norm(info.xy, axis=1) == pytest.approx(np.linalg.norm(centred, axis=1))  # two axes hold it all
    assert sum(info.explained) == pytest.approx(1)
    assert info.explained[0] >= info.explained[1]


def test_one_column_has_one_component() -> None:
    info = operation_map(OperationRows(("a", "b"), ("a", "b"), np.array([[1.0], [3.0]])))
    assert info.xy.tolist() == [[-1, 0], [1, 0]]
    assert info.explained == pytest.approx((1, 0))


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [[0.0, 0.0], [1.0, 1.0]]])
def test_rows_without_direction_are_refused(rows) -> None:
    with pytest.raises(DataError, match="none of them zero"):
        operation_map(OperationRows(("a", "b")[: len(rows)], ("a", "b")[: len(rows)], np.array(rows)))
