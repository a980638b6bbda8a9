"""What the tests of the map component share: the demo app, a driver fixture, gestures and waits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver, read_json
from tests.browser.demo_points import demo_xy

expect = pytest.importorskip("playwright.sync_api").expect

N = 15_625
XY = demo_xy(N)
EVENT = ".st-key-event code"


def event_number(page: Any, number: int) -> dict[str, Any]:
    """Wait for the n-th event of this session and return what the server got."""
    expect(page.locator(EVENT)).to_contain_text(f'"count": {number}', timeout=TIMEOUT_MS)
    return read_json(page, EVENT)


def tick(page: Any, label: str) -> None:
    page.get_by_text(label, exact=True).click()


def zoom_at(demo: MapDriver, x: float, y: float, turns: int = 2) -> None:
    scale = demo.camera[2] * np.exp(0.48 * turns)
    demo.root.focus()  # else the wheel scrolls the page
    demo.page.mouse.move(*map(round, demo.screen(x, y)))
    for _ in range(turns):
        demo.page.mouse.wheel(0, -240)
    wait_camera(demo, lambda camera: camera[2] == pytest.approx(scale, rel=1e-6))


def wait_camera(demo: MapDriver, reached: Callable[[tuple[float, float, float]], bool]) -> None:
    for _ in range(TIMEOUT_MS // 50):
        if reached(demo.camera):
            return
        demo.page.wait_for_timeout(50)
    raise AssertionError(f"the camera stayed at {demo.camera}")


def quiet_frame(demo: MapDriver) -> str:
    """The number of the frame once the map has drawn all it wants to: unchanged over 30 frames of the browser.

    They are counted in frames and not in seconds, so a busy machine takes as long as it needs.
    """
    return demo.root.evaluate(
        """async root => {
          for (let same = 0, seen = root.dataset.frame; same < 30; same++) {
            await new Promise(requestAnimationFrame);
            if (root.dataset.frame !== seen) { seen = root.dataset.frame; same = 0; }
          }
          return root.dataset.frame;
        }"""
    )


def nearest_on_screen(demo: MapDriver, px: float, py: float) -> tuple[int, float]:
    x, y = demo.coordinates(px, py)
    distance = np.hypot(*(XY - (x, y)).T)
    return int(distance.argmin()), float(distance.min() * demo.camera[2])


def click_window(demo: MapDriver, place: tuple[float, float]) -> tuple[float, float]:
    """Click a whole pixel of the window; returns the map coordinate of that very pixel."""
    px, py = round(place[0]), round(place[1])
    box = demo.box()
    demo.page.mouse.click(px, py)
    return demo.coordinates(px - box["x"], py - box["y"])


def empty_place(demo: MapDriver) -> tuple[float, float]:
    """A place of the window with no point near it."""
    box = demo.box()
    for px, py in [(120, 90), (60, 300), (box["width"] - 160, 120), (90, box["height"] - 40), (300, 60)]:
        if nearest_on_screen(demo, px, py)[1] > 20:
            return box["x"] + px, box["y"] + py
    raise AssertionError("no empty place in view")
