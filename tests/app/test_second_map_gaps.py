"""What a second map cannot show, what is not here any more, and where an outline is that no map shows: each is said."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.checkpoints import WEIGHTS
from svge_core.explorer.naming import cell_name
from svge_core.explorer.trust import KEPT
from tests.support.app_driver import App, checked, choose, fire, map_data, open_app, press, rerun, words
from tests.support.two_charts import ORDER, RANDWIRE, make_two_charts
from ui.kept import browser
from ui.kept.document import Kept, SpaceRecord
from ui.kept.store import KeptSessions
from ui.latent_map.published import published_path
from ui.map.marks import opened_mark
from ui.shared import loaders
from ui.shared.choices import CellFocus, Lasso, MapDisplay, SavedSelection, SecondMap

SECOND, BOX = "second-map", "w-second-checkpoint"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_two_charts(tmp_path_factory.mktemp("checkpoints"))


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def mine(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The second checkpoint's folder, in a copy that the test may damage."""
    shutil.copytree(root, tmp_path / "mine")
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "mine"))
    return tmp_path / "mine" / "randwire" / "turned"


def second_data(at: App) -> dict[str, Any]:
    return json.loads(at.get_by_key(SECOND).proto.json)


def around(root: Path, place: int) -> tuple[list[list[float]], int]:
    """An outline around a cell on the map of ``turned``, and how many it encloses."""
    xy = loaders.explorer_for(root / "randwire" / "turned", "cpu").atlas.planes["pca"].xy
    x, y = map(float, xy[place])
    corners = [[x - 0.1, y - 0.1], [x + 0.1, y - 0.1], [x + 0.1, y + 0.1], [x - 0.1, y + 0.1]]
    return corners, int((np.abs(xy - (x, y)) < 0.1).all(1).sum())


def beside(root: Path, **parameters: str) -> tuple[App, int]:
    """The map of ``turned`` as the second, with an outline on it; how many cells it encloses."""
    at = open_app(space="randwire", second="pca", second_checkpoint="turned", **parameters)
    corners, inside = around(root, 4)
    return fire(at, "lasso", {"polygon": corners, "mode": "new"}, SECOND), inside


def test_a_saved_lasso_is_recalled_on_the_checkpoint_that_it_was_drawn_on(root: Path) -> None:
    at, inside = beside(root)
    polygon = at.session_state["map_lasso"].polygon
    at.get_by_key("w-selection-name").set_value("half")
    press(at, "selection-save")
    (saved,) = at.session_state["saved_selections"]
    assert saved.checkpoint == "turned"
    choose(at, "w-checkpoint", "turned")
    assert at.session_state["map_lasso"] is None
    # as it was kept before: under the name of the first map's
    for kept in (saved, replace(saved, checkpoint="tiny")):
        at.session_state["map_lasso"], at.session_state["saved_selections"] = None, (kept,)
        press(rerun(at), "selection-recall-0")
        assert at.session_state["map_lasso"] == Lasso("pca", polygon) and map_data(at)["lasso"] is not None
        assert "left out" not in words(at) and f"Selection: {inside} cells" in words(at)


def test_a_lasso_that_no_shown_map_has_is_said_on_map_and_table(root: Path) -> None:
    at, inside = beside(root)
    lasso = at.session_state["map_lasso"]
    assert lasso.checkpoint == "turned" and "which is not shown" not in words(at)
    line = f"The lasso is on the PCA map of turned, which is not shown. The Table page lists its {inside:,} cells"
    assert line in words(choose(at, "w-second", False))
    fire(at, "clear", {"seq": 1})
    assert at.session_state["map_lasso"] is None and line not in words(at)
    gone = replace(lasso, checkpoint="gone")
    at.session_state["saved_selections"] = (
        SavedSelection("before", lasso=replace(lasso, checkpoint=""), checkpoint="turned"),
        SavedSelection("beside", lasso=lasso, checkpoint="tiny"),
        SavedSelection("lost", lasso=gone, checkpoint="tiny"),
    )
    for number in (0, 1):
        press(rerun(at), f"selection-recall-{number}")
        assert at.session_state["map_lasso"] == lasso and line in words(at)
    choose(at, "w-second", True)
    assert second_data(at)["lasso"] is not None and line not in words(at)
    press(at, "selection-recall-2")
    assert at.session_state["map_lasso"] is None and "'lost' was drawn on the map of 'gone': left out" in words(at)
    fire(at, "lasso", {"polygon": [[-9, -9], [9, -9], [9, 9], [-9, 9]], "mode": "new"})
    choose(choose(at, "w-second", False), "w-plane", "umap")
    assert "The lasso is on the PCA map, which is not shown" in words(at)


def test_the_table_says_whose_map_the_lasso_is_on(root: Path) -> None:
    at, inside = beside(root)
    checked(at.switch_page("pages/table.py").run())
    assert f"{inside} of 90 charted cells: {inside} cells in the lasso on the map of turned." in words(at).replace(
        "*", ""
    )


def test_colour_and_layout_that_the_second_checkpoint_lacks_are_said() -> None:
    parameters = {"space": "randwire", "second": "umap", "second_checkpoint": "turned"}
    at = open_app(colour=f"{KEPT}umap", **parameters)
    first, shown = map_data(at)["colour"]["title"], second_data(at)["colour"]["title"]
    assert first != shown
    assert f"The second map has no colour {first!r}; shown is {shown!r}." in words(at)
    assert "The second map has no layout UMAP; shown is PCA." in words(at)
    box = at.get_by_key("w-second-colour")
    assert box.value and box.options[box.index] == shown
    choose(at, "w-second-colour", "")
    assert at.get_by_key("w-second-colour").value and "has no colour" in words(at)
    choose(at, "w-colour", "edges")
    assert at.get_by_key("w-second-colour").value == "" and "has no colour" not in words(at)
    at = open_app(colour="edges", second_colour="nope", **parameters)
    title = second_data(at)["colour"]["title"]
    assert title == "Edges" and "The second map has no colour 'nope'; shown is 'Edges'." in words(at)
    assert at.get_by_key("w-second-colour").value == ""


