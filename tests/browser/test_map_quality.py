"""The map in a real Chromium: the brush on the legend, layers, limits of the zoom, and the wheel without the focus."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import TIMEOUT_MS, MapDriver, read_json
from tests.browser.demo_driver import EVENT, N, event_number, tick, wait_camera
from tests.browser.demo_points import demo_accuracy
from tests.support.waiting import until

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

LOW, HIGH = 88.0, 94.0  # of the demo's legend


def kept(low: float, high: float) -> int:
    values = demo_accuracy(N)
    return int(((values >= low) & (values <= high)).sum())


def place(demo: MapDriver, value: float) -> tuple[float, float]:
    """A pixel of the legend."""
    box = demo.root.locator(".lm-bar").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (value - LOW) / (HIGH - LOW), box["y"] + box["height"] / 3


def brushed(demo: MapDriver) -> tuple[float, float]:
    low, high = map(float, demo.attribute("brush").split(","))
    return low, high


def test_a_brush_dims_the_rest_while_it_moves_and_is_told_on_its_release(demo: MapDriver) -> None:
    page = demo.page
    page.mouse.move(*place(demo, 90.0))
    page.mouse.down()
    for value in (91.0, 92.0, 93.0):
        page.mouse.move(*place(demo, value))
        low, high = brushed(demo)
        assert (low, high) == pytest.approx((90.0, value), abs=0.05)
        demo.wait_for(dimmed=str(N - kept(low, high)))
    assert read_json(page, EVENT)["count"] == 0, "a movement tells the server nothing"
    page.mouse.up()
    event = event_number(page, 1)
    assert (event["event"], tuple(event["value"].values())) == ("brush", brushed(demo))
    expect(demo.root.locator(".lm-brushed")).to_contain_text("90")
    page.mouse.move(*place(demo, brushed(demo)[1]))  # its upper end, to the end of the legend and beyond
    page.mouse.down()
    page.mouse.move(place(demo, HIGH)[0] + 30, place(demo, HIGH)[1])
    page.mouse.up()
    assert event_number(page, 2)["value"] == {"low": brushed(demo)[0], "high": None}
    demo.root.get_by_role("button", name="Show all values").click()
    assert event_number(page, 3) == {"event": "brush", "value": None, "count": 3, "status": "ready"}
    demo.wait_for(dimmed="0", brush="")


def test_the_keyboard_brushes(demo: MapDriver) -> None:
    lower = demo.root.get_by_role("slider", name="Lowest value")
    lower.focus()
    for key in ("PageUp", "PageUp", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        demo.page.keyboard.press(key)
    expect(lower).to_have_attribute("aria-valuetext", "lowest 89.14")
    expect(demo.page.locator(EVENT)).to_contain_text('"low": 89.14, "high": null', timeout=TIMEOUT_MS)
    seen = read_json(demo.page, EVENT)["count"]  # on a busy machine, some keys are told before the last
    demo.page.keyboard.press("Escape")
    assert event_number(demo.page, seen + 1)["value"] is None


def test_layers_show_between_the_points(demo: MapDriver) -> None:
    x, y = demo.screen(7.0, 4.5)  # inside the surface and on the contour

    def picture() -> np.ndarray:
        shot = demo.page.screenshot(clip={"x": x - 50, "y": y - 50, "width": 100, "height": 100})
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=float)

    before = picture()
    tick(demo.page, "Layers")
    expect(demo.root.locator(".lm-between")).to_have_text("between the points")
    until(lambda: np.abs(picture() - before).mean() > 5)


def test_zoom_has_limits(demo: MapDriver) -> None:
    first = demo.camera[2]
    demo.page.mouse.move(*demo.screen(0.0, 0.0))
    demo.page.keyboard.down("Control")  # as a pinch on a trackpad, which needs no focus
    demo.page.mouse.wheel(0, 240)
    wait_camera(demo, lambda camera: camera[2] == pytest.approx(first / 2, rel=1e-6))
    expect(demo.root.get_by_role("button", name="Zoom out")).to_have_attribute("aria-disabled", "true")
    for _ in range(4):
        demo.page.mouse.wheel(0, -240)
    wait_camera(demo, lambda camera: camera[2] == pytest.approx(400 * first, rel=1e-6))
    expect(demo.root.get_by_role("button", name="Zoom in")).to_have_attribute("aria-disabled", "true")


def test_the_wheel_scrolls_the_page_unless_the_map_has_the_focus(new_page, demo_url) -> None:
    page = new_page(height=420)  # less than the map: the page can scroll
    page.goto(f"{demo_url}/?scale=ranks")
    demo = MapDriver(page).wait_ready()
    expect(demo.root.locator(".lm-how")).to_have_text("colours by rank")
    top, before = demo.box()["y"], demo.camera
    page.mouse.move(demo.box()["x"] + 200, 380)
    page.mouse.wheel(0, 120)
    expect(demo.root.locator(".lm-hint")).to_be_visible(timeout=TIMEOUT_MS)
    page.wait_for_function("([el, y]) => el.getBoundingClientRect().y < y - 50", arg=[demo.root.element_handle(), top])
    assert demo.camera == before
    demo.root.focus()
    expect(demo.root.locator(".lm-hint")).to_be_hidden()
    page.mouse.wheel(0, 120)
    wait_camera(demo, lambda camera: camera[2] < before[2])
    assert page.problems == []


def test_a_lasso_adds_and_removes(demo: MapDriver) -> None:
    def draw(x: float) -> None:
        corners = [(x, -5.0), (x + 4, -5.0), (x + 4, 3.0), (x, 3.0), (x, -4.9)]
        demo.drag([demo.screen(*corner) for corner in corners], steps=4)

    demo.root.focus()
    demo.page.keyboard.press("l")
    demo.page.keyboard.down("Alt")
    draw(-8.0)  # there is nothing yet to remove from
    demo.page.keyboard.up("Alt")
    draw(-8.0)
    assert event_number(demo.page, 1)["value"]["mode"] == "new"
    demo.page.keyboard.down("Alt")
    draw(-6.0)
    demo.page.keyboard.up("Alt")
    assert event_number(demo.page, 2)["value"]["mode"] == "remove"
    demo.root.get_by_role("button", name="Add", exact=True).click()
    draw(1.0)
    assert event_number(demo.page, 3)["value"]["mode"] == "add"
    demo.root.focus()
    demo.page.keyboard.press("Escape")
    expect(demo.root.get_by_role("group", name="What a lasso does")).to_be_hidden()
