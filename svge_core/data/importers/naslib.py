"""NASLib's containers: ``nasbench_only108.pkl``, ``nb201_*_full_training.pickle`` and ``zc_nasbench201.json``.

The NAS-Bench-201 pickles hold one seed (888), and what NASLib calls validation accuracy is partly test accuracy: the
last entry of ``eval_acc1es`` is ``ori-test`` for ``cifar10-valid`` and ``cifar10``, ``x-test`` for the other data sets.
The columns say what the numbers are, not what they are called.
"""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers.messages import each_once, one_line, reason_of, shown, unusable
from svge_core.data.importers.nasbench101_tfrecord import Runs, graph_of
from svge_core.data.importers.nb201_records import CELLS, SPACE, accuracy, index_of, number_of
from svge_core.data.importers.table import Columns, ImportedTable, OnProgress, silent
from svge_core.data.importers.unpickling import array_of, load_file
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError
from svge_core.files import is_dict, is_list
from svge_core.spaces import from_naslib_tuple

MAX_101_BYTES = 8 * 2**30
MAX_201_BYTES = 4 * 2**30
MAX_JSON_BYTES = 2**30
MAX_PROXIES = 64
_HASH = re.compile(r"[0-9a-f]{32}")
_TUPLE = re.compile(rf"\({', '.join(['([0-9])'] * 6)}\)")
_SEED = "one seed (888)"
#: NASLib's data set -> our key, data set, what the images of the last entry of eval_acc1es are
_LAST = {
    "cifar10-valid": (
        "cifar10_test_half",
        "CIFAR-10",
        "test: 10,000 images, trained on 25,000 of the 50,000 training images (cifar10-valid, ori-test)",
    ),
    "cifar10": (
        "cifar10_test",
        "CIFAR-10",
        "test: 10,000 images, trained on all 50,000 training images (cifar10, ori-test)",
    ),
    "cifar100": ("cifar100_test", "CIFAR-100", "test: 5,000 of the 10,000 test images (x-test)"),
    "ImageNet16-120": ("imagenet16_test", "ImageNet16-120", "test: 3,000 of the 6,000 test images (x-test)"),
}
#: what the zero-cost file calls val_accuracy
_CALLED_VALID = {
    "cifar10": _LAST["cifar10-valid"],
    "cifar100": _LAST["cifar100"],
    "ImageNet16-120": _LAST["ImageNet16-120"],
}


