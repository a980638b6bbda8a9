"""NAS-Bench-201 files: which number is validation and which is test, seeds that vary, streaming, damage named."""

import bz2
import io
import math
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from bench.importer_files.nasbench201 import ACCURACIES
from svge_core.data.importers import nats
from svge_core.data.importers.nasbench201_pth import read_pth
from svge_core.data.importers.nats import read_nats
from svge_core.data.importers.table import ImportedTable
from svge_core.errors import DataError
from tests.support import imports as made
from tests.support.imports import SPACE, accuracy_of, arch, nats_file, nats_folder, nats_tar, trained, values_of
from tests.support.meanings import read_back_from_old

INDICES = (0, 7, 15_624)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nats_folder(tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-3ffb9-simple", INDICES)


def check_runs(table: ImportedTable, prefix: str) -> None:
    """Every accuracy stands in the column that says what it is: the protocol, as the slow reader has it."""
    for index in INDICES:
        found = values_of(table, index)
        for key, (data, name) in ACCURACIES.items():
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
    assert read_back_from_old(table.meanings)
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
    assert values_of(table, 7)["nb201_cifar10_test"] == pytest.approx(accuracy_of(7, "cifar10", 777, 200, "ori-test"))
    run["eval_accs"] = {"ori-test": [1.0] * 199 + [77.0]}
    torch.save({"meta_archs": [], "arch2infos": {7: record}, "evaluated_indexes": [7]}, tmp_path / "x.pth")
    assert values_of(read_pth(tmp_path / "x.pth"), 7)["nb201_cifar10_test"] == 77


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
