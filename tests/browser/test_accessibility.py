"""Every page in a real Chromium, judged by axe-core: no serious fault, light and wide, dark and narrow; one title."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS

sync_api = pytest.importorskip("playwright.sync_api")
sync_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.browser

#: address of a page with something on it where its link says what, and its title
PAGES = (
    ("?cell=1462", "Map"),
    ("table?cell=1462", "Table"),
    ("interpolate?a=1462&b=9000", "Interpolate"),
    ("compare?cells=1462,9000", "Compare"),
    ("", "Search"),
    ("", "Distribution"),
    ("", "Model"),
    ("", "Results"),
)
GRAVE = ("serious", "critical")


def settled(page: Any, title: str) -> None:
    """Wait until the page is drawn, in the app's own style, and the server rests."""
    page.wait_for_function(
        """title => document.querySelector('[data-test-script-state="notRunning"]')
          && !document.querySelector('[data-testid="stSpinner"], [data-testid="stAppSkeleton"], [data-stale="true"]')
          && document.querySelector('h1')?.textContent === title
          && [...document.querySelectorAll('style')].some((each) => each.textContent.includes('.st-key-page-title'))""",
        arg=title,
    )


def faults(page: Any) -> list[str]:
    """What axe-core calls serious or critical, a line each, with the place and the reason."""
    found = sync_playwright.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']} at {node['target']}: {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def test_no_page_has_a_serious_fault(new_page: Callable[..., Any], tiny_site: str) -> None:
    page, found = new_page(), {}
    for address, title in PAGES:
        if address:
            page.goto(f"{tiny_site}/{address}")
        else:  # without loading the app once more
            page.get_by_role("link", name=title, exact=True).click()
        settled(page, title)
        sync_api.expect(page.get_by_role("heading", level=1)).to_have_text([title], timeout=TIMEOUT_MS)
        found[title, "light"] = faults(page)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        sync_api.expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", "dark", timeout=TIMEOUT_MS)
        settled(page, title)
        found[title, "dark"] = faults(page)
        assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth"), title
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert {place: lines for place, lines in found.items() if lines} == {}
    assert len(found) == 2 * len(PAGES)


def test_a_fault_would_be_found(new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.set_content('<html lang="en"><title>t</title><p style="color: #999; background: #fff">too pale</p>')
    assert len(faults(page)) == 1
