"""Takes the pictures of the documentation from a running app: ``python -m tools.screenshots http://127.0.0.1:8501``.

The store of that app (``SVGE_RUNS``) must be empty: two of the pictures start a first race and a GraphPNAS run.
"""

import base64
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.conftest import LAUNCH_ARGS, chromium_path

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "screenshots"
SIZE = ViewportSize(width=1440, height=900)
#: most milliseconds that a picture waits for anything, a race included
PATIENCE = 600_000


def _map(page: Page, url: str) -> None:
    page.goto(f"{url}/?space=nasbench201&cell=6111")
    page.locator('.lm[data-status="ready"]').wait_for()


def _table(page: Page, url: str) -> None:
    page.goto(f"{url}/table?space=nasbench201&cell=6111")
    page.locator(".sp tbody tr").first.wait_for()


def _interpolate(page: Page, url: str) -> None:
    page.goto(f"{url}/interpolate?space=nasbench201&a=6111&b=12345&path=spherical&stops=25&t=0.5")
    page.locator('.lm[data-status="ready"]').wait_for()


def _compare(page: Page, url: str) -> None:
    page.goto(f"{url}/compare?space=nasbench201&cells=6111,9000,12345")
    page.get_by_role("table").wait_for()


def _search(page: Page, url: str) -> None:
    page.goto(f"{url}/search?space=nasbench201")
    page.get_by_role("button", name="Start a first race").click()
    page.get_by_text("720 of 720 evaluations").wait_for()


def _distribution(page: Page, url: str) -> None:
    page.goto(f"{url}/distribution?space=nasbench201")
    page.get_by_role("button", name="Run GraphPNAS").click()
    page.get_by_text("A finished run, as an example").wait_for(state="hidden")
    page.get_by_text("Edges of the learned distribution").wait_for()


def _model(page: Page, url: str) -> None:
    page.goto(f"{url}/model?space=nasbench201")
    page.get_by_role("tab", name="Prediction").click()
    page.get_by_text("Predicted against measured").wait_for()


def _results(page: Page, url: str) -> None:
    page.goto(f"{url}/results")
    page.get_by_text("How good is the architecture").wait_for()


PICTURES: dict[str, Callable[[Page, str], None]] = {
    "map": _map,
    "table": _table,
    "interpolate": _interpolate,
    "compare": _compare,
    "search": _search,
    "distribution": _distribution,
    "model": _model,
    "results": _results,
}


def _together(browser: Browser) -> None:
    """All pages in one picture."""
    tiles = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode((FOLDER / f"{name}.png").read_bytes()).decode()}">'
        for name in PICTURES
    )
    style = (
        "body{margin:0;padding:8px;background:#fff;display:grid;grid-template-columns:1fr 1fr;gap:14px}"
        "img{width:100%;outline:1px solid #d9dee5;border-radius:6px}"
        "img:last-child:nth-child(odd){grid-column:1/-1;width:calc(50% - 7px);justify-self:center}"
    )
    page = browser.new_page(viewport={"width": SIZE["width"], "height": 300})
    page.set_content(f"<style>{style}</style>{tiles}", wait_until="load")
    page.screenshot(path=FOLDER / "pages.png", full_page=True)


def main(url: str, wanted: list[str]) -> int:
    """One picture of every page, or of those that are wanted, and one of all."""
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=chromium_path(), args=LAUNCH_ARGS)
        for name in wanted or PICTURES:
            context = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
            context.add_init_script("localStorage.setItem('svge-tour', 'done')")
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            PICTURES[name](page, url)
            page.get_by_test_id("stStatusWidget").wait_for(state="detached")
            page.wait_for_timeout(2_000)  # the last fade-in
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        _together(browser)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501", sys.argv[2:]))
