"""Runs in their store: made, executed, paused, resumed, cancelled, failed, deleted; Optuna sees the same."""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from svge_core.errors import DataError, SvgeError
from svge_core.search.runs import manage as runs
from svge_core.search.runs.manage import control, create_run, delete_run
from svge_core.search.runs.optuna_study import quiet
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import storage_url
from svge_core.search.runs.types import YOUR_LABELS, Evaluation, SearchConfig
from tests.support.runs import HERE, SPACE, cell_of, config, consistent, execute, started, trials, worth


def stop_after(storage: str, name: str, count: int, action: Any = "pause") -> Callable[[Evaluation], None]:
    """A callback that steers the run after some evaluations."""
    seen: list[Evaluation] = []

    def called(evaluation: Evaluation) -> None:
        seen.append(evaluation)
        if len(seen) == count:
            control(storage, name, action)

    return called


def test_a_run_waits_runs_and_finishes(storage: str) -> None:
    name = create_run(storage, config(batch=5))
    assert name == "nasbench201-random-0"
    view = read_run(storage, name)
    assert (view.state, view.evaluations, view.best) == ("waiting", (), None)
    assert view.domain_title == f"{SPACE.title}, equivalent cells once"
    seen: list[Evaluation] = []
    assert execute(storage, name, seen.append) == "finished"
    consistent(storage, name)
    view = read_run(storage, name)
    assert seen == list(view.evaluations)
    assert [e.number for e in seen] == list(range(12))
    assert all(e.values == (worth(e.cell),) and e.source == "random" and e.worker for e in seen)
    assert all(e.started and e.finished and e.started <= e.finished for e in seen)
    assert view.best_so_far().tolist() == np.maximum.accumulate([worth(e.cell) for e in seen]).tolist()
    assert view.best is not None
    assert view.best.values == (view.best_so_far()[-1],)
    assert execute(storage, name) == "finished"  # nothing to do
    assert len(read_run(storage, name).evaluations) == 12


def test_optuna_reads_the_run(storage: str) -> None:
    name = started(storage, objective=(f"{HERE}two:max,min",), method="evolution")
    execute(storage, name)
    study = optuna.load_study(study_name=name, storage=storage)
    assert json.loads(study.user_attrs["svge_config"]) == read_run(storage, name).config.to_dict()
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["two_1", "two_2"]
    assert len(study.best_trials) == len({e.values for e in read_run(storage, name).front()}) or study.best_trials
    for trial, evaluation in zip(study.trials, read_run(storage, name).evaluations, strict=True):
        assert (trial.number, cell_of(trial)) == (evaluation.number, evaluation.cell)
        assert trial.user_attrs["notation"] == evaluation.notation
        assert trial.user_attrs["source"] == evaluation.source
        assert set(trial.user_attrs["worker"]) == {"host", "pid", "birth"}
        assert trial.datetime_start is not None
        assert trial.datetime_complete is not None
    optuna.importance  # noqa: B018 - the parameters are plain categoricals, so every tool of Optuna's works
    assert set(study.trials_dataframe()["state"]) == {"COMPLETE"}


