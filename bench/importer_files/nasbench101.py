"""NAS-Bench-101: the tfrecord, NASLib's pickle, arch2vec's JSON."""

import base64
import json
import math
import struct
from typing import Any

import numpy as np

from bench.importer_files.shared import Format, Values, json_bytes, number, pickled, unpickled
from svge_core.data.importers import crc32c, mask_checksum
from svge_core.spaces import get_space
from svge_core.spaces.nasbench101 import OPERATIONS

SPACE = get_space("nasbench101")
GRAPHS = (
    ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", OPERATIONS[0], "output"]),
    ([[0, 1], [0, 0]], ["input", "output"]),
    ([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], ["input", OPERATIONS[1], OPERATIONS[2], "output"]),
)


def spec_key(matrix: Any, labels: Any) -> str:
    """The official key of a graph."""
    return SPACE.key(SPACE.parse(json.dumps({"matrix": matrix, "ops": labels})))


KEYS = [spec_key(*graph) for graph in GRAPHS]


def _runs(rng: np.random.Generator) -> list[Any]:
    rows = []
    for _ in range(3):
        for key, (matrix, labels) in zip(KEYS, GRAPHS, strict=True):
            valid, test = (int(count) / 9984 for count in rng.integers(5_000, 9_900, 2))
            numbers = (108.0, 1400.5, 1.0, float(np.float32(valid)), float(np.float32(test)))
            last = b"".join(bytes([at << 3 | 1]) + struct.pack("<d", value) for at, value in enumerate(numbers, 1))
            metrics = b"\x0a" + bytes([len(last)]) + last + b"\x10\xd2\x85\xd8\x04"
            digits = "".join(str(digit) for row in matrix for digit in row)
            rows.append([key, 108, digits, ",".join(labels), base64.b64encode(metrics).decode()])
    return rows


def _framed(rows: Any, rng: np.random.Generator) -> bytes:
    payloads = [json.dumps(row, default=str).encode() for row in (rows if isinstance(rows, list) else [rows])]
    lengths = [struct.pack("<Q", len(payload)) for payload in payloads]
    sums = mask_checksum(crc32c(*lengths, *payloads)).astype("<u4") if payloads else np.zeros(0, "<u4")
    return b"".join(
        length + sums[at].tobytes() + payload + sums[len(payloads) + at].tobytes()
        for at, (length, payload) in enumerate(zip(lengths, payloads, strict=True))
    )


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value, shift, at = value | (data[at] & 0x7F) << shift, shift + 7, at + 1
    return value | data[at] << shift, at + 1


def _message(data: bytes) -> list[tuple[int, Any]]:
    found, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            value, at = None, at + 4
        found.append((tag >> 3, value))
    return found


def _read_records(content: bytes) -> Values:
    runs: dict[str, list[tuple[float, float]]] = {}
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        key, epochs, digits, labels, metrics = json.loads(content[at + 12 : at + 12 + length])
        at += 16 + length
        side = math.isqrt(len(digits))
        matrix = [[int(digit) for digit in digits[row * side : (row + 1) * side]] for row in range(side)]
        assert spec_key(matrix, labels.split(",")) == key, "a key that is not that of its graph"
        last = dict(_message([part for name, part in _message(base64.b64decode(metrics)) if name == 1][-1]))
        assert epochs in (4, 12, 36, 108)
        runs.setdefault(f"{key} {epochs}", []).append((last[4], last[5]))
    return _by_run(runs)


def _by_run(runs: dict[str, list[tuple[float, float]]]) -> Values:
    """Means over at most three runs, as float32 keeps them."""
    found: Values = {}
    for name, pairs in runs.items():
        key, epochs = name.split()
        for column, values in zip(("valid", "test"), zip(*pairs[:3], strict=True), strict=True):
            mean = float(np.mean([100 * float(np.float32(value)) for value in values]))
            found.setdefault(key, {})[f"nb101_e{epochs}_{column}"] = mean
    return found


def _naslib101(rng: np.random.Generator) -> Any:
    names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    return {
        key: (
            {"module_adjacency": np.array(matrix), "module_operations": labels, "trainable_parameters": 77},
            {
                108: [
                    {f"{when}_{name}": float(rng.random()) for when in ("halfway", "final") for name in names}
                    for _ in range(3)
                ]
            },
        )
        for key, (matrix, labels) in zip(KEYS, GRAPHS, strict=True)
    }


def _read_naslib101(content: bytes) -> Values:
    runs: dict[str, list[tuple[float, float]]] = {}
    for key, (fixed, computed) in unpickled(content).items():
        matrix = [[int(digit) for digit in row] for row in fixed["module_adjacency"]]
        assert spec_key(matrix, [str(label) for label in fixed["module_operations"]]) == key
        for run in computed[108]:
            pair = (number(run["final_validation_accuracy"]), number(run["final_test_accuracy"]))
            runs.setdefault(f"{key} 108", []).append(pair)
    return _by_run(runs)


_LABELS = ["input", OPERATIONS[1], OPERATIONS[0], OPERATIONS[2], "output"]


def _arch2vec(rng: np.random.Generator) -> Any:
    entries = {}
    for at, (matrix, labels) in enumerate(GRAPHS):
        padded, one_hot = np.zeros((7, 7), dtype=int), np.zeros((7, 5), dtype=int)
        padded[: len(matrix), : len(matrix)] = matrix
        one_hot[np.arange(len(labels)), [_LABELS.index(label) for label in labels]] = 1
        entries[str(at)] = {
            "test_accuracy": float(rng.random()),
            "validation_accuracy": float(rng.random()),
            "module_adjacency": padded.tolist(),
            "module_operations": one_hot.tolist(),
            "training_time": float(rng.random() * 2000),
        }
    return entries


def _read_arch2vec(content: bytes) -> Values:
    found: Values = {}
    for entry in json.loads(content.decode("ascii", errors="replace").lstrip("\ufeff")).values():
        labels = [_LABELS[row.index(1)] for row in entry["module_operations"] if 1 in row]
        matrix = [row[: len(labels)] for row in entry["module_adjacency"][: len(labels)]]
        values = {"valid": 100 * number(entry["validation_accuracy"]), "test": 100 * number(entry["test_accuracy"])}
        values["train_s"] = number(entry.get("training_time"))
        found.setdefault(spec_key(matrix, labels), {f"arch2vec_e108_{name}": value for name, value in values.items()})
    return found


FORMATS = {
    "nasbench101": Format(_runs, _framed, _read_records),
    "naslib101": Format(_naslib101, pickled, _read_naslib101, references=True),
    "arch2vec": Format(_arch2vec, json_bytes, _read_arch2vec),
}
