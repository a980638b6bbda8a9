"""NAS-Bench-101 (Ying et al. 2019): the official ``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord``.

Each record is one training run: a JSON list of the cell's md5 hash, the epochs, the adjacency matrix as digits, the
operations, and the metrics as a base64 protobuf. Three runs per cell and number of epochs; a run has no number of its
own, so runs are numbered in file order. Memory stays bounded: a row of small numbers per cell, nothing else.
"""

import base64
import json
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from svge_core.cells import Cell
from svge_core.data.importers.messages import shown, unusable
from svge_core.data.importers.table import Columns, ImportedTable, OnProgress, silent
from svge_core.data.importers.tfrecord import fields, read_records
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError
from svge_core.files import is_list
from svge_core.spaces.nasbench101 import NASBench101

SPACE = "nasbench101"
_CELL_SPACE = NASBench101()
CELLS = 423_624
REPEATS = 3
#: the largest cell has some 50 million
MAX_PARAMETERS = 10**9
EPOCHS = (4, 12, 36, 108)
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
#: runs below this validation accuracy (%) after all 108 epochs did not learn; the authors' means include them
FAILED_BELOW = 50.0
SPLIT_VALID = "validation: 10,000 training images held out (9,984 counted), trained on the other 40,000"
SPLIT_TEST = "test: 10,000 images (9,984 counted), trained on 40,000 training images"
_HASH = re.compile(r"[0-9a-f]{32}")
#: of a run: validation, test and training accuracy, seconds
_METRICS = ("validation", "test", "train", "seconds")
_EVALUATION = struct.Struct("<BdBdBdBdBd")


