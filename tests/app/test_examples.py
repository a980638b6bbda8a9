"""The finished searches that come with the project, on the Search and Distribution pages while the store is empty."""

import gzip
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st

from svge_core.data import load_scores
from svge_core.search.runs.importing import read_race
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.types import SearchConfig
from svge_core.spaces.registry import get_space
from tests.support.app_driver import checked, choose, fire, open_app, words
from tests.support.paths import ROOT
from tests.support.untyped import there
from ui.search import replay

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
RACE = ROOT / "assets" / "example" / "race.json.gz"
FILES = sorted((ROOT / "assets" / "example").glob("*.json.gz"))


def page(name: str) -> Any:
    return checked(open_app().switch_page(f"pages/{name}.py").run())


def test_an_empty_store_shows_a_race_that_can_be_replayed(store: str) -> None:
    at = page("search")
    assert "A finished race, as an example" in words(at) and "svge search --space nasbench201" in words(at)
    assert not any(code.value.startswith("python -m svge_core figure") for code in at.code)  # the store has no such run
    for method in ("latent-bo", "local-search", "random"):
        assert f"--method {method} --budget 100 --seeds" in words(at)
    data = json.loads(at.get_by_key("search-player").proto.json)
    assert data["kind"] == "search" and len(data["frames"]) == 100 and data["at"] == 99
    views = read_race(gzip.decompress((ROOT / "assets" / "example" / "race.json.gz").read_bytes()))
    best, dots, *methods = data["curves"]
    np.testing.assert_allclose(best["values"], np.maximum.accumulate([there(e.values)[0] for e in views[0].done]))
    np.testing.assert_allclose(dots["values"], [there(e.values)[0] for e in views[0].done])
    assert len(methods) == len({view.config.method for view in views}) == 3
    drawn = [frame["picture"] for frame in data["frames"]]
    assert [a != b for a, b in zip(drawn, drawn[1:], strict=False)] == [
        a != b for a, b in zip(best["values"], best["values"][1:], strict=False)
    ]
    fire(at, "stop", {"frame": 4, "seq": 1}, "search-player")
    assert "Evaluation #4" in words(at)
    assert json.loads(at.get_by_key("search-player").proto.json)["identity"] == data["identity"]
    fire(at, "stop", {"frame": 99, "seq": 2}, "search-player")
    assert "The best" in words(at) and "Evaluation #4" not in words(at)
    choose(at, "w-example-run", "nasbench201-random-1")
    assert json.loads(at.get_by_key("search-player").proto.json)["identity"] != data["identity"]
    assert "run" not in at.query_params


def test_the_curves_of_a_replay_follow_the_runs_beside_it_and_the_replay_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = {view.config.name: view for view in read_race(gzip.decompress(RACE.read_bytes()))}
    view, *others = views.values()
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(replay, "player", lambda **data: shown.append(data))
    monkeypatch.setattr(st, "session_state", {})
    first, second = (next(each for each in others if each.config.method == name) for name in ("local-search", "random"))
    going = replace(second, evaluations=second.evaluations[:50])
    for beside in (first, second, going):
        replay.show_replay(None, view, {each.config.name: each for each in (view, beside)})
    medians = [data["curves"][2:] for data in shown]
    assert medians[0] != medians[1] != medians[2]
    assert len({data["identity"] for data in shown}) == 1


def test_a_run_of_ones_own_takes_its_place(store: str) -> None:
    execute(store, create_run(store, SearchConfig("nasbench201", ("table:params_m",), "random", 5, name="own")))
    at = page("search")
    assert "as an example" not in words(at)
    data = json.loads(at.get_by_key("search-player").proto.json)
    assert len(data["frames"]) == 5 and len(data["curves"]) == 2


def test_an_empty_store_shows_what_a_generator_has_learned(store: str) -> None:
    at = page("distribution")
    assert "A finished run, as an example" in words(at) and "--method graphpnas" in words(at)
    assert "1,000 independent draws" in words(at) and "CIFAR-10 validation accuracy (measured)" in words(at)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_value_of_the_examples_is_that_of_the_table(path: Any) -> None:
    values = load_scores("nasbench201").frame["cifar10_valid"].to_numpy()
    for view in read_race(gzip.decompress(path.read_bytes())):
        assert view.state == "finished" and len(view.done) == view.config.budget == 100
        for e in view.done:
            assert there(e.values)[0] == values[SPACE.index(e.cell)]
        assert there(view.optimum) == (values.max(),)
        assert {e.worker for e in view.evaluations} == {""}


def test_the_files_are_all_there() -> None:
    assert [path.name for path in FILES] == ["graphpnas.json.gz", "race.json.gz"]
