"""In a real Chromium: what a person made is there after a reload, in a new tab and from the keyboard; not elsewhere."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver, _start_server
from tests.support.map_page import title
from tests.support.paths import APP
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.waiting import PATIENCE, until

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

#: what is shown where nothing is chosen: the best cell by the table
BEST = "Cell #6111$"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, playwright_session: Any) -> Iterator[tuple[str, Path]]:
    """Base URL of an app over a tiny checkpoint, and the folder of its runs."""
    folder = tmp_path_factory.mktemp("site")
    make_checkpoint(folder / "nasbench201" / "tiny")
    process, url = _start_server(
        APP, folder / "server.log", {"SVGE_CHECKPOINTS": str(folder), "SVGE_RUNS": str(folder / "runs")}
    )
    yield url, folder / "runs"
    process.terminate()
    process.wait(timeout=PATIENCE)


def basket_of(page: Any, count: int) -> None:
    """Wait until the sidebar counts so many."""
    expect(page.get_by_text(re.compile(rf"^Basket\s*{count} of 200$"))).to_be_visible(timeout=TIMEOUT_MS)


def find(page: Any, index: int) -> None:
    page.get_by_role("textbox", name=re.compile("Find")).fill(f"#{index}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(rf"Cell #{index}$"))).to_be_visible(timeout=TIMEOUT_MS)


def draw(driver: MapDriver) -> None:
    """A lasso around most of the map."""
    box = driver.box()
    driver.page.keyboard.down("Shift")
    corners = [(90, 90), (box["width"] - 160, 90), (box["width"] - 160, box["height"] - 120), (90, box["height"] - 120)]
    mouse = driver.page.mouse
    mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    mouse.down()
    for x, y in [*corners[1:], corners[0]]:
        mouse.move(box["x"] + x, box["y"] + y, steps=8)
    mouse.up()
    driver.page.keyboard.up("Shift")


def test_a_reload_keeps_basket_own_scores_and_lasso(
    new_page: Callable[..., Any], site: tuple[str, Path], tmp_path: Path
) -> None:
    page = new_page()
    page.goto(site[0])
    driver = MapDriver(page).wait_ready()
    find(page, 77)
    page.locator(".st-key-basket-add button:visible").first.click()
    basket_of(page, 1)
    own = tmp_path / "mine.csv"
    own.write_text("index,my score\n3,0.25\n7,91.5\n")
    page.get_by_text("Own scores", exact=True).first.click()
    page.locator('[data-testid="stPopoverBody"] input[type="file"]').set_input_files(own)
    expect(page.get_by_role("combobox", name="Colour")).to_have_value(re.compile("my score"), timeout=TIMEOUT_MS)
    page.keyboard.press("Escape")
    driver.wait_ready()
    draw(driver)
    selection = page.get_by_role("heading", name=re.compile(r"Selection: [1-9][\d,]* cells"))
    expect(selection).to_be_visible(timeout=TIMEOUT_MS)
    chosen = selection.inner_text()

    page.reload()
    MapDriver(page).wait_ready()
    title(MapDriver(page), "Cell #77$")
    basket_of(page, 1)
    expect(page.get_by_role("heading", name=chosen)).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_role("combobox", name="Colour")).to_have_value(re.compile("my score"), timeout=TIMEOUT_MS)

    tab = page.context.new_page()
    tab.goto(site[0])
    basket_of(tab, 1)
    title(MapDriver(tab).wait_ready(), "Cell #77$")
    find(tab, 78)
    tab.locator(".st-key-basket-add button:visible").first.click()
    basket_of(tab, 2)
    find(page, 79)  # the first tab does not know of it yet
    page.locator(".st-key-basket-add button:visible").first.click()
    basket_of(page, 3)

    other = new_page()
    other.goto(site[0])
    title(MapDriver(other).wait_ready(), BEST)
    basket_of(other, 0)
    assert page.problems == [] and other.problems == []
    secret = next(c["value"] for c in page.context.cookies() if c["name"] == "svge_browser")
    assert len(list((site[1] / "sessions").glob("*/session.json"))) == 1
    assert not [path for path in (site[1] / "sessions").rglob("*") if secret in path.name]


def test_a_session_is_saved_opened_undone_and_the_keyboard_undoes(
    new_page: Callable[..., Any], site: tuple[str, Path], tmp_path: Path
) -> None:
    page = new_page()
    page.goto(site[0])
    driver = MapDriver(page).wait_ready()
    find(page, 12)
    page.locator(".st-key-basket-add button:visible").first.click()
    basket_of(page, 1)
    page.get_by_text("Session", exact=True).first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save to a file").click()
    file = tmp_path / "session.json"
    waiting.value.save_as(file)
    saved = json.loads(file.read_text("utf-8"))
    assert saved["spaces"]["nasbench201"]["cell"] == 12 and len(saved["spaces"]["nasbench201"]["basket"]) == 1
    field = page.get_by_role("textbox", name=re.compile("Find"))
    field.press_sequentially("a")  # one letter: a browser undoes several at once only if they were typed quickly
    page.keyboard.press("Control+z")  # of the text, not of the basket
    expect(field).to_have_value("", timeout=TIMEOUT_MS)
    basket_of(page, 1)
    driver.root.focus()
    page.keyboard.press("Control+z")
    basket_of(page, 0)
    page.keyboard.press("Control+z")
    title(driver, BEST)
    page.keyboard.press("Control+Shift+z")
    title(driver, "Cell #12$")
    page.locator('[data-testid="stSidebar"] input[type="file"]').last.set_input_files(file)
    page.get_by_role("button", name="Open the file").click()
    basket_of(page, 1)
    page.get_by_role("button", name="Start afresh").click()
    basket_of(page, 0)
    page.get_by_role("button", name="Back to the session before").click()
    basket_of(page, 1)
    until(lambda: list((site[1] / "sessions").glob("*/session.json")))
    assert page.problems == []
