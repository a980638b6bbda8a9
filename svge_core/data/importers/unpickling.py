"""The one unpickler of official files: plain containers and numbers, nothing imported, nothing called, bounded memory.

A file's opcodes are checked before the first one is obeyed, and the few names that official files use (numpy's scalars
and arrays, ordered dictionaries) are answered with classes of this module, so that no other code sees a file's bytes.
"""

import io
import mmap
import pickle
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers.messages import shown
from svge_core.errors import DataError
from svge_core.files import is_tuple

#: most bytes of a pickle that is read from memory, as the records of NATS-Bench (some 330 kB) are
MAX_RECORD_BYTES = 64 * 2**20
_DTYPES = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])

# Opcodes by the length of their argument; others are not used by pickle protocols 2 to 5 for plain data. The text
# opcodes of protocols 0 and 1, persistent ids, extensions and out-of-band buffers are refused.
_PLAIN = rb"[()N2}\])abdeltsuR.0\x81\x85\x86\x87\x88\x89\x8f\x90\x93\x94]"
_SHORT = b"|".join(rb"\x%02x.{%d}" % (size, size) for size in range(1, 40))
_RUN = re.compile(
    rb"(?:"
    + _PLAIN
    + rb"|G.{8}|[Khq\x80].|[Jj].{4}|M..|\x95.{8}|[\x8cCU\x8a](?:\x00|"
    + _SHORT
    + rb")|c[\w.]{1,80}\n[\w.]{1,80}\n)*+",
    re.DOTALL,
)
_VARIABLE: dict[int, tuple[str, int]] = {
    **{op: ("<B", 1) for op in b"\x8cCU\x8a"},
    **{op: ("<I", 4) for op in b"XBT\x8b"},
    **{op: ("<Q", 8) for op in b"\x8d\x8e\x96"},
}
_LONG_BINPUT, _STOP = ord("r"), ord(".")


def check_opcodes(data: "bytes | mmap.mmap", name: str) -> None:
    """Walk through a pickle without obeying it.

    What it guards against: sizes that reach beyond the data, and memo positions that would make the unpickler allocate
    gigabytes for a file of a few bytes.

    Raises:
        DataError: if an opcode is none of plain data, or the pickle is cut off.
    """
    position, size, highest = 0, len(data), 255
    while position < size:
        found = _RUN.match(data, position)
        position = found.end() if found else position
        if position >= size:
            break
        op = data[position]
        if op in _VARIABLE:
            form, width = _VARIABLE[op]
            head = data[position + 1 : position + 1 + width]
            length = struct.unpack(form, head)[0] if len(head) == width else size
            position += 1 + width + length
            if position > size:
                raise DataError(f"{name} is cut off or damaged: an item at byte {position - length:,} is not whole.")
        elif op == _LONG_BINPUT:
            head = data[position + 1 : position + 5]
            index = struct.unpack("<I", head)[0] if len(head) == 4 else 2**32
            if index > highest + 1:
                raise DataError(f"{name} is cut off or damaged: byte {position:,} names item {index:,}.")
            highest, position = max(highest, index), position + 5
        else:
            reason = "is not part of plain data" if size - position > 8 else "begins an item that is not whole"
            raise DataError(f"{name} is cut off or damaged: byte {position:,} ({op:#04x}) {reason}.")
    if not size or data[size - 1] != _STOP:
        raise DataError(f"{name} is cut off: its last byte does not end a pickle.")


class _Dtype:
    """Stands for ``numpy.dtype``: a simple number type."""

    def __init__(self, code: str, align: object = False, copy: object = True) -> None:
        if code not in _DTYPES:
            raise DataError(f"it holds numbers of type {str(code)[:20]!r}")
        self.code = "<" + code

    def __setstate__(self, state: tuple[object, ...]) -> None:
        if len(state) < 5 or state[1] not in ("<", "=", "|", ">") or any(part is not None for part in state[2:5]):
            raise DataError("it holds a structured number type")
        self.code = (">" if state[1] == ">" else "<") + self.code[1:]


class _Sealed:
    """What a file calls as a function. A class, because a pickle may set attributes of functions."""

    def __setstate__(self, state: object) -> None:
        raise DataError("it tries to change one of the reader's functions")


