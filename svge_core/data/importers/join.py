"""From imported tables to `Scores`: rows are put at the official indices of the space."""

import warnings

import numpy as np
import pandas as pd

from svge_core.data.importers.cache import list_imported, load_imported, load_table, shipped_tables
from svge_core.data.importers.table import ImportedTable
from svge_core.data.meaning import ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace


def to_scores(table: ImportedTable, space: AbstractSearchSpace, rows: int) -> Scores:
    """A table over the first ``rows`` official indices, NaN for cells that the file does not name.

    Raises:
        DataError: if it is another space, or keys are no cells of it.
    """
    if table.space != space.name:
        raise DataError(f"The imported table {table.name} is of {table.space}, not of {space.name}.")
    indices = _indices(table, space)
    outside = np.flatnonzero((indices < 0) | (indices >= rows))
    if len(outside):
        key = str(table.frame[table.key].iloc[int(outside[0])])
        raise DataError(
            f"The imported table {table.name} names {len(outside):,} architectures that {space.title} does not have, "
            f"the first is {key[:60]!r}: run 'python -m svge_core data remove {table.name}'."
        )
    columns: dict[str, np.ndarray] = {}
    for key in table.meanings:
        columns[key] = np.full(rows, np.nan)
        columns[key][indices] = table.frame[key].to_numpy()
    return scores_from_columns(space.name, columns, table.meanings)


def _indices(table: ImportedTable, space: AbstractSearchSpace) -> np.ndarray:
    keys = table.frame[table.key]
    if table.key == "index":
        return keys.to_numpy().astype(np.int64)
    if table.key == "hash":
        from svge_core.spaces.nasbench101 import table as all_cells

        raw = np.frombuffer(bytes.fromhex("".join(map(str, keys))), dtype="S16")
        return all_cells().indices_of_hashes(raw)
    return np.array([space.index(space.parse(text)) for text in keys])


def imported_labels(space: AbstractSearchSpace) -> dict[str, tuple[ScoreMeaning, np.ndarray, np.ndarray]]:
    """By key, the meaning, official indices and finite values of every imported score of a space, enumerated or not.

    Raises:
        DataError: if an imported table is damaged.
    """
    found: dict[str, tuple[ScoreMeaning, np.ndarray, np.ndarray]] = {}
    for table in load_imported(space.name):
        indices = _indices(table, space)
        for key, meaning in table.meanings.items():
            values = table.frame[key].to_numpy(dtype=np.float64)
            known = np.isfinite(values)
            found.setdefault(key, (meaning, indices[known], values[known]))
    return found


def with_shipped(scores: Scores, space: AbstractSearchSpace) -> Scores:
    """The table, and the columns of the tables that come with the program.

    Raises:
        DataError: if one of these is damaged.
    """
    return scores.with_columns(*(to_scores(table, space, len(scores.frame)) for table in shipped_tables(space.name)))


def with_imported(scores: Scores, space: AbstractSearchSpace) -> Scores:
    """The table, and the columns of every imported table of its space.

    What cannot be joined is left out with a warning, so that a damaged cache never keeps a user from working. Where
    two files give the same score, the one whose table's name comes first is shown. Tables of spaces that are not
    enumerated (ENAS) are not joined: see :func:`svge_core.data.importers.cache.load_imported`.
    """
    rows = len(scores.frame)
    if not rows:
        return scores
    for entry in list_imported(space.name):
        try:
            if entry.damage:
                raise DataError(entry.damage)
            found = to_scores(load_table(entry.path), space, rows)
            fresh = {key: meaning for key, meaning in found.meanings.items() if key not in scores.meanings}
            scores = scores.with_columns(Scores(found.space, pd.DataFrame(found.frame, columns=list(fresh)), fresh))
        except DataError as error:
            warnings.warn(str(error), stacklevel=2)
    return scores
