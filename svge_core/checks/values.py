"""Words, numbers and names that a person gave."""

import re
from collections.abc import Iterable
from numbers import Integral, Real
from typing import TypeVar

from svge_core.errors import DataError, SvgeError

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
T = TypeVar("T")


def one_of(what: str, value: T, choices: Iterable[T]) -> T:
    """A word that is among those there are.

    Raises:
        SvgeError: if it is not; they are listed.
    """
    known = tuple(choices)
    if value not in known:
        raise SvgeError(f"{what} must be one of {', '.join(map(str, known))}; got {value!r:.80}.")
    return value


def whole_number(what: str, value: int, least: int, below: int) -> int:
    """A whole number, of Python or NumPy, with least <= value < below.

    Raises:
        SvgeError: if it is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        raise SvgeError(f"{what} must be a whole number; got {value!r:.80}.")
    if value < least:
        raise SvgeError(f"{what} must be at least {least}; got {value}.")
    if value >= below:
        raise SvgeError(f"{what} must be below {below}; got {value}.")
    return int(value)


def real_number(what: str, value: float) -> float:
    """A number of Python or NumPy that is no truth value.

    Raises:
        SvgeError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        raise SvgeError(f"{what} must be a number; got {value!r:.80}.")
    return float(value)


def yes_or_no(what: str, value: bool) -> bool:
    """A truth value, of Python or NumPy: any text is true, "no" too.

    Raises:
        SvgeError: if it is none.
    """
    kind = type(value)  # NumPy's own is told by its name: it is not loaded here
    if kind is not bool and (kind.__module__, kind.__name__) not in (("numpy", "bool"), ("numpy", "bool_")):
        raise SvgeError(f"{what} must be True or False; got {value!r:.80}.")
    return bool(value)


def seed(value: int) -> int:
    """A seed that every generator here takes.

    Raises:
        SvgeError: if it is none.
    """
    return whole_number("seed", value, 0, 2**63)


def file_name(what: str, value: str) -> str:
    """A name that can stand in a path as one part of it.

    Raises:
        DataError: if it cannot.
    """
    if not _FILE_NAME.fullmatch(value):
        raise DataError(
            f"{what} is made of letters, digits, -, _ and ., begins with a letter or digit and has at most 100 "
            f"characters; got {value!r:.60}."
        )
    return value
