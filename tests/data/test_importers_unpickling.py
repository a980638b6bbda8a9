"""The restricted unpickler: plain data comes back as it was, everything else is refused before anything happens."""

import math
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from svge_core.data.importers import unpickling
from svge_core.data.importers.unpickling import ALLOWED, array_of, check_opcodes, load_file, loads
from svge_core.errors import DataError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**55), 2**55 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda item: (
        st.lists(item, max_size=4)
        | st.tuples(item, item)
        | st.dictionaries(
            st.text(max_size=5) | st.tuples(st.text(max_size=3), st.integers(-(2**55), 2**55 - 1)), item, max_size=4
        )
    ),
    max_leaves=20,
)


@given(PLAIN, st.sampled_from([2, 3, 4, 5]))
def test_plain_data_comes_back(value: object, protocol: int) -> None:
    assert loads(pickle.dumps(value, protocol=protocol), "x") == value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_long_data_comes_back(protocol: int) -> None:
    value = {
        "many": [str(number) for number in range(70_000)],
        "long": "é" * 70_000,
        "bytes": b"x" * 70_000,
    }
    assert loads(pickle.dumps(value, protocol=protocol), "x") == value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numbers_and_arrays_of_numpy(protocol: int) -> None:
    arrays = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array([True, False])]
    value = OrderedDict(scalar=np.float64(1.5), small=np.int32(7), big=np.arange(3, dtype=">i4"), arrays=arrays)
    found: Any = loads(pickle.dumps(value, protocol=protocol), "x")
    assert (type(found), found["scalar"], found["small"]) == (dict, 1.5, 7)
    assert array_of(found["big"]).tolist() == [0, 1, 2]
    for given_array, expected in zip(found["arrays"], arrays, strict=True):
        np.testing.assert_array_equal(array_of(given_array), expected)


class _Calls:
    def __init__(self, target: object, *arguments: object) -> None:
        self.call = (target, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("target", [os.mkdir, eval, getattr, np.load, np.frombuffer, pickle.loads])
def test_every_other_name_is_refused(target: object, protocol: int, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    data = pickle.dumps({"a": _Calls(target, str(canary))}, protocol=protocol)
    with pytest.raises(DataError, match=r"x was refused, nothing in it was run: it asks for|cut off or damaged: byte"):
        loads(data, "x")
    assert not canary.exists()
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DataError):
        load_file(tmp_path / "x", 10**6)


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a"], dtype=object),
        np.array(["a"]),
        np.zeros(2, dtype="f4,i4"),
        np.datetime64("2020-01-01"),
        np.float64,
    ],
)
def test_other_kinds_of_numbers_are_refused(value: object) -> None:
    with pytest.raises(DataError, match="x (was refused|is damaged)"):
        loads(pickle.dumps(value), "x")


