"""How maps are drawn: by rank or value, limits by hand, layers, the brush that is part of the filter; on every map."""

from dataclasses import replace

import numpy as np
import pytest

from svge_core.errors import SvgeError
from svge_core.explorer.columns import column
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.selection import CellFilter
from tests.support.app_driver import App, checked, choose, fire, map_data, open_app, press, rerun, words
from ui.kept.document import Kept, SpaceRecord, read_session, write_session
from ui.latent_map.published import published_floats
from ui.shared.choices import Lasso, MapDisplay
from ui.shared.links import parse_link
from ui.shared.selections import enclosed

pytestmark = pytest.mark.usefixtures("environment")

SCORE = "cifar10_valid"


def filter_of(at: App) -> CellFilter:
    return at.session_state["map_filter"]


def test_colours_follow_ranks_until_values_are_chosen_and_the_link_says_it() -> None:
    at = open_app()
    assert map_data(at)["colour"]["scale"] == "ranks" and "scale" not in at.query_params
    choose(at, "w-scale", "values")
    assert map_data(at)["colour"]["scale"] == "values"
    assert "values" in at.query_params["scale"]
    assert map_data(open_app(scale="values"))["colour"]["scale"] == "values"


def test_errors_keep_their_middle_colour() -> None:
    at = choose(open_app(), "w-colour", f"error-{SCORE}")
    assert map_data(at)["colour"]["scale"] == "values"
    with pytest.raises(KeyError):
        at.get_by_key("w-scale")
    assert "the middle colour is no error" in words(at)


def test_limits_by_hand_are_of_one_column_and_can_be_taken_back() -> None:
    at = open_app()
    usual = map_data(at)["colour"]
    choose(at, "w-limit-low", 90.5)
    found = map_data(at)["colour"]
    assert (found["low"], found["high"]) == (90.5, usual["high"]) and found["lowClipped"]
    assert "limits were chosen by hand" in words(at) and "90.5," in "".join(at.query_params["limits"])
    choose(at, "w-limit-high", 12.0)
    assert any("the lower one first" in error.value for error in at.error)
    assert map_data(at)["colour"]["low"] == 90.5
    choose(at, "w-colour", "params_m")
    assert map_data(at)["colour"]["low"] < 1
    choose(at, "w-colour", SCORE)
    assert map_data(at)["colour"]["low"] == 90.5
    press(at, "w-limit-reset")
    assert map_data(at)["colour"] == usual


def test_layers_are_drawn_when_asked_for(explorer: Explorer) -> None:
    at = open_app()
    assert map_data(at)["surface"] is None and map_data(at)["contours"] is None
    choose(at, "w-contours", True)
    choose(at, "w-surface", True)
    data = map_data(at)
    assert "interpolated, not measured" in data["surface"]["words"]
    values = published_floats(data["surface"]["url"])
    assert len(values) == data["surface"]["width"] * data["surface"]["height"]
    known = column(explorer, SCORE).values
    drawn = values[np.isfinite(values)]
    assert known.min() <= drawn.min() < drawn.max() <= known.max() and 0 < len(drawn) < len(values)
    grey = explorer.atlas.planes["pca"].sparseness(data["surface"]["width"], data["surface"]["height"])[0]
    assert (grey.ravel()[np.isfinite(values)] == 0).all(), "nothing is drawn where the map is greyed"
    assert len(data["contours"]["levels"]) == 4
    choose(at, "w-colour", "split")
    assert map_data(at)["surface"] is None, "categories have no average"


