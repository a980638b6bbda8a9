"""The first minute in a real Chromium: the best cell, a flight, a trip that is played, a race replayed, the tour."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver
from tests.support.map_page import title

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def problems(page: Any) -> list[str]:
    return [text for text in page.problems if "the server responded with a status of 404" not in text]


def test_the_best_ten_fly_and_a_trip_is_played_without_the_server(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page()
    page.goto(tiny_site)
    driver = MapDriver(page).wait_ready()
    expect(page.get_by_text("Best of 15,625 cells")).to_be_visible(timeout=TIMEOUT_MS)
    title(driver, r"Cell #\d+$")
    assert "cell=" not in page.url
    whole = driver.camera
    press(page, "Best 10")
    second = page.locator(".st-key-first-best-2 button")
    name = str(second.inner_text()).split("#")[1].split(" ")[0]
    second.click()
    page.wait_for_function(
        "([root, scale]) => Number(root.dataset.camera.split(',')[2]) > 2 * scale",
        arg=[driver.root.element_handle(), whole[2]],
    )
    title(driver, rf"Cell #{name}$")
    focus = page.evaluate("() => new URL(location.href).searchParams.get('cell')")
    assert focus == name
    page.keyboard.press("Escape")  # of the list

    press(page, "Travel")
    toggle = page.locator(".pl-play")
    expect(toggle).to_contain_text("Play", timeout=TIMEOUT_MS)  # less motion is wished: it does not begin by itself
    driver.wait_for(played=page.locator(".pl-words").inner_text())
    before = page.locator(".pl-words").inner_text()
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_contain_text("Pause", timeout=TIMEOUT_MS)
    expect(page.locator(".pl-words")).not_to_have_text(before, timeout=TIMEOUT_MS)
    title(driver, rf"Cell #{name}$")  # the page has not run again
    page.locator(".pl-speed select").select_option("4")
    expect(toggle).to_contain_text("Again", timeout=TIMEOUT_MS)
    last = str(page.locator(".pl-words").inner_text())
    driver.wait_for(played=last)
    assert last.startswith("Stop 24: #")
    arrived = re.findall(r"#(\d+)", last)[0]
    title(driver, f"Cell #{arrived}$")  # where it stopped is in focus
    assert problems(page) == []


def test_a_race_is_replayed_with_the_slider(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page()
    page.goto(f"{tiny_site}/search")
    driver = MapDriver(page, "search-map").wait_ready()
    driver.wait_for(marks="101")  # every evaluation and the best
    slider = page.locator('.pl input[type="range"]')
    expect(slider).to_have_value("99", timeout=TIMEOUT_MS)
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".pl-words")).to_contain_text("Evaluation 4 of 100", timeout=TIMEOUT_MS)
    driver.wait_for(played=page.locator(".pl-words").inner_text(), shown="6")  # four dots, the best, where one stands
    expect(page.get_by_role("heading", name="Evaluation #3")).to_be_visible(timeout=TIMEOUT_MS)
    assert problems(page) == []


def test_the_tour_leads_through_and_never_returns(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page()
    page.goto(tiny_site)
    MapDriver(page).wait_ready()
    tour = page.get_by_role("region", name="Tour")
    expect(tour).to_contain_text("1 of 5", timeout=TIMEOUT_MS)
    tour.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    expect(tour).to_contain_text("2 of 5", timeout=TIMEOUT_MS)
    tour.get_by_role("button", name="Surprise me").click()
    expect(page.get_by_role("heading", name=re.compile("Decoded"))).to_be_visible(timeout=TIMEOUT_MS)
    page.reload()
    expect(tour).to_contain_text("2 of 5", timeout=TIMEOUT_MS)  # where one was
    for number in (3, 4, 5):
        tour.get_by_role("button", name="Next").click()
        expect(tour).to_contain_text(f"{number} of 5", timeout=TIMEOUT_MS)
    for idea in ("latent map", "decoding any place", "search that walks it"):
        expect(tour).to_contain_text(idea, timeout=TIMEOUT_MS)
    tour.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("heading", name="A finished race")).to_be_visible(timeout=TIMEOUT_MS)
    tour.get_by_role("button", name="Done").click()
    expect(tour).to_be_hidden(timeout=TIMEOUT_MS)
    page.goto(tiny_site)
    MapDriver(page).wait_ready()
    page.wait_for_function("document.documentElement.dataset.svgeTour === 'done'")
    expect(tour).to_be_hidden(timeout=TIMEOUT_MS)
    assert problems(page) == []
