"""The map in a real Chromium: colours, words, states, full size, and browsers without WebGL2."""

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import LAUNCH_ARGS, TIMEOUT_MS, MapDriver, chromium_path, read_json, record_problems
from tests.browser.demo_driver import EVENT, XY, N, empty_place, event_number, quiet_frame, tick
from tests.browser.demo_points import demo_xy
from tests.support.waiting import until

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

# ---- colours, words, states -------------------------------------------------------------------------------------


def colourfulness(demo: MapDriver, x: float, y: float) -> float:
    """Mean difference between the strongest and the weakest channel in a square of the screen."""
    px, py = demo.screen(x, y)
    picture = demo.page.screenshot(clip={"x": px - 30, "y": py - 30, "width": 60, "height": 60})
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=float)
    return float((pixels.max(axis=2) - pixels.min(axis=2)).mean())


def test_dimmed_points_fade_and_stay_clickable(demo):
    tick(demo.page, "Grey sparse zones")
    bright = colourfulness(demo, 7.0, -5.0)
    tick(demo.page, "Dim the right half")
    demo.wait_for(dimmed=str(int((XY[:, 0] > 0).sum())))
    assert bright > 20
    until(lambda: colourfulness(demo, 7.0, -5.0) < 10)
    demo.click(*map(float, XY[-1]))
    assert event_number(demo.page, 1)["value"]["index"] == N - 1
    expect(demo.root.locator(".lm-count")).to_have_text(
        f"{int((XY[:, 0] <= 0).sum()):,} of {N:,} points", timeout=TIMEOUT_MS
    )


def test_hover_shows_label_and_value_as_plain_text(demo):
    demo.page.mouse.move(*demo.screen(*map(float, XY[-1])))
    demo.wait_for(hover=str(N - 1))
    tip = demo.root.locator(".lm-tip")
    expect(tip).to_contain_text(f"|nor_conv_3x3~0|+|<i>cell</i> {N - 1}~0|", timeout=TIMEOUT_MS)
    expect(tip).to_contain_text(re.compile(r"CIFAR-10 validation accuracy, measured: \d\d\.\d\d %|no value"))
    assert tip.locator("i").count() == 0
    demo.page.mouse.move(*empty_place(demo))
    demo.wait_for(hover="")
    expect(tip).to_be_hidden()


