"""Runs beside each other: curves, standings, hypervolumes, charts and files, on made-up runs with known answers."""

import csv
import io
import json
import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from svge_core.data.catalog import load_scores
from svge_core.drawing.palette import THEMES
from svge_core.figures.search import (
    front_figure,
    front_rows,
    hypervolume_figure,
    method_style,
    progress_figure,
)
from svge_core.search.comparison import (
    best_curves,
    comparable,
    curve_of,
    hypervolumes,
    labels_to_optimum,
    standings,
)
from svge_core.search.objectives.choices import goal_choices
from svge_core.search.objectives.make import make_objective
from svge_core.search.runs.export import run_csv, run_json
from svge_core.search.searchers.registry import METHODS
from svge_core.spaces.registry import get_space
from tests.support.colours import VISION, contrast, lab
from tests.support.races import ACCURACY, PARAMS, SPACE, view
from tests.support.tiny_checkpoint import MadeUpPredictors
from tests.support.untyped import drawn

GOALS = (ACCURACY, PARAMS)


# ---- curves -----------------------------------------------------------------------------------------------------


def test_the_curve_of_one_run_is_its_best_so_far_and_has_no_band() -> None:
    (curve,) = best_curves([("", [view([3.0, 1.0, 5.0])])])
    assert curve.x.tolist() == [1, 2, 3]
    assert curve.median.tolist() == [3.0, 3.0, 5.0]
    assert curve.band == "" and curve.runs == 1 and curve.counts.tolist() == [1, 1, 1]


def test_few_runs_have_a_band_from_lowest_to_highest_and_many_the_middle_half() -> None:
    few = [view([float(seed)], seed=seed) for seed in range(3)]
    (curve,) = best_curves([("", few)])
    assert (curve.low[0], curve.median[0], curve.high[0]) == (0.0, 1.0, 2.0)
    assert curve.band == "lowest to highest of 3 runs"
    (curve,) = best_curves([("", [view([float(seed)], seed=seed) for seed in range(9)])])
    assert (curve.low[0], curve.median[0], curve.high[0]) == (2.0, 4.0, 6.0)
    assert curve.band == "middle half of 9 runs"


def test_a_curve_ends_where_most_runs_that_have_begun_end() -> None:
    views = [view([1.0] * 4, seed=0), view([2.0] * 2, seed=1), view([3.0] * 2, seed=2), view([], seed=3, budget=4)]
    (curve,) = best_curves([("", views)])
    assert len(curve.x) == 2 and curve.runs == 4 and curve.counts.tolist() == [3, 3]


def test_existing_labels_count() -> None:
    run = view([5.0, 1.0, 2.0], labels=1)
    (curve,) = best_curves([("", [run])])
    assert curve.x[-1] == 3 and run.evaluated == 2


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), min_size=1, max_size=7))
def test_bands_hold_the_median_and_curves_never_fall(columns: list[list[float]]) -> None:
    curve = curve_of("random", [np.maximum.accumulate(column) for column in columns], len(columns))
    assert (curve.low <= curve.median).all() and (curve.median <= curve.high).all()
    assert (2 * curve.counts >= len(columns)).all()
    alone = curve_of("random", [np.maximum.accumulate(columns[0])], 1)
    assert (np.diff(alone.median) >= 0).all()


def test_methods_come_in_the_registrys_order_and_races_apart() -> None:
    lineup = [("A", [view([1.0], "random"), view([1.0], "latent-bo")]), ("B", [view([1.0], "random")])]
    assert [(c.label, c.method) for c in best_curves(lineup)] == [("A", "latent-bo"), ("A", "random"), ("B", "random")]


# ---- standings --------------------------------------------------------------------------------------------------


def test_standings_count_every_label_and_say_who_found_the_optimum() -> None:
    views = [
        view([1.0, 9.0], optimum=9.0),
        view([1.0, 2.0, 9.0], seed=1, optimum=9.0),
        view([1.0], seed=2, optimum=9.0),
    ]
    (found,) = standings([("", views)])
    assert (found.runs, found.finished, found.labels) == (3, 3, 6)
    assert (found.best, found.worst_run, found.best_run) == (9.0, 1.0, 9.0)
    assert found.reached == 2 and found.to_optimum == 3.0


