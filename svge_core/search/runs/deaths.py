"""Deaths of processes that were evaluating: counted per cell in the store, so that every worker knows of all of them.

A cell whose evaluation has killed its process :data:`MAX_DEATHS` times is a failed evaluation. Two kinds are counted: a
user's function that ends its own process, which its worker sees at once; and a worker that died at a cell, which is
seen by whoever takes the cell over. Not counted is what is known to be no fault of the cell: a worker that a person
interrupts gives its cells back, and a machine that went down takes all its workers along (:func:`machine_went_down`).
"""

import uuid

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from svge_core.search.runs.processes import Worker, here, machine_went_down, read_worker, silence
from svge_core.search.runs.tables import Record, claims, clock, deaths, open_store, runs, workers

#: deaths after which a cell is not tried again
MAX_DEATHS = 3
_TIMES = {1: "once", 2: "twice", 3: "three times"}


def new_death() -> str:
    """The name of a death, made before it is written: written twice, it is still one."""
    return uuid.uuid4().hex


def note_death(engine: Engine, death: str, claim_id: int, run_id: int, worker: Worker, reason: str) -> None:
    """Count a death against a cell that this worker holds and keeps; its evaluation may begin again."""
    held = (claims.c.id == claim_id) & (claims.c.state == "open") & (claims.c.worker == worker.id)
    try:
        with engine.begin() as connection:
            if connection.execute(sa.update(claims).where(held).values(started=None)).rowcount == 1:
                _count(connection, death, claim_id, run_id, worker.id, reason)
    except IntegrityError:  # sent again because the answer was lost
        return


def count_dead_worker(connection: Connection, claim: Record) -> None:
    """Count the death of the worker that holds a claim, in the transaction that takes the claim from it."""
    row = connection.execute(sa.select(workers).where(workers.c.id == claim["worker"])).mappings().first()
    if row is None:
        return
    worker = read_worker(row)
    now = float(connection.execute(sa.select(clock(connection.engine))).scalar_one())
    silent = silence(row, now)
    if machine_went_down(worker, silent):
        return
    reason = f"process {worker.label} is gone"
    if worker.place != here():
        reason = f"no sign of life of {worker.label} for {silent:,.0f} seconds"
    _count(connection, new_death(), claim["id"], claim["run_id"], worker.id, reason)


def given_up(engine: Engine, claim_id: int) -> str:
    """Why a cell is not tried again; empty if it is."""
    with engine.connect() as connection:
        # versions that do not know of deaths leave them behind when they delete a run, and SQLite gives numbers again
        own = (deaths.c.claim_id == claim_id) & (deaths.c.died >= runs.c.created)
        query = sa.select(deaths.c.reason).join(runs, runs.c.id == deaths.c.run_id).where(own)
        reasons = list(connection.execute(query.order_by(deaths.c.died.desc())).scalars())
    if len(reasons) < MAX_DEATHS:
        return ""
    return f"its worker died {_TIMES.get(len(reasons), f'{len(reasons)} times')} (last: {reasons[0]})"


def died_evaluating(storage_url: str, name: str, pid: int, born: str) -> bool:
    """Whether a process of this machine died in the middle of an evaluation of a run.

    Whoever takes the cell over counts the death, so a run that is started anew after each of them comes to an end.

    Raises:
        DataError: if the store cannot be used.
    """
    with open_store(storage_url) as engine, engine.connect() as connection:
        query = (
            sa.select(claims.c.id)
            .join(workers, workers.c.id == claims.c.worker)
            .join(runs, runs.c.id == claims.c.run_id)
            .where((runs.c.name == name) & (claims.c.state == "open") & claims.c.started.is_not(None))
            .where((workers.c.place == here()) & (workers.c.pid == pid) & (workers.c.born == born))
        )
        return connection.execute(query.limit(1)).first() is not None


def _count(connection: Connection, death: str, claim_id: int, run_id: int, worker: str, reason: str) -> None:
    values = {"id": death, "claim_id": claim_id, "run_id": run_id, "worker": worker, "reason": reason}
    connection.execute(sa.insert(deaths).values(**values, died=clock(connection.engine)))
