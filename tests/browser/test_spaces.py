"""Several search spaces in a real Chromium: switching, clicking a point of a sampled space, links that name a space."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.spaces.registry import get_space
from tests.browser.conftest import TIMEOUT_MS, MapDriver, _start_server
from tests.support.map_page import lonely, title
from tests.support.paths import APP
from tests.support.tiny_checkpoint import make_checkpoint, make_enas_checkpoint
from tests.support.waiting import PATIENCE

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

ENAS = get_space("enas6")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, playwright_session: Any) -> Iterator[tuple[str, Atlas]]:
    """Base URL of the app over tiny checkpoints of two spaces, and the atlas of the sampled one."""
    folder = tmp_path_factory.mktemp("spaces")
    make_checkpoint(folder / "nasbench201" / "tiny")
    atlas = load_atlas(load_checkpoint(make_enas_checkpoint(folder / "enas6" / "tiny")), ENAS)
    process, url = _start_server(APP, folder / "server.log", {"SVGE_CHECKPOINTS": str(folder)})
    yield url, atlas
    process.terminate()
    process.wait(timeout=PATIENCE)


def test_switching_the_space_brings_its_own_map_and_clicks_name_its_cells(
    new_page: Callable[..., Any], site: tuple[str, Atlas]
) -> None:
    url, atlas = site
    page = new_page()
    page.goto(url)
    driver = MapDriver(page).wait_ready()
    driver.wait_for(n="15625")
    page.get_by_role("combobox", name=re.compile("Search space")).click()
    page.get_by_role("option", name=ENAS.title).click()
    driver.wait_for(n="300")
    driver.wait_ready()
    xy = atlas.planes["pca"].xy
    row = lonely(xy)
    driver.click(float(xy[row, 0]), float(xy[row, 1]))
    title(driver, rf"Cell #{atlas.indices[row]}$")
    expect(page).to_have_url(re.compile(r"[?&]space=enas6(&|$)"), timeout=TIMEOUT_MS)
    expect(page).to_have_url(re.compile(rf"[?&]cell={atlas.indices[row]}(&|$)"), timeout=TIMEOUT_MS)
    expect(page.get_by_text("a random sample of 300 of 1,528,823,808 cells")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("combobox", name=re.compile("Search space")).click()
    page.get_by_role("option", name="NAS-Bench-201").click()
    driver.wait_for(n="15625")
    title(driver, "Cell #6111$")  # the best, shown while nothing is chosen
    assert page.problems == []


def test_a_link_opens_the_cell_of_the_space_it_names(new_page: Callable[..., Any], site: tuple[str, Atlas]) -> None:
    url, atlas = site
    page = new_page()
    page.goto(f"{url}/?space=enas6&cell={atlas.indices[4]}")
    driver = MapDriver(page).wait_ready()
    driver.wait_for(n="300")
    title(driver, rf"Cell #{atlas.indices[4]}$")
    driver.wait_for(marks="7")
    x, y = driver.screen(*map(float, atlas.planes["pca"].xy[11]))
    page.mouse.move(x, y)
    expect(page.get_by_text(re.compile(rf"#{atlas.indices[11]}\b")).first).to_be_attached(timeout=TIMEOUT_MS)
    assert page.problems == []
