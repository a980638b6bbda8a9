"""The command line: every mistake of a user is one clear line and exit code 2, never a traceback."""

import json
from pathlib import Path

import numpy as np
import pytest

from svge_core.checkpoints.checkpoint import META, WEIGHTS
from svge_core.cli.common import json_line
from svge_core.errors import SvgeError
from tests.support.cli import ARCH, RunCommand, copied


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("name,score\na,1\n", "No architecture column: expected one of arch_str"),
        ("index\n7\n", "No column of numbers beside the architecture"),
        ("index,score\n7,nan\n8,inf\n", "No line could be used (2 lines read). Line 2"),
        ("index,score\n", "has a header but no lines"),
        ("", "The file is empty"),
        ("\x00\x01", "binary zeros"),
    ],
)
def test_labels_names_what_is_wrong(content: str, text: str, fails: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(content)
    assert text in fails("labels", tmp_path / "bad.csv")


def test_a_huge_table_is_refused_before_it_is_read(fails: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # sparse: takes no room
    assert "3072.0 MiB; at most 20 MiB" in fails("labels", path)
    assert "3072.0 MiB; at most 20 MiB" in fails("draw", "--file", path, "--out", tmp_path / "x")


@pytest.mark.parametrize("command", ["encode 3", "decode --samples 2", "predict 3", "evaluate", "atlas", "fit"])
def test_a_corrupt_checkpoint_is_one_line(command: str, fails: RunCommand, folder: Path, tmp_path: Path) -> None:
    bad = copied(folder, tmp_path)
    content = bytearray((bad / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (bad / WEIGHTS).write_bytes(content)
    assert "weights.safetensors is damaged: its SHA-256" in fails(*command.split(), "--checkpoint", bad)
    copied(folder, tmp_path)
    values = json.loads((bad / META).read_text())
    (bad / META).write_text(json.dumps({**values, "space": "atlantis"}))
    assert "Unknown search space 'atlantis'" in fails(*command.split(), "--checkpoint", bad)
    (bad / META).write_text("{")
    assert "is damaged: it is not JSON" in fails(*command.split(), "--checkpoint", bad)
    assert "No checkpoint in" in fails(*command.split(), "--checkpoint", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arch", "text"),
    [
        ("|nor_conv_3x3~0|+|", "Not a NAS-Bench-201 architecture string"),
        (ARCH.replace("nor_conv", "dil_conv"), "Unknown operation 'dil_conv"),
        ("15625", "between 0 and 15624; got 15625"),
        ("(4, 0, 3, 1, 4, 9)", "six op indices from 0 to 4"),
        ("012349", "six|6 digits"),
        ("", "Type an architecture string"),
        ("x" * 5_000, "Type an architecture string"),
    ],
)
def test_a_malformed_architecture_is_one_line(arch: str, text: str, fails: RunCommand) -> None:
    line = fails("draw", arch)
    assert any(part in line for part in text.split("|") if part) or text in line
    assert len(line) < 500


def test_files_of_architectures_are_checked_line_by_line(fails: RunCommand, tmp_path: Path) -> None:
    def line(name: str, content: str) -> str:
        (tmp_path / name).write_text(content)
        return fails("draw", "--file", tmp_path / name, "--out", tmp_path / "out")

    assert "bad.txt, line 3: A NAS-Bench-201 index lies between" in line("bad.txt", "1\n\n99999\n")
    assert "bad.csv, line 3: " in line("bad.csv", "index,score\n7,1\nseven,2\n")
    assert "short.csv, line 2: 1 fields where the header has 2" in line("short.csv", "index,score\n7\n")
    assert "No architecture column" in line("none.csv", "name,score\n7,1\n")
    assert "bad.json is not JSON" in line("bad.json", "[1,")
    assert "expected a list of architectures or an export" in line("bad.json", "{}")
    assert "expected a list of texts, indices, lists of numbers" in line("bad.json", "[[1.5]]")
    assert "two.csv, line 2: columns 'arch' and 'index' name different" in line("two.csv", f"arch,index\n{ARCH},7\n")
    assert "entry 2: " in line("bad.json", '[1, "two"]')
    assert "expected .txt, .csv, .tsv, .csv.gz or .json" in line("bad.xlsx", "1")
    assert "empty.txt: The file is empty" in line("empty.txt", "")
    assert "names no architecture" in line("empty.json", "[]")
    assert "missing.txt: The file cannot be read" in fails("draw", "--file", tmp_path / "missing.txt", "--out", "x")
    assert "not both and not neither" in fails("draw")
    assert "not both and not neither" in fails("draw", 7, "--file", tmp_path / "bad.txt")


def test_bad_latents_are_one_line(fails: RunCommand, folder: Path, tmp_path: Path) -> None:
    def line(*words: object) -> str:
        return fails("decode", "--checkpoint", folder, *words)

    assert "A latent of this model is 8 numbers; the latent has 3" in line("1,2,3")
    assert "'nan' in the latent is not a finite number" in line("1,2,3,4,5,6,7,nan")
    assert "'x' in the latent" in line("1,2,3,4,5,6,7,x")
    assert "Give exactly one of" in line()
    assert "Give exactly one of" in line("1,2", "--samples", 3)
    assert "Give exactly one of" in line("--plane", "pca")
    assert "two finite numbers" in line("--plane", "pca", "--xy", "nan", 0)
    assert "expected a whole number from 1 to 1000000, got '0'" in line("--samples", 0)
    assert "got '-1'" in line("--samples", 1, "--seed=-1")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "objects.npy is not a NumPy array of numbers" in line("--file", tmp_path / "objects.npy")
    np.save(tmp_path / "wide.npy", np.zeros((3, 9)))
    assert "8 numbers; wide.npy has 9" in line("--file", tmp_path / "wide.npy")
    np.save(tmp_path / "nan.npy", np.full((3, 8), np.nan))
    assert "nan.npy holds one that is not" in line("--file", tmp_path / "nan.npy")
    (tmp_path / "fake.npy").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert "fake.npy is not a NumPy array of numbers" in line("--file", tmp_path / "fake.npy")
    for name, content, text in (
        ("bad.csv", "1,2\n3\n", "lines of equal length"),
        ("bad.json", '{"cells": 3}', "a list of latents"),
        ("bad.json", '[["1"]]', "latents made of numbers"),
        ("bad.bin", "1", "expected .npy, .csv, .txt or .json"),
    ):
        (tmp_path / name).write_text(content)
        assert text in line("--file", tmp_path / name)


def test_a_missing_atlas_says_how_to_make_one(fails: RunCommand, folder: Path, tmp_path: Path) -> None:
    bare = copied(folder, tmp_path)
    line = fails("decode", "--plane", "pca", "--xy", 0, 0, "--checkpoint", bare)
    assert f"Rebuild it with: python -m svge_core atlas --checkpoint {bare}" in line


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("train --hidden 7", "'hidden' must be even"),
        ("train --epochs 0", "epochs must be at least 1"),
        ("train --name a/b", "name is made of letters"),
        ("train --learning-rate nan", "learning_rate must be positive and finite"),
        ("train --encoding two-hot", "invalid choice: 'two-hot'"),
        ("train --space atlantis", "invalid choice: 'atlantis'"),
        ("train --device tpu", "Device 'tpu' is not available"),
        ("train --threads -1", "--threads must be 0 or more"),
        ("train --epochs many", "invalid int value: 'many'"),
        ("fit --labels 0", "expected a whole number from 2"),
        ("atlas --seed -1", "expected one argument|got '-1'"),
        ("export 7", "required: --out"),
        ("export 7 --out cell.docx", "Cannot export to 'cell.docx'"),
        ("export 7 --out net --network channels=-3", "with N from 1 to 999999; got 'channels=-3'"),
        ("export 7 --out net --network channels=100000000", "with N from 1 to 999999; got 'channels=100000000'"),
        ("export 7 --out model.py --weights w.safetensors", "model.py is code and holds no weights: leave --weights"),
        ("measure 7 --estimate all.csv", "two or more measured ones; got 1: give more cells (--file FILE)."),
        ("measure --file /nowhere/cells.txt", "/nowhere/cells.txt: The file cannot be read: No such file"),
        (
            "export 7 --out cell.docx",
            ".dot, .svg, .png, .pdf, .py, .safetensors, .pt2, .onnx, or a name without suffix",
        ),
    ],
)
def test_bad_settings_are_one_line(
    words: str, text: str, fails: RunCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    line = fails(*words.split())
    assert any(part in line for part in text.split("|"))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_line(fails: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = fails("train", "--out", tmp_path / "file", "--epochs", 1, "--hidden", 8, "--latent", 2)
    assert f"{tmp_path / 'file'}" in line
    assert "Not a directory" in line or "File exists" in line


def test_no_command_and_unknown_commands_are_one_line(fails: RunCommand) -> None:
    assert "the following arguments are required: COMMAND" in fails()
    assert "invalid choice: 'fly'" in fails("fly")
    assert "unrecognized arguments: --fast" in fails("encode", "3", "--fast")


def test_fit_names_unknown_scores(fails: RunCommand, folder: Path) -> None:
    assert "nasbench201 has no score 'fame': expected one of" in fails("fit", "--score", "fame", "--checkpoint", folder)
    line = fails("fit", "--intervals", "--score", "cifar100_valid", "--checkpoint", folder)
    assert "No predictor for 'cifar100_valid': this checkpoint has cifar10_valid." in line


def test_predict_names_what_is_missing(fails: RunCommand, folder: Path, tmp_path: Path) -> None:
    assert "No predictor for 'imagenet': this checkpoint has cifar10_valid." in fails(
        "predict", 5, "--score", "imagenet", "--checkpoint", folder
    )
    bare = copied(folder, tmp_path)
    assert f"{bare} has no predictors. Fit one with: python -m svge_core fit" in fails(
        "predict", 5, "--checkpoint", bare
    )


def test_draw_names_what_it_cannot_do(fails: RunCommand, tmp_path: Path) -> None:
    assert "expected .svg, .png, .pdf or .dot" in fails("draw", 7, "--out", tmp_path / "cell.gif")
    assert "--out" in fails("draw", 7, "--format", "png")
    assert "cannot be written" in fails("draw", 7, "--out", tmp_path / "nowhere" / "cell.svg")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [1.0, -float("inf")]}])
def test_json_holds_finite_numbers_alone(value: object) -> None:
    with pytest.raises(SvgeError, match="is not finite, which JSON cannot hold") as caught:
        json_line(value)
    assert "\n" not in str(caught.value)


def test_numbers_at_the_ends_of_the_range_are_json() -> None:
    ends = [1.7976931348623157e308, -1.7976931348623157e308, 5e-324]
    assert json.loads(json_line(ends)) == ends
