"""The one unpickler of official files: plain containers and numbers, nothing imported, nothing called, bounded memory.

A file's opcodes are checked before the first one is obeyed, and the few names that official files use (numpy's scalars
and arrays, ordered dictionaries) are answered with classes of this module, so that no other code sees a file's bytes.
"""

import mmap
import pickle
from collections.abc import Sized
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers.messages import one_line, shown
from svge_core.data.importers.pickle_scan import MIN_ITEMS, check_size, scan
from svge_core.errors import DataError
from svge_core.files import is_tuple

#: most bytes of a pickle that is read from memory, as the records of NATS-Bench (some 330 kB) are
MAX_RECORD_BYTES = 64 * 2**20
_DTYPES = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])


def check_opcodes(data: "bytes | mmap.mmap", name: str) -> None:
    """Walk through a pickle without obeying it; see :mod:`.pickle_scan`.

    Raises:
        DataError: if it is cut off, not plain data, or would take more work than its size explains.
    """
    try:
        if not len(data) or data[len(data) - 1] != 0x2E:
            raise DataError("its last byte does not end a pickle")
        if (end := scan(data)) != len(data):
            raise DataError(f"it goes on after its end at byte {end:,}")
    except DataError as error:
        raise DataError(f"{name} is cut off or damaged: {error}.") from None


class _Dtype:
    """Stands for ``numpy.dtype``: a simple number type. It is no key, as :mod:`.pickle_scan` takes for granted."""

    __hash__ = None  # type: ignore[assignment]

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
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes) or dtype.code[1:] == "b1":
            raise DataError("a number in it is not of the expected form")
        return np.frombuffer(data, dtype.code, count=1)[0].item()


class _Array:
    """Stands for ``numpy.ndarray``; :attr:`values` is the array, empty until its state is set."""

    __hash__ = None  # type: ignore[assignment]
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


class _Counted(_Sealed):
    """Something that copies what it is given, as often as a file of that size explains."""

    def __init__(self, called: type, allowance: int) -> None:
        self._called, self._left = called, allowance

    def __call__(self, *given: object) -> object:
        self._left -= sum(len(part) for part in given if isinstance(part, Sized))
        if self._left < 0:
            raise DataError("it copies the same items again and again")
        return self._called(*given)


_COPYING = (dict, set, _CodecsEncode)


def torch_globals() -> list[Any]:
    """The same names for ``torch.serialization.safe_globals``, those that PyTorch does not know itself."""
    return [(given, f"{module}.{name}") for (module, name), given in ALLOWED.items() if module.startswith("numpy")]


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BufferedIOBase, size: int) -> None:
        super().__init__(file)
        allowance = max(MIN_ITEMS, 2 * size)
        self._counted = {called: _Counted(called, allowance) for called in _COPYING}

    def find_class(self, module: str, name: str) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        if (module, name) in ALLOWED:
            given = ALLOWED[module, name]
            return self._counted.get(given, given)
        raise DataError(f"it asks for {module[:60]}.{name[:60]}, which plain results do not need")


def _load(file: BufferedIOBase, size: int, name: str) -> object:
    try:
        value = _PlainUnpickler(file, size).load()
        check_size(value, size)
        return value
    except DataError as error:
        raise DataError(f"{name} was refused, nothing in it was run: {one_line(str(error), 300)}.") from None
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
    return _load(BytesIO(data), len(data), name)


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
        return _load(file, size, shown(path))


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
