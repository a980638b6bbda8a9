"""Writers of the official byte formats, made here by hand from their specifications, for the tests of the importers.

Nothing of ``svge_core.data.importers`` is used: what the readers read is written by other code.
"""

import base64
import bz2
import hashlib
import io
import json
import pickle
import struct
import tarfile
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers.table import ImportedTable
from svge_core.spaces.nasbench101.md5_key import module_hash
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")
DATA_SETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
CONVS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")


# ---- TensorFlow records and the protobuf inside ---------------------------------------------------------------------


def crc32c_bitwise(data: bytes) -> int:
    """CRC-32C bit by bit, as in RFC 3720."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c_bitwise(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(payload: bytes) -> bytes:
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def evaluation(epoch: float, seconds: float, train: float, valid: float, test: float, path: str | None = None) -> bytes:
    """An ``EvaluationData`` message."""
    out = b"".join(
        bytes([number << 3 | 1]) + struct.pack("<d", value)
        for number, value in enumerate((epoch, seconds, train, valid, test), start=1)
    )
    return out + (b"" if path is None else b"\x32" + varint(len(path.encode())) + path.encode())


def metrics(evaluations: Iterable[bytes], parameters: int, total_time: float) -> bytes:
    """A ``ModelMetrics`` message."""
    out = b"".join(b"\x0a" + varint(len(one)) + one for one in evaluations)
    return out + b"\x10" + varint(parameters) + b"\x19" + struct.pack("<d", total_time)


def nasbench101_payload(
    digest: str, epochs: int, matrix: str, operations: str, valid: float, test: float, parameters: int = 1_234_567
) -> bytes:
    """A training run of NAS-Bench-101: evaluated at the start, halfway and at the end."""
    halfway = evaluation(epochs / 2, 700.0, 0.8, 0.5, 0.4, "")
    final = evaluation(epochs, 1400.5, 1.0, valid, test, "gs://bucket/model.ckpt" if epochs == 4 else None)
    message = metrics([evaluation(0, 0.0, 0.1, 0.1, 0.1), halfway, final], parameters, 1500.0)
    record = [digest, epochs, matrix, operations, base64.b64encode(message).decode()]
    return json.dumps(record).encode()


def float32(value: float) -> float:
    """Official accuracies are float32, stored as doubles."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


#: three cells: conv3x3 alone; the direct edge; a branch
GRAPHS = (
    ("010001000", f"input,{CONVS[0]},output"),
    ("0100", "input,output"),
    ("0110" + "0001" + "0001" + "0000", f"input,{CONVS[1]},{CONVS[2]},output"),
)