class Runs:
    """Collects runs by cell: growing arrays, one row per cell, three runs per number of epochs.

    Args:
        check_keys: compute the key of every graph (0.1 ms); not needed where the file's sha256 is known.
    """

    def __init__(self, *, check_keys: bool = True) -> None:
        self._check_keys = check_keys
        self._rows: dict[bytes, int] = {}
        self._graphs: dict[tuple[str, str], int] = {}
        self._graph_of = np.empty(0, dtype=np.int32)
        self._parameters = np.empty(0)
        self._values: dict[int, np.ndarray] = {}  # epochs -> (cells, metrics, runs)
        self._count: dict[int, np.ndarray] = {}
        self.records = self.surplus = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The numbers of epochs that runs were added of."""
        return tuple(sorted(self._values))

    def row(self, digest: str, graph: tuple[str, str], parameters: float) -> int:
        """The row of a cell, new where the cell is.

        Raises:
            DataError: if the digest is not the key of the graph, or the number of parameters is out of range.
        """
        key = bytes.fromhex(digest)
        row = self._rows.get(key)
        code = self._graphs.setdefault(graph, len(self._graphs))
        if self._check_keys and (row is None or self._graph_of[row] != code) and (found := key_of(graph)) != digest:
            raise DataError(f"the key of its graph is {found}, not {digest}")
        if not (math.isnan(parameters) or 0 <= parameters < MAX_PARAMETERS):
            raise DataError(f"expected its number of parameters below {MAX_PARAMETERS:,}, got {parameters:g}")
        if row is None:
            row = len(self._rows)
            if row == CELLS:
                raise DataError(f"it names more than the {CELLS:,} different cells of NAS-Bench-101")
            self._rows[key] = row
            if row == len(self._graph_of):
                self._grow(max(1024, 2 * row))
            self._graph_of[row] = code
            self._parameters[row] = parameters
        return row

    def _grow(self, size: int) -> None:
        size = min(size, CELLS)

        def grown(array: np.ndarray, fill: float) -> np.ndarray:
            larger = np.full((size, *array.shape[1:]), fill, dtype=array.dtype)
            larger[: len(array)] = array
            return larger

        self._graph_of, self._parameters = grown(self._graph_of, 0.0), grown(self._parameters, math.nan)
        self._values = {epochs: grown(array, math.nan) for epochs, array in self._values.items()}
        self._count = {epochs: grown(array, 0.0) for epochs, array in self._count.items()}

    def add(self, row: int, epochs: int, metrics: tuple[float, float, float, float]) -> None:
        """One run of a cell: accuracies from 0 to 1 and seconds. A fourth run is counted as surplus, not used."""
        if epochs not in self._values:
            self._values[epochs] = np.full((len(self._graph_of), len(_METRICS), REPEATS), np.nan, dtype=np.float32)
            self._count[epochs] = np.zeros(len(self._graph_of), dtype=np.uint8)
        self.records += 1
        count = self._count[epochs]
        run = count[row]
        if run == REPEATS:
            self.surplus += 1
            return
        self._values[epochs][row, :, run] = metrics
        count[row] = run + 1

    def table(self, name: str, title: str, source: str) -> ImportedTable:
        """All cells in the order of their hashes; to be called once, as the runs are given up on the way."""
        if not self._rows:
            raise DataError("The file holds no training run: expected NAS-Bench-101 records. Get the file again.")
        packed = b"".join(self._rows)  # a dict keeps the order of rows
        order = np.argsort(np.frombuffer(packed, dtype="S16"), kind="stable")
        hashes = [packed[16 * row : 16 * row + 16].hex() for row in order]
        self._rows.clear()  # some hundred bytes per cell, no longer needed; the columns need that room
        del packed
        graph = self._graph_of[order]
        matrices, operations = (self._texts(part, graph) for part in (0, 1))
        columns = Columns(hash=hashes, matrix=matrices, operations=operations)
        notes = self._columns(columns, order, source)
        return ImportedTable(SPACE, name, title, "hash", columns.frame(), columns.meanings, tuple(notes))

    def _texts(self, part: int, graph: np.ndarray) -> Iterable[object]:
        codes, texts = pd.factorize(np.array([pair[part] for pair in self._graphs], dtype=object))
        return pd.Categorical.from_codes(codes[graph], categories=pd.Index(texts))

    def _columns(self, columns: Columns, order: np.ndarray, source: str) -> list[str]:
        notes: list[str] = []
        base = ScoreMeaning(
            "nb101",
            "",
            "%",
            "max",
            "CIFAR-10",
            "",
            None,
            "",
            "measured",
            source,
            role="other",
            origin="imported",
            single_run=False,
        )

        for epochs in sorted(self._values, reverse=True):
            values = self._values.pop(epochs)[order].astype(np.float64)
            values[:, :3] *= 100
            labels = {f"r{run + 1}": f"run {run + 1} in file order" for run in range(REPEATS)}
            # in the full file, the epochs tell the columns apart
            after = f", {epochs} epochs" if epochs < max(EPOCHS) else ""
            short = replace(base, key=f"nb101_e{epochs}", epochs=epochs)
            valid = replace(
                short,
                key=f"{short.key}_valid",
                title=f"Validation accuracy{after}",
                split=SPLIT_VALID,
                role="accuracy",
            )
            test = replace(short, key=f"{short.key}_test", title=f"Test accuracy{after}", split=SPLIT_TEST)
            columns.add_runs(valid, values[:, 0], labels, "repeats", may_fail=True)
            columns.add_runs(test, values[:, 1], labels, "repeats", may_fail=True)
            mean = replace(short, seeds="mean of the repeats")
            train = replace(
                mean,
                key=f"{short.key}_train",
                title=f"Training accuracy{after}",
                split="the 40,000 training images",
                detail=True,
            )
            columns.add(train, _mean(values[:, 2]))
            seconds = replace(
                mean,
                key=f"{short.key}_train_s",
                title=f"Training time{after} on the authors' TPU v2",
                unit="s",
                direction="min",
                role="time",
            )
            columns.add(seconds, _mean(values[:, 3]))
            failed = int((values[:, 0] < FAILED_BELOW).sum())
            if epochs == max(EPOCHS) and failed:
                notes.append(
                    f"{failed:,} single runs of {epochs} epochs ended below {FAILED_BELOW:.0f} % validation accuracy "
                    "(training failed); as published, means include them."
                )
        recorded = replace(
            base,
            key="nb101_params_recorded_m",
            title="Parameters as recorded by the training runs",
            unit="million",
            direction="min",
            role="cost",
            detail=True,
        )
        columns.add(recorded, self._parameters[order] / 1e6)
        if self.surplus:
            notes.append(f"{self.surplus:,} records beyond three per cell and number of epochs were not used.")
        return notes


def _mean(runs: np.ndarray) -> np.ndarray:
    count = (~np.isnan(runs)).sum(axis=1)
    return np.divide(np.nansum(runs, axis=1), count, out=np.full(len(runs), np.nan), where=count > 0)


def read_tfrecord(path: Path, progress: OnProgress = silent, *, check_payloads: bool = True) -> ImportedTable:
    """Read all runs of a file (1.3 million records in a minute).

    Args:
        path: the file.
        progress: told how far it is.
        check_payloads: verify the checksum of every record's content, and that its key is that of its graph; not
            needed where the file's sha256 is known.

    Raises:
        DataError: naming the record and its byte, if the file is cut off, damaged or holds something else.
    """
    runs = Runs(check_keys=check_payloads)
    size = path.stat().st_size
    with path.open("rb") as file:
        for place, payload in read_records(file, size, check_payloads=check_payloads):
            try:
                _add_record(runs, payload)
            except Exception as error:
                raise unusable(path, place, error, "Get the file again.") from None
            if not place.number % 4096:
                progress(place.offset, size)
    progress(size, size)
    full = len(runs.epochs) > 1
    name, title = ("nasbench101-full", "all epochs") if full else ("nasbench101-only108", "108 epochs")
    return runs.table(name, f"NAS-Bench-101 tfrecord, {title}", f"NAS-Bench-101 (Ying et al. 2019), {shown(path)}")


def _add_record(runs: Runs, payload: bytes) -> None:
    record = json.loads(payload)
    if not (is_list(record) and len(record) == 5):
        raise DataError("expected a list of hash, epochs, matrix, operations and metrics")
    digest, epochs, matrix, operations, metrics = record
    if not (isinstance(digest, str) and _HASH.fullmatch(digest)):
        raise DataError(f"expected a hash of 32 hexadecimal digits, got {str(digest)[:40]!r}")
    if type(epochs) is not int or epochs not in EPOCHS:
        raise DataError(f"expected 4, 12, 36 or 108 epochs, got {str(epochs)[:20]}")
    if not all(isinstance(text, str) and len(text) <= 4096 for text in (matrix, operations, metrics)):
        raise DataError("expected matrix, operations and metrics as texts")
    parameters, values = read_metrics(base64.b64decode(metrics, validate=False))
    runs.add(runs.row(digest, graph_of(matrix, operations), parameters), epochs, values)


@lru_cache(maxsize=65_536)
def graph_of(matrix: str, operations: str) -> tuple[str, str]:
    """(upper triangle row by row as digits, operations) of a record's graph.

    Raises:
        DataError: if it is not the graph of a cell with 2 to 7 vertices.
    """
    nodes = math.isqrt(len(matrix))
    labels = operations.split(",")
    if nodes * nodes != len(matrix) or not 2 <= nodes <= 7 or set(matrix) - {"0", "1"}:
        raise DataError(f"expected an adjacency matrix of 2 to 7 vertices as digits 0 and 1, got {matrix[:60]!r}")
    if any(matrix[row * nodes + column] == "1" for row in range(nodes) for column in range(row + 1)):
        raise DataError("its adjacency matrix is not upper triangular")
    if len(labels) != nodes or labels[0] != "input" or labels[-1] != "output" or set(labels[1:-1]) - set(OPERATIONS):
        raise DataError(f"expected input, {nodes - 2} of {', '.join(OPERATIONS)}, and output; got {operations[:120]!r}")
    return "".join(matrix[row * nodes + row + 1 : (row + 1) * nodes] for row in range(nodes)), operations


@lru_cache(maxsize=65_536)
def key_of(graph: tuple[str, str]) -> str:
    """The official md5 key of a graph as :func:`graph_of` gives it.

    Raises:
        SvgeError: if it is no cell of the space, as it has too many edges or a vertex that is not in use.
    """
    digits, labels = graph[0], tuple(graph[1].split(","))
    pairs = combinations(range(len(labels)), 2)
    edges = tuple(pair for pair, digit in zip(pairs, digits, strict=True) if digit == "1")
    return _CELL_SPACE.key(Cell(labels, edges))


def read_metrics(message: bytes) -> tuple[float, tuple[float, float, float, float]]:
    """Parameters, and (validation, test, training accuracy, seconds) of the last evaluation, of a ``ModelMetrics``.

    Raises:
        DataError: if there is no evaluation or a value is out of range.
    """
    last: bytes | None = None
    parameters = math.nan
    for number, value in fields(message):
        if number == 1 and isinstance(value, bytes):
            last = value
        elif number == 2 and isinstance(value, int):
            parameters = float(value)
    if last is None:
        raise DataError("it holds no evaluation of the trained network")
    if len(last) >= _EVALUATION.size and last[0:46:9] in (b"\x09\x11\x19\x21\x29", b"\x09\x11\x19\x21\x29\x32"):
        _, _, _, seconds, _, train, _, validation, _, test = _EVALUATION.unpack_from(last)
    else:
        found = dict(fields(last))
        train, validation, test, seconds = (found.get(number) for number in (3, 4, 5, 2))
    accuracies = (validation, test, train)
    if not (
        all(isinstance(accuracy, float) and 0 <= accuracy <= 1 for accuracy in accuracies)
        and isinstance(seconds, float)
        and 0 <= seconds < 1e9
    ):
        raise DataError(f"expected accuracies from 0 to 1 and seconds, got {accuracies} and {seconds}")
    return parameters, (validation, test, train, seconds)  # type: ignore[return-value]
