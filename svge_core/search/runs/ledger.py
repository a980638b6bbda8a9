"""The ledger of a run: which cells are claimed, by whom, and what came out; every change is one transaction.

A cell is claimed before it is evaluated, together with a place of the budget, and unique constraints make sure that no
cell and no place is ever given twice. Values are settled by one update that only succeeds while the claim is open, so
a cell never gets two of them, whatever workers do.
"""

import json
import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from svge_core.cells import Cell
from svge_core.search.runs.deaths import count_dead_worker
from svge_core.search.runs.processes import Worker, here, read_worker, silence
from svge_core.search.runs.stored import optional_number, stored_cell
from svge_core.search.runs.tables import Record, claims, clock, printable, runs, workers
from svge_core.search.runs.types import YOUR_LABELS
from svge_core.search.searchers import Proposal
from svge_core.spaces import AbstractSearchSpace

Label = tuple[Cell, tuple[float, ...]]


@dataclass(frozen=True)
class Claim:
    """A cell that this worker is to evaluate.

    Attributes:
        id: of the row.
        number: order in which it was proposed.
        cell: canonical.
        source, mean, std: as the searcher gave them.
    """

    id: int
    number: int
    cell: Cell
    source: str
    mean: float | None
    std: float | None


def identity(space: AbstractSearchSpace, cell: Cell) -> str:
    """32 hex digits that are equal for two cells exactly when their canonical forms are (BLAKE2b, 128 bits)."""
    return blake2b(space.format(space.canonical(cell)).encode(), digest_size=16).hexdigest()


def insert_labels(
    connection: Connection, run_id: int, space: AbstractSearchSpace, labels: Sequence[Label], now: float
) -> None:
    """Existing labels as finished evaluations outside the budget."""
    rows: list[dict[str, Any]] = []
    for number, (cell, values) in enumerate(labels):
        settled = {"state": "done", "value": values[0], "numbers": json.dumps(values), "finished": now}
        rows.append({**_row(run_id, number, space, Proposal(cell, YOUR_LABELS)), **settled, "slot": None})
    if rows:
        connection.execute(sa.insert(claims), rows)


def free_places(engine: Engine, run_id: int, budget: int) -> list[int]:
    """Places of the budget that nobody holds, in ascending order."""
    with engine.connect() as connection:
        return _free(connection, run_id, budget)


def claim(
    engine: Engine,
    run_id: int,
    space: AbstractSearchSpace,
    worker: Worker,
    proposals: Sequence[Proposal],
    budget: int,
) -> bool:
    """Claim cells for a worker, all or none of them.

    Returns:
        False if somebody else has claimed one of the cells in the meantime, or places ran out: ask again.
    """
    known = [identity(space, proposal.cell) for proposal in proposals]
    while True:
        with engine.connect() as connection:
            held = claims.c.identity.in_(known) & (claims.c.run_id == run_id)
            if connection.execute(sa.select(claims.c.id).where(held).limit(1)).first() is not None:
                return False
            places = _free(connection, run_id, budget)
            first = connection.execute(
                sa.select(sa.func.coalesce(sa.func.max(claims.c.number) + 1, 0)).where(claims.c.run_id == run_id)
            ).scalar_one()
        if len(places) < len(proposals):
            return False
        rows = [
            {**_row(run_id, first + i, space, proposal), "slot": place, "state": "open", "worker": worker.id}
            for i, (proposal, place) in enumerate(zip(proposals, places, strict=False))
        ]
        try:
            with engine.begin() as connection:
                connection.execute(sa.insert(claims).values(rows))  # one statement: all or nothing, and no pipeline
            return True
        except IntegrityError:  # somebody was quicker with a number, a place or a cell: look again
            continue


