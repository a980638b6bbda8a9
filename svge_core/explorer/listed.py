"""Architectures that stand in a file: one a line (.txt), a column of a table (.csv, .tsv, .csv.gz), a list (.json)."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from svge_core.cells import Cell
from svge_core.data.csv import LineReader, architecture_columns, read_lines, read_text
from svge_core.errors import DataError, SvgeError
from svge_core.explorer.selection import find_cell
from svge_core.exporting import FORMAT, from_json
from svge_core.spaces import AbstractSearchSpace

MAX_LIST_BYTES = 20 * 2**20
MAX_LISTED = 200_000


@dataclass(frozen=True)
class Listed:
    """One architecture of a file.

    Attributes:
        place: where it stands: ``line 3``, ``entry 3``.
        cell: as it was written; None where it cannot be read.
        problem: why not, in one line; else empty.
    """

    place: str
    cell: Cell | None
    problem: str = ""


def read_listed(name: str, data: bytes | Path, space: AbstractSearchSpace) -> list[Listed]:
    """Every architecture of a file, those that cannot be read included; blank lines are none.

    Args:
        name: of the file; its ending says how it is read.
        data: its content, or where it lies.
        space: of the architectures.

    Raises:
        DataError: if the file as a whole cannot be used, or names no architecture.
    """
    with _named(name):
        text = read_text(data, MAX_LIST_BYTES)
    suffix = PurePath(name).suffix.lower()
    if suffix == ".json":
        found = list(_entries(name, text, space))
    elif suffix in (".csv", ".tsv") or name.lower().endswith(".csv.gz"):
        with _named(name):
            found = list(_rows(text, space))
    elif suffix == ".txt":
        lines = enumerate(text.splitlines(), start=1)
        found = [_read(f"line {number}", line, space) for number, line in lines if line.strip()]
    else:
        raise DataError(f"Cannot read {name!r}: expected .txt, .csv, .tsv, .csv.gz or .json.")
    if not found:
        raise DataError(f"{name} names no architecture.")
    if len(found) > MAX_LISTED:
        raise DataError(f"{name} names {len(found):,} architectures; at most {MAX_LISTED:,} are read.")
    return found


@contextmanager
def _named(name: str) -> Generator[None, None, None]:
    """Errors on the file as a whole say which file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def _read(place: str, text: str, space: AbstractSearchSpace) -> Listed:
    try:
        return Listed(place, find_cell(space, text))
    except SvgeError as error:
        return Listed(place, None, str(error))


def _rows(text: str, space: AbstractSearchSpace) -> Iterator[Listed]:
    names = architecture_columns()
    lines = read_lines(text, names)
    architecture = [column for column, title in enumerate(lines.header) if title.lower() in names]
    reader = LineReader(space, lines.header, architecture, {})
    for line, fields, problem in lines.rows(MAX_LISTED):
        try:
            yield Listed(f"line {line}", None, problem) if problem else Listed(f"line {line}", reader.cell(fields))
        except SvgeError as error:
            yield Listed(f"line {line}", None, str(error))


def _entries(name: str, text: str, space: AbstractSearchSpace) -> Iterator[Listed]:
    """Of an export of ours, or of any list of architectures."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON: {str(error)[:120]}.") from None
    if isinstance(document, dict) and document.get("format") == FORMAT:
        found, items = from_json(text, max_bytes=MAX_LIST_BYTES, max_cells=MAX_LISTED)
        if found.name != space.name:
            raise DataError(f"{name} holds cells of {found.name}, expected {space.name}.")
        for number, item in enumerate(items, start=1):
            yield Listed(f"entry {number}", item.cell)
        return
    if not isinstance(document, list):
        raise DataError(f"{name} does not hold what is needed: expected a list of architectures or an export.")
    for number, entry in enumerate(document, start=1):
        yield _read(f"entry {number}", _entry_text(name, entry), space)


def _entry_text(name: str, entry: Any) -> str:
    """The architecture of one entry of a list: a text, an index, a list of numbers, or an object that has one of them
    under a title as in a CSV file (NASLib writes ``{"arch": [...], "accuracy": ...}``)."""
    if isinstance(entry, dict):
        given = {str(title).lower(): value for title, value in entry.items()}
        entry = next((given[name] for name in architecture_columns() if name in given), None)
    if isinstance(entry, list) and entry and all(type(number) is int for number in entry):
        entry = str(entry)
    if type(entry) not in (str, int):
        expected = "a list of texts, indices, lists of numbers, or objects with an 'arch'"
        raise DataError(f"{name} does not hold what is needed: expected {expected}.")
    return str(entry)
