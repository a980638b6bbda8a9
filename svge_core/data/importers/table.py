"""`ImportedTable`: what an official file said, keyed as the file keys it, every column with its meaning."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError

#: ``index`` is the space's official index, ``hash`` the md5 of NAS-Bench-101 (32 hex digits), ``arch`` a text
Key = Literal["index", "hash", "arch"]
#: told how many of how many bytes are read
OnProgress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, eq=False)
class ImportedTable:
    """Scores of the architectures that a file names.

    Attributes:
        space: name of the search space.
        name: name of the table in the cache, one per kind of file: a later import of the same kind replaces it.
        title: the kind of file, for people.
        key: the column that says which architecture a row is about; each value stands once.
        frame: the key, perhaps more columns that describe the architecture, and one float64 column per score.
        meanings: the meaning of each score, in column order.
        notes: what a reader of these numbers should know, one line each.
        origin: file name, sha256 and what is known about it, date of the import.

    Raises:
        DataError: if columns and meanings do not belong together, a key stands twice or a value is infinite.
    """

    space: str
    name: str
    title: str
    key: Key
    frame: pd.DataFrame
    meanings: dict[str, ScoreMeaning]
    notes: tuple[str, ...] = ()
    origin: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        missing = [key for key in (self.key, *self.meanings) if key not in self.frame]
        if missing or any(key != meaning.key for key, meaning in self.meanings.items()):
            raise DataError(f"Table {self.name} lacks the column {missing or 'of a meaning'}.")
        keys = pd.Index(self.frame[self.key])
        if not keys.is_unique or keys.hasnans:
            raise DataError(f"Table {self.name} names an architecture twice, or a row names none.")
        for key in self.meanings:
            values = self.frame[key]
            if values.dtype != np.float64 or np.isinf(values.to_numpy()).any():
                raise DataError(f"Table {self.name}: {key!r} must hold finite float64 numbers, or NaN where unknown.")

    def goals(self) -> tuple[str, ...]:
        """The scores that are goals themselves, not details of others."""
        return tuple(key for key, meaning in self.meanings.items() if not meaning.detail)

    def best(self, key: str) -> tuple[str, float] | None:
        """Key and value of the best row by a score; None where no row has a value."""
        values = self.frame[key].to_numpy()
        if np.isnan(values).all():
            return None
        row = int(np.nanargmax(values) if self.meanings[key].direction == "max" else np.nanargmin(values))
        return str(self.frame[self.key].iloc[row]), float(values[row])

    def known(self, key: str) -> int:
        """Rows that have a value."""
        return int(np.count_nonzero(self.frame[key].notna()))


class Columns:
    """Collects score columns with their meanings, in order."""

    def __init__(self, **keys: Iterable[object]) -> None:
        self._data: dict[str, object] = dict(keys)
        self.meanings: dict[str, ScoreMeaning] = {}

    def add(self, meaning: ScoreMeaning, values: np.ndarray) -> None:
        """One more column; a column without a single value is left out."""
        values = np.asarray(values, dtype=np.float64)
        if not np.isnan(values).all():
            self._data[meaning.key] = values
            self.meanings[meaning.key] = meaning

    def add_runs(
        self, mean: ScoreMeaning, runs: np.ndarray, labels: Mapping[str, str], noun: str, *, may_fail: bool = False
    ) -> None:
        """Mean, single runs, sample deviation and number of runs of a score.

        Args:
            mean: the meaning of the mean; its ``seeds`` are filled in here.
            runs: (rows, runs), NaN where a run is absent.
            labels: per run, the suffix of its key and what to call it.
            noun: what a run is called, in the plural: seeds, repeats.
            may_fail: whether single runs of this benchmark are known to fail now and then.
        """
        there = ~np.isnan(runs)
        count = there.sum(axis=1)
        if not there.any():
            return
        low, high = int(count[count > 0].min()), int(count.max())
        several = f"{low}-{high} {noun}" if low != high else f"{high} {noun if high > 1 else noun.rstrip('s')}"
        average = np.divide(np.nansum(runs, axis=1), count, out=np.full(len(runs), math.nan), where=count > 0)
        squares = np.where(there, (runs - average[:, None]) ** 2, 0).sum(axis=1)
        spread = np.sqrt(np.divide(squares, count - 1, out=np.full(len(runs), math.nan), where=count > 1))
        self.add(replace(mean, seeds=f"mean of {several}" if high > 1 else several), average)
        if high > 1:
            for column, (suffix, label) in enumerate(labels.items()):
                one = replace(
                    mean,
                    key=f"{mean.key}_{suffix}",
                    title=f"{mean.title}, {label}",
                    seeds=label,
                    role="other",
                    single_run=may_fail,
                    detail=True,
                )
                self.add(one, runs[:, column])
            self.add(
                replace(
                    mean,
                    key=f"{mean.key}_std",
                    title=f"Standard deviation of {mean.title[0].lower()}{mean.title[1:]}",
                    direction="min",
                    seeds=f"sample deviation over {several}",
                    role="other",
                    detail=True,
                ),
                spread,
            )
        number = replace(
            mean,
            key=f"{mean.key}_{noun}",
            title=f"Number of {noun} of {mean.title[0].lower()}{mean.title[1:]}",
            unit=noun,
            direction="max",
            seeds=f"number of {noun}",
            role="other",
            detail=True,
        )
        self.add(number, np.where(count > 0, count, np.nan))

    def frame(self) -> pd.DataFrame:
        """All columns."""
        return pd.DataFrame(self._data, copy=False)
