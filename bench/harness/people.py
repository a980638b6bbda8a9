"""Somebody at a browser whom the app has never seen, who counts what they do and how long the app takes."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

VIEW = {"width": 1440, "height": 900}
PATIENCE_MS = 120_000
#: the server has nothing more to say, and nothing stands for what is to come
_STILL = """() => document.querySelector('[data-test-script-state="notRunning"]')
  && !document.querySelector('[data-testid="stSpinner"], [data-testid="stAppSkeleton"], [data-stale="true"]')"""
_IN_VIEW = """el => { const box = el.getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.left >= 0 && box.top + Math.min(box.height, 40) <= innerHeight; }"""


class Person:
    """A visitor with a browser context of their own; opens the app at once.

    Attributes:
        page: what they look at.
        clicks: so far; drags and scrolls are among them.
        keys: keys pressed so far; a typed text is one.
        opened: seconds from the address to the first complete draw.
    """

    def __init__(self, browser: Any, url: str) -> None:
        """Open the app and wait until it is drawn; the clock begins there.

        Args:
            browser: of Playwright.
            url: of the app.
        """
        self._context = browser.new_context(viewport=VIEW, color_scheme="light", accept_downloads=True)
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.clicks = self.keys = 0
        began = time.perf_counter()
        self.page.goto(url)
        self.page.locator('.lm[data-status="ready"]').first.wait_for()
        self.page.wait_for_function(_STILL)
        self._began = time.perf_counter()
        self.opened = self._began - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def seconds(self) -> float:
        """Since the first complete draw."""
        return time.perf_counter() - self._began

    @contextmanager
    def resting(self) -> Iterator[None]:
        """What happens here takes no time of the app."""
        began = time.perf_counter()
        yield
        self._began += time.perf_counter() - began

    # ---- what they do ------------------------------------------------------------------------------------------------

    def click(self, found: Any) -> None:
        """Click it; where it is out of sight, scroll to it first."""
        self.scroll_to(found)
        found.click(timeout=30_000)
        self.clicks += 1

    def scroll_to(self, found: Any) -> None:
        """Bring it into view; nothing where it is."""
        found.wait_for()
        if not found.evaluate(_IN_VIEW):
            found.scroll_into_view_if_needed()
            self.clicks += 1

    def drag(self, corners: Sequence[tuple[float, float]], hold: str | None = None) -> None:
        """Press at the first place, move along the others, let go; a key held meanwhile is one more."""
        mouse, keyboard = self.page.mouse, self.page.keyboard
        if hold:
            keyboard.down(hold)
            self.keys += 1
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=4)
        mouse.up()
        if hold:
            keyboard.up(hold)
        self.clicks += 1

    def write(self, text: str) -> None:
        """Type a text."""
        self.page.keyboard.type(text)
        self.keys += 1

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)
        self.keys += 1

    # ---- what they see -----------------------------------------------------------------------------------------------

    def sees(self, found: Any) -> str:
        """Wait until it is in view, at least its upper edge; its text in one line."""
        found.wait_for()
        self.page.wait_for_function(_IN_VIEW, arg=found.element_handle())
        return re.sub(r"\s+", " ", found.inner_text()).strip()

    def button(self, name: str, within: str = "body") -> Any:
        """The first button of that name."""
        return self.page.locator(within).get_by_role("button", name=name).first
