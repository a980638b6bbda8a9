"""What browser tests of the map look for."""

import re

import numpy as np
import pytest

from tests.browser.conftest import TIMEOUT_MS, MapDriver

expect = pytest.importorskip("playwright.sync_api").expect


def lonely(xy: np.ndarray) -> int:
    """The cell furthest from the crowd."""
    return int(np.hypot(*(xy - xy.mean(0)).T).argmax())


def title(driver: MapDriver, pattern: str) -> None:
    expect(driver.page.get_by_role("heading", name=re.compile(pattern))).to_be_visible(timeout=TIMEOUT_MS)
