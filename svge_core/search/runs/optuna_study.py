"""The Optuna side of a run: its study, made, found and removed through Optuna's public functions."""

import contextlib
import json
import os
import threading
import warnings
from collections.abc import Generator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

from svge_core.errors import DataError
from svge_core.search.objectives import Goal
from svge_core.search.runs.tables import BUSY_SECONDS, durable, first_line, full_address, make_tables

#: study attribute that holds the configuration
CONFIG_ATTR = "svge_config"


def gene_name(number: int) -> str:
    """Name of the parameter of a gene."""
    return f"gene {number}"


_quiet_lock = threading.Lock()
_quiet: list[contextlib.ExitStack] = []


@contextlib.contextmanager
def quiet() -> Generator[None, None, None]:
    """Optuna without its log lines and notes on experimental features; the user's own setting comes back.

    Filters of warnings belong to the whole process: the first thread that enters sets them, the last one that leaves
    takes them back, or one thread would take them away from another.
    """
    import optuna

    with _quiet_lock:
        stack = contextlib.ExitStack()
        if not _quiet:
            stack.callback(optuna.logging.set_verbosity, optuna.logging.get_verbosity())
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        _quiet.append(stack)
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet.remove(stack)
            if _quiet:
                _quiet[0].callback(stack.pop_all().close)  # whoever is still inside takes them back
            else:
                stack.close()


def optuna_storage(text: str) -> Any:
    """Optuna's storage in the database of a store; one per process and URL."""
    return _storage(full_address(text), os.getpid())


@cache
def _storage(text: str, pid: int) -> Any:
    from optuna.storages import RDBStorage

    if make_url(text).get_backend_name() != "sqlite":
        return make_tables(lambda: RDBStorage(text, engine_kwargs={"pool_pre_ping": True}))
    storage = make_tables(lambda: RDBStorage(text, engine_kwargs={"connect_args": {"timeout": BUSY_SECONDS}}))
    durable(storage.engine)
    storage.engine.dispose()  # connections of before that setting
    return storage


@contextlib.contextmanager
def _one_line() -> Generator[None, None, None]:
    """What goes wrong in Optuna's own tables, as one line."""
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except (StorageInternalError, RuntimeError) as error:  # damaged; of another version of Optuna
        cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        raise DataError(f"The Optuna tables of the store cannot be used: {first_line(cause)}") from error


def create_study(storage_text: str, name: str, goals: Sequence[Goal], config: dict[str, Any]) -> int | None:
    """Make the study of a run; returns its id, or None if there is a study of that name."""
    import optuna
    from optuna.study import StudyDirection

    ways = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}
    with quiet(), _one_line():
        storage = optuna_storage(storage_text)
        try:
            study = optuna.create_study(storage=storage, study_name=name, directions=[ways[g.direction] for g in goals])
        except optuna.exceptions.DuplicatedStudyError:
            return None
        study.set_user_attr(CONFIG_ATTR, json.dumps(config))
        study.set_user_attr("goals", [goal.meaning.describe() for goal in goals])
        study.set_metric_names([goal.key for goal in goals])
        return storage.get_study_id_from_name(name)


def note_config(storage_text: str, name: str, config: dict[str, Any]) -> None:
    """Bring the configuration in the study of a run up to date; nothing happens if it is gone."""
    import optuna

    with contextlib.suppress(KeyError), quiet(), _one_line():
        study = optuna.load_study(study_name=name, storage=optuna_storage(storage_text))
        study.set_user_attr(CONFIG_ATTR, json.dumps(config))


def half_made(connection: Connection, name: str) -> bool:
    """Whether there is a study of ours of this name. It is made before its run, and a kill may come between the two."""
    query = sa.text(
        "select 1 from studies join study_user_attributes on study_user_attributes.study_id = studies.study_id "
        "where studies.study_name = :name and study_user_attributes.key = :key"
    )
    if not sa.inspect(connection).has_table("studies"):  # Optuna has not been here yet
        return False
    return connection.execute(query, {"name": name, "key": CONFIG_ATTR}).first() is not None


def delete_study(storage_text: str, name: str) -> None:
    """Remove the study of a run; nothing happens if it is gone."""
    import optuna

    with contextlib.suppress(KeyError), quiet(), _one_line():
        optuna.delete_study(study_name=name, storage=optuna_storage(storage_text))
