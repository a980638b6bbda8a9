"""Typed records of stored JSON: what is read, and the one line that says what is wrong."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest

from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.files.schema import (
    MAX_DEPTH,
    Count,
    check_version,
    parse_json,
    read_record,
    to_plain,
    to_record,
    write_record,
)


@dataclass(frozen=True)
class Inner:
    loss: float
    epoch: Count = 0
    kind: Literal["a", "b"] = "a"


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    history: tuple[Inner, ...]
    named: dict[str, Inner] = {}
    seconds: float | None = None


@dataclass(frozen=True)
class Bounded:
    size: int
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size > 5:
            raise CheckpointError(f"size is at most 5; got {self.size}.")


def message(text: str | bytes, kind: type = Outer, **options: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_record(text, kind, "Make it again.", name="file.json", **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_record_comes_back_from_its_file(tmp_path: Path) -> None:
    record = Outer((Inner(1.5), Inner(2.0, 3, "b")), {"x y": Inner(0.1)}, None)
    path = tmp_path / "folder" / "file.json"
    write_record(path, record)
    first = path.read_bytes()
    assert read_record(path, Outer, "") == record
    write_record(path, record)
    assert path.read_bytes() == first
    write_record(path, record, indent=1)
    assert read_record(path, Outer, "") == record


def test_whole_numbers_serve_as_floats_and_nothing_else_is_converted() -> None:
    record = read_record('{"history": [{"loss": 2}]}', Outer, "")
    assert record.history[0].loss == 2.0 and type(record.history[0].loss) is float
    for wrong in ("true", '"2"', "null", "[2]"):
        assert "$.history[0].loss: expected float, got" in message('{"history": [{"loss": ' + wrong + "}]}")


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"history": [{"loss": 1}, {"loss": "high"}]}', "$.history[1].loss: expected float, got str ('high')"),
        ('{"history": [{}]}', "$.history[0]: object missing required field loss"),
        ('{"history": [{"loss": 1, "epoch": -1}]}', "$.history[0].epoch: expected int >= 0"),
        ('{"history": [{"loss": 1, "epoch": 1e2}]}', "$.history[0].epoch: expected int, got float (100.0)"),
        ('{"history": [{"loss": 1, "kind": "c"}]}', "$.history[0].kind: invalid enum value 'c'"),
        ('{"history": [{"loss": 1, "extra": 1}]}', "$.history[0]: unknown field 'extra'; expected loss, epoch, kind"),
        ('{"history": [], "extra": 1}', "$: object contains unknown field extra"),
        ('{"history": [], "named": {"ok": {"loss": 1}, "x y": {"loss": []}}}', "$.named['x y'].loss: expected float"),
        ('{"history": [], "named": {"x": {"loss": 1, "q": 1}}}', "$.named['x']: unknown field 'q'"),
        ("[]", "$: expected object, got array"),
        ("{", "it is not JSON"),
        ("", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        ('{"history": [{"loss": NaN}]}', "it is not JSON"),
        ('{"history": [{"loss": -Infinity}]}', "it is not JSON"),
        ('{"history": [{"loss": 1e999}]}', "out of range"),
        ('{"history": [{"loss": ' + "9" * 5000 + "}]}", "out of range"),
        ('{"history": [{"loss": ' + "9" * 400 + "}]}", "out of range"),
        ('{"history": [{"loss": 1, "epoch": ' + "9" * 400 + "}]}", "$.history[0].epoch: expected int"),
        ('{"history": [], "history": []}', "the field 'history' is given twice"),
        ('{"history": "\\ud800"}', "it is not JSON"),
        ('{"history": ' + "[" * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ('{"a":' * 100_000, f"nested more than {MAX_DEPTH} deep"),
    ],
)
def test_every_mistake_is_one_line_with_file_field_and_advice(text: str | bytes, expected: str) -> None:
    found = message(text)
    assert found.startswith("file.json is damaged: ") and found.endswith(". Make it again.")
    assert expected in found, found


def test_brackets_within_texts_are_no_nesting() -> None:
    deep = "[" * (MAX_DEPTH + 1) + '\\"{'
    assert parse_json(json.dumps({"text": deep, 'a"[': 1}).encode()) == {"text": deep, 'a"[': 1}
    inside = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    parse_json(inside.encode())
    with pytest.raises(SvgeError, match="nested"):
        parse_json(f"[{inside}]".encode())


def test_too_large_a_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_text(" " * 101)
    with pytest.raises(DataError, match=r"large\.json is damaged: it is larger than 100 bytes\. Again\.$"):
        read_record(path, Outer, "Again.", error=DataError, max_bytes=100)
    with pytest.raises(SvgeError, match="more than 10"):
        write_record(path, Outer(()), max_bytes=10)
    assert path.read_text() == " " * 101
    with pytest.raises(CheckpointError, match=r"none\.json is missing\. Again\.$"):
        read_record(tmp_path / "none.json", Outer, "Again.")
    with pytest.raises(CheckpointError, match="damaged: .*directory"):
        read_record(tmp_path, Outer, "Again.")


def test_a_types_own_check_is_heard() -> None:
    assert message('{"size": 6}', Bounded) == "file.json is damaged: size is at most 5; got 6. Make it again."
    assert message('{"size": 5}', Bounded, complete=[Bounded]).endswith("missing required field tags. Make it again.")
    assert to_record({"size": 5}, Bounded) == Bounded(5)


def test_older_versions_are_brought_up_to_date_first() -> None:
    def upgrade(plain: Any) -> Any:
        plain = dict(check_version(plain, "version", (1, 2)))
        if plain.pop("version") == 1:
            plain["size"] = plain.pop("length")
        return plain

    for text in ('{"version": 1, "length": 3}', '{"version": 2, "size": 3}'):
        assert read_record(text, Bounded, "", upgrade=upgrade) == Bounded(3)
    for text in ('{"version": 3}', '{"version": true}', "{}"):
        assert "$.version: expected 1 or 2" in message(text, Bounded, upgrade=upgrade)
    assert "expected an object with the field 'version', got list" in message("[]", Bounded, upgrade=upgrade)


def test_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_record(tmp_path / "file.json", Inner(float("nan")))
    assert not list(tmp_path.iterdir())


def test_derived_texts_and_numbers_are_stored_plainly() -> None:
    class Version(str):
        """As torch has."""

    values = to_plain({"torch": Version("2.13"), "mean": np.float64(0.5)})
    assert values == {"torch": "2.13", "mean": 0.5}
    assert [type(value) for value in values.values()] == [str, float]
    with pytest.raises(TypeError, match="object cannot be stored"):
        to_plain({"x": object()})
