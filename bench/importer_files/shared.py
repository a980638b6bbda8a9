"""What the small files of the importers have in common: how a kind is made, written and read back."""

import io
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers import detect, read_table

#: cell, named as the imported table names it -> column -> value
Values = dict[str, dict[str, float]]


def load_table(folder: Path, content: bytes) -> Values:
    """What the importer makes of a file, under a name that says nothing."""
    path = folder / "file"
    path.write_bytes(content)
    table = read_table(path, detect(path), known=False)
    keys = [str(key) for key in table.frame[table.key]]
    columns = {key: table.frame[key].tolist() for key in table.meanings}
    return {key: {name: values[row] for name, values in columns.items()} for row, key in enumerate(keys)}


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        make: a valid content, plain Python data with values by chance.
        write: the bytes of the file of a content; chance says which of its forms.
        read: what must be imported of a file's bytes; written here a second time, without any defence, so it may raise
            anything where a file is not well-formed, and it is only asked about files that the importer took.
        load: what the importer makes of these bytes.
        references: whether a file may refer to the same item again.
    """

    make: Callable[[np.random.Generator], Any]
    write: Callable[[Any, np.random.Generator], bytes]
    read: Callable[[bytes], Values]
    load: Callable[[Path, bytes], Values] = load_table
    references: bool = False


def number(value: object) -> float:
    """A number as itself, None as unknown; nothing else is one."""
    if value is None:
        return math.nan
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(type(value))
    return float(value)


class _Dtype:
    """Stands for numpy's, which a damaged file would change for the whole process."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.code = (">" if state[1] == ">" else "<") + self.code

    def of(self, raw: bytes) -> np.ndarray:
        """The numbers of bytes."""
        return np.frombuffer(raw, self.code)


class _Array(list[Any]):
    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        self[:] = dtype.of(raw).reshape(shape, order="F" if fortran else "C").tolist()


def _from_buffer(raw: bytes, dtype: _Dtype, shape: Any, order: str) -> Any:
    return dtype.of(raw).reshape(shape, order="F" if order == "F" else "C").tolist()


_STAND: dict[str, Any] = {
    "dtype": _Dtype,
    "ndarray": _Array,
    "scalar": lambda dtype, raw: dtype.of(raw)[0].item(),
    "_reconstruct": lambda kind, shape, code: _Array(),
    "_frombuffer": _from_buffer,
}


class SlowUnpickler(pickle.Unpickler):
    """Python's own unpickler, with stand-ins for numpy; only for what the importer has taken."""

    def find_class(self, module: str, name: str) -> Any:
        """One of numpy's few names."""
        if module.startswith("numpy"):
            return _STAND[name]
        if module in ("collections", "_codecs", "builtins", "__builtin__") and name in ("OrderedDict", "encode", "set"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(name)


def unpickled(content: bytes) -> Any:
    """What a pickle holds."""
    return SlowUnpickler(io.BytesIO(content)).load()


def pickled(content: Any, rng: np.random.Generator) -> bytes:
    """As the official files are, with protocols 2 to 5 by chance."""
    return pickle.dumps(content, protocol=int(rng.integers(2, 6)))


def json_bytes(content: Any, rng: np.random.Generator) -> bytes:
    """The JSON of a content; what JSON does not have becomes a text."""
    return json.dumps(content, default=str).encode()
