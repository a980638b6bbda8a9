"""What the official NAS-Bench-201 files have in common: the record of one architecture, and the columns it becomes.

A record holds, per data set and seed, every epoch's results. Which of them are validation and which test depends on
the data set: for CIFAR-10 the validation accuracy is that of ``cifar10-valid`` (trained on half of the training
images), the test accuracy that of ``cifar10`` (trained on all of them).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from svge_core.data.importers.table import Columns, ImportedTable
from svge_core.data.meaning import Role, ScoreMeaning
from svge_core.errors import DataError, SvgeError
from svge_core.files import is_dict, is_list, is_tuple
from svge_core.spaces import NASBench201

SPACE = NASBench201()
CELLS = 15_625
#: most characters of an architecture string, which has some 90
MAX_ARCH = 200
#: seeds of the 200-epoch and of the 12-epoch runs, in the order of their columns
SEEDS: dict[int, tuple[int, ...]] = {200: (777, 888, 999), 12: (111, 777)}


@dataclass(frozen=True)
class Quantity:
    """One accuracy: our key, the record's data set and evaluation, what its images are, its role."""

    key: str
    title: str
    data: str
    evaluation: str
    data_set: str
    split: str
    role: Role = "other"
    detail: bool = False


QUANTITIES = (
    Quantity(
        "cifar10_valid",
        "Validation accuracy",
        "cifar10-valid",
        "x-valid",
        "CIFAR-10",
        "validation: 25,000 training images held out, trained on the other 25,000 (cifar10-valid, x-valid)",
        role="accuracy",
    ),
    Quantity(
        "cifar10_test",
        "Test accuracy",
        "cifar10",
        "ori-test",
        "CIFAR-10",
        "test: 10,000 images, trained on all 50,000 training images (cifar10, ori-test)",
    ),
    Quantity(
        "cifar10_test_half",
        "Test accuracy after training on half",
        "cifar10-valid",
        "ori-test",
        "CIFAR-10",
        "test: 10,000 images, trained on 25,000 of the 50,000 training images (cifar10-valid, ori-test)",
        detail=True,
    ),
    Quantity(
        "cifar100_valid",
        "Validation accuracy",
        "cifar100",
        "x-valid",
        "CIFAR-100",
        "validation: 5,000 of the 10,000 test images, trained on all 50,000 training images (x-valid)",
        role="accuracy",
    ),
    Quantity(
        "cifar100_test",
        "Test accuracy",
        "cifar100",
        "x-test",
        "CIFAR-100",
        "test: the other 5,000 of the 10,000 test images, trained on all 50,000 training images (x-test)",
    ),
    Quantity(
        "imagenet16_valid",
        "Validation accuracy",
        "ImageNet16-120",
        "x-valid",
        "ImageNet16-120",
        "validation: 3,000 of the 6,000 test images, trained on all 151,700 training images (x-valid)",
        role="accuracy",
    ),
    Quantity(
        "imagenet16_test",
        "Test accuracy",
        "ImageNet16-120",
        "x-test",
        "ImageNet16-120",
        "test: the other 3,000 of the 6,000 test images, trained on all 151,700 training images (x-test)",
    ),
)
#: the record's data set that stands for the costs on each of ours
COST_DATA = {"cifar10": ("cifar10", "CIFAR-10"), "cifar100": ("cifar100", "CIFAR-100")}
COST_DATA["imagenet16"] = ("ImageNet16-120", "ImageNet16-120")
_COSTS = ("latency", "seconds", "params", "flop")


def index_of(arch: object) -> int:
    """Official index of an architecture string.

    Raises:
        DataError: if it is none.
    """
    text = arch if isinstance(arch, str) else str(type(arch))
    try:
        return SPACE.index(SPACE.parse(text if len(text) <= MAX_ARCH else f"{text[:40]}..."))
    except SvgeError as error:
        raise DataError(str(error)) from None


