"""The map in a real Chromium: choosing a place, moving the view, lasso and keyboard."""

import numpy as np
import pytest

from svge_core.atlas.polygon import select_in_polygon
from tests.browser.conftest import TIMEOUT_MS, MapDriver, read_json
from tests.browser.demo_driver import (
    EVENT,
    XY,
    N,
    click_window,
    empty_place,
    event_number,
    nearest_on_screen,
    quiet_frame,
    tick,
    wait_camera,
    zoom_at,
)
from tests.support.untyped import there

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

# ---- choosing a place -------------------------------------------------------------------------------------------


def test_click_on_a_point_gives_its_row(demo):
    demo.click(*map(float, XY[-1]))  # the lonely last point
    event = event_number(demo.page, 1)
    value = event["value"]
    assert (event["event"], value["kind"], value["index"], value["source"]) == ("click", "point", N - 1, "pointer")
    assert (value["x"], value["y"]) == pytest.approx(XY[-1], abs=1e-6)


def test_click_in_a_crowd_gives_the_nearest_point(demo):
    zoom_at(demo, 2.0, 1.0, turns=5)
    expected, _ = nearest_on_screen(demo, *demo.pixel(2.0, 1.0))
    for corner in np.argsort(np.hypot(*(XY - XY[expected]).T))[:3]:  # three close neighbours, told apart
        x, y = map(float, XY[corner])
        number = read_json(demo.page, EVENT)["count"] + 1
        demo.page.wait_for_timeout(400)  # else the second click on nearly the same place is a double click
        demo.click(x, y)
        assert event_number(demo.page, number)["value"]["index"] == corner


def test_click_on_empty_space_gives_exact_coordinates_also_after_zoom(demo):
    expected = click_window(demo, empty_place(demo))
    value = event_number(demo.page, 1)["value"]
    assert (value["kind"], value["index"]) == ("empty", None)
    assert (value["x"], value["y"]) == pytest.approx(expected, abs=0.01 / demo.camera[2])
    before = demo.camera
    zoom_at(demo, -11.0, 6.0)
    assert demo.camera[2] > 2 * before[2]
    expected = click_window(demo, empty_place(demo))
    value = event_number(demo.page, 2)["value"]
    assert value["kind"] == "empty"
    assert (value["x"], value["y"]) == pytest.approx(expected, abs=0.01 / demo.camera[2])


@pytest.mark.parametrize("modifier", ["Alt", "Shift"])
def test_a_modifier_decodes_exactly_here_even_on_a_point(demo, modifier):
    demo.click(*map(float, XY[-1]), modifier)
    value = event_number(demo.page, 1)["value"]
    assert (value["kind"], value["index"]) == ("empty", None)
    assert np.hypot(value["x"] - XY[-1, 0], value["y"] - XY[-1, 1]) < 1.5 / demo.camera[2]


def test_the_crosshair_shows_before_the_answer_and_is_replaced_by_it(demo):
    demo.page.evaluate(
        """() => {
          const root = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.lm'))
            .shadowRoot.querySelector('.lm');
          window.seen = [];
          new MutationObserver(() => window.seen.push([root.dataset.pending, root.dataset.marks]))
            .observe(root, { attributes: true });
        }"""
    )
    demo.click(*map(float, XY[-1]))
    demo.wait_for(marks="1", pending="")
    seen = demo.page.evaluate("window.seen")
    assert [pending for pending, marks in seen if pending and marks == "0"], seen


def test_double_click_zooms_and_is_one_click(demo):
    before = demo.camera
    x, y = empty_place(demo)
    demo.page.mouse.dblclick(round(x), round(y))
    wait_camera(demo, lambda camera: camera[2] > 1.8 * before[2])
    event_number(demo.page, 1)
    demo.wait_for(pending="")
    assert read_json(demo.page, EVENT)["count"] == 1


# ---- the view ---------------------------------------------------------------------------------------------------


def test_zoom_keeps_the_place_under_the_pointer(demo):
    box, (px, py) = demo.canvas.bounding_box(), map(round, demo.screen(5.0, 2.0))
    below = demo.coordinates(px - box["x"], py - box["y"])
    zoom_at(demo, 5.0, 2.0)
    assert demo.screen(*below) == pytest.approx((px, py), abs=0.1)


def test_drag_moves_the_map_with_the_pointer_and_is_no_click(demo):
    zoom_at(demo, 0.0, 0.0)
    x, y = demo.screen(0.0, 0.0)
    before = demo.camera
    demo.drag([(x, y), (x + 90, y + 40)], steps=6)
    wait_camera(demo, lambda camera: camera[0] != before[0])
    assert demo.screen(0.0, 0.0) == pytest.approx((x + 90, y + 40), abs=1.5)
    assert read_json(demo.page, EVENT)["count"] == 0


