"""What is no file that can be imported, however it was given: one line that says what it is and what to do."""

import argparse
import bz2
import gzip
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from svge_core.cli.reading import read_cells, read_latents
from svge_core.data import import_csv
from svge_core.data.csv import read_meaning
from svge_core.data.importers import detection, load_hpo_bench
from svge_core.data.importers.messages import one_line, reason_of, unusable
from svge_core.data.importers.run import import_file, read_table
from svge_core.errors import DataError
from svge_core.spaces.nasbench201 import from_naslib_tuple
from svge_core.spaces.registry import get_space
from tests.support import imports as made
from tests.support.cli import RunCommand

SPACE = get_space("nasbench201")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "content")  # its date would be in the name of a test
    return out.getvalue()


RECORD = "NATS-tss-v1_0-3ffb9-simple/000000.pickle.pbz2"
NASLIB_LIST = json.dumps([{"arch": [1, 3, 4, 3, 2, 2], "accuracy": 87.88}]).encode()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (zipped(RECORD), "a zip archive: unpack it and import the file or folder in it."),
        (zipped(RECORD)[:70], "a zip archive that is cut off or damaged: get it again, then unpack it"),
        (zipped(), "a zip archive: unpack it"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet: export it as CSV, and read that with"),
        (zipped("[Content_Types].xml", "xl/workbook.xml")[:90], "a spreadsheet: export it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet: export it as CSV"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01\x00", "a rar archive: unpack it"),
        (gzip.compress(zipped(RECORD), mtime=0), "compressed: unpack it and import what is in it"),
        (b"\xfd7zXZ\x00", "compressed: unpack it"),
        (b"\x28\xb5\x2f\xfd", "compressed: unpack it"),
        (bz2.compress(b"x"), "a bz2 file; of NATS-Bench, the simple archive is read"),
        (b"<!DOCTYPE html>\n<html>", "a web page, not the file: the download failed, get it again."),
        (b"\n <html><body>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer, not the file: run"),
        (b"\x80\x06\x95", "a pickle of protocol 6; this version reads 2 to 5."),
        (b"\x80", "none of the known files"),
        (pickle.dumps({"a": 1}, protocol=0), "a pickle of protocol 0 or 1"),
        (NASLIB_LIST, "a NASLib list of architectures and accuracies, .* columns naslib and accuracy"),
        (b'arch,accuracy\n"[1, 3, 4, 3, 2, 2]",87.88\n', "a table of text: read it with 'svge labels FILE.csv'"),
        ("index;acc\r\n1;2\r\n".encode("utf-16"), "UTF-16 text: save it as UTF-8."),
        (b"PAR1", "a Parquet table: save it as CSV"),
        (b"\x89HDF\r\n", "an HDF5 file"),
    ],
)
def test_what_else_is_given_is_named(content: bytes, line: str, tmp_path: Path, fails: RunCommand) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"^x.json is {line}") as caught:
        import_file(tmp_path / "x.json")
    assert fails("data", "import", tmp_path / "x.json").strip() == f"svge: {caught.value}"
    assert len(str(caught.value)) < 500


def test_arch2vecs_nasbench201_is_named(tmp_path: Path) -> None:
    entry = {
        "test_accuracy": 85.1,
        "validation_accuracy": 82.1,
        "module_adjacency": [[0] * 8] * 8,
        "module_operations": [[1, 0, 0, 0, 0, 0, 0]] * 8,
    }
    (tmp_path / "x").write_text(json.dumps({"0": entry}))
    with pytest.raises(DataError, match="entry 0 cannot be used: it is arch2vec's form of NAS-Bench-201"):
        import_file(tmp_path / "x")


def test_naslibs_list_is_named_where_tables_are_read() -> None:
    with pytest.raises(DataError, match="The file is JSON, not CSV. .* 'arch' goes into a column 'naslib'"):
        import_csv(SPACE, NASLIB_LIST)


# ---- paths ----------------------------------------------------------------------------------------------------------


def _benchmark(path: Path) -> object:
    return load_hpo_bench(path)


READERS: dict[str, Callable[[Path], object]] = {
    "import_file": import_file,
    "import_csv": lambda path: import_csv(SPACE, path),
    "load_hpo_bench": _benchmark,
    "read_meaning": read_meaning,
}


def check_path(read: Callable[[Path], object], path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("reader", READERS)
def test_paths_that_cannot_be_read_are_one_line(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = READERS[reader]
    os.mkfifo(tmp_path / "pipe")  # nobody writes: to open it would wait for ever
    for path in (tmp_path / "none", tmp_path / "none" / "none", tmp_path / "pipe", Path("/dev/zero"), Path("a\0b")):
        check_path(read, path)
    check_path(read, tmp_path / ("x" * 300))
    (tmp_path / "cifar10.pkl").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "cifar10.pkl")
    check_path(read, tmp_path / "folder")

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    for method in ("open", "read_bytes", "read_text"):
        monkeypatch.setattr(Path, method, refuse)
    path = tmp_path if reader == "load_hpo_bench" else tmp_path / "cifar10.pkl"
    with pytest.raises(DataError, match="cannot be read: .*Permission denied"):
        read(path)


def test_folders_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        import_file(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("data", "import"),
        ("labels",),
        ("search", "--space", "nasbench201", "--objective", "table:cifar10_valid", "--budget", "3", "--start"),
    ],
)
def test_the_command_line_says_so_too(words: tuple[str, ...], tmp_path: Path, fails: RunCommand) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path / "pipe", Path("/dev/zero")):
        assert fails(*words, path).count("\n") == 1


@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x.json"])
def test_files_of_architectures_and_latents_say_so_too(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    arguments = argparse.Namespace(file=tmp_path / name, latent=None)
    with pytest.raises(DataError, match=rf"{name}.* is a folder"):
        read_latents(arguments, 16)


def test_naslibs_list_names_architectures(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(NASLIB_LIST)
    (cell,) = read_cells(argparse.Namespace(arch=None, file=tmp_path / "x.json"), SPACE).cells
    assert SPACE.genotype(cell) == from_naslib_tuple((1, 3, 4, 3, 2, 2))


# ---- messages -------------------------------------------------------------------------------------------------------


def test_whatever_a_reader_raises_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a\nb"
    path.write_bytes(made.tfrecord(made.nasbench101_runs()))
    for error in (
        ZeroDivisionError("a\nb" * 500),
        MemoryError(),
        RecursionError(),
        KeyError("x"),
        DataError("a\n" * 999),
    ):

        def fail(*arguments: object, error: Exception = error, **options: object) -> None:
            raise error

        monkeypatch.setattr("svge_core.data.importers.nasbench101_tfrecord.read_tfrecord", fail)
        with pytest.raises(DataError) as caught:
            read_table(path, "nasbench101", known=False)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) <= 500


def test_numbers_too_long_to_write_down() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            return str(10**5000)

    assert reason_of(Silent()) == "it is not of the expected form (Silent: )"
    assert str(unusable(Path("x" * 200), "y\n" * 99, KeyError("k"))).endswith("cannot be used: it lacks 'k'.")
    assert one_line("a\x00b  c", 99) == "a b c"
    assert set(detection.MEMORY) < set(detection.KINDS)