def test_a_brush_is_the_score_part_of_the_filter_and_holds_on_every_map(explorer: Explorer) -> None:
    at = open_app()
    choose(at, "w-held-out", True)
    fire(at, "brush", {"range": [90.0, None], "seq": 1})
    best = float(np.nanmax(column(explorer, SCORE).values))
    assert filter_of(at) == CellFilter(score_key=SCORE, score=(90.0, best), held_out_only=True)
    data = map_data(at)
    assert data["brush"] == [90.0, best] and data["dim"] is not None, "the browser brushes, and dims the rest"
    assert "pass the filter" in words(at)
    checked(at.switch_page("pages/interpolate.py").run())
    other = at.get_by_key("path-map")
    assert f'"brush":[90.0,{best}]' in other.proto.json.replace(" ", "")
    checked(at.switch_page("pages/map.py").run())
    fire(at, "brush", {"range": None, "seq": 2})
    assert filter_of(at) == CellFilter(held_out_only=True) and map_data(at)["brush"] is None
    press(at, "undo")
    assert filter_of(at).score == (90.0, best)
    choose(at, "w-colour", "params_m")
    assert map_data(at)["brush"] is None and map_data(at)["dim"] is not None, "of another column: dimmed as before"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale": "size"}, "expected ranks or values"),
        ({"limits": "1,2"}, "of a named colour"),
        ({"limits": "2,1", "colour": SCORE}, "not two numbers, the lower first"),
        ({"limits": "nan,1", "colour": SCORE}, "not two numbers"),
        ({"layers": "contours,moon"}, "unknown layer 'moon'"),
        ({"regions": "all"}, "neither 0 nor 1"),
    ],
)
def test_a_broken_link_is_said_in_words(parameters: dict[str, str], message: str) -> None:
    (problem,) = parse_link(parameters).problems
    assert message in problem


def test_a_link_draws_what_it_names() -> None:
    link = parse_link({"colour": SCORE, "limits": "80,90.5", "layers": "surface", "scale": "values"})
    shown = replace(MapDisplay(), **link.display)
    assert shown == MapDisplay("values", SCORE, (80.0, 90.5), surface=True) and not link.problems
    at = open_app(colour=SCORE, limits="80.0,90.5", layers="surface", scale="values")
    assert rerun(at).session_state["map_display"] == shown
    assert not parse_link({"layers": ""}).problems


def test_a_session_keeps_how_the_map_is_drawn() -> None:
    display = MapDisplay("values", SCORE, (80.0, 90.5), contours=True)
    kept = Kept("nasbench201", {"nasbench201": SpaceRecord(display=display)})
    assert read_session(write_session(kept)).spaces["nasbench201"].display == display
    wrong = Kept("nasbench201", {"nasbench201": SpaceRecord(display=MapDisplay(limits=(2.0, 1.0)))})
    with pytest.raises(SvgeError, match="colours reach from 2 to 1: expected"):
        read_session(write_session(wrong))


# ---- lasso ------------------------------------------------------------------------------------------------------


def test_a_lasso_grows_and_shrinks(explorer: Explorer) -> None:
    def square(left: float) -> list[list[float]]:
        return [[left, -0.3], [left + 0.4, -0.3], [left + 0.4, 0.3], [left, 0.3]]

    at = fire(open_app(), "lasso", {"polygon": square(0.0), "mode": "remove"})
    assert "map_lasso" not in at.session_state, "there is nothing to remove from"
    fire(at, "lasso", {"polygon": square(-0.4), "mode": "add"})
    fire(at, "lasso", {"polygon": square(0.0), "mode": "add"})
    fire(at, "lasso", {"polygon": square(-0.2), "mode": "remove"})
    x, y = explorer.atlas.planes["pca"].xy.T
    inside = (np.abs(y) < 0.3) & (np.abs(x) < 0.4) & ~((x > -0.2) & (x < 0.2))
    assert (
        enclosed(explorer.atlas.planes["pca"].xy, at.session_state["map_lasso"]).tolist()
        == np.flatnonzero(inside).tolist()
    )
    assert f"Selection: {inside.sum():,} cells" in words(at) and inside.sum() > 0
    assert [part["mode"] for part in map_data(at)["lassoParts"]] == ["add", "remove"]
    fire(at, "lasso", {"polygon": square(0.1), "mode": "new"})
    assert map_data(at)["lassoParts"] == []


def test_a_session_with_a_lasso_of_too_many_parts_is_refused() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    too_many, too_small = (
        Lasso("umap", corners, tuple(("add", corners) for _ in range(51))),
        Lasso("umap", corners, (("remove", corners[:2]),)),
    )
    for lasso, said in ((too_many, "51 parts"), (too_small, "2 corners")):
        kept = Kept("nasbench201", {"nasbench201": SpaceRecord(lasso=lasso)})
        with pytest.raises(SvgeError, match=said):
            read_session(write_session(kept))
