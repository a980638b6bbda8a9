"""A user's CSV file as an objective, or as labels that a search starts from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from svge_core.cells import Cell
from svge_core.data import Direction, ScoreMeaning, count_of, direction_of
from svge_core.data.csv import MAX_LABEL_BYTES, MAX_LABEL_ROWS, UserScores, import_csv, means_column, score_key
from svge_core.errors import DataError
from svge_core.search.objectives.goals import Goal, Objective
from svge_core.search.objectives.user_table import UserTable
from svge_core.spaces import AbstractSearchSpace

#: more existing labels than this are no start of a search
MAX_START = 20_000


def read_column(
    file: UserTable, column: str, space: AbstractSearchSpace, direction: Direction | None = None
) -> tuple[ScoreMeaning, dict[Cell, float]]:
    """What one column of a user's file is, and its value per canonical cell (file order, repeats averaged).

    Args:
        file: what it holds.
        column: its title or key.
        space: of the architectures.
        direction: whether more or less is better; None where the title says it.

    Raises:
        DataError: if the file or the column cannot be used.
    """
    table = _read(file, space)
    meaning = table.meanings[score_key(table, (column,), file.name)]
    values = _by_cell(table, space, meaning.key)
    if direction is not None:
        meaning = replace(meaning, direction=direction)
    if table.rejected:
        lines = count_of(len(table.rejected), "line")
        meaning = replace(meaning, source=f"{meaning.source} ({lines} rejected)")
    if not values:
        raise DataError(f"Column {column[:60]!r} of {file.name} holds no value.")
    return meaning, values


@dataclass(frozen=True)
class Start:
    """Existing labels that a search starts from.

    Attributes:
        labels: cells with a value of every goal.
        remarks: what people have to be told: lines not used, columns whose names or units differ from the goal's.
    """

    labels: list[tuple[Cell, tuple[float, ...]]]
    remarks: tuple[str, ...] = ()


def read_start(file: UserTable, objective: Objective, space: AbstractSearchSpace) -> Start:
    """Existing labels that a search starts from: the cells of a file that have a value of every goal.

    A goal's column is named like its key, its title, or after the last colon of its objective; a file with one column
    of numbers serves a single goal whatever the column's name, and the remarks say so.

    Raises:
        DataError: if the file cannot be used, a goal has no column, no cell has all of them, a column's title says the
            other direction or its numbers another unit, or a label is better than the best value that there is.
    """
    goals = objective.goals
    table = _read(file, space)
    names = [(goal.key, goal.meaning.title) for goal in goals]
    columns = [score_key(table, wanted, file.name, only=len(goals) == 1) for wanted in names]
    values = [_by_cell(table, space, column) for column in columns]
    found = [
        (cell, tuple(column[cell] for column in values)) for cell in values[0] if all(cell in other for other in values)
    ]
    if not found:
        raise DataError(f"{file.name} has no architecture with a value of every goal.")
    if len(found) > MAX_START:
        raise DataError(f"{file.name} labels {len(found):,} architectures; a search starts from at most {MAX_START:,}.")
    remarks = [*(str(row) for row in table.rejected), *map(str, table.duplicates)]
    for place, (goal, wanted, column) in enumerate(zip(goals, names, columns, strict=True)):
        meaning = table.meanings[column]
        said = direction_of(meaning.title)
        if said is not None and said != goal.direction:
            raise DataError(
                f"Column {meaning.title!r} of {file.name} is a number of which {_BETTER[said]} is better; of the goal "
                f"{goal.meaning.title!r} {_BETTER[goal.direction]} is better."
            )
        if meaning.unit and goal.meaning.unit and meaning.unit != goal.meaning.unit:
            raise DataError(
                f"Column {meaning.title!r} of {file.name} is in {meaning.unit}, the goal {goal.meaning.title!r} in "
                f"{goal.meaning.unit}: give both in one unit."
            )
        if not means_column(meaning, wanted):
            remarks.append(
                f"Column {meaning.title!r} is taken for the goal {goal.meaning.title!r}: it is the only one."
            )
        numbers = [values[place] for _, values in found]
        _check_range(file, meaning, goal, numbers)
        if objective.optimum is not None and len(goals) == 1:
            _check_optimum(file, goal, found, objective.optimum[0])
    return Start(found, tuple(remarks))


_BETTER = {"max": "more", "min": "less"}


def _check_range(file: UserTable, meaning: ScoreMeaning, goal: Goal, numbers: Sequence[float]) -> None:
    """A goal in % does not start from fractions, nor from numbers that are no percentages."""
    if goal.meaning.unit != "%":
        return
    low, high = min(numbers), max(numbers)
    if low < 0 or high > 100:
        raise DataError(
            f"Column {meaning.title!r} of {file.name} runs from {low:g} to {high:g}; the goal {goal.meaning.title!r} "
            "is in %, from 0 to 100."
        )
    if len(numbers) > 1 and high <= 1:
        raise DataError(
            f"Column {meaning.title!r} of {file.name} runs from {low:g} to {high:g}, as fractions do; the goal "
            f"{goal.meaning.title!r} is in %: multiply by 100."
        )


def _check_optimum(
    file: UserTable, goal: Goal, found: Sequence[tuple[Cell, tuple[float, ...]]], optimum: float
) -> None:
    """No label is better than the best value of the table that is searched."""
    best = (max if goal.direction == "max" else min)(values[0] for _, values in found)
    better = best > optimum if goal.direction == "max" else best < optimum
    if better and not math.isclose(best, optimum, rel_tol=1e-6):
        raise DataError(
            f"{file.name} has a label of {best:g}, better than {optimum:g}, the best value of {goal.meaning.title!r} "
            "that there is: it is another number, or of other cells."
        )


def _read(file: UserTable, space: AbstractSearchSpace) -> UserScores:
    return import_csv(space, file.content, max_bytes=MAX_LABEL_BYTES, max_rows=MAX_LABEL_ROWS, name=file.name)


def _by_cell(table: UserScores, space: AbstractSearchSpace, key: str) -> dict[Cell, float]:
    column = table.frame[key].to_numpy(dtype=np.float64)
    cells = table.cells or tuple(space.from_index(int(index)) for index in table.frame.index)
    pairs = zip(cells, column, strict=True)
    return {space.canonical(cell): float(value) for cell, value in pairs if not math.isnan(value)}
