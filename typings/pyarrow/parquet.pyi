from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from . import Schema, Table

class FileMetaData:
    metadata: dict[bytes, bytes] | None
    num_rows: int

def read_metadata(where: Path | BinaryIO) -> FileMetaData: ...
def read_schema(where: Path) -> Schema: ...
def read_table(source: Path) -> Table: ...
def write_table(table: Table, where: BinaryIO, *, compression: str, use_dictionary: bool | Sequence[str]) -> None: ...
