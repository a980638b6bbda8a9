"""The Compare page in a real Chromium: link, three cells, table, path between two, map and back, narrow, dark."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver
from tests.browser.test_interpolate_page import problems, title

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser


def test_three_cells_by_link_their_scores_files_the_path_between_two_and_the_map(
    new_page: Callable[..., Any], tiny_site: str
) -> None:
    page = new_page()
    page.goto(f"{tiny_site}/compare?cells=6111,9000,12345&with=2")
    table = page.get_by_role("table", name="Scores of the 3 architectures")
    expect(table).to_be_visible(timeout=TIMEOUT_MS)
    expect(table.get_by_role("columnheader")).to_have_text(["Score", "1: #6111", "2: #9000", "3: #12345"])
    expect(page.get_by_role("img", name=re.compile(r"^Drawing of architecture \d"))).to_have_count(3)
    expect(page.get_by_text("Marked, from 2: 4 operations changed.")).to_be_visible()
    # what a row is, by keyboard
    why = table.get_by_role("button", name="What Parameters, analytic, is")
    why.focus()
    tip = page.get_by_role("tooltip").filter(has_text="lower is better, analytic")
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    # a fourth cell by keyboard, and away again; the address follows
    field = page.get_by_role("textbox", name="Add an architecture")
    field.fill("#7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"cells=6111(,|%2C)9000(,|%2C)12345(,|%2C)7&with=2"), timeout=TIMEOUT_MS)
    expect(field).to_have_count(0)
    page.get_by_role("button", name="Take away").nth(3).click()
    expect(page).to_have_url(re.compile(r"12345&with=2"), timeout=TIMEOUT_MS)
    # the address is there before the page: its cells stand below the files, so these are new when the cells are
    expect(page.get_by_role("button", name="Take away")).to_have_count(3, timeout=TIMEOUT_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    document = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert ([cell["index"] for cell in document["cells"]], len(document["pairs"])) == ([6_111, 9_000, 12_345], 3)
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF", exact=True).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    # a figure for a paper, by keyboard
    page.get_by_role("button", name="Figure").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("svge_core figure compare")).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "nasbench201-comparison.pdf"
    assert b"/MediaBox [ 0 0 486 " in Path(download.value.path()).read_bytes(), "6.75 inches"
    page.keyboard.press("Escape")
    # the path between the last two, twice: the second time another one was walked in between
    for number, ends in ((2, "a=9000&b=12345"), (0, "a=6111&b=9000"), (2, "a=9000&b=12345")):
        page.get_by_role("button", name="Path between").nth(number).click()
        expect(page).to_have_url(re.compile(rf"/interpolate\?.*{ends}"), timeout=TIMEOUT_MS)
        MapDriver(page, "path-map").wait_ready()
        page.get_by_role("link", name="Compare").click()
        expect(table).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Show on map").nth(1).click()
    title(page, r"Cell #9000$")
    assert problems(page) == []


def test_from_map_and_basket_in_a_narrow_dark_window(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page(color_scheme="dark", width=390)
    page.goto(f"{tiny_site}/?cell=5")
    MapDriver(page).wait_ready()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled(timeout=TIMEOUT_MS)
    page.get_by_role("textbox", name=re.compile("Find")).fill("#4321")
    page.keyboard.press("Enter")
    title(page, r"Cell #4321$")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("link", name="2 side by side").click()
    expect(page.get_by_role("heading", name="Between each pair")).to_be_visible(timeout=TIMEOUT_MS)
    places = page.locator("[class*='st-key-compare-drawing-']")
    expect(places).to_have_count(2)
    first, second = (places.nth(number).bounding_box() for number in range(2))
    assert first["y"] + first["height"] <= second["y"], "they stand below each other"
    assert page.get_by_test_id("stMain").evaluate("el => el.scrollWidth <= el.clientWidth")
    region = page.get_by_role("region", name=re.compile("Scores of the 2"))
    assert region.evaluate("el => getComputedStyle(el).overflowX") == "auto"
    assert problems(page) == []
