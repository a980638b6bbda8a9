"""NASLib and HW-NAS-Bench: columns say what the numbers are, not what the files call them; damage is named."""

import json
import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

from svge_core.data.importers.hw_nas_bench import read_hw_nas_bench
from svge_core.data.importers.naslib import read_naslib201, read_zero_cost
from svge_core.errors import DataError
from svge_core.spaces.nasbench201 import naslib_tuple
from tests.support import imports as made
from tests.support.imports import SPACE, arch, hw_nas_bench_content, values_of
from tests.support.meanings import read_back_from_old

# ---- NASLib ---------------------------------------------------------------------------------------------------------


def naslib_entry(length: int) -> dict[str, Any]:
    return {
        "eval_acc1es": [10.0 + epoch / 10 for epoch in range(length - 2)] + [77.0, 88.0],
        "train_acc1es": [1.0] * 200,
        "cost_info": {"train_time": 1.0, "flops": 2.0, "latency": 0.1, "params": 3.0},
    }


def test_naslibs_validation_is_named_test(tmp_path: Path) -> None:
    path = tmp_path / "nb201_cifar10_full_training.pickle"
    content = {arch(3): {"cifar10-valid": naslib_entry(201), "cifar10": naslib_entry(200)}, arch(9): {}}
    path.write_bytes(pickle.dumps(content))
    table = read_naslib201(path)
    assert read_back_from_old(table.meanings)
    found = values_of(table, 3)
    assert (found["naslib_cifar10_valid"], found["naslib_cifar10_test_half"], found["naslib_cifar10_test"]) == (
        77,
        88,
        88,
    )
    assert math.isnan(values_of(table, 9)["naslib_cifar10_test"])
    for key, part in (("test_half", "ori-test"), ("test", "ori-test"), ("valid", "x-valid")):
        assert part in table.meanings[f"naslib_cifar10_{key}"].split
    assert table.meanings["naslib_cifar10_test"].seeds == "one seed (888)"
    assert table.name == "naslib-nb201-cifar10"
    # a list of 200 does not say what its last entry but one is
    path.write_bytes(pickle.dumps({arch(3): {"cifar10-valid": naslib_entry(200)}}))
    assert list(read_naslib201(path).meanings) == ["naslib_cifar10_test_half"]
    path.write_bytes(pickle.dumps({arch(3): {"ImageNet16-120": naslib_entry(200), "ninapro": {}}}))
    table = read_naslib201(path)
    assert (table.name, "x-test" in table.meanings["naslib_imagenet16_test"].split) == ("naslib-nb201-imagenet16", True)
    assert "Not imported: ninapro." in table.notes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "expected a dictionary"),
        ({"x": {}}, "x cannot be used: Not a NAS-Bench-201"),
        ({arch(3): []}, "cannot be used"),
        ({arch(3): {"cifar10": {}}}, "cannot be used: it lacks 'eval_acc1es'"),
        ({arch(3): {"cifar10": {"eval_acc1es": [1.0]}}}, "as a list over the epochs"),
        ({arch(3): {"cifar10": {"eval_acc1es": [1.0, 1e9]}}}, "from 0 to 100 %"),
        ({arch(3): {}, f" {arch(3)}": {}}, "it is architecture 3, which another key names too"),
        ({arch(3) + " " * 200 + "x": {}}, "Not a NAS-Bench-201"),
        ({arch(3): {"ninapro": {}}}, "holds no results on cifar10-valid, .*; found ninapro"),
    ],
)
def test_wrong_naslib_pickles(content: Any, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=reason):
        read_naslib201(tmp_path / "x.pickle")


