"""What a cell is worth: measured tables, predictors, a user's table or function, real training, several at once.

An objective is written as words, one per goal: ``table:cifar10_valid``, ``predictor:cifar10_valid``,
``csv:FILE:COLUMN`` (``:min`` or ``:max`` behind it says the direction), ``digits:valid``,
``train:digits`` (``:RECIPE`` behind it says how), ``python:package.module:function``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning, Scores, load_scores, old_meaning
from svge_core.data.importers import list_imported, load_imported
from svge_core.errors import DataError
from svge_core.predictors import Predictors, load_predictors
from svge_core.search.domain import Domain
from svge_core.search.objectives.candidates import Candidates
from svge_core.search.objectives.csv_tables import read_column
from svge_core.search.objectives.digits import digits_objective
from svge_core.search.objectives.goals import EXPECTED, EvaluationError, Goal, Objective, split_csv, split_word
from svge_core.search.objectives.python_function import AllowPython, CallPython, python_objective
from svge_core.search.objectives.training_process import trained_objective
from svge_core.search.objectives.user_table import TableSource, read_table
from svge_core.search.rules import Rules
from svge_core.spaces import AbstractSearchSpace

MAX_GOALS = 6
_COSTS = {"params_m": "Parameters", "flops_m": "FLOPs (multiply-accumulates)"}


@dataclass(frozen=True, eq=False)
class IndexedTable:
    """Known values by official index, NaN where there is none."""

    space: AbstractSearchSpace
    goals: tuple[Goal, ...]
    values: np.ndarray
    known: tuple[Cell, ...] | None
    optimum: tuple[float, ...] | None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`Objective`."""
        index = self.space.index(cell)
        value = float(self.values[index]) if index < len(self.values) else float("nan")
        if not np.isfinite(value):
            raise _unknown(self.space, cell, self.goals[0])
        return (value,)


@dataclass(frozen=True, eq=False)
class CellTable:
    """Known values by canonical cell."""

    space: AbstractSearchSpace
    goals: tuple[Goal, ...]
    values: Mapping[Cell, float]
    known: tuple[Cell, ...] | None
    optimum: tuple[float, ...] | None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`Objective`."""
        value = self.values.get(self.space.canonical(cell))
        if value is None:
            raise _unknown(self.space, cell, self.goals[0])
        return (value,)


@dataclass(frozen=True, eq=False)
class Costs:
    """Parameters or multiply-accumulates, which follow from the structure alone."""

    space: AbstractSearchSpace
    goals: tuple[Goal, ...]
    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`Objective`."""
        return (float(getattr(self.space.cost(cell), self.goals[0].key)),)


@dataclass(frozen=True, eq=False)
class Predicted:
    """The surrogate of a checkpoint's predictor; nothing is measured."""

    predictors: Predictors
    score: str
    goals: tuple[Goal, ...]
    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`Objective`."""
        return (float(self.predictors.predict(self.score, [cell]).mean[0]),)


@dataclass(frozen=True, eq=False)
class Joined:
    """Several objectives as one; a cell is known where all of them know it."""

    parts: tuple[Objective, ...]
    goals: tuple[Goal, ...]
    known: tuple[Cell, ...] | None
    optimum: tuple[float, ...] | None = None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`Objective`."""
        return tuple(value for part in self.parts for value in part.evaluate(cell))


