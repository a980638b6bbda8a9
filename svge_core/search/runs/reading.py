"""Views of the runs of a store: one run, a list of them, one evaluation."""

import json
import logging
from datetime import UTC, datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from svge_core.cells import Cell
from svge_core.data import meaning_from_dict
from svge_core.errors import DataError
from svge_core.search.objectives import Goal
from svge_core.search.runs.ledger import alive
from svge_core.search.runs.processes import read_worker
from svge_core.search.runs.tables import Record, claims, open_store, runs, workers
from svge_core.search.runs.types import Evaluation, RunState, RunSummary, RunView, SearchConfig
from svge_core.spaces import get_space


def list_runs(storage_url: str, space: str | None = None) -> list[RunSummary]:
    """All runs of a store, or those of one space, the newest first; one that cannot be read is left out and logged.

    Raises:
        DataError: if the store cannot be used.
    """
    with open_store(storage_url) as engine, engine.connect() as connection:
        query = sa.select(runs).order_by(runs.c.created.desc(), runs.c.id.desc())
        rows = list(connection.execute(query if space is None else query.where(runs.c.space == space)).mappings())
        columns = (claims.c.run_id, claims.c.state, claims.c.slot.is_(None).label("label"))
        grouped = sa.select(
            *columns,
            sa.func.count().label("count"),
            sa.func.max(claims.c.value).label("most"),
            sa.func.min(claims.c.value).label("least"),
        ).group_by(*columns)
        groups: dict[int, list[Record]] = {}
        for group in connection.execute(grouped).mappings():
            groups.setdefault(group["run_id"], []).append(group)
        states = _States(connection)
        found: list[RunSummary] = []
        for row in rows:
            try:
                found.append(_summary(row, groups.get(row["id"], []), states))
            except (DataError, ValueError, KeyError, TypeError) as error:
                # one run of another version, or that somebody tampered with, must not hide all others
                logging.getLogger(__name__).warning("The run %.80r cannot be read: %.200s", row["name"], error)
        return found


def _summary(row: Record, groups: list[Record], states: "_States") -> RunSummary:
    config = SearchConfig.from_dict(json.loads(row["config"]))
    finished = [group for group in groups if group["state"] == "done"]
    done = sum(group["count"] for group in finished if not group["label"])
    directions = [goal["direction"] for goal in json.loads(row["goals"])]
    best = None
    if len(directions) == 1 and finished:
        best = max(g["most"] for g in finished) if directions[0] == "max" else min(g["least"] for g in finished)
    started = datetime.fromtimestamp(row["created"], UTC)
    return RunSummary(config.name, config, states.of(row, config.budget, done), done, config.budget, best, started)


class _States:
    """The state of every run from what is stored and who lives."""

    def __init__(self, connection: Connection) -> None:
        # records first: a worker that comes between the two looks is not taken for dead
        records = connection.execute(sa.select(workers.c.id, workers.c.run_id, workers.c.status)).all()
        living = alive(connection)
        self.begun = {run for _, run, _ in records}
        self.working = {run for id, run, status in records if id in living and status == "working"}

    def of(self, row: Record, budget: int, done: int) -> RunState:
        """The state of one run."""
        if row["id"] in self.working and row["ended"] is None:
            return "running"
        if row["ended"] is not None:
            return row["ended"]
        if done >= budget:
            return "finished"
        if row["control"] != "run":
            return "paused" if row["control"] == "pause" else "cancelled"
        return "interrupted" if row["id"] in self.begun else "waiting"


def read_run(storage_url: str, name: str) -> RunView:
    """A run as it is now.

    Raises:
        DataError: if there is no such run or the store cannot be used.
    """
    with open_store(storage_url) as engine:
        return view_of(engine, name)


def view_of(engine: Engine, name: str) -> RunView:
    """The same from a store that is open, whose errors are the database's own.

    Raises:
        DataError: if there is no such run.
    """
    with engine.connect() as connection:
        row = find(connection, name)
        config = SearchConfig.from_dict(json.loads(row["config"]))
        query = sa.select(claims).where(claims.c.run_id == row["id"]).order_by(claims.c.number)
        found = list(connection.execute(query).mappings())
        query = sa.select(workers).where(workers.c.run_id == row["id"])
        labels = {record["id"]: read_worker(record).label for record in connection.execute(query).mappings()}
        done = sum(claim["state"] == "done" and claim["slot"] is not None for claim in found)
        state = _States(connection).of(row, config.budget, done)
    over = state in ("finished", "cancelled", "failed")
    evaluations = tuple(
        _evaluation(claim, config.space, labels) for claim in found if not (over and claim["state"] == "open")
    )
    optimum = None if row["optimum"] is None else tuple(json.loads(row["optimum"]))
    return RunView(config, read_goals(row), state, evaluations, optimum, row["problem"], row["domain"])


def read_goals(row: Record) -> tuple[Goal, ...]:
    """The goals of a stored run."""
    meanings = [meaning_from_dict(raw) for raw in json.loads(row["goals"])]
    return tuple(Goal(meaning.key, meaning) for meaning in meanings)


def find(connection: Connection, name: str) -> Record:
    """The record of a run.

    Raises:
        DataError: if there is none of that name.
    """
    row = connection.execute(sa.select(runs).where(runs.c.name == name)).mappings().first()
    if row is None:
        names = list(connection.execute(sa.select(runs.c.name).order_by(runs.c.id.desc()).limit(6)).scalars())
        known = f"the latest are {', '.join(names)}" if names else "the store is empty"
        raise DataError(f"There is no run {name[:80]!r}: {known}.")
    return row


def read_evaluation(engine: Engine, claim_id: int, space: str) -> Evaluation:
    """One evaluation as it is stored."""
    with engine.connect() as connection:
        claim = connection.execute(sa.select(claims).where(claims.c.id == claim_id)).mappings().one()
        query = sa.select(workers).where(workers.c.id == claim["worker"])
        labels = {record["id"]: read_worker(record).label for record in connection.execute(query).mappings()}
    return _evaluation(claim, space, labels)


def _evaluation(claim: Record, space: str, labels: dict[str, str]) -> Evaluation:
    return Evaluation(
        number=claim["number"],
        cell=cell_of(space, claim["genotype"]),
        notation=claim["notation"],
        values=None if claim["numbers"] is None else tuple(map(float, json.loads(claim["numbers"]))),
        source=claim["source"],
        mean=claim["mean"],
        std=claim["std"],
        state="running" if claim["state"] == "open" else claim["state"],
        started=_time(claim["started"]),
        finished=_time(claim["finished"]),
        worker=labels.get(claim["worker"] or "", ""),
        problem=claim["problem"],
    )


@lru_cache(maxsize=200_000)
def cell_of(space: str, genotype: str) -> Cell:
    """The canonical cell of a stored genotype."""
    known = get_space(space)
    return known.canonical(known.from_genotype(tuple(json.loads(genotype))))


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