def test_zero_cost_proxies(tmp_path: Path) -> None:
    def key(index: int) -> str:
        return str(naslib_tuple(SPACE.genotype(SPACE.from_index(index))))

    path = tmp_path / "zc_nasbench201.json"
    cells = {
        key(4): {"val_accuracy": 81.5, "synflow": {"score": 12.5, "time": 0.1}, "zen": {"score": -3.0, "time": 1.0}},
        key(6): {"val_accuracy": 10.0, "synflow": {"score": float("inf"), "time": 0.1}},
    }
    path.write_text(json.dumps({"cifar10": cells, "ImageNet16-120": {key(4): {"val_accuracy": 5.0}}, "svhn": {}}))
    table = read_zero_cost(path)
    assert read_back_from_old(table.meanings)
    assert list(table.frame["index"]) == [4, 6]
    assert values_of(table, 4)["zc_cifar10_synflow"] == 12.5
    assert values_of(table, 4)["zc_cifar10_zen"] == -3
    assert math.isnan(values_of(table, 6)["zc_cifar10_synflow"])
    assert "ori-test" in table.meanings["zc_cifar10_test_half"].split
    assert "x-test" in table.meanings["zc_imagenet16_test"].split
    assert any("svhn" in note for note in table.notes)
    for content, reason in (
        ("{", "zc_nasbench201.json is damaged or cut off"),
        ("[" * 100_000, "is damaged or cut off"),
        ("[]", "holds no proxies"),
        ('{"cifar10": {"(9, 0, 0, 0, 0, 0)": {}}}', "op indices from 0 to 4"),
        ('{"cifar10": {"[1]": {}}}', "expected a NASLib tuple"),
        ('{"cifar10": {"(0, 0, 0, 0, 0, 0)": {"zen": {}}}}', "cannot be used"),
        ('{"cifar10": {"(0, 0, 0, 0, 0, 0)": {"val_accuracy": "x"}}}', "expected a number as val_accuracy"),
        ('{"cifar10": 5}', "cannot be used"),
        ('{"cifar10": {"(0, 0, 0, 0, 0, 0)": {"zen": {"score": true}}}}', "expected a number as score, got bool"),
        ('{"cifar10": {"(0, 0, 0, 0, 0, 0)": {}, "(0, 0, 0, 0, 0, 0)": {}}}', "'\\(0, 0, 0, 0, 0, 0\\)' stands twice"),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=reason):
            read_zero_cost(path)


# ---- HW-NAS-Bench ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 4])
def test_hardware_metrics(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(
        made.as_numpy_1(pickle.dumps(hw_nas_bench_content(), protocol=protocol))
        if protocol == 2
        else pickle.dumps(hw_nas_bench_content())
    )
    table = read_hw_nas_bench(path)
    assert read_back_from_old(table.meanings)
    found = values_of(table, 3)
    assert (found["hw_cifar10_edgegpu_latency_ms"], found["hw_cifar10_edgegpu_energy_mj"]) == (4, 5)
    assert found["hw_cifar10_eyeriss_arithmetic_intensity"] == 6
    assert found["hw_imagenet16_pixel3_latency_ms"] == 3.5
    assert math.isnan(found["hw_cifar10_edgetpu_latency_ms"])
    assert math.isnan(values_of(table, 0)["hw_cifar10_fpga_latency_ms"])
    directions = {key: meaning.direction for key, meaning in table.meanings.items()}
    assert directions["hw_cifar10_edgegpu_energy_mj"] == "min"
    assert directions["hw_cifar10_eyeriss_arithmetic_intensity"] == "max"


def test_wrong_hardware_files(tmp_path: Path) -> None:
    for content, reason in (
        ({}, "expected the tables of 'nasbench201'"),
        ({"nasbench201": {}}, "holds no latency or energy"),
        (hw_nas_bench_content(edgegpu_latency=[1.0]), r"edgegpu_latency has the shape \(1,\)"),
        (hw_nas_bench_content(edgegpu_latency={0: 1.0, 15_625: 1.0}), "has a value for '15625', no index"),
        (
            hw_nas_bench_content(config=(1.5,)),
            "'config' of CIFAR-10 is of type tuple; expected a list of architectures",
        ),
        (hw_nas_bench_content(config=[{"arch": arch(0)}]), "entry 0 of CIFAR-10 cannot be used: it lacks 'arch_str'"),
        (hw_nas_bench_content(edgegpu_latency="x"), "CIFAR-10 edgegpu_latency: expected an array of numbers"),
        (
            hw_nas_bench_content(config=[{"arch_str": arch(1)}]),
            "entry 0 of CIFAR-10 is architecture 1; expected the official order",
        ),
    ):
        (tmp_path / "x.pickle").write_bytes(pickle.dumps(content))
        with pytest.raises(DataError, match=reason):
            read_hw_nas_bench(tmp_path / "x.pickle")


def test_ordered_dictionaries_are_read_as_plain_ones(tmp_path: Path) -> None:
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(OrderedDict(hw_nas_bench_content())))
    assert len(read_hw_nas_bench(tmp_path / "x.pickle").meanings) == 6
