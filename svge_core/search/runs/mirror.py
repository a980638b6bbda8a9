"""The mirror of a run in its Optuna study: one finished trial per settled cell, so that Optuna's tools can read it.

The ledger (:mod:`svge_core.search.runs.ledger`) is the truth, and nothing of ours reads the mirror. Trials are added
through Optuna's public functions after our own commit, by a thread of the worker, so a slow or missing mirror holds no
search up. Optuna's functions cannot share a transaction with our tables; therefore

- a cell that is being evaluated has no trial: the dashboard shows what is finished or failed, not what runs;
- existing labels appear in the study when somebody begins to work on the run;
- a worker that dies between the two leaves the mirror behind. Whoever opens the run next adds what is missing. Each
  trial names its claim (:data:`CLAIM_ATTR`), and one worker at a time looks and adds, so none is added twice.

Studies of before, whose trials were written together with the ledger, have no such attribute; there the ledger's
``trial_id`` says which cells have a trial. Trials of theirs that still run though their worker died become failed.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from svge_core.search.runs.ledger import alive
from svge_core.search.runs.optuna_study import gene_name, optuna_storage, quiet
from svge_core.search.runs.processes import read_worker
from svge_core.search.runs.stored import UNFORESEEN
from svge_core.search.runs.tables import PATIENCE_SECONDS, Record, claims, printable, workers
from svge_core.spaces import AbstractSearchSpace

#: trial attribute with the id of the claim in the ledger; and the one by which trials of before name their worker
CLAIM_ATTR, OLD_WORKER_ATTR = "claim", "worker_id"
#: trials that are added before others get their turn, and seconds for which news are gathered: cells that are settled
#: in between cost one look at the study
CHUNK, GATHER_SECONDS = 50, 0.5
#: of an evaluation that is over, and what Optuna calls it
_STATES = {"done": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


class Mirror:
    """What one worker does about the mirror of a run.

    Args:
        storage: URL of the store.
        engine: of the same store.
        run: the record of the run.
        space: its search space.
    """

    def __init__(self, storage: str, engine: Engine, run: Record, space: AbstractSearchSpace) -> None:
        self.storage, self.engine, self.run, self.space = storage, engine, run, space
        self._study: Any = None

    @property
    def study(self) -> Any:
        """The ``optuna.Study``; one object, which remembers the finished trials that it has read.

        Raises:
            KeyError: if it is gone.
        """
        import optuna

        if self._study is None:
            self._study = optuna.load_study(study_name=self.run["name"], storage=optuna_storage(self.storage))
        return self._study

    def repair(self) -> None:
        """Add what is missing, and end the trials of before whose worker is dead.

        Raises:
            KeyError, ValueError, OSError, SQLAlchemyError, OptunaError: if that is not possible now.
        """
        from optuna.trial import TrialState

        with quiet(), self._alone() as connection:
            running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            owners = {trial.number: trial.user_attrs.get(OLD_WORKER_ATTR) for trial in running}
            living: set[str] = alive(connection, self.run["id"]) if owners else set()
            connection.rollback()  # nothing is held while Optuna writes
            for number, owner in owners.items():
                if owner is not None and owner not in living:
                    self.study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        self.catch_up()

    def catch_up(self) -> None:
        """Add a trial for every settled cell that has none, in the order of the proposals.

        Raises:
            KeyError, ValueError, OSError, SQLAlchemyError, OptunaError: if that is not possible now.
        """
        behind = (claims.c.run_id == self.run["id"]) & claims.c.state.in_(tuple(_STATES)) & claims.c.trial_id.is_(None)
        query = sa.select(claims).where(behind).order_by(claims.c.number).limit(CHUNK)
        while True:
            with self._alone() as connection:
                if connection.execute(sa.select(claims.c.id).where(behind).limit(1)).first() is None:
                    return
                rows = (
                    connection.execute(query.with_for_update()).mappings().all()
                )  # none of them if others were quicker
                found = connection.execute(sa.select(workers).where(workers.c.run_id == self.run["id"])).mappings()
                known = {row["id"]: read_worker(row) for row in found}
                if self.engine.dialect.name == "sqlite":  # its file lock holds others back; others hold the row locks
                    connection.rollback()
                numbers = self._add(rows, known)
                for claim, number in numbers.items():
                    connection.execute(sa.update(claims).where(claims.c.id == claim).values(trial_id=number))
                connection.commit()

    def _add(self, rows: Sequence[Record], known: dict[str, Any]) -> dict[int, int]:
        """Add the trials that are not there; returns the number of the trial of each claim."""
        with quiet():
            there = self._numbers()
            for row in rows:
                if row["id"] not in there:
                    self.study.add_trial(self._trial(row, known))
            there = self._numbers()
        return {row["id"]: there[row["id"]] for row in rows}

    def _numbers(self) -> dict[int, int]:
        trials = self.study.get_trials(deepcopy=False)
        return {trial.user_attrs[CLAIM_ATTR]: trial.number for trial in trials if CLAIM_ATTR in trial.user_attrs}

    def _trial(self, row: Record, known: dict[str, Any]) -> Any:
        from optuna.distributions import CategoricalDistribution
        from optuna.trial import TrialState, create_trial

        worker = known.get(row["worker"] or "")
        attributes: dict[str, Any] = {
            CLAIM_ATTR: row["id"],
            "notation": row["notation"],
            "source": row["source"],
            "predicted_mean": row["mean"],
            "predicted_std": row["std"],
            "proposal": row["number"],
        }
        if worker is not None:
            attributes["worker"] = {"host": worker.host, "pid": worker.pid, "birth": worker.born}
        if row["state"] != "done":
            attributes["problem"] = row["problem"]
        genes, choices = json.loads(row["genotype"]), self.space.gene_choices
        trial = create_trial(
            state=TrialState[_STATES[row["state"]]],
            values=json.loads(row["numbers"]) if row["state"] == "done" else None,
            params={gene_name(number): gene for number, gene in enumerate(genes)},
            distributions={
                gene_name(number): CategoricalDistribution(tuple(range(count))) for number, count in enumerate(choices)
            },
            user_attrs=attributes,
        )
        finished = datetime.fromtimestamp(row["finished"])  # Optuna's times are local and name no zone
        trial.datetime_start = finished if row["started"] is None else datetime.fromtimestamp(row["started"])
        trial.datetime_complete = finished
        return trial

    @contextlib.contextmanager
    def _alone(self) -> Generator[Connection]:
        """A connection of the only one who looks and adds: by row locks where the database has them, else by a file."""
        from filelock import FileLock

        with contextlib.ExitStack() as stack:
            if self.engine.dialect.name == "sqlite":
                stack.enter_context(FileLock(Path(f"{self.engine.url.database}.mirror.lock")))
            yield stack.enter_context(self.engine.connect())


@contextlib.contextmanager
def mirrored(mirror: Mirror) -> Generator[Callable[[], None]]:
    """Keep the mirror up to date from a thread, as long as the block runs; gives what to call when a cell is settled.

    What cannot be written is logged once, and tried again at the next call, at the end and when the run is next opened.
    """
    from optuna.exceptions import OptunaError

    over, news = threading.Event(), threading.Event()
    said = False

    def attempt(action: Callable[[], None]) -> None:
        nonlocal said
        try:
            action()
        except (*UNFORESEEN, SQLAlchemyError, OptunaError) as error:
            if not said:
                said = True
                words, what = "The Optuna study lags behind the run: %.200s", printable(str(error))
                if isinstance(error, KeyError):  # as Optuna says that there is no such study
                    words = "The Optuna study of the run %.100s is gone: the run goes on, Optuna's tools cannot see it."
                    what = mirror.run["name"]
                logging.getLogger(__name__).warning(words, what)

    def follow() -> None:
        attempt(mirror.repair)
        last = False
        while not last:
            news.wait()
            over.wait(GATHER_SECONDS)
            news.clear()
            last = over.is_set()  # set before the last news
            attempt(mirror.catch_up)

    thread = threading.Thread(target=follow, name="search mirror", daemon=True)
    thread.start()
    try:
        yield news.set
    finally:
        over.set()
        news.set()
        thread.join(PATIENCE_SECONDS)
