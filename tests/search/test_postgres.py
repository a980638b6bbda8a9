"""Many workers on one real PostgreSQL: distinct cells, an exact budget; killed workers and servers do not matter."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import optuna
import pytest

from svge_core.errors import DataError
from svge_core.search.runs import ledger
from svge_core.search.runs.manage import control, delete_run
from svge_core.search.runs.mirror import Mirror
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import storage_url
from svge_core.search.runs.types import Evaluation
from tests.support.killing import dying
from tests.support.postgres import Server
from tests.support.runs import HERE, begun, consistent, execute, in_child, kill, started
from tests.support.waiting import PATIENCE, until


@pytest.fixture(name="storage", scope="module")
def one_store(postgres: Server) -> str:
    """One database for all tests but those that need a new one."""
    return postgres.new_database()


def test_a_run_lives_in_postgresql(storage: str) -> None:
    name = started(storage, method="evolution", batch=3, budget=9)
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    (summary,) = (run for run in list_runs(storage) if run.name == name)
    assert (summary.state, summary.done) == ("finished", 9)
    study_of_run = optuna.load_study(study_name=name, storage=storage_url(storage).render_as_string())
    assert study_of_run.best_value == summary.best
    delete_run(storage, name)
    assert name not in {run.name for run in list_runs(storage)}


def test_sqlite_and_postgresql_tell_the_same_story(storage: str, tmp_path: Any) -> None:
    stories = []
    for url in (storage, f"sqlite:///{tmp_path / 's.db'}"):
        name = started(url, method="local-search", budget=8, batch=2, seed=9)
        execute(url, name)
        stories.append([(e.number, e.cell, e.values) for e in read_run(url, name).evaluations])
    assert stories[0] == stories[1]


def test_new_stores_are_opened_by_many_at_once(postgres: Server) -> None:
    storage = postgres.new_database()
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda seed: started(storage, seed=seed, name="race"), range(4)))
    assert len(set(names)) == 4
    assert {run.name for run in list_runs(storage)} == set(names)


def test_four_workers_one_killed(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    monkeypatch.setenv("SVGE_TEST_LOG", str(log))
    monkeypatch.setenv("SVGE_TEST_GATE", str(gate))
    name = started(storage, budget=40, batch=2, objective=(f"{HERE}logged",))
    crew = [in_child(lambda: execute(storage, name, wait=True)) for _ in range(4)]
    until(lambda: len(begun(log)) == 4)  # each is at a cell and waits
    gate.touch()
    until(lambda: read_run(storage, name).evaluated >= 10)
    kill(crew[0])
    known = set(read_run(storage, name).done)
    for process in crew[1:]:
        process.join(PATIENCE)
        assert process.exitcode == 0
    consistent(storage, name)
    view = read_run(storage, name)
    assert known <= set(view.done)
    assert len({e.worker for e in view.evaluations}) >= 3


@pytest.mark.parametrize(
    ("module", "function", "call", "after"),
    [(ledger, "_mine", 4, True), (ledger, "claim", 2, True), (Mirror, "_add", 1, True), (Mirror, "_add", 1, False)],
)
def test_a_transaction_that_dies_leaves_nothing(
    storage: str, module: Any, function: str, call: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = started(storage, budget=6, batch=2)
    monkeypatch.setattr(module, function, dying(getattr(module, function), call, after=after))
    child = in_child(lambda: execute(storage, name))
    child.join(PATIENCE)
    monkeypatch.undo()
    assert child.exitcode == -signal.SIGKILL
    view = read_run(storage, name)  # the mirror follows by itself: all cells may be settled before it dies
    assert view.state == ("finished" if module is Mirror and view.evaluated == 6 else "interrupted")
    assert execute(storage, name) == "finished"
    consistent(storage, name)


def test_a_server_that_crashes_is_waited_for(postgres: Server, storage: str) -> None:
    name = started(storage, budget=6)
    seen: list[Evaluation] = []

    def crash(evaluation: Evaluation) -> None:
        seen.append(evaluation)
        if len(seen) == 3:
            postgres.stop("immediate")
            with ThreadPoolExecutor(1) as pool:
                pool.submit(postgres.start).result()

    assert execute(storage, name, crash) == "finished"
    consistent(storage, name)


def test_control_reaches_workers_elsewhere(storage: str) -> None:
    name = started(storage, budget=8)

    def pause(evaluation: Evaluation) -> None:
        if evaluation.number == 2:
            control(storage, name, "pause")

    child = in_child(lambda: execute(storage, name, pause))
    child.join(PATIENCE)
    view = read_run(storage, name)
    assert (view.state, view.evaluated) == ("paused", 3)
    control(storage, name, "run")
    assert execute(storage, name) == "finished"
    consistent(storage, name)


def test_passwords_are_not_repeated(storage: str) -> None:
    url = storage.replace("tester@", "nobody_here:secret@").replace("/test_", "/none_")
    with pytest.raises(DataError, match="cannot be used") as caught:
        list_runs(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