def test_the_view_survives_marks_colours_filters_and_a_page_switch(demo):
    zoom_at(demo, 3.0, 1.0)
    camera, first = demo.attribute("camera"), demo.attribute("frame")
    quiet_frame(demo)
    assert demo.attribute("camera") == camera
    tick(demo.page, "Marks")
    demo.wait_for(marks="20", camera=camera)
    demo.click(*map(float, XY[np.hypot(*(XY - (3, 1)).T).argmin()]))
    demo.wait_for(marks="21", camera=camera)
    tick(demo.page, "Dim the right half")
    demo.wait_for(dimmed=str(int((XY[:, 0] > 0).sum())), camera=camera)
    demo.page.get_by_role("combobox").click()
    demo.page.get_by_role("option", name="Operation").click()
    demo.wait_for(colour="Most frequent operation", camera=camera)
    assert int(demo.attribute("frame")) > int(first)
    demo.page.get_by_role("link", name="Other").click()
    expect(demo.page.get_by_text("Another page")).to_be_visible(timeout=TIMEOUT_MS)
    demo.page.get_by_role("link", name="Map", exact=True).click()
    demo.wait_ready()
    demo.wait_for(camera=camera)


def test_marks_never_redraw_the_points(demo):
    frame = quiet_frame(demo)
    tick(demo.page, "Marks")
    demo.wait_for(marks="20", frame=frame)
    click_window(demo, empty_place(demo))
    event_number(demo.page, 1)
    demo.wait_for(marks="21", frame=frame)


def test_buttons_and_keys_zoom_and_reset(demo):
    start = demo.camera
    for press in (
        lambda: demo.page.get_by_role("button", name="Zoom in").click(),
        lambda: (demo.root.focus(), demo.page.keyboard.press("+")),
    ):
        before = demo.camera
        press()
        wait_camera(demo, lambda camera, before=before: camera[2] == pytest.approx(before[2] * 1.8, rel=1e-6))
    demo.page.keyboard.press("-")
    wait_camera(demo, lambda camera: camera[2] == pytest.approx(start[2] * 1.8, rel=1e-6))
    demo.page.keyboard.press("0")
    wait_camera(demo, lambda camera: camera == pytest.approx(start, rel=1e-6))
    demo.page.get_by_role("button", name="Zoom out").click()
    demo.page.get_by_role("button", name="Show the whole map").click()
    wait_camera(demo, lambda camera: camera == pytest.approx(start, rel=1e-6))


def test_a_narrower_window_shows_the_same_neighbourhood(demo):
    zoom_at(demo, 3.0, 1.0)
    x, y, scale = demo.camera
    demo.page.set_viewport_size({"width": 900, "height": 900})
    wait_camera(demo, lambda camera: camera[2] < scale * 0.9)
    assert demo.camera[:2] == pytest.approx((x, y), abs=1e-6)
    demo.click(*demo.coordinates(200, 200))
    value = event_number(demo.page, 1)["value"]
    assert np.hypot(*np.subtract(demo.pixel(value["x"], value["y"]), (200, 200))) < 9


def test_touch_pinch_zooms_and_tap_chooses(new_page, demo_url):
    page = new_page(has_touch=True)
    page.goto(demo_url)
    demo = MapDriver(page).wait_ready()
    before, (x, y) = demo.camera, demo.screen(0.0, 0.0)
    cdp = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80, 120):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    wait_camera(demo, lambda camera: camera[2] == pytest.approx(before[2] * 3, rel=0.1))
    assert demo.screen(0.0, 0.0) == pytest.approx((x, y), abs=2)
    place = empty_place(demo)
    page.touchscreen.tap(*place)
    assert event_number(page, 1)["value"]["kind"] == "empty"
    assert page.problems == []


def test_one_finger_scrolls_the_page_until_the_map_was_tapped(new_page, demo_url):
    page = new_page(has_touch=True, height=500)
    page.goto(demo_url)
    demo = MapDriver(page).wait_ready()
    cdp = page.context.new_cdp_session(page)

    def swipe() -> None:
        """A finger goes up by 120 pixels on the part of the map that is in view."""
        box = there(demo.root.bounding_box())
        x, y = box["x"] + 60, max(box["y"], 0) + 200
        for kind, up in (("touchStart", 0), *(("touchMove", up) for up in range(15, 121, 15))):
            cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y - up}]})
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    before = demo.camera
    swipe()
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 60")
    assert demo.camera == before
    page.touchscreen.tap(*empty_place(demo))
    event_number(page, 1)
    quiet_frame(demo)  # where a finger scrolls the page is told to the compositor with a frame
    scrolled = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop")
    swipe()
    wait_camera(demo, lambda camera: abs(camera[1] - before[1]) * camera[2] == pytest.approx(120, abs=20))
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop") == scrolled


