"""Click to new panel in a real browser: pointer down to the changed panel heading, on points and on empty space.

Needs Chromium (``CHROME`` or on the path) and playwright. Starts its own server on a checkpoint; also measures what
the map's arrays weigh, and the processor seconds that loading it costs the browser over a page without a map.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import command, report, save_results
from svge_core.atlas import load_atlas
from svge_core.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ["what", "clicks", "median_ms", "p90_ms", "max_ms", "server_cpu_ms", "browser_cpu_ms", "bytes"]
#: a space that has no checkpoint and cannot have one: the app's page without a map
BARE = "enas12"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader"]
FLAGS += ["--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
#: resolves with the milliseconds from the pointer going down to another heading
WATCH = """() => {
  window.__clicked = null; window.__shown = null;
  const read = () => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => h.innerText).join('|');
  addEventListener('pointerdown', () => { window.__clicked = performance.now(); window.__before = read(); }, true);
  new MutationObserver(() => {
    if (window.__clicked !== null && window.__shown === null && read() !== window.__before)
      window.__shown = performance.now();
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def serve(checkpoints: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the app on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true"]
    words += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "SVGE_CHECKPOINTS": str(checkpoints)},
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return process, url
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    process.kill()
    raise SystemExit("The app did not start within a minute.")


def server_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor seconds that the server has used; NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Browser:
    """The browser's own account of the processor seconds of all its processes, the drawing one included."""

    def __init__(self, browser: Any) -> None:
        self.session = browser.new_browser_cdp_session()

    def seconds(self) -> float:
        """Seconds used so far."""
        found = self.session.send("SystemInfo.getProcessInfo")["processInfo"]
        return float(sum(one["cpuTime"] for one in found))


def load(browser: Any, url: str, ready: str) -> tuple[Any, float, int]:
    """Open a page: the page, the processor seconds until it is still, and the bytes of the map's arrays."""
    answers: list[Any] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.on("response", lambda answer: answers.append(answer) if "/static/map/" in answer.url else None)
    account = Browser(browser)
    before = account.seconds()
    page.goto(url)
    page.wait_for_selector(ready, timeout=600_000)
    page.wait_for_timeout(5_000)
    used = account.seconds() - before
    return page, used, sum(len(answer.body()) for answer in answers)


def clicks(page: Any, places: list[tuple[float, float]]) -> list[float]:
    """Milliseconds per click; the first is left out, it warms the server."""
    from playwright.sync_api import TimeoutError

    found = []
    for x, y in places:
        page.evaluate("() => { window.__clicked = null; window.__shown = null; }")
        page.mouse.move(float(x), float(y))
        page.mouse.click(float(x), float(y))
        try:
            page.wait_for_function("() => window.__shown !== null", timeout=5_000)
        except TimeoutError:  # the click hit the cell that was shown, or a button above the map: nothing to time
            continue
        found.append(page.evaluate("() => window.__shown - window.__clicked"))
        page.wait_for_timeout(700)  # let the rest of the panel settle; not measured
    return found[1:]


def main(argv: list[str] | None = None) -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="bench click", description=__doc__)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints/nasbench201/svge", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    from playwright.sync_api import sync_playwright

    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    folder = arguments.checkpoint.resolve()
    checkpoint = load_checkpoint(folder)
    space = checkpoint.model.space
    atlas = load_atlas(checkpoint, space)
    first = next(iter(atlas.planes))
    xy, rng = atlas.planes[first].xy, np.random.default_rng(1)
    process, server = serve(folder.parent.parent)
    url = f"{server}/?space={space.name}&checkpoint={folder.name}"
    rows: list[dict[str, Any]] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chrome, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            started = time.perf_counter()
            page.goto(url)
            page.wait_for_selector("[data-status=ready]", timeout=600_000)
            rows.append(
                {"what": "cold server to ready map", "clicks": 1, "median_ms": 1000 * (time.perf_counter() - started)}
            )
            started = time.perf_counter()
            page.reload()
            page.wait_for_selector("[data-status=ready]", timeout=120_000)
            rows.append(
                {"what": "warm server to ready map", "clicks": 1, "median_ms": 1000 * (time.perf_counter() - started)}
            )
            page.close()
            bare, bare_seconds, _ = load(browser, f"{server}/?space={BARE}", "text=There is no checkpoint for")
            bare.close()
            page, seconds, weight = load(browser, url, "[data-status=ready]")
            rows.append(
                {
                    "what": "map over a page without one",
                    "clicks": 1,
                    "browser_cpu_ms": 1000 * (seconds - bare_seconds),
                    "bytes": weight,
                }
            )
            root = page.locator("[data-camera]").first
            box: Any = root.locator("canvas").first.bounding_box()
            cx, cy, scale = (float(v) for v in re.split(r"[ ,]+", root.get_attribute("data-camera") or ""))
            page.evaluate(WATCH)

            def screen(point: np.ndarray) -> tuple[float, float]:
                x = box["x"] + box["width"] / 2 + (point[0] - cx) * scale
                return x, box["y"] + box["height"] / 2 - (point[1] - cy) * scale

            low, high = xy.min(0), xy.max(0)
            known = [screen(xy[i]) for i in rng.choice(len(xy), arguments.clicks + 1, replace=False)]
            grid = rng.uniform(low, high, size=(4000, 2))
            far = [p for p in grid if 14 / scale < atlas.planes[first].neighbours((p[0], p[1]), 1)[0][0]]
            empty = [screen(p) for p in far[: arguments.clicks + 1]]
            for what, places in (("point", known), ("empty space", empty)):
                account, used = Browser(browser), server_seconds(process)
                browser_used = account.seconds()
                taken = clicks(page, places)
                answered = max(1, len(places))
                rows.append(
                    {
                        "what": f"click on {what}",
                        "clicks": len(taken),
                        "median_ms": statistics.median(taken),
                        "p90_ms": float(np.percentile(taken, 90)),
                        "max_ms": max(taken),
                        "server_cpu_ms": 1000 * (server_seconds(process) - used) / answered,
                        "browser_cpu_ms": 1000 * (account.seconds() - browser_used) / answered,
                    }
                )
            browser.close()
    finally:
        process.terminate()
    settings = {"points": len(xy), "window": "1440x900, headless, software GL", "until": "the panel's heading changed"}
    name = "click" if space.name == "nasbench201" else f"click-{space.name}"
    save_results(name, rows, settings, command("click", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