def test_the_median_time_to_the_optimum_is_open_while_most_runs_have_not_found_it() -> None:
    (found,) = standings([("", [view([9.0], optimum=9.0), view([1.0], seed=1, optimum=9.0)])])
    assert found.reached == 1 and found.to_optimum is None
    (found,) = standings([("", [view([9.0])])])
    assert found.reached is None and found.to_optimum is None
    assert labels_to_optimum(view([1.0], optimum=9.0)) == math.inf


def test_of_a_goal_that_shall_be_small_the_best_run_has_the_smallest_value() -> None:
    (found,) = standings([("", [view([3.0], goals=[PARAMS]), view([1.0], seed=1, goals=[PARAMS])])])
    assert (found.best_run, found.worst_run) == (1.0, 3.0)


def test_runs_of_other_goals_or_cells_are_not_comparable() -> None:
    assert comparable(view([1.0]), view([2.0], "latent-bo", 3))
    assert not comparable(view([1.0]), view([1.0], predicted=True))
    assert not comparable(view([1.0]), view([1.0], goals=[PARAMS]))


# ---- several goals ----------------------------------------------------------------------------------------------


def test_the_hypervolume_of_two_goals_is_the_area_by_hand() -> None:
    # accuracy up, parameters down; box from (0, 4) to (4, 0)
    run = view([(0.0, 4.0), (4.0, 4.0), (2.0, 2.0), (1.0, 3.0), (4.0, 0.0)], goals=GOALS)
    volumes = hypervolumes([("", [run])])
    assert volumes is not None
    assert volumes.worst == (0.0, 4.0) and volumes.best == (4.0, 0.0)
    np.testing.assert_allclose(volumes.curves[0].median, [0, 0, 4 / 16, 4 / 16, 1])


def test_all_runs_are_measured_in_one_box_and_without_a_spread_there_is_none() -> None:
    near, far = view([(0.0, 1.0), (1.0, 0.5)], goals=GOALS), view([(2.0, 0.0)], "latent-bo", goals=GOALS)
    volumes = hypervolumes([("A", [near]), ("B", [far])])
    assert volumes is not None
    assert {c.label: round(float(c.median[-1]), 6) for c in volumes.curves} == {"A": 0.25, "B": 1.0}
    assert hypervolumes([("", [view([(1.0, 1.0)], goals=GOALS)])]) is None
    assert hypervolumes([("", [view([], goals=GOALS)])]) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(rows: list[tuple[int, int, int]]) -> None:
    values, ways = np.array(rows, dtype=float), ("max", "min", "max")
    better = values * [1, -1, 1]
    expected = [i for i, row in enumerate(better) if not any((o >= row).all() and (o > row).any() for o in better)]
    assert front_rows(values, ways).tolist() == expected


def traces(figure: Any) -> list[Any]:
    """What is drawn; Plotly's own types do not say."""
    return list(drawn(figure).data)


# ---- charts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_can_be_told_apart_by_everybody(theme) -> None:
    looks = {method: method_style(method, theme) for method in METHODS}
    assert list(looks)[0] == "latent-bo" and looks["latent-bo"].width > looks["random"].width
    assert len({look.symbol for look in looks.values()}) == len(METHODS)
    for look in looks.values():
        assert contrast(look.colour, THEMES[theme].page) >= 3
    for first, second in combinations(looks.values(), 2):
        for vision, matrix in VISION.items():
            distance = np.linalg.norm(lab(first.colour, matrix) - lab(second.colour, matrix))
            assert distance > 11, f"{first.title} and {second.title} look alike with {vision}: {distance:.1f}"


@pytest.mark.parametrize("regret", [False, True])
def test_predicted_values_are_hollow_and_said_to_be_predicted(regret: bool) -> None:
    for predicted in (False, True):
        run = view([1.0, 5.0], predicted=predicted, optimum=6.0)
        figure = progress_figure(best_curves([("", [run])]), run.goals[0], "light", optimum=6.0, regret=regret)
        marks = [trace.marker.symbol for trace in traces(figure) if trace.marker.symbol]
        assert all(mark.endswith("-open") == predicted for mark in marks)
        if not regret:
            assert ("≈" in drawn(figure).layout.yaxis.title.text) == predicted