def take(
    engine: Engine, run_id: int, space: AbstractSearchSpace, worker: Worker, besides: Container[int] = ()
) -> Claim | None:
    """The next cell for this worker: its own, one that was given back, or one of a dead worker; lowest number first.

    Args:
        engine: of the store.
        run_id: of the run.
        space: of its cells.
        worker: who asks.
        besides: ids of claims that it is busy with already.
    """
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                sa.select(claims)
                .where((claims.c.run_id == run_id) & (claims.c.state == "open"))
                .order_by(claims.c.number)
            ).mappings()
            waiting = [row for row in rows if row["id"] not in besides]
            living = alive(connection, run_id) if any(row["worker"] != worker.id for row in waiting) else {worker.id}
        row = next((row for row in waiting if row["worker"] == worker.id or row["worker"] not in living), None)
        if row is None:
            return None
        if row["worker"] == worker.id or _take_over(engine, row, worker):
            mean, std = optional_number(row, "mean"), optional_number(row, "std")
            return Claim(row["id"], row["number"], stored_cell(space.name, row), row["source"], mean, std)


def _take_over(engine: Engine, row: Record, worker: Worker) -> bool:
    held = claims.c.worker.is_(None) if row["worker"] is None else claims.c.worker == row["worker"]
    with engine.begin() as connection:
        this = (claims.c.id == row["id"]) & (claims.c.state == "open") & held
        # read again: between our look at the claims and its death the other one may have begun
        found = connection.execute(sa.select(claims).where(this)).mappings().first()
        update = sa.update(claims).where(this).values(worker=worker.id, started=None)
        if found is None or connection.execute(update).rowcount != 1:
            return False
        if found["worker"] is not None and found["started"] is not None:
            count_dead_worker(connection, found)
        return True


def begin(engine: Engine, claim: Claim, worker: Worker) -> bool:
    """Note that the evaluation begins; False if somebody else has taken the claim over."""
    with engine.begin() as connection:
        # a claim of before may name the trial of a worker that died
        update = sa.update(claims).where(_mine(claim, worker)).values(started=clock(engine), trial_id=None)
        return connection.execute(update).rowcount == 1


def settle(
    engine: Engine,
    run_id: int,
    claim: Claim,
    worker: Worker,
    values: tuple[float, ...] | None,
    problem: str = "",
    seconds: float | None = None,
    *,
    pruned: bool = False,
) -> bool:
    """Store what came out: values, or why there are none.

    A failed evaluation gives its place of the budget back, one that was stopped early keeps it.

    Args:
        engine: of the store.
        run_id: of the run.
        claim: what was evaluated.
        worker: that holds the claim.
        values: one per goal; None if it failed.
        problem: one line, why it failed.
        seconds: that it took, where :func:`begin` was not told.
        pruned: whether it was stopped early.

    Returns:
        False if another worker has settled this cell or holds its claim.
    """
    with engine.begin() as connection:
        settled: dict[str, object] = {"problem": problem, "finished": clock(engine)}
        if seconds is not None:
            settled["started"] = sa.text(f"{clock(engine).text} - {max(float(seconds), 0.0)!r}")
        unbroken = sa.update(runs).where((runs.c.id == run_id) & (runs.c.streak != 0)).values(streak=0)
        if pruned:
            settled |= {"state": "pruned"}
            streak = unbroken
        elif values is None:
            settled |= {"state": "failed", "slot": None}
            streak = sa.update(runs).where(runs.c.id == run_id).values(streak=runs.c.streak + 1)
        else:
            settled |= {"state": "done", "value": values[0], "numbers": json.dumps(values)}
            streak = unbroken
        update = sa.update(claims).where(_mine(claim, worker)).values(**settled)
        if connection.execute(update).rowcount == 1:
            connection.execute(streak)
            return True
        # not ours any more; or the same transaction, sent again because the answer was lost
        row = connection.execute(sa.select(claims).where(claims.c.id == claim.id)).mappings().first()
    return row is not None and row["worker"] == worker.id and row["state"] != "open"