def read_naslib101(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """NAS-Bench-101's runs of 108 epochs as NASLib repacked them.

    Raises:
        DataError: if the file is damaged or holds something else.
    """
    content = load_file(path, MAX_101_BYTES)
    if not is_dict(content) or not content:
        raise DataError(f"{shown(path)}: expected a dictionary of hashes, as in NASLib's nasbench_only108.pkl.")
    runs = Runs()
    for done, (digest, entry) in enumerate(content.items()):
        try:
            if not (isinstance(digest, str) and _HASH.fullmatch(digest)):
                raise DataError("expected a hash of 32 hexadecimal digits")
            fixed, computed = entry
            matrix = array_of(fixed["module_adjacency"])
            if matrix.ndim != 2 or matrix.size > 49 or not np.isin(matrix, (0, 1)).all():
                raise DataError("expected a matrix of zeros and ones of at most 7 vertices")
            digits = "".join("1" if value else "0" for value in matrix.ravel())
            graph = graph_of(digits, ",".join(map(str, fixed["module_operations"])))
            row = runs.row(digest, graph, number_of(fixed["trainable_parameters"], "trainable_parameters"))
            for run in computed[108]:
                runs.add(row, 108, _run(run))
        except Exception as error:
            raise unusable(path, digest, error) from None
        if not done % 4096:
            progress(done, len(content))
    source = f"NAS-Bench-101 (Ying et al. 2019), repacked by NASLib, {shown(path)}"
    return runs.table("naslib-nasbench101", "NASLib's NAS-Bench-101 pickle", source)


def _run(run: Any) -> tuple[float, float, float, float]:
    names = ("validation_accuracy", "test_accuracy", "train_accuracy", "training_time")
    validation, test, train, seconds = (run[f"final_{name}"] for name in names)
    given = (validation, test, train, seconds)
    values = tuple(number_of(value, name) for value, name in zip(given, names, strict=True))
    if not all(0 <= value <= 1 for value in values[:3]) or not 0 <= values[3] < 1e9:
        raise DataError(f"expected accuracies from 0 to 1 and seconds, got {values}")
    return values  # type: ignore[return-value]


def read_naslib201(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """One of NASLib's NAS-Bench-201 pickles, keyed by architecture string.

    Raises:
        DataError: if the file is damaged or holds something else.
    """
    content = load_file(path, MAX_201_BYTES)
    if not is_dict(content) or not content:
        raise DataError(f"{shown(path)}: expected a dictionary of architecture strings, as in NASLib's pickles.")
    found: dict[str, np.ndarray] = {}
    seen = np.zeros(CELLS, dtype=bool)
    others: set[str] = set()
    for done, (arch, entry) in enumerate(content.items()):
        try:
            index = index_of(arch)
            if seen[index]:
                raise DataError(f"it is architecture {index:,}, which another key names too")
            seen[index] = True
            for data, results in entry.items():
                if data not in _LAST:
                    others.add(str(data)[:40])
                    continue
                last, before = _last_two(results["eval_acc1es"])
                _put(found, _LAST[data][0], index, last)
                if data == "cifar10-valid":
                    _put(found, "cifar10_valid", index, before)
        except Exception as error:
            raise unusable(path, arch, error) from None
        if not done % 1024:
            progress(done, len(content))
    if not found:
        known = ", ".join(_LAST)
        raise DataError(f"{shown(path)} holds no results on {known}; found {', '.join(sorted(others)[:5]) or 'none'}.")
    rows = np.flatnonzero(seen)
    columns = Columns(index=rows)
    source = f"NAS-Bench-201 (Dong & Yang 2020), repacked by NASLib, {shown(path)}"
    base = ScoreMeaning(
        "naslib",
        "Test accuracy, NASLib",
        "%",
        "max",
        "",
        "",
        200,
        _SEED,
        "measured",
        source,
        role="other",
        origin="imported",
        single_run=False,
    )
    for data, (key, data_set, split) in _LAST.items():
        if key in found:
            detail = data == "cifar10-valid"
            title = "Test accuracy after training on half, NASLib" if detail else base.title
            meaning = replace(base, key=f"naslib_{key}", title=title, data_set=data_set, split=split, detail=detail)
            columns.add(meaning, found[key][rows])
    if "cifar10_valid" in found:
        valid = replace(
            base,
            key="naslib_cifar10_valid",
            title="Validation accuracy, NASLib",
            data_set="CIFAR-10",
            split="validation: 25,000 training images held out, trained on the other 25,000 (cifar10-valid, x-valid)",
            role="accuracy",
        )
        columns.add(valid, found["cifar10_valid"][rows])
    notes = [
        "One seed; what NASLib calls validation accuracy of the last epoch is on test images, and is named so here."
    ]
    if others:
        notes.append(f"Not imported: {', '.join(sorted(others)[:8])}.")
    names = "-".join(sorted({column.split("_")[1] for column in columns.meanings}))
    title = "NASLib's NAS-Bench-201 pickle"
    return ImportedTable(
        SPACE.name, f"naslib-nb201-{names}", title, "index", columns.frame(), columns.meanings, tuple(notes)
    )


def _last_two(values: Any) -> tuple[float, float]:
    """The last entry; and the one before it where the list is known to end with x-valid@199, ori-test@199."""
    if not is_list(values) or len(values) < 2:
        raise DataError("expected 'eval_acc1es' as a list over the epochs")
    before = accuracy(values[-2], "eval_acc1es") if len(values) == 201 else math.nan
    return accuracy(values[-1], "eval_acc1es"), before


def _put(found: dict[str, np.ndarray], key: str, index: int, value: float) -> None:
    found.setdefault(key, np.full(CELLS, np.nan))[index] = value


def read_zero_cost(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """NAS-Bench-Suite-Zero's proxies of NAS-Bench-201, keyed by NASLib tuple.

    Raises:
        DataError: if the file is damaged or of another space.
    """
    size = path.stat().st_size
    if size > MAX_JSON_BYTES:
        raise DataError(f"{shown(path)} has {size:,} bytes; at most {MAX_JSON_BYTES:,} are expected.")
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=each_once)
    except Exception as error:
        raise DataError(f"{shown(path)} is damaged or cut off ({reason_of(error)}): get the file again.") from None
    columns = Columns(index=np.arange(CELLS))
    seen = np.zeros(CELLS, dtype=bool)
    others: list[str] = []
    for done, (data, cells) in enumerate(content.items() if is_dict(content) else ()):
        if data not in _CALLED_VALID:
            others.append(data)
            continue
        others += _zero_cost_columns(columns, seen, path, data, cells)
        progress(done + 1, len(content))
    rows = np.flatnonzero(seen)
    if not len(rows):
        raise DataError(f"{shown(path)} holds no proxies on {', '.join(_CALLED_VALID)}.")
    notes = ["What the file calls val_accuracy is one seed (888) on test images, and is named so here."]
    if others:
        names = [one_line(name, 40) for name in dict.fromkeys(others)]
        notes.append(f"Not imported: {', '.join(names[:8])}{f' and {len(names) - 8:,} more' * (len(names) > 8)}.")
    frame = columns.frame().iloc[rows].reset_index(drop=True)
    title = "NAS-Bench-Suite-Zero, zero-cost proxies of NAS-Bench-201"
    return ImportedTable(SPACE.name, "zero-cost", title, "index", frame, columns.meanings, tuple(notes))


def _score(value: object) -> float:
    """A proxy's value, which may be negative or infinite."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise DataError(f"expected a number as score, got {type(value).__name__}")
    return float(value)


def _zero_cost_columns(columns: Columns, seen: np.ndarray, path: Path, data: str, cells: Any) -> list[str]:
    """Add the columns of a data set; returns the names of what is no proxy."""
    others: dict[str, None] = {}
    found: dict[str, np.ndarray] = {}
    accuracies = np.full(CELLS, np.nan)
    cell: object = data
    try:
        for cell, proxies in cells.items():
            match = _TUPLE.fullmatch(str(cell))
            if match is None:
                raise DataError("expected a NASLib tuple such as (4, 0, 3, 1, 4, 3); other spaces are not read")
            index = SPACE.index(SPACE.from_genotype(from_naslib_tuple(tuple(map(int, match.groups())))))
            seen[index] = True
            for name, value in proxies.items():
                if name == "val_accuracy":
                    accuracies[index] = accuracy(value, name)
                elif is_dict(value) and re.fullmatch(r"[a-z0-9_]{1,30}", name):
                    if name not in found and len(found) == MAX_PROXIES:
                        raise DataError(f"expected at most {MAX_PROXIES} proxies")
                    score = _score(value["score"])
                    # some proxies overflow: unknown
                    _put(found, name, index, score if math.isfinite(score) else math.nan)
                else:
                    others[name] = None
    except Exception as error:
        raise unusable(path, f"{data}: {cell}", error) from None
    key, data_set, split = _CALLED_VALID[data]
    source = f"NAS-Bench-Suite-Zero (Krishnakumar et al. 2022), {shown(path)}"
    test = ScoreMeaning(
        f"zc_{key}",
        "Test accuracy, zero-cost file",
        "%",
        "max",
        data_set,
        split,
        200,
        _SEED,
        "measured",
        source,
        role="other",
        origin="imported",
        single_run=False,
    )
    columns.add(replace(test, detail=True), accuracies)
    for name in sorted(found):
        proxy = replace(
            test,
            key=f"zc_{key.split('_')[0]}_{name}",
            title=f"Zero-cost proxy {name}",
            unit="",
            split="one batch of training images, network not trained",
            epochs=0,
            seeds="one initialisation",
        )
        columns.add(proxy, found[name])
    return list(others)
