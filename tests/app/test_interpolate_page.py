"""The Interpolate page without a browser: choosing ends in every way, kinds, steps, invalid stops, links, files."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from svge_core.explorer.explorer import Explorer
from svge_core.interpolation.export import path_to_json
from svge_core.interpolation.path import lay_path
from svge_core.interpolation.scores import PathScores
from svge_core.spaces.registry import get_space
from tests.support.app_driver import checked, choose, click_map, fire, focus, open_app, press, rerun, words
from tests.support.untyped import there
from ui.interpolate import view
from ui.interpolate.path import nearest_stop
from ui.interpolate.strip import change_in_words, stops_in_words
from ui.shared.choices import BasketEntry, CellFocus, PathChoice
from ui.shared.links import parse_path

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
MAP = "path-map"


def open_page(**parameters: str):
    """The Interpolate page with query parameters."""
    at = open_app()
    at.switch_page("pages/interpolate.py")
    for name, value in parameters.items():
        at.query_params[name] = value
    return rerun(at)


def choice(at) -> PathChoice:
    return at.session_state["path_choice"]


def data(at) -> dict:
    return json.loads(at.get_by_key(MAP).proto.json)


def kinds(at) -> list[str]:
    return [mark["kind"] for mark in data(at)["marks"]]


# ---- choosing ends ----------------------------------------------------------------------------------------------


def test_without_ends_the_page_says_what_to_do_and_a_click_on_its_map_chooses_them() -> None:
    at = open_page()
    assert "Choose A and B" in words(at) and "Start of path" in words(at)
    assert data(at)["points"]["n"] == SPACE.size
    assert "Shown is an example" in words(at) and "path_choice" not in at.session_state  # shown, not chosen
    click = {"kind": "point", "index": 7, "x": 0.0, "y": 0.0, "source": "pointer", "seq": 1}
    fire(at, "click", click, MAP)
    assert choice(at).start == 7 and kinds(at) == ["start"] and "Choose B" in words(at)
    assert not data(at)["lines"]
    fire(at, "click", {**click, "index": None, "kind": "empty"}, MAP)
    assert choice(at).end is None
    fire(at, "click", {**click, "index": 9_000}, MAP)
    assert choice(at).end == 9_000 and len(data(at)["lines"][0]["xy"]) == 25
    assert kinds(at).count("start") == kinds(at).count("end") == 1


def test_two_random_cells() -> None:
    at = press(open_page(), "path-random")
    assert None not in (choice(at).start, choice(at).end) and choice(at).start != choice(at).end
    assert "on **25** stops" in words(at)


def test_the_cell_panel_of_the_map_page_sets_both_ends() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    press(at, "path-as-start")
    assert choice(at).start == 2 and at.get_by_key("path-as-start").disabled
    click_map(at, 0.0, 0.0, index=77)
    press(at, "path-as-end")
    assert (choice(at).start, choice(at).end) == (2, 77)
    checked(at.switch_page("pages/interpolate.py").run())
    assert at.get_by_key("w-path-start").value == "#2" and at.get_by_key("w-path-end").value == "#77"


@pytest.mark.parametrize("text", ["12", "#12", "000022", SPACE.format(SPACE.from_index(12))])
def test_an_end_by_text(text: str) -> None:
    expected = SPACE.index(SPACE.from_genotype((0, 0, 0, 0, 2, 2))) if text == "000022" else 12
    at = choose(open_page(b="5"), "w-path-start", text)
    assert (choice(at).start, choice(at).end) == (expected, 5)


def test_text_that_is_no_cell_is_one_line_and_changes_nothing() -> None:
    at = choose(open_page(a="3", b="5"), "w-path-end", "<b>17000</b>")
    assert len(at.error) == 1 and at.error[0].value.replace("\\", "").startswith("B: ")
    assert choice(at).end == 5 and at.get_by_key("w-path-end").value == "#5"
    assert choice(choose(at, "w-path-end", " ")).end is None


def test_an_end_from_the_basket_and_swapping() -> None:
    at = open_page(a="3", b="5")
    at.session_state["basket"] = (BasketEntry(SPACE.name, SPACE.format(SPACE.from_index(44)), "*mine*"),)
    press(rerun(at), "path-take-end-44")
    assert choice(at).end == 44
    press(at, "path-swap")
    assert (choice(at).start, choice(at).end) == (44, 3)


# ---- walking ----------------------------------------------------------------------------------------------------


def test_the_slider_the_buttons_and_the_strip_move_the_focus_and_a_walk_is_one_step_back(explorer: Explorer) -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    checked(at.switch_page("pages/interpolate.py").run())
    choose(at, "w-path-start", "1")
    choose(at, "w-path-end", "9000")
    choose(at, "w-path-constrained", True)
    path = lay_path(explorer, SPACE.from_index(1), SPACE.from_index(9_000), "linear", 25, constrained=True)
    choose(at, "w-path-at", 6)
    assert focus(at) == CellFocus(there(path.stops[6].index)) and choice(at).share == 6 / 24
    assert f"Cell #{path.stops[6].index} :gray[· stop 6 of 24]" in words(at)
    press(at, "path-next")
    assert focus(at) == CellFocus(there(path.stops[7].index))
    press(at, "path-previous")
    press(at, "path-previous")
    assert choice(at).share == 5 / 24
    last = path.frames[-1].first
    press(at, f"frame-go-{last}")
    assert choice(at).share == last / 24
    checked(at.switch_page("pages/map.py").run())
    assert focus(at) == CellFocus(there(path.stops[last].index))
    press(at, "undo")
    assert focus(at) == CellFocus(2)


def test_a_click_on_the_map_shows_the_nearest_stop(explorer: Explorer) -> None:
    at = open_page(a="1", b="9000", t="0")
    points = data(at)["lines"][0]["xy"]
    x, y = points[20]
    fire(at, "click", {"kind": "empty", "index": None, "x": x, "y": y, "source": "pointer", "seq": 1}, MAP)
    assert round(choice(at).share * 24) == nearest_stop([tuple(p) for p in points], x, y)


def test_invalid_stops_are_shown_with_their_reason_and_constrained_decoding_mends_them(explorer: Explorer) -> None:
    path = lay_path(explorer, SPACE.from_index(1), SPACE.from_index(9_000), "linear", 25)
    invalid = next(stop for stop in path.stops if not stop.valid)
    at = open_page(a="1", b="9000", t=str(invalid.number / 24))
    text = words(at)
    count = sum(not stop.valid for stop in path.stops)
    assert f"**{count}** invalid step" in text and "(stop" in text
    assert text.count(":red-badge[invalid step]") == 1 + sum(not frame.stops[0].valid for frame in path.frames)
    assert invalid.reason in text and "Kept inside the space, the decoder gives cell" in text
    assert "The model does not give A and B back" in text
    choose(at, "w-path-constrained", True)
    assert "**0** invalid steps" in words(at) and f"(unconstrained: {count})" in words(at)
    assert "valid only with constrained decoding" in words(at)


def test_a_path_over_neighbours_shows_known_cells_and_says_which_graph(explorer: Explorer) -> None:
    at = open_page(a="1", b="9000", path="graph")
    path = lay_path(explorer, SPACE.from_index(1), SPACE.from_index(9_000), "graph", 25)
    text = words(at)
    assert "24 nearest among all 15,625 charted cells" in text
    assert at.get_by_key("w-path-stops").disabled and at.get_by_key("w-path-at").max == len(path.stops) - 1
    assert all(f"**#{stop.index}**" in text for stop in path.stops)
    xy = explorer.atlas.planes["pca"].xy
    assert data(at)["lines"][0]["xy"] == pytest.approx(np.array([xy[stop.row] for stop in path.stops]))
    assert kinds(at)[-1] == "focus"


def test_the_kind_and_the_number_of_stops_keep_the_place(explorer: Explorer) -> None:
    at = open_page(a="1", b="9000", t="0.5")
    choose(at, "w-path-stops", 41)
    assert at.get_by_key("w-path-at").value == 20 and len(data(at)["lines"][0]["xy"]) == 41
    choose(at, "w-path-kind", "spherical")
    assert choice(at).share == 0.5 and "constant speed about the origin" in words(at)


def test_the_same_cell_twice_is_said_and_works_for_every_kind() -> None:
    at = open_page(a="5", b="5")
    for kind in ("linear", "spherical", "graph"):
        choose(at, "w-path-kind", kind)
        assert "A and B are the same cell" in words(at)
    assert "The path has one stop" in words(at)


def test_the_score_can_be_chosen_and_is_told_measured_from_predicted() -> None:
    at = open_page(a="1", b="2", path="graph")
    text = words(at)
    assert "Predicted by: made-up model, 3 labels" in text and "trained the predictor" in text
    assert "measured **" in text and ":violet[*≈ 8" in text
    assert "At the stops: CIFAR-10 validation accuracy (measured and predicted)" in text
    choose(at, "w-path-score", "flops_m")
    assert choice(at).score == "flops_m" and "analytic **" in words(at) and "FLOPs (analytic)" in words(at)


def test_predictions_of_a_measured_score_are_called_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = view.shown_scores

    def none_known(*asked: Any) -> PathScores:
        scores = there(found(*asked))
        return replace(scores, known=np.full_like(scores.known, np.nan))

    monkeypatch.setattr(view, "shown_scores", none_known)
    text = words(open_page(a="1", b="2", path="graph"))
    assert "At the stops: CIFAR-10 validation accuracy (predicted)" in text and "No measured value" in text


# ---- links, files -----------------------------------------------------------------------------------------------


def test_a_link_opens_the_path_it_names_and_is_kept_up() -> None:
    at = open_page(a="1", b="9000", path="spherical", stops="11", t="0.3", constrained="1", score="params_m")
    assert choice(at) == PathChoice(1, 9_000, "spherical", 11, 0.3, True, "params_m")
    choose(at, "w-path-at", 10)
    written = {name: at.query_params[name] for name in ("a", "b", "path", "stops", "t", "constrained")}
    flat = {name: value[0] if isinstance(value, list) else value for name, value in written.items()}
    assert flat == {"a": "1", "b": "9000", "path": "spherical", "stops": "11", "t": "1", "constrained": "1"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "15625"}, "a '15625' is no index"),
        ({"b": "-1"}, "b '-1' is no index"),
        ({"path": "scenic"}, "path 'scenic' is unknown"),
        ({"stops": "2"}, "not 3 to 101"),
        ({"stops": "9999999"}, "not 3 to 101"),
        ({"t": "1.5"}, "no number from 0 to 1"),
        ({"t": "nan"}, "no number from 0 to 1"),
    ],
)
def test_a_broken_link_is_said_in_words(parameters: dict[str, str], message: str) -> None:
    found, problems = parse_path(parameters, there(SPACE.size))
    assert not found and len(problems) == 1 and message in problems[0]


def test_a_broken_link_leaves_a_working_page() -> None:
    at = open_page(a="nonsense", b="4")
    assert any("is no index" in warning.value.replace("\\", "") for warning in at.warning)
    assert choice(at).end == 4 and "Choose A" in words(at)


def test_the_files_hold_the_path(explorer: Explorer) -> None:
    at = open_page(a="1", b="9000")
    assert at.get_by_key("path-json").proto.label == "JSON" and at.get_by_key("path-csv").proto.label == "CSV"
    path = lay_path(explorer, SPACE.from_index(1), SPACE.from_index(9_000), "linear", 25)
    assert len(json.loads(path_to_json(explorer, path))["stops"]) == 25


# ---- words ------------------------------------------------------------------------------------------------------


def test_changes_in_words_count_every_edit(explorer: Explorer) -> None:
    path = lay_path(explorer, SPACE.from_index(1), SPACE.from_index(9_000), "linear", 25)
    for before, frame in zip(path.frames, path.frames[1:], strict=False):
        assert frame.change is not None
        text = change_in_words(frame.change, before.cell, frame.cell)
        assert sum(int(part.split()[0]) for part in text.split(", ")) == frame.change.edits
    assert stops_in_words(path.frames[0]).startswith("Stop")
