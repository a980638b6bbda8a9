"""The commands on the third-party space and method, in this process and in another."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from svge_core.errors import DataError
from svge_core.exporting import from_json
from svge_core.spaces import get_space
from tests.support.cli import RunCommand
from tests.support.paths import ROOT

RING = "ring:conv-gate-skip/skip-skip-conv"


@pytest.fixture
def checkpoint(root: Path) -> Path:
    return root / "ring" / "tiny"


def encoded(run: RunCommand, *words: object) -> list[dict[str, Any]]:
    return run("encode", *words)["cells"]


def test_encode_and_decode(checkpoint: Path, run: RunCommand, tmp_path: Path) -> None:
    index = get_space("ring").index(get_space("ring").parse(RING))
    for text in (RING, "CGS.SSC", "SSC.CGS", f"#{index}", "ring:skip-skip-conv/conv-gate-skip"):
        (found,) = encoded(run, text, "--checkpoint", checkpoint)
        assert (found["index"], found["arch_str"], len(found["latent"])) == (index, RING, 4)
    (tmp_path / "latents.json").write_text(json.dumps([found["latent"]]))
    decoded = run("decode", "--file", tmp_path / "latents.json", "--checkpoint", checkpoint)
    assert "ring:" in json.dumps(decoded)


def test_predict_and_draw(checkpoint: Path, run: RunCommand, tmp_path: Path) -> None:
    assert "toy_valid" in json.dumps(run("predict", RING, "--checkpoint", checkpoint))
    run("draw", RING, "--space", "ring", "--out", tmp_path / "ring.svg", expect_json=False)
    svg = (tmp_path / "ring.svg").read_text()
    assert f"Rings of six cell {RING}" in svg and ">gate</text>" in svg


@pytest.mark.parametrize("form", ["json", "csv", "txt"])
def test_export_has_the_notation_and_the_further_name(
    checkpoint: Path, run: RunCommand, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"ring.{form}"
    run("export", RING, "--checkpoint", checkpoint, "--out", path)
    text = path.read_text()
    assert RING in text
    assert ("CGS.SSC" in text) == (form != "txt")
    if form == "json":
        (cell,) = json.loads(text)["cells"]
        assert (cell["aliases"], cell["naslib"]) == ({"letters": "CGS.SSC"}, None)
        assert encoded(run, "--file", path, "--checkpoint", checkpoint)[0]["arch_str"] == RING, "it comes back"
        with pytest.raises(DataError, match="aliases: its notation says"):
            from_json(text.replace("CGS.SSC", "CCC.SSC"))


def test_letters_are_a_column_of_a_csv_file(checkpoint: Path, run: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("letters,score\nCGS.SSC,1\nCCC.CCC,3\n")
    found = encoded(run, "--file", tmp_path / "mine.csv", "--checkpoint", checkpoint)
    assert [cell["arch_str"] for cell in found] == [RING, "ring:conv-conv-conv/conv-conv-conv"]


def test_search(run: RunCommand, storage: str) -> None:
    found = run(
        "search",
        "--space",
        "ring",
        "--method",
        "coin",
        "--objective",
        "table:params_m",
        "--budget",
        12,
        "--storage",
        storage,
    )
    assert "ring:" in json.dumps(found)


def test_graphpnas_says_that_it_does_not_know_the_space(fails: RunCommand, storage: str) -> None:
    words = ["search", "--space", "ring", "--method", "graphpnas", "--objective", "table:params_m", "--budget", 3]
    assert "GraphPNAS has no view of Rings of six" in fails(*words, "--storage", storage)


def command(*words: str, plugins: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "SVGE_PLUGINS": plugins}
    return subprocess.run(
        [sys.executable, "-m", "svge_core", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_process_knows_both_by_the_variable(storage: str) -> None:
    words = ("search", "--space", "ring", "--method", "coin", "--objective", "table:params_m", "--budget", "5")
    done = command(*words, "--json", "--storage", storage, plugins=os.environ["SVGE_PLUGINS"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "ring:" in done.stdout


@pytest.mark.parametrize(
    ("plugins", "reason"),
    [("no.such.module", "ModuleNotFoundError"), ("tests.third_party.broken", "ZeroDivisionError: no coin")],
)
def test_a_wrong_plug_in_is_one_line(plugins: str, reason: str) -> None:
    done = command("search", "--list", plugins=plugins)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"svge: The plug-in SVGE_PLUGINS: {plugins} cannot be used") and reason in line
