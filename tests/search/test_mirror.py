"""The mirror of a run in its Optuna study: complete, never twice, never in the way; stores of before go on."""

import gzip
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest

from svge_core.search.runs import ledger
from svge_core.search.runs.mirror import Mirror
from svge_core.search.runs.processes import Worker
from svge_core.search.runs.reading import find, list_runs, read_run
from svge_core.search.runs.tables import open_store
from svge_core.search.searchers.base import Proposal
from tests.support.runs import HERE, SPACE, cell_of, consistent, execute, started, trials, worth

#: written by the code of commit d91ec42, whose trials were rows of Optuna's tables written in our own transactions:
#: ``whole`` is finished and began from two labels; the worker of ``killed`` died at its fourth cell of six
OLD_STORE = Path(__file__).with_name("store_of_d91ec42.db.gz")


def settle_by_hand(storage: str, name: str, count: int) -> None:
    """Settle cells in the ledger without telling Optuna, as a worker does that dies right after."""
    with open_store(storage) as engine:
        with engine.connect() as connection:
            run = find(connection, name)["id"]
        worker = Worker()
        ledger.enrol(engine, run, worker)
        cells = [Proposal(SPACE.canonical(SPACE.from_index(100 + n)), "test", 1.5, 0.5) for n in range(count)]
        assert ledger.claim(engine, run, SPACE, worker, cells, count)
        while (claim := ledger.take(engine, run, SPACE, worker)) is not None:
            assert ledger.begin(engine, claim, worker)
            failed = claim.number == 1
            values = None if failed else (worth(claim.cell),)
            assert ledger.settle(engine, run, claim, worker, values, "no luck" if failed else "")


def mirror_of(storage: str, name: str) -> Mirror:
    with open_store(storage) as engine, engine.connect() as connection:
        return Mirror(storage, engine, find(connection, name), SPACE)


def test_what_is_behind_is_added_once_however_many_open_the_run(storage: str) -> None:
    name = started(storage, budget=5)
    settle_by_hand(storage, name, 5)
    assert trials(storage, name) == []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: mirror_of(storage, name).repair(), range(4)))
    view, found = read_run(storage, name), trials(storage, name)
    assert [trial.number for trial in found] == [0, 1, 2, 3, 4]
    assert [cell_of(trial) for trial in found] == [e.cell for e in view.evaluations]
    assert [trial.values and tuple(trial.values) for trial in found] == [e.values for e in view.evaluations]
    assert [trial.state.name for trial in found] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert found[1].user_attrs["problem"] == "no luck" and "problem" not in found[0].user_attrs
    assert found[0].user_attrs["predicted_mean"] == 1.5
    for trial, evaluation in zip(found, view.evaluations, strict=True):
        assert evaluation.started is not None and trial.datetime_start is not None
        assert evaluation.finished is not None and trial.datetime_complete is not None
        assert abs(trial.datetime_start.timestamp() - evaluation.started.timestamp()) < 1e-3
        assert abs(trial.datetime_complete.timestamp() - evaluation.finished.timestamp()) < 1e-3


def test_a_trial_whose_claim_was_not_noted_is_not_added_again(storage: str) -> None:
    name = started(storage, budget=3)
    settle_by_hand(storage, name, 3)
    mirror = mirror_of(storage, name)
    with mirror.engine.connect() as connection:
        rows = connection.execute(ledger.sa.select(ledger.claims).order_by(ledger.claims.c.number)).mappings().all()
    mirror._add(rows[:2], {})  # and the process dies before the ledger knows
    assert len(trials(storage, name)) == 2
    mirror_of(storage, name).repair()
    assert [trial.user_attrs["claim"] for trial in trials(storage, name)] == [row["id"] for row in rows]


def test_a_study_that_is_gone_holds_no_run_up(storage: str, caplog: pytest.LogCaptureFixture) -> None:
    name = started(storage, budget=6)
    optuna.delete_study(study_name=name, storage=storage)
    with caplog.at_level(logging.WARNING):
        assert execute(storage, name) == "finished"
    assert read_run(storage, name).evaluated == 6
    assert sum(record.message.startswith("The Optuna study of the run ") for record in caplog.records) == 1


def test_failed_evaluations_say_why(storage: str) -> None:
    name = started(storage, objective=(f"{HERE}picky",), budget=12, distinct=False)
    assert execute(storage, name) == "finished"
    failed = [trial for trial in trials(storage, name) if trial.state.name == "FAIL"]
    assert failed and {trial.user_attrs["problem"] for trial in failed} == {
        "tests.support.runs:picky raised ValueError: no pooling"
    }


def test_a_store_of_before_opens_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    path.write_bytes(gzip.decompress(OLD_STORE.read_bytes()))
    storage = f"sqlite:///{path}"
    assert {run.name: (run.state, run.done) for run in list_runs(storage)} == {
        "whole": ("finished", 3),
        "killed": ("interrupted", 3),
    }
    before = {name: trials(storage, name) for name in ("whole", "killed")}
    known = read_run(storage, "killed").done
    for name in ("whole", "killed"):
        assert execute(storage, name) == "finished"
        consistent(storage, name)
    assert trials(storage, "whole") == before["whole"]
    after = trials(storage, "killed")
    assert after[:3] == before["killed"][:3] and set(known) <= set(read_run(storage, "killed").done)
    # the cell at which the worker died was evaluated again, and its trial of then has failed
    assert before["killed"][3].state.name == "RUNNING"
    assert [trial.state.name for trial in after] == ["COMPLETE"] * 3 + ["FAIL"] + ["COMPLETE"] * 3
    assert cell_of(after[3]) == cell_of(after[4])