def make_objective(
    spec: Sequence[str],
    space: AbstractSearchSpace,
    checkpoint: Checkpoint | None = None,
    *,
    allow_python: AllowPython = False,
    tables: TableSource = read_table,
    call_python: CallPython = "own process",
    device: str = "auto",
) -> Objective:
    """The objective that the words of a specification name.

    Args:
        spec: one word per goal, such as ``table:cifar10_valid`` (see the module's text).
        space: the search space.
        checkpoint: the model whose predictors ``predictor:`` words name.
        allow_python: which ``python:`` words may import the user's function: those that the user gave himself. A store
            that others can write to must not decide what is imported.
        tables: gives the tables that ``csv:`` words name. By default they are files of this machine: for words that the
            user gave himself. Those of a stored run take their tables from the store.
        call_python: where a user's function is called.
        device: that networks are trained on: auto, cpu, cuda or mps.

    Raises:
        SvgeError: with one line that says which word is wrong and what was expected.
    """
    if not spec:
        raise DataError(f"A search needs an objective such as table:cifar10_valid: {EXPECTED}.")
    parts = tuple(_part(word, space, checkpoint, allow_python, tables, call_python, device) for word in spec)
    goals = tuple(goal for part in parts for goal in part.goals)
    if len(goals) > MAX_GOALS:
        raise DataError(f"A search has at most {MAX_GOALS} goals; got {len(goals)}.")
    keys = [goal.key for goal in goals]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise DataError(f"Goal {twice!r} is given twice.")
    if len(parts) == 1:
        return parts[0]
    restricted = [part.known for part in parts if part.known is not None]
    if not restricted:
        return Joined(parts, goals, None)
    others = [frozenset(known) for known in restricted[1:]]
    known = tuple(cell for cell in restricted[0] if all(cell in other for other in others))
    if not known:
        raise DataError(f"No cell of {space.title} has a value of every goal ({', '.join(keys)}).")
    return Joined(parts, goals, known)


def search_domain(
    objective: Objective,
    space: AbstractSearchSpace,
    *,
    restricted: bool,
    distinct: bool = False,
    candidates: Candidates | None = None,
    rules: Rules | None = None,
) -> Domain:
    """Which cells a search of this objective may propose.

    Args:
        objective: what is searched for.
        space: where.
        restricted: agree to search only among the cells that have a value.
        distinct: as in :class:`Domain`.
        candidates: the only cells that may be proposed; whoever gives them agrees to search among them.
        rules: what a cell has to meet beside; None for nothing.

    Raises:
        DataError: if values are known for part of the space only, and that was not agreed to; or if no cell is left.
    """
    if candidates is not None:
        return Domain(space, candidates.cells, distinct=distinct, words=f"of {candidates.file}", rules=rules)
    if objective.known is not None and not restricted:
        size = f" of {space.size:,}" if space.size is not None else ""
        raise DataError(
            f"Only {len(objective.known):,}{size} cells of {space.title} have a value of "
            f"{', '.join(goal.key for goal in objective.goals)}: agree to search among these alone.",
            settings=("restricted",),
        )
    return Domain(space, objective.known, distinct=distinct, rules=rules)


def best_proposable(objective: Objective, domain: Domain) -> tuple[float, ...] | None:
    """The best value of a table among the cells of a domain that is narrower than what the table knows.

    None where the objective is no table of one goal, or the cells of the domain are not listed.
    """
    if objective.optimum is None or domain.known is None:
        return None
    best = max if objective.goals[0].direction == "max" else min
    return (best(objective.evaluate(cell)[0] for cell in domain.known),)


def _part(
    word: str,
    space: AbstractSearchSpace,
    checkpoint: Checkpoint | None,
    allow_python: AllowPython,
    tables: TableSource,
    call_python: CallPython,
    device: str,
) -> Objective:
    kind, rest = split_word(word)
    if kind == "table":
        return _table(rest, space)
    if kind == "predictor":
        return _predictor(rest, space, checkpoint)
    if kind == "csv":
        named, column, direction = split_csv(rest)
        meaning, values = read_column(tables(named), column, space, direction)
        return _cell_table(space, meaning, values)
    if kind == "digits":
        return digits_objective(rest, space)
    if kind == "train":
        return trained_objective(rest, space, allow_python, device)
    return python_objective(rest, allow_python, call_python)


