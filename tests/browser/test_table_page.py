"""The Table page in a real Chromium: headers sort the space, a row is shown here and on the map, a question filters."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser


def test_the_three_best_small_cells_are_found_by_words_sorted_and_shown_on_the_map(
    new_page: Callable[..., Any], tiny_site: str
) -> None:
    page = new_page()
    page.goto(tiny_site)
    driver = MapDriver(page).wait_ready()
    page.get_by_role("link", name="Table").click()
    rows = page.locator(".sp tbody tr")
    expect(rows).to_have_count(100, timeout=TIMEOUT_MS)

    page.get_by_role("textbox", name="Find in words").fill("three best under 0.5 M parameters")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3, timeout=TIMEOUT_MS)
    accuracy = page.locator(".sp th[aria-sort]").filter(has_text="CIFAR-10 validation accuracy").first
    expect(accuracy).to_have_attribute("aria-sort", "descending")
    first = rows.first.locator("th").inner_text()

    accuracy.get_by_role("button").click()
    expect(accuracy).to_have_attribute("aria-sort", "ascending", timeout=TIMEOUT_MS)
    expect(rows.last.locator("th")).to_have_text(first)
    expect(accuracy.get_by_role("button")).to_be_focused()

    rows.last.focus()
    page.keyboard.press("Enter")
    expect(rows.last).to_have_attribute("aria-current", "true", timeout=TIMEOUT_MS)
    page.get_by_role("link", name="Show on the map").click()
    expect(page).to_have_url(re.compile(rf"[?&]cell={first}(&|$)"), timeout=TIMEOUT_MS)
    driver.wait_ready()
    expect(page.get_by_text("3 of 15,625 cells")).to_be_visible(timeout=TIMEOUT_MS)
    assert page.problems == []