def test_the_optimum_is_a_labelled_line_and_the_axis_opens_where_methods_have_settled() -> None:
    run = view([10.0, 90.0, 91.0, 91.5], optimum=91.6)
    figure = progress_figure(best_curves([("", [run])]), run.goals[0], "light", optimum=91.6, budget=60)
    assert "best of all known cells: 91.6" in drawn(figure).layout.annotations[0].text
    low, high = drawn(figure).layout.yaxis.range
    assert 80 < low < 90 and high > 91.6
    assert drawn(figure).layout.xaxis.range == (0, 61.2)
    assert drawn(figure).layout.uirevision == "kept"


def test_a_gap_of_nothing_has_a_place_on_the_logarithmic_axis() -> None:
    run = view([90.0, 91.0, 91.6], optimum=91.6)
    figure = progress_figure(best_curves([("", [run])]), run.goals[0], "dark", optimum=91.6, regret=True)
    assert drawn(figure).layout.yaxis.type == "log"
    assert min(traces(figure)[-1].y) > 0
    assert drawn(figure).layout.annotations[0].text == "optimum found"
    assert drawn(figure).layout.annotations[0].y == pytest.approx(math.log10(min(traces(figure)[-1].y)))


def test_charts_of_nothing_are_empty_and_names_of_users_are_no_tags() -> None:
    empty = view([])
    assert not drawn(progress_figure(best_curves([("", [empty])]), empty.goals[0], "light")).data
    assert not drawn(front_figure([("", [view([], goals=GOALS)])], 1, 0, "light")).data
    from dataclasses import replace

    own = replace(ACCURACY, title="<b>mine</b>")
    figure = progress_figure(
        best_curves([("", [view([1.0], goals=[own])])]), view([1.0], goals=[own]).goals[0], "light"
    )
    assert "<b>" not in drawn(figure).layout.yaxis.title.text


def test_fronts_and_hypervolumes_are_drawn_per_method() -> None:
    lineup = [("", [view([(1.0, 2.0), (2.0, 1.0)], m, goals=GOALS) for m in ("latent-bo", "random")])]
    figure = front_figure(lineup, 1, 0, "light")
    assert [t.name for t in traces(figure) if t.showlegend is not False] == [
        METHODS["latent-bo"].title,
        METHODS["random"].title,
    ]
    assert "Parameters (million)" in drawn(figure).layout.xaxis.title.text
    volumes = hypervolumes(lineup)
    assert volumes is not None and len(traces(hypervolume_figure(volumes, "dark"))) == 2


def test_methods_with_several_goals_stand_by_hypervolume_then_by_the_size_of_their_front() -> None:
    # accuracy up, parameters down; box from (0, 4) to (4, 0): 16
    ours = view([(0.0, 4.0), (2.0, 2.0)], "latent-bo", goals=GOALS)  # 4 / 16, one on the front
    poor = view([(1.0, 4.0)], "evolution", goals=GOALS)  # 0: at the worst value of one goal
    good = view([(4.0, 3.0), (1.0, 0.0), (1.0, 1.0)], "random", goals=GOALS)  # 4 * 1 + 1 * 3 = 7, two on the front
    lineup = [("", [ours, poor, good])]
    found = standings(lineup, hypervolumes(lineup))
    assert [(s.method, s.volume, s.front) for s in found] == [
        ("random", pytest.approx(7 / 16), 2),
        ("latent-bo", pytest.approx(4 / 16), 1),
        ("evolution", 0, 1),
    ]
    # runs of unequal length: each counts as far as it is
    longer = view([(1.0, 4.0), (1.0, 0.0)], "evolution", seed=1, goals=GOALS)
    lineup = [("", [ours, poor, good, longer])]
    assert {s.method: s.volume for s in standings(lineup, hypervolumes(lineup))}["evolution"] == pytest.approx(2 / 16)
    assert [s.method for s in standings(lineup)] == ["latent-bo", "evolution", "random"]  # as the registry has them


