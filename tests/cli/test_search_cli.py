"""The commands ``search`` and ``worker``: for people, for machines, and for a user's mistakes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from svge_core.__main__ import build_parser
from svge_core.search.runs.manage import control, create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store, runs
from tests.support.cli import RunCommand
from tests.support.paths import ROOT
from tests.support.runs import HERE, SPACE, config, consistent, started
from tests.support.waiting import until


def test_a_search_for_machines(run: RunCommand, storage: str) -> None:
    (found,) = run("search", "--objective", f"{HERE}worth", "--budget", 5, "--storage", storage)
    view = read_run(storage, found["name"])
    assert view.best is not None
    assert view.best.values is not None
    assert found == {
        "name": "nasbench201-random-0",
        "state": "finished",
        "problem": "",
        "domain": f"{SPACE.title}, equivalent cells once",
        "goals": [view.goals[0].meaning.to_dict()],
        "evaluated": 5,
        "budget": 5,
        "your_labels": 0,
        "best": [{"architecture": view.best.notation, "values": list(view.best.values), "number": view.best.number}],
        "remarks": [],
    }


def test_a_race_for_people_with_labels(run: RunCommand, storage: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,worth\n15,9.5\n")
    words = ["search", "--objective", f"{HERE}worth", "--budget", 4, "--seeds", 2, "--name", "race"]
    text = run(*words, "--start", path, "--storage", storage, expect_json=False)
    assert "race-0: finished, 4 of 4 evaluations beside 1 label of yours, NAS-Bench-201" in text
    assert text.count(f"  worth 9.5 (measured)  {SPACE.format(SPACE.from_index(15))}") == 2
    rows = run("search", "--list", "--storage", storage)
    assert [(row["name"], row["state"], row["best"], row["seed"]) for row in rows] == [
        ("race-1", "finished", 9.5, 1),
        ("race-0", "finished", 9.5, 0),
    ]
    assert {read_run(storage, row["name"]).config.race for row in rows} == {"race"}
    text = run("search", "--list", "--storage", storage, expect_json=False)
    assert text.splitlines()[0].split()[:5] == ["race-1", "finished", "4", "of", "4"]


def test_fronts_of_several_goals(run: RunCommand, storage: str) -> None:
    words = ["search", "--objective", "table:params_m", "--objective", f"{HERE}worth", "--budget", 8]
    (found,) = run(*words, "--storage", storage)
    view = read_run(storage, found["name"])
    assert [tuple(row["values"]) for row in found["front"]] == [e.values for e in view.front()]
    assert "best" not in found


def test_resuming_a_run_and_a_race(run: RunCommand, storage: str) -> None:
    names = [create_run(storage, config(seed=seed, race="r", name=f"r-{seed}", budget=3)) for seed in (0, 1)]
    control(storage, names[0], "pause")
    (found,) = run("search", "--resume", "r-0", "--allow-python", "--storage", storage)
    assert found["state"] == "finished"
    (found,) = run("search", "--resume", "r", "--allow-python", "--storage", storage)
    assert (found["name"], found["state"]) == ("r-1", "finished")


def test_a_table_travels_in_the_store(run: RunCommand, fails: RunCommand, storage: str, tmp_path: Path) -> None:
    path, where = tmp_path / "mine.csv", ("--storage", storage)
    path.write_text("index,acc\n1,90\n2,91\n3,92\n")
    run("search", "--objective", f"csv:{path}:acc", "--budget", 2, "--name", "one", *where)
    text = run("search", "--list", *where, expect_json=False)
    assert text.split()[-1] == "csv:mine.csv:acc"
    assert "leave --table away" in fails("search", "--resume", "one", "--table", path, *where)
    assert "name the run with --resume" in fails("search", "--table", path, *where)
    name = started(storage, objective=(f"csv:{path}:acc",), budget=2)
    with open_store(storage) as engine, engine.begin() as connection:  # as an earlier version wrote it
        old = {**read_run(storage, name).config.to_dict(), "objective": ["csv:/elsewhere/mine.csv:acc"]}
        connection.execute(sa.update(runs).where(runs.c.name == name).values(config=json.dumps(old)))
    advice = f"Give it again: python -m svge_core search --resume {name} --table FILE"
    assert advice in fails("worker", "--study", name, *where)
    assert advice in fails("search", "--resume", name, *where)
    (found,) = run("search", "--resume", name, "--table", path, *where)
    assert (found["state"], found["evaluated"]) == ("finished", 2)


def test_a_worker_finishes_what_is_there(run: RunCommand, storage: str) -> None:
    name = started(storage, budget=3)
    assert run("worker", "--study", name, "--allow-python", "--storage", storage)["evaluated"] == 3
    text = run("worker", "--study", name, "--allow-python", "--storage", storage, expect_json=False)
    assert text.startswith(f"{name}: finished, 3 of 3 evaluations")


def test_the_storage_comes_from_the_environment(
    run: RunCommand,
    storage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SVGE_STORAGE", storage)
    assert run("search", "--list") == []
    assert run("search", "--list", expect_json=False).startswith("There are no runs: there is no store ")
    list_runs(storage)  # makes it
    assert run("search", "--list", expect_json=False) == "There are no runs.\n"


def test_looking_for_runs_makes_no_store(run: RunCommand, fails: RunCommand, tmp_path: Path) -> None:
    """A misspelt name would otherwise be a new file."""
    where = ("--storage", tmp_path / "foo")
    assert run("search", "--list", *where) == []
    assert f"there is no store {tmp_path / 'foo'}" in fails("search", "--resume", "x", *where)
    assert "There is no run 'x': there is no store" in fails("worker", "--study", "x", *where)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_one_line(
    fails: RunCommand, storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--storage", storage)
    list_runs(storage)  # makes it
    assert "Give an --objective" in fails("search", *where)
    assert "Unknown objective 'accuracy'" in fails("search", "--objective", "accuracy", *where)
    assert "no function 'nothing'" in fails("search", "--objective", f"{HERE}nothing", *where)
    assert "There is no run 'x': the store is empty" in fails("search", "--resume", "x", *where)
    assert "There is no run 'x'" in fails("worker", "--study", "x", *where)
    assert "leave --objective away" in fails("search", "--resume", "x", "--objective", "table:params_m", *where)
    assert "expected a whole number from 1" in fails("search", "--budget", "0", *where)
    assert "invalid choice" in fails("search", "--method", "magic", *where)
    assert "The name is made of letters" in fails("search", "--objective", "table:params_m", "--name", "a b", *where)
    assert "There is no file" in fails("search", "--objective", "table:params_m", "--start", tmp_path / "x", *where)
    assert "Runs are kept in a file" in fails("search", "--list", "--storage", "sqlite://")
    missing = tmp_path / "none"
    monkeypatch.chdir(tmp_path)  # where the default of the command line leads nowhere
    words = ("search", "--objective", "table:params_m", "--method", "latent-bo")
    assert "No checkpoint in checkpoints/nasbench201/svge" in fails(*words, *where)
    usual = tmp_path / "checkpoints" / "nasbench201" / "function"
    usual.mkdir(parents=True)
    (usual.parent / "DEFAULT").write_text("function\n")
    assert "No checkpoint in checkpoints/nasbench201/svge" in fails(*words, *where), "the one it names is not there"
    (usual / "meta.json").write_text("{}")
    assert "checkpoints/nasbench201/function" in fails(*words, *where)
    (usual.parent / "DEFAULT").write_text("../nasbench201/function")
    assert "No checkpoint in checkpoints/nasbench201/svge" in fails(*words, *where), "a name is no path"
    words = (*words, "--checkpoint", missing)
    assert "No checkpoint in" in fails(*words, *where)
    name = started(storage)
    assert "agree to that first (--allow-python)." in fails("search", "--resume", name, *where)


def test_a_failed_search_says_why_and_exits_with_2(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    from svge_core.__main__ import main

    words = ["search", "--objective", f"{HERE}broken", "--storage", storage]
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert "The last 5 evaluations failed" in out + err
    assert main([*words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["state"] == "failed"


def test_a_function_that_ends_its_process_ends_no_command(
    storage: str, tmp_path: Path, run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_TEST_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("SVGE_TEST_WAY", "os._exit")
    words = ("search", "--objective", "python:tests.support.deadly:deadly_for_one", "--budget", 3, "--storage", storage)
    (found,) = run(*words)
    assert (found["state"], found["evaluated"]) == ("finished", 3)
    (failed,) = (e for e in read_run(storage, found["name"]).evaluations if e.state == "failed")
    assert failed.problem == "its worker died three times (last: exit status 137)"


def test_the_command_is_killed_and_goes_on(storage: str, tmp_path: Path) -> None:
    name = started(storage, budget=30, objective=(f"{HERE}logged",))
    command = [sys.executable, "-m", "svge_core", "search", "--resume", name, "--allow-python", "--json"]
    gate = tmp_path / "gate"
    environment = {
        **os.environ,
        "SVGE_STORAGE": storage,
        "OMP_NUM_THREADS": "1",
        "SVGE_TEST_LOG": str(tmp_path / "log"),
    }
    environment |= {"SVGE_TEST_GATE": str(gate), "SVGE_TEST_FREE": "3"}  # the fourth waits to be killed
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: process.poll() is not None or read_run(storage, name).evaluated == 3)
    assert read_run(storage, name).state == "running"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    view = read_run(storage, name)
    assert view.state == "interrupted"
    known = set(view.done)
    gate.touch()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["evaluated"] == 30
    consistent(storage, name)
    assert known <= set(read_run(storage, name).done)


def test_only_commands_that_run_a_stored_run_take_leave_to_import_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--storage", "sqlite:///a.db", "--allow-python", "python:mine:f"]
    for command in (["search", "--resume", "one"], ["worker", "--study", "one"]):
        assert build_parser(command[0]).parse_args([*command, *words]).allow_python == ["python:mine:f"]
    for kind in ("race", "front"):
        with pytest.raises(SystemExit):
            build_parser("figure").parse_args(["figure", kind, "one", "--out", "a.pdf", *words])
        assert "unrecognized arguments: --allow-python" in capsys.readouterr().err
