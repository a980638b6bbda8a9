"""The second map beside the first: its own colour, layout and checkpoint; focus, marks, filter and selection of both.

Cells of two checkpoints are joined by what they are: the second chart here has other rows, and fewer.
"""

import base64
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.file import FILE as ATLAS, load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.errors import SvgeError
from svge_core.explorer.naming import cell_name
from svge_core.explorer.selection import CellFilter
from svge_core.explorer.trust import map_column
from tests.support.app_driver import App, choose, click_map, fire, focus, map_data, open_app, press, rerun, words
from tests.support.two_charts import ORDER, RANDWIRE, make_two_charts
from ui.kept.document import Kept, SpaceRecord, read_session, write_session
from ui.latent_map import own
from ui.latent_map.own import name_files
from ui.shared import loaders
from ui.shared.choices import CellFocus, Lasso, MapDisplay, PlaceFocus, SecondMap
from ui.shared.display_links import display_parameters, parse_display

SECOND = "second-map"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_two_charts(tmp_path_factory.mktemp("checkpoints"))


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture(scope="module")
def atlas(root: Path) -> Atlas:
    return load_atlas(load_checkpoint(root / "randwire" / "tiny"), RANDWIRE)


def second_data(at: App) -> dict[str, Any]:
    return json.loads(at.get_by_key(SECOND).proto.json)


def there(data: dict[str, Any], kind: str) -> list[tuple[float, float]]:
    return [(mark["x"], mark["y"]) for mark in data["marks"] if mark["kind"] == kind]


def dimmed(data: dict[str, Any]) -> list[int]:
    """Rows that a map dims."""
    if data["dim"] is None:
        return []
    bits = np.unpackbits(np.frombuffer(base64.b64decode(data["dim"]), np.uint8))[: data["points"]["n"]]
    return np.flatnonzero(bits).tolist()


def cell_of(atlas: Atlas, row: int) -> CellFocus:
    return CellFocus(cell_name(RANDWIRE, atlas.cells(RANDWIRE, np.array([row]))[0]))


def square(x: float, y: float, reach: float) -> list[list[float]]:
    return [[x - reach, y - reach], [x + reach, y - reach], [x + reach, y + reach], [x - reach, y + reach]]


def outlined(at: App) -> list[bool]:
    """Whether the figure of each map has the outline; the other says that it has not."""
    assert words(at).count("The outline was drawn on another map: here it makes no cell pale.") == 1
    return ["--outline" in code.value for code in at.code if code.value.startswith("python -m svge_core figure map ")]


def test_it_is_there_only_when_asked_for_and_shows_the_other_layout(atlas: Atlas) -> None:
    at = open_app(space="randwire")
    with pytest.raises(KeyError):
        at.get_by_key(SECOND)
    assert map_data(at)["twin"] is None and map_data(at)["height"] == 620
    choose(at, "w-second", True)
    first, second = map_data(at), second_data(at)
    assert first["points"]["digest"].endswith("-pca") and second["points"]["digest"].endswith("-umap")
    assert (
        first["twin"] == {"key": SECOND, "sameRows": True, "track": [], "second": False}
        and second["twin"]["key"] == "latent-map"
    )
    assert second["colour"] == first["colour"] and first["height"] == second["height"] < 620
    choose(at, "w-plane", "umap")
    assert second_data(at)["points"]["digest"].endswith("-pca"), "the other one, until one is chosen"
    choose(at, "w-second-plane", "umap")
    choose(at, "w-second-colour", "edges")
    assert second_data(at)["points"]["digest"].endswith("-umap") and second_data(at)["colour"]["title"] == "Edges"
    assert map_data(at)["colour"]["title"] != "Edges"
    choose(at, "w-second", False)
    with pytest.raises(KeyError):
        at.get_by_key(SECOND)
    choose(at, "w-second", True)
    assert second_data(at)["colour"]["title"] == "Edges", "its choices are there again"


def test_a_click_on_either_map_chooses_one_cell_on_both(atlas: Atlas) -> None:
    at = choose(open_app(space="randwire"), "w-second", True)
    fire(at, "click", {"kind": "point", "index": 7, "x": 0.0, "y": 0.0, "source": "pointer", "seq": 4}, SECOND)
    assert focus(at) == cell_of(atlas, 7)
    xy, other = atlas.planes["pca"].xy, atlas.planes["umap"].xy
    assert there(map_data(at), "focus") == [tuple(map(float, xy[7]))]
    assert there(second_data(at), "focus") == [tuple(map(float, other[7]))]
    assert len(there(second_data(at), "neighbour")) == len(there(map_data(at), "neighbour")) > 0
    click_map(at, 0.0, 0.0, index=9)
    assert there(second_data(at), "focus") == [tuple(map(float, other[9]))]
    fire(at, "click", {"kind": "empty", "index": None, "x": 0.01, "y": 0.02, "source": "pointer", "seq": 5}, SECOND)
    assert focus(at) == PlaceFocus("umap", 0.01, 0.02) and not second_data(at)["pointsOnly"]
    assert there(second_data(at), "decoded") == [(0.01, 0.02)] and len(there(map_data(at), "decoded")) == 1