def test_the_dashboard_serves_the_run(storage: str) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    name = started(storage)
    execute(storage, name)
    app = dashboard.wsgi(optuna.storages.RDBStorage(storage))
    answer: list[str] = []
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/studies/1", "QUERY_STRING": "after=0", "SERVER_NAME": "x"}
    asked |= {"SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr}
    body = b"".join(app(asked, lambda status, *_: answer.append(status)))
    assert answer == ["200 OK"]
    assert len(json.loads(body)["trials"]) == 12


@pytest.mark.parametrize(
    ("method", "batch"), [("random", 1), ("evolution", 4), ("local-search", 1), ("reinforce", 4), ("tpe", 3)]
)
def test_a_resumed_run_proposes_the_same(storage: str, method: str, batch: int) -> None:
    whole = started(storage, method=method, batch=batch, budget=10, seed=3, name="whole")
    execute(storage, whole)
    parts = started(storage, method=method, batch=batch, budget=10, seed=3, name="parts")
    states = [execute(storage, parts, stop_after(storage, parts, 4))]
    while states[-1] != "finished":
        control(storage, parts, "run")
        states.append(execute(storage, parts, stop_after(storage, parts, 4)))
    assert states == ["paused", "paused", "finished"]
    one, other = read_run(storage, whole), read_run(storage, parts)
    assert [(e.number, e.cell, e.values, e.source) for e in one.evaluations] == [
        (e.number, e.cell, e.values, e.source) for e in other.evaluations
    ]
    consistent(storage, parts)


def test_seeds_differ(storage: str) -> None:
    names = [started(storage, seed=seed) for seed in (0, 1)]
    for name in names:
        execute(storage, name)
    first, second = ([e.cell for e in read_run(storage, name).evaluations] for name in names)
    assert first != second


def test_pause_keeps_proposals_and_cancel_hides_them(storage: str) -> None:
    name = started(storage, batch=6)
    assert execute(storage, name, stop_after(storage, name, 2)) == "paused"
    view = read_run(storage, name)
    assert [e.state for e in view.evaluations] == ["done"] * 2 + ["running"] * 4
    assert all(e.started is None and e.worker == "" for e in view.evaluations[2:])
    assert execute(storage, name) == "paused"  # still
    control(storage, name, "cancel")
    view = read_run(storage, name)
    assert (view.state, len(view.evaluations)) == ("cancelled", 2)
    assert execute(storage, name) == "cancelled"
    control(storage, name, "run")
    assert read_run(storage, name).state == "interrupted"
    assert execute(storage, name) == "finished"
    consistent(storage, name)


def test_failed_evaluations_are_kept_with_their_reason_and_cost_no_budget(storage: str) -> None:
    name = started(storage, objective=(f"{HERE}picky",), budget=12, distinct=False)
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    failed = [e for e in view.evaluations if e.state == "failed"]
    assert failed
    assert {e.problem for e in failed} == {"tests.support.runs:picky raised ValueError: no pooling"}
    assert all(e.values is None and e.notation.startswith("|avg_pool") and e.finished for e in failed)
    assert view.evaluated == 12
    states = [trial.state.name for trial in trials(storage, name)]
    assert (states.count("COMPLETE"), states.count("FAIL")) == (12, len(failed))
    assert view.frame()["state"].value_counts().to_dict() == {"done": 12, "failed": len(failed)}
    assert len(view.history().taken) == len(view.evaluations)


def test_five_failures_in_a_row_stop_a_run(storage: str) -> None:
    name = started(storage, objective=(f"{HERE}broken",), batch=3)
    assert execute(storage, name) == "failed"
    view = read_run(storage, name)
    assert len(view.evaluations) == 5
    assert view.problem.startswith("The last 5 evaluations failed; the latest: tests.support.runs:broken raised Zero")
    assert execute(storage, name) == "failed"  # stays so until somebody says run
    control(storage, name, "run")
    assert read_run(storage, name).problem == ""
    assert execute(storage, name) == "failed"
    assert len([e for e in read_run(storage, name).evaluations if e.state == "failed"]) == 10


def test_existing_labels_start_a_search_and_cost_no_budget(storage: str, tmp_path: Path) -> None:
    cells = [SPACE.from_index(index) for index in (7, 5, 11)]
    rows = [f'"{SPACE.format(cell)}",{value}' for cell, value in zip(cells, (1.5, 9.25, 3), strict=True)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["arch,accuracy", *rows]))
    name = started(storage, start_csv=str(path), method="local-search", budget=4)
    path.unlink()  # the labels are in the store
    view = read_run(storage, name)
    assert (view.state, view.start_count, view.evaluated) == ("waiting", 3, 0)
    assert {e.cell: e.values for e in view.done} == {
        SPACE.canonical(cell): (value,) for cell, value in zip(cells, (1.5, 9.25, 3.0), strict=True)
    }
    assert list_runs(storage)[0].best == 9.25
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    assert (view.start_count, view.evaluated, len(view.evaluations)) == (3, 4, 7)
    assert [e.source == YOUR_LABELS for e in view.evaluations] == [True] * 3 + [False] * 4
    assert view.best_so_far().tolist()[:3] == [9.25, 9.25, 9.25]
    assert len(trials(storage, name)) == 7
    best = SPACE.canonical(cells[1])
    first = view.evaluations[3].cell
    assert first in {SPACE.canonical(other) for other in SPACE.neighbours(best)}  # the method began from the labels
    consistent(storage, name)


