"""``find`` and ``export --where``: cells by words."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from svge_core.__main__ import main
from svge_core.spaces.registry import get_space
from tests.support.cli import RunCommand
from tests.support.meanings import write_latency
from tests.support.tiny_checkpoint import make_enas_checkpoint

SPACE = get_space("enas6")
WORDS = "lowest 7 by parameters, at least 1 sep conv 3x3, no conv 5x5"


@pytest.fixture(scope="module")
def enas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_enas_checkpoint(tmp_path_factory.mktemp("find") / "enas6" / "tiny", charted=300)


def fits(notation: str) -> bool:
    ops = SPACE.parse(notation).ops
    return "sep_conv_3x3" in ops and "conv_5x5" not in ops


def test_cells_are_found_by_words(run: RunCommand, enas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found: Any = run("find", WORDS, "--checkpoint", enas, "--limit", "5")
    assert (found["count"], found["of"], len(found["cells"])) == (7, 300, 5)
    assert found["understood"] == 'lowest 7 by "Parameters", at least 1 sep conv 3×3, no conv 5×5'
    sizes = [cell["values"]["params_m"] for cell in found["cells"]]
    assert sizes == sorted(sizes) and all(fits(cell["arch_str"]) for cell in found["cells"])
    assert main(["find", WORDS, "--checkpoint", str(enas), "--limit", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("7 of a random sample of 300 of ") and "and 2 more" in out


def test_found_cells_are_exported(
    run: RunCommand, enas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("export", "--where", WORDS, "--checkpoint", enas, "--out", tmp_path / "few.csv")
    rows = list(csv.DictReader((tmp_path / "few.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 7 and all(fits(row["arch_str"]) for row in rows)
    monkeypatch.setattr("svge_core.cli.file_commands.MAX_CELLS", 5)  # more cells change nothing about the columns
    run("export", "--where", WORDS, "--checkpoint", enas, "--out", tmp_path / "many.csv")
    assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "few.csv").read_bytes()
    monkeypatch.setattr("svge_core.cli.file_commands.MAX_PAGE", 6)
    for form, most in (("json", 5), ("html", 6)):
        out = str(tmp_path / f"many.{form}")
        assert main(["export", "--where", WORDS, "--checkpoint", str(enas), "--out", out]) == 2
        assert f"7 cells meet it, and a .{form} file holds {most}" in capsys.readouterr().err


def test_mistakes_are_one_line(enas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "a.csv")
    for words, said in (
        (["find", "no foo", "--checkpoint", str(enas)], "'foo' is no operation"),
        (["export", "--where", "depth over 3", "--checkpoint", str(enas), "--out", out], "equal in depth"),
        (["export", "--where", "edges over 99", "--checkpoint", str(enas), "--out", out], "No cell meets"),
        (["export", "5", "--where", "edges over 9", "--checkpoint", str(enas), "--out", out], "Give one of these"),
    ):
        assert main(words) == 2
        error = capsys.readouterr().err
        assert said in error and len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_scores_of_ones_own_are_asked_for_and_exported(
    folder: Path, enas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, runs = tmp_path / "mine.csv", tmp_path / "runs"
    table.write_text("index,my accuracy\n4,1.5\n9000,2.5\n17,3.5\n", "utf-8")
    write_latency(runs, 3, 4.5)
    own = ("--checkpoint", str(folder), "--scores", str(table), "--runs", str(runs))

    def said(*words: str) -> tuple[Any, list[str]]:
        assert main([*words, "--json"]) == 0
        out, err = capsys.readouterr()
        return json.loads(out), err.splitlines()

    found, remarks = said("find", "highest 2 by my accuracy", *own)
    assert [cell["index"] for cell in found["cells"]] == [17, 9_000]
    assert [list(cell["values"].values()) for cell in found["cells"]] == [[3.5], [2.5]]
    assert remarks == ["mine.csv: Read off the names of the columns: more is better in 'my accuracy'."]
    found, _ = said("find", "lowest 1 by latency", *own)
    assert [(cell["index"], *cell["values"].values()) for cell in found["cells"]] == [(3, 4.5)]
    for words in (("--where", "highest 1 by my accuracy"), ("17",)):
        said("export", *words, *own, "--out", str(tmp_path / "one.json"))
        (architecture,) = json.loads((tmp_path / "one.json").read_text("utf-8"))["cells"]
        assert (architecture["index"], architecture["measured"]["user_my_accuracy"]) == (17, 3.5)
    said("export", "17", "--space", "nasbench201", "--scores", str(table), "--out", str(tmp_path / "one.csv"))
    assert ",3.5" in (tmp_path / "one.csv").read_text("utf-8")
    meanings = said("compare", "#3", "#17", *own)[0]["meanings"].values()
    assert {meaning["title"] for meaning in meanings} >= {"my accuracy", "Latency of 1 image"}
    # nothing is left out, averaged or guessed in silence
    table.write_text("index,my score\n4,1.5\nx,3\n17,3.5\n4,9\n", "utf-8")
    found, remarks = said("find", "highest 1 by my score", "--checkpoint", str(folder), "--scores", str(table))
    assert found["cells"][0]["index"] == 4 and len(remarks) == 3
    assert "Lines 2, 5" in remarks[1] and "more is taken" in remarks[2]
    assert main(["find", "no pool", "--checkpoint", str(enas), "--scores", str(table)]) == 2
    assert "ENAS macro" in capsys.readouterr().err
