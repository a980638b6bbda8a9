"""Views of the runs of a store: one run, a list of them, one evaluation. What cannot be read is named in one line."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from svge_core.errors import DataError
from svge_core.search.runs.ledger import alive
from svge_core.search.runs.optuna_study import half_made
from svge_core.search.runs.processes import read_worker
from svge_core.search.runs.stored import (
    UNFORESEEN,
    optional_number,
    optional_time,
    stored_cell,
    stored_config,
    stored_goals,
    stored_number,
    stored_text,
    stored_time,
    stored_values,
    stored_word,
    why,
)
from svge_core.search.runs.tables import Record, claims, open_store, owners, printable, runs, workers
from svge_core.search.runs.types import Control, End, Evaluation, RunState, RunSummary, RunView, UnreadableRun

_CLAIM_STATES = ("open", "done", "failed", "pruned")


def list_runs(storage_url: str, space: str | None = None) -> list[RunSummary | UnreadableRun]:
    """All runs of a store, or those of one space, the newest first.

    One that cannot be read hides no other: it stands in the list with its name and the reason.

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
        whose = _owners(connection)
        states = _States(connection)
        found: list[RunSummary | UnreadableRun] = []
        for row in rows:
            owner = whose.get((row["id"], row["created"]), "")
            try:
                found.append(replace(_summary(row, groups.get(row["id"], []), states), owner=owner))
            except UNFORESEEN as error:
                found.append(UnreadableRun(printable(str(row["name"])), why(error), owner))
        return found


def owners_of(storage_url: str, names: Collection[str]) -> dict[str, str]:
    """Whose these runs are now, by name: empty for nobody's; those that are not in the store are left out.

    Raises:
        DataError: if the store cannot be used.
    """
    with open_store(storage_url) as engine, engine.connect() as connection:
        whose = _owners(connection)
        query = sa.select(runs.c.id, runs.c.name, runs.c.created).where(runs.c.name.in_(list(names)))
        return {name: whose.get((id, created), "") for id, name, created in connection.execute(query)}


def _owners(connection: Connection) -> dict[tuple[int, float], str]:
    """By number and time of making."""
    query = sa.select(owners.c.run_id, owners.c.created, owners.c.owner)
    return {(run_id, created): str(owner) for run_id, created, owner in connection.execute(query)}


def _summary(row: Record, groups: list[Record], states: "_States") -> RunSummary:
    name, config, goals = stored_text(row, "name"), stored_config(row), stored_goals(row)
    stored_number(row, "streak")
    for group in groups:
        stored_word(group, "state", _CLAIM_STATES)
    finished = [group for group in groups if group["state"] == "done"]
    done = sum(group["count"] for group in groups if group["state"] in ("done", "pruned") and not group["label"])
    best = None
    if finished:  # numbers come before texts in the order of SQLite, so both ends are looked at
        least = min(stored_number(group, "least") for group in finished)
        most = max(stored_number(group, "most") for group in finished)
        directions = [goal.direction for goal in goals]
        best = None if len(directions) > 1 else most if directions == ["max"] else least
    state, started = states.of(row, config.budget, done), stored_time(row, "created")
    return RunSummary(name, config, state, done, config.budget, best, started, stored_text(row, "problem"))


class _States:
    """The state of every run from what is stored and who lives."""

    def __init__(self, connection: Connection) -> None:
        # records first: a worker that comes between the two looks is not taken for dead
        records = connection.execute(sa.select(workers.c.id, workers.c.run_id, workers.c.status)).all()
        living = alive(connection)
        self.begun = {run for _, run, _ in records}
        self.working = {run for id, run, status in records if id in living and status == "working"}

    def of(self, row: Record, budget: int, done: int) -> RunState:
        """The state of one run.

        Raises:
            DataError: if this version does not know what is stored.
        """
        ended = None if row["ended"] is None else stored_word(row, "ended", get_args(End))
        control = stored_word(row, "control", get_args(Control))
        if row["id"] in self.working and ended is None:
            return "running"
        if ended is not None:
            return ended
        if done >= budget:
            return "finished"
        if control != "run":
            return "paused" if control == "pause" else "cancelled"
        return "interrupted" if row["id"] in self.begun else "waiting"


def read_run(storage_url: str, name: str) -> RunView:
    """A run as it is now.

    Raises:
        DataError: if there is no such run, it cannot be read, or the store cannot be used.
    """
    with open_store(storage_url) as engine:
        return view_of(engine, name)


def view_of(engine: Engine, name: str) -> RunView:
    """The same from a store that is open, whose errors are the database's own.

    Raises:
        DataError: if there is no such run, or it cannot be read.
    """
    with engine.connect() as connection:
        row = find(connection, name)
        query = sa.select(claims).where(claims.c.run_id == row["id"]).order_by(claims.c.number)
        found = list(connection.execute(query).mappings())
        query = sa.select(workers).where(workers.c.run_id == row["id"])
        labels = {record["id"]: read_worker(record).label for record in connection.execute(query).mappings()}
        states = _States(connection)
    with readable(name):
        config, goals = stored_config(row), stored_goals(row)
        stored_time(row, "created")  # what no list can read is not read here either
        stored_number(row, "streak")
        done = sum(claim["state"] in ("done", "pruned") and claim["slot"] is not None for claim in found)
        state = states.of(row, config.budget, done)
        over = state in ("finished", "cancelled", "failed")
        evaluations = tuple(
            _evaluation(claim, config.space, labels) for claim in found if not (over and claim["state"] == "open")
        )
        if any(len(e.values or ()) != len(goals) for e in evaluations if e.state == "done"):
            raise DataError("an evaluation has not one value per goal")
        optimum = stored_values(row, "optimum")
        problem, domain = stored_text(row, "problem"), stored_text(row, "domain")
        return RunView(config, goals, state, evaluations, optimum, problem, domain)


@contextmanager
def readable(name: str) -> Generator[None, None, None]:
    """Whatever goes wrong while a run is read, as one line that names the run.

    Raises:
        DataError: with that line.
    """
    try:
        yield
    except UNFORESEEN as error:
        raise DataError(f"The run {name[:100]!r} cannot be read: {why(error)}.") from error


def find(connection: Connection, name: str) -> Record:
    """The record of a run.

    Raises:
        DataError: if there is none of that name.
    """
    row = connection.execute(sa.select(runs).where(runs.c.name == name)).mappings().first()
    if row is None and half_made(connection, name):
        raise DataError(
            f"The run {name[:80]!r} is half made: whoever made it was stopped, or has not come to the end yet. Delete "
            "it, or make another one."
        )
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
    try:
        state = stored_word(claim, "state", _CLAIM_STATES)
        return Evaluation(
            number=int(stored_number(claim, "number")),
            cell=stored_cell(space, claim),
            notation=stored_text(claim, "notation"),
            values=stored_values(claim, "numbers"),
            source=stored_text(claim, "source"),
            mean=optional_number(claim, "mean"),
            std=optional_number(claim, "std"),
            state="running" if state == "open" else state,
            started=optional_time(claim, "started"),
            finished=optional_time(claim, "finished"),
            worker=labels.get(claim["worker"] or "", ""),
            problem=stored_text(claim, "problem"),
        )
    except DataError as error:
        raise DataError(f"evaluation {str(claim['number'])[:20]}: {error}") from None
