"""NATS-Bench topology (Dong et al. 2021): ``NATS-tss-v1_0-3ffb9-simple``, the folder or the tar, one record at a time.

The archive holds ``meta.pickle.pbz2`` and one bz2-compressed pickle per architecture, ``000000.pickle.pbz2`` to
``015624.pickle.pbz2``. The tar is streamed, never unpacked.
"""

import bz2
import io
import os
import re
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from svge_core.data.importers.messages import one_line, reason_of, shown, unusable
from svge_core.data.importers.nb201_records import CELLS, Records
from svge_core.data.importers.table import ImportedTable, OnProgress, silent
from svge_core.data.importers.unpickling import MAX_RECORD_BYTES, loads
from svge_core.errors import DataError
from svge_core.files import is_dict

RECORD = re.compile(r"(?:.*/)?([0-9]{6})\.pickle\.pbz2")
MAX_COMPRESSED = 16 * 2**20
EPOCHS_OF = {"12": 12, "200": 200}
TITLE = "NATS-Bench topology, simple archive"


def decompress(data: bytes, name: str) -> bytes:
    """The content of a small bz2 file.

    Raises:
        DataError: if it is damaged, cut off or unreasonably large.
    """
    machine = bz2.BZ2Decompressor()
    try:
        content = machine.decompress(data, MAX_RECORD_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{name} is damaged ({reason_of(error)}): get the archive again.") from None
    if len(content) > MAX_RECORD_BYTES:
        raise DataError(f"{name} unpacks to more than {MAX_RECORD_BYTES:,} bytes, which no record does.")
    if not machine.eof:
        raise DataError(f"{name} is cut off: get the archive again.")
    return content


def read_nats(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """Read every record of a folder or tar (three minutes for all 15,625).

    Raises:
        DataError: naming the record, if one is damaged or about another architecture than its name says.
    """
    records = Records()
    count = 0
    for number, name, content in _unpacked(_members(path, progress)):
        record = loads(content, name)
        try:
            if not is_dict(record):
                raise DataError("expected results by number of epochs")
            if "90" in record:
                raise DataError("it is of the size space NATS-sss, which is not read; expected NATS-tss")
            records.add({epochs: record[key] for key, epochs in EPOCHS_OF.items() if key in record}, number)
        except Exception as error:
            raise unusable(path, name, error) from None
        count += 1
    if not count:
        raise DataError(
            f"{shown(path)} holds no record such as 000000.pickle.pbz2: expected the archive NATS-tss-...-simple."
        )
    notes = () if count == CELLS else (f"{CELLS - count:,} of {CELLS:,} architectures are missing.",)
    source = f"NATS-Bench v1.0 topology (Dong et al. 2021), {shown(path)}"
    return records.table("nats-tss", TITLE, "nats", "NATS-Bench", source, notes)


def _unpacked(members: Iterator[tuple[int, str, bytes]]) -> Iterator[tuple[int, str, bytes]]:
    """The same records decompressed, which is most of the work: some ahead, in threads (bz2 leaves Python's lock)."""
    waiting: deque[tuple[int, str, Future[bytes]]] = deque()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        try:
            for number, name, content in members:
                if number >= CELLS:
                    raise DataError(
                        f"{name} is beyond the {CELLS:,} architectures of the topology space: expected NATS-tss; the "
                        "size space NATS-sss is not read."
                    )
                waiting.append((number, name, pool.submit(decompress, content, name)))
                if len(waiting) == 16:
                    yield _result(waiting)
            while waiting:
                yield _result(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(waiting: "deque[tuple[int, str, Future[bytes]]]") -> tuple[int, str, bytes]:
    number, name, content = waiting.popleft()
    return number, name, content.result()


def _members(path: Path, progress: OnProgress) -> Iterator[tuple[int, str, bytes]]:
    """(index, name, compressed bytes) of each record."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if RECORD.fullmatch(file.name) and file.is_file())
        for done, file in enumerate(files):
            if file.stat().st_size > MAX_COMPRESSED:
                raise DataError(f"{one_line(file.name, 80)} has {file.stat().st_size:,} bytes, which no record has.")
            yield int(file.name[:6]), file.name, file.read_bytes()
            progress(done + 1, len(files))
        return
    size = path.stat().st_size
    seen: set[int] = set()
    with path.open("rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r|") as archive:
                for member in archive:
                    match = RECORD.fullmatch(member.name)
                    if match is None or not member.isfile():
                        continue
                    if member.size > MAX_COMPRESSED:
                        raise DataError(
                            f"{one_line(member.name[-80:], 80)} has {member.size:,} bytes, which no record has."
                        )
                    number = int(match[1])
                    if number in seen:
                        raise DataError(f"{shown(path)} holds the record {match[1]} twice.")
                    seen.add(number)
                    content = archive.extractfile(member)
                    yield number, one_line(member.name[-80:], 80), b"" if content is None else content.read()
                    progress(_position(file, size), size)
        except DataError:
            raise
        except Exception as error:  # a damaged header can raise anything
            place = f"after {len(seen):,} records, at byte {_position(file, size):,}"
            raise DataError(
                f"{shown(path)} is cut off or damaged {place} ({reason_of(error)}): get the whole file again."
            ) from error


def _position(file: io.BufferedIOBase, size: int) -> int:
    return min(file.tell(), size)