def test_a_second_checkpoint_that_is_not_here_is_said_until_another_is_chosen() -> None:
    at = open_app(space="randwire", second="other", second_checkpoint="gone")
    line = "The second map's checkpoint 'gone' is not here; the first map's is shown."
    assert second_data(at)["points"]["n"] == 90 and line in words(at)
    assert at.get_by_key(BOX).value == "gone" and line in words(rerun(at))
    choose(at, BOX, "turned")
    assert second_data(at)["points"]["n"] == 60 and "is not here" not in words(at)
    choose(at, BOX, "")
    assert second_data(at)["points"]["n"] == 90 and "is not here" not in words(at)


def test_a_damaged_second_checkpoint_can_be_left(mine: Path) -> None:
    (mine / WEIGHTS).write_bytes(b"no weights")
    at = open_app(space="randwire", second="other", second_checkpoint="turned")
    line = "The second map's checkpoint 'turned' cannot be opened; the first map's is shown."
    assert second_data(at)["points"]["n"] == 90 and line in words(at) and at.get_by_key(BOX).value == "turned"
    choose(at, BOX, "")
    assert line not in words(at) and at.session_state["map_display"].second.checkpoint == ""


def test_a_second_checkpoint_that_is_removed_takes_its_outline_along(root: Path, mine: Path) -> None:
    at, _ = beside(root)
    assert at.session_state["map_lasso"].checkpoint == "turned"
    shutil.rmtree(mine)
    rerun(at)
    dropped = "The lasso was drawn on the map of 'turned', which is not here or cannot be opened: it was dropped."
    assert at.session_state["map_lasso"] is None and dropped in words(at) and "'turned' is not here" in words(at)
    assert dropped not in words(rerun(at)) and "'turned' is not here" in words(at)
    press(at, "undo")
    assert at.session_state["map_lasso"] is None, "no step brings it back"


def test_a_first_checkpoint_that_is_removed_is_said(mine: Path) -> None:
    at = open_app(space="randwire", checkpoint="turned")
    shutil.rmtree(mine)
    line = "The checkpoint 'turned' is not here any more; another one is shown."
    assert line in words(rerun(at)) and line not in words(rerun(at))


def test_a_kept_outline_on_a_checkpoint_that_is_gone_is_dropped_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(browser, "secret_of_browser", lambda: "s" * 32)
    outline = Lasso("pca", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)), (), "gone")
    display = MapDisplay(second=SecondMap(True, "pca", "", "gone"))
    record = SpaceRecord(checkpoint="tiny", lasso=outline, display=display)
    KeptSessions(tmp_path / "sessions").save("s" * 32, Kept("randwire", {"randwire": record}), Kept())
    at = open_app()
    assert at.session_state["map_lasso"] is None and "The second map's checkpoint 'gone' is not here" in words(at)
    assert f"The checkpoint 'gone' of {RANDWIRE.title} is not here; the lasso on its map was dropped." in words(at)


def test_the_session_before_says_what_of_it_is_gone(root: Path, mine: Path) -> None:
    at, _ = beside(root)
    press(at, "session-afresh")
    shutil.rmtree(mine)
    press(at, "session-before")
    assert at.session_state["map_lasso"] is None
    assert f"The checkpoint 'turned' of {RANDWIRE.title} is not here; the lasso on its map was dropped." in words(at)


def test_a_cell_without_an_index_has_one_number_on_both_maps(root: Path) -> None:
    at = open_app(space="randwire", second="other", second_checkpoint="turned")
    fire(at, "click", {"kind": "point", "index": 2, "x": 0.0, "y": 0.0, "source": "pointer", "seq": 4}, SECOND)
    name = f"no. {ORDER[2] + 1}"
    for data in (map_data(at), second_data(at)):
        assert [mark["label"] for mark in data["marks"] if mark["kind"] == "focus"] == [name]
    assert f"Cell {name}" in words(at)
    first, chart = (loaders.explorer_for(root / "randwire" / each, "cpu") for each in ("tiny", "turned"))
    cell = CellFocus(cell_name(RANDWIRE, chart.cells_at(np.array([2]))[0]))
    assert [mark.label for mark in opened_mark(first, chart, "pca", cell)] == [name]
    left = int(np.setdiff1d(np.arange(90), ORDER)[0])
    other = CellFocus(cell_name(RANDWIRE, first.cells_at(np.array([left]))[0]))
    assert opened_mark(first, chart, "pca", other) == []
    points = loaders.map_points(chart, "pca", first)
    assert points.labels_url is not None and points.digest != loaders.map_points(chart, "pca").digest
    lines = published_path(points.labels_url).read_text("utf-8").splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"no. {row + 1}" for row in ORDER]
    # the other way round, cells that the first map does not have bear no number
    back = loaders.map_points(first, "pca", chart).labels_url
    assert back is not None
    lines = published_path(back).read_text("utf-8").splitlines()
    assert not lines[left].startswith("no.") and lines[int(ORDER[2])].startswith("no. 3  ")
