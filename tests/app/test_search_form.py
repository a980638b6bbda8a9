"""The form of the Search page under AppTest: what is filled in becomes races, once."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from svge_core.search.runs.export import race_json, run_json
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store, runs
from svge_core.search.runs.types import SearchConfig
from tests.support.app_driver import checked, choose, press, words
from tests.support.search_page import finished, listed, search_page, start_jobs, widget
from ui.search.form import searched, stored
from ui.visitors import asking

pytestmark = pytest.mark.usefixtures("environment", "store")


def test_the_form_says_what_is_searched_and_what_the_numbers_mean(store: str) -> None:
    at = search_page()
    text = words(at)
    assert "Searched: all of NAS-Bench-201 (15,625 cells)" in text.replace("**", "")
    assert "mean of" in text and "12 runs" in text.replace("**", "")
    for method in ("latent-bo", "svge-bo", "random"):
        assert at.get_by_key(f"search-method-{method}")
    choose(at, "search-goals-nasbench201", ["predictor:cifar10_valid"])
    assert ":violet[*" in "".join(c.value for c in at.caption) and "nothing is trained" in words(at)
    choose(at, "search-goals-nasbench201", [])
    assert "Choose at least one goal" in words(at)
    assert widget(at, "search-start-0").disabled


def test_methods_budget_seeds_and_batch_become_runs(store: str) -> None:
    at = search_page()
    for method in ("latent-bo", "local-search", "evolution"):
        choose(at, f"search-method-{method}", False)
    choose(at, "search-goals-nasbench201", ["table:cifar10_valid", "table:params_m"])
    for key, value in (("search-budget", 7), ("search-seeds", 2), ("search-batch", 3), ("search-first", 5)):
        choose(at, key, value)
    assert "2 runs of 7 evaluations each" in words(at).replace("**", "")
    press(at, "search-start-0")
    (plan,) = start_jobs().plans()
    assert [(c.method, c.seed, c.budget, c.batch) for c in plan.configs] == [("random", 5, 7, 3), ("random", 6, 7, 3)]
    assert plan.configs[0].objective == ("table:cifar10_valid", "table:params_m")
    assert len({c.name for c in plan.configs}) == 2 and len({c.race for c in plan.configs}) == 1


def test_limits_and_early_stops_become_settings_and_are_repeated(store: str) -> None:
    at = search_page()
    assert not [box for box in at.selectbox if box.key == "search-prune"]  # nothing is trained
    choose(at, "search-params_m-most-nasbench201", 0.01)
    assert "No cell of NAS-Bench-201 has params_m <= 0.01: the smallest has 0.073306" in words(at)
    assert widget(at, "search-start-0").disabled
    choose(at, "search-params_m-most-nasbench201", 0.5)
    choose(at, "search-flops_m-least-nasbench201", 20.0)
    assert "Only cells with params_m <= 0.5 and flops_m >= 20" in words(at).replace("\\\\", "")
    choose(at, "search-goals-nasbench201", ["train:digits"])
    choose(at, "search-prune", "asha")
    press(at, "search-start-0")
    config = start_jobs().plans()[0].configs[-1]
    assert (config.prune, config.where) == ("asha", ("params_m<=0.5", "flops_m>=20.0"))
    few = replace(config, distinct=False, where=("params_m<=0.2",), like="0", free=(0, 3))
    create_run(store, few)
    at = search_page()
    press(at, "search-again-0")
    (again,) = start_jobs().plans()[-1].configs
    assert (again.prune, again.where, again.like, again.free) == ("asha", few.where, "0", (0, 3))


def test_a_second_click_on_start_starts_nothing(store: str) -> None:
    at = search_page()
    button = widget(at, "search-start-0").click()
    clicked = button._widget_state
    checked(at.run())
    assert len(start_jobs().plans()) == 1
    assert not [form for form in at.expander if form.label == "New race" and form.proto.expanded]
    for _ in range(2):  # the browser sends what was clicked before it had drawn the new button
        states = at._tree.get_widget_states()
        states.widgets.append(clicked)
        checked(at._run(states))
    assert len(start_jobs().plans()) == 1
    press(at, "search-start-1")  # another race, meant as such
    assert len(start_jobs().plans()) == 2


def test_a_race_is_repeated_with_the_seeds_that_follow_and_taken_away(store: str) -> None:
    for method in ("random", "evolution"):
        for seed in (4, 5):
            finished(store, method, seed, budget=6, batch=2, distinct=True)
    at = search_page()
    views = [read_run(store, run.name) for run in list_runs(store)]
    assert sorted(run["config"]["name"] for run in json.loads(race_json(views))["runs"]) == sorted(
        view.config.name for view in views
    )
    assert json.loads(race_json(views[:1]))["runs"] == [json.loads(run_json(views[0]))]
    assert {widget(at, f"search-race-{form}").label for form in ("csv", "json")} == {"Race as CSV", "Race as JSON"}
    press(at, "search-again-0")
    (plan,) = start_jobs().plans()
    assert {(c.method, c.seed) for c in plan.configs} == {(m, s) for m in ("random", "evolution") for s in (6, 7)}
    assert {(c.objective, c.budget, c.batch, c.distinct) for c in plan.configs} == {(("table:params_m",), 6, 2, True)}


def test_a_race_that_imports_code_is_not_repeated_without_a_new_agreement(store: str) -> None:
    config = SearchConfig("nasbench201", ("python:tests.support.slow_objective:slow",), "random", 3, race="r", name="x")
    create_run(store, config)
    at = search_page()
    assert not [button for button in at.button if button.label == "Again"]


def test_a_race_over_a_file_is_repeated_with_the_content_that_the_store_has(store: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,acc\n1,90\n2,91\n")
    config = SearchConfig("nasbench201", (f"csv:{path}:acc",), "random", 2, start_csv=str(path), race="r")
    create_run(store, config)
    path.unlink()
    at = search_page()
    assert any("acc of mine.csv" in race for race in listed(at, "Race").options)
    press(at, "search-again-0")
    (plan,) = start_jobs().plans()
    execute(store, create_run(store, plan.configs[0]))
    assert [(run.state, run.done) for run in list_runs(store)] == [("finished", 0), ("waiting", 0)]


def test_an_uploaded_table_is_kept_once_under_its_own_name_until_nobody_shows_it(store: str, tmp_path: Path) -> None:
    folder = tmp_path / "search" / "tables"
    folder.mkdir(parents=True)
    (folder / "old-0123456789ab.csv").write_text("index,acc\n1,2\n")  # as earlier versions kept them
    first = stored(b"index,acc\n1,90\n", "my table.csv")
    assert stored(b"index,acc\n1,90\n", "my table.csv") == first and first.name == "mytable.csv"
    assert first.read_bytes() == b"index,acc\n1,90\n" and len(list(folder.rglob("*.csv"))) == 2
    for path in folder.rglob("*.csv"):
        os.utime(path, (0, 0))
    assert stored(b"index,acc\n1,90\n", "my table.csv") == first  # a form shows it: young again
    second = stored(b"index,acc\n1,91\n", "../../my table.csv")
    assert sorted(folder.rglob("*.csv")) == sorted([first, second])


def test_a_race_that_names_a_file_by_its_path_is_not_repeated_by_a_click(store: str, tmp_path: Path) -> None:
    path = tmp_path / "search" / "tables" / "mine.csv"
    path.parent.mkdir(parents=True)
    path.write_text("index,acc\n1,90\n2,91\n")
    word = f"csv:{path}:acc"
    name = create_run(store, SearchConfig("nasbench201", (word,), "random", 2, race="r"))
    with open_store(store) as engine, engine.begin() as connection:  # as an earlier version, or somebody else, writes
        old = {**read_run(store, name).config.to_dict(), "objective": [word]}
        connection.execute(sa.update(runs).values(config=json.dumps(old)))
    at = search_page()
    assert any("acc of mine.csv" in race for race in listed(at, "Race").options)
    assert "Again" not in [button.label for button in at.button]


def test_what_is_filled_in_survives_another_page(store: str) -> None:
    at = choose(search_page(), "search-budget", 33)
    checked(at.switch_page("pages/model.py").run())
    checked(at.switch_page("pages/search.py").run())
    assert widget(at, "search-budget").value == 33


def test_a_column_of_an_own_file_is_a_goal_among_its_cells(store: str) -> None:
    at = search_page()
    widget(at, "search-csv-nasbench201").upload("mine.csv", b"index,my score\n3,1.5\n4,2.5\n5,0.5\n", "text/csv")
    checked(at.run())
    assert "restricted to the 3 known cells" in words(at).replace("**", "")
    choose(at, "search-goals-nasbench201", [])
    press(at, "search-start-0")
    (plan,) = start_jobs().plans()
    (word,) = plan.configs[0].objective
    assert word.startswith("csv:") and word.endswith(":my score:max") and plan.configs[0].restricted
    assert Path(word.removeprefix("csv:").removesuffix(":my score:max")).read_bytes().startswith(b"index,my score")


def test_code_runs_only_after_somebody_at_this_machine_agreed(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "local_browser", lambda: False)
    assert "SVGE_ALLOW_PYTHON=1" in words(search_page())
    monkeypatch.setattr(asking, "local_browser", lambda: True)
    at = choose(search_page(), "search-python", "tests.support.slow_objective:slow")
    assert "Agree that the Python function runs on this machine" in words(at)
    assert widget(at, "search-start-0").disabled
    choose(at, "search-python-agreed", True)
    press(at, "search-start-0")
    (plan,) = start_jobs().plans()
    assert plan.python and plan.configs[0].objective[-1] == "python:tests.support.slow_objective:slow"


def test_restrictions_are_said_in_words() -> None:
    from svge_core.spaces.registry import get_space

    space = get_space("nasbench201")
    assert searched(space, [None], False) == "all of NAS-Bench-201 (15,625 cells)."
    assert "restricted to the 20 known cells" in searched(space, [20, None], True)
    assert "value of every goal" in searched(space, [20, 30], True)
    assert "e+" in searched(get_space("enas12"), [], False)


def test_training_is_offered_as_a_goal_where_networks_are_small(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from svge_core.search.objectives import digits
    from svge_core.search.objectives.digits_training import DigitsAccuracy

    at = search_page(space="randwire")
    text = words(at)
    assert "all of RandWire." in text and "RandWire-digits validation accuracy, one run, 8 epochs" in text
    assert "450 validation images" in text and "scikit-learn's digits" in text
    accuracy = DigitsAccuracy((75.5,), (74.0,))
    monkeypatch.setattr(digits, "digits_accuracy", lambda cell, seeds, training: accuracy)
    name = create_run(store, SearchConfig("randwire", ("digits:valid",), "random", 3, name="digits", race="digits"))
    execute(store, name)
    at = search_page(space="randwire", run=name)
    text = words(at)
    assert "3 of 3 evaluations" in str(at.get("progress")[0].proto.text)
    assert "75.5" in text and "rw32:" in "".join(code.value for code in at.code)


@pytest.mark.parametrize(("place", "distinct"), [(0, None), (1, True), (2, False)])
def test_cells_that_compute_the_same_are_proposed_as_chosen(store: str, place: int, distinct: bool | None) -> None:
    at = search_page()
    box = widget(at, "search-distinct")
    assert box.value == box.options[0] and "once where every evaluation is made anew" in box.value
    choose(at, "search-distinct", box.options[place])
    press(at, "search-start-0")
    (plan,) = start_jobs().plans()
    assert {config.distinct for config in plan.configs} == {distinct}