def test_the_axes_are_those_of_the_front_and_what_lies_beyond_stands_at_the_edge() -> None:
    run = view([(90.0, 0.5), (94.0, 1.3), (10.0, 0.9), (89.9, 1.5), (92.0, 0.9)], goals=GOALS)
    figure = drawn(front_figure([("", [run])], 1, 0, "light"))
    low, high = figure.layout.yaxis.range
    assert (low, high) == (pytest.approx(89.5), pytest.approx(94.5))  # an eighth of the front's 4 on either side
    assert tuple(figure.layout.xaxis.range) == (pytest.approx(0.4), pytest.approx(1.4))
    dots = next(trace for trace in traces(figure) if trace.showlegend is False)
    assert list(dots.y) == [90.0, 94.0, pytest.approx(low), 89.9, 92.0]
    assert list(dots.x) == [0.5, 1.3, 0.9, pytest.approx(1.4), 0.9]
    style = METHODS["random"].style
    assert style is not None
    usual = style.symbol
    assert list(dots.marker.symbol) == [usual, usual, "arrow-bar-down", "arrow-bar-right", usual]
    assert [list(row)[1:] for row in dots.customdata] == [
        [0.5, 90.0],
        [1.3, 94.0],
        [0.9, 10.0],
        [1.5, 89.9],
        [0.9, 92.0],
    ]
    (alone,) = [traces(front_figure([("", [view([(1.0, 2.0)], goals=GOALS)])], 1, 0, "light"))]
    assert all(math.isfinite(number) for trace in alone for number in (*trace.x, *trace.y))


# ---- files ------------------------------------------------------------------------------------------------------


def test_a_csv_has_a_line_per_evaluation_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(run_csv([view([1.0, 2.5]), view([3.0], "latent-bo", 4)]))))
    assert [row["run"] for row in rows] == ["random-0", "random-0", "latent-bo-4"]
    assert [float(row["cifar10_valid"]) for row in rows] == [1.0, 2.5, 3.0]
    assert rows[0]["source"] == "'=made up" and rows[0]["architecture"].startswith("|")
    assert len(run_csv([view([])]).splitlines()) == 1 and run_csv([]) == ""


def test_json_says_what_was_asked_for_and_what_the_numbers_mean() -> None:
    document = json.loads(run_json(view([1.0, 2.0], optimum=9.0, predicted=True)))
    assert document["config"]["method"] == "random" and document["known_optimum"] == [9.0]
    assert document["goals"][0]["kind"] == "predicted" and document["best_so_far"] == [1.0, 2.0]
    assert document["evaluations"][1]["values"] == {"cifar10_valid": 2.0}
    assert document["evaluations"][1]["predicted"] == {"mean": 90.0, "std": 0.5}
    document = json.loads(run_json(view([(1.0, 2.0), (0.0, 3.0)], goals=GOALS)))
    assert document["front"] == [0] and document["best_so_far"] is None


# ---- choices ----------------------------------------------------------------------------------------------------


def test_goals_to_choose_are_words_that_an_objective_understands() -> None:
    choices = goal_choices(SPACE, load_scores(SPACE), MadeUpPredictors())
    titles = [choice.title for choice in choices]
    assert titles[0] == "CIFAR-10 validation accuracy (measured)" and len(set(titles)) == len(titles)
    assert "Parameters" in titles and "≈ CIFAR-10 validation accuracy (predicted)" in titles
    assert all(choice.cells is None for choice in choices if choice.word.startswith("table:params"))
    words = [choice.word for choice in choices[:2] if choice.word.startswith("table:")]
    assert [goal.key for goal in make_objective(words, SPACE).goals] == [word.partition(":")[2] for word in words]


def test_a_space_that_is_not_listed_still_has_its_costs() -> None:
    enas = get_space("enas6")
    from svge_core.data.catalog import analytic_scores

    choices = goal_choices(enas, analytic_scores(enas))
    assert [choice.word for choice in choices] == ["train:digits", "table:params_m", "table:flops_m"]