def digest_of(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def key_of(number: int) -> str:
    """The official md5 key of one of the three cells."""
    matrix, operations = GRAPHS[number]
    nodes = int(len(matrix) ** 0.5)
    edges = [(at // nodes, at % nodes) for at, digit in enumerate(matrix) if digit == "1"]
    return module_hash([CONVS.index(label) for label in operations.split(",")[1:-1]], edges)


def nasbench101_runs(epochs: Sequence[int] = (108,), repeats: int = 3) -> list[tuple[str, int, str, str, float, float]]:
    """(hash, epochs, matrix, operations, validation, test) of the runs of three cells."""
    rng = np.random.default_rng(5)
    runs = []
    for repeat in range(repeats):  # the three runs of a cell do not stand together
        for number, (matrix, operations) in enumerate(GRAPHS):
            for budget in epochs:
                valid, test = (float32(int(count) / 9984) for count in rng.integers(5_000, 9_900, 2))
                runs.append((key_of(number), budget, matrix, operations, valid, test))
        del repeat
    return runs


def tfrecord(runs: Iterable[tuple[str, int, str, str, float, float]]) -> bytes:
    return b"".join(framed(nasbench101_payload(*run)) for run in runs)


# ---- NATS-Bench and NAS-Bench-201 -----------------------------------------------------------------------------------


def accuracy_of(index: int, data: str, seed: int, epochs: int, name: str) -> float:
    """A made-up accuracy that tells all its keys apart."""
    parts = (DATA_SETS.index(data), seed % 7, epochs % 11, len(name))
    return 50 + index % 97 / 10 + sum(part * scale for part, scale in zip(parts, (5, 0.5, 0.05, 0.005), strict=True))


def trained(index: int, data: str, seed: int, epochs: int) -> dict[str, Any]:
    """The results of one training run, in the shape of the official records."""
    last = epochs - 1
    names = {"cifar10-valid": ["x-valid", "ori-test"], "cifar10": ["ori-test"]}.get(
        data, ["ori-test", "x-valid", "x-test"]
    )
    curve = names[0]
    accuracies = {f"{curve}@{epoch}": 10.0 + epoch / 10 for epoch in range(last)}
    accuracies.update({f"{name}@{last}": accuracy_of(index, data, seed, epochs, name) for name in names})
    cost = SPACE.cost(SPACE.from_index(index))
    return {
        "name": data,
        "train_acc1es": {epoch: 11.0 + epoch / 10 for epoch in range(epochs)},
        "train_acc5es": None,
        "train_losses": {epoch: 2.0 for epoch in range(epochs)},
        "train_times": OrderedDict((epoch, 2.5) for epoch in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": arch(index), "class_num": 10},
        "params": np.float64(cost.params_m),
        "flop": cost.flops_m,
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(0.0125)],
        "eval_names": names,
        "eval_acc1es": accuracies,
        "eval_times": dict.fromkeys(accuracies, 1.0),
        "eval_losses": dict.fromkeys(accuracies, 1.5),
        "net_state_dict": None,
    }


def arch(index: int) -> str:
    return SPACE.format(SPACE.from_index(index))


def record(index: int, epochs: int, seeds: dict[str, Sequence[int]]) -> dict[str, Any]:
    """All runs of an architecture with one schedule."""
    return {
        "arch_index": index,
        "arch_str": arch(index),
        "all_results": {(data, seed): trained(index, data, seed, epochs) for data in seeds for seed in seeds[data]},
        "dataset_seed": {data: list(chosen) for data, chosen in seeds.items()},
        "clear_net_done": True,
    }


def nats_record(index: int) -> "OrderedDict[str, Any]":
    """What an official file of one architecture holds; one seed is missing for odd indices."""
    long: dict[str, Sequence[int]] = {data: (777, 999) if index % 2 else (777, 888, 999) for data in DATA_SETS}
    short: dict[str, Sequence[int]] = {data: (111,) for data in DATA_SETS}
    short["cifar10-valid"] = (111, 777)
    return OrderedDict([("12", record(index, 12, short)), ("200", record(index, 200, long))])


def nats_meta() -> dict[str, Any]:
    return {
        "meta_archs": [arch(i) for i in range(20)],
        "total_archs": 15_625,
        "arch2infos": None,
        "evaluated_indexes": set(),
    }


def as_numpy_1(data: bytes) -> bytes:
    """The same pickle as numpy 1 wrote it: its internal module had another name."""
    old, new = b"numpy._core.multiarray", b"numpy.core.multiarray"
    # protocol 4: a short text of 22 characters becomes one of 21; frames only tell how much to read ahead
    return data.replace(b"\x8c\x16" + old, b"\x8c\x15" + new).replace(b"c" + old + b"\n", b"c" + new + b"\n")


def nats_file(index: int, protocol: int = 4) -> bytes:
    out = io.BytesIO()
    python_pickler: Any = pickle._Pickler  # type: ignore[attr-defined]  # in Python, because its frames can be left out
    pickler = python_pickler(out, protocol)  # without frames lengths may change
    pickler.framer.start_framing = lambda: None
    pickler.dump(nats_record(index))
    return bz2.compress(as_numpy_1(out.getvalue()), 1)


def nats_folder(folder: Path, indices: Iterable[int]) -> Path:
    folder.mkdir()
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(nats_meta(), protocol=4)))
    for index in indices:
        (folder / f"{index:06d}.pickle.pbz2").write_bytes(nats_file(index))
    return folder


def nats_tar(path: Path, folder: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname=folder.name)
    return path


ENAS_LINES = (
    "[[1], [4, 0], [5, 0, 0], [0, 1, 1, 1], [2, 1, 1, 1, 1], [3, 0, 0, 0, 0, 1]], 0.7302",
    "[[5], [3, 1], [2, 1, 1], [3, 1, 1, 0], [5, 0, 0, 0, 1], [2, 0, 1, 1, 1, 0]], 0.7234",
    "[[1], [4, 0], [5, 0, 0], [0, 1, 1, 1], [2, 1, 1, 1, 1], [3, 0, 0, 0, 0, 1]], 0.7402",
)


def nasbench101_naslib_pickle(protocol: int = 4) -> bytes:
    content = {}
    for number, (matrix, operations) in enumerate(GRAPHS):
        nodes = int(len(matrix) ** 0.5)
        array = np.array(list(matrix), dtype=np.int64).reshape(nodes, nodes)
        fixed = {"module_adjacency": array, "module_operations": operations.split(","), "trainable_parameters": 77}
        runs = [
            {
                f"{when}_{name}": 0.5 + number / 10 + run / 100
                for when in ("halfway", "final")
                for name in ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
            }
            for run in range(3)
        ]
        content[key_of(number)] = (fixed, {108: runs})
    return pickle.dumps(content, protocol=protocol)


def hw_nas_bench_content(**change: Any) -> dict[str, Any]:
    count = np.arange(15_625)
    tables = {
        "config": [{"arch_str": arch(index)} for index in range(3)],
        "edgegpu_latency": (count + 1.0).tolist(),
        "edgegpu_energy": dict(enumerate((count + 2.0).tolist())),
        "edgetpu_latency": [None if index % 2 else 1.5 for index in count.tolist()],
        "eyeriss_arithmetic_intensity": count + 3.0,
        "fpga_latency": np.where(count == 0, -1.0, 4.0),
        **change,
    }
    return {"nasbench201": {"cifar10": tables, "ImageNet16-120": {"pixel3_latency": count + 0.5}}, "fbnet": {}}


def values_of(table: ImportedTable, index: int) -> dict[str, float]:
    row: Any = table.frame.set_index("index").loc[index]
    return row.to_dict()
