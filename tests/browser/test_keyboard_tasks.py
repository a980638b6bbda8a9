"""The six tasks by the keyboard alone: Tab, arrows, Enter, Escape and typing, from the start of the page to the answer.

Nothing is clicked, and no script gives the focus. On the way the keyboard is always somewhere, and one sees where.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

#: presses of Tab to anything that is wanted
MOST = 40
#: true where the element with the keyboard, or what it lies in, shows it: a ring, or its border in the accent colour
SEEN = """el => {
  const around = [el]; while (around.length < 4) around.push(around.at(-1)?.parentElement);
  return around.filter(Boolean).map((each) => getComputedStyle(each)).some((style) =>
    (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none'
    || style.borderTopColor === 'rgb(90, 72, 192)');
}"""


class Hands:
    """Somebody without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def has(self, found: Any) -> bool:
        """Whether it has the keyboard."""
        return bool(found.first.evaluate("el => el === el.getRootNode().activeElement"))

    def to(self, found: Any, back: bool = False) -> None:
        """Press Tab until it has the keyboard."""
        expect(found.first).to_be_visible(timeout=TIMEOUT_MS)
        count = 0
        while not self.has(found):
            self.press("Shift+Tab" if back else "Tab")
            count += 1
            assert count <= MOST, f"{found} is not reached"
        self.page.wait_for_function(SEEN, arg=found.first.element_handle())  # borders change by and by

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def ask(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.press("Enter")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name)


@pytest.fixture
def hands(new_page: Callable[..., Any], tiny_site: str) -> Hands:
    """At the start of the Map page."""
    page = new_page()
    page.goto(tiny_site)
    MapDriver(page).wait_ready()
    expect(page.get_by_text("Best of 15,625 cells")).to_be_visible(timeout=TIMEOUT_MS)
    return Hands(page)


def skip_to_content(hands: Hands) -> None:
    hands.to(hands.page.get_by_role("link", name="Skip to main content"))
    hands.press("Enter")


def best(hands: Hands, place: int) -> str:
    """Choose so many-th of the list of the best; its name."""
    hands.press("Enter")
    entry = hands.page.locator(f".st-key-first-best-{place} button")
    hands.to(entry)
    name = re.findall(r"#\d+", entry.inner_text())[0]
    hands.press("Enter")
    expect(hands.page.get_by_role("heading", name=f"Cell {name}")).to_be_visible(timeout=TIMEOUT_MS)
    return name


def test_the_best_cells_are_listed_and_compared(hands: Hands) -> None:
    page = hands.page
    compare = page.get_by_role("button", name="Compare", exact=True)
    skip_to_content(hands)
    hands.to(compare)
    hands.press("Enter")
    expect(compare).to_be_disabled(timeout=TIMEOUT_MS)
    hands.to(hands.button("Best 10"), back=True)
    assert best(hands, 2) == "#9930"
    hands.press("Escape")
    expect(hands.button("Best 10").first).to_be_focused()
    hands.to(compare)
    hands.press("Enter")
    hands.to(page.get_by_role("link", name="2 side by side"))
    hands.press("Enter")
    table = page.get_by_role("table", name="Scores of the 2 architectures")
    expect(table.get_by_role("columnheader")).to_have_text(["Score", "1: #6111", "2: #9930"], timeout=TIMEOUT_MS)


def test_small_ones_are_found_by_words_on_the_map_and_in_the_table(hands: Hands) -> None:
    page = hands.page
    skip_to_content(hands)
    find = page.get_by_role("textbox", name="Find")
    hands.to(find)
    hands.ask("best 3 under 0.5 M parameters")
    expect(page.get_by_text("3 cells: best 3")).to_be_visible(timeout=TIMEOUT_MS)
    expect(find).to_be_focused()
    hands.to(hands.button("Best 3"))
    name = best(hands, 3)
    hands.press("Escape")
    hands.to(page.get_by_role("link", name="Table", exact=True), back=True)
    hands.press("Enter")
    rows = page.locator(".sp tbody tr")
    expect(rows).to_have_count(3, timeout=TIMEOUT_MS)
    expect(page.locator(".sp tr[aria-current] th")).to_have_text(name.removeprefix("#"))
    hands.to(rows.last)  # of all rows, the one that is shown
    hands.press("ArrowUp", "Enter")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true", timeout=TIMEOUT_MS)
    expect(rows.nth(1)).to_be_focused(timeout=TIMEOUT_MS)
    hands.press("Tab", "ArrowDown")
    expect(rows.last.get_by_role("checkbox")).to_be_focused()
    hands.press("Tab")
    assert not page.locator(".sp :focus").count(), "a table is left by one press"


def test_typed_cells_are_compared(hands: Hands) -> None:
    page = hands.page
    hands.to(page.get_by_role("link", name="Compare", exact=True))
    hands.press("Enter")
    field = page.get_by_role("textbox", name=re.compile("^Choose 2 to 4|^Add an architecture"))
    hands.to(field)
    for count, number in enumerate(("#6111", "#9930"), start=1):
        hands.ask(number)
        drawings = page.get_by_role("img", name=re.compile(r"^Drawing of architecture \d"))
        expect(drawings).to_have_count(count, timeout=TIMEOUT_MS)
        expect(field).to_be_focused(timeout=TIMEOUT_MS)  # it is another one now
    expect(page.get_by_role("table", name="Scores of the 2 architectures")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_figure_for_a_paper(hands: Hands) -> None:
    page = hands.page
    skip_to_content(hands)
    hands.to(page.locator(".st-key-figure-map button"))
    hands.press("Enter")
    download = hands.button("Download")
    hands.to(download)
    with page.expect_download() as found:
        hands.press("Enter")
    assert Path(found.value.path()).read_bytes().startswith(b"%PDF-")
    expect(download).to_be_focused(timeout=TIMEOUT_MS)


def test_a_race_is_replayed(hands: Hands) -> None:
    page = hands.page
    hands.to(page.get_by_role("link", name="Search", exact=True))
    hands.press("Enter")
    hands.to(page.locator(".pl-play"))
    hands.press("Enter")
    words = page.locator(".pl-words")
    # no frame by its number: the browser is asked once a second, and two are shown in that time
    expect(words).to_contain_text(re.compile(r"Evaluation (?!1 |100 )\d+ of 100"), timeout=TIMEOUT_MS)
    hands.press("Enter")
    expect(page.locator(".pl")).to_have_attribute("data-playing", "false", timeout=TIMEOUT_MS)
    stopped = words.inner_text()
    assert not stopped.startswith("Evaluation 100 of"), "it ran to its end instead of being stopped"
    hands.to(page.locator('.pl input[type="range"]'))
    hands.press("Home", "ArrowRight", "ArrowRight")
    expect(page.locator(".pl-words")).to_contain_text("Evaluation 3 of 100", timeout=TIMEOUT_MS)
