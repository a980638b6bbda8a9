"""Runs in their store: make, list, read, steer and delete them. ``execute`` does the work of one.

A run is one Optuna study in SQLite, PostgreSQL or MySQL; whoever opens its store sees the same, whichever process, page
or machine works on it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives import (
    AllowPython,
    Start,
    best_proposable,
    budget_remarks,
    read_start,
    read_table,
    table_name,
)
from svge_core.search.runs import optuna_study as study
from svge_core.search.runs.ledger import alive, insert_labels
from svge_core.search.runs.preparing import RunContext, default_checkpoint, prepare
from svge_core.search.runs.pruning import delete_stops
from svge_core.search.runs.races import forget_notes, race_of
from svge_core.search.runs.reading import find, view_of
from svge_core.search.runs.tables import claims, clock, deaths, open_store, owners, runs, workers
from svge_core.search.runs.types import Control, SearchConfig
from svge_core.search.runs.user_tables import (
    NamedTables,
    by_content,
    check_goals,
    drop_tables,
    keep_tables,
    named_files,
)


def create_run(
    storage_url: str,
    config: SearchConfig,
    *,
    allow_python: AllowPython = True,
    told: Callable[[str], None] | None = None,
    owner: str = "",
) -> str:
    """Store a new run, with the content of the files that it names; nothing is evaluated yet.

    Args:
        storage_url: of the store, see :func:`svge_core.search.runs.tables.storage_url`.
        config: what to do; a name that is taken gets a number behind it.
        allow_python: which ``python:`` words may be imported, to see that they are there.
        told: called with each remark on the labels to start from and the candidates, such as a line that is not used.
        owner: whose the run is, at most 64 characters; empty for nobody's. Kept with it, and in no export.

    Returns:
        the name of the run.

    Raises:
        SvgeError: with one line, if the objective, the method, the checkpoint or the labels cannot be used.
    """
    if config.uses_checkpoint and config.checkpoint is None:
        raise DataError(
            f"This search needs a model of {config.space}: give the folder of a checkpoint, such as "
            f"{default_checkpoint(config.space)}.",
            settings=("checkpoint",),
        )
    tables = NamedTables(storage_url)
    prepared = prepare(config, allow_python=allow_python, tables=tables)
    space, objective = prepared.space, prepared.objective
    start = read_start(tables(config.start_csv), objective, space) if config.start_csv else Start([])
    if told is not None:
        for remark in (*start.remarks, *_said_of_candidates(prepared, config)):
            told(remark)
    optimum = best_proposable(objective, prepared.domain) if config.is_narrowed else objective.optimum
    config = by_content(config, tables.found)
    stem = config.name or f"{config.space}-{config.method}-{config.seed}"
    with open_store(storage_url) as engine:
        with engine.connect() as connection:
            taken = set(connection.execute(sa.select(runs.c.name)).scalars())
        number = 1
        while True:
            config = replace(config, name=stem if number == 1 else f"{stem[:90]}-{number}")
            number += 1
            if config.name in taken:
                continue
            study_id = study.create_study(storage_url, config.name, objective.goals, config.to_dict())
            if study_id is not None:
                break
        row = {
            "name": config.name,
            "study_id": study_id,
            "space": config.space,
            "config": json.dumps(config.to_dict()),
            "goals": json.dumps([goal.meaning.to_dict() for goal in objective.goals]),
            "optimum": None if optimum is None else json.dumps(optimum),
            "domain": prepared.domain.title,
            "checkpoint": prepared.digest,
            "control": "run",
            "problem": "",
            "streak": 0,
        }
        try:
            with engine.begin() as connection:
                now = float(connection.execute(sa.select(clock(engine))).scalar_one())
                result = connection.execute(sa.insert(runs).values(**row, created=now))
                assert result.inserted_primary_key is not None
                run_id = int(result.inserted_primary_key[0])
                insert_labels(connection, run_id, space, start.labels, now)
                connection.execute(sa.delete(owners).where(owners.c.run_id == run_id))  # of a run of before
                if owner:
                    connection.execute(sa.insert(owners).values(run_id=run_id, created=now, owner=owner))
                keep_tables(connection, tables.found.values())
        except BaseException as error:
            with suppress(SvgeError):
                study.delete_study(storage_url, config.name)  # or it would be a run that is half made
            if isinstance(error, IntegrityError):
                raise DataError(f"The run {config.name!r} cannot be stored: its name is taken.") from error
            raise
    return config.name


def _said_of_candidates(prepared: RunContext, config: SearchConfig) -> tuple[str, ...]:
    given, left = prepared.candidates, prepared.domain.size
    return () if given is None or left is None else (*given.remarks, *budget_remarks(config.budget, given, left))


def give_table(storage_url: str, name: str, file: str) -> bool:
    """Store the content of a file that a run of an earlier version names by its path, so that the run can go on.

    Args:
        storage_url: of the store.
        name: of the run.
        file: path on this machine. If the run names several files, it must be called like one of them.

    Returns:
        False if the run names no file.

    Raises:
        SvgeError: if the file cannot be used, or has other values than those the run has found.
    """
    with open_store(storage_url) as engine:
        view = view_of(engine, name)
        if not (paths := named_files(view.config)):
            return False
        alike = [path for path in paths if path == file] or [p for p in paths if table_name(p) == table_name(file)]
        chosen = paths if len(paths) == 1 else alike
        if len(chosen) != 1:
            names = ", ".join(map(table_name, paths))
            raise DataError(
                f"The run {name!r} names several files ({names}): give one that is called like one of them."
            )
        table = read_table(file)
        check_goals(view, chosen[0], table)
        config = by_content(view.config, {chosen[0]: table})
        with engine.begin() as connection:
            update = sa.update(runs).where(runs.c.name == name)
            connection.execute(update.values(config=json.dumps(config.to_dict())))
            keep_tables(connection, [table])
    study.note_config(storage_url, name, config.to_dict())
    return True


def control(storage_url: str, name: str, action: Control) -> None:
    """Steer a run: its workers obey before their next evaluation. ``run`` lets a paused, cancelled or failed one go on.

    Raises:
        DataError: if there is no such run or action.
    """
    if action not in get_args(Control):
        raise DataError(f"A run obeys run, pause and cancel; got {str(action)[:40]!r}.")
    with open_store(storage_url) as engine, engine.begin() as connection:
        row = find(connection, name)
        values: dict[str, Any] = {"control": action}
        if action == "run" and row["ended"] == "failed":
            values |= {"ended": None, "problem": "", "streak": 0}
        connection.execute(sa.update(runs).where(runs.c.id == row["id"]).values(**values))


def delete_run(storage_url: str, name: str) -> None:
    """Remove a run, its study, all its evaluations and the tables that no other run names; of one that is half made,
    what there is.

    Raises:
        SvgeError: if there is no such run, or a living worker is at it: cancel it first.
    """
    with open_store(storage_url) as engine:
        with engine.connect() as connection:
            there = connection.execute(sa.select(runs.c.id).where(runs.c.name == name)).first()
            if there is None and study.half_made(connection, name):
                study.delete_study(storage_url, name)
                return
            row = find(connection, name)
            if alive(connection, row["id"], working=True):
                raise SvgeError(f"The run {name!r} is being worked on: cancel it first.")
            race = race_of(row)
        with engine.begin() as connection:
            for table in (claims, workers, deaths, owners):
                connection.execute(sa.delete(table).where(table.c.run_id == row["id"]))
            connection.execute(sa.delete(runs).where(runs.c.id == row["id"]))
            drop_tables(connection)
            forget_notes(connection, race)
        study.delete_study(storage_url, row["name"])
        delete_stops(storage_url, row["name"])
