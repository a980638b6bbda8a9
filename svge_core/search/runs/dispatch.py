"""The loop of a run whose evaluations happen elsewhere, many at a time: on the machines of a cluster, say.

One process asks, claims and stores; whatever evaluates knows neither the store nor the method. As soon as an evaluation
has come back, it is stored and the next one is sent. This process may be killed at any moment: what was under way is
sent again by whoever resumes the run, and its death is not counted against the cells, which it did not evaluate.

With one place the proposals are those of :func:`svge_core.search.runs.execute`: it asks at the same moments.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from sqlalchemy.exc import SQLAlchemyError

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.search.objectives import AllowPython
from svge_core.search.runs import ledger
from svge_core.search.runs.deaths import given_up, new_death, note_death
from svge_core.search.runs.ledger import Claim
from svge_core.search.runs.loop import (
    MAX_FAILURES,
    POLL_SECONDS,
    Execution,
    end_exhausted,
    end_run,
    failures,
    joined,
    patiently,
    propose,
    run_row,
    settled_count,
    store,
)
from svge_core.search.runs.preparing import ObjectiveRecipe
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import full_address
from svge_core.search.runs.types import Evaluation, RunState

#: longest wait for proposals before what has come back is looked at again
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Outcome:
    """What came back of one evaluation.

    Attributes:
        ticket: it was sent with.
        values: one per goal; None where there are none.
        problem: one line, why the evaluation failed; empty if it did not.
        died: one line, how whatever evaluated came to its end, so that nothing is known about the cell; else empty.
        seconds: that the evaluation took; None where that is not known.
    """

    ticket: int
    values: tuple[float, ...] | None = None
    problem: str = ""
    died: str = ""
    seconds: float | None = None


@runtime_checkable
class Elsewhere(Protocol):
    """Where evaluations happen."""

    def places(self) -> int:
        """How many evaluations it has room for now, those under way included."""
        ...

    def submit(self, ticket: int, cell: Cell) -> None:
        """Begin an evaluation; its outcome comes with this ticket."""
        ...

    def finished(self, seconds: float) -> list[Outcome]:
        """What has come back since the last look; waits for the first one, at most so long."""
        ...

    def forget(self) -> None:
        """End the evaluations that are under way; nobody waits for them any more."""
        ...


#: begins to work on objectives as a recipe says, as long as the block runs
OpenElsewhere = Callable[[ObjectiveRecipe], AbstractContextManager[Elsewhere]]


def execute_elsewhere(
    storage_url: str,
    name: str,
    elsewhere: OpenElsewhere,
    on_evaluation: Callable[[Evaluation], None] | None = None,
    *,
    allow_python: AllowPython = False,
    device: str = "cpu",
) -> RunState:
    """As :func:`svge_core.search.runs.execute`, with the evaluations somewhere else; nothing is imported here.

    Args:
        storage_url: of the store.
        name: of the run.
        elsewhere: where the evaluations happen.
        on_evaluation: called after every evaluation.
        allow_python: as there.
        device: for the model of the method, in this process.

    Returns:
        the state in which this process leaves the run.

    Raises:
        SvgeError: as there, or if the other place cannot be used.
    """
    storage_url = full_address(storage_url)
    with joined(storage_url, name, on_evaluation, allow_python, "elsewhere", device) as run:
        if run.config.prune:
            raise DataError(
                "Early stops compare the trainings of one machine: work on this run here, or start one without them.",
                settings=("prune",),
            )
        recipe = ObjectiveRecipe.of(run.config, run.prepared.digest, run.tables)
        with elsewhere(recipe) as place, ThreadPoolExecutor(1, "search proposals") as thread:
            loop = _Dispatch(run, place, thread)
            try:
                loop.work()
            except BaseException:
                # given back before the last proposals are waited for: whoever interrupts may soon kill this process
                with suppress(SQLAlchemyError):
                    ledger.release(run.engine, run.run_id, run.worker)
                raise
            finally:
                place.forget()
    return read_run(storage_url, name).state


class _Dispatch:
    """The loop's own state: what is under way, and the proposals that are being made."""

    def __init__(self, run: Execution, place: Elsewhere, thread: ThreadPoolExecutor) -> None:
        self.run, self.place, self.thread = run, place, thread
        self.flying: dict[int, Claim] = {}
        self.proposing: Future[str] | None = None
        #: not to ask again before something has changed, or others may have
        self.asked = -POLL_SECONDS

    def work(self) -> None:
        """Until the run ends, is paused or cancelled."""
        run = self.run
        while True:
            row = patiently(lambda: run_row(run))
            if row["ended"] is not None or row["control"] == "cancel":
                return
            if row["control"] != "run":  # paused: what is under way comes to its end
                if not self.flying:
                    return
                self._collect()
                continue
            if row["streak"] >= MAX_FAILURES:
                end_run(run.engine, run.run_id, "failed", failures(run))
                return
            if self._fill():
                return
            self._collect()

    def _fill(self) -> bool:
        """Send evaluations until all places are taken; True if the run has come to its end."""
        room = self.place.places() - len(self.flying)
        while room > 0 and self._send():
            room -= 1
        if room <= 0:
            return False
        if self.proposing is not None:
            if not self.proposing.done():
                return False
            outcome, self.proposing = self.proposing.result(), None
        elif time.monotonic() - self.asked < POLL_SECONDS:
            return False
        elif self.flying:  # from a thread: what comes back meanwhile is stored at once
            self.proposing = self.thread.submit(propose, self.run)
            return False
        elif settled_count(self.run) >= self.run.config.budget:
            end_run(self.run.engine, self.run.run_id, "finished", "")
            return True
        else:
            outcome = propose(self.run)
        if outcome == "go on":
            return self._fill()
        if outcome == "exhausted" and not self.flying:
            end_exhausted(self.run)
            return True
        self.asked = time.monotonic()
        return False

    def _send(self) -> bool:
        """Send the next claimed cell; False if there is none."""
        run = self.run
        claim = patiently(lambda: ledger.take(run.engine, run.run_id, run.prepared.space, run.worker, self.flying))
        if claim is None:
            return False
        if problem := patiently(partial(given_up, run.engine, claim.id)):
            store(run, claim, None, problem)
            return True
        self.place.submit(claim.id, claim.cell)
        self.flying[claim.id] = claim
        return True

    def _collect(self) -> None:
        """Store what has come back; waits a moment for the first, or for the proposals that are being made."""
        run, outcomes = self.run, self.place.finished(POLL_SECONDS if self.proposing is None else 0.0)
        if not outcomes and self.proposing is not None:
            wait([self.proposing], LOOK_SECONDS)
        for outcome in outcomes:
            claim = self.flying.pop(outcome.ticket)
            if outcome.died:  # the cell stays ours: it is sent again, or has died often enough
                noted = partial(note_death, run.engine, new_death(), claim.id, run.run_id, run.worker, outcome.died)
                patiently(noted)
            else:
                store(run, claim, outcome.values, outcome.problem, outcome.seconds)
        if outcomes:
            self.asked = -POLL_SECONDS
