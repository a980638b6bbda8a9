"""Takes the pictures of README.md from a running app: ``python -m tools.screenshots http://127.0.0.1:8501``."""

import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from tests.browser.conftest import LAUNCH_ARGS, chromium_path

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "screenshots"


def main(url: str) -> int:
    """The map with one cell chosen, in both themes."""
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=chromium_path(), args=LAUNCH_ARGS)
        for theme in ("light", "dark"):
            size: ViewportSize = {"width": 1440, "height": 900}
            page = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce").new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{url}/?space=nasbench201&cell=6111")
            page.locator('.lm[data-status="ready"]').wait_for()
            page.get_by_test_id("stStatusWidget").wait_for(state="detached")
            page.wait_for_timeout(1500)  # the last fade-in
            page.screenshot(path=FOLDER / f"map-{theme}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501"))