def test_each_map_has_a_figure_of_its_own(atlas: Atlas) -> None:
    at = open_app(space="randwire", second="other", second_checkpoint="turned", second_colour="edges")
    at.session_state["map_filter"] = CellFilter(score_key="edges", score=(0.0, 60.0))
    at.session_state["map_lasso"] = Lasso("pca", ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0)), checkpoint="turned")
    at = rerun(at)
    first, second = (code.value for code in at.code if " figure map " in code.value)
    assert "/tiny " in first and "--keep=edges" in first and "--outline" not in first
    assert "/turned " in second and "--colour edges" in second and "--keep" not in second
    assert ("--outline" in second) is ("--plane pca" in second)
    assert "The filter is about the first map's checkpoint" in words(at)
    assert "The outline was drawn on another map" in words(at)


def test_a_checkpoint_that_cannot_be_opened_is_read_again_only_when_its_files_change(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, asked = loaders.explorer_for, list[str]()

    def damaged(folder: Path, device: str) -> Any:
        asked.append(folder.name)
        if folder.name == "turned":
            raise SvgeError("damaged")
        return opened(folder, device)

    monkeypatch.setattr(loaders, "explorer_for", damaged)
    monkeypatch.setattr(loaders, "_refused", {})
    at = open_app(space="randwire", second="other", second_checkpoint="turned")
    rerun(at)
    assert asked.count("turned") == 1 and "turned" in words(at)
    predictor = root / "randwire" / "turned" / "predictors" / "mine" / "predictor.json"
    predictor.parent.mkdir(parents=True)
    predictor.write_text("{}")  # fitted again, or mended
    rerun(at)
    assert asked.count("turned") == 2
    shutil.rmtree(predictor.parent.parent)
    monkeypatch.setattr(loaders, "explorer_for", opened)
    atlas = root / "randwire" / "turned" / ATLAS
    os.utime(atlas, (1_000_000_000, 1_000_000_000))
    rerun(at)
    assert second_data(at)["points"]["n"] == len(ORDER)


def test_an_outline_on_one_layout_keeps_the_colours_of_its_cells_on_the_other(atlas: Atlas) -> None:
    at = choose(open_app(space="randwire"), "w-second", True)
    x, y = map(float, atlas.planes["umap"].xy[5])
    fire(at, "lasso", {"polygon": square(x, y, 0.3), "mode": "new"}, SECOND)
    inside = np.flatnonzero((np.abs(atlas.planes["umap"].xy - (x, y)) < 0.3).all(1))
    assert 5 in inside and len(inside) < 90
    assert second_data(at)["lasso"] is not None and not dimmed(second_data(at))
    first = map_data(at)
    assert first["lasso"] is None and dimmed(first) == np.setdiff1d(np.arange(90), inside).tolist()
    assert f"Selection: {len(inside)} cells" in words(at) and "it was drawn on the second map" in words(at)
    assert outlined(at) == [False, True]
    x, y = map(float, atlas.planes["pca"].xy[5])
    fire(at, "lasso", {"polygon": square(x, y, 0.1), "mode": "new"})
    inside = np.flatnonzero((np.abs(atlas.planes["pca"].xy - (x, y)) < 0.1).all(1))
    assert dimmed(second_data(at)) == np.setdiff1d(np.arange(90), inside).tolist() and not dimmed(map_data(at))
    assert outlined(at) == [True, False]
    press(at, "undo")
    assert at.session_state["map_lasso"].plane == "umap" and second_data(at)["twin"], "undo leaves the map there"
    fire(at, "clear", {"seq": 1}, SECOND)
    assert at.session_state["map_lasso"] is None and not dimmed(map_data(at)) and not dimmed(second_data(at))


def test_a_brush_on_either_legend_dims_the_same_cells_on_both() -> None:
    at = open_app(space="randwire", second="other", second_colour="edges")
    explorer = loaders.explorer_for(Path(at.session_state["checkpoint_folder"]), "cpu")
    edges = map_column(explorer, "edges").values
    low = float(np.median(edges))
    fire(at, "brush", {"range": [low, None], "seq": 1}, SECOND)
    assert at.session_state["map_filter"].score == (low, float(edges.max()))
    assert second_data(at)["brush"] == [low, float(edges.max())] and not dimmed(second_data(at)), "the browser dims"
    assert dimmed(map_data(at)) == np.flatnonzero(edges < low).tolist() and map_data(at)["brush"] is None


def test_cells_of_two_checkpoints_are_joined_by_what_they_are(atlas: Atlas) -> None:
    at = open_app(space="randwire", second="other", second_checkpoint="turned")
    data, xy = second_data(at), atlas.planes["pca"].xy[ORDER] + np.float32(10.0)
    assert data["points"]["n"] == 60 and data["pointsOnly"] and not data["twin"]["sameRows"]
    assert "30 of the first map's 90 cells are not on the other" in words(at)
    fire(at, "click", {"kind": "point", "index": 2, "x": 0.0, "y": 0.0, "source": "pointer", "seq": 4}, SECOND)
    row = int(ORDER[2])
    assert focus(at) == cell_of(atlas, row)
    assert there(map_data(at), "focus") == [tuple(map(float, atlas.planes["pca"].xy[row]))]
    assert there(second_data(at), "focus") == [tuple(map(float, xy[2]))]
    near = {tuple(map(float, place)) for place in xy}
    assert set(there(second_data(at), "neighbour")) <= near
    fire(at, "click", {"kind": "empty", "index": None, "x": 0.0, "y": 0.0, "source": "pointer", "seq": 5}, SECOND)
    assert focus(at) == cell_of(atlas, row), "its empty space is decoded by nobody"
    gone = int(np.setdiff1d(np.arange(90), ORDER)[0])
    click_map(at, 0.0, 0.0, index=gone)
    assert not there(second_data(at), "focus"), "the other checkpoint does not chart it"


def test_filter_and_outlines_are_of_the_same_cells_under_two_checkpoints(atlas: Atlas) -> None:
    at = open_app(space="randwire", second="pca", second_checkpoint="turned")
    choose(at, "w-held-out", True)
    fails = set(range(90)) - set(atlas.held_out.tolist())
    assert dimmed(map_data(at)) == sorted(fails)
    assert dimmed(second_data(at)) == [place for place, row in enumerate(ORDER) if row in fails]
    press(at, "w-filter-reset")
    xy = atlas.planes["pca"].xy + np.float32(10.0)
    x, y = map(float, xy[ORDER[4]])
    fire(at, "lasso", {"polygon": square(x, y, 0.1), "mode": "new"}, SECOND)
    inside = [row for row in ORDER.tolist() if (np.abs(xy[row] - (x, y)) < 0.1).all()]
    assert dimmed(map_data(at)) == sorted(set(range(90)) - set(inside)) and second_data(at)["lasso"] is not None
    assert at.session_state["map_lasso"] == Lasso("pca", at.session_state["map_lasso"].polygon, (), "turned")
    assert f"Selection: {len(inside)} cells" in words(at)
    choose(at, "w-checkpoint", "turned")
    assert at.session_state["map_lasso"] is None, "of no map that is there"


def test_a_link_and_a_session_keep_it_and_a_broken_link_is_said() -> None:
    shown = MapDisplay(second=SecondMap(True, "pca", "edges", "turned"))
    parameters = display_parameters(shown, "depth")
    assert parse_display(parameters) == ({"second": shown.second}, ())
    assert display_parameters(replace(shown, second=replace(shown.second, shown=False)), "depth") == {}
    (problem,) = parse_display({"second": "left"})[1]
    assert "expected umap, pca or other" in problem
    kept = Kept("randwire", {"randwire": SpaceRecord(display=shown)})
    assert read_session(write_session(kept)).spaces["randwire"].display == shown
    at = open_app(space="randwire", colour="depth", **parameters)
    assert second_data(at)["points"]["n"] == 60 and "turned" in at.query_params["second_checkpoint"]
    assert second_data(rerun(at))["colour"]["title"] == "Edges"
    for long in (SecondMap(checkpoint="x" * 501), SecondMap(colour="x" * 501)):
        wrong = Kept("randwire", {"randwire": SpaceRecord(display=MapDisplay(second=long))})
        with pytest.raises(SvgeError, match="second map names"):
            read_session(write_session(wrong))


def test_own_scores_of_both_maps_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named: dict[str, frozenset[str]] = {}
    monkeypatch.setattr(own, "_named", named)
    monkeypatch.setattr(own, "get_script_run_ctx", lambda **_: type("Run", (), {"session_id": "mine"}))
    name_files(["app/static/map/own.a.bin"])
    name_files(["app/static/map/own.b.bin", None], beside=True)
    assert named == {"mine": frozenset({"own.a.bin", "own.b.bin"})}
    name_files(["app/static/map/other.bin"])
    assert named == {}
