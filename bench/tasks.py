"""Six tasks and the first visit in a real browser: inputs they take and seconds of the app, beside an earlier version.

Needs Chromium (``CHROME`` or on the path) and playwright. A script that does not think goes the shortest way there is,
each time as a visitor whom the app has never seen. Seconds run from the first complete draw of the app to the answer in
view, so they are the app's alone. With ``--beside DIR`` a checkout of before these ways were built does the same tasks,
where it can; where it cannot, it is asked all the same, and its answer is kept. ``--pictures`` keeps the first visit.
"""

import argparse
import io
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.click import FLAGS
from bench.harness import task_ways
from bench.harness.people import VIEW, Person
from bench.harness.results import ROOT, command, report, save_results
from bench.harness.visitors import Server

COLUMNS = ["code", "task", "done", "clicks", "keys", "seconds", "opened_s", "answer"]
FIRST = ROOT / "assets" / "screenshots" / "first"


def measured(browser: Any, root: Path, code: str, times: int, pictures: bool) -> list[dict[str, Any]]:
    """All rows of one checkout, on a server of its own that nobody has visited, with an empty store."""
    rows: list[dict[str, Any]] = []
    ways = task_ways.NOW if code == "now" else task_ways.BEFORE
    with tempfile.TemporaryDirectory() as runs:
        server = Server(root, Path(runs))
        try:
            url = f"http://127.0.0.1:{server.port}/"
            with Person(browser, url) as first:  # the server opens the space: a machine's first visitor waits for that
                rows.append({"code": code, "task": "cold server", "done": "yes", "opened_s": first.opened})
            for task, way in ways.items():
                rows.append({"code": code, "task": task, **_done(browser, url, way, times)})
            if code == "now":
                rows += [{"code": code, **row} for row in _visit(browser, url, pictures)]
        finally:
            server.stop()
    return rows


def _done(browser: Any, url: str, way: task_ways.Way, times: int) -> dict[str, Any]:
    """A task, so many times, each by somebody new; the median."""
    taken, opened, row = [], [], {}
    for _ in range(times if way.possible else 1):
        with Person(browser, url) as person:
            answer = way.walk(person)
            taken.append(person.seconds())
            opened.append(person.opened)
            row = {"clicks": person.clicks, "keys": person.keys, "answer": answer}
    if not way.possible:
        return {"done": "cannot be done", "answer": f"{way.words} {row['answer']}".strip()}
    times_taken = {"seconds": statistics.median(taken), "slowest_s": max(taken), "opened_s": statistics.median(opened)}
    return {"done": "yes", **row, **times_taken, "way": way.words}


def _visit(browser: Any, url: str, pictures: bool) -> list[dict[str, Any]]:
    """The first visit of a stranger: when each of five things was in view."""
    rows = []
    with Person(browser, url) as person:
        for name, words, act in task_ways.VISIT:
            act(person)
            row = {"task": f"first visit: {words}", "done": "yes", "clicks": person.clicks, "keys": person.keys}
            rows.append({**row, "seconds": person.opened + person.seconds(), "opened_s": person.opened})
            if pictures:
                with person.resting():
                    _keep(person.page.screenshot(), FIRST / f"{name}.webp")
    return rows


def _keep(png: bytes, path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(png)).convert("RGB").save(path, "WEBP", quality=88, method=6)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="bench tasks", description=__doc__)
    parser.add_argument("--beside", type=Path, metavar="DIR", help="a checkout of before the first screen spoke")
    parser.add_argument("--times", type=int, default=3, help="each task, each time anew (default: %(default)s)")
    parser.add_argument("--pictures", action="store_true", help="keep the first visit in assets/screenshots/first")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    from playwright.sync_api import sync_playwright

    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    load, rows = [os.getloadavg()[0]], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=FLAGS)
        codes = ([("before", arguments.beside.resolve())] if arguments.beside else []) + [("now", ROOT)]
        for code, root in codes:
            rows += measured(browser, root, code, arguments.times, arguments.pictures)
            load.append(os.getloadavg()[0])
        browser.close()
    settings = {
        "window": f"{VIEW['width']}x{VIEW['height']}, headless, software GL",
        "seconds": f"median of {arguments.times}, by a script that does not think; a visit once, from its address",
        "clicks": "clicks, drags and scrolls",
        "keys": "keys pressed; a typed text is one",
        "load average": ", ".join(f"{value:.1f}" for value in load),
    }
    if arguments.beside:
        settings["before"] = task_ways.commit_of(arguments.beside)
    save_results("tasks", rows, settings, command("tasks", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
