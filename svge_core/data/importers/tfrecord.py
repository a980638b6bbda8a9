"""TensorFlow's record files without TensorFlow: framing with masked CRC-32C checksums, and the protobuf inside them.

A record is a length (8 bytes), the masked checksum of these 8 bytes (4), the payload and its masked checksum (4), all
little-endian. Lengths are always checked; payloads in batches, with numpy, where the caller asks for it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase

import numpy as np

from svge_core.errors import DataError

#: the largest payload that is believed; a record of NAS-Bench-101 has about 500 bytes
MAX_PAYLOAD = 2**20
_BATCH = 4096
_MASK = 0xA282EAD8
_HEAD, _TAIL = struct.Struct("<QI"), struct.Struct("<I")


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """CRC-32C of every byte (polynomial 0x1EDC6F41, reflected 0x82F63B78)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), np.uint32(0x82F63B78), np.uint32(0))
    return table


def crc32c(*payloads: bytes) -> np.ndarray:
    """CRC-32C of each of several byte strings, computed side by side."""
    lengths = np.array([len(payload) for payload in payloads])
    order = np.argsort(-lengths, kind="stable")  # longest first: those that still have a byte are a prefix
    sums = np.full(len(payloads), 0xFFFFFFFF, dtype=np.uint32)
    if len(payloads) and lengths.max():
        joined = np.frombuffer(b"".join(payloads), dtype=np.uint8)
        starts = (np.cumsum(lengths) - lengths)[order]
        table, eight = _table(), np.uint32(8)
        active = np.searchsorted(-lengths[order], -np.arange(int(lengths.max())), side="left")
        for position, count in enumerate(active):
            state = sums[:count]
            bytes_now = joined[starts[:count] + position]
            sums[:count] = table[(state ^ bytes_now) & np.uint32(0xFF)] ^ (state >> eight)
    result = np.empty_like(sums)
    result[order] = sums ^ np.uint32(0xFFFFFFFF)
    return result


def mask_checksum(sums: np.ndarray) -> np.ndarray:
    """The form in which checksums are stored: rotated right by 15 bits, plus a constant."""
    wide = sums.astype(np.uint64)
    return (((wide >> np.uint64(15)) | (wide << np.uint64(17))) + np.uint64(_MASK)).astype(np.uint32)


@lru_cache(maxsize=4096)
def length_checksum(length: int) -> int:
    """The masked checksum that must follow a length."""
    return int(mask_checksum(crc32c(struct.pack("<Q", length)))[0])


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """Where a record is, for messages."""

    number: int
    offset: int

    def __str__(self) -> str:
        return f"record {self.number:,} (byte {self.offset:,})"


def begins_like_records(head: bytes) -> bool:
    """Whether a file that begins like this is a record file."""
    if len(head) < _HEAD.size:
        return False
    length, checksum = _HEAD.unpack_from(head)
    return length <= MAX_PAYLOAD and checksum == length_checksum(length)


def read_records(
    file: BufferedIOBase, size: int, *, check_payloads: bool = True
) -> Iterator[tuple[RecordPosition, bytes]]:
    """Every record of a file, in order; payloads are handed out after the checksums of their batch are verified.

    Args:
        file: the open file, at its beginning.
        size: its bytes.
        check_payloads: verify the checksum of every payload too.

    Raises:
        DataError: naming the record and its byte, if the file is cut off or damaged.
    """
    batch: list[tuple[RecordPosition, bytes]] = []
    sums: list[int] = []
    offset = 0
    number = 0
    read = file.read
    while offset < size:
        place = RecordPosition(number, offset)
        head = read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise _cut(place, _HEAD.size, len(head))
        length, checksum = _HEAD.unpack(head)
        if length > MAX_PAYLOAD or checksum != length_checksum(length):
            raise DataError(
                f"The file is damaged at {place}: the checksum of the record's length is wrong. Get the file again."
            )
        body = read(length + _TAIL.size)
        if len(body) < length + _TAIL.size:
            raise _cut(place, _HEAD.size + length + _TAIL.size, _HEAD.size + len(body))
        payload = body[:length]
        if check_payloads:
            batch.append((place, payload))
            sums.append(_TAIL.unpack_from(body, length)[0])
            if len(batch) == _BATCH:
                _verify(batch, sums)
                yield from batch
                batch, sums = [], []
        else:
            yield place, payload
        number += 1
        offset += _HEAD.size + length + _TAIL.size
    _verify(batch, sums)
    yield from batch


def _cut(place: RecordPosition, wanted: int, there: int) -> DataError:
    return DataError(
        f"The file is cut off at {place}: it needs {wanted:,} bytes, {there:,} are there. Get the whole file again."
    )


def _verify(batch: list[tuple[RecordPosition, bytes]], sums: list[int]) -> None:
    if not batch:
        return
    wrong = np.flatnonzero(mask_checksum(crc32c(*(payload for _, payload in batch))) != np.array(sums, dtype=np.uint32))
    if len(wrong):
        raise DataError(
            f"The file is damaged at {batch[int(wrong[0])][0]}: the checksum of its content is wrong. "
            "Get the file again."
        )


def fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """(number, value) of each field of a protobuf message: varints, 64-bit doubles, length-delimited bytes.

    Raises:
        DataError: if the message is cut off or uses another wire type; 32-bit fields are passed over.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, position = _varint(message, position)
            yield number, value
        elif wire == 1 and position + 8 <= end:
            yield number, struct.unpack_from("<d", message, position)[0]
            position += 8
        elif wire == 2:
            length, position = _varint(message, position)
            if position + length > end:
                raise DataError("its protobuf message is cut off")
            yield number, message[position : position + length]
            position += length
        elif wire == 5 and position + 4 <= end:
            position += 4
        else:
            raise DataError("its protobuf message is cut off or of an unknown form")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 70:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), position
    raise DataError("its protobuf message is cut off")
