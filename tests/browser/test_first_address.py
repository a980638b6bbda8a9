"""The first address that a fresh server is asked for is a page with a link: the page comes, and what it asks for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from svge_core.spaces import get_space
from tests.browser.conftest import TIMEOUT_MS, _start_server
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[str]:
    process, url = _start_server(
        ROOT / "app.py", tmp_path / "server.log", {"SVGE_STORAGE": f"sqlite:///{tmp_path}/s.db"}
    )
    yield url
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.mark.parametrize(("page", "heading"), [("search", "Search"), ("model", "Model")])
def test_a_link_to_a_page_is_followed(page: str, heading: str, fresh_server: str, new_page: Callable[..., Any]) -> None:
    opened = new_page()
    opened.goto(f"{fresh_server}/{page}?space=enas6")
    expect(opened.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    chosen = opened.get_by_role("combobox", name="Search space")
    expect(chosen).to_have_value(get_space("enas6").title, timeout=TIMEOUT_MS)