def test_categories_get_a_legend_of_names(demo):
    demo.page.get_by_role("combobox").click()
    demo.page.get_by_role("option", name="Operation").click()
    demo.wait_for(colour="Most frequent operation")
    expect(demo.root.locator(".lm-names li")).to_have_text(
        ["avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "none", "skip <b>connect</b>"]
    )
    expect(demo.root.locator(".lm-scale")).to_be_hidden()


def test_a_missing_file_is_said_in_words_and_repaired(demo):
    page = demo.page
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Missing file").click()
    demo.wait_for(status="fetch-failed")
    expect(demo.root.locator(".lm-note")).to_contain_text("Could not load the values of “Missing file”")
    expect(page.locator(EVENT)).to_contain_text('"status": "fetch-failed"', timeout=TIMEOUT_MS)
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Accuracy").click()
    demo.wait_for(status="ready")
    expect(demo.root.locator(".lm-note")).to_be_hidden()
    expect(page.locator(EVENT)).to_contain_text('"status": "ready"', timeout=TIMEOUT_MS)
    assert all("404" in problem for problem in page.problems)
    page.problems.clear()


def test_a_lost_graphics_context_comes_back(demo):
    demo.root.evaluate(
        """(root) => {
          window.loser = root.querySelector('.lm-points').getContext('webgl2').getExtension('WEBGL_lose_context');
          window.loser.loseContext();
        }"""
    )
    demo.wait_for(status="context-lost")
    expect(demo.root.locator(".lm-note")).to_be_visible()
    frame = int(demo.attribute("frame"))
    demo.page.evaluate("window.loser.restoreContext()")
    demo.wait_for(status="ready")
    demo.page.wait_for_function("([el, n]) => Number(el.dataset.frame) > n", arg=[demo.root.element_handle(), frame])
    demo.click(*map(float, XY[-1]))
    expect(demo.page.locator(EVENT)).to_contain_text(f'"index": {N - 1}', timeout=TIMEOUT_MS)
    assert colourfulness(demo, 7.0, -5.0) > 20


def test_the_map_follows_the_theme(demo):
    colour = "el => getComputedStyle(el).backgroundColor"
    light = demo.root.evaluate(colour)
    demo.page.emulate_media(color_scheme="dark")
    demo.page.wait_for_function(
        "([el, old]) => getComputedStyle(el).backgroundColor !== old", arg=[demo.root.element_handle(), light]
    )
    dark = demo.root.evaluate(colour)
    assert dark == demo.page.locator(".stApp").evaluate(colour)
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 200 < sum(map(int, re.findall(r"\d+", light)[:3]))


# ---- size, and browsers without WebGL2 --------------------------------------------------------------------------


def test_423624_points_load_and_answer(new_page, demo_url):
    page = new_page()
    page.goto(f"{demo_url}/?n=423624")
    demo = MapDriver(page).wait_ready()
    demo.wait_for(n="423624")
    last = demo_xy(423_624)[-1]
    frame = quiet_frame(demo)
    demo.click(float(last[0]), float(last[1]))
    assert event_number(page, 1)["value"]["index"] == 423_623
    demo.wait_for(marks="1", frame=frame)
    page.mouse.move(*demo.screen(0.0, 0.0))
    expect(demo.root.locator(".lm-tip")).to_contain_text("<i>cell</i>", timeout=TIMEOUT_MS)
    assert page.problems == []


NO_WEBGL2 = """
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === 'webgl2' ? null : getContext.call(this, kind, ...rest);
};
"""


def check_fallback(page: Any) -> None:
    """The Plotly chart shows, and gives the same events."""
    chart = page.locator(".st-key-demo-plotly .js-plotly-plot")
    expect(chart).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_text("This browser has no WebGL2")).to_be_visible(timeout=TIMEOUT_MS)
    page.wait_for_function(
        "() => document.querySelector('.st-key-demo-plotly .js-plotly-plot')?._fullLayout?.xaxis?._length > 0"
    )
    seen = read_json(page, EVENT)["count"]
    x, y = map(float, XY[-1])
    to_window = """(el, [x, y]) => {
      const { xaxis, yaxis } = el._fullLayout, box = el.getBoundingClientRect();
      return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + yaxis.d2p(y)];
    }"""
    traces = chart.evaluate("el => el.data.length")
    page.mouse.move(*chart.evaluate(to_window, [x, y]))
    page.mouse.click(*chart.evaluate(to_window, [x, y]))
    event = event_number(page, seen + 1)
    assert (event["event"], event["value"]["kind"], event["value"]["index"]) == ("click", "point", N - 1)
    assert event["status"] == "no-webgl2"
    # the chart is rebuilt with its new mark, a trace of its own
    page.wait_for_function("([el, count]) => el.data.length > count", arg=[chart.element_handle(), traces])
    page.mouse.click(*chart.evaluate(to_window, [-11.0, 6.0]))
    value = event_number(page, seen + 2)["value"]
    assert (value["kind"], value["index"]) == ("empty", None)
    assert (value["x"], value["y"]) == pytest.approx((-11.0, 6.0), abs=0.05)


def test_without_webgl2_a_plotly_chart_takes_its_place(new_page, demo_url):
    page = new_page()
    page.add_init_script(NO_WEBGL2)
    page.goto(demo_url)
    check_fallback(page)
    assert page.problems == []


def test_without_any_webgl_the_chart_still_works(playwright_session, demo_url):
    args = [arg for arg in LAUNCH_ARGS if not re.search("swiftshader|gpu-blocklist", arg)]
    chromium = playwright_session.chromium.launch(
        executable_path=chromium_path(),
        args=[*args, "--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis"],
    )
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    problems = record_problems(page)
    page.goto(demo_url)
    check_fallback(page)
    assert problems == []
    chromium.close()
