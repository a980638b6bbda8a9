"""A user's file of scores as it was read: its name and its bytes, and how a stored run names it without any path.

A run in a store names a table as ``sha256-DIGEST/NAME`` where a person writes the path of a file: the digest finds the
content in the store, the name is for people. Nobody types it, and it never leads to a file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from svge_core.data.csv import MAX_LABEL_BYTES, quote_text, read_content
from svge_core.errors import DataError
from svge_core.search.objectives.goals import split_csv

_REFERENCE = re.compile(r"sha256-([0-9a-f]{64})/([^/]{1,255})")


@dataclass(frozen=True)
class UserTable:
    """What a file held when it was read.

    Attributes:
        name: of the file, without folders, for people.
        content: its bytes.
    """

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, 64 hex digits."""
        return sha256(self.content).hexdigest()

    @property
    def reference(self) -> str:
        """What a stored run calls it."""
        return f"sha256-{self.digest}/{self.name}"


#: gives the table that a ``csv:`` word, or a start of labels, names
TableSource = Callable[[str], UserTable]


def read_table(path: str) -> UserTable:
    """The file of this machine that a person here named.

    Raises:
        DataError: if there is none, it cannot be read, or it is too large.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"There is no file {path[:200]!r}.")
    return UserTable(quote_text(file.name), read_content(file, MAX_LABEL_BYTES))


def split_reference(named: str) -> tuple[str, str] | None:
    """Digest and name of a table that is named by its content; None for a path."""
    found = _REFERENCE.fullmatch(named)
    return None if found is None else (found[1], found[2])


def table_name(named: str) -> str:
    """The file's name for people, of a reference as of a path: no digest, no folders."""
    return quote_text(re.split(r"[/\\]", named)[-1])


def shown_word(word: str) -> str:
    """A word of an objective as people read it: a table by its file's name."""
    kind, _, rest = word.partition(":")
    if kind != "csv":
        return word
    named, column, direction = split_csv(rest)
    return ":".join([kind, table_name(named), column, *([direction] if direction else [])])
