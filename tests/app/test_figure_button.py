"""The button "Figure": the file, its command and its Python call are the same figure."""

import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

import svge_core as svge
from svge_core.__main__ import main
from svge_core.explorer import CellFilter, Explorer
from svge_core.search.runs import SearchConfig, create_run, execute
from tests.support.app_driver import App, open_app, rerun
from tests.support.meanings import write_latency
from ui.shared.choices import Lasso, MapDisplay, SecondMap

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What the buttons would make, by key."""
    found: dict[str, Callable[[], bytes]] = {}
    usual = st.download_button

    def button(*words: Any, key: str, data: Any, **others: Any) -> Any:
        found[key] = data
        return usual(*words, key=key, data=data, **others)

    monkeypatch.setattr(st, "download_button", button)
    return found


@pytest.fixture
def opened_once(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command and Python call get the checkpoint that is open already: opening it takes seconds."""
    monkeypatch.setattr("svge_core.cli.own_parts.open_explorer", lambda folder, device: explorer)
    monkeypatch.setattr(svge, "open_explorer", lambda folder: explorer, raising=False)


def agree(at: App, kind: str, made: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int = 0) -> None:
    """See that command and call write what the button gives; of several figures of a kind, that of a number."""
    codes = [code.value for code in at.code]
    places = [at for at, text in enumerate(codes) if text.startswith(f"python -m svge_core figure {kind} ")]
    place = places[number]
    monkeypatch.chdir(folder)
    words = shlex.split(codes[place])
    file = folder / words[-1]
    assert main(words[3:]) == 0
    assert file.read_bytes() == made
    file.unlink()
    exec(compile(codes[place + 1], kind, "exec"), {})
    assert file.read_bytes() == made and made.startswith(b"%PDF")


def test_map_cell_path_and_comparison(
    offered: dict[str, Callable[[], bytes]], opened_once: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    write_latency(tmp_path / "runs", 6111, 4.5)
    at = open_app(cell="6111")
    at.session_state["map_lasso"] = Lasso(
        "pca", ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 0.5)), (("remove", ((0.0, 0.0), (1.0, 0.0), (0.5, 2.0))),)
    )
    at.session_state["map_plane"] = "pca"
    every = CellFilter(
        "cifar10_valid", (50.0, 95.0), (0.3, 1.0), ("nor_conv_3x3",), ("none",), True, "best 40, depth over 1"
    )
    assert all(getattr(every, field.name) != field.default for field in fields(CellFilter))
    at.session_state["map_filter"] = every
    at.session_state["map_display"] = MapDisplay(contours=True, surface=True)
    at = rerun(at)
    for kind in ("map", "cell"):
        agree(at, kind, offered[f"figure-download-{kind}"](), tmp_path, monkeypatch)
    at.session_state["map_display"] = MapDisplay(second=SecondMap(shown=True, colour="params_m"))
    at = rerun(at)
    made = offered["figure-download-second-map"]()
    agree(at, "map", made, tmp_path, monkeypatch, number=1)
    assert made != offered["figure-download-map"]()
    at.session_state["map_display"] = MapDisplay(contours=True, surface=True)
    at = rerun(at)
    command = next(code.value for code in at.code if " figure map " in code.value)
    assert "--ranks --contours --surface " in command and f"--runs {tmp_path / 'runs'} " in command
    assert "--cell '#6111'" in command and "'--where=best 40, depth over 1'" in command
    at.switch_page("pages/compare.py")
    at.query_params["cells"] = "6111,9000"
    at = rerun(at)
    agree(at, "compare", offered["figure-download-compare"](), tmp_path, monkeypatch)
    at.switch_page("pages/interpolate.py")
    at.query_params["a"], at.query_params["b"] = "6111", "9000"
    at = rerun(at)
    agree(at, "path", offered["figure-download-path"](), tmp_path, monkeypatch)


def test_race_and_front(
    store: str, offered: dict[str, Callable[[], bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (0, 1):
        goals = ("table:cifar10_valid", "table:params_m")
        execute(store, create_run(store, SearchConfig("nasbench201", goals, "random", 6, seed=seed, race="two")))
    at = open_app()
    at.switch_page("pages/search.py")
    at = rerun(at)
    monkeypatch.setattr("ui.search.figure.storage_in_words", lambda: "runs.db")
    agree(rerun(at), "front", offered["figure-download-front"](), tmp_path, monkeypatch)
    at.get_by_key("search-chart-several").set_value("Best so far")
    agree(rerun(at), "race", offered["figure-download-race"](), tmp_path, monkeypatch)
