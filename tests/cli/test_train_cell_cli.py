"""``train-cell`` for people, for machines, and for a user's mistakes."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from svge_core.__main__ import main
from svge_core.files import field_docs
from svge_core.network_training import TrainRecipe, read_result

TINY = ["--epochs", "2", "--channels", "2", "--batch-size", "448", "--device", "cpu"]


def test_for_machines_and_resumed_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train-cell", "--index", "9930", "--out", str(tmp_path), *TINY]
    assert main([*words, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2]
    found = read_result(tmp_path)
    assert events[-1]["event"] == "done" and events[-1]["result"]["validation"] == found.validation
    assert found.recipe.epochs == 2 and found.space == "nasbench201"
    assert main(words) == 0  # it is there
    shown = capsys.readouterr().out
    assert f"validation {found.validation:.2f} %, test {found.test:.2f} %" in shown and "wrote" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--index", "9930", "--recipe", "cifar"], "Unknown recipe 'cifar'"),
        (["--index", "9930", "--data", "nowhere"], "There are no images at 'nowhere'"),
        (["--index", "9930", "--data", "python:a:b"], "agree to that first (--allow-python)"),
        (["--cell", "|none|"], "none"),
        (["--space", "randwire", "--cell", "1", "--cells-per-stage", "2"], ""),
        (["--index", "9930", "--precision", "float16", "--device", "cpu"], "needs CUDA"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["train-cell", "--out", str(tmp_path / "out"), *words]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1 and not shown.out
    assert not (tmp_path / "out").exists()


def test_a_finished_folder_names_the_option_that_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train-cell", "--index", "1", "--out", str(tmp_path), *TINY]) == 0
    assert main(["train-cell", "--index", "2", "--out", str(tmp_path), *TINY]) == 2
    assert "(--fresh)" in capsys.readouterr().err
    assert main(["train-cell", "--index", "2", "--out", str(tmp_path), "--fresh", *TINY]) == 0


def test_help_says_what_every_setting_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train-cell", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, meaning in field_docs(TrainRecipe).items():
        assert f"--{name.replace('_', '-')}" in shown
        assert " ".join(meaning.split()).rstrip(".") in shown
    assert set(field_docs(TrainRecipe)) == {item.name for item in fields(TrainRecipe)}
    assert "Passes over the training images (default: 8)" in shown and "are those of digits" in shown
