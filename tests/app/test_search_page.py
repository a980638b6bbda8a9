"""The Search page under AppTest, over a store of its own: empty, full, linked, wrong; forms, buttons, words."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from svge_core.jobs.records import SearchJob
from svge_core.search.runs.manage import control, create_run
from svge_core.search.runs.races import RaceNotes, race_notes
from svge_core.search.runs.reading import list_runs
from svge_core.search.runs.tables import open_store
from svge_core.search.runs.types import SearchConfig
from tests.support.app_driver import App, checked, choose, open_app, press, select_row, words
from tests.support.search_page import finished, listed, search_page, start_jobs, widget
from ui.search.run import table_frame, written
from ui.shared.theme import plain
from ui.visitors import asking

pytestmark = pytest.mark.usefixtures("environment", "store")


# ---- empty and wrong --------------------------------------------------------------------------------------------


def test_without_runs_the_page_says_what_a_search_is_and_starts_one_by_a_click(store: str) -> None:
    at = search_page()
    assert "No search of NAS-Bench-201 yet" in words(at)
    assert "CIFAR-10 validation accuracy (measured); Latent Bayesian optimisation" in words(at)
    press(at, "search-first-race-0")
    (plan,) = start_jobs().plans()
    assert plan.of == 12 and not plan.python
    assert {config.method for config in plan.configs} == {"latent-bo", "local-search", "evolution", "random"}
    assert {(c.budget, c.objective) for c in plan.configs} == {(60, ("table:cifar10_valid",))}
    assert [c.seed for c in plan.configs] == [0] * 4 + [1] * 4 + [2] * 4
    assert "Preparing run 1 of 12" in words(at)


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> str:
    """This browser, on a shared server."""
    monkeypatch.setenv("SVGE_SHARED", "1")
    monkeypatch.setattr(asking, "visitor", lambda: "a" * 32)
    return "a" * 32


@pytest.mark.parametrize(("limit", "runs"), [(1, 1), (3, 3), (5, 4), (9, 8), (12, 12)])
def test_the_first_race_fits_into_the_limits(
    store: str, visitor: str, limit: int, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_SHARED_RUNS", str(limit))
    at = search_page()
    assert f"0 of {limit} wait or run" in words(at).replace("\\", "")
    assert ("1 seed. Or" if runs < 8 else f"{runs // 4} seeds. Or") in words(at).replace("\\", "")
    assert not widget(at, "search-first-race-0").disabled
    press(at, "search-first-race-0")
    (plan,) = start_jobs().plans()
    assert plan.of == runs and plan.owner == visitor


def test_a_first_race_that_cannot_start_is_off_with_the_reason(
    store: str, visitor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_SHARED_RUNS", "0")
    at = search_page()
    assert widget(at, "search-first-race-0").disabled
    reason = "0 searches of yours at once: 1 asked for. Please ask the person who runs this server."
    assert reason in words(at).replace("\\", "")


def test_the_quota_is_said_once_and_before_the_form(store: str, visitor: str) -> None:
    at = search_page()
    assert sum("This server is shared" in caption.value for caption in at.caption) == 1
    form = next(form for form in at.expander if form.label == "New race")
    assert not [caption for caption in form.caption if "This server is shared" in caption.value]


def test_a_store_that_cannot_be_used_is_one_line(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_STORAGE", "nonsense://x")
    at = search_page()
    assert len(at.error) == 1 and "Runs cannot be read" in at.error[0].value
    assert "SVGE_STORAGE" in words(at)


def linked(run: str) -> App:
    """The page as a link to a run opens it."""
    at = open_app()
    at.switch_page("pages/search.py")
    at.query_params["run"] = run
    return checked(at.run())


def test_a_link_to_a_run_that_is_not_there_is_said(store: str) -> None:
    at = linked("<b>x</b>")
    assert any("not in this store" in warning.value for warning in at.warning)


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
    at = linked(first)
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
    monkeypatch.setattr(asking, "local_browser", lambda: True)
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
    assert [e.values for e in run.leading(2)] == [(3.0,), (2.0,)]
    assert [e.number for e in view([2.0, 3.0, 3.0, 2.0]).leading(4)] == [1, 2, 0, 3], "the earliest of equal ones first"
    assert [e.values for e in view([1.0, 3.0], goals=[PARAMS]).leading(1)] == [(1.0,)]
    assert len(view([(1.0, 1.0), (2.0, 2.0)], goals=[ACCURACY, PARAMS]).leading(1)) == 2
    assert table_frame(run)["predicted"].tolist()[0] == "≈ 90.00 ± 0.50"
    bare = view([123_456.78, 0.00012345, 12_345.0], goals=[replace(ACCURACY, unit="")])
    table = written(table_frame(bare), bare.goals).to_html()
    assert all(f">{shown}<" in table for shown in ("123,457", "0.0001234", "12,345")), "as the card writes them"
    control(store, finished(store), "run")


def test_a_run_that_cannot_be_read_is_named_and_hides_no_other(store: str) -> None:
    for race in ("one", "two"):
        finished(store, race=race)
    with open_store(store) as engine, engine.begin() as connection:
        connection.execute(sa.text("update svge_runs set created = 1e300 where name = 'random-0-one'"))
    at = search_page()
    frame = next(table.value for table in at.dataframe if "Why" in table.value.columns)
    assert frame.to_dict("records") == [{"Name": "random-0-one", "Why": "its 'created' is not a time: 1e+300"}]
    assert listed(at, "Race").value == "nasbench201/two" and "All 1 run in the store" in labels(at)
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


def test_a_race_is_named_and_its_note_is_shown(store: str) -> None:
    """In the list, beside the chart, for others and in the export; the name can be taken back."""
    for seed in (0, 1):
        finished(store, "random", seed, race="r-1")
    finished(store, "random", 2, race="r-2")
    at = search_page()
    listed(at, "Race").set_value("nasbench201/r-1")
    checked(at.run())
    assert "Warm starts" not in words(at)
    at.get_by_key("search-race-title-nasbench201/r-1").set_value("Warm <b>starts</b>")
    at.get_by_key("search-race-note-nasbench201/r-1").set_value("*Longer* scales.\nSeeds as before.")
    press(at, "search-race-save")
    assert race_notes(store) == {"r-1": RaceNotes("Warm <b>starts</b>", "*Longer* scales.\nSeeds as before.")}
    assert listed(at, "Race").value == "nasbench201/r-1"
    other = search_page()
    listed(other, "Race").set_value("nasbench201/r-1")
    checked(other.run())
    for page in (at, other):
        assert any(option.startswith("Warm <b>starts</b> · ") for option in listed(page, "Race").options)
        assert "*Longer* scales." in words(page)
    at.get_by_key("search-race-title-nasbench201/r-1").set_value("")
    at.get_by_key("search-race-note-nasbench201/r-1").set_value("")
    press(at, "search-race-save")
    assert race_notes(store) == {} and not any("Warm" in option for option in listed(at, "Race").options)