def tidy(engine: Engine, run_id: int) -> None:
    """Note which workers died. Their cells stay claimed, and are evaluated again."""
    with engine.begin() as connection:
        rows = list(connection.execute(sa.select(workers).where(workers.c.run_id == run_id)).mappings())
        living = alive(connection, run_id)
        # one by one, and read before: whoever comes between two looks is not dead. Of workers elsewhere only their
        # silence is known: one that comes back must not be taken for dead for ever
        ended = [
            row["id"] for row in rows if row["id"] not in living and row["place"] == here() and row["status"] != "ended"
        ]
        connection.execute(sa.update(workers).where(workers.c.id.in_(ended)).values(status="ended"))


def release(engine: Engine, run_id: int, worker: Worker) -> None:
    """Give a worker's open claims back; whoever goes on evaluates these cells first."""
    with engine.begin() as connection:
        held = (claims.c.run_id == run_id) & (claims.c.worker == worker.id) & (claims.c.state == "open")
        connection.execute(sa.update(claims).where(held).values(worker=None, started=None))


def counts(engine: Engine, run_id: int) -> dict[str, int]:
    """Evaluations of a run by state, existing labels left out."""
    with engine.connect() as connection:
        chosen = (claims.c.run_id == run_id) & (claims.c.source != YOUR_LABELS)
        rows = connection.execute(sa.select(claims.c.state, sa.func.count()).where(chosen).group_by(claims.c.state))
        return {str(state): int(count) for state, count in rows}


def enrol(engine: Engine, run_id: int, worker: Worker) -> None:
    """Record a worker."""
    row = {"id": worker.id, "run_id": run_id, "host": worker.host[:255], "place": worker.place, "pid": worker.pid}
    with engine.begin() as connection:
        values = {**row, "born": worker.born, "beat": clock(engine), "status": "working"}
        connection.execute(sa.insert(workers).values(**values))


def beat(engine: Engine, worker: Worker, status: str | None = None) -> None:
    """A sign of life; ``status`` is working, waiting or ended."""
    with engine.begin() as connection:
        values = {"beat": clock(engine), **({} if status is None else {"status": status})}
        connection.execute(sa.update(workers).where(workers.c.id == worker.id).values(**values))


def alive(connection: Connection, run_id: int | None = None, *, working: bool = False) -> set[str]:
    """Ids of the living workers of a run, or of all runs."""
    now = float(connection.execute(sa.select(clock(connection.engine))).scalar_one())
    query = sa.select(workers).where(workers.c.status != "ended")
    if run_id is not None:
        query = query.where(workers.c.run_id == run_id)
    return {
        row["id"]
        for row in connection.execute(query).mappings()
        if (row["status"] == "working" or not working) and read_worker(row).alive(silence(row, now))
    }


def _mine(claim: Claim, worker: Worker) -> sa.ColumnElement[bool]:
    return (claims.c.id == claim.id) & (claims.c.state == "open") & (claims.c.worker == worker.id)


def _free(connection: Connection, run_id: int, budget: int) -> list[int]:
    chosen = (claims.c.run_id == run_id) & claims.c.slot.is_not(None)
    held = set(connection.execute(sa.select(claims.c.slot).where(chosen)).scalars())
    return [place for place in range(budget) if place not in held]


def _finite(prediction: float | None) -> float | None:
    """What a searcher predicted; nothing where that is no finite number, which no reader of the store would take."""
    return prediction if prediction is not None and math.isfinite(prediction) else None


def _row(run_id: int, number: int, space: AbstractSearchSpace, proposal: Proposal) -> dict[str, object]:
    return {
        "run_id": run_id,
        "number": number,
        "identity": identity(space, proposal.cell),
        "notation": space.format(space.canonical(proposal.cell)),
        "genotype": json.dumps(list(map(int, space.genotype(proposal.cell)))),
        "source": printable(proposal.source)[:200],
        "mean": _finite(proposal.mean),
        "std": _finite(proposal.std),
        "problem": "",
    }
