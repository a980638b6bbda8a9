"""arch2vec's ``data.json``: NAS-Bench-101 means of three runs, streamed one cell at a time.

Cells are padded with zeros to seven vertices, operations are one-hot in the order input, 1x1, 3x3, pooling, output. The
file has no hashes; they are computed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from svge_core.data.importers.messages import each_once, shown, unusable
from svge_core.data.importers.nasbench101_tfrecord import (
    CELLS,
    OPERATIONS,
    SPACE,
    SPLIT_TEST,
    SPLIT_VALID,
    graph_of,
    key_of,
)
from svge_core.data.importers.nb201_records import number_of
from svge_core.data.importers.table import Columns, ImportedTable, OnProgress, silent
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError
from svge_core.files import is_list

LABELS = ("input", OPERATIONS[1], OPERATIONS[0], OPERATIONS[2], "output")
MAX_ENTRY = 2**16
_CHUNK = 2**20
_KEY = re.compile(r'\s*,?\s*"([^"\\]{1,20})"\s*:\s*')


def entries(path: Path, progress: OnProgress = silent) -> Iterator[tuple[str, Any]]:
    """(key, value) of each entry of a JSON object, without holding more than one of them.

    Raises:
        DataError: naming entry and byte, if the file is cut off, is no object of small values or has a key twice.
    """
    decoder = json.JSONDecoder(object_pairs_hook=each_once)
    size = path.stat().st_size
    count = dropped = 0
    keys: set[str] = set()
    with path.open("r", encoding="ascii", errors="replace", newline="") as file:
        text = file.read(_CHUNK).lstrip("\ufeff \t\r\n")
        if not text.startswith("{"):
            raise DataError(f"{shown(path)}: expected a JSON object.")
        position, finished = 1, False
        while True:
            while len(text) - position < MAX_ENTRY and not finished:
                more = file.read(_CHUNK)
                dropped += position
                text, position, finished = text[position:] + more, 0, not more
                progress(min(dropped, size), size)
            rest = text[position : position + 100].lstrip()
            if rest.startswith("}"):
                if text[position:].strip() != "}" or not finished and file.read(1).strip():
                    raise DataError(f"{shown(path)} goes on after its last entry: get the file again.")
                return
            match = _KEY.match(text, position)
            try:
                if match is None:
                    raise ValueError("no key")
                value, position = decoder.raw_decode(text, match.end())
            except Exception:  # no number of a million digits, no nesting without end
                state = "cut off" if finished and len(text) - position < MAX_ENTRY else "damaged"
                raise DataError(
                    f"{shown(path)} is {state} at entry {count:,} (byte {dropped + position:,}): get the file again."
                ) from None
            if match[1] in keys:
                raise DataError(f"{shown(path)}: the key {match[1]!r} stands twice, again at entry {count:,}.")
            keys.add(match[1])
            yield match[1], value
            count += 1


def read_arch2vec(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """Read all cells.

    Raises:
        DataError: naming the entry that cannot be used.
    """
    rows: dict[str, tuple[str, str, float, float, float]] = {}
    twice = 0
    for key, entry in entries(path, progress):
        try:
            digest, graph = _cell(entry)
            valid, test = (number_of(entry[name], name) for name in ("validation_accuracy", "test_accuracy"))
            if not (0 <= valid <= 1 and 0 <= test <= 1):
                raise DataError(f"expected accuracies from 0 to 1, got {valid} and {test}")
            seconds = number_of(entry.get("training_time"), "training_time")
        except Exception as error:
            raise unusable(path, f"entry {key}", error) from None
        if digest in rows:
            twice += 1
            continue
        if len(rows) == CELLS:
            raise DataError(f"{shown(path)} names more than the {CELLS:,} different cells of NAS-Bench-101.")
        rows[digest] = (*graph, valid, test, seconds)
    if not rows:
        raise DataError(f"{shown(path)} holds no cell.")
    digests = sorted(rows)
    matrices, operations, *numbers = zip(*(rows[digest] for digest in digests), strict=True)
    columns = Columns(hash=digests, matrix=pd.Categorical(matrices), operations=pd.Categorical(operations))
    source = f"NAS-Bench-101 (Ying et al. 2019), repacked by arch2vec, {shown(path)}"
    base = ScoreMeaning(
        "a2v",
        "",
        "%",
        "max",
        "CIFAR-10",
        "",
        108,
        "mean of three repeats",
        "measured",
        source,
        role="other",
        origin="imported",
        single_run=False,
    )
    valid = replace(
        base, key="arch2vec_e108_valid", title="Validation accuracy, arch2vec", split=SPLIT_VALID, role="accuracy"
    )
    test = replace(base, key="arch2vec_e108_test", title="Test accuracy, arch2vec", split=SPLIT_TEST)
    seconds = replace(
        base,
        key="arch2vec_e108_train_s",
        title="Training time, arch2vec",
        unit="s",
        direction="min",
        role="time",
        detail=True,
    )
    columns.add(valid, 100 * np.array(numbers[0]))
    columns.add(test, 100 * np.array(numbers[1]))
    columns.add(seconds, np.array(numbers[2]))
    notes = (f"{twice:,} entries are isomorphic to an earlier one and were not used.",) if twice else ()
    title = "arch2vec's NAS-Bench-101 JSON"
    return ImportedTable(SPACE, "arch2vec-nasbench101", title, "hash", columns.frame(), columns.meanings, notes)


def _cell(entry: Any) -> tuple[str, tuple[str, str]]:
    """md5 key, and the graph as :func:`graph_of` gives it."""
    matrix, one_hot = entry["module_adjacency"], entry["module_operations"]
    if is_list(one_hot) and len(one_hot) == 8 and all(is_list(row) and len(row) == 7 for row in one_hot):
        raise DataError(
            "it is arch2vec's form of NAS-Bench-201 (8 vertices, 7 operations), which is not read: import NATS-Bench's "
            "NATS-tss-v1_0-3ffb9-simple"
        )
    if not _zeros_and_ones(matrix, 7) or not _zeros_and_ones(one_hot, len(LABELS)) or len(one_hot) != 7:
        raise DataError("expected a 7 x 7 matrix and 7 one-hot operations, of zeros and ones")
    if len(matrix) != 7 or any(sum(row) > 1 for row in one_hot):
        raise DataError("expected a 7 x 7 matrix and at most one operation at each vertex")
    nodes = sum(map(sum, one_hot))
    if any(any(row) for row in one_hot[nodes:]):
        raise DataError("a vertex without an operation stands before one that has one")
    labels: list[str] = [LABELS[row.index(1)] for row in one_hot[:nodes]]
    if any(any(row[nodes:]) for row in matrix) or any(any(row) for row in matrix[nodes:]):
        raise DataError("its matrix has edges at vertices without an operation")
    digits = "".join("1" if value else "0" for row in matrix[:nodes] for value in row[:nodes])
    graph = graph_of(digits, ",".join(labels))
    return key_of(graph), graph


def _zeros_and_ones(rows: Any, width: int) -> bool:
    return is_list(rows) and all(
        is_list(row) and len(row) == width and all(type(value) is int and value in (0, 1) for value in row)
        for row in rows
    )
