"""The Map page in a real Chromium: clicks, lasso, links, keyboard, downloads, themes; on a tiny checkpoint."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from bench.harness.visitors import Visitor
from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.spaces.registry import get_space
from tests.browser.conftest import TIMEOUT_MS, MapDriver, _start_server
from tests.support.map_page import lonely, title
from tests.support.paths import APP
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.untyped import there
from tests.support.waiting import PATIENCE

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser


SPACE = get_space("nasbench201")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, playwright_session: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Base URL of the app over a tiny checkpoint, and the places of its cells. A server of its own, for its folder."""
    folder = tmp_path_factory.mktemp("site")
    made = make_checkpoint(folder / "nasbench201" / "tiny")
    xy = load_atlas(load_checkpoint(made), SPACE).planes["pca"].xy
    process, url = _start_server(APP, folder / "server.log", {"SVGE_CHECKPOINTS": str(folder)})
    yield url, xy
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.fixture
def opened(new_page: Callable[..., Any], site: tuple[str, np.ndarray]) -> Iterator[MapDriver]:
    """The map, ready; afterwards, no error may stand in the console."""
    page = new_page()
    page.goto(site[0])
    yield MapDriver(page).wait_ready()
    assert page.problems == []


def empty_place(driver: MapDriver, xy: np.ndarray) -> tuple[float, float]:
    """A map coordinate in view with no point near it."""
    box = driver.box()
    for px, py in [(60, 60), (60, box["height"] - 60), (box["width"] - 120, box["height"] - 60), (60, 300)]:
        x, y = driver.coordinates(px, py)
        if np.hypot(*(xy - (x, y)).T).min() * driver.camera[2] > 20:
            return x, y
    raise AssertionError("no empty place in view")


def basket_button(page: Any) -> Any:
    return page.get_by_role("button", name="Basket", exact=True).first


def test_a_click_on_a_point_shows_it_and_writes_the_link(opened: MapDriver, site: tuple[str, np.ndarray]) -> None:
    index = lonely(site[1])
    opened.click(float(site[1][index, 0]), float(site[1][index, 1]))
    title(opened, rf"Cell #{index}$")
    expect(opened.page).to_have_url(re.compile(rf"[?&]cell={index}(&|$)"), timeout=TIMEOUT_MS)
    expect(opened.page.get_by_role("img", name=re.compile("Drawing of the cell"))).to_be_visible(timeout=TIMEOUT_MS)
    opened.wait_for(pending="", marks="7")


def test_a_visitor_of_the_benchmark_sees_what_a_browser_sees(opened: MapDriver, site: tuple[str, np.ndarray]) -> None:
    visitor, index = Visitor(urlsplit(site[0]).port or 0), lonely(site[1])
    visitor.view("space=nasbench201")
    x, y = map(float, site[1][index])
    visitor.click(x, y, index)
    opened.click(x, y)
    title(opened, rf"Cell #{index}$")
    assert visitor.shown == f"Cell #{index}"
    visitor.click(*empty_place(opened, site[1]))
    opened.click(*empty_place(opened, site[1]))
    title(opened, re.escape(visitor.shown))
    assert visitor.shown.startswith("Decoded: cell #")
    visitor.leave()


