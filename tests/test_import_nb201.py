"""NAS-Bench-201 files: which number is validation and which is test, seeds that vary, streaming, damage named."""

import bz2
import io
import json
import math
import os
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from svge_core.data.importers import nats
from svge_core.data.importers.hw_nas_bench import read_hw_nas_bench
from svge_core.data.importers.nasbench201_pth import read_pth
from svge_core.data.importers.naslib import read_naslib201, read_zero_cost
from svge_core.data.importers.nats import read_nats
from svge_core.data.importers.table import ImportedTable
from svge_core.errors import DataError
from svge_core.spaces.nasbench201 import naslib_tuple
from tests import import_fixtures as made
from tests.import_fixtures import SPACE, accuracy_of, arch, nats_file, nats_folder, nats_tar, trained

INDICES = (0, 7, 15_624)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nats_folder(tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-3ffb9-simple", INDICES)


def values(table: ImportedTable, index: int) -> dict[str, float]:
    (found,) = table.frame[table.frame["index"] == index].to_dict("records")
    return found


def check_runs(table: ImportedTable, prefix: str) -> None:
    """Every accuracy stands in the column that says what it is: the protocol, written down a second time."""
    where = {
        "cifar10_valid": ("cifar10-valid", "x-valid"),
        "cifar10_test": ("cifar10", "ori-test"),
        "cifar10_test_half": ("cifar10-valid", "ori-test"),
        "cifar100_valid": ("cifar100", "x-valid"),
        "cifar100_test": ("cifar100", "x-test"),
        "imagenet16_valid": ("ImageNet16-120", "x-valid"),
        "imagenet16_test": ("ImageNet16-120", "x-test"),
    }
    for index in INDICES:
        found = values(table, index)
        for key, (data, name) in where.items():
            seeds = (777, 999) if index % 2 else (777, 888, 999)
            runs = [accuracy_of(index, data, seed, 200, name) for seed in seeds]
            assert found[f"{prefix}_{key}"] == pytest.approx(np.mean(runs))
            assert found[f"{prefix}_{key}_std"] == pytest.approx(np.std(runs, ddof=1))
            assert found[f"{prefix}_{key}_seeds"] == len(runs)
            assert found[f"{prefix}_{key}_s999"] == pytest.approx(runs[-1])
            assert math.isnan(found[f"{prefix}_{key}_s888"]) == (888 not in seeds)
            short = [accuracy_of(index, data, seed, 12, name) for seed in ((111, 777) if "10-v" in data else (111,))]
            assert found[f"{prefix}_e12_{key}"] == pytest.approx(np.mean(short))
        cost = SPACE.cost(SPACE.from_index(index))
        assert found[f"{prefix}_cifar10_params_recorded_m"] == pytest.approx(cost.params_m)
        assert found[f"{prefix}_cifar10_flops_recorded_m"] == pytest.approx(cost.flops_m)
        assert found[f"{prefix}_imagenet16_latency_ms"] == pytest.approx(12.5)
        assert found[f"{prefix}_cifar100_train_s"] == pytest.approx(500)
    valid, test = (table.meanings[f"{prefix}_cifar10_{name}"] for name in ("valid", "test"))
    assert "25,000 training images held out" in valid.split
    assert "trained on all 50,000" in test.split
    assert (valid.epochs, valid.seeds, table.meanings[f"{prefix}_e12_cifar10_valid"].epochs) == (
        200,
        "mean of 2-3 seeds",
        12,
    )
    assert table.meanings[f"{prefix}_e12_cifar10_test"].seeds == "1 seed"
    assert table.meanings[f"{prefix}_cifar10_test_half"].detail


def test_folder_and_tar_give_the_same(folder: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    table = read_nats(folder, lambda *step: steps.append(step))
    check_runs(table, "nats")
    assert steps[-1] == (3, 3)
    assert table.notes == ("15,622 of 15,625 architectures are missing.",)
    streamed = read_nats(nats_tar(tmp_path / "nats.tar", folder), lambda *step: steps.append(step))
    assert streamed.frame.equals(table.frame)
    assert steps[-1][0] <= steps[-1][1]


def test_numpy_2_and_numpy_1_name_their_scalars_differently(tmp_path: Path) -> None:
    assert b"numpy.core.multiarray" in bz2.decompress(nats_file(3))
    newer = bz2.compress(pickle.dumps(made.nats_record(3), protocol=4))
    assert b"numpy._core.multiarray" in bz2.decompress(newer)
    tables = []
    for number, content in enumerate((nats_file(3), nats_file(3, protocol=2), newer)):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "000003.pickle.pbz2").write_bytes(content)
        tables.append(read_nats(tmp_path / str(number)))
    assert all(table.frame.equals(tables[0].frame) for table in tables)


def test_a_cut_tar_names_record_and_byte(folder: Path, tmp_path: Path) -> None:
    whole = nats_tar(tmp_path / "whole.tar", folder).read_bytes()
    for size in (len(whole) // 2, 5_000):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(
            DataError, match=r"cut.tar (is cut off or damaged after \d+ records, at byte|holds no record)"
        ):
            read_nats(tmp_path / "cut.tar")


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as target:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return path


def test_wrong_archives_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(files: dict[str, bytes], reason: str) -> None:
        with pytest.raises(DataError, match=reason) as caught:
            read_nats(archive(tmp_path / "x.tar", files))
        assert "\n" not in str(caught.value)

    good = nats_file(5)
    fails({}, "x.tar holds no record such as 000000.pickle.pbz2")
    fails({"a/000004.pickle.pbz2": good}, "000004.pickle.pbz2 cannot be used: it is about architecture 5, expected 4")
    fails({"000005.pickle.pbz2": good, "b/000005.pickle.pbz2": good}, "holds the record 000005 twice")
    fails({"015625.pickle.pbz2": good}, "beyond the 15,625 architectures .* NATS-sss is not read")
    fails({"000005.pickle.pbz2": good[:-20]}, "000005.pickle.pbz2 is cut off: get the archive again")
    fails({"000005.pickle.pbz2": b"BZh9" + bytes(50)}, "000005.pickle.pbz2 is damaged")
    fails({"000005.pickle.pbz2": bz2.compress(b"no pickle")}, "000005.pickle.pbz2 is cut off or damaged")
    fails({"000005.pickle.pbz2": bz2.compress(pickle.dumps([1]))}, "expected results by number of epochs")
    fails({"000005.pickle.pbz2": bz2.compress(pickle.dumps({"90": {}}))}, "size space NATS-sss")
    fails({"000005.pickle.pbz2": bz2.compress(pickle.dumps({}))}, "no results of 12 or 200 epochs")
    monkeypatch.setattr(nats, "MAX_COMPRESSED", 100)
    fails({"000005.pickle.pbz2": good}, r"has [\d,]+ bytes, which no record has")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar", {"000005.pickle.pbz2": bz2.compress(bytes(65 * 2**20))})
    with pytest.raises(DataError, match="unpacks to more than 67,108,864 bytes"):
        read_nats(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"arch_str": "|x|"}, "Not a NAS-Bench-201 architecture string"),
        ({"arch_str": None}, "Not a NAS-Bench-201 architecture string"),
        ({"all_results": []}, "expected a record with 'arch_str' and 'all_results'"),
        ({"all_results": {"cifar10": {}}}, "expected results by data set and seed"),
        ({"all_results": {("cifar10", 777): {"eval_acc1es": {"ori-test@199": "91"}}}}, "expected a number as ori-test"),
        ({"all_results": {("cifar10", 777): {"eval_acc1es": {"ori-test@199": 101.0}}}}, "from 0 to 100 %, got 101"),
        (
            {"all_results": {("cifar10", 777): {"eval_acc1es": {"ori-test@199": math.nan}}}},
            "expected ori-test as a number",
        ),
        ({"all_results": {("cifar10", 777): {"latency": [-1.0]}}}, "expected latency as a number from 0 on"),
    ],
)
def test_wrong_records_are_named(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    record = {"200": {**made.record(5, 200, {"cifar10": (777,)}), **change}}
    (tmp_path / "000005.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(record)))
    with pytest.raises(DataError, match=reason):
        read_nats(tmp_path)


def test_missing_evaluations_and_other_seeds(tmp_path: Path) -> None:
    record = made.record(5, 200, {"cifar10": (777, 5)})
    del record["all_results"]["cifar10", 777]["eval_acc1es"]["ori-test@199"]
    record["all_results"]["cifar100", 777] = trained(5, "cifar100", 777, 200)
    (tmp_path / "000005.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"200": record})))
    table = read_nats(tmp_path)
    assert not any("cifar10_test" in key for key in table.meanings)
    assert "nats_cifar100_test" in table.meanings
    assert "Runs of unexpected seeds were not used: [5]." in table.notes


@given(st.data())
def test_any_damage_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes of the pickle itself are changed, as bz2's own checksum would find every change of the file."""
    whole = bytearray(pickle.dumps({"200": made.record(5, 200, {})}, protocol=data.draw(st.sampled_from([2, 3, 4]))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz")
    (path / "000005.pickle.pbz2").write_bytes(bz2.compress(bytes(whole), 1))
    try:
        read_nats(path)
    except DataError as error:
        assert "\n" not in str(error)


# ---- NAS-Bench-201's own files --------------------------------------------------------------------------------------


def pth_content() -> dict[str, Any]:
    infos = {}
    for index in INDICES:
        both = made.nats_record(index)
        infos[index] = {"less": both["12"], "full": both["200"]}
    return {
        "meta_archs": [arch(index) for index in range(15_625)],
        "arch2infos": infos,
        "evaluated_indexes": set(INDICES),
    }


@pytest.mark.parametrize("newer", [True, False], ids=["zip", "legacy"])
def test_pth_of_both_forms(newer: bool, tmp_path: Path) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    torch.save(pth_content(), path, _use_new_zipfile_serialization=newer)
    if not newer:  # numpy 1 wrote the official file; a legacy file has no checksums
        path.write_bytes(made.as_numpy_1(path.read_bytes()))
        assert b"numpy.core.multiarray" in path.read_bytes()
    table = read_pth(path)
    check_runs(table, "nb201")
    assert table.notes == ("15,622 of 15,625 architectures are missing.",)
    assert "NAS-Bench-201 v1.1" in table.title


def test_the_first_release_has_one_schedule_and_older_names(tmp_path: Path) -> None:
    run = trained(7, "cifar10", 777, 200)
    accuracies = run.pop("eval_acc1es")
    run["eval_accs"] = {"ori-test": {epoch: accuracies[f"ori-test@{epoch}"] for epoch in range(200)}}
    record = {**made.record(7, 200, {}), "all_results": {("cifar10", 777): run}}
    torch.save({"meta_archs": [], "arch2infos": {7: record}, "evaluated_indexes": [7]}, tmp_path / "x.pth")
    table = read_pth(tmp_path / "x.pth")
    assert values(table, 7)["nb201_cifar10_test"] == pytest.approx(accuracy_of(7, "cifar10", 777, 200, "ori-test"))
    run["eval_accs"] = {"ori-test": [1.0] * 199 + [77.0]}
    torch.save({"meta_archs": [], "arch2infos": {7: record}, "evaluated_indexes": [7]}, tmp_path / "x.pth")
    assert values(read_pth(tmp_path / "x.pth"), 7)["nb201_cifar10_test"] == 77


class _Hostile:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.canary),)


@pytest.mark.parametrize("newer", [True, False], ids=["zip", "legacy"])
def test_hostile_pth_is_refused(newer: bool, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save({"arch2infos": _Hostile(canary)}, tmp_path / "x.pth", _use_new_zipfile_serialization=newer)
    with pytest.raises(DataError, match="x.pth was refused, nothing in it was run: it asks for (posix|nt).mkdir"):
        read_pth(tmp_path / "x.pth")
    assert not canary.exists()


@pytest.mark.parametrize("newer", [True, False], ids=["zip", "legacy"])
def test_damaged_and_other_pth(newer: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"arch2infos": {0: {"full": made.record(0, 200, {})}}}, path, _use_new_zipfile_serialization=newer)
    whole = path.read_bytes()
    for size in (30, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="x.pth (is damaged or cut off|unpacks|is a PyTorch file, but not)"):
            read_pth(path)
    for content, reason in (
        ({"weights": torch.zeros(2)}, "not NAS-Bench-201's: expected 'arch2infos'"),
        ({"arch2infos": {"a": {}}}, "x.pth, architecture a cannot be used: expected an index"),
        ({"arch2infos": {3: {"full": made.record(4, 200, {})}}}, "architecture 3 cannot be used: it is about"),
        ({"arch2infos": {}}, "holds no architecture"),
    ):
        torch.save(content, path, _use_new_zipfile_serialization=newer)
        with pytest.raises(DataError, match=reason):
            read_pth(path)


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
    found = values(table, 3)
    assert (found["naslib_cifar10_valid"], found["naslib_cifar10_test_half"], found["naslib_cifar10_test"]) == (
        77,
        88,
        88,
    )
    assert math.isnan(values(table, 9)["naslib_cifar10_test"])
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
        ({arch(3): {"cifar10": {}}}, "cannot be used: 'eval_acc1es'"),
        ({arch(3): {"cifar10": {"eval_acc1es": [1.0]}}}, "as a list over the epochs"),
        ({arch(3): {"cifar10": {"eval_acc1es": [1.0, 1e9]}}}, "from 0 to 100 %"),
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
    assert list(table.frame["index"]) == [4, 6]
    assert values(table, 4)["zc_cifar10_synflow"] == 12.5
    assert values(table, 4)["zc_cifar10_zen"] == -3
    assert math.isnan(values(table, 6)["zc_cifar10_synflow"])
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
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=reason):
            read_zero_cost(path)


# ---- HW-NAS-Bench ---------------------------------------------------------------------------------------------------


def hw_content(**change: Any) -> dict[str, Any]:
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


@pytest.mark.parametrize("protocol", [2, 4])
def test_hardware_metrics(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(
        made.as_numpy_1(pickle.dumps(hw_content(), protocol=protocol)) if protocol == 2 else pickle.dumps(hw_content())
    )
    table = read_hw_nas_bench(path)
    found = values(table, 3)
    assert (found["hw_cifar10_edgegpu_latency_ms"], found["hw_cifar10_edgegpu_energy_mj"]) == (4, 5)
    assert found["hw_cifar10_eyeriss_arithmetic_intensity"] == 6
    assert found["hw_imagenet16_pixel3_latency_ms"] == 3.5
    assert math.isnan(found["hw_cifar10_edgetpu_latency_ms"])
    assert math.isnan(values(table, 0)["hw_cifar10_fpga_latency_ms"])
    directions = {key: meaning.direction for key, meaning in table.meanings.items()}
    assert directions["hw_cifar10_edgegpu_energy_mj"] == "min"
    assert directions["hw_cifar10_eyeriss_arithmetic_intensity"] == "max"


def test_wrong_hardware_files(tmp_path: Path) -> None:
    for content, reason in (
        ({}, "expected the tables of 'nasbench201'"),
        ({"nasbench201": {}}, "holds no latency or energy"),
        (hw_content(edgegpu_latency=[1.0]), r"edgegpu_latency has the shape \(1,\)"),
        (hw_content(edgegpu_latency="x"), "CIFAR-10 edgegpu_latency: expected an array of numbers"),
        (
            hw_content(config=[{"arch_str": arch(1)}]),
            "entry 0 of CIFAR-10 is architecture 1; expected the official order",
        ),
    ):
        (tmp_path / "x.pickle").write_bytes(pickle.dumps(content))
        with pytest.raises(DataError, match=reason):
            read_hw_nas_bench(tmp_path / "x.pickle")


def test_ordered_dictionaries_are_read_as_plain_ones(tmp_path: Path) -> None:
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(OrderedDict(hw_content())))
    assert len(read_hw_nas_bench(tmp_path / "x.pickle").meanings) == 6
