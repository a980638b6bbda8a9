"""One line for whatever a file made a reader raise: the file, the place in it, the reason."""

from collections import Counter
from pathlib import Path
from typing import Any

from svge_core.errors import DataError, SvgeError

_MOST_NAME, _MOST_PLACE, _MOST_REASON = 80, 90, 240


def one_line(text: str, most: int) -> str:
    """A text of a file in a message: no control characters, no line ends, at most so many characters."""
    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


def shown(path: Path) -> str:
    """A file's name for a message."""
    return one_line(path.name or str(path), _MOST_NAME)


def cannot_be_read(path: Path, error: Exception) -> DataError:
    """What to raise where the system does not give a file's content."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(str(error), 100)
    return DataError(f"{shown(path)} cannot be read: {reason}.")


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object as a dictionary; ``json`` itself keeps the last value of a key that stands twice.

    Raises:
        DataError: if a key stands twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key, count in Counter(keys).items() if count > 1)
        raise DataError(f"the key {one_line(twice, 60)!r} stands twice")
    return found


def reason_of(error: BaseException) -> str:
    """Why something cannot be used, without a full stop; Python's own errors are put in words that say so."""
    try:
        text = str(error)
    except Exception:  # also an error's text may fail, as that of numbers of thousands of digits does
        text = ""
    if isinstance(error, SvgeError):
        found = text
    elif isinstance(error, KeyError):
        found = f"it lacks {text}"
    elif isinstance(error, IndexError):
        found = f"something in it is too short ({text})"
    elif isinstance(error, RecursionError):
        found = "it is nested too deep"
    elif isinstance(error, MemoryError):
        found = "it does not fit into this machine's memory"
    else:
        found = f"it is not of the expected form ({type(error).__name__}: {text})"
    return one_line(found, _MOST_REASON).rstrip(".")


def unusable(path: Path, place: object, error: BaseException, remedy: str = "") -> DataError:
    """What to raise where a part of a file cannot be used.

    Args:
        path: the file.
        place: which entry, line or record.
        error: what reading it raised.
        remedy: what to do, a sentence.
    """
    line = f"{shown(path)}, {one_line(str(place), _MOST_PLACE)} cannot be used: {reason_of(error)}"
    return DataError(f"{line}. {remedy}" if remedy else f"{line}.")
