"""What the Map page opens with, the three ways to begin, and that what is only shown counts as chosen nowhere."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from svge_core.atlas.projection import Projection
from svge_core.explorer.columns import column
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.selection import CellFilter
from svge_core.interpolation import lay_path
from svge_core.spaces.registry import get_space
from tests.support.app_driver import App, choose, click_map, fire, focus, map_data, open_app, press, rerun, words
from tests.support.untyped import there
from ui.kept import keeping
from ui.map.first import empty_place
from ui.map.marks import trip_ends, trip_line, trip_places
from ui.map.travel import Trip, Way
from ui.shared import opening
from ui.shared.choices import CellFocus, CompareChoice, PlaceFocus
from ui.shared.opening import Ranked, best_in_words, best_rows, value_in_words

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
SCORE = "cifar10_valid"


def measured(explorer: Explorer) -> list[tuple[float, int]]:
    """Value and index of every cell, best first, straight from the table."""
    values = explorer.scores.frame[SCORE].to_numpy()
    return sorted(((-value, index) for index, value in enumerate(values) if value == value))


def player(at: App, key: str = "travel-player") -> dict:
    return json.loads(at.get_by_key(key).proto.json)


# ---- the opening ------------------------------------------------------------------------------------------------


def test_the_app_opens_with_the_best_cell_shown_and_not_chosen(explorer: Explorer) -> None:
    at = open_app()
    value, best = measured(explorer)[0]
    line = f"**Best of 15,625 cells** by CIFAR-10 validation accuracy (measured): **#{best}**, **{-value:.2f} %**"
    assert line in words(at) and f"Cell #{best}" in words(at)
    (mark,) = map_data(at)["marks"]
    assert (mark["kind"], mark["label"]) == ("focus", f"#{best}")
    x, y = explorer.atlas.planes["pca"].xy[best]
    assert (mark["x"], mark["y"]) == pytest.approx((x, y))
    # nothing is chosen: there is nothing to undo, to keep or to put into the address
    assert focus(at) is None and at.get_by_key("undo").disabled
    assert "cell" not in at.query_params
    assert at.session_state["kept_session"] == keeping.Kept("nasbench201", at.session_state["kept_session"].spaces)
    assert at.session_state["kept_session"].spaces["nasbench201"].cell is None


def test_a_link_says_otherwise() -> None:
    at = open_app(cell="5")
    assert focus(at) == CellFocus(5) and "Cell #5" in words(at)
    assert "Shown first" not in words(at)
    assert at.get_by_key("undo").disabled


def test_it_gives_way_to_a_click_and_to_escape_and_comes_back_with_undo(explorer: Explorer) -> None:
    best = measured(explorer)[0][1]
    at = click_map(open_app(), 0.0, 0.0, index=2)
    assert "Shown first" not in words(at) and "Cell #2" in words(at)
    press(at, "undo")
    assert "Shown first" in words(at) and f"Cell #{best}" in words(at)
    fire(at, "clear", {"seq": 1})
    assert "Nothing chosen" in words(at) and map_data(at)["marks"] == []
    assert "Nothing chosen" in words(rerun(at))


def test_the_line_says_of_which_score_it_speaks_and_a_predicted_one_looks_so(explorer: Explorer) -> None:
    at = open_app(colour=f"predicted-{SCORE}")
    shown = column(explorer, f"predicted-{SCORE}")
    row = int(np.nanargmax(shown.values))
    assert f"**#{row}**, :violet[*≈ {shown.values[row]:.2f} %*]" in words(at) and "(predicted)" in words(at)
    choose(at, "w-colour", "params_m")  # no score: the first one there is
    assert f"by CIFAR-10 validation accuracy (measured): **#{measured(explorer)[0][1]}**" in words(at)


def test_small_own_numbers_keep_their_digits_and_a_sample_says_that_it_is_one(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = replace(column(explorer, SCORE), unit="", values=np.array([0.0012, 0.0034, 12_345.6, 3.0, -0.0, 1e300]))
    written = [value_in_words(shown, row) for row in range(6)]
    assert [text.strip("*").replace("\\", "") for text in written] == ["0.0012", "0.0034", "12,346", "3", "0", "1e+300"]
    found = Ranked(shown, (3,), 4)
    assert best_in_words(explorer, found, filtered=True).startswith("**Best of 4 cells that pass the filter** by")
    sample: Any = SimpleNamespace(space=get_space("randwire"), atlas=range(90))
    monkeypatch.setattr(opening, "charted_name", lambda explorer, row: f"No. {row}")
    assert best_in_words(sample, found, filtered=False).startswith("**Best of 4 charted cells** by")


# ---- the best ten -----------------------------------------------------------------------------------------------


def test_the_best_ten_are_in_order_pass_the_filter_and_a_click_flies_there(explorer: Explorer) -> None:
    at = open_app()
    expected = [index for _, index in measured(explorer)[:10]]
    labels = [at.get_by_key(f"first-best-{rank}").label for rank in range(1, 11)]
    assert [int(label.split("#")[1].split("*")[0]) for label in labels] == expected
    assert map_data(at)["flight"] is None
    press(at, "first-best-3")
    assert focus(at) == CellFocus(expected[2])
    flight = map_data(at)["flight"]
    assert (flight["x"], flight["y"]) == pytest.approx(tuple(explorer.atlas.planes["pca"].xy[expected[2]]))
    press(at, "first-best-4")
    assert map_data(at)["flight"]["number"] == flight["number"] + 1
    # of those that pass the filter
    at.session_state["map_filter"] = CellFilter(params=(0.0, 0.5))
    rerun(at)
    small = [index for _, index in measured(explorer) if SPACE.costs_of([SPACE.from_index(index)])[0, 0] <= 0.5][:3]
    assert "cells that pass the filter" in words(at)
    labels = [at.get_by_key(f"first-best-{rank}").label for rank in (1, 2, 3)]
    assert [int(label.split("#")[1].split("*")[0]) for label in labels] == small


def test_best_rows_of_ties_and_of_columns_where_less_is_better(explorer: Explorer) -> None:
    shown = column(explorer, SCORE)
    values = np.array([2.0, np.nan, 3.0, 3.0, 1.0, 3.0])
    best = replace(shown, values=values, direction="max")
    assert best_rows(best, None, 2) == (2, 3)
    assert best_rows(best, None, 9) == (2, 3, 5, 0, 4)
    assert best_rows(best, np.array([True, True, False, False, True, True]), 2) == (5, 0)
    assert best_rows(replace(best, direction="min"), None, 2) == (4, 0)
    assert best_rows(replace(best, values=np.full(6, np.nan)), None, 2) == ()


# ---- surprise and travel ----------------------------------------------------------------------------------------


def test_surprise_decodes_a_place_where_no_cell_is(explorer: Explorer) -> None:
    at = press(open_app(), "first-surprise")
    now = focus(at)
    assert isinstance(now, PlaceFocus) and "Decoded" in words(at)
    flight = map_data(at)["flight"]
    assert (flight["x"], flight["y"]) == (now.x, now.y)
    press(at, "undo")
    assert "Shown first" in words(at)


def test_an_empty_place_is_between_points() -> None:
    rng = np.random.default_rng(1)
    xy = rng.normal(size=(400, 2)).astype(np.float32)
    layout = Projection("umap", xy, "made up", np.empty((0, 0)), np.empty(0), np.empty(0))
    for seed in range(20):
        x, y = empty_place(layout, np.random.default_rng(seed))
        nearest = np.hypot(*(xy - (x, y)).T).min()
        assert 0.35 * layout.spacing < nearest < layout.spacing


def test_under_another_model_the_stops_of_a_trip_lie_at_their_own_cells(explorer: Explorer) -> None:
    start, end = (explorer.space.from_index(index) for index in (6111, 5))
    laid = lay_path(explorer, start, end, "linear", 5, constrained=True)
    indices = (6111, 70, None, 900, 5)
    path = replace(laid, stops=tuple(map(lambda stop, index: replace(stop, index=index), laid.stops, indices)))
    way, xy = Way(Trip(explorer.space.name, 6111, 5, 1, None), path, []), explorer.atlas.planes["pca"].xy.tolist()
    places = trip_places(explorer, "pca", way, same_model=False)
    assert [place and list(place) for place in places] == [None if row is None else xy[row] for row in indices]
    (line,) = trip_line(places)
    assert list(line.xy) == [place for place in places if place is not None]
    assert [(mark.kind, mark.x, mark.y) for mark in trip_ends(places)] == [("start", *xy[6111]), ("end", *xy[5])]
    assert trip_line(places[2:4]) == trip_ends((None, None)) == trip_ends(()) == []


def test_travel_lays_a_way_and_stopping_on_it_moves_the_focus(explorer: Explorer) -> None:
    at = press(open_app(second="other"), "first-travel")
    best = measured(explorer)[0][1]
    data, shown = player(at), map_data(at)
    beside = json.loads(at.get_by_key("second-map").proto.json)
    assert beside["twin"]["track"] == beside["lines"][0]["xy"] == shown["lines"][0]["xy"], "of one layout here"
    assert {"start", "end"} <= {mark["kind"] for mark in beside["marks"]}
    assert f"**#{best}** to **#" in words(at)
    assert [line["kind"] for line in shown["lines"]] == ["path"] and len(shown["lines"][0]["xy"]) == 25
    assert {"start", "end"} <= {mark["kind"] for mark in shown["marks"]}
    assert data["map"] == shown["key"] and len(data["frames"]) == 25 and data["play"] == 1
    assert [[frame["x"], frame["y"]] for frame in data["frames"]] == shown["lines"][0]["xy"]
    assert data["frames"][0]["picture"] == 0 and not data["pictures"][0]["changed"]
    assert all(picture["changed"] and "halo" in picture["svg"] for picture in data["pictures"][1:])
    values = explorer.scores.frame[SCORE].to_numpy()
    (known,) = [curve for curve in data["curves"] if curve["name"] == "measured"]
    for frame, value in zip(data["frames"], known["values"], strict=True):
        index = int(frame["words"].split("#")[1].split(" ")[0])
        assert there(value) == pytest.approx(values[index])
        assert f"measured {values[index]:.2f} %" in frame["words"]
    fire(at, "stop", {"frame": 24, "seq": 1}, "travel-player")
    index = int(data["frames"][24]["words"].split("#")[1].split(" ")[0])
    assert focus(at) == CellFocus(index)
    fire(at, "stop", {"frame": 25, "seq": 2}, "travel-player")
    fire(at, "stop", {"frame": "7", "seq": 3}, "travel-player")
    assert focus(at) == CellFocus(index)
    assert player(at)["at"] == 24 and player(at)["always"]
    at.session_state["focus"] = CellFocus(best + 1)  # of another page: its mark is not the player's
    rerun(at)
    assert player(at)["at"] == 0 and not player(at)["always"] and player(at)["play"] == 1
    press(at, "first-travel")
    assert player(at)["play"] == 2 and player(at)["always"]  # a new trip shows where it begins, whatever was in focus
    press(at, "travel-close")
    press(at, "first-travel")
    assert player(at)["play"] == 3  # a number is never given again: the browser has played it
    press(at, "travel-close")
    assert map_data(at)["lines"] == [] and "travel-close" not in {b.key for b in at.button}


# ---- other pages ------------------------------------------------------------------------------------------------


def test_compare_is_filled_by_three_buttons(explorer: Explorer) -> None:
    order = [index for _, index in measured(explorer)]
    at = open_app()
    at.switch_page("pages/compare.py")
    rerun(at)
    assert {"compare-example", "compare-best", "compare-ends"} <= {button.key for button in at.button}
    press(at, "compare-best")
    assert at.session_state["compare_choice"].cells == tuple(order[:3])
    at.session_state["compare_choice"] = CompareChoice()
    press(rerun(at), "compare-ends")
    first, last = at.session_state["compare_choice"].cells
    values = explorer.scores.frame[SCORE].to_numpy()
    assert first == order[0] and values[last] == np.nanmin(values)


def test_interpolate_opens_with_an_example_that_nobody_has_chosen(explorer: Explorer) -> None:
    at = open_app()
    at.switch_page("pages/interpolate.py")
    rerun(at)
    values = explorer.scores.frame[SCORE].to_numpy()
    shown = player(at, "path-player")
    assert "from the best cell to the worst by CIFAR-10 validation accuracy (measured)" in words(at)
    assert len(shown["frames"]) == 25
    data = json.loads(at.get_by_key("path-map").proto.json)
    ends = explorer.atlas.planes["pca"].xy[[measured(explorer)[0][1], int(np.nanargmin(values))]]
    assert [data["lines"][0]["xy"][place] for place in (0, -1)] == pytest.approx(ends, abs=1e-6)
    assert "a" not in at.query_params and "b" not in at.query_params
    assert at.get_by_key("w-path-start").value == ""
    fire(at, "stop", {"frame": 12, "seq": 1}, "path-player")
    assert at.session_state["path_choice"].share == 0.5 and player(at, "path-player")["at"] == 12
    choose(at, "w-path-start", "7")
    assert "Choose B" in words(at)