def test_labels_that_do_not_fit_are_refused(storage: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,a,b\n5,1,2\n6,3,")
    with pytest.raises(DataError, match="mine.csv has no column 'worth'; its columns of numbers are a, b"):
        started(storage, start_csv=str(path))
    path.write_text("index,two_1,two_2\n5,1,\n6,,3")
    with pytest.raises(DataError, match="no architecture with a value of every goal"):
        started(storage, start_csv=str(path), objective=(f"{HERE}two:max,max",))
    with pytest.raises(DataError, match="There is no file"):
        started(storage, start_csv=str(tmp_path / "none.csv"))
    assert list_runs(storage) == []


def test_a_small_table_is_searched_to_the_end(storage: str, tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("\n".join(["index,score", *(f"{100 + i},{i}" for i in range(9))]))
    name = started(storage, objective=(f"csv:{path}:score",), budget=20, batch=4)
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    assert view.problem == "No cell is left to propose after 9 evaluations."
    assert view.domain_title == "NAS-Bench-201, restricted to the 9 cells with a known value"
    assert (view.evaluated, view.optimum) == (9, (8.0,))
    assert view.best is not None
    assert view.best.values == view.optimum


def test_fronts_are_the_undominated_ones(storage: str) -> None:
    name = started(storage, objective=("table:params_m", f"{HERE}worth"), budget=30)
    execute(storage, name)
    view = read_run(storage, name)
    front = view.front()
    utilities = view.values * [-1, 1]
    for evaluation, own in zip(view.done, utilities, strict=True):
        beaten = any((other >= own).all() and (other > own).any() for other in utilities)
        assert (evaluation in front) != beaten
    assert [e.values[0] for e in front if e.values] == sorted(e.values[0] for e in front if e.values)
    assert [goal.kind for goal in view.goals] == ["analytic", "measured"]
    assert view.optimum is None
    assert list_runs(storage)[0].best is None


def test_lists_are_newest_first_and_know_spaces(storage: str) -> None:
    assert list_runs(storage) == []
    names = [started(storage, budget=3) for _ in range(3)]
    assert names == ["nasbench201-random-0", "nasbench201-random-0-2", "nasbench201-random-0-3"]
    execute(storage, names[1])
    found = list_runs(storage, "nasbench201")
    assert [run.name for run in found] == names[::-1]
    assert [(run.state, run.done, run.budget) for run in found] == [
        ("waiting", 0, 3),
        ("finished", 3, 3),
        ("waiting", 0, 3),
    ]
    assert found[1].best == max(read_run(storage, names[1]).values[:, 0])
    assert list_runs(storage, "nasbench101") == []


def test_runs_are_deleted_with_their_study(storage: str) -> None:
    name, other = started(storage, budget=2), started(storage, budget=2)
    execute(storage, name)
    execute(storage, other)
    delete_run(storage, name)
    assert [run.name for run in list_runs(storage)] == [other]
    assert optuna.get_all_study_names(storage) == [other]
    with pytest.raises(DataError, match=f"There is no run '{name}': the latest are {other}"):
        read_run(storage, name)
    consistent(storage, other)
    assert started(storage) == name  # the name is free again


def test_a_run_deleted_while_it_works_ends_with_one_line(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = started(storage)
    monkeypatch.setattr(runs, "alive", lambda *_, **__: set())  # as if another machine's worker were thought dead
    with pytest.raises(DataError, match="was deleted"):
        execute(storage, name, lambda _: delete_run(storage, name))


def test_a_run_that_is_worked_on_is_not_deleted(storage: str) -> None:
    name = started(storage)
    found: list[str] = []

    def called(_: Evaluation) -> None:
        found.append(read_run(storage, name).state)
        if len(found) == 1:
            with pytest.raises(SvgeError, match="cancel it first"):
                delete_run(storage, name)

    execute(storage, name, called)
    assert found == ["running"] * 12


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"space": "mars"}, "Unknown search space 'mars'"),
        ({"space": None}, r"\$\.space: expected str, got null"),
        ({"objective": []}, "at least one objective"),
        ({"objective": "table:params_m"}, r"\$\.objective: expected array, got str"),
        ({"objective": ["params"]}, "Unknown objective 'params': expected table:KEY"),
        ({"objective": [3]}, r"\$\.objective\[0\]: expected str, got int"),
        ({"objective": ["x" * 1001]}, "An objective has at most 1000 characters"),
        ({"method": "magic"}, "Unknown search method 'magic'"),
        ({"budget": 0}, "The budget is a whole number from 1"),
        ({"budget": True}, r"\$\.budget: expected int, got bool"),
        ({"budget": 2.5}, r"\$\.budget: expected int, got float"),
        ({"seed": -1}, "The seed is a whole number from 0"),
        ({"batch": 0}, "The batch is a whole number from 1 to 256"),
        ({"checkpoint": ""}, "The checkpoint is a path"),
        ({"start_csv": 3}, r"\$\.start_csv: expected str \| null, got int"),
        ({"restricted": 1}, r"\$\.restricted: expected bool, got int"),
        ({"name": "../x"}, "The name is made of letters"),
        ({"race": "<b>"}, "The race is made of letters"),
    ],
)
def test_every_bad_field_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SvgeError, match=message) as caught:
        SearchConfig.from_dict({**config().to_dict(), **changed})
    assert "\n" not in str(caught.value)


