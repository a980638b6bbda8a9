"""The imported tables on disk: one parquet file per table, which carries the meaning of its columns; list and remove.

``<cache folder>/imported/<space>/<name>.parquet``. Files are written whole or not at all. Tables of the same form that
the program brings lie in its own folder ``tables``.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from svge_core.data.importers.table import ImportedTable, Key
from svge_core.data.meaning import meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.files import cache_dir, check_version, parse_json, to_record, write_atomically

FORMAT = 1
METADATA = b"svge_explorer"
_SHIPPED = Path(__file__).parents[1] / "tables"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """A table in the cache, without its values.

    Attributes:
        space: name of the search space.
        name: name of the table.
        path: its file.
        rows: number of architectures; 0 if damaged.
        title: the kind of file it came from.
        scores: keys of its columns.
        origin: file name, sha256 and what is known about it, date of the import.
        damage: why it cannot be used, empty where it can.
    """

    space: str
    name: str
    path: Path
    rows: int
    title: str
    scores: tuple[str, ...]
    origin: dict[str, str]
    damage: str = ""


def imported_dir() -> Path:
    """Where the imported tables are."""
    return cache_dir() / "imported"


def shipped_tables(space: str) -> list[ImportedTable]:
    """The tables of a space that come with the program.

    Raises:
        DataError: if one of them is damaged.
    """
    return [load_table(path) for path in sorted((_SHIPPED / space).glob("*.parquet"))]


def save_table(table: ImportedTable) -> Path:
    """Write a table into the cache, in place of an older one of that name.

    Raises:
        OSError: if the folder cannot be written; an older table stays as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    described = {
        "format": FORMAT,
        "space": table.space,
        "name": table.name,
        "title": table.title,
        "key": table.key,
        "meanings": [meaning.to_dict() for meaning in table.meanings.values()],
        "notes": list(table.notes),
        "origin": dict(table.origin),
    }
    arrays = {str(key): _compact(pd.Series(table.frame[key])) for key in table.frame}
    # the short texts of graphs repeat; hashes do not, and numbers are stored smaller plainly
    repeating = [str(key) for key in table.frame if isinstance(table.frame[key].dtype, pd.CategoricalDtype)]
    content = io.BytesIO()
    pq.write_table(
        pa.table(arrays).replace_schema_metadata({METADATA: json.dumps(described, allow_nan=False)}),
        content,
        compression="zstd",
        use_dictionary=repeating,
    )
    path = imported_dir() / table.space / f"{table.name}.parquet"
    write_atomically(path, content.getvalue())
    return path


def _compact(values: pd.Series) -> Any:
    """Numbers as float32 where that loses nothing."""
    import pyarrow as pa

    if values.dtype == np.float64:
        array = values.to_numpy()
        small = array.astype(np.float32)
        return pa.array(small if np.array_equal(small, array, equal_nan=True) else array)
    return pa.array(values)


def load_table(path: Path) -> ImportedTable:
    """Read a table back.

    Raises:
        DataError: if the file is missing, damaged or of another version.
    """
    import pyarrow.parquet as pq

    described, _ = _described(path)
    try:
        raw = pq.read_table(path).to_pandas()
        meanings = {meaning.key: meaning for meaning in map(meaning_from_dict, described.meanings)}
        frame = raw.astype({key: np.float64 for key in meanings})
        return ImportedTable(
            described.space,
            described.name,
            described.title,
            described.key,
            frame,
            meanings,
            described.notes,
            described.origin,
        )
    except (DataError, ValueError, KeyError, TypeError, OSError) as error:  # pyarrow's errors are ValueErrors, OSErrors
        raise _damaged(path, str(error)) from error


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What :func:`save_table` writes into a file's metadata; meanings as plain values."""

    format: int
    space: str
    name: str
    title: str
    key: Key
    meanings: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    origin: dict[str, str]


def _described(path: Path) -> tuple[_Description, int]:
    """The description in the file's metadata, and the number of rows."""
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
        if (text := (footer.metadata or {}).get(METADATA)) is None:
            raise DataError("it has no description")
        plain = check_version(parse_json(text), "format", (FORMAT,))
        return to_record(plain, _Description), footer.num_rows
    except (SvgeError, ValueError, OSError) as error:  # pyarrow's errors are ValueErrors, OSErrors
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> DataError:
    line = " ".join(reason.split())[:200].rstrip(".")
    return DataError(
        f"The imported table {path.stem} cannot be used: {line}. Run 'python -m svge_core data remove {path.stem}' "
        "and import the file again."
    )


def _paths(space: str | None = None) -> Iterator[Path]:
    root = imported_dir()
    if root.is_dir():
        yield from sorted(root.glob(f"{space or '*'}/*.parquet"))


def list_imported(space: str | None = None) -> list[Entry]:
    """The tables in the cache, without reading their values; damaged ones say so."""
    entries: list[Entry] = []
    for path in _paths(space):
        try:
            found, rows = _described(path)
            keys = tuple(str(meaning.get("key", "")) for meaning in found.meanings)
            entry = Entry(path.parent.name, path.stem, path, rows, found.title, keys, found.origin)
        except DataError as error:
            entry = Entry(path.parent.name, path.stem, path, 0, "", (), {}, str(error))
        entries.append(entry)
    return entries


def load_imported(space: str) -> list[ImportedTable]:
    """All imported tables of a space, in the order of their names.

    Raises:
        DataError: if one of them is damaged.
    """
    return [load_table(path) for path in _paths(space)]


def remove_imported(name: str) -> list[Path]:
    """Delete the tables of that name (``name`` or ``space/name``).

    Raises:
        DataError: if there is none.
    """
    space, _, stem = name.rpartition("/")
    paths = []
    if _NAME.fullmatch(stem) and (not space or _NAME.fullmatch(space)):
        paths = [path for path in _paths(space or None) if path.stem == stem]
    if not paths:
        known = ", ".join(f"{entry.space}/{entry.name}" for entry in list_imported())
        told = f"expected one of {known}" if known else "nothing is imported"
        raise DataError(f"No imported table {name[:80]!r}: {told}.")
    for path in paths:
        path.unlink()
    return paths
