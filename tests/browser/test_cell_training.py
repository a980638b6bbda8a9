"""Train this cell, in a real Chromium: one cell to the end, with its score on the map; another one cancelled."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import TIMEOUT_MS

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser


def asked(page: Any, tiny_site: str, cell: int, epochs: int) -> None:
    """Open a cell and press Train."""
    page.goto(f"{tiny_site}/?cell={cell}")
    page.get_by_text("Train this cell", exact=True).click(timeout=TIMEOUT_MS)
    number = page.get_by_role("spinbutton", name="Epochs")
    number.fill(str(epochs))
    number.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click(timeout=TIMEOUT_MS)


def test_a_cell_is_trained_to_the_end_and_another_is_cancelled(new_page: Callable[..., Any], tiny_site: str) -> None:
    page = new_page()
    asked(page, tiny_site, 1462, 1)
    expect(page.get_by_text(re.compile(r"% validation · .* % test"))).to_be_visible(timeout=2 * TIMEOUT_MS)
    expect(page.get_by_role("cell", name="Digits validation accuracy, 1 epoch, one run")).to_be_visible(
        timeout=TIMEOUT_MS
    )
    asked(page, tiny_site, 9930, 2000)
    expect(page.get_by_text(re.compile("left at this pace"))).to_be_visible(timeout=2 * TIMEOUT_MS)
    page.get_by_role("button", name="Cancel", exact=True).click(timeout=TIMEOUT_MS)
    expect(page.get_by_text(re.compile(r"Cancelled.*It can be resumed"))).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    assert page.problems == []
