"""A race read back from the file that :func:`svge_core.search.runs.race_json` wrote: to be looked at, not to go on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from svge_core.data import count_of, meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.files import StrictRecord, check_version, read_record
from svge_core.search.objectives import Goal
from svge_core.search.runs.export import VERSION
from svge_core.search.runs.types import Evaluation, EvaluationState, RunState, RunView, SearchConfig
from svge_core.spaces import AbstractSearchSpace, get_space

_MAX_BYTES = 64 * 2**20
_ADVICE = "Export the race again."


class _Predicted(StrictRecord, frozen=True, kw_only=True):
    mean: float
    std: float | None


class _Evaluation(StrictRecord, frozen=True, kw_only=True):
    number: int
    architecture: str
    values: dict[str, float] | None
    source: str
    predicted: _Predicted | None
    state: EvaluationState
    started: str | None
    finished: str | None
    worker: str
    problem: str


class _Run(StrictRecord, frozen=True, kw_only=True):
    format: Literal["svge-search-run"]
    version: int
    config: dict[str, Any]
    searched: str
    goals: tuple[dict[str, Any], ...]
    state: RunState
    problem: str
    known_optimum: tuple[float, ...] | None
    best_so_far: tuple[float, ...] | None
    front: tuple[int, ...] | None
    evaluations: tuple[_Evaluation, ...]


class _Race(StrictRecord, frozen=True, kw_only=True):
    format: Literal["svge-search-race"]
    version: int
    runs: tuple[_Run, ...]
    title: str = ""
    note: str = ""


def read_race(content: bytes, name: str = "The race") -> tuple[RunView, ...]:
    """The runs of a file that :func:`svge_core.search.runs.race_json` wrote, in its order.

    Args:
        content: of the file.
        name: what the message of an error calls it.

    Returns:
        The same runs: configuration, goals with their units and protocol, every evaluation.

    Raises:
        DataError: in one line, if it is no such file or holds what cannot be: an unknown space or method, a cell that
            is none of its space, values of other goals.
    """
    found = read_record(content, _Race, _ADVICE, name=name, error=DataError, max_bytes=_MAX_BYTES, upgrade=_checked)
    return tuple(_view(run, name) for run in found.runs)


def _checked(plain: Any) -> Mapping[str, Any]:
    return check_version(plain, "version", (VERSION,))


def _view(run: _Run, name: str) -> RunView:
    try:
        config = SearchConfig.from_dict(run.config)
        meanings = [meaning_from_dict(raw) for raw in run.goals]
        goals = tuple(Goal(meaning.key, meaning) for meaning in meanings)
        if not goals:
            raise DataError(f"run {config.name[:80]!r} has no goal")
        if run.known_optimum is not None and len(run.known_optimum) != len(goals):
            given = count_of(len(run.known_optimum), "value")
            raise DataError(f"the known optimum has one value for each of {count_of(len(goals), 'goal')}; got {given}")
        space = get_space(config.space)
        evaluations = tuple(_evaluation(e, space, goals) for e in run.evaluations)
    except (SvgeError, ValueError) as error:
        raise DataError(f"{name} cannot be read: {str(error).rstrip('.')}. {_ADVICE}") from None
    return RunView(config, goals, run.state, evaluations, run.known_optimum, run.problem, run.searched)


def _evaluation(e: _Evaluation, space: AbstractSearchSpace, goals: tuple[Goal, ...]) -> Evaluation:
    values = None
    if e.values is not None:
        if set(e.values) != {goal.key for goal in goals}:
            raise DataError(f"evaluation {e.number} has values of {', '.join(e.values) or 'nothing'}, which is no goal")
        values = tuple(e.values[goal.key] for goal in goals)
    elif e.state == "done":
        raise DataError(f"evaluation {e.number} is done and has no value")
    mean, std = (None, None) if e.predicted is None else (e.predicted.mean, e.predicted.std)
    started, finished = (None if text is None else datetime.fromisoformat(text) for text in (e.started, e.finished))
    cell = space.canonical(space.parse(e.architecture))
    return Evaluation(
        e.number, cell, e.architecture, values, e.source, mean, std, e.state, started, finished, e.worker, e.problem
    )