def test_regions_have_names_but_close_by_and_until_they_are_taken_off(opened: MapDriver) -> None:
    page, named = opened.page, "([root, some]) => (root.dataset.regions !== '') === some"
    root = opened.root.element_handle()
    page.wait_for_function(named, arg=[root, True], timeout=TIMEOUT_MS)
    opened.root.focus()
    for _ in range(14):
        page.keyboard.press("+")
    page.wait_for_function(named, arg=[root, False], timeout=TIMEOUT_MS)
    page.keyboard.press("0")
    page.wait_for_function(named, arg=[root, True], timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Display").click()
    page.get_by_text("Names of regions").click()
    page.wait_for_function(named, arg=[root, False], timeout=TIMEOUT_MS)


def test_a_point_of_the_second_map_is_the_same_cell_on_the_first(
    opened: MapDriver, site: tuple[str, np.ndarray]
) -> None:
    page, index = opened.page, lonely(site[1])
    page.get_by_role("button", name="Display").click()
    page.get_by_text("Second map", exact=True).click()
    first, second = MapDriver(page, "latent-map"), MapDriver(page, "second-map").wait_ready()
    assert first.box()["x"] + first.box()["width"] < second.box()["x"] and first.box()["y"] == second.box()["y"]
    page.get_by_role("button", name="Display").click()
    expect(page.get_by_role("application", name=re.compile("^Second map of arch"))).to_have_count(1)
    x, y = map(float, site[1][index])
    page.mouse.move(*second.screen(x, y))
    first.wait_for(twin=str(index))
    second.click(x, y)
    title(second, rf"Cell #{index}$")
    for driver in (first, second):
        driver.wait_for(pending="", marks="7")
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(
        "([one, other]) => one.getBoundingClientRect().bottom < other.getBoundingClientRect().top",
        arg=[first.root.element_handle(), second.root.element_handle()],
    )


def test_a_click_on_empty_space_decodes_it(opened: MapDriver, site: tuple[str, np.ndarray]) -> None:
    opened.click(*empty_place(opened, site[1]))
    title(opened, r"Decoded: cell #\d+")
    expect(opened.page.get_by_text("random unconstrained decodings give this cell")).to_be_visible(timeout=TIMEOUT_MS)
    expect(opened.page).to_have_url(re.compile(r"[?&]x=-?[\d.e-]+&y=|[?&]y=.*&x="), timeout=TIMEOUT_MS)


def test_a_lasso_lists_what_it_encloses_and_escape_removes_it(opened: MapDriver, site: tuple[str, np.ndarray]) -> None:
    box = opened.box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.page.keyboard.down("Shift")
    opened.drag([(x - 90, y - 90), (x + 90, y - 90), (x + 90, y + 90), (x - 90, y + 90), (x - 90, y - 88)], steps=6)
    opened.page.keyboard.up("Shift")
    title(opened, r"Selection: [\d,]+ cells")
    expect(opened.page.get_by_test_id("stDataFrame")).to_be_visible(timeout=TIMEOUT_MS)
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    heading = opened.page.get_by_role("heading", name=re.compile("Selection")).inner_text()
    assert len(lines) - 1 == int(re.sub(r"\D", "", heading))
    opened.root.focus()
    opened.page.keyboard.press("Escape")
    expect(opened.page.get_by_text("Selection:")).to_be_hidden(timeout=TIMEOUT_MS)


def test_the_view_stays_while_focus_and_colour_change_and_over_a_page_switch(
    opened: MapDriver, site: tuple[str, np.ndarray]
) -> None:
    page, index = opened.page, lonely(site[1])
    before = opened.camera[2]
    opened.root.focus()  # else the wheel scrolls the page
    page.mouse.move(*opened.screen(*map(float, site[1].mean(0))))
    page.mouse.wheel(0, -240)
    page.wait_for_function(
        "([root, scale]) => Number(root.dataset.camera.split(',')[2]) > 1.3 * scale",
        arg=[opened.root.element_handle(), before],
    )
    camera = opened.attribute("camera")
    opened.click(*opened.coordinates(*opened.pixel(*map(float, site[1].mean(0)))))
    title(opened, "cell #|Cell #")
    opened.wait_for(pending="", camera=camera)
    page.get_by_role("combobox", name=re.compile("Colour")).click()
    page.get_by_role("option", name="Parameters", exact=True).click()
    opened.wait_for(colour="Parameters", camera=camera)
    if (APP.parent / "pages" / "model.py").is_file():
        page.get_by_role("link", name="Model").click()
        expect(opened.root).to_be_hidden(timeout=TIMEOUT_MS)
        page.get_by_role("link", name="Map").click()
        opened.wait_ready()
        opened.wait_for(colour="Parameters", camera=camera)
        title(opened, "cell #|Cell #")
    assert index >= 0


def test_links_open_what_they_name_in_both_themes(new_page: Callable[..., Any], site: tuple[str, np.ndarray]) -> None:
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto(f"{site[0]}/?space=nasbench201&checkpoint=tiny&plane=pca&colour=params_m&cell=4321")
        driver = MapDriver(page).wait_ready()
        title(driver, "Cell #4321$")
        driver.wait_for(colour="Parameters", marks="7")
        background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}[scheme]
        assert page.problems == []


