"""`Scores`: one table of what is known about the cells of a space, and `ScoreMeaning`: what each number is.

Every column carries its meaning (data set, split, epochs, seeds, measured or not, source), so that no number is ever
shown without it. Rows are official cell indices; a missing value is NaN.
"""

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from svge_core.errors import DataError
from svge_core.files import cache_dir, keep_arrays
from svge_core.spaces import AbstractSearchSpace, get_space

Direction = Literal["max", "min"]
Kind = Literal["measured", "analytic", "predicted"]

#: analytic costs of spaces larger than this are kept in the user's cache folder
CACHE_FROM_ROWS = 100_000
MAX_TEXT = 500
#: how ``seeds`` begins where every value is of one training run
_ONE_RUN = ("one run", "run ")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class ScoreMeaning:
    """What a column of numbers is.

    Attributes:
        key: column name: a letter, then letters, digits and underscores, at most 64 characters.
        title: short name for people; for a user's own column the column's header, so escape it before it enters HTML.
        unit: unit of the values, empty where there is none.
        direction: ``"max"`` if more is better, ``"min"`` if less is better.
        data_set: data set the network was trained on, empty for analytic values.
        split: images the value was taken on, empty where it makes no sense.
        epochs: epochs of training, None where there was none or it is unknown.
        seeds: how many training runs stand behind the value and how they were summarised.
        kind: measured, analytic (follows from the structure alone) or predicted (by a model, see ``source``).
        source: where the value comes from.
        detail: True for columns that explain another one (single seeds, spread) rather than being a goal themselves.
    """

    key: str
    title: str
    unit: str
    direction: Direction
    data_set: str
    split: str
    epochs: int | None
    seeds: str
    kind: Kind
    source: str
    detail: bool = False

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise DataError(
                "A score's key is a letter, then letters, digits or underscores, at most 64 characters; "
                f"got {self.key[:80]!r}."
            )

    @property
    def single_runs(self) -> bool:
        """Whether every value is of one training run: now and then one fails, which says nothing of the cell."""
        return self.seeds.startswith(_ONE_RUN)

    def describe(self) -> str:
        """One line for the screen: what, unit, data set, split, epochs, seeds, direction of a goal, kind, source."""
        unit = f" ({self.unit})" if self.unit else ""
        parts = [
            f"{self.title}{unit}",
            self.data_set,
            self.split,
            f"{self.epochs} epochs" if self.epochs is not None else "",
            self.seeds,
            "" if self.detail else "higher is better" if self.direction == "max" else "lower is better",
            self.kind,
        ]
        return f"{', '.join(part for part in parts if part)}. Source: {self.source}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :func:`meaning_from_dict` reads them back."""
        return asdict(self)


def meaning_from_dict(raw: object) -> ScoreMeaning:
    """Read what :meth:`ScoreMeaning.to_dict` wrote.

    Raises:
        DataError: if a field is missing, unknown, of another type or longer than 500 characters.
    """
    names = {field.name for field in fields(ScoreMeaning)}
    if not isinstance(raw, dict) or set(raw) != names:
        got = ", ".join(sorted(map(str, raw)))[:200] if isinstance(raw, dict) else type(raw).__name__
        raise DataError(f"The meaning of a score has the fields {', '.join(sorted(names))}; got {got}.")
    for name, value in raw.items():
        if name == "epochs":
            right = value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**6)
        elif name == "detail":
            right = isinstance(value, bool)
        elif name in ("direction", "kind"):
            right = value in get_args(Direction if name == "direction" else Kind)
        else:
            right = isinstance(value, str) and len(value) <= MAX_TEXT
        if not right:
            raise DataError(f"Field {name!r} of a score's meaning cannot be {str(value)[:60]!r}.")
    return ScoreMeaning(**raw)


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


def scores_from_columns(space: str, columns: Mapping[str, np.ndarray], meanings: Mapping[str, ScoreMeaning]) -> Scores:
    """Build a table from one float array per score.

    Raises:
        DataError: as :class:`Scores`.
    """
    frame = pd.DataFrame({key: np.asarray(values, dtype=np.float64) for key, values in columns.items()})
    return Scores(space, frame, dict(meanings))


def load_scores(space: AbstractSearchSpace | str) -> Scores:
    """What this machine knows about a space: analytic sizes, the values bundled for NAS-Bench-201, imported tables.

    Raises:
        DataError: if the package that bundles the measured values is missing or damaged. :func:`analytic_scores` works
            without it.
        SvgeError: if there is no such space.
    """
    from svge_core.data.hpo_bench import load_hpo_bench  # these need this module's types
    from svge_core.data.importers.join import with_imported

    space = get_space(space) if isinstance(space, str) else space
    scores = analytic_scores(space)
    if space.name == "nasbench201":
        scores = scores.with_columns(load_hpo_bench())
    return with_imported(scores, space)


def analytic_scores(space: AbstractSearchSpace) -> Scores:
    """Parameters and multiply-accumulates of every cell; no rows for a space that is not enumerated."""
    if space.size is None or not space.enumerated:
        costs, network = np.empty((0, 2)), f"{space.title} is not enumerated"
    else:
        network = space.cost(space.from_index(0)).network
        costs = _costs(space, space.size)
    columns = {"params_m": costs[:, 0], "flops_m": costs[:, 1]}
    titles = {"params_m": "Parameters", "flops_m": "FLOPs (multiply-accumulates)"}
    meanings = {
        key: ScoreMeaning(key, title, "million", "min", "", "", None, "", "analytic", network)
        for key, title in titles.items()
    }
    return scores_from_columns(space.name, columns, meanings)


def _costs(space: AbstractSearchSpace, size: int) -> np.ndarray:
    """(cells, 2) parameters and multiply-accumulates in millions, from the cache for large spaces."""
    if size <= CACHE_FROM_ROWS:
        return space.costs()
    # a sample computed afresh names the file, so a changed formula or order never meets an old table
    sample = [space.cost(space.from_index(int(index))) for index in np.linspace(0, size - 1, 64)]
    probe = np.array([(cost.params_m, cost.flops_m) for cost in sample])
    state = hashlib.blake2b(f"{space.name} {size}".encode() + probe.tobytes(), digest_size=8)
    path = cache_dir() / f"costs-{space.name}-{state.hexdigest()}.npy"
    with contextlib.suppress(OSError, ValueError):  # not there yet, or damaged: compute it
        costs = np.load(path, allow_pickle=False)
        if costs.shape == (size, 2) and costs.dtype == np.float64 and np.isfinite(costs).all():
            return costs
    costs = space.costs()
    keep_arrays(path, costs)
    return costs