# ---- lasso ------------------------------------------------------------------------------------------------------


def outline_of(demo: MapDriver) -> list[tuple[float, float]]:
    return [demo.screen(x, y) for x, y in [(-8, -5), (-1, -5), (-1, 4), (-5, 1), (-8, 4), (-8, -4.9)]]


@pytest.mark.parametrize("how", ["button", "key", "shift"])
def test_lasso_sends_the_outline_and_the_server_finds_the_set(demo, how):
    corners = outline_of(demo)
    if how == "button":
        demo.page.get_by_role("button", name="Lasso").click()
        expect(demo.page.get_by_role("button", name="Lasso")).to_have_attribute("aria-pressed", "true")
    elif how == "key":
        demo.root.focus()
        demo.page.keyboard.press("l")
    else:
        demo.page.keyboard.down("Shift")
    camera = demo.attribute("camera")
    demo.drag(corners, steps=25)
    demo.page.keyboard.up("Shift")
    event = event_number(demo.page, 1)
    assert event["event"] == "lasso"
    polygon = event["value"]["polygon"]
    assert 3 <= len(polygon) <= 200
    sides = [(-8, -5), (-1, -5), (-1, 4), (-5, 1), (-8, 4)]
    wanted, got = set(select_in_polygon(XY, sides)), set(select_in_polygon(XY, polygon))
    assert event["selected"] == len(got)

    # The hand-drawn outline may differ by a few pixels along its edge, nowhere else.
    def grown(by: float) -> list[tuple[float, float]]:
        low, top = -5 - by, 4 + 2 * by
        return [(-8 - by, low), (-1 + by, low), (-1 + by, top), (-5, 1 + 2 * by), (-8 - by, top)]

    assert set(select_in_polygon(XY, grown(-0.25))) <= got <= set(select_in_polygon(XY, grown(0.25)))
    assert abs(len(got) - len(wanted)) < 0.05 * len(wanted) and len(wanted) > 1000
    assert demo.attribute("camera") == camera


# ---- keyboard ---------------------------------------------------------------------------------------------------


def test_arrows_walk_the_focus(demo):
    x, y = click_window(demo, empty_place(demo))
    event_number(demo.page, 1)
    demo.wait_for(pending="", marks="1")
    demo.root.focus()
    scale = demo.camera[2]
    # The empty place was clicked, so the walk starts there; it stays in empty space for these steps.
    demo.page.keyboard.press("ArrowRight")
    demo.page.keyboard.press("ArrowRight")
    demo.page.keyboard.press("Shift+ArrowUp")
    expected = (x + 24 / scale, y + 48 / scale)
    expect(demo.page.locator(EVENT)).to_contain_text(f'"y": {expected[1]:.5f}'[:-3], timeout=TIMEOUT_MS)
    event = read_json(demo.page, EVENT)
    assert (event["value"]["kind"], event["value"]["source"]) == ("empty", "key")
    assert (event["value"]["x"], event["value"]["y"]) == pytest.approx(expected, abs=0.01 / scale)
    assert demo.camera[2] == scale


def test_arrows_bring_the_view_along(demo):
    zoom_at(demo, 3.0, 1.0, turns=4)
    demo.root.focus()
    before = demo.camera
    for _ in range(14):
        demo.page.keyboard.press("Shift+ArrowRight")
    wait_camera(demo, lambda camera: camera[0] > before[0])
    demo.wait_for(pending="")
    expect(demo.page.locator(EVENT)).to_contain_text('"source": "key"', timeout=TIMEOUT_MS)
    value = read_json(demo.page, EVENT)["value"]
    px, _ = demo.pixel(value["x"], value["y"])
    assert 0 <= px <= demo.canvas.bounding_box()["width"]


def test_escape_clears_and_leaves_the_lasso(demo):
    demo.click(*map(float, XY[-1]))
    demo.wait_for(marks="1")
    demo.page.keyboard.press("l")
    demo.wait_for(mode="lasso")
    demo.page.keyboard.press("Escape")
    demo.wait_for(mode="pan", marks="0")
    assert event_number(demo.page, 2)["event"] == "clear"
