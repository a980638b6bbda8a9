"""The loop of a run: ask for proposals, claim them, evaluate one after another, store each value at once.

It may be killed at any moment, and any number of processes may run it for one run at the same time. What it shares with
the loop whose evaluations happen elsewhere (:mod:`svge_core.search.runs.dispatch`) has names of its own below.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from svge_core.data import count_of
from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives import (
    AllowPython,
    CallPython,
    EvaluatorDiedError,
    PrunedError,
    TableSource,
    one_line,
)
from svge_core.search.runs import ledger
from svge_core.search.runs.deaths import given_up, new_death, note_death
from svge_core.search.runs.ledger import Claim
from svge_core.search.runs.mirror import Mirror, mirrored
from svge_core.search.runs.preparing import RunContext, prepare
from svge_core.search.runs.processes import BEAT_SECONDS, Worker
from svge_core.search.runs.pruning import EarlyStops, early_stops, evaluated
from svge_core.search.runs.reading import find, read_evaluation, read_run, readable, view_of
from svge_core.search.runs.stored import stored_config, stored_number, stored_text
from svge_core.search.runs.tables import PATIENCE_SECONDS, Record, claims, first_line, full_address, open_store, runs
from svge_core.search.runs.types import Evaluation, RunState, SearchConfig
from svge_core.search.runs.user_tables import stored_tables
from svge_core.search.searchers import rng_for
from svge_core.threads import interruptible

#: failed evaluations in a row after which a run is stopped: the mistake is not in the cells
MAX_FAILURES = 5
#: seconds between two looks while others finish the last evaluations, or a run is paused
POLL_SECONDS = 0.2
#: seconds without the store after which that is said
SAY_SECONDS = 3.0
_T = TypeVar("_T")


class StoreAwayError(DataError):
    """The store could not be used for as long as a worker waits for it."""


@dataclass
class Execution:
    """What the loop works with.

    Attributes:
        engine, run_id, config: of the run, in its store.
        worker: this one.
        prepared: space, domain, searcher, objective.
        tables: that the words of the run name.
        on_evaluation: called after every evaluation of this worker.
        settled: called when one is in the ledger.
        stops: ends trainings of poor cells; None where the run asks for none.
    """

    engine: Engine
    run_id: int
    config: SearchConfig
    worker: Worker
    prepared: RunContext
    tables: TableSource
    on_evaluation: Callable[[Evaluation], None] | None
    settled: Callable[[], None]
    stops: EarlyStops | None


def execute(
    storage_url: str,
    name: str,
    on_evaluation: Callable[[Evaluation], None] | None = None,
    *,
    allow_python: AllowPython = False,
    wait: bool = False,
    device: str = "cpu",
) -> RunState:
    """Work on a run until it ends, is paused or cancelled; goes on where it, or others, stopped.

    Args:
        storage_url: of the store.
        name: of the run.
        on_evaluation: called after every evaluation of this process.
        allow_python: which ``python:`` words that the store names may be imported; others may write to a store.
        wait: stay while the run is paused, as a worker among others does.
        device: that the run's model computes on and networks are trained on: auto, cpu, cuda or mps; a matter of this
            machine, so it is not stored.

    Returns:
        the state in which this process leaves the run.

    Raises:
        SvgeError: if there is no such run, the store cannot be used, or the objective, method or model of the run
            cannot be had here. If nobody else works on the run, it is failed then, with that line.
    """
    storage_url = full_address(storage_url)
    with joined(storage_url, name, on_evaluation, allow_python, device=device) as run:
        _loop(run, wait)
    return read_run(storage_url, name).state


@contextmanager
def joined(
    storage_url: str,
    name: str,
    on_evaluation: Callable[[Evaluation], None] | None,
    allow_python: AllowPython,
    call_python: CallPython = "own process",
    device: str = "cpu",
) -> Generator[Execution, None, None]:
    """Be one of the workers of a run, with a heartbeat and a mirror, as long as the block runs.

    Raises:
        SvgeError: as :func:`execute`.
    """
    with open_store(storage_url) as engine:
        with engine.connect() as connection:
            row = find(connection, name)
        with readable(name):
            config = stored_config(row)
            stored_number(row, "streak")
            digest = stored_text(row, "checkpoint")
        tables = stored_tables(storage_url, name)
        worker = Worker()
        ledger.enrol(engine, row["id"], worker)
        try:
            with interruptible(), _heart(engine, worker):
                try:
                    prepared = prepare(
                        config,
                        allow_python=allow_python,
                        tables=tables,
                        digest=digest,
                        device=device,
                        call_python=call_python,
                    )
                except SvgeError as error:
                    with engine.connect() as connection:
                        alone = not (ledger.alive(connection, row["id"], working=True) - {worker.id})
                    if alone:
                        end_run(engine, row["id"], "failed", str(error))
                    raise
                patiently(partial(ledger.tidy, engine, row["id"]))
                with mirrored(Mirror(storage_url, engine, row, prepared.space)) as settled:
                    stops = early_stops(storage_url, config, prepared)
                    yield Execution(engine, row["id"], config, worker, prepared, tables, on_evaluation, settled, stops)
        except StoreAwayError:
            with suppress(SQLAlchemyError):  # once: this worker has been patient
                _leave(engine, row["id"], worker)
            raise
        except BaseException:
            patiently(partial(_leave, engine, row["id"], worker))
            raise
        else:
            patiently(partial(_leave, engine, row["id"], worker))
        finally:
            worker.leave()


def _leave(engine: Engine, run_id: int, worker: Worker) -> None:
    ledger.release(engine, run_id, worker)
    ledger.beat(engine, worker, "ended")


def _loop(run: Execution, wait: bool) -> None:
    while True:
        row = patiently(lambda: run_row(run))
        if row["ended"] is not None:
            return
        if row["control"] != "run":
            patiently(lambda: ledger.release(run.engine, run.run_id, run.worker))
            if not (wait and row["control"] == "pause"):
                return
            patiently(lambda: ledger.beat(run.engine, run.worker, "waiting"))
            while patiently(lambda: run_row(run))["control"] == "pause":
                time.sleep(POLL_SECONDS)
            patiently(lambda: ledger.beat(run.engine, run.worker, "working"))
            continue
        if row["streak"] >= MAX_FAILURES:
            end_run(run.engine, run.run_id, "failed", failures(run))
            return
        claim = patiently(lambda: ledger.take(run.engine, run.run_id, run.prepared.space, run.worker))
        if claim is not None:
            _evaluate(run, claim)
            continue
        if settled_count(run) >= run.config.budget:
            end_run(run.engine, run.run_id, "finished", "")
            return
        outcome = propose(run)
        if outcome == "exhausted":
            end_exhausted(run)
            return
        if outcome == "wait":
            time.sleep(POLL_SECONDS)


def propose(run: Execution) -> Literal["go on", "wait", "exhausted"]:
    """Ask and claim; wait where others hold the last places or cells: if one of them dies, its cells are ours."""
    free = len(patiently(lambda: ledger.free_places(run.engine, run.run_id, run.config.budget)))
    if free == 0:
        return "wait"
    view = patiently(lambda: view_of(run.engine, run.config.name))
    history = run.prepared.domain.seen(view.history())
    rng = rng_for(run.config.seed, len(view.evaluations))
    proposals = run.prepared.searcher.propose(history, min(run.config.batch, free), rng)
    fresh = [proposal for proposal in proposals if proposal.cell not in history.taken]
    if not fresh:  # judged by what was known when the method was asked, not by what others have done since
        return "wait" if any(e.state == "running" for e in view.evaluations) else "exhausted"
    # where another worker was quicker with one of the cells, the next round sees its claims and asks again
    patiently(lambda: ledger.claim(run.engine, run.run_id, run.prepared.space, run.worker, fresh, run.config.budget))
    return "go on"


def _evaluate(run: Execution, claim: Claim) -> None:
    values: tuple[float, ...] | None = None
    pruned = False
    if not (problem := patiently(partial(given_up, run.engine, claim.id))):
        if not patiently(partial(ledger.begin, run.engine, claim, run.worker)):
            return  # taken over: this process was silent for so long that it was taken for dead
        try:
            values = evaluated(run.stops, run.prepared, claim.cell)
        except PrunedError as error:
            pruned, problem = True, str(error)
        except EvaluatorDiedError as error:  # the cell stays ours: it is tried again, or has died often enough
            noted = partial(note_death, run.engine, new_death(), claim.id, run.run_id, run.worker, error.reason)
            patiently(noted)
            return
        except SvgeError as error:
            problem = " ".join(str(error).split())[:500]
        except Exception as error:  # one bad evaluation does not end a search
            problem = one_line(error)
        except BaseException:
            # a person interrupts, and may kill this process if it is slow: the cell must not count as its killer
            with suppress(SQLAlchemyError):
                ledger.release(run.engine, run.run_id, run.worker)
            raise
    store(run, claim, values, problem, pruned=pruned)


def store(
    run: Execution,
    claim: Claim,
    values: tuple[float, ...] | None,
    problem: str,
    seconds: float | None = None,
    *,
    pruned: bool = False,
) -> None:
    """Write down what came out of an evaluation, and tell whoever wants to know.

    Args:
        run: of the claim.
        claim: what was evaluated.
        values: one per goal; None if it failed or was stopped early.
        problem: one line, why it failed or was stopped; else empty.
        seconds: that it took, where nobody noted when it began.
        pruned: whether it was stopped early.

    Raises:
        StoreAwayError: with what is known, if it cannot be stored.
    """
    parts = (run.engine, run.run_id, claim, run.worker, values, problem, seconds)
    try:
        settled = patiently(partial(ledger.settle, *parts, pruned=pruned))
    except StoreAwayError as error:  # whoever made it can still write down what it cost hours to learn
        known = problem if values is None else " / ".join(map(str, values))
        notation = run.prepared.space.format(claim.cell)
        raise StoreAwayError(f"{error} Evaluated, but not stored: {notation}: {known}.") from error
    run.settled()
    if settled and run.on_evaluation is not None:
        run.on_evaluation(patiently(lambda: read_evaluation(run.engine, claim.id, run.config.space)))


def run_row(run: Execution) -> Record:
    """The record of the run now.

    Raises:
        DataError: if it was deleted.
    """
    with run.engine.connect() as connection:
        row = connection.execute(sa.select(runs).where(runs.c.id == run.run_id)).mappings().first()
    if row is None:
        raise DataError(f"The run {run.config.name!r} was deleted.")
    return row


def end_run(engine: Engine, run_id: int, state: str, problem: str) -> None:
    """Note how a run ended, unless somebody has noted it."""

    def write() -> None:
        with engine.begin() as connection:
            update = sa.update(runs).where((runs.c.id == run_id) & runs.c.ended.is_(None))
            connection.execute(update.values(ended=state, problem=problem))

    patiently(write)


def settled_count(run: Execution) -> int:
    """Evaluations that count towards the budget: finished, or stopped early."""
    found = patiently(lambda: ledger.counts(run.engine, run.run_id))
    return found.get("done", 0) + found.get("pruned", 0)


def end_exhausted(run: Execution) -> None:
    """End a run whose method has nothing left to propose."""
    words = f"No cell is left to propose after {count_of(settled_count(run), 'evaluation')}."
    end_run(run.engine, run.run_id, "finished", words)


def failures(run: Execution) -> str:
    """Why a run is stopped whose last evaluations all failed."""
    with run.engine.connect() as connection:
        chosen = (claims.c.run_id == run.run_id) & (claims.c.state == "failed")
        last = connection.execute(
            sa.select(claims.c.problem).where(chosen).order_by(claims.c.finished.desc()).limit(1)
        ).scalar()
    return f"The last {MAX_FAILURES} evaluations failed; the latest: {last}"


@contextmanager
def _heart(engine: Engine, worker: Worker) -> Generator[None, None, None]:
    """Signs of life from a thread, as long as the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                ledger.beat(engine, worker)
            except SQLAlchemyError:  # the database may be away for a while
                continue

    thread = threading.Thread(target=run, name="search heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(BEAT_SECONDS)


def patiently(action: Callable[[], _T]) -> _T:
    """Do it again while the database is away or has no room: a value that took hours must not be lost to a restart.

    Raises:
        StoreAwayError: if that lasts too long.
    """
    began, pause, said = time.monotonic(), 0.05, False
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
            waited = time.monotonic() - began
            if waited > PATIENCE_SECONDS:
                raise StoreAwayError(
                    f"The store could not be used for {PATIENCE_SECONDS:g} seconds: {first_line(error.orig)}. Mend it, "
                    "then resume the run."
                ) from error
            if waited > SAY_SECONDS and not said:
                said = True
                words = "The store cannot be used now (%s); waiting for it, at most %g seconds."
                logging.getLogger(__name__).warning(words, first_line(error.orig), PATIENCE_SECONDS)
            time.sleep(pause)
            pause = min(2 * pause, 5.0)
