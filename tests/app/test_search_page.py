"""The Search page under AppTest, over a store of its own: empty, full, linked, wrong; forms, buttons, words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from svge_core.jobs.records import SearchJob
from svge_core.jobs.search import SearchJobs
from svge_core.search.runs.export import race_json, run_json
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import control, create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store
from svge_core.search.runs.types import SearchConfig
from tests.support.app_driver import App, checked, choose, open_app, press, select_row, words
from ui.search import state as search_state
from ui.search.form import searched
from ui.search.run import best_evaluations, table_frame
from ui.search.start import RaceRequest
from ui.shared.theme import plain

pytestmark = pytest.mark.usefixtures("environment", "store")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty store, whose runs nobody starts unless a test does."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("SVGE_STORAGE", url)
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(search_state, "_jobs", lambda records, url: SearchJobs(Path(records), url, watch=False))
    yield url


def finished(store: str, method: str = "random", seed: int = 0, race: str = "r", **changes) -> str:
    """A run that is over."""
    objective = changes.pop("objective", ("table:params_m",))
    settings = {"budget": 4, "name": f"{method}-{seed}-{race}", "race": race, **changes}
    name = create_run(store, SearchConfig("nasbench201", objective, method, seed=seed, **settings))
    execute(store, name)
    return name


def search_page(**parameters: str) -> App:
    at = open_app(**parameters)
    return checked(at.switch_page("pages/search.py").run())


def widget(at: App, key: str) -> Any:
    """A widget, whatever its kind."""
    return at.get_by_key(key)


def listed(at: App, label: str) -> Any:
    """The list with this label."""
    return next(box for box in at.selectbox if box.label == label)


def start_jobs() -> SearchJobs:
    return search_state.search_jobs()


# ---- empty and wrong --------------------------------------------------------------------------------------------


def test_without_runs_the_page_says_what_a_search_is_and_starts_one_by_a_click(store: str) -> None:
    at = search_page()
    assert "No search of NAS-Bench-201 yet" in words(at)
    assert "CIFAR-10 validation accuracy (measured); Latent Bayesian optimisation" in words(at)
    press(at, "search-first-race")
    (plan,) = start_jobs().plans()
    assert plan.of == 12 and not plan.python
    assert {config.method for config in plan.configs} == {"latent-bo", "local-search", "evolution", "random"}
    assert {(c.budget, c.objective) for c in plan.configs} == {(60, ("table:cifar10_valid",))}
    assert [c.seed for c in plan.configs] == [0] * 4 + [1] * 4 + [2] * 4
    assert "Preparing run 1 of 12" in words(at)


def test_a_store_that_cannot_be_used_is_one_line(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_STORAGE", "nonsense://x")
    at = search_page()
    assert len(at.error) == 1 and "Runs cannot be read" in at.error[0].value
    assert "SVGE_STORAGE" in words(at)


def test_a_link_to_a_run_that_is_not_there_is_said(store: str) -> None:
    at = open_app()
    at.query_params["run"] = "<b>x</b>"
    checked(at.switch_page("pages/search.py").run())
    # switching pages empties the address, so the wish is put where the page keeps it
    at.session_state["search_link"] = "<b>x</b>"
    checked(at.run())
    assert any("not in this store" in warning.value for warning in at.warning)


# ---- the form ---------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr(search_state, "local_browser", lambda: False)
    assert "SVGE_ALLOW_PYTHON=1" in words(search_page())
    monkeypatch.setattr(search_state, "local_browser", lambda: True)
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
    assert RaceRequest(("python:a:b",), ("random",)).python


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


# ---- runs -------------------------------------------------------------------------------------------------------


def test_a_finished_race_reopens_with_chart_table_and_drawing(store: str) -> None:
    for method in ("random", "evolution"):
        for seed in (0, 1):
            finished(store, method, seed, objective=("table:cifar10_valid",))
    at = search_page()
    text = words(at)
    assert "16 of 16 evaluations" in str(at.get("progress")[0].proto.text)
    assert "The best" in text and "No method is told the optimum" in text
    chart = at.get_by_key("search-progress-chart")
    assert "best of all known cells" in chart.proto.json
    assert at.get_by_key("search-map")
    frame = widget(at, "search-table").value
    assert len(frame) == 4 and list(frame["number"]) == [0, 1, 2, 3]
    assert "All 4 runs in the store" in [e.label for e in at.expander]
    choose(at, "search-chart", "Gap to the optimum")
    assert '\\"type\\":\\"log\\"' in at.get_by_key("search-progress-chart").proto.json


def test_a_row_shows_that_evaluation_and_it_goes_into_the_basket(store: str) -> None:
    finished(store)
    at = select_row(search_page(), 2, "search-table")
    assert "Evaluation #2" in words(at)
    press(at, "search-card-basket")
    assert len(at.session_state["basket"]) == 1
    press(at, "search-back")
    assert "Evaluation #2" not in words(at)
    press(at, "search-basket")
    assert len(at.session_state["basket"]) >= 4


def test_several_goals_have_a_front_and_a_hypervolume(store: str) -> None:
    finished(store, objective=("table:cifar10_valid", "table:params_m"), budget=8)
    at = search_page()
    assert "not dominated" in words(at)
    assert "the greatest hypervolume first" in words(at)
    (table,) = [one.value for one in at.table if "Hypervolume" in one.value.columns]
    assert list(table.columns) == ["Method", "Hypervolume", "On the front", "Finished"]
    choose(at, "search-chart-several", "Hypervolume")
    assert "The box reaches from the worst to the best value" in words(at)
    choose(at, "search-chart-several", "Best so far")
    assert at.get_by_key("search-goal-chart-0")


def test_races_are_compared_and_a_link_opens_its_run(store: str) -> None:
    first, second = finished(store, race="one"), finished(store, race="two")
    at = open_app()
    at.session_state["search_link"] = first
    checked(at.switch_page("pages/search.py").run())
    assert listed(at, "Run").value == first
    assert at.query_params["run"] in (first, [first])
    assert len(listed(at, "Run").options) == 1
    next(box for box in at.multiselect if box.label == "Beside it").set_value(["nasbench201/two"])
    checked(at.run())
    assert len(listed(at, "Run").options) == 2
    assert "A: Random search" in at.get_by_key("search-progress-chart").proto.json
    listed(at, "Run").set_value(second)
    checked(at.run())
    assert at.query_params["run"] in (second, [second])
    listed(at, "Race").set_value("nasbench201/two")
    checked(at.run())
    assert listed(at, "Run").value == second and len(listed(at, "Run").options) == 1


def test_an_address_that_is_behind_brings_no_race_back(store: str) -> None:
    for race in ("one", "two"):
        finished(store, race=race)
    at = search_page()
    listed(at, "Race").set_value("nasbench201/one")
    checked(at.run())
    old = at.query_params["run"]
    for _ in range(3):  # as a browser does that has not heard of the new address yet
        listed(at, "Race").set_value("nasbench201/two")
        checked(at.run())
        at.query_params["run"] = old
        checked(at.run())
        assert listed(at, "Race").value == "nasbench201/two"
        assert at.query_params["run"] not in (old, [old])


def test_a_list_of_before_chooses_nothing(store: str) -> None:
    for race in ("one", "two"):
        finished(store, race=race)
    at = search_page()
    assert listed(at, "Race").value == "nasbench201/two"
    before = [listed(at, label)._widget_state for label in ("Race", "Run")]
    before += [next(box for box in at.multiselect if box.label == "Beside it")._widget_state]
    at.session_state["search_race_made"] = "nasbench201/one"  # as Start does
    checked(at.run())
    assert listed(at, "Race").value == "nasbench201/one"
    for _ in range(3):  # a browser sends what its lists of before said until it has drawn the new ones
        states = at._tree.get_widget_states()
        states.widgets.extend(state for state in before if state.id not in {new.id for new in states.widgets})
        checked(at._run(states))
        assert listed(at, "Race").value == "nasbench201/one"
        assert listed(at, "Run").value == "random-0-one"


def test_runs_of_other_spaces_are_listed_but_not_shown(store: str) -> None:
    create_run(store, SearchConfig("enas6", ("table:params_m",), "random", 3, name="elsewhere"))
    at = search_page()
    assert "No search of NAS-Bench-201 yet" in words(at)
    assert "runs of other search spaces" in words(at)


def test_an_interrupted_run_says_so_and_resumes(store: str) -> None:
    name = create_run(store, SearchConfig("nasbench201", ("table:params_m",), "random", 3, race="r", name="x"))
    jobs = start_jobs()
    jobs.records.mkdir(parents=True, exist_ok=True)
    jobs._write(SearchJob(name, pid=1, born="long ago", ended=True))
    jobs._path("log", name).write_text("svge_core: the disk is <full>\n")
    at = search_page()
    assert any("the disk is" in warning.value for warning in at.warning)
    press(at, "search-resume-run")
    assert start_jobs().jobs()[name].waits
    assert "waiting for a free core" in words(at)
    press(at, "search-pause-run")
    assert not start_jobs().jobs() and list_runs(store)[0].state == "paused"
    press(at, "search-cancel-run")
    assert list_runs(store)[0].state == "cancelled"


def test_code_of_others_is_asked_about_before_it_runs(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_state, "local_browser", lambda: True)
    config = SearchConfig("nasbench201", ("python:tests.support.slow_objective:slow",), "random", 3, race="r", name="x")
    create_run(store, config)
    at = search_page()
    assert any("python:tests.support.slow_objective:slow" in code.value for code in at.code)
    assert not start_jobs().jobs()
    press(at, "search-resume-run-sure")
    assert start_jobs().jobs()["x"].waits and start_jobs().agreed("x") == set(config.objective)


def test_a_run_is_deleted_for_good(store: str) -> None:
    finished(store)
    at = press(search_page(), "search-delete-run-sure")
    assert list_runs(store) == []
    assert "No search of NAS-Bench-201 yet" in words(at)


def test_tables_and_bests_of_a_run(store: str) -> None:
    from tests.support.races import ACCURACY, PARAMS, view

    run = view([1.0, 3.0, 2.0])
    assert [e.values for e in best_evaluations(run, 2)] == [(3.0,), (2.0,)]
    assert [e.values for e in best_evaluations(view([1.0, 3.0], goals=[PARAMS]), 1)] == [(1.0,)]
    assert len(best_evaluations(view([(1.0, 1.0), (2.0, 2.0)], goals=[ACCURACY, PARAMS]), 1)) == 2
    assert table_frame(run)["predicted"].tolist()[0] == "≈ 90.000 ± 0.500"
    control(store, finished(store), "run")


def test_a_run_that_cannot_be_read_is_named_and_hides_no_other(store: str) -> None:
    for race in ("one", "two"):
        finished(store, race=race)
    with open_store(store) as engine, engine.begin() as connection:
        connection.execute(sa.text("update svge_runs set created = 1e300 where name = 'random-0-one'"))
    at = search_page()
    frame = next(table.value for table in at.dataframe if "Why" in table.value.columns)
    assert frame.to_dict("records") == [{"Name": "random-0-one", "Why": "its 'created' is not a time: 1e+300"}]
    assert listed(at, "Race").value == "nasbench201/two" and "All 1 runs in the store" in labels(at)
    with open_store(store) as engine, engine.begin() as connection:
        connection.execute(sa.text("update svge_claims set finished = 1e300"))
        connection.execute(sa.text("update svge_runs set created = 1 where name = 'random-0-one'"))
    checked(at.run())
    listed(at, "Race").set_value("nasbench201/one")
    checked(at.run())
    (warning,) = at.warning
    said = "The run 'random-0-one' cannot be read: evaluation 0: its 'finished' is not a time: 1e+300."
    assert warning.value == plain(said)
    assert len(listed(at, "Race").options) == 2


def labels(at: App) -> list[str]:
    """Of the parts that can be folded."""
    return [part.label for part in at.expander]
