"""The Optuna side of a run: its study, and one trial per evaluation, so that Optuna's tools can read it.

Trials are written in the same transactions as our own tables (:mod:`svge_core.search.runs.ledger`), so the two never
differ; the trial of a killed worker is marked failed by whoever goes on.
"""

import contextlib
import json
import os
import threading
import warnings
from collections.abc import Generator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from svge_core.cells import Cell
from svge_core.search.objectives import Goal
from svge_core.search.runs.tables import BUSY_SECONDS, durable, make_tables, storage_url
from svge_core.spaces import AbstractSearchSpace

#: study attribute that holds the configuration; trial attribute that names the worker's record
CONFIG_ATTR, WORKER_ATTR = "svge_config", "worker_id"


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
    return _storage(storage_url(text).render_as_string(hide_password=False), os.getpid())


@cache
def _storage(text: str, pid: int) -> Any:
    from optuna.storages import RDBStorage

    if make_url(text).get_backend_name() != "sqlite":
        return make_tables(lambda: RDBStorage(text, engine_kwargs={"pool_pre_ping": True}))
    storage = make_tables(lambda: RDBStorage(text, engine_kwargs={"connect_args": {"timeout": BUSY_SECONDS}}))
    durable(storage.engine)
    storage.engine.dispose()  # connections of before that setting
    return storage


def create_study(storage_text: str, name: str, goals: Sequence[Goal], config: dict[str, Any]) -> int | None:
    """Make the study of a run; returns its id, or None if there is a study of that name."""
    import optuna
    from optuna.study import StudyDirection

    ways = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}
    with quiet():
        try:
            study = optuna.create_study(
                storage=optuna_storage(storage_text), study_name=name, directions=[ways[g.direction] for g in goals]
            )
        except optuna.exceptions.DuplicatedStudyError:
            return None
        study.set_user_attr(CONFIG_ATTR, json.dumps(config))
        study.set_user_attr("goals", [goal.meaning.describe() for goal in goals])
        study.set_metric_names([goal.key for goal in goals])
    return optuna_storage(storage_text).get_study_id_from_name(name)


def delete_study(storage_text: str, study_id: int) -> None:
    """Remove a study; nothing happens if it is gone."""
    with contextlib.suppress(KeyError), quiet():
        optuna_storage(storage_text).delete_study(study_id)


def insert_trial(
    session: Session,
    study_id: int,
    space: AbstractSearchSpace,
    cell: Cell,
    attributes: dict[str, Any],
    values: Sequence[float] | None = None,
) -> int:
    """Add a trial, running, or complete if it has values, within a transaction of ours. Returns its id.

    Optuna's own function asks three questions per gene and commits by itself; these are its models all the same.
    """
    from optuna.distributions import CategoricalDistribution, distribution_to_json
    from optuna.storages._rdb import models
    from optuna.trial import TrialState

    models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)  # numbers are given one at a time
    trial: Any = models.TrialModel(
        study_id=study_id, number=None, state=TrialState.RUNNING, datetime_start=datetime.now(), datetime_complete=None
    )
    session.add(trial)
    session.flush()
    trial_id = int(trial.trial_id)
    kinds = {
        choices: distribution_to_json(CategoricalDistribution(tuple(range(choices)))) for choices in space.gene_choices
    }
    for number, (gene, choices) in enumerate(zip(space.genotype(cell), space.gene_choices, strict=True)):
        session.add(
            models.TrialParamModel(
                trial_id=trial_id,
                param_name=gene_name(number),
                param_value=float(gene),
                distribution_json=kinds[choices],
            )
        )
    for key, value in attributes.items():
        session.add(models.TrialUserAttributeModel(trial_id=trial_id, key=key, value_json=json.dumps(value)))
    trial.number = trial.count_past_trials(session)
    if values is not None:
        end_trial(session, trial_id, values)
    return trial_id


def end_trial(session: Session, trial_id: int, values: Sequence[float] | None, problem: str = "") -> None:
    """Make a running trial complete, or failed where there are no values; a trial that has ended stays as it is."""
    from optuna.storages._rdb import models
    from optuna.trial import TrialState

    trial: Any = session.get(models.TrialModel, trial_id, with_for_update=True)
    if trial is None or trial.state != TrialState.RUNNING:
        return
    if values is None:
        session.add(models.TrialUserAttributeModel(trial_id=trial_id, key="problem", value_json=json.dumps(problem)))
    for number, value in enumerate(values or ()):
        stored, kind = models.TrialValueModel.value_to_stored_repr(float(value))
        session.add(models.TrialValueModel(trial_id=trial_id, objective=number, value=stored, value_type=kind))
    trial.state = TrialState.FAIL if values is None else TrialState.COMPLETE
    trial.datetime_complete = datetime.now()


def running_trials(session: Session, study_id: int) -> list[tuple[int, str]]:
    """Id and worker's record of every trial that has not ended."""
    from optuna.storages._rdb import models
    from optuna.trial import TrialState

    attribute = models.TrialUserAttributeModel
    query = (
        sa.select(models.TrialModel.trial_id, attribute.value_json)
        .join(attribute, attribute.trial_id == models.TrialModel.trial_id)
        .where(models.TrialModel.study_id == study_id, models.TrialModel.state == TrialState.RUNNING)
        .where(attribute.key == WORKER_ATTR)
    )
    return [(int(trial), str(json.loads(owner))) for trial, owner in session.execute(query)]