class _NumpyScalar(_Sealed):
    """Stands for ``numpy.core.multiarray.scalar``; gives a plain number."""

    def __new__(cls, dtype: object, data: object) -> Any:
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            raise DataError("a number in it is not of the expected form")
        return np.frombuffer(data, dtype.code, count=1)[0].item()


class _Array:
    """Stands for ``numpy.ndarray``; :attr:`values` is the array, empty until its state is set."""

    values: np.ndarray = np.empty(0)

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, dtype, fortran, data = state
        if not (
            is_tuple(shape) and isinstance(dtype, _Dtype) and isinstance(data, bytes | bytearray) and len(shape) <= 4
        ):
            raise DataError("an array in it is not of the expected form")
        flat = np.frombuffer(data, dtype.code)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


class _Reconstruct(_Sealed):
    """Stands for ``numpy.core.multiarray._reconstruct``."""

    def __new__(cls, kind: object, shape: object, code: object) -> Any:
        return _Array()


class _FromBuffer(_Sealed):
    """Stands for ``numpy.core.numeric._frombuffer``, which pickle protocol 5 uses for arrays."""

    def __new__(cls, data: object, dtype: object, shape: object, order: object) -> Any:
        array = _Array()
        array.__setstate__((1, shape, dtype, order == "F", data))
        return array


class _CodecsEncode(_Sealed):
    """Stands for ``_codecs.encode``, which pickle protocol 2 uses for bytes."""

    def __new__(cls, text: object, encoding: object = "latin1") -> Any:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise DataError("it holds bytes in an unknown encoding")
        return text.encode("latin-1")


class _NoBytes(_Sealed):
    """Stands for ``bytes``, which pickle protocol 2 uses for an empty byte string."""

    def __new__(cls) -> Any:
        return b""


#: the names a file may use, and what is given for them
ALLOWED: dict[tuple[str, str], type] = {
    ("collections", "OrderedDict"): dict,  # keeps its order too, and takes no attributes
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    **{(f"numpy.{core}.multiarray", "scalar"): _NumpyScalar for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _FromBuffer for core in ("core", "_core")},
    ("_codecs", "encode"): _CodecsEncode,
    **{(builtin, "bytes"): _NoBytes for builtin in ("builtins", "__builtin__")},
    **{(builtin, "set"): set for builtin in ("builtins", "__builtin__")},
}


def torch_globals() -> list[Any]:
    """The same names for ``torch.serialization.safe_globals``, those that PyTorch does not know itself."""
    return [(given, f"{module}.{name}") for (module, name), given in ALLOWED.items() if module.startswith("numpy")]


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        raise DataError(f"it asks for {module[:60]}.{name[:60]}, which plain results do not need")


def _load(unpickler: pickle.Unpickler, name: str) -> object:
    try:
        return unpickler.load()
    except DataError as error:
        raise DataError(f"{name} was refused, nothing in it was run: {error}.") from None
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{name} is damaged ({type(error).__name__}): get the file again.") from error


def loads(data: bytes, name: str) -> object:
    """Read a pickle in memory.

    Raises:
        DataError: if it is larger than 64 MiB, damaged, or not plain data.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise DataError(f"{name} has {len(data):,} bytes; at most {MAX_RECORD_BYTES:,} are expected.")
    check_opcodes(data, name)
    return _load(_PlainUnpickler(io.BytesIO(data)), name)


def load_file(path: Path, max_bytes: int) -> object:
    """Read a pickle from a file; it is mapped, not copied, while its opcodes are checked.

    Raises:
        DataError: if it is larger than ``max_bytes``, damaged, or not plain data.
        OSError: if it cannot be read.
    """
    size = path.stat().st_size
    if not 0 < size <= max_bytes:
        raise DataError(f"{shown(path)} has {size:,} bytes; 1 to {max_bytes:,} are expected of such a file.")
    with path.open("rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            check_opcodes(mapped, shown(path))
        return _load(_PlainUnpickler(file), shown(path))


def array_of(value: object) -> np.ndarray:
    """An array of a pickle, which may also be written as nested lists.

    Raises:
        DataError: if it is neither.
    """
    if isinstance(value, _Array):
        return value.values
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"expected an array of numbers, got {type(value).__name__}") from None
