"""Values of the rows of a store, checked: others write to it too, other versions and other hands.

Whatever is wrong is one line that names the field. SQLite keeps a text where a number belongs, any database a time that
no calendar has, and JSON may be cut off or nested without end.
"""

import json
import math
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from svge_core.cells import Cell
from svge_core.data import meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.files import is_sequence
from svge_core.search.objectives import Goal, split_csv, split_word
from svge_core.search.runs.tables import Record, printable
from svge_core.search.runs.types import SearchConfig
from svge_core.spaces import get_space

#: what reading a value can raise that nobody foresaw; a row of it is unreadable like any other
UNFORESEEN = (SvgeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)


def why(error: BaseException) -> str:
    """What is wrong, on one line of at most 300 characters."""
    text = printable(str(error))[:300].rstrip(".")
    return text if isinstance(error, SvgeError) else f"{type(error).__name__}: {text}"


def stored_json(row: Record, column: str) -> Any:
    """What a column holds as JSON.

    Raises:
        DataError: if it is none.
    """
    try:
        return json.loads(row[column])
    except (TypeError, ValueError, RecursionError):
        raise _wrong(row, column, "JSON") from None


def stored_number(row: Record, column: str) -> float:
    """A finite number.

    Raises:
        DataError: if it is none.
    """
    value = row[column]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(row, column, "a number")
    return float(value)


def optional_number(row: Record, column: str) -> float | None:
    """A finite number, or none.

    Raises:
        DataError: if it is something else.
    """
    return None if row[column] is None else stored_number(row, column)


def stored_time(row: Record, column: str) -> datetime:
    """A time in seconds since 1970, in UTC.

    Raises:
        DataError: if it is none that a calendar has.
    """
    try:
        return datetime.fromtimestamp(stored_number(row, column), UTC)
    except (ValueError, OverflowError, OSError):
        raise _wrong(row, column, "a time") from None


def optional_time(row: Record, column: str) -> datetime | None:
    """The same, or none.

    Raises:
        DataError: if it is something else.
    """
    return None if row[column] is None else stored_time(row, column)


def stored_word(row: Record, column: str, known: Collection[str]) -> Any:
    """One of the words that this version knows.

    Raises:
        DataError: if it is none of them.
    """
    if row[column] not in known:
        raise _wrong(row, column, f"one of {', '.join(known)}")
    return row[column]


def stored_text(row: Record, column: str) -> str:
    """A text; what cannot be printed comes as its escape.

    Raises:
        DataError: if it is none.
    """
    if not isinstance(row[column], str):
        raise _wrong(row, column, "a text")
    return printable(row[column])


def stored_config(row: Record) -> SearchConfig:
    """The settings of a stored run.

    Raises:
        DataError: if they are none, or name a space or a method that this version lacks.
    """
    config = SearchConfig.from_dict(stored_json(row, "config"))
    for kind, rest in map(split_word, config.objective):
        if kind == "csv":
            split_csv(rest)
    if (
        config.name != row["name"]
    ):  # files are called after a run, and the name in its settings is one that a file can have
        raise _wrong(row, "name", "that of its settings")
    return config


def stored_goals(row: Record) -> tuple[Goal, ...]:
    """The goals of a stored run.

    Raises:
        DataError: if there are none.
    """
    raw = stored_json(row, "goals")
    if not is_sequence(raw) or not raw:
        raise _wrong(row, "goals", "a list of goals")
    meanings = [meaning_from_dict(each) for each in raw]
    return tuple(Goal(meaning.key, meaning) for meaning in meanings)


def stored_values(row: Record, column: str) -> tuple[float, ...] | None:
    """A list of finite numbers, or none.

    Raises:
        DataError: if it is something else.
    """
    if row[column] is None:
        return None
    raw = stored_json(row, column)
    numbers = [v for v in raw if isinstance(v, int | float) and math.isfinite(v)] if is_sequence(raw) else []
    if not is_sequence(raw) or len(numbers) != len(raw):
        raise _wrong(row, column, "a list of numbers")
    return tuple(map(float, numbers))


def stored_cell(space: str, row: Record) -> Cell:
    """The canonical cell of a claim.

    Raises:
        DataError: if it holds none.
    """
    try:
        return _cell(space, row["genotype"])
    except UNFORESEEN:
        raise _wrong(row, "genotype", f"a cell of {space}") from None


@lru_cache(maxsize=200_000)
def _cell(space: str, genotype: str) -> Cell:
    known = get_space(space)
    return known.canonical(known.from_genotype(tuple(json.loads(genotype))))


def _wrong(row: Record, column: str, expected: str) -> DataError:
    return DataError(f"its {column!r} is not {expected}: {printable(repr(row[column])[:60])}")
