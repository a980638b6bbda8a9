"""`Scores`: one table of what is known about the cells of a space, and `ScoreMeaning`: what each number is.

Every column carries its meaning (data set, split, epochs, seeds, measured or not, source), so that no number is ever
shown without it. Rows are official cell indices; a missing value is NaN.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError


@dataclass(frozen=True, eq=False)
class Scores:
    """The known values of every cell of one space.

    Attributes:
        space: name of the search space.
        frame: float64 columns over the official indices 0..n-1; NaN is missing. Treat it as read-only.
        meanings: the meaning of each column, in column order.

    Raises:
        DataError: if rows, columns and meanings do not belong together, or a value is infinite.
    """

    space: str
    frame: pd.DataFrame
    meanings: dict[str, ScoreMeaning]

    def __post_init__(self) -> None:
        columns = list(self.frame.columns)
        if columns != list(self.meanings) or any(key != m.key for key, m in self.meanings.items()):
            raise DataError(f"Every score needs its meaning: columns {columns}, meanings {list(self.meanings)}.")
        if not np.array_equal(self.frame.index, np.arange(len(self.frame))):
            raise DataError(
                f"Scores of {self.space} need one row per cell, indexed 0 to {len(self.frame) - 1} in order."
            )
        for key in columns:
            values = self.frame[key]
            if values.dtype != np.float64:
                raise DataError(f"Score {key!r} holds {values.dtype}; expected float64.")
            if np.isinf(values.to_numpy()).any():
                raise DataError(f"Score {key!r} holds an infinite value; expected numbers, or NaN where it is missing.")

    @cached_property
    def digest(self) -> str:
        """32 hex digits that change with the space, any value or any meaning (BLAKE2b, 128 bits)."""
        state = hashlib.blake2b(self.space.encode(), digest_size=16)
        for key, meaning in self.meanings.items():
            state.update(json.dumps(meaning.to_dict(), sort_keys=True).encode())
            values = self.frame[key].to_numpy(copy=True)
            values[np.isnan(values)] = np.nan  # one bit pattern for all NaNs
            state.update(values.astype("<f8").tobytes())
        return state.hexdigest()

    def meaning(self, key: str) -> ScoreMeaning:
        """The meaning of a column.

        Raises:
            DataError: if there is no such column.
        """
        if key not in self.meanings:
            known = ", ".join(self.meanings) or "none"
            raise DataError(f"{self.space} has no score {key[:80]!r}: expected one of {known}.")
        return self.meanings[key]

    def describe(self, key: str) -> str:
        """One line for the screen, with the number of cells that have a value where some lack it."""
        line = self.meaning(key).describe()
        known = int(np.count_nonzero(self.frame[key].notna()))
        return line if known == len(self.frame) else f"{line} ({known:,} of {len(self.frame):,} cells)"

    def columns(self, *, detail: bool = True) -> tuple[str, ...]:
        """Keys of the scores; with ``detail=False`` without those that only explain another column."""
        return tuple(key for key, meaning in self.meanings.items() if detail or not meaning.detail)

    def of(self, index: int) -> dict[str, float]:
        """All known values of the cell at an official index (empty if the table does not reach it)."""
        if not 0 <= index < len(self.frame):
            return {}
        row = self.frame.iloc[index]
        return {str(key): float(value) for key, value in row.items() if not math.isnan(value)}

    def best(self, key: str) -> tuple[int, float]:
        """Official index and value of the best cell by a score; ties go to the lowest index.

        Raises:
            DataError: if no cell has a value.
        """
        direction = self.meaning(key).direction
        values = self.frame[key].to_numpy()
        if np.isnan(values).all():
            raise DataError(f"No cell of {self.space} has a value of {key!r}.")
        index = int(np.nanargmax(values) if direction == "max" else np.nanargmin(values))
        return index, float(values[index])

    def with_columns(self, *others: "Scores") -> "Scores":
        """This table and the columns of others, which must be of the same space and have other names.

        Raises:
            DataError: if the spaces or the numbers of rows differ, or a column is there twice.
        """
        merged = self
        for other in others:
            if other.space != merged.space:
                raise DataError(f"Scores of {other.space} cannot be joined to scores of {merged.space}.")
            if len(other.frame) != len(merged.frame):
                raise DataError(
                    f"Tables of {len(merged.frame):,} and {len(other.frame):,} rows cannot be joined: both must have "
                    f"one row per cell of {merged.space}."
                )
            twice = [key for key in other.meanings if key in merged.meanings]
            if twice:
                raise DataError(
                    f"Score {twice[0]!r} is in both tables ({merged.meanings[twice[0]].source}; "
                    f"{other.meanings[twice[0]].source}): rename or drop one of them."
                )
            frame = pd.concat([merged.frame, other.frame], axis=1)
            merged = Scores(merged.space, frame, {**merged.meanings, **other.meanings})
        return merged


def scores_from_columns(
    space: str, columns: Mapping[str, np.ndarray], meanings: Mapping[str, ScoreMeaning], rows: int | None = None
) -> Scores:
    """Build a table from one float array per score.

    Args:
        space: name of the search space.
        columns: one value per row.
        meanings: of every column.
        rows: number of cells; None to take that of the columns, where there is one.

    Raises:
        DataError: as :class:`Scores`.
    """
    arrays = {key: np.asarray(values, dtype=np.float64) for key, values in columns.items()}
    frame = pd.DataFrame(arrays, index=None if rows is None else pd.RangeIndex(rows))
    return Scores(space, frame, dict(meanings))