def _table(key: str, space: AbstractSearchSpace) -> Objective:
    if key in _COSTS and space.has_cost:
        network = space.cost(space.random_cell(np.random.default_rng(0))).network
        meaning = ScoreMeaning(
            key,
            _COSTS[key],
            "million",
            "min",
            "",
            "",
            None,
            "",
            "analytic",
            network,
            role="cost",
            origin="analytic",
            single_run=False,
        )
        return Costs(space, (Goal(key, meaning),))
    if not space.enumerated:
        return _imported(key, space)
    scores = _scores(space.name, tuple((e.path, e.path.stat().st_mtime_ns) for e in list_imported(space.name)))
    known = [name for name, numbers in scores.frame.items() if np.isfinite(numbers.to_numpy()).any()]
    if key not in known:
        raise _no_score(key, space, [name for name in scores.columns(detail=False) if name in known])
    meaning = scores.meaning(key)
    values = scores.frame[key].to_numpy()
    rows = np.flatnonzero(np.isfinite(values))
    complete = len(rows) == space.size
    cells = None if complete else tuple(space.canonical(space.from_index(int(row))) for row in rows)
    return IndexedTable(space, (Goal(key, meaning),), values, cells, (scores.best(key)[1],))


@lru_cache(maxsize=2)
def _scores(space: str, imported: tuple[tuple[Path, int], ...]) -> Scores:
    """The table of a space, read once per process and again when an import changes it: races make many runs."""
    return load_scores(space)


def _imported(key: str, space: AbstractSearchSpace) -> Objective:
    """A column of an imported table of a space that is not enumerated."""
    tables = load_imported(space.name)
    table = next((table for table in tables if key in table.meanings), None)
    numbers = None if table is None else table.frame[key].to_numpy(dtype=np.float64)
    if table is None or numbers is None or not np.isfinite(numbers).any():
        keys = dict.fromkeys(name for each in tables for name, meaning in each.meanings.items() if not meaning.detail)
        raise _no_score(key, space, [*(_COSTS if space.has_cost else ()), *(name for name in keys if name != key)])
    values = {}
    for text, value in zip(table.frame[table.key], numbers, strict=True):
        if np.isfinite(value):
            cell = space.from_index(int(text)) if table.key == "index" else space.parse(str(text))
            values[space.canonical(cell)] = float(value)
    return _cell_table(space, table.meanings[key], values)


def _no_score(key: str, space: AbstractSearchSpace, there: Sequence[str]) -> DataError:
    """What a table of a space holds where it holds no such score, and where a goal can come from."""
    own = "a column of your own (csv:FILE:COLUMN), a predictor (predictor:KEY) or a function (python:...)"
    if not there:
        return DataError(
            f"No score of {space.title} is known on this machine, so there is no table:{key[:80]}: import a benchmark "
            f"file with 'python -m svge_core data import FILE', or take {own}."
        )
    return DataError(
        f"No {key[:80]!r} of {space.title} is known on this machine: expected table: and one of {', '.join(there)}, "
        f"or {own}."
    )


def _cell_table(space: AbstractSearchSpace, meaning: ScoreMeaning, values: Mapping[Cell, float]) -> CellTable:
    best = max(values.values()) if meaning.direction == "max" else min(values.values())
    complete = space.size is not None and len(values) == space.size
    return CellTable(space, (Goal(meaning.key, meaning),), values, None if complete else tuple(values), (best,))


def _predictor(key: str, space: AbstractSearchSpace, checkpoint: Checkpoint | None) -> Objective:
    if checkpoint is None:
        raise DataError(f"predictor:{key[:60]} needs a checkpoint: give its folder.", settings=("checkpoint",))
    predictors = load_predictors(checkpoint, space)
    if not predictors.score_keys:
        raise DataError(
            f"predictor:{key[:60]}: {checkpoint.folder} has no predictors. Fit one with: python -m svge_core fit "
            f"--checkpoint {checkpoint.folder}"
        )
    info = predictors.info(key)
    stored = predictors.meaning(key)
    source = info.model
    own = f"predicted_{key}"[:64]
    title = f"Predicted {key if stored is None else stored.title}"
    if stored is None:  # a predictor of before meanings were stored
        meaning = old_meaning(own, title, "predicted", source)
    else:
        origin = "user" if stored.origin == "user" else "bundled"
        meaning = replace(stored, key=own, title=title, kind="predicted", source=source, origin=origin)
    return Predicted(predictors, key, (Goal(own, meaning),))


def _unknown(space: AbstractSearchSpace, cell: Cell, goal: Goal) -> EvaluationError:
    return EvaluationError(f"{space.format(space.canonical(cell))[:200]} has no value of {goal.key}.")
