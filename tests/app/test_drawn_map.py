"""The Map page of a space whose cells have no index: opened, clicked, searched, linked, selected, kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.explorer import open_explorer
from svge_core.spaces.registry import get_space
from tests.support.app_driver import choose, click_map, fire, focus, map_data, open_app, press, rerun, words
from tests.support.tiny_checkpoint import make_checkpoint, make_randwire_checkpoint
from ui.kept.document import SpaceRecord, check_space
from ui.map.selection import exported
from ui.shared.choices import CellFocus, PlaceFocus

RANDWIRE = get_space("randwire")
BOX = [[-99, -99], [99, -99], [99, 99], [-99, 99]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder / "nasbench201" / "tiny")
    make_randwire_checkpoint(folder / "randwire" / "tiny")
    return folder


@pytest.fixture(scope="module")
def atlas(root: Path) -> Atlas:
    return load_atlas(load_checkpoint(root / "randwire" / "tiny"), RANDWIRE)


@pytest.fixture(autouse=True)
def environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))


def notation(atlas: Atlas, row: int) -> str:
    return RANDWIRE.format(atlas.cells(RANDWIRE, np.array([row]))[0])


def other_wiring(atlas: Atlas) -> str:
    rng = np.random.default_rng(77)
    cell = RANDWIRE.random_cell(rng)
    assert atlas.row_of(RANDWIRE, cell) is None
    return RANDWIRE.format(cell)


def test_the_map_opens_on_it_coloured_by_generator() -> None:
    at = open_app(space="randwire")
    data = map_data(at)
    assert data["points"]["n"] == 90
    assert data["colour"]["categories"] == ["Watts-Strogatz", "Erdős-Rényi", "Barabási-Albert"]
    assert "90 random cells, in equal parts of 3 random generators" in words(at)
    options = at.get_by_key("w-colour").options
    assert "Edges" in options and "Depth" in options and "Parameters" in options
    assert "Most frequent operation" not in options
    assert map_data(choose(at, "w-colour", "depth"))["colour"]["title"] == "Depth"


def test_a_click_shows_the_cell_and_its_neighbours(atlas: Atlas) -> None:
    at = click_map(open_app(space="randwire"), 0.0, 0.0, index=5)
    assert focus(at) == CellFocus(notation(atlas, 5))
    text = words(at)
    assert "Cell no. 6" in text and "Edges **64** · Depth **" in text and "index `" not in text
    # distances are taken over the numbers that say what a wiring computes, and the words say so
    kept = atlas.latents.shape[1] - atlas.first
    assert f"away by the last {kept} numbers of the latent" in text and "in the latent space" not in text
    assert f"by the last {kept} numbers of the latent" in text and "by latent distance" not in text
    assert at.query_params["cell"] in (notation(atlas, 5), [notation(atlas, 5)])
    assert map_data(at)["marks"][-1]["label"] == "no. 6"
    assert not at.get("path-buttons")
    press(at, "near-1")
    assert isinstance(focus(at), CellFocus) and focus(at) != CellFocus(notation(atlas, 5))


def test_empty_places_are_decoded(atlas: Atlas) -> None:
    at = click_map(open_app(space="randwire"), 0.013, -0.021)
    assert focus(at) == PlaceFocus("pca", 0.013, -0.021)
    text = words(at)
    assert "Decoded" in text and "Edges **" in text and "Mean depth **" in text


def test_a_wiring_that_is_not_charted_is_found_and_linked(atlas: Atlas) -> None:
    text = other_wiring(atlas)
    at = choose(open_app(space="randwire"), "w-find", text)
    found = focus(at)
    assert isinstance(found, CellFocus) and RANDWIRE.key(RANDWIRE.parse(str(found.name))) == RANDWIRE.key(
        RANDWIRE.parse(text)
    )
    assert "not on the map" in words(at)
    again = open_app(space="randwire", cell=text)
    assert focus(again) == found, "a link may write a wiring in any order of its nodes"
    wrong = open_app(space="randwire", cell="12")
    assert "'12' is no notation of a cell, and cells of this space have no index" in words(wrong)


def test_a_lasso_lists_and_exports(atlas: Atlas, root: Path) -> None:
    at = fire(open_app(space="randwire"), "lasso", {"polygon": BOX})
    assert "Selection: 90 cells" in words(at)
    table = at.dataframe[0].value
    assert set(table["number"]) == set(range(1, 91)) and "index" not in table
    explorer = open_explorer(root / "randwire" / "tiny")
    items = json.loads(exported(explorer, np.array([3, 4]), "json"))
    assert [item["notation"] for item in items["cells"]] == [notation(atlas, 3), notation(atlas, 4)]
    header, first, *_ = exported(explorer, np.array([3, 4]), "csv").decode().splitlines()
    assert "depth" in header and notation(atlas, 3) in first


def test_the_basket_is_marked_and_leads_back(atlas: Atlas) -> None:
    at = press(click_map(open_app(space="randwire"), 0.0, 0.0, index=5), "basket-add")
    marks = [mark["kind"] for mark in map_data(rerun(at))["marks"]]
    assert "basket" in marks
    click_map(at, 0.0, 0.0, index=9)
    press(at, f"basket-show-{notation(atlas, 5)}")
    assert focus(at) == CellFocus(notation(atlas, 5))


def test_a_session_may_name_a_cell_by_its_notation(atlas: Atlas) -> None:
    check_space("randwire", SpaceRecord(cell=notation(atlas, 5)))
    for space, name, said in (("randwire", "rw32:0", "cannot be read"), ("nasbench201", "x", "expected an index")):
        with pytest.raises(Exception, match=said):
            check_space(space, SpaceRecord(cell=name))


def test_cells_without_an_index_are_compared_by_notation_and_have_no_path(atlas: Atlas) -> None:
    first, second = notation(atlas, 3), RANDWIRE.format(RANDWIRE.canonical(RANDWIRE.parse(other_wiring(atlas))))
    at = open_app(space="randwire")
    at.switch_page("pages/compare.py")
    at.query_params["cells"] = f"{first}\n{second}"
    text = words(rerun(at))
    assert at.session_state["compare_choice"].cells == (first, second)
    assert "at most" in text and "1: no. 4** and **2: not on the map**" in text
    with pytest.raises(KeyError):
        at.get_by_key("compare-path-0-1")
    press(at, "compare-map-1")
    assert focus(at) == CellFocus(second)
