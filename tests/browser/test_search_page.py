"""The Search page in a real Chromium: a search watched, paused, reloaded, resumed and cancelled; two windows."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.types import SearchConfig
from tests.browser.conftest import TIMEOUT_MS, _start_server
from tests.support.paths import APP
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.waiting import PATIENCE, until

playwright = pytest.importorskip("playwright.sync_api")
expect, TimeoutError = playwright.expect, playwright.TimeoutError
pytestmark = pytest.mark.browser

PATIENCE_MS = 2 * TIMEOUT_MS  # a search is a process that imports torch first
SLOW = "tests.support.slow_objective:slow"


@dataclass(frozen=True)
class Site:
    """The app over a store of its own, with one finished race in it."""

    url: str
    storage: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, playwright_session: Any) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("search-site")
    make_checkpoint(folder / "checkpoints" / "nasbench201" / "tiny")
    storage = f"sqlite:///{folder / 'runs.db'}"
    for method in ("random", "evolution"):
        config = SearchConfig("nasbench201", ("table:cifar10_valid",), method, 12, race="old", name=f"old-{method}")
        execute(storage, create_run(storage, config))
    settings = {"SVGE_CHECKPOINTS": str(folder / "checkpoints"), "SVGE_RUNS": str(folder), "SVGE_STORAGE": storage}
    settings["SVGE_ALLOW_PYTHON"] = "1"
    process, url = _start_server(APP, folder / "server.log", settings)
    yield Site(url, storage)
    process.terminate()
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
    for record in (folder / "search").rglob("job-*.json"):
        pid = re.search(r'"pid": (\d+)', record.read_text())
        if pid and int(pid[1]):
            try:
                os.killpg(int(pid[1]), signal.SIGKILL)
            except ProcessLookupError:
                continue


def open_search(new_page: Callable[..., Any], site: Site, link: str = "") -> Any:
    """The Search page."""
    page = new_page()
    page.goto(f"{site.url}/search{link}")
    expect(page.get_by_role("heading", name="Search", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".live-chart[data-draws]").first).to_be_visible(timeout=PATIENCE_MS)
    return page


def problems(page: Any) -> list[str]:
    """Errors in the console. Streamlit looks for its server below the page's own address first; that is not ours."""
    return [problem for problem in page.problems if "404 (Not Found)" not in problem]


def _uncheck(box: Any) -> None:
    """Take a tick away; a click that falls into a run of the page is lost, as it would be for a person."""
    for _ in range(60):
        box.locator("label").first.click()
        try:
            expect(box.locator("input")).not_to_be_checked(timeout=5_000)
        except AssertionError:
            continue
        return
    raise AssertionError("the tick stays")


def unfold(page: Any, title: str) -> None:
    """Open what is folded below a title; a click that falls into a run of the page is lost, as in :func:`_uncheck`."""
    fold = page.locator(f'details:has(> summary:has-text("{title}"))')
    for _ in range(60):
        fold.locator("> summary").click()
        try:
            expect(fold).to_have_attribute("open", "", timeout=5_000)
        except AssertionError:
            continue
        return
    raise AssertionError(f"{title} stays folded")


def start_slow(page: Any, budget: int) -> None:
    """Start random search of a slow function, one seed."""
    unfold(page, "New race")
    goals = page.locator(".st-key-search-goals-nasbench201")
    goals.get_by_role("button", name=re.compile("Clear all|Clear value")).click()
    unfold(page, "Goals of your own")
    page.get_by_role("textbox", name="A Python function of a cell").fill(SLOW)
    page.keyboard.press("Enter")
    page.get_by_text("Run this code on this machine").click()
    for method in ("latent-bo", "local-search", "evolution"):
        _uncheck(page.locator(f".st-key-search-method-{method}"))
    for key, value in (("seeds", 1), ("budget", budget)):
        page.locator(f".st-key-search-{key} input").fill(str(value))
        page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(rf"1 run of {budget:,} evaluations"))).to_be_visible(timeout=PATIENCE_MS)
    button = page.locator(".st-key-search-start button")
    expect(button).to_be_enabled(timeout=PATIENCE_MS)
    before = page.url
    button.click()
    # the page turns to the new race when its first run is in the store
    expect(page).not_to_have_url(before, timeout=PATIENCE_MS)
    progress = page.locator(".st-key-search-progress").get_by_text(re.compile(rf"\d of {budget:,} evaluations ·"))
    expect(progress).to_be_visible(timeout=PATIENCE_MS)


def slow_runs(site: Site) -> list[Any]:
    """The runs that tests started, the newest first."""
    return [run for run in list_runs(site.storage) if run.config and run.config.objective == (f"python:{SLOW}",)]


def cancel_all(page: Any, site: Site) -> None:
    """Cancel the race that is shown, and wait until its runs are: words of older races stand on the page as well."""
    page.locator(".st-key-search-cancel-all button").first.click()
    until(lambda: all(run.state == "cancelled" for run in slow_runs(site)), about=lambda: slow_runs(site))


def count(page: Any) -> int:
    """Evaluations that the line under the choice of races says are done."""
    text = page.locator(".st-key-search-progress").inner_text()
    found = re.search(r"([\d,]+) of [\d,]+ evaluations", text)
    return int(found[1].replace(",", "")) if found else 0


