"""The whole map with its layers and a brush in a real browser: what loading costs, and a movement of the brush.

Needs Chromium (``CHROME`` or on the path) and playwright. Starts its own server on a checkpoint. A movement is timed in
the page, from the pointer's event to the frame that shows it, which the graphics processor has finished by then.
"""

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.click import BARE, FLAGS, ROOT, Browser, load, serve
from bench.harness.results import command, report, save_results
from svge_core.checkpoints import load_meta
from svge_core.spaces import get_space

COLUMNS = ["what", "times", "median_ms", "p90_ms", "max_ms", "browser_cpu_ms", "bytes"]
#: moves the pointer over the legend, each time as soon as the frame of the last movement is drawn, and times that: from
#: the pointer's event to the frame it asks for and the graphics processor's end of it
MOVE = """async (root, [places, y]) => {
  const bar = root.querySelector('.lm-bar'), canvas = root.querySelector('.lm-points');
  const gl = canvas.getContext('webgl2'), taken = [];
  for (const x of places) {
    const before = root.dataset.frame, began = performance.now();
    bar.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y, pointerId: 1 }));
    while (root.dataset.frame === before) await new Promise(requestAnimationFrame);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    taken.push(performance.now() - began);
  }
  return taken;
}"""


def movements(page: Any, count: int) -> list[float]:
    """Milliseconds of movements of a brush's upper end over the right half of the legend; the first is left out."""
    box = page.locator(".lm-bar").first.bounding_box()
    y = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    places = [float(box["x"] + box["width"] * (0.5 + 0.45 * abs(np.sin(step / 7)))) for step in range(count + 1)]
    taken = page.locator(".lm").first.evaluate(MOVE, [places, y])
    page.mouse.up()
    page.wait_for_selector("text=pass the filter", timeout=120_000)
    return taken[1:]


def main(argv: list[str] | None = None) -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="bench map_brush", description=__doc__)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints/nasbench101/svge", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    from playwright.sync_api import sync_playwright

    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    folder = arguments.checkpoint.resolve()
    space = get_space(load_meta(folder)[0].space)
    process, server = serve(folder.parent.parent)
    url = f"{server}/?space={space.name}&checkpoint={folder.name}"
    rows: list[dict[str, Any]] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chrome, args=FLAGS)
            opened, _, _ = load(browser, url, "[data-status=ready]")  # the server opens the space
            opened.close()
            bare, bare_seconds, _ = load(browser, f"{server}/?space={BARE}", "text=There is no checkpoint for")
            bare.close()
            for what, layers in (("map", ""), ("map, contours, surface", "&layers=contours,surface")):
                page, seconds, weight = load(browser, url + layers, "[data-status=ready]")
                cost = 1000 * (seconds - bare_seconds)
                rows.append({"what": f"{what}: load", "times": 1, "browser_cpu_ms": cost, "bytes": weight})
                account = Browser(browser)
                used = account.seconds()
                taken = movements(page, arguments.moves)
                rows.append(
                    {
                        "what": f"{what}: movement of the brush",
                        "times": len(taken),
                        "median_ms": statistics.median(taken),
                        "p90_ms": float(np.percentile(taken, 90)),
                        "max_ms": max(taken),
                        "browser_cpu_ms": 1000 * (account.seconds() - used) / len(taken),
                    }
                )
                page.close()
            browser.close()
    finally:
        process.terminate()
    settings = {"points": space.size, "window": "1440x900, headless, software GL"}
    settings |= {"until": "the frame with the new brush is drawn", "over": "a page without a map (load)"}
    save_results("map_brush", rows, settings, command("map_brush", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
