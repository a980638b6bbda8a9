"""A user's CSV file as an objective, or as labels that a search starts from."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.data.csv import OWN_KEY, UserScores, import_csv, read_labels
from svge_core.errors import DataError
from svge_core.search.objectives.goals import Goal
from svge_core.spaces import AbstractSearchSpace

#: more existing labels than this are no start of a search
MAX_START = 20_000


def read_column(path: Path, column: str, space: AbstractSearchSpace) -> tuple[ScoreMeaning, dict[Cell, float]]:
    """What one column of a user's file is, and its value per canonical cell (file order, repeats averaged).

    Gzipped files and files with NAS-Bench-101 hashes are read as label tables; every line of them must be right.

    Raises:
        DataError: if the file or the column cannot be used.
    """
    if not path.is_file():
        raise DataError(f"There is no file {str(path)[:200]!r}.")
    if path.suffix == ".gz" or _has_hashes(path):
        labels = read_labels(path, column, space)
        cells = [space.canonical(space.from_index(int(index))) for index in labels.indices]
        values = dict(zip(cells, map(float, labels.values), strict=True))
        stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in column)[:50]
        meaning = ScoreMeaning(
            f"{OWN_KEY}{stem}",
            column[:100],
            "",
            "max",
            "your file",
            "",
            None,
            "",
            "measured",
            f"your file {path.name}",
            role="other",
            origin="user",
            single_run=False,
        )
    else:
        table = import_csv(space, path)
        meaning = table.meanings[_column(table, (column,), path)]
        values = _by_cell(table, space, meaning.key)
        if table.rejected:
            lines = "1 line" if len(table.rejected) == 1 else f"{len(table.rejected):,} lines"
            meaning = replace(meaning, source=f"{meaning.source} ({lines} rejected)")
    if not values:
        raise DataError(f"Column {column[:60]!r} of {path.name} holds no value.")
    return meaning, values


def read_start(path: Path, goals: Sequence[Goal], space: AbstractSearchSpace) -> list[tuple[Cell, tuple[float, ...]]]:
    """Existing labels that a search starts from: the cells of a file that have a value of every goal.

    A goal's column is named like its key, its title, or after the last colon of its objective; a file with one column
    of numbers serves a single goal whatever the column's name.

    Raises:
        DataError: if the file cannot be used, a goal has no column, or no cell has all of them.
    """
    if not path.is_file():
        raise DataError(f"There is no file {str(path)[:200]!r}.")
    table = import_csv(space, path)
    columns = [_column(table, (goal.key, goal.meaning.title), path, only=len(goals) == 1) for goal in goals]
    values = [_by_cell(table, space, column) for column in columns]
    found = [
        (cell, tuple(column[cell] for column in values)) for cell in values[0] if all(cell in other for other in values)
    ]
    if not found:
        raise DataError(f"{path.name} has no architecture with a value of every goal.")
    if len(found) > MAX_START:
        raise DataError(f"{path.name} labels {len(found):,} architectures; a search starts from at most {MAX_START:,}.")
    return found


def _column(table: UserScores, names: Sequence[str], path: Path, *, only: bool = False) -> str:
    """The key of the column that one of the names means."""
    wanted = {name.lower() for name in names} | {f"{OWN_KEY}{name.lower()}" for name in names}
    for key, meaning in table.meanings.items():
        if key in wanted or meaning.title.lower() in wanted:
            return key
    if only and len(table.meanings) == 1:
        return next(iter(table.meanings))
    titles = ", ".join(meaning.title for meaning in table.meanings.values())
    raise DataError(f"{path.name} has no column {names[0][:60]!r}; its columns of numbers are {titles[:200]}.")


def _by_cell(table: UserScores, space: AbstractSearchSpace, key: str) -> dict[Cell, float]:
    column = table.frame[key].to_numpy(dtype=np.float64)
    cells = table.cells or tuple(space.from_index(int(index)) for index in table.frame.index)
    pairs = zip(cells, column, strict=True)
    return {space.canonical(cell): float(value) for cell, value in pairs if not math.isnan(value)}


def _has_hashes(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.readline(10_000).decode("utf-8", errors="replace")
    return "hash" in [name.strip().strip('"').lower() for name in header.replace(";", ",").split(",")]