def test_configurations_come_back_from_json() -> None:
    one = config(start_csv="a.csv", race="r", name="n", checkpoint="c", restricted=True)
    assert SearchConfig.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    for raw in (3, {}, {**one.to_dict(), "more": 1}, {**one.to_dict(), "objective": "table:x"}):
        with pytest.raises(DataError):
            SearchConfig.from_dict(raw)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense://x", "no driver for 'nonsense'"),
        ("://", "The storage is a URL such as"),
        ("sqlite://", "Runs are kept in a file"),
        ("sqlite:///:memory:", "Runs are kept in a file"),
        (
            "postgresql://me:secret@127.0.0.1:1/none",
            r"The store postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/none cannot",
        ),
    ],
)
def test_stores_that_cannot_be_used_are_one_line_without_password(url: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        list_runs(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, not a database, and they are longer than a header of a hundred bytes. " * 3)
    with pytest.raises(DataError, match="notes.db cannot be used: file is not a database"):
        list_runs(f"sqlite:///{path}")
    assert path.read_text().startswith("these are my notes")


def test_urls_take_the_pinned_driver_and_paths_are_files() -> None:
    assert storage_url("postgresql://h/d").drivername == "postgresql+psycopg"
    assert storage_url("postgres://h/d").drivername == "postgresql+psycopg"
    assert storage_url("runs/x.db").database == "runs/x.db"


def test_a_stored_function_is_imported_only_where_that_was_agreed_to(storage: str) -> None:
    name = started(storage)
    with pytest.raises(DataError, match="agree to that first"):
        execute(storage, name, allow_python=False)
    view = read_run(storage, name)
    assert view.state == "failed"
    assert "agree to that first" in view.problem
    control(storage, name, "run")
    assert execute(storage, name) == "finished"


def test_only_runs_that_are_there_are_steered(storage: str) -> None:
    with pytest.raises(DataError, match="There is no run 'x': the store is empty"):
        control(storage, "x", "run")


def test_notes_of_optuna_stay_away_while_any_thread_works_quietly() -> None:
    """The filters of warnings belong to the process: who leaves first must not take them from the others."""
    before = (optuna.logging.get_verbosity(), list(warnings.filters))
    first, second = quiet(), quiet()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with warnings.catch_warnings(record=True) as noted:
        warnings.warn("x", optuna.exceptions.ExperimentalWarning, stacklevel=1)
    assert not noted and optuna.logging.get_verbosity() == optuna.logging.WARNING
    second.__exit__(None, None, None)
    assert (optuna.logging.get_verbosity(), list(warnings.filters)) == before
