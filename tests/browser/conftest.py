"""A served app and a real Chromium for the tests in this folder.

Other test modules use the fixtures ``serve_app`` (path of a script -> base URL; one server per script and session) and
``new_page`` (a page that records what went wrong in its console), and the class :class:`MapDriver` to work the map.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.support.paths import APP, ROOT
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:  # without Playwright the tests here are skipped, and everything else still collects
    from playwright.sync_api import Browser, BrowserContext, FloatRect, Page

Modifier = Literal["Alt", "Control", "ControlOrMeta", "Meta", "Shift"]

TIMEOUT_MS = 1000 * PATIENCE  # waits end as soon as the state is there
# Software rendering, so that the same tests run with and without a graphics card.
LAUNCH_ARGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
# Messages of the software renderer about its own speed, not about the app.
_NOT_ERRORS = ("GPU stall due to ReadPixels", "Automatic fallback to software WebGL", "GroupMarkerNotSet")


def chromium_path() -> str | None:
    """The browser to drive: ``$CHROME``, or one on the path."""
    if chosen := os.environ.get("CHROME"):
        return chosen
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def playwright_session() -> Iterator[Any]:
    """Playwright, or a skip where no browser is installed. In CI a missing browser is a failure, not a skip."""
    if chromium_path() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium found: install one or set CHROME")
    api = pytest.importorskip("playwright.sync_api")
    api.expect.set_options(timeout=TIMEOUT_MS)
    with api.sync_playwright() as session:
        yield session


@pytest.fixture(scope="session")
def browser(playwright_session: Any) -> "Iterator[Browser]":
    """Chromium with WebGL2 in software."""
    chromium = playwright_session.chromium.launch(executable_path=chromium_path(), args=LAUNCH_ARGS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """``serve_app(script)`` starts Streamlit on a free port once per script and returns its base URL."""
    servers: dict[Path, tuple[subprocess.Popen[bytes], str]] = {}
    logs = tmp_path_factory.mktemp("streamlit")

    def serve(script: str | Path, env: dict[str, str] | None = None) -> str:
        path = Path(script).resolve()
        if path not in servers:
            servers[path] = _start_server(path, logs / f"{path.stem}.log", env or {})
        return servers[path][1]

    yield serve
    for process, _ in servers.values():
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def _start_server(script: Path, log: Path, env: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "true",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=script.parent, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": search, **env}
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=30) as reply:
                if reply.status == 200:
                    return process, url
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"{script.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def tiny_site(tmp_path_factory: pytest.TempPathFactory, playwright_session: Any) -> Iterator[str]:
    """The app over a tiny untrained checkpoint and an empty store, a server for each module; its base URL. Nobody has
    opened it yet: links have to survive that, too."""
    folder = tmp_path_factory.mktemp("site")
    make_checkpoint(folder / "nasbench201" / "tiny")
    settings = {"SVGE_CHECKPOINTS": str(folder), "SVGE_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}
    process, url = _start_server(APP, folder / "server.log", settings)
    yield url
    process.kill()  # it keeps nothing that a killed server would lose
    process.wait(timeout=PATIENCE)


@pytest.fixture
def new_page(browser: "Browser") -> Iterator[Callable[..., Any]]:
    """``new_page(color_scheme="dark", width=800)`` opens a page; ``page.problems`` lists console and page errors."""
    contexts: list[BrowserContext] = []

    def open_page(
        *, color_scheme: Literal["light", "dark"] = "light", width: int = 1440, height: int = 900, **options: Any
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=color_scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page: Any = context.new_page()  # it gets a list of problems
        page.set_default_timeout(TIMEOUT_MS)
        page.problems = record_problems(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def record_problems(page: "Page") -> list[str]:
    """A list that fills with console errors and uncaught exceptions as they happen."""
    problems: list[str] = []

    def on_console(message: Any) -> None:
        if message.type == "error" and not any(known in message.text for known in _NOT_ERRORS):
            problems.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems


class MapDriver:
    """Works one latent map on a page in map coordinates, and waits on the state the map publishes."""

    def __init__(self, page: "Page", key: str | None = None) -> None:
        self.page = page
        self.root = page.locator(f'.lm[data-key="{key}"]' if key else ".lm")
        self.canvas = self.root.locator(".lm-over")

    def attribute(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}") or ""

    def wait_for(self, **attributes: str) -> None:
        """Wait until each ``data-<name>`` has the given value."""
        from playwright.sync_api import expect

        for name, value in attributes.items():
            expect(self.root).to_have_attribute(f"data-{name.replace('_', '-')}", value, timeout=TIMEOUT_MS)

    def wait_ready(self) -> "MapDriver":
        self.wait_for(status="ready")
        self.page.wait_for_function("el => Number(el.dataset.frame) > 1", arg=self.root.element_handle())
        return self

    @property
    def camera(self) -> tuple[float, float, float]:
        x, y, scale = map(float, self.attribute("camera").split(","))
        return x, y, scale

    def box(self) -> "FloatRect":
        """Where the canvas is in the window."""
        box = self.canvas.bounding_box()
        assert box is not None, "the canvas is not shown"
        return box

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where a map coordinate lies, relative to the canvas."""
        cx, cy, scale = self.camera
        box = self.box()
        return box["width"] / 2 + (x - cx) * scale, box["height"] / 2 - (y - cy) * scale

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a map coordinate lies, relative to the window."""
        box, (px, py) = self.box(), self.pixel(x, y)
        return box["x"] + px, box["y"] + py

    def coordinates(self, px: float, py: float) -> tuple[float, float]:
        """The map coordinate at a place of the canvas."""
        cx, cy, scale = self.camera
        box = self.box()
        return cx + (px - box["width"] / 2) / scale, cy - (py - box["height"] / 2) / scale

    def click(self, x: float, y: float, modifier: Modifier | None = None) -> None:
        px, py = self.pixel(x, y)
        self.canvas.click(position={"x": px, "y": py}, modifiers=[modifier] if modifier else [])

    def drag(self, corners: list[tuple[float, float]], steps: int = 3) -> None:
        """Press at the first place, move along the others, release at the last; in window pixels."""
        mouse = self.page.mouse
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=steps)
        mouse.up()


def read_json(page: "Page", selector: str) -> Any:
    """The JSON that an element shows as text."""
    return json.loads(page.locator(selector).inner_text())


@pytest.fixture
def demo_url(serve_app: Callable[..., str]) -> str:
    return serve_app(Path(__file__).parent / "map_demo_app.py")


@pytest.fixture
def demo(new_page: Callable[..., Any], demo_url: str) -> Iterator[MapDriver]:
    """A ready map at its first view; afterwards, no error may stand in the console."""
    page = new_page()
    page.goto(demo_url)
    yield MapDriver(page).wait_ready()
    assert page.problems == []
