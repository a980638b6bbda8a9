"""Detection of files, sha256, the cache, the join with the bundled scores, and the command line."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import assume, given, strategies as st

from svge_core.data.importers import detection
from svge_core.data.importers.cache import imported_dir, list_imported, load_imported, load_table, save_table
from svge_core.data.importers.detection import _LEGACY_TORCH, KINDS, detect, memory_warning
from svge_core.data.importers.join import to_scores, with_imported
from svge_core.data.importers.run import import_file
from svge_core.data.importers.table import Columns, ImportedTable
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError
from svge_core.files.atomic import cache_dir
from svge_core.spaces.nasbench101.cell_table import Table
from svge_core.spaces.registry import get_space
from tests.support import imports as made
from tests.support.cli import RunCommand, known_scores
from tests.support.imports import ENAS_LINES, hw_nas_bench_content, nasbench101_naslib_pickle
from tests.support.meanings import made_up

SPACE = get_space("nasbench201")
MEANING = made_up("my_acc")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("svge_core.data.importers.cache.cache_dir", cache_dir)
    return tmp_path / "cache"


def table(
    key: str = "my_acc", name: str = "mine", index: tuple[int, ...] = (5, 2), value: float = 90.5
) -> ImportedTable:
    columns = Columns(index=list(index))
    columns.add(replace(MEANING, key=key), np.array([value, np.nan] + [value] * (len(index) - 2))[: len(index)])
    return ImportedTable(
        "nasbench201", name, "Mine", "index", columns.frame(), columns.meanings, ("note",), {"file": "f"}
    )


def files(folder: Path) -> dict[str, Path]:
    """A file of every kind, under a name that says nothing."""
    made.nats_folder(folder / "folder", (3,))
    content = {
        "nasbench101": made.tfrecord(made.nasbench101_runs()),
        "naslib101": nasbench101_naslib_pickle(),
        "naslib201": pickle.dumps({made.arch(3): {"cifar10": {"eval_acc1es": [1.0, 2.0]}}}),
        "hw-nas-bench": pickle.dumps(hw_nas_bench_content(), protocol=2),
        "enas": "\n".join(ENAS_LINES).encode(),
        "zero-cost": json.dumps({"cifar10": {"(4, 0, 3, 1, 4, 3)": {"zen": {"score": 1.0}}}}).encode(),
        "arch2vec": json.dumps({"0": {"test_accuracy": 0.9, "module_adjacency": []}}, indent=1).encode(),
    }
    found = {"nats": folder / "folder", "nats-tar": made.nats_tar(folder / "t", folder / "folder")}
    for kind, data in content.items():
        found[kind] = folder / f"file-{len(found)}"
        found[kind].write_bytes(data)
    for name, newer in (("pth-zip", True), ("pth-legacy", False)):
        found[name] = folder / name
        torch.save({"arch2infos": {}}, found[name], _use_new_zipfile_serialization=newer)
    return found


def test_every_kind_is_known_by_its_content(tmp_path: Path) -> None:
    found = files(tmp_path)
    assert {detect(path) for path in found.values()} == set(KINDS)
    for kind, path in found.items():
        assert detect(path) == (kind if kind in KINDS else kind.partition("-")[0])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty file"),
        (bytes(257) + b"ustar" + bytes(300), "a damaged archive, or none"),
        (pickle.dumps({"a": 1}), "a pickle of something else (first text 'a')"),
        (b"\x80\x04\xff", "a pickle of something else"),
        (b'{"a": 1}', "none of the known files"),
        (b'{"cifar10": {"7": {"zen": {"score": 1}}}}', "a file of zero-cost proxies of another space"),
        (bytes(2000), "none of the known files"),
    ],
)
def test_other_files_are_refused_with_the_list(content: bytes, what: str, tmp_path: Path, fails: RunCommand) -> None:
    (tmp_path / "x").write_bytes(content)
    line = fails("data", "import", tmp_path / "x")
    assert f"svge: x is {what}" in line
    assert all(text in line for text in KINDS.values())


def test_other_folders_and_archives(tmp_path: Path, fails: RunCommand) -> None:
    assert "a folder without records" in fails("data", "import", tmp_path)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(__file__, arcname="a.py")
    assert "an archive without records" in fails("data", "import", tmp_path / "x.tar")
    assert "There is no file" in fails("data", "import", tmp_path / "none")


@given(st.binary(max_size=600) | st.binary(max_size=60).map(lambda data: b"\x80\x04" + data))
def test_noise_is_never_taken_for_a_file(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    # Hypothesis knows the code's constants: what begins as a zip or as torch's old format is claimed, and read in vain
    assume(b"/data.pkl" not in noise and _LEGACY_TORCH not in noise[:16])
    path = tmp_path_factory.mktemp("noise") / "x"
    path.write_bytes(noise)
    with pytest.raises(DataError, match=r"^x is [^\n]*\.$"):
        detect(path)


def test_memory_is_warned_of_before_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    path.touch()
    os.truncate(path, 4_700_000_000)  # sparse: takes no room
    assert memory_warning(path, "pth").startswith(
        "This file is read whole and needs about 26 GiB of memory. NATS-Bench"
    )
    assert memory_warning(path, "nats") == ""
    assert memory_warning(tmp_path, "nats") == ""


# ---- sha256 ---------------------------------------------------------------------------------------------------------


def test_known_sums_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: RunCommand) -> None:
    path = tmp_path / "nasbench_only108.tfrecord"
    path.write_bytes(made.tfrecord(made.nasbench101_runs()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    found = import_file(path)
    assert str(found.checksum).startswith("sha256 does not match: expected 4c39c3936e36a85269881d659e44e61a")
    assert str(found.checksum).endswith(f"(nasbench_full.tfrecord), got {digest}")
    assert found.warnings() == [f"{found.checksum}."]
    assert "sha256 does not match" in fails("data", "import", path, "--strict")
    monkeypatch.setitem(detection.SHA256, "nasbench101", {digest: "nasbench_only108.tfrecord"})
    again = import_file(path, strict=True)
    assert str(again.checksum) == "sha256 matches the official file nasbench_only108.tfrecord"
    assert again.warnings() == []
    monkeypatch.setattr(
        "svge_core.data.importers.tfrecord._verify",
        lambda batch, sums: pytest.fail("verified again") if batch else None,
    )
    import_file(path)  # a file that is known to be whole is not verified record by record
    assert load_imported("nasbench101")[0].origin["sha256"] == digest
    other = tmp_path / "x.pickle"
    other.write_bytes(pickle.dumps(hw_nas_bench_content()))
    assert str(import_file(other, strict=True).checksum).startswith("no known sha256 for this file; it is ")


# ---- the cache ------------------------------------------------------------------------------------------------------


def test_tables_come_back(own_cache: Path) -> None:
    path = save_table(table())
    assert path == own_cache / "svge-explorer" / "imported" / "nasbench201" / "mine.parquet"
    (found,) = load_imported("nasbench201")
    assert found.frame.equals(table().frame)
    assert (found.meanings, found.notes, found.origin) == (table().meanings, ("note",), {"file": "f"})
    assert pq.read_schema(path).field("my_acc").type == "float", "90.5 needs no more"
    save_table(table(value=1 / 3))
    assert load_table(path).frame["my_acc"].tolist()[0] == 1 / 3
    assert load_imported("other") == []
    assert [(entry.name, entry.rows, entry.scores) for entry in list_imported()] == [("mine", 2, ("my_acc",))]


@given(st.lists(st.floats(allow_infinity=False, width=32) | st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_every_value_survives(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    columns = Columns(index=range(len(values)))
    columns.add(MEANING, np.array(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        one = ImportedTable("toy", "x", "X", "index", columns.frame(), columns.meanings)
        pd.testing.assert_frame_equal(load_table(save_table(one)).frame, one.frame)


def test_tables_refuse_what_does_not_belong_together() -> None:
    good = table()
    for change, reason in (
        ({"frame": good.frame.drop(columns="my_acc")}, "lacks the column"),
        ({"frame": good.frame.assign(index=1)}, "names an architecture twice"),
        ({"frame": good.frame.assign(my_acc=np.inf)}, "finite float64"),
        ({"frame": good.frame.assign(my_acc=1)}, "finite float64"),
    ):
        with pytest.raises(DataError, match=reason):
            replace(good, **change)


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"x" * 1000])
def test_a_damaged_table_is_named_and_left_out(damage: bytes, run: RunCommand) -> None:
    save_table(table())
    path = save_table(table("other", "other"))
    path.write_bytes(damage or path.read_bytes()[:-9])
    with pytest.raises(DataError, match="The imported table other cannot be used: .* data remove other' and import"):
        load_imported("nasbench201")
    bare = scores_from_columns("nasbench201", {"a": np.zeros(15_625)}, {"a": replace(MEANING, key="a")})
    with pytest.warns(UserWarning, match="imported table other cannot be used"):
        joined = with_imported(bare, SPACE)
    assert joined.columns() == ("a", "my_acc")
    assert "other cannot be used" in run("data", "list", expect_json=False)
    run("data", "remove", "other")
    assert with_imported(bare, SPACE).columns() == ("a", "my_acc")


def test_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_table(table())
    monkeypatch.setattr("svge_core.data.importers.cache.FORMAT", 2)
    with pytest.raises(DataError, match=r"cannot be used: \$\.format: expected 2, which this version reads, got 1"):
        load_table(path)


def test_an_interrupted_import_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tfrecord"
    path.write_bytes(made.tfrecord(made.nasbench101_runs()))
    first = import_file(path)
    before = first.path.read_bytes()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with pytest.raises(DataError, match="cut off at record 8"):
        import_file(path)
    path.write_bytes(whole)

    def interrupted(done: int, total: int) -> None:
        if total == len(whole) and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(path, progress=interrupted)
    monkeypatch.setattr(
        "svge_core.files.atomic.os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OSError, match="No space left"):
        import_file(path)
    assert [file.read_bytes() for file in imported_dir().rglob("*") if file.is_file()] == [before]


# ---- the join -------------------------------------------------------------------------------------------------------


def bundled() -> Scores:
    return scores_from_columns("nasbench201", {"a": np.zeros(15_625)}, {"a": replace(MEANING, key="a")})


def test_rows_are_put_at_their_index() -> None:
    found = to_scores(table(), SPACE, 15_625)
    assert found.of(5) == {"my_acc": 90.5}
    assert found.of(2) == {}
    assert len(found.frame) == 15_625
    with pytest.raises(DataError, match="is of nasbench201, not of enas6"):
        to_scores(table(), get_space("enas6"), 3)
    with pytest.raises(DataError, match="names 1 architectures that NAS-Bench-201 does not have, the first is '15625'"):
        to_scores(table(index=(15_625,)), SPACE, 15_625)


def test_the_first_table_gives_a_score_that_two_have() -> None:
    assert with_imported(bundled(), SPACE) is not None
    save_table(table(name="b", value=1.0))
    save_table(table(name="a", value=2.0))
    save_table(table("a", name="c"))
    joined = with_imported(bundled(), SPACE)
    assert joined.columns() == ("a", "my_acc")
    assert joined.of(5) == {"a": 0.0, "my_acc": 2.0}


def test_hashes_are_put_at_their_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space("nasbench101")
    keys = sorted(made.digest_of(number) for number in range(500))
    raw = np.frombuffer(bytes.fromhex("".join(keys)), dtype="S16")
    # the real list of hashes takes two minutes to make under the run-time type checks
    monkeypatch.setattr("svge_core.spaces.nasbench101.table", lambda: Table(np.arange(500), raw))
    columns = Columns(hash=[keys[423], keys[7]])
    columns.add(MEANING, np.array([1.0, 2.0]))
    one = ImportedTable("nasbench101", "x", "X", "hash", columns.frame(), columns.meanings)
    found = to_scores(one, space, 500)
    assert (found.of(423), found.of(7)) == ({"my_acc": 1.0}, {"my_acc": 2.0})
    strange = ImportedTable("nasbench101", "x", "X", "hash", one.frame.assign(hash=["0" * 32, "f" * 32]), one.meanings)
    with pytest.raises(DataError, match="names 2 architectures"):
        to_scores(strange, space, 500)


# ---- the command line -----------------------------------------------------------------------------------------------


def test_import_list_and_remove(tmp_path: Path, run: RunCommand, fails: RunCommand) -> None:
    folder = made.nats_folder(tmp_path / "NATS-tss-v1_0-3ffb9-simple", (3, 8))
    found = run("data", "import", folder)
    assert (found["kind"], found["space"], found["name"], found["rows"]) == ("nats", "nasbench201", "nats-tss", 2)
    best = found["scores"]["nats_cifar10_test"]
    assert best["known"] == 2
    expected = np.mean([made.accuracy_of(8, "cifar10", seed, 200, "ori-test") for seed in (777, 888, 999)])
    assert (best["at"], best["best"]) == ("8", pytest.approx(expected))
    assert "test: 10,000 images" in best["meaning"]
    text = run("data", "import", folder, expect_json=False)
    assert text.startswith("NATS-Bench topology, simple archive: 2 architectures of nasbench201")
    assert "nats_cifar10_test: best" in text
    assert "15,623 of 15,625 architectures are missing." in text
    listed = run("data", "list")
    assert [(entry["name"], entry["rows"], entry["file"]) for entry in listed] == [("nats-tss", 2, folder.name)]
    assert "nats-tss  nasbench201, 2 architectures" in run("data", "list", expect_json=False)
    assert "No imported table 'none': expected one of nasbench201/nats-tss." in fails("data", "remove", "none")
    assert "No imported table" in fails("data", "remove", "../nasbench201/nats-tss")
    assert len(run("data", "remove", "nasbench201/nats-tss")["removed"]) == 1
    assert run("data", "list") == []
    assert "Nothing is imported" in run("data", "list", expect_json=False)


def test_every_kind_is_imported_by_the_command(tmp_path: Path, run: RunCommand) -> None:
    found = files(tmp_path)
    for kind in (
        "nasbench101",
        "nats",
        "nats-tar",
        "naslib101",
        "naslib201",
        "zero-cost",
        "hw-nas-bench",
        "enas",
    ):
        assert main_json(found[kind])["rows"] > 0, kind
    assert len(run("data", "list")) == 7


def main_json(path: Path) -> dict[str, Any]:
    imported = import_file(path)
    return {"rows": len(imported.table.frame), "scores": json.dumps(imported.best())}


def test_mistakes_are_one_line(fails: RunCommand, tmp_path: Path) -> None:
    assert "the following arguments are required: ACTION" in fails("data")
    assert "the following arguments are required: FILE" in fails("data", "import")
    path = tmp_path / "x.tfrecord"
    path.write_bytes(made.tfrecord(made.nasbench101_runs())[:-3])
    assert "The file is cut off at record 8 (byte " in fails("data", "import", path)


def test_warnings_go_to_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from svge_core.__main__ import main

    path = tmp_path / "x.tfrecord"
    path.write_bytes(made.tfrecord(made.nasbench101_runs()))
    assert main(["data", "import", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"] == 3
    assert err.startswith("warning: sha256 does not match: expected ")
    assert err.count("\n") == 1


def test_nothing_imported_costs_nothing() -> None:
    code = (
        "import sys\nfrom svge_core.data.importers.join import with_imported\n"
        "from svge_core.data.importers.cache import list_imported\nassert list_imported() == []\n"
        "print(*[name for name in ('pyarrow.parquet', 'torch.serialization') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.split()) == (0, []), result.stderr


def test_no_two_columns_are_called_the_same(tmp_path: Path) -> None:
    """In the app, scores are chosen by data set and title."""
    bundled_ones = known_scores("nasbench201").meanings  # first, as it is remembered
    found = files(tmp_path)
    tables = [import_file(found[kind]).table for kind in ("nats", "naslib201", "zero-cost", "hw-nas-bench")]
    record = made.nats_record(3)
    torch.save({"arch2infos": {3: {"less": record["12"], "full": record["200"]}}}, found["pth-zip"])
    meanings = {**bundled_ones, **import_file(found["pth-zip"]).table.meanings}
    for table in tables:
        assert not set(meanings) & set(table.meanings)
        meanings |= table.meanings
    names = [
        (meaning.data_set, meaning.title.partition(" of one ")[0].partition(" (")[0]) for meaning in meanings.values()
    ]
    assert sorted(set(names)) == sorted(names)