class Records:
    """Collects the records of NAS-Bench-201 files, one row per official index."""

    def __init__(self) -> None:
        self._accuracy = {e: np.full((CELLS, len(QUANTITIES), len(s)), np.nan) for e, s in SEEDS.items()}
        self._costs = np.full((CELLS, len(COST_DATA), len(_COSTS)), np.nan)
        self._seen = np.zeros(CELLS, dtype=bool)
        self.other_seeds: set[int] = set()

    def add(self, by_epochs: Mapping[int, object], index: int | None = None) -> int:
        """One architecture's record per number of epochs; returns its official index.

        Raises:
            DataError: if it names no architecture, another than ``index``, or a value is out of range.
        """
        if not by_epochs:
            raise DataError("it holds no results of 12 or 200 epochs")
        for epochs, record in by_epochs.items():
            if not is_dict(record) or not is_dict(record.get("all_results")):
                raise DataError("expected a record with 'arch_str' and 'all_results'")
            named = index_of(record.get("arch_str"))
            if index not in (None, named):
                raise DataError(f"it is about architecture {named:,}, expected {index:,}")
            index = named
            for key, run in record["all_results"].items():
                if not (is_tuple(key) and len(key) == 2 and is_dict(run)):
                    raise DataError("expected results by data set and seed")
                self._run(index, epochs, key[0], key[1], run)
        assert index is not None
        self._seen[index] = True
        return index

    def _run(self, index: int, epochs: int, data: object, seed: object, run: dict[Any, Any]) -> None:
        seeds = SEEDS[epochs]
        if seed not in seeds:
            if isinstance(seed, int) and len(self.other_seeds) < 10:
                self.other_seeds.add(seed)
            return
        for column, quantity in enumerate(QUANTITIES):
            if quantity.data == data:
                value = last_accuracy(run, quantity.evaluation, epochs)
                self._accuracy[epochs][index, column, seeds.index(seed)] = value
        if epochs != 200:
            return
        for row, (name, _) in enumerate(COST_DATA.values()):
            if name == data and np.isnan(self._costs[index, row, 0]):
                latency = run.get("latency")
                times = run.get("train_times")
                self._costs[index, row] = (
                    number_of(latency[0], "latency") * 1000 if is_list(latency) and latency else math.nan,
                    math.fsum(number_of(t, "train_times") for t in times.values()) if is_dict(times) else math.nan,
                    number_of(run.get("params"), "params"),
                    number_of(run.get("flop"), "flop"),
                )

    def table(
        self, name: str, title: str, prefix: str, label: str, source: str, notes: tuple[str, ...] = ()
    ) -> ImportedTable:
        """The architectures that were seen, in official order.

        Args:
            name: name of the table.
            title: the kind of file.
            prefix: what the keys of its columns begin with.
            label: what tells its columns from those of other files, for people.
            source: where the values come from.
            notes: what a reader should know.
        """
        rows = np.flatnonzero(self._seen)
        if not len(rows):
            raise DataError("The file holds no architecture of NAS-Bench-201.")
        columns = Columns(index=rows)
        base = ScoreMeaning(
            prefix,
            "",
            "%",
            "max",
            "",
            "",
            None,
            "",
            "measured",
            source,
            role="other",
            origin="imported",
            single_run=False,
        )
        for epochs, seeds in SEEDS.items():
            short = "" if epochs == 200 else f"e{epochs}_"
            labels = {f"s{seed}": f"seed {seed}" for seed in seeds}
            for column, quantity in enumerate(QUANTITIES):
                meaning = replace(
                    base,
                    key=f"{prefix}_{short}{quantity.key}",
                    title=f"{quantity.title}, {label}" + ("" if epochs == 200 else f", {epochs} epochs"),
                    data_set=quantity.data_set,
                    split=quantity.split,
                    epochs=epochs,
                    role=quantity.role,
                    detail=quantity.detail,
                )
                columns.add_runs(meaning, self._accuracy[epochs][rows, column], labels, "seeds")
        self._cost_columns(columns, base, rows, label)
        if self.other_seeds:
            notes = (*notes, f"Runs of unexpected seeds were not used: {sorted(self.other_seeds)}.")
        return ImportedTable("nasbench201", name, title, "index", columns.frame(), columns.meanings, notes)

    def _cost_columns(self, columns: Columns, base: ScoreMeaning, rows: np.ndarray, label: str) -> None:
        texts: tuple[tuple[str, str, str, Role, str], ...] = (
            (
                "latency_ms",
                f"Latency recorded by {label} of one evaluation batch on the authors' GPU",
                "ms",
                "time",
                "one value for all seeds",
            ),
            (
                "train_s",
                f"Training time recorded by {label} on the authors' GPU",
                "s",
                "time",
                "extrapolated by the authors from one run, by number of training images",
            ),
            ("params_recorded_m", f"Parameters recorded by {label}", "million", "cost", "first seed of the record"),
            ("flops_recorded_m", f"FLOPs recorded by {label}", "million", "cost", "first seed of the record"),
        )
        for row, (short, (_, data_set)) in enumerate(COST_DATA.items()):
            for column, (key, title, unit, role, seeds) in enumerate(texts):
                meaning = replace(
                    base,
                    key=f"{base.key}_{short}_{key}",
                    title=title,
                    unit=unit,
                    direction="min",
                    data_set=data_set,
                    seeds=seeds,
                    role=role,
                    epochs=200 if key == "train_s" else None,
                    detail=True,
                )
                columns.add(meaning, self._costs[rows, row, column])


def last_accuracy(run: Mapping[Any, Any], name: str, epochs: int) -> float:
    """The accuracy of an evaluation after the last epoch, in percent; NaN where it was not made.

    Newer files key it ``x-valid@199``; the first ones hold a list or dictionary of epochs per name.
    """
    newer, older = run.get("eval_acc1es"), run.get("eval_accs")
    value: Any = None
    if is_dict(newer):
        value = newer.get(f"{name}@{epochs - 1}")
    elif is_dict(older):
        by_epoch = older.get(name)
        if is_dict(by_epoch):
            value = by_epoch.get(epochs - 1)
        elif is_list(by_epoch) and len(by_epoch) == epochs:
            value = by_epoch[-1]
    return accuracy(value, name)


def accuracy(value: object, name: str) -> float:
    """A percentage; NaN for None.

    Raises:
        DataError: if it is not a number from 0 to 100.
    """
    number = number_of(value, name)
    if number > 100:
        raise DataError(f"expected {name} from 0 to 100 %, got {number:g}")
    return number


def _isnumber_of(value: object) -> TypeGuard[float]:
    """Python's numbers and NumPy's, which compare and convert alike."""
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def number_of(value: object, name: str) -> float:
    """A number from 0 on; NaN for None.

    Raises:
        DataError: if it is none: texts, truth values, NaN and infinity are not.
    """
    if value is None:
        return math.nan
    if not _isnumber_of(value):
        raise DataError(f"expected a number as {name}, got {type(value).__name__}")
    if not 0 <= value < 1e12:
        raise DataError(f"expected {name} as a number from 0 on, got {float(value):g}")
    return float(value)
