"""Rows of a store that cannot be read: named in one line, and never in the way of others."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa

from svge_core.errors import DataError, SvgeError
from svge_core.search.runs import ledger, optuna_study
from svge_core.search.runs.manage import control, create_run, delete_run
from svge_core.search.runs.processes import GRACE_SECONDS, Worker
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store, workers
from svge_core.search.runs.types import RunSummary, UnreadableRun
from svge_core.search.searchers import Proposal
from tests.support.cli import RunCommand
from tests.support.runs import SPACE, config, consistent, execute, started

TABLE = ("table:params_m",)


def database(storage: str) -> sqlite3.Connection:
    return sqlite3.connect(storage.removeprefix("sqlite:///"))


def change(storage: str, statement: str, *values: object) -> None:
    """Write past the library, as other hands do."""
    with database(storage) as connection:
        assert connection.execute(statement, values).rowcount > 0


def with_config(storage: str, **changed: object) -> None:
    """Other settings in the stored run ``bad``."""
    with database(storage) as connection:
        (text,) = connection.execute("select config from svge_runs where name = 'bad'").fetchone()
    change(storage, "update svge_runs set config = ? where name = 'bad'", json.dumps({**json.loads(text), **changed}))


def run_column(column: str, value: object) -> Callable[[str], None]:
    return lambda storage: change(storage, f"update svge_runs set {column} = ? where name = 'bad'", value)


def claim_column(column: str, value: object) -> Callable[[str], None]:
    bad = "(select id from svge_runs where name = 'bad')"
    return lambda storage: change(storage, f"update svge_claims set {column} = ? where run_id = {bad}", value)


#: what is wrong with the run ``bad``, and what must be said of it
DAMAGE: dict[str, tuple[Callable[[str], None], str]] = {
    "a time that no calendar has": (run_column("created", 1e300), "its 'created' is not a time: 1e+300"),
    "a time before all calendars": (run_column("created", -1e18), "its 'created' is not a time: -1e+18"),
    "a text for a time": (run_column("created", "yesterday"), "its 'created' is not a number: 'yesterday'"),
    "an infinite time": (run_column("created", float("inf")), "its 'created' is not a number: inf"),
    "JSON that is cut off": (run_column("config", '{"space": "nas'), "its 'config' is not JSON"),
    "JSON nested without end": (run_column("config", "[" * 100_000), "its 'config' is not JSON"),
    "no JSON at all": (run_column("config", b"\x00\xff"), "its 'config' is not JSON"),
    "goals nested without end": (run_column("goals", "[" * 100_000), "its 'goals' is not JSON"),
    "goals of another kind": (run_column("goals", "[3]"), "got int"),
    "no goals": (run_column("goals", "[]"), "its 'goals' is not a list of goals: '[]'"),
    "an unknown end": (run_column("ended", "exploded"), "its 'ended' is not one of finished, failed: 'exploded'"),
    "an unknown order": (run_column("control", "jump"), "its 'control' is not one of run, pause, cancel: 'jump'"),
    "a text for a count": (run_column("streak", "many"), "its 'streak' is not a number: 'many'"),
    "a number for a text": (run_column("problem", b"\x01"), "its 'problem' is not a text"),
    "a space of later": (lambda s: with_config(s, space="nasbench999"), "Unknown search space 'nasbench999'"),
    "a method of later": (lambda s: with_config(s, method="oracle"), "Unknown search method 'oracle'"),
    "a field of later": (lambda s: with_config(s, later=1), "later"),
    "an objective of later": (lambda s: with_config(s, objective=["magic:x"]), "Unknown objective 'magic:x'"),
    "half a table": (lambda s: with_config(s, objective=["csv:x"]), "A user's table is named csv:FILE:COLUMN"),
    "damaged bytes": (
        lambda s: change(s, "update svge_runs set config = cast(x'7bff80' as text) where name = 'bad'"),
        "its 'config' is not JSON",
    ),
    "an unknown state of a cell": (
        claim_column("state", "odd"),
        "its 'state' is not one of open, done, failed, pruned: 'odd'",
    ),
    "a text for a value": (claim_column("value", "good"), "its 'least' is not a number: 'good'"),
    "an infinite value": (claim_column("value", float("inf")), "its 'least' is not a number: inf"),
}


@pytest.fixture
def damaged(storage: str) -> str:
    """A store with two finished runs, ``bad`` and ``good``, of which nothing is damaged yet."""
    for name in ("good", "bad"):
        execute(storage, started(storage, name=name, objective=TABLE, budget=2))
    return storage


@pytest.mark.parametrize("what", DAMAGE)
def test_a_run_that_cannot_be_read_is_one_line_in_the_list(damaged: str, what: str) -> None:
    damage, why = DAMAGE[what]
    good = next(run for run in list_runs(damaged) if run.name == "good")
    damage(damaged)
    assert next(run for run in list_runs(damaged) if run.name == "good") == good
    (bad,) = (run for run in list_runs(damaged) if run.name == "bad")
    assert isinstance(bad, UnreadableRun) and bad.state == "unreadable"
    assert why in bad.problem and "\n" not in bad.problem and len(bad.problem) <= 330
    assert len(list_runs(damaged)) == 2
    if "value" not in what:  # which only lists look up
        with pytest.raises(DataError, match="The run 'bad' cannot be read: ") as caught:
            read_run(damaged, "bad")
        assert "\n" not in str(caught.value)
    delete_run(damaged, "bad")
    assert list_runs(damaged) == [good]


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("finished", 1e300, "its 'finished' is not a time: 1e+300"),
        ("started", "noon", "its 'started' is not a number: 'noon'"),
        ("numbers", "[" * 100_000, "its 'numbers' is not JSON"),
        ("numbers", '["1"]', "its 'numbers' is not a list of numbers"),
        ("numbers", "[1.0, 2.0]", "an evaluation has not one value per goal"),
        ("numbers", None, "an evaluation has not one value per goal"),
        ("genotype", "[1]", "its 'genotype' is not a cell of nasbench201: '[1]'"),
        ("genotype", "[" * 100_000, "its 'genotype' is not a cell of nasbench201"),
        ("mean", "often", "its 'mean' is not a number: 'often'"),
        ("state", "odd", "its 'state' is not one of open, done, failed, pruned: 'odd'"),
    ],
)
def test_an_evaluation_that_cannot_be_read_is_named(damaged: str, column: str, value: object, why: str) -> None:
    change(damaged, f"update svge_claims set {column} = ? where id = (select max(id) from svge_claims)", value)
    with pytest.raises(DataError, match="The run 'bad' cannot be read: ") as caught:
        read_run(damaged, "bad")
    assert why in str(caught.value) and "\n" not in str(caught.value)
    assert read_run(damaged, "good").state == "finished"


@pytest.mark.parametrize("what", ["JSON nested without end", "a text for a count", "a method of later"])
def test_a_worker_of_a_run_that_cannot_be_read_says_so(damaged: str, what: str) -> None:
    DAMAGE[what][0](damaged)
    with pytest.raises(DataError, match="The run 'bad' cannot be read: "):
        execute(damaged, "bad")


def test_a_worker_that_finds_a_damaged_cell_says_so(storage: str) -> None:
    name = started(storage, objective=TABLE, budget=4)
    with open_store(storage) as engine:
        me = Worker()
        ledger.enrol(engine, 1, me)
        assert ledger.claim(engine, 1, SPACE, me, [Proposal(SPACE.canonical(SPACE.from_index(5)), "test")], 4)
        ledger.release(engine, 1, me)
        ledger.beat(engine, me, "ended")
    change(storage, "update svge_claims set genotype = '[['")
    with pytest.raises(DataError, match="its 'genotype' is not a cell of nasbench201"):
        execute(storage, name)


def test_the_command_lists_what_cannot_be_read(damaged: str, run: RunCommand, fails: RunCommand) -> None:
    DAMAGE["a time that no calendar has"][0](damaged)
    text = run("search", "--list", "--storage", damaged, expect_json=False)
    assert text.splitlines()[0] == "bad   unreadable   its 'created' is not a time: 1e+300"
    assert text.splitlines()[1].startswith("good  finished ")
    bad, good = run("search", "--list", "--storage", damaged)
    assert (bad["name"], bad["state"], bad["problem"]) == ("bad", "unreadable", "its 'created' is not a time: 1e+300")
    assert (bad["space"], good["space"], good["problem"]) == (None, "nasbench201", "")
    DAMAGE["JSON that is cut off"][0](damaged)
    assert "The run 'bad' cannot be read: its 'config' is not JSON" in fails(
        "search", "--resume", "bad", "--storage", damaged
    )


def test_a_name_that_cannot_be_shown_is_shown_by_its_escapes(damaged: str) -> None:
    change(damaged, "update svge_runs set name = 'b\x1b[31mad' where name = 'bad'")
    assert {run.name for run in list_runs(damaged)} == {"good", r"b\x1b[31mad"}


def test_a_name_that_leads_out_of_a_folder_is_that_of_no_run(damaged: str) -> None:
    """Files on this machine are called after a run: records of its process, and what is exported."""
    name = "x/../../../elsewhere"
    change(damaged, "update svge_runs set name = ? where name = 'bad'", name)
    (bad,) = (run for run in list_runs(damaged) if run.name == name)
    assert isinstance(bad, UnreadableRun) and "its 'name' is not that of its settings" in bad.problem
    with database(damaged) as connection:
        (text,) = connection.execute("select config from svge_runs where name = ?", (name,)).fetchone()
    change(
        damaged, "update svge_runs set config = ? where name = ?", json.dumps({**json.loads(text), "name": name}), name
    )
    (bad,) = (run for run in list_runs(damaged) if run.name == name)
    assert isinstance(bad, UnreadableRun) and "The name is made of letters" in bad.problem


@pytest.mark.parametrize("column", ["beat", "pid"])
def test_a_worker_that_cannot_be_read_is_dead(storage: str, column: str) -> None:
    name = started(storage, objective=TABLE, budget=2)
    with open_store(storage) as engine:
        ledger.enrol(engine, 1, Worker() if column == "pid" else replace(Worker(), place="elsewhere"))
    assert read_run(storage, name).state == "running"
    change(storage, f"update svge_workers set {column} = 'soon'")
    assert [run.state for run in list_runs(storage)] == ["interrupted"]
    assert execute(storage, name) == "finished"


@pytest.mark.parametrize("ahead", [GRACE_SECONDS + 30, 1e9, 1e300])
def test_a_sign_of_life_that_lies_ahead_keeps_nobody_alive(storage: str, ahead: float) -> None:
    """By the clock of the store; a clock that is a little ahead is no lie."""
    name = started(storage, objective=TABLE, budget=2)
    with open_store(storage) as engine:
        far = replace(Worker(), place="elsewhere", host="far")
        ledger.enrol(engine, 1, far)
        assert ledger.claim(engine, 1, SPACE, far, [Proposal(SPACE.canonical(SPACE.from_index(5)), "test")], 2)
        beat = workers.c.beat
        with engine.begin() as connection:
            connection.execute(sa.update(workers).values(beat=beat + GRACE_SECONDS / 2))
        assert read_run(storage, name).state == "running"
        with engine.begin() as connection:
            connection.execute(sa.update(workers).values(beat=beat + ahead))
    assert read_run(storage, name).state == "interrupted"
    assert execute(storage, name) == "finished"
    consistent(storage, name)


def test_a_study_that_was_deleted_by_other_tools_is_one_line(storage: str, caplog: pytest.LogCaptureFixture) -> None:
    name = started(storage, objective=TABLE, budget=3)
    optuna.delete_study(study_name=name, storage=storage)
    assert execute(storage, name) == "finished"
    said = f"The Optuna study of the run {name} is gone: the run goes on, Optuna's tools cannot see it."
    assert [record.getMessage() for record in caplog.records if record.name.startswith("svge")] == [said]
    assert read_run(storage, name).evaluated == 3
    delete_run(storage, name)
    assert list_runs(storage) == []


def test_a_run_whose_making_was_cut_off_is_one_line_and_can_be_deleted(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    started(storage, name="other", objective=TABLE)
    goals = read_run(storage, "other").goals
    assert optuna_study.create_study(storage, "half", goals, config(name="half").to_dict()) is not None  # then a kill
    assert [run.name for run in list_runs(storage)] == ["other"]
    for action in (lambda: read_run(storage, "half"), lambda: control(storage, "half", "run")):
        with pytest.raises(DataError, match="The run 'half' is half made: ") as caught:
            action()
        assert "\n" not in str(caught.value)
    assert started(storage, name="half", objective=TABLE) == "half-2"
    delete_run(storage, "half")
    assert started(storage, name="half", objective=TABLE) == "half"
    optuna.create_study(study_name="of others", storage=storage)  # is none of ours
    with pytest.raises(DataError, match="There is no run 'of others'"):
        delete_run(storage, "of others")
    # who is only interrupted leaves nothing
    monkeypatch.setattr("svge_core.search.runs.manage.insert_labels", killed)
    with pytest.raises(KeyboardInterrupt):
        create_run(storage, config(name="stopped", objective=TABLE))
    assert "stopped" not in optuna.get_all_study_names(storage)


def test_damaged_pages_of_the_database_are_one_line(damaged: str) -> None:
    path = Path(damaged.removeprefix("sqlite:///"))
    with open_store(damaged) as engine:
        engine.dispose()
    with database(damaged) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="cannot be used: ") as caught:
        list_runs(damaged)
    assert "\n" not in str(caught.value)


def test_damaged_bytes_in_optunas_tables_are_one_line(damaged: str) -> None:
    change(damaged, "update studies set study_name = cast(x'ff80' as text) where study_name = 'bad'")
    assert {run.name for run in list_runs(damaged)} == {"good", "bad"}
    change(damaged, "update alembic_version set version_num = 'v99.0.0'")
    optuna_study._storage.cache_clear()
    with pytest.raises(SvgeError, match="The Optuna tables of the store cannot be used: ") as caught:
        started(damaged, objective=TABLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["sqlite:///a\0b.db", "a\0b", "postgresql://u:p\0@h/d", "postgresql://u:p@h/d?host=\0", "postgresql://h/%00"]
)
def test_nul_in_the_name_of_a_store_is_one_line(url: str) -> None:
    with pytest.raises(DataError, match="The storage is a URL without NUL characters"):
        list_runs(url)


def test_a_summary_says_why_its_run_failed(storage: str) -> None:
    name = started(storage)
    with pytest.raises(DataError):
        execute(storage, name, allow_python=False)
    (found,) = list_runs(storage)
    assert isinstance(found, RunSummary) and "agree to that first" in found.problem
