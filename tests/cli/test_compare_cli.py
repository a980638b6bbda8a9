"""``compare``: printed, as JSON, as files, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from svge_core.__main__ import main
from svge_core.spaces.registry import get_space
from tests.support.cli import RunCommand
from tests.support.tiny_checkpoint import make_enas_checkpoint

SPACE = get_space("enas6")


@pytest.fixture(scope="module")
def enas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_enas_checkpoint(tmp_path_factory.mktemp("compare") / "enas6" / "tiny", charted=60)


def test_it_is_printed_for_people_and_for_machines(
    run: RunCommand, enas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notation = SPACE.format(SPACE.from_index(900))
    document: Any = run("compare", "#6111", notation, "--checkpoint", enas)
    assert [cell["index"] for cell in document["cells"]] == [6_111, 900] and len(document["pairs"]) == 1
    assert main(["compare", "#6111", "#900", "--checkpoint", str(enas)]) == 0
    out = capsys.readouterr().out
    assert "1: #6111" in out and "1 and 2" in out and "Parameters, analytic" in out


def test_it_is_written_to_files(run: RunCommand, enas: Path, tmp_path: Path) -> None:
    words = ("compare", "#1", "#2", "#3", "--checkpoint", enas)
    table, pairs = tmp_path / "a.csv", tmp_path / "a-pairs.csv"
    assert run(*words, "--out", table) == {"files": [str(table), str(pairs)], "count": 3}
    assert len(pairs.read_text("utf-8").splitlines()) == 4
    run(*words, "--out", tmp_path / "a.pdf", "--theme", "dark")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    run(*words, "--out", tmp_path / "a.json")
    assert len(json.loads((tmp_path / "a.json").read_text("utf-8"))["pairs"]) == 3


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("#1",), "A comparison is of 2 to 4 architectures; got 1."),
        (("#1", "#1"), "Architectures 1 and 2 are the same: give each one once."),
        (("#1", "nonsense"), "Architecture 2: "),
        (("#1", "#2", "--theme", "dark"), "leave --theme away."),
        (("#1", "#2", "--out", "a.gif"), "Cannot write a comparison to 'a.gif': expected .pdf, .json or .csv."),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], line: str, enas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *words, "--checkpoint", str(enas)]) == 2
    error = capsys.readouterr().err
    assert line in error and error.count("\n") == 1
