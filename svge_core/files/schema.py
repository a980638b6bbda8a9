"""Stored JSON as typed records: one reader that checks every field, one writer that writes whole or not at all.

A record is a frozen dataclass or a `msgspec.Struct`; its annotations are the schema. Whatever is wrong with a file, one
line of the caller's error class says which file, which field (``$.history[3].loss``), what was expected, what came, and
what to do. A file of an older version is brought up to date by the caller's ``upgrade``, before its fields are read.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from svge_core.errors import CheckpointError, SvgeError
from svge_core.files.atomic import write_atomically
from svge_core.files.plain import is_dict, is_mapping, is_sequence

T = TypeVar("T")
Plain = Any  # what JSON can hold: dict, list, str, int, float, bool, None
#: a number of things: fits into 64 bits, so that arrays can hold it
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Scalar = str | bool | int | float | None

MAX_BYTES = 16 * 2**20
#: deepest nesting that is read; no file of ours has more than a tenth of it
MAX_DEPTH = 100
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AT = re.compile(r" - at `(?P<path>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]|\['(?P<key>[^\]]*)'\]")
_SOME_KEY = "[...]"


class StrictRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that takes no other fields than its own."""


def read_record(
    source: Path | bytes | str,
    kind: type[T],
    advice: str,
    *,
    name: str | None = None,
    error: type[SvgeError] = CheckpointError,
    max_bytes: int = MAX_BYTES,
    upgrade: Callable[[Plain], Plain] | None = None,
    complete: Sequence[type] = (),
) -> T:
    """Read a record.

    Args:
        source: a file, or its content.
        kind: the type of the record.
        advice: a sentence that ends the message of an error: how to get the file again.
        name: what the message calls the file; its path by default.
        error: what is raised.
        max_bytes: larger files are refused before they are read.
        upgrade: gets the plain content; returns that of the present version, or raises an :class:`SvgeError`.
        complete: types whose fields must all be there, those with a default too.

    Raises:
        SvgeError: of class ``error``, in one line.
    """
    name = name or (str(source) if isinstance(source, Path) else "The text")
    try:
        plain = parse_json(_content(source, max_bytes), max_bytes=max_bytes)
        if upgrade is not None:
            plain = upgrade(plain)
        return to_record(plain, kind, complete=complete)
    except FileNotFoundError:
        raise error(f"{name} is missing. {advice}") from None
    except (SvgeError, OSError) as reason:
        # one that asks for something else by itself says so in the words of the caller's upgrade
        raise error(f"{name} is damaged: {_one_line(str(reason)).rstrip('.')}. {advice}") from None


def _content(source: Path | bytes | str, max_bytes: int) -> bytes:
    if isinstance(source, str):
        return source.encode(errors="surrogatepass")
    if isinstance(source, bytes):
        return source
    with source.open("rb") as file:
        return file.read(max_bytes + 1)


def parse_json(data: bytes, *, max_bytes: int = MAX_BYTES) -> Plain:
    """JSON as plain values, strictly: no NaN or Infinity, no number out of range, no field twice, nothing too deep.

    Raises:
        SvgeError: in a few words, without the name of a file.
    """
    if len(data) > max_bytes:
        raise SvgeError(f"it is larger than {max_bytes:,} bytes")
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    if max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0) > MAX_DEPTH:
        raise SvgeError(f"it is nested more than {MAX_DEPTH} deep")
    try:
        plain = msgspec.json.decode(data)
        if data.count(b'"') > 2:  # of two fields of one name msgspec silently keeps the last
            json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors too
        raise SvgeError(f"it is not JSON ({_one_line(str(error))})") from None
    return plain


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"the field {twice[:64]!r} is given twice in one object")


def to_record(plain: Plain, kind: type[T], *, complete: Sequence[type] = ()) -> T:
    """Plain values as a record; whole numbers serve as floats, nothing else is converted.

    Args:
        plain: dictionaries, lists, texts and numbers.
        kind: type of the record.
        complete: as in :func:`read_record`.

    Raises:
        SvgeError: naming the first field that is missing, unknown or of another type.
    """
    try:
        record = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise SvgeError(_explained(str(error), plain, kind)) from None
    _same_fields(plain, record, "$", tuple(complete))
    return record


def _explained(message: str, plain: Plain, kind: type) -> str:
    """The words of msgspec as this project says it: where, what was expected, what came."""
    found = _AT.search(message)
    what = (message[: found.start()] if found else message).replace("`", "")
    path = _exact(found["path"] if found else "$", plain, kind)
    there, value = _value_at(plain, path)
    got = f" ({_short(value)})" if there and ", got " in what else ""
    return f"{path}: {what[:1].lower()}{what[1:]}{got}"


