"""From a file's bytes to the fields of its lines: the part of the CSV import that knows no architectures."""

import csv
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from svge_core.errors import DataError

MAX_COLUMNS = 200
DELIMITERS = (",", ";", "\t")
#: first line of files that some spreadsheets write; it names the delimiter
_SEP = "sep="
#: how lists and objects of JSON begin, which no header of a table does
_JSON = re.compile(r'\s*(\[\s*[\[{]|\{\s*"[^"]*"\s*:)')


def read_text(data: bytes | Path, max_bytes: int) -> str:
    """The file as text, without a byte-order mark; gzip is unpacked.

    Raises:
        DataError: if it is too large (before it is read or unpacked), missing, empty, a spreadsheet or archive, or not
            UTF-8.
    """
    return _text(_unpacked(read_content(data, max_bytes), max_bytes))


def read_content(data: bytes | Path, max_bytes: int) -> bytes:
    """The file's bytes as they are.

    Raises:
        DataError: if it is too large (before it is read), missing, or a folder or device.
    """
    try:
        if isinstance(data, Path) and data.exists() and not data.is_file():
            raise DataError(f"{quote_text(data.name)!r} is a folder or a device; expected a CSV file.")
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        if size > max_bytes:
            raise _too_large(size, max_bytes)
        content = data.read_bytes() if isinstance(data, Path) else data
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"The file cannot be read: {reason}.") from error
    return content


def _too_large(size: int, max_bytes: int) -> DataError:
    return DataError(f"The file has {size / 2**20:.1f} MiB; at most {max_bytes / 2**20:g} MiB are read. Split it.")


def _unpacked(content: bytes, max_bytes: int) -> bytes:
    """The content of a gzip file of one or more members, or the content itself."""
    found = bytearray()
    while content.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            found += unpacker.decompress(content, max_bytes + 1 - len(found))
        except zlib.error as error:
            raise DataError(f"The file is damaged gzip: {error}.") from None
        if len(found) > max_bytes:
            raise _too_large(len(found), max_bytes)
        if not unpacker.eof:
            raise DataError("The file is damaged gzip: it is cut off.")
        content = unpacker.unused_data
        if not content.startswith(b"\x1f\x8b"):
            return bytes(found)
    return content


def refuse_json(text: str) -> None:
    """Say of a text that should be a table that it is JSON.

    Raises:
        DataError: if it is.
    """
    if _JSON.match(text):
        raise DataError(
            "The file is JSON, not CSV. Write a table with a header; of NASLib's lists, 'arch' goes into a column "
            "'naslib', 'accuracy' into a column of that name."
        )


def _text(content: bytes) -> str:
    if not content.strip():
        raise DataError("The file is empty: expected a header line and one line per architecture.")
    if content.startswith(b"PK\x03\x04") and (b"xl/" in content or b"[Content_Types]" in content):
        raise DataError("The file is a spreadsheet (xlsx), not CSV: export it as 'CSV UTF-8' first.")
    if content.startswith(b"PK"):
        raise DataError("The file is a zip archive: unpack it and give the CSV file in it.")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError("The file is a spreadsheet (xls), not CSV: export it as 'CSV UTF-8' first.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"The file is not UTF-8 text (byte {error.start}): save it as 'CSV UTF-8'.") from None
    if "\0" in text:
        raise DataError("The file is not CSV: it holds binary zeros. Save it as 'CSV UTF-8'.")
    return text


@dataclass(frozen=True)
class Lines:
    """The lines of a CSV file, split into fields.

    Attributes:
        header: the titles.
        delimiter: between fields.
        text: the whole file.
        skipped: lines before the header: 1 where the file begins with ``sep=;``.
    """

    header: list[str]
    delimiter: str
    text: str
    skipped: int = 0

    def rows(self, max_rows: int) -> Iterator[tuple[int, list[str], str | None]]:
        """Line number, fields and what is wrong with their count (or None): every line below the header but blank ones.

        Raises:
            DataError: if a line cannot be split into fields or there are more than ``max_rows``.
        """
        width = len(self.header)
        # blank lines cost time too
        if max(self.text.count("\n"), self.text.count("\r")) > 4 * max_rows:
            raise DataError(f"The file has more than {max_rows:,} lines: split it.")
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        for _ in range(self.skipped + 1):
            next(reader)
        line, count = reader.line_num + 1, 0
        try:
            for fields in reader:
                if any(field.strip() for field in fields):
                    count += 1
                    if count > max_rows:
                        raise DataError(f"The file has more than {max_rows:,} lines: split it.")
                    yield line, fields, self._wrong(fields, width)
                line = reader.line_num + 1
        except csv.Error as error:
            raise _not_csv(line, error) from None

    def _wrong(self, fields: list[str], width: int) -> str | None:
        if len(fields) == width:
            return None
        wrong = f"{len(fields)} fields where the header has {width}"
        if len(fields) > width and not any(field.strip() for field in fields[width:]):
            return f"{wrong}: remove the {_NAMES[self.delimiter]} at its end."
        if len(fields) > width and any(field.lstrip().startswith(("(", "[")) for field in fields):
            return f"{wrong}: put an architecture that has {_NAMES[self.delimiter]}s in it between double quotes."
        return f"{wrong}."


_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_lines(text: str, wanted: Sequence[str]) -> Lines:
    """The header, split by the delimiter (comma, semicolon or tab) under which one of the titles is wanted.

    Args:
        text: the whole file.
        wanted: lower-case titles, one of which has to be there.

    Raises:
        DataError: if none is there, a title is there twice, or there are more than 200 columns.
    """
    if _JSON.match(text):
        raise DataError(
            "The file is JSON, not CSV. Write a table with a header; of NASLib's lists, 'arch' goes into a column "
            "'naslib', 'accuracy' into a column of that name."
        )
    delimiters, skipped = DELIMITERS, 0
    first = text.partition("\n")[0].strip().strip('"').lower()
    if first.startswith(_SEP) and len(first) <= len(_SEP) + 1:
        named = first[len(_SEP) :] or "\t"  # the tab was stripped
        if named not in DELIMITERS:
            raise DataError(f"The first line says that {named!r} separates fields; expected a comma, semicolon or tab.")
        delimiters, skipped = (named,), 1
    problem: csv.Error | None = None
    candidates: list[list[str]] = []
    for delimiter in delimiters:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            for _ in range(skipped):
                next(reader, None)
            titles = [title.strip() for title in next(reader, list[str]())]
        except csv.Error as error:  # quotes that another delimiter explains
            problem = problem or error
            continue
        candidates.append(titles)
        if any(title.lower() in wanted for title in titles):
            if len(titles) > MAX_COLUMNS:
                raise DataError(f"The file has {len(titles)} columns; at most {MAX_COLUMNS} are read.")
            named_titles = [title.lower() for title in titles if title]
            twice = [title for title in named_titles if named_titles.count(title) > 1]
            if twice:
                raise DataError(f"Two columns are called {quote_text(twice[0])!r}: give each its own name.")
            return Lines(titles, delimiter, text, skipped)
    if not candidates:
        assert problem is not None
        raise _not_csv(1, problem)
    found = ", ".join(quote_text(title) for title in max(candidates, key=len)[:10]) or "blank"
    raise DataError(f"No architecture column: expected one of {', '.join(wanted)}; the first line is {found}.")


def _not_csv(line: int, error: csv.Error) -> DataError:
    return DataError(f"The file is not CSV: line {line} cannot be split into fields ({error}).")


def quote_text(text: str) -> str:
    """User text in a message or title: control characters replaced, at most 60 characters."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= 60 else clean[:57] + "..."