def test_the_basket_is_filled_and_downloaded(opened: MapDriver, site: tuple[str, np.ndarray]) -> None:
    page, index = opened.page, lonely(site[1])
    opened.click(float(site[1][index, 0]), float(site[1][index, 1]))
    title(opened, rf"Cell #{index}$")
    basket_button(page).click()
    expect(page.get_by_text("1 of 200")).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    assert download.value.suggested_filename == "nasbench201-basket.zip"
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert f"drawings/001-index-{index}.svg" in archive.namelist()
        (document,) = (name for name in archive.namelist() if name.endswith(".json"))
        (cell,) = json.loads(archive.read(document))["cells"]
        # the file is made outside the session: what is known must be in it all the same
        assert cell["measured"]["cifar10_valid"] > 0
        assert len(cell["latent"]["values"]) == 4


def test_the_keyboard_alone_finds_walks_and_clears(opened: MapDriver) -> None:
    page = opened.page
    page.get_by_role("textbox", name=re.compile("Find")).fill("#77")
    page.keyboard.press("Enter")
    title(opened, "Cell #77$")
    opened.wait_for(pending="", marks="7")
    opened.root.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("heading", name=re.compile("Cell #77$"))).to_be_hidden(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Undo", exact=True).first.click()
    title(opened, "Cell #77$")
    opened.root.focus()
    page.keyboard.press("Escape")
    title(opened, "Nothing chosen")


def test_a_narrow_window_puts_the_panel_below_a_usable_map(
    new_page: Callable[..., Any], site: tuple[str, np.ndarray]
) -> None:
    page = new_page(width=800)
    page.goto(f"{site[0]}/?cell=5")
    driver = MapDriver(page).wait_ready()
    title(driver, "Cell #5$")
    map_box = there(driver.root.bounding_box())
    panel_box = there(page.get_by_role("heading", name="Cell #5").bounding_box())
    assert map_box["width"] > 400
    assert panel_box["y"] > map_box["y"] + map_box["height"]
    assert page.problems == []


def test_the_chosen_cell_is_in_view_on_a_phone_and_beside_what_is_scrolled(
    new_page: Callable[..., Any], site: tuple[str, np.ndarray]
) -> None:
    page = new_page(width=390, height=844)
    page.goto(site[0])
    driver, index = MapDriver(page).wait_ready(), lonely(site[1])
    driver.click(float(site[1][index, 0]), float(site[1][index, 1]))
    head = page.get_by_role("heading", name=re.compile(rf"Cell #{index}$"))
    expect(head).to_be_in_viewport(timeout=TIMEOUT_MS)
    expect(page.get_by_role("img", name=re.compile("Drawing of the cell"))).to_be_in_viewport(timeout=TIMEOUT_MS)
    expect(driver.canvas).to_be_in_viewport()
    page.set_viewport_size({"width": 1440, "height": 500})
    bottom = page.get_by_test_id("stMain").evaluate("main => { main.scrollTop = 300; return main.scrollTop }")
    assert bottom > 200
    expect(head).to_be_in_viewport(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Nothing chosen")).to_be_visible(timeout=TIMEOUT_MS)
    assert page.problems == []
