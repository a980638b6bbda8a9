"""Record files and the protobuf in them, against independent encoders; every damage is named."""

import contextlib
import io
import struct

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, strategies as st

from svge_core.data.importers.nasbench101_tfrecord import read_metrics
from svge_core.data.importers.tfrecord import begins_like_records, crc32c, fields, mask_checksum, read_records
from svge_core.errors import DataError
from tests.support import imports as made


def records(data: bytes, **options: bool) -> list[bytes]:
    return [payload for _, payload in read_records(io.BytesIO(data), len(data), **options)]


def test_checksum_of_the_standard_vector() -> None:
    """RFC 3720 and every implementation: the digits 1 to 9; and 32 zeros, 32 ones, ascending bytes."""
    vectors = {b"123456789": 0xE3069283, bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E}
    assert crc32c(*vectors).tolist() == list(vectors.values())
    assert crc32c(b"").tolist() == [0]
    assert crc32c().tolist() == []


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_checksums_of_several_texts_at_once(payloads: list[bytes]) -> None:
    assert crc32c(*payloads).tolist() == [made.crc32c_bitwise(payload) for payload in payloads]
    assert mask_checksum(crc32c(*payloads)).astype("<u4").tobytes() == b"".join(
        made.masked(payload) for payload in payloads
    )


@given(st.lists(st.binary(max_size=30), max_size=5), st.booleans())
def test_records_come_back(payloads: list[bytes], check: bool) -> None:
    assert records(b"".join(map(made.framed, payloads)), check_payloads=check) == payloads


def test_the_first_bytes_tell() -> None:
    assert begins_like_records(made.framed(b"x"))
    assert not begins_like_records(made.framed(b"x")[:11])
    assert not begins_like_records(b"PK\x03\x04" + bytes(20))


@given(st.data())
def test_cut_files_name_record_and_byte(data: st.DataObject) -> None:
    whole = made.framed(b"first") + made.framed(b"the second")
    size = data.draw(st.integers(1, len(whole) - 1))
    if size == len(made.framed(b"first")):
        assert records(whole[:size]) == [b"first"]
        return
    second = size > len(made.framed(b"first"))
    place = r"record 1 \(byte 21\)" if second else r"record 0 \(byte 0\)"
    with pytest.raises(DataError, match=rf"cut off at {place}: it needs \d+ bytes, \d+ are there. Get the whole file"):
        records(whole[:size])


@given(st.data())
def test_every_changed_bit_is_found(data: st.DataObject) -> None:
    whole = bytearray(made.framed(b"first") + made.framed(b"the second"))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    number = int(bit // 8 >= 21)
    with pytest.raises(DataError, match=rf"damaged at record {number} \(byte {21 * number}\): the checksum of"):
        records(bytes(whole))


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    if noise:
        with pytest.raises(DataError, match=r"(cut off|damaged) at record 0 \(byte 0\)"):
            records(noise)
    with pytest.raises(DataError):
        list(read_records(io.BytesIO(noise), len(noise) + 1))


def test_an_enormous_length_is_not_believed() -> None:
    length = struct.pack("<Q", 2**40)
    with pytest.raises(DataError, match="checksum of the record's length is wrong"):
        records(length + made.masked(length) + bytes(100))


# ---- protobuf -------------------------------------------------------------------------------------------------------


def model_metrics() -> type:
    """The authors' messages, built with Google's own library."""
    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    one = file.message_type.add(name="EvaluationData")
    double, optional = (
        descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
    )
    names = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    for number, name in enumerate(names, start=1):
        one.field.add(name=name, number=number, type=double, label=optional)
    string = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    one.field.add(name="checkpoint_path", number=6, type=string, label=optional)
    whole = file.message_type.add(name="ModelMetrics")
    whole.field.add(
        name="evaluation_data",
        number=1,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
        type_name=".nasbench.EvaluationData",
        label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
    )
    whole.field.add(
        name="trainable_parameters", number=2, type=descriptor_pb2.FieldDescriptorProto.TYPE_INT32, label=optional
    )
    whole.field.add(name="total_time", number=3, type=double, label=optional)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


MODEL_METRICS = model_metrics()


@given(
    st.lists(st.tuples(*(st.floats(0, 1) for _ in range(5))), min_size=1, max_size=4),
    st.integers(0, 2**31 - 1),
    st.none() | st.text(max_size=20),
)
def test_metrics_written_by_googles_library(rows: list[tuple[float, ...]], parameters: int, path: str | None) -> None:
    message = MODEL_METRICS(trainable_parameters=parameters, total_time=5.0)
    for epoch, seconds, train, valid, test in rows:
        message.evaluation_data.add(
            current_epoch=epoch,
            training_time=seconds,
            train_accuracy=train,
            validation_accuracy=valid,
            test_accuracy=test,
            checkpoint_path=path,
        )
    data = message.SerializeToString()
    _, seconds, train, valid, test = rows[-1]
    assert read_metrics(data) == (parameters, (valid, test, train, seconds))
    by_hand = made.metrics([made.evaluation(*row, path) for row in rows], parameters, 5.0)  # type: ignore[arg-type]
    assert by_hand == data


def test_fields_in_another_order_and_unknown_ones_are_read() -> None:
    double = {number: bytes([number << 3 | 1]) + struct.pack("<d", number / 8) for number in range(1, 6)}
    mixed = b"\x75\0\0\0\0" + b"".join(double[number] for number in (5, 3, 1, 4, 2)) + b"\x3a\x02hi\x40\x07"
    message = b"\x10\x2a" + b"\x0a" + made.varint(len(mixed)) + mixed
    assert read_metrics(message) == (42, (4 / 8, 5 / 8, 3 / 8, 2 / 8))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "no evaluation"),
        (b"\x10\x2a", "no evaluation"),
        (b"\x0a\x00", "expected accuracies from 0 to 1"),
        (b"\x0a\x05ab", "cut off"),
        (b"\x10\xff", "cut off"),
        (b"\x10" + b"\xff" * 12, "cut off"),
        (b"\x09\x00", "cut off or of an unknown form"),
        (b"\x0b", "unknown form"),
        (made.metrics([made.evaluation(108, 1.0, 0.5, 1.5, 0.5)], 1, 1.0), "expected accuracies from 0 to 1"),
        (made.metrics([made.evaluation(108, 1.0, 0.5, float("nan"), 0.5)], 1, 1.0), "expected accuracies from 0"),
        (
            made.metrics([made.evaluation(108, -1.0, 0.5, 0.5, 0.5)], 1, 1.0),
            "expected accuracies from 0 to 1 and seconds",
        ),
    ],
)
def test_wrong_metrics_are_refused(message: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_metrics(message)


@given(st.binary(max_size=80))
def test_noise_never_escapes_as_another_error(noise: bytes) -> None:
    for read in (read_metrics, lambda data: list(fields(data))):
        with contextlib.suppress(DataError):
            read(noise)


def test_checksum_dtype_is_what_files_hold() -> None:
    assert crc32c(b"x").dtype == np.uint32