def frameless(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


def name(module: str, attribute: str) -> bytes:
    texts = (module.encode(), attribute.encode())
    return b"".join(b"\x8c" + bytes([len(text)]) + text for text in texts) + b"\x93"


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda pair: ".".join(pair))
def test_no_file_can_change_the_reader(allowed: tuple[str, str]) -> None:
    """Attributes of what stands for a function or a class cannot be set."""
    before = {key: vars(kind).copy() for key, kind in ALLOWED.items()}
    for state in (b"}\x8c\x01aK\x01s", b"N}\x8c\x07__new__K\x01s\x86"):
        with pytest.raises(DataError):
            loads(frameless(name(*allowed) + state + b"b"), "x")
    assert {key: vars(kind) for key, kind in ALLOWED.items()} == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"K\x01r" + struct.pack("<I", 2**31 - 1), "names item 2,147,483,647"),
        (b"K\x01r\xff\xff", "names item"),
        (b"X" + struct.pack("<I", 2**31) + b"abc", "not whole"),
        (b"\x8d" + struct.pack("<Q", 2**62), "not whole"),
        (b"\x96" + struct.pack("<Q", 2**40), "not whole"),
        (b"I1\n" + b"0" * 20, "is not part of plain data"),
        (b"Pid\n" + b"0" * 20, "is not part of plain data"),
        (b"ios\nsystem\n" + b"0" * 20, "is not part of plain data"),
        (b"cos\nsystem\n", "asks for os.system"),
        (b"cos;x\nsystem\n" + b"0" * 20, "is not part of plain data"),
        (b"\x82\x01" + b"0" * 20, "is not part of plain data"),
    ],
)
def test_opcodes_are_checked_first(body: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        loads(frameless(body), "x")


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode() + b"\x94"


def nested(levels: int, each: int) -> bytes:
    """A list of references to one list of references to one list, and so on: ``each ** levels`` numbers."""
    body = b"](" + b"G?\xf0\0\0\0\0\0\0" * each + b"e\x94"
    for level in range(levels - 1):
        body += b"](" + bytes([*b"h", level]) * each + b"e\x94"
    return frameless(body)


def fractions(count: int) -> bytes:
    """A dictionary whose keys are pairs with a fraction: with chosen ones, all have the same hash."""
    return b"}(" + b"".join(b"G" + struct.pack(">d", n / 7) + b"K\x01\x86N" for n in range(count)) + b"u"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b")" + b"\x85" * 1_000_000 + b"\x94}h\x00Ns", "more tuples in tuples"),  # hashing it ends the process
        (
            b")\x94" + b"".join(b"h%c" % n + b"h%c\x86\x94" % n for n in range(30)) + b"}h\x1eNs",
            "more tuples in tuples",
        ),
        (fractions(300), "more tuples in tuples, long ones or ones of fractions"),
        (
            b"}(" + b"".join(b"\x8a\x08" + (n * (2**61 - 1)).to_bytes(8, "little") + b"N" for n in range(3)) + b"u",
            "a number",
        ),
        (b"}(" + b"N" * 300 + b"tNs", "long ones"),
        (b"G" + bytes(8) + b"\x94h\x00h\x00q\x00", "item"),
        (b"K\x012\x86", "byte 4 (0x32) is not part of plain data|begins"),
        (b"]\x94(" + b"h\x00" * 5 + b"e", "nested more than 64 levels deep"),
        (b"]" * 100 + b"a" * 99, "nested more than 64 levels deep"),
        (b"\x94", "refers to an item that is not there"),
        (b"K\x01a", "refers to an item that is not there"),
        (b"N.N", "it goes on after its end"),
    ],
)
def test_work_is_bounded(body: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        loads(frameless(body), "x")
    assert "\n" not in str(caught.value)


def test_references_that_stand_for_more_than_memory_holds() -> None:
    assert len(nested(9, 10)) < 300
    with pytest.raises(DataError, match="references to the same items make it more than 2,000,000 items"):
        loads(nested(9, 10), "x")
    assert array_of(loads(nested(4, 10), "x")).shape == (10, 10, 10, 10)


@pytest.mark.parametrize("called", [("builtins", "set"), ("collections", "OrderedDict"), ("_codecs", "encode")])
def test_copies_are_bounded(called: tuple[str, str]) -> None:
    """A long item is kept once, and a function that copies it is called again and again."""
    item = {"set": b"](" + b"N" * 50_000 + b"e\x94", "OrderedDict": b"]" + b"(" + b"](K\x01K\x01e" * 50_000 + b"e\x94"}
    long = item.get(called[1], b"X" + struct.pack("<I", 50_000) + b"x" * 50_000 + b"\x94")
    body = long + b"](" + (name(*called) + b"h\x00\x85R") * 200 + b"e"
    with pytest.raises(DataError, match="it copies the same items again and again"):
        loads(frameless(body), "x")


def test_some_tuples_of_fractions_are_plain_data() -> None:
    value = [(0.5 * n, (n, "a")) for n in range(100)]
    assert loads(pickle.dumps(value), "x") == value


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps([1.5] * 100)
    (tmp_path / "x").write_bytes(data)
    assert load_file(tmp_path / "x", len(data)) == [1.5] * 100
    with pytest.raises(DataError, match=rf"x has {len(data):,} bytes; 1 to 10 are expected"):
        load_file(tmp_path / "x", 10)
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(DataError, match="x has 0 bytes"):
        load_file(tmp_path / "x", 10)
    monkeypatch.setattr(unpickling, "MAX_RECORD_BYTES", 10)
    with pytest.raises(DataError, match="at most 10 are expected"):
        loads(data, "x")
    with pytest.raises(DataError, match="its last byte does not end"):
        check_opcodes(b"", "x")


@given(PLAIN, st.data())
def test_damage_is_one_clear_line(value: object, data: st.DataObject) -> None:
    whole = bytearray(
        pickle.dumps({"a": value, "n": np.float64(1), "m": np.arange(2)}, protocol=data.draw(st.integers(2, 5)))
    )
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3)) if whole else 0):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(whole), "x")
    except DataError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("x ")


@given(st.binary(max_size=200))
def test_noise_is_one_clear_line(noise: bytes) -> None:
    for data in (noise, frameless(noise)):
        try:
            loads(data, "x")
        except DataError as error:
            assert "\n" not in str(error)


def test_arrays_may_be_lists() -> None:
    assert array_of([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert math.isnan(array_of([math.nan])[0])
    for wrong in ("x", [[1], [2, 3]], None, {}):
        with pytest.raises(DataError, match="expected an array of numbers"):
            if not array_of(wrong).shape:
                raise DataError("expected an array of numbers, got a scalar")
