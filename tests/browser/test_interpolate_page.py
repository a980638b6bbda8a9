"""The Interpolate page in a real Chromium: from map to path, keyboard, links, files, narrow, dark."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver
from tests.support.untyped import there

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

#: Streamlit's own look-ups at the address of a page before it finds the server at the root
NOT_OURS = "the server responded with a status of 404"


def opened(page: Any) -> MapDriver:
    return MapDriver(page, "path-map").wait_ready()


def problems(page: Any) -> list[str]:
    return [text for text in page.problems if NOT_OURS not in text]


def at_stop(page: Any, number: int) -> None:
    slider = page.get_by_role("slider", name=re.compile("Stop, 0 is A"))
    expect(slider).to_have_value(str(number), timeout=TIMEOUT_MS)
    expect(page).to_have_url(re.compile(rf"[?&]t={re.escape(f'{number / 24:.4g}')}(&|$)"), timeout=TIMEOUT_MS)


def test_a_link_on_a_fresh_server_opens_the_path_and_the_keyboard_walks_along_it(
    new_page: Callable[..., Any], tiny_site: str
) -> None:
    page = new_page()
    page.goto(f"{tiny_site}/interpolate?a=1&b=9000&t=0.5&constrained=1")
    driver = opened(page)
    at_stop(page, 12)
    slider = page.get_by_role("slider", name=re.compile("Stop, 0 is A"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    at_stop(page, 13)
    page.get_by_role("button", name="Previous stop").click()
    at_stop(page, 12)
    page.get_by_role("button", name=re.compile(r"^A · ")).click()
    at_stop(page, 0)
    expect(page.get_by_role("heading", name=re.compile(r"Cell #\d+ · A"))).to_be_visible(timeout=TIMEOUT_MS)
    driver.wait_for(pending="")
    assert int(driver.attribute("marks")) >= 4
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    document = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert (document["start"], document["end"], len(document["stops"])) == (1, 9_000, 25)
    assert download.value.suggested_filename == "nasbench201-path-1-9000-linear.json"
    assert problems(page) == []


def test_ends_chosen_on_the_map_page_make_a_path_over_neighbours(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page(color_scheme="dark")
    page.goto(f"{tiny_site}/?cell=5")
    MapDriver(page).wait_ready()
    title(page, r"Cell #5$")
    page.get_by_role("button", name="Start of path").click()
    page.get_by_role("textbox", name=re.compile("Find")).fill("#4321")
    page.keyboard.press("Enter")
    title(page, r"Cell #4321$")
    page.get_by_role("button", name="End of path").click()
    page.get_by_role("link", name="#5 to #4321").click()
    driver = opened(page)
    page.get_by_role("radio", name="Over neighbours").or_(page.get_by_role("button", name="Over neighbours")).click()
    expect(page.get_by_text("Every cell is joined with its 24 nearest")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_role("heading", name=re.compile("Cell #5 · A"))).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Next stop").click()
    expect(page.get_by_role("heading", name=re.compile(r"Cell #\d+ · stop 1 of"))).to_be_visible(timeout=TIMEOUT_MS)
    driver.wait_for(status="ready")
    page.get_by_role("link", name="See its neighbourhood on the Map page").click()
    title(page, r"Cell #\d+$")
    assert problems(page) == []


def title(page: Any, pattern: str) -> None:
    expect(page.get_by_role("heading", name=re.compile(pattern))).to_be_visible(timeout=TIMEOUT_MS)


def test_a_narrow_window_shows_everything_and_only_the_strip_scrolls(
    new_page: Callable[..., Any], tiny_site: str
) -> None:
    page = new_page(width=800)
    page.goto(f"{tiny_site}/interpolate?a=1&b=9000&path=graph")
    driver = opened(page)
    expect(page.get_by_role("heading", name=re.compile(r"Cell #1 · A"))).to_be_visible(timeout=TIMEOUT_MS)
    assert there(driver.root.bounding_box())["width"] > 400
    main = page.get_by_test_id("stMain")
    assert main.evaluate("el => el.scrollWidth <= el.clientWidth")
    strip = page.locator(".st-key-filmstrip")
    assert strip.evaluate("el => el.scrollWidth > el.clientWidth && getComputedStyle(el).overflowX === 'auto'")
    assert problems(page) == []


def test_without_ends_the_page_says_what_to_do_and_two_random_cells_make_a_path(
    new_page: Callable[..., Any], tiny_site: str
) -> None:
    page = new_page()
    page.goto(f"{tiny_site}/interpolate")
    driver = opened(page)
    expect(page.get_by_text("Choose A and B to see a path")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Two random cells").click()
    at_stop(page, 0)
    driver.wait_for(status="ready")
    page.get_by_role("button", name="Swap A and B").click()
    at_stop(page, 24)
    assert problems(page) == []
