"""From a file's bytes to the fields of its lines: the part of the CSV import that knows no architectures."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from svge_core.errors import DataError

MAX_COLUMNS = 200


def read_text(data: bytes | Path, max_bytes: int) -> str:
    """The file as text, without a byte-order mark.

    Raises:
        DataError: if it is too large (before it is read), missing, empty, a spreadsheet, or not UTF-8.
    """
    return _text(_bytes(data, max_bytes))


def _bytes(data: bytes | Path, max_bytes: int) -> bytes:
    """The file's content, refused before reading where it is too large."""
    try:
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        if size > max_bytes:
            limit = max_bytes / 2**20
            raise DataError(f"The file has {size / 2**20:.1f} MiB; at most {limit:g} MiB are read. Split it.")
        content = data.read_bytes() if isinstance(data, Path) else data
    except OSError as error:
        raise DataError(f"The file cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise DataError("The file is empty: expected a header line and one line per architecture.")
    return content


def _text(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError("The file is a spreadsheet or archive, not CSV: save it as 'CSV UTF-8' first.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"The file is not UTF-8 text (byte {error.start}): save it as 'CSV UTF-8'.") from None
    if "\0" in text:
        raise DataError("The file is not CSV: it holds binary zeros. Save it as 'CSV UTF-8'.")
    return text


def read_header(text: str, wanted: Sequence[str]) -> tuple[list[str], str]:
    """The header's titles and the delimiter (comma, semicolon or tab) under which one of them is wanted.

    Args:
        text: the whole file.
        wanted: lower-case titles, one of which has to be there.

    Raises:
        DataError: if none is there, a title is there twice, or there are more than 200 columns.
    """
    first: list[str] = []
    for delimiter in (",", ";", "\t"):
        try:
            titles = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), list[str]())
        except csv.Error as error:
            _not_csv(1, error)
        titles = [title.strip() for title in titles]
        first = first or titles
        if any(title.lower() in wanted for title in titles):
            if len(titles) > MAX_COLUMNS:
                raise DataError(f"The file has {len(titles)} columns; at most {MAX_COLUMNS} are read.")
            named = [title.lower() for title in titles if title]
            twice = [title for title in named if named.count(title) > 1]
            if twice:
                raise DataError(f"Two columns are called {quote_text(twice[0])!r}: give each its own name.")
            return titles, delimiter
    found = ", ".join(quote_text(title) for title in first[:10]) or "blank"
    raise DataError(f"No architecture column: expected one of {', '.join(wanted)}; the first line is {found}.")


def read_rows(text: str, delimiter: str, width: int, max_rows: int) -> Iterator[tuple[int, list[str], str | None]]:
    """Line number, fields and what is wrong with their count (or None), for every line below the header but blank ones.

    Raises:
        DataError: if a line cannot be split into fields or there are more than ``max_rows``.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(reader)
    line, count = reader.line_num + 1, 0
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                count += 1
                if count > max_rows:
                    raise DataError(f"The file has more than {max_rows:,} lines: split it.")
                wrong = None if len(fields) == width else f"{len(fields)} fields where the header has {width}."
                yield line, fields, wrong
            line = reader.line_num + 1
    except csv.Error as error:
        _not_csv(line, error)


def _not_csv(line: int, error: csv.Error) -> NoReturn:
    raise DataError(f"The file is not CSV: line {line} cannot be split into fields ({error}).") from None


def quote_text(text: str) -> str:
    """User text in a message or title: control characters replaced, at most 60 characters."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= 60 else clean[:57] + "..."
