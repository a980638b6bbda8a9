"""The Optuna side of a run: its study, and one trial per evaluation, so that Optuna's tools can read it.

The evaluations themselves are settled in our own tables (:mod:`svge_core.search.ledger`); trials follow them, and what
a killed worker left behind is put right by whoever goes on.
"""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from svge_core.cells import Cell
from svge_core.search.objectives import Goal
from svge_core.search.store import BUSY_SECONDS, durable, make_tables, storage_url
from svge_core.spaces.base import AbstractSearchSpace

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

#: study attribute that holds the configuration; trial attribute that names the worker's record
CONFIG_ATTR, WORKER_ATTR = "svge_config", "worker_id"


def gene_name(number: int) -> str:
    """Name of the parameter of a gene."""
    return f"gene {number}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Optuna without its log lines and notes on experimental features; the user's own setting comes back."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def optuna_storage(text: str) -> "RDBStorage":
    """Optuna's storage in the database of a store; one per process and URL."""
    return _storage(storage_url(text).render_as_string(hide_password=False), os.getpid())


@cache
def _storage(text: str, pid: int) -> "RDBStorage":
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
    return study._study_id


def delete_study(storage_text: str, study_id: int) -> None:
    """Remove a study; nothing happens if it is gone."""
    with contextlib.suppress(KeyError), quiet():
        optuna_storage(storage_text).delete_study(study_id)


def add_trial(
    storage_text: str,
    study_id: int,
    space: AbstractSearchSpace,
    cell: Cell,
    attributes: dict[str, Any],
    values: Sequence[float] | None = None,
) -> int:
    """Add a trial in one transaction: running, or complete if it has values. Returns its id."""
    import optuna
    from optuna.distributions import CategoricalDistribution

    state = optuna.trial.TrialState.RUNNING if values is None else optuna.trial.TrialState.COMPLETE
    genes = space.genotype(cell)
    trial = optuna.trial.create_trial(
        state=state,
        values=None if values is None else list(values),
        params={gene_name(i): gene for i, gene in enumerate(genes)},
        distributions={
            gene_name(i): CategoricalDistribution(tuple(range(choices))) for i, choices in enumerate(space.gene_choices)
        },
        user_attrs=attributes,
    )
    return optuna_storage(storage_text).create_new_trial(study_id, template_trial=trial)


def finish_trial(storage_text: str, trial_id: int, values: Sequence[float] | None, problem: str = "") -> None:
    """Make a running trial complete, or failed where there are no values; a trial that has ended stays as it is."""
    import optuna
    from optuna.trial import TrialState

    storage = optuna_storage(storage_text)
    with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError, KeyError):
        if values is None:
            storage.set_trial_user_attr(trial_id, "problem", problem)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
        else:
            storage.set_trial_state_values(trial_id, TrialState.COMPLETE, list(values))


def running_trials(storage_text: str, study_id: int) -> list[tuple[int, str]]:
    """Id and worker's record of every trial that has not ended."""
    from optuna.trial import TrialState

    trials = optuna_storage(storage_text).get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
    return [(trial._trial_id, str(trial.user_attrs.get(WORKER_ATTR, ""))) for trial in trials]