def _exact(path: str, plain: Plain, kind: type) -> str:
    """The path with the names of dictionaries' keys, which msgspec leaves out: the first key that alone fails too."""
    while _SOME_KEY in path:
        before, after = path.split(_SOME_KEY, 1)
        there, mapping = _value_at(plain, before)
        if not there or not is_dict(mapping):
            break
        for key, value in mapping.items():
            try:
                msgspec.convert(_replaced(plain, _steps(before), {key: value}), kind)
            except msgspec.ValidationError as error:
                if f"`{before}[" in str(error):
                    path = f"{before}[{str(key)[:64]!r}]{after}"
                    break
        else:
            break
    return path


def _steps(path: str) -> list[str | int]:
    return [int(m["index"]) if m["index"] else m["name"] or m["key"] or "" for m in _STEP.finditer(path)]


def _value_at(plain: Plain, path: str) -> tuple[bool, Plain]:
    try:
        for step in _steps(path):
            plain = plain[step]
    except (KeyError, IndexError, TypeError):
        return False, None
    return _SOME_KEY not in path, plain


def _replaced(plain: Plain, steps: Sequence[str | int], value: Plain) -> Plain:
    if not steps:
        return value
    copy: Any = dict(plain) if is_dict(plain) else list(plain)
    copy[steps[0]] = _replaced(plain[steps[0]], steps[1:], value)
    return copy


def _same_fields(plain: Plain, record: Any, path: str, complete: tuple[type, ...]) -> None:
    """Unknown fields (msgspec passes over those of dataclasses), and missing ones of types that must be complete."""
    if (attributes := _fields(record)) is not None and is_mapping(plain):
        if unknown := sorted(str(name) for name in plain if name not in attributes):
            raise SvgeError(f"{path}: unknown field {unknown[0][:64]!r}; expected {', '.join(attributes)}")
        if isinstance(record, complete) and (missing := [name for name in attributes if name not in plain]):
            raise SvgeError(f"{path}: object missing required field {missing[0]}")
    for part, value, place in _parts(plain, record, attributes):
        _same_fields(part, value, path + place, complete)


def _parts(plain: Plain, record: Any, attributes: Mapping[str, str] | None) -> Iterator[tuple[Plain, Any, str]]:
    """What a record holds, beside the plain values it was made of, and the place of each in it."""
    if attributes is not None and is_mapping(plain):
        for name in plain:
            yield plain[name], getattr(record, attributes[name]), f".{name}"
    elif is_sequence(record) and is_sequence(plain):
        for number, (part, value) in enumerate(zip(plain, record, strict=True)):
            yield part, value, f"[{number}]"
    elif is_dict(record) and is_mapping(plain):
        for key, value in record.items():
            yield plain.get(key), value, f"[{str(key)[:64]!r}]"


def _fields(record: Any) -> dict[str, str] | None:
    """Attributes by the names that the file has for them; None for what is no record."""
    if is_dataclass(record):
        return {field.name: field.name for field in fields(record)}
    if isinstance(record, msgspec.Struct):
        kind = type(record)
        return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return None


def to_plain(record: Any) -> Plain:
    """A record as the plain values that :func:`to_record` reads back, fields in the order of its type."""
    return msgspec.to_builtins(record, enc_hook=_plainer)


def _plainer(value: object) -> str | int | float:
    """Texts and numbers of derived types, such as a library's version or a number of NumPy, as plain ones."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def write_record(path: Path, record: Any, *, indent: int | None = None, max_bytes: int = MAX_BYTES) -> None:
    """Write a record, or plain values, as JSON: whole or not at all, the same bytes for the same record.

    Raises:
        SvgeError: if the file would be larger than its reader takes.
        ValueError: if a number is NaN or infinite, which JSON cannot say.
        OSError: if it cannot be written; what was there stays.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(to_plain(record), indent=indent, separators=separators, allow_nan=False, ensure_ascii=False)
    content = (text + "\n").encode()
    if len(content) > max_bytes:
        raise SvgeError(f"{path.name} would have {len(content):,} bytes, more than {max_bytes:,}")
    write_atomically(path, content)


def check_version(plain: Plain, field: str, known: Sequence[int]) -> Mapping[str, Any]:
    """The content of a file as an object of a known version, for ``upgrade``.

    Raises:
        SvgeError: naming the field and the versions that are read.
    """
    if not is_dict(plain):
        raise SvgeError(f"expected an object with the field {field!r}, got {type(plain).__name__}")
    found = plain.get(field)
    if type(found) is not int or found not in known:
        expected = " or ".join(map(str, known))
        raise SvgeError(f"$.{field}: expected {expected}, which this version reads, got {_short(found)}")
    return plain


def _short(value: object) -> str:
    try:
        text = _one_line(repr(value))
    except ValueError:  # a whole number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