def wait_for_count(page: Any, least: int) -> None:
    page.wait_for_function(
        """least => {
          const text = document.querySelector('.st-key-search-progress')?.innerText ?? '';
          const found = text.match(/([\\d,]+) of [\\d,]+ evaluations/);
          return found && Number(found[1].replace(',', '')) >= least;
        }""",
        arg=least,
        timeout=PATIENCE_MS,
    )


def button(page: Any, action: str) -> Any:
    return page.locator(f".st-key-search-{action}-run button").first


def choose_last(page: Any, label: str) -> None:
    """Choose the last entry of a list; the page closes an open list when it is drawn again, then it is opened again."""
    for attempt in range(30):
        page.get_by_role("combobox", name=label, exact=True).click()
        try:
            page.get_by_role("option").last.click(timeout=10_000)
            return
        except TimeoutError:
            assert attempt < 29, f"the list {label!r} did not stay open"


def test_a_search_is_watched_paused_reloaded_resumed_and_cancelled(new_page: Callable[..., Any], site: Site) -> None:
    page = open_search(new_page, site)
    start_slow(page, 5000)
    wait_for_count(page, 3)
    wait_for_count(page, count(page) + 2)  # it goes on by itself
    expect(page.get_by_text("running", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("img", name=re.compile("Drawing of the cell")).first).to_be_visible(timeout=PATIENCE_MS)
    button(page, "pause").click()
    expect(page.get_by_text("paused", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    (run,) = slow_runs(site)
    held = run.done

    page.reload()
    expect(page.get_by_text("paused", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    assert f"run={run.name}" in page.url
    wait_for_count(page, held)
    assert count(page) == held == slow_runs(site)[0].done
    button(page, "resume").click()
    wait_for_count(page, held + 2)
    button(page, "cancel").click()
    expect(page.get_by_text("cancelled", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    view = read_run(site.storage, run.name)
    assert view.state == "cancelled" and view.evaluated >= held + 2
    assert len({e.cell for e in view.done}) == len(view.done)
    assert problems(page) == []


def test_two_windows_do_not_mix(new_page: Callable[..., Any], site: Site) -> None:
    watching, other = open_search(new_page, site), open_search(new_page, site, "?run=old-evolution")
    expect(other).to_have_url(re.compile("run=old-evolution"), timeout=PATIENCE_MS)
    start_slow(watching, 5000)
    wait_for_count(watching, 2)
    name = slow_runs(site)[0].name
    expect(watching).to_have_url(re.compile(f"run={name}"), timeout=PATIENCE_MS)
    # the other window shows what it showed, and an action there is on its own race
    shown = re.search(r"run=([^&]+)", other.url)
    assert shown and shown[1] != name
    other.locator(".st-key-search-refresh button").first.click()  # Streamlit draws a button with a tooltip twice
    expect(other.get_by_text(re.compile(r"All \d+ runs in the store"))).to_be_visible(timeout=PATIENCE_MS)
    expect(other).to_have_url(re.compile(f"run={shown[1]}"))
    choose_last(other, "Run")
    expect(other).not_to_have_url(re.compile(f"run={shown[1]}"), timeout=PATIENCE_MS)
    wait_for_count(watching, count(watching) + 2)
    expect(watching).to_have_url(re.compile(f"run={name}"))
    cancel_all(watching, site)
    assert {run.state for run in list_runs(site.storage) if run.config and run.config.race == "old"} == {"finished"}
    assert problems(watching) == problems(other) == []


def test_zoom_stays_while_values_come_in(new_page: Callable[..., Any], site: Site) -> None:
    page = open_search(new_page, site)
    start_slow(page, 5000)
    wait_for_count(page, 3)
    chart = page.locator('.live-chart[data-key="search-progress-chart"]')
    box = chart.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"], steps=6)
    page.mouse.up()
    expect(chart).to_have_attribute("data-range", re.compile(r"\d"), timeout=PATIENCE_MS)
    ends = "el => el._fullLayout.xaxis.range.map(x => x.toFixed(3)).join(' ')"
    zoomed, draws = chart.evaluate(ends), int(chart.get_attribute("data-draws") or 0)
    page.wait_for_function("([el, n]) => Number(el.dataset.draws) >= n", arg=[chart.element_handle(), draws + 2])
    assert chart.evaluate(ends) == zoomed
    cancel_all(page, site)
    assert problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finished_run_opens_by_link_in_a_narrow_window(new_page: Callable[..., Any], site: Site, scheme: str) -> None:
    page = new_page(color_scheme=scheme, width=800)
    page.goto(f"{site.url}/search?run=old-evolution")
    expect(page.locator(".live-chart[data-draws]").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile("run=old-evolution"), timeout=PATIENCE_MS)
    expect(page.get_by_text("12 of 12 evaluations · best")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator(".live-chart").first.bounding_box()["width"] > 380
    with page.expect_download() as download:
        page.locator(".st-key-search-csv button").first.click()
    assert len(Path(download.value.path()).read_text("utf-8").splitlines()) == 13
    assert problems(page) == []
