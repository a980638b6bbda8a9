"""``svge fit``: what a new predictor replaces, whose place it may not take; options that a form does not use."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.checkpoints import load_checkpoint
from svge_core.models import HeadConfig
from svge_core.predictors import load_predictors
from tests.support.cli import SPACE, RunCommand, copied, known_rows
from tests.support.paths import ROOT

MEANING = {
    "key": "mine",
    "title": "My accuracy",
    "unit": "%",
    "direction": "max",
    "data_set": "CIFAR-10",
    "split": "validation",
    "epochs": 12,
    "seeds": "one run",
    "kind": "measured",
    "source": "our cluster",
    "role": "accuracy",
    "origin": "user",
    "single_run": False,
    "detail": False,
}


@pytest.fixture
def fit(run: RunCommand, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, tuple[Any, ...]]:
    """Weights of their own, and the words that fit them on a file of thirty cells."""
    monkeypatch.setattr("svge_core.predictors.checkpoint_predictors.index_batch", known_rows)
    monkeypatch.setattr("svge_core.predictors.checkpoint_predictors.load_chart", lambda _: np.arange(50))
    # five more fits, which tests/predictors/test_cross_validation.py does on fewer labels
    monkeypatch.setattr("svge_core.predictors.checkpoint_predictors.cross_validated", lambda *_, **__: None)
    # 100 passes of the joint head, which tests/models does
    few = functools.partial(HeadConfig, epochs=2)
    monkeypatch.setattr("svge_core.predictors.checkpoint_predictors.HeadConfig", few)
    bare = tmp_path / "model"
    bare.mkdir()
    copied(folder, bare)
    rng = np.random.default_rng(0)
    rows = [f"{index},{80 + rng.normal():.3f},{rng.normal():.3f}" for index in rng.choice(SPACE.size or 0, 30, False)]
    (tmp_path / "labels.csv").write_text("\n".join(["index,Acc,loss", *rows]))
    (tmp_path / "meaning.json").write_text(json.dumps(MEANING))
    words = ("fit", "--checkpoint", bare, "--csv", tmp_path / "labels.csv", "--meaning", tmp_path / "meaning.json")
    return bare, words


def test_a_fit_says_what_it_replaces_and_refuses_another_column(
    fit: tuple[Path, tuple[Any, ...]], run: RunCommand, fails: RunCommand, tmp_path: Path
) -> None:
    bare, words = fit
    first = run(*words, "--score", "acc", "--labels", 10)
    assert first["replaced"] is None and first["column"] == "Acc"
    stored = load_predictors(load_checkpoint(bare), SPACE).info("mine")
    assert stored.column == "Acc"
    tau = stored.held_out["surrogate"].kendall_tau
    assert tau is not None
    (tmp_path / "meaning.json").write_text(json.dumps({**MEANING, "unit": "", "source": "elsewhere"}))
    text = run(*words, "--score", "ACC", "--labels", 12, "--seed", 2, expect_json=False)
    held = load_predictors(load_checkpoint(bare), SPACE).info("mine").held_out["surrogate"]
    assert held.of == 18 and held.coverage is not None
    assert text.splitlines() == [
        f"replaced the predictor of 'mine' from column 'Acc' (10 labels, seed 1, Kendall tau {tau:.3f} on 20 held-out "
        "cells); its meaning had another unit, source",
        "fitted mine on 12 labels (seed 2)",
        f"  held-out labels: {round(18 * held.coverage)} of 18 inside the 90% interval ({100 * held.coverage:.2f} %), "
        f"{held.mean_width:.3g} wide on average; Kendall tau {held.kendall_tau:.3f}, RMSE {held.rmse:.3g}",
    ]
    path = bare / "predictors" / "mine" / "predictor.json"
    before = path.read_bytes()
    line = fails(*words, "--score", "loss", "--labels", 10)
    assert "Under this key stands the predictor of 'mine' from column 'Acc' (12 labels, seed 2" in line
    assert "these labels are of column 'loss': give them another key in their meaning, or delete the folder" in line
    assert str(path.parent) in line and path.read_bytes() == before
    # a file of before the column was recorded, and one that is damaged, are replaced in so many words
    plain = json.loads(before)
    del plain["column"]
    path.write_text(json.dumps({**plain, "format_version": 2}))
    found = run(*words, "--score", "loss", "--labels", 10)
    assert found["replaced"]["column"] == "" and found["replaced"]["labels"] == 12
    # less of a loss is better, says its name; the meaning counts, and the difference is said
    assert found["remarks"] == ["Column 'loss' is named as if less were better; its meaning says more."]
    path.write_text("{")
    text = run(*words, "--score", "acc", "--labels", 10, expect_json=False)
    assert "replaced the predictor of 'mine', whose file cannot be read\n" in text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("fit --intervals --labels 781", "on the predictor's own labels and seed: leave --labels away."),
        ("fit --intervals --labels 5 --seed 0", "own labels and seed: leave --labels, --seed away."),
        ("atlas --charted 500", "Every cell of NAS-Bench-201 is in its atlas: leave --charted away."),
        ("decode 0,0,0,0,0,0,0,0 --seed 0", "Nothing is drawn without --samples N or --sample: leave --seed away."),
        ("search --list --method random", "--list lists all runs of the store: leave --method away."),
        ("search --list --resume x", "--list lists all runs of the store: leave --resume away."),
        ("search --list --no-distinct", "--list lists all runs of the store: leave --distinct away."),
        ("search --resume x --budget 9 --seed 0", "that the run began with: leave --budget, --seed away."),
        ("search --resume x --restrict", "that the run began with: leave --restrict away."),
        ("draw 7 --out x.svg --format png", "The form of one drawing is that of its file's name: leave --format away."),
        ("export 7 --out x.json --theme dark", "There is no drawing in a .json file: leave --theme away."),
    ],
)
def test_options_that_a_form_does_not_use_are_refused(
    words: str, line: str, fails: RunCommand, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *rest = words.split()
    model = ("--checkpoint", folder) if command in ("fit", "atlas", "decode", "export") else ()
    assert fails(command, *rest, *model).endswith(f"{line}\n")
    assert list(tmp_path.iterdir()) == []


def test_the_direction_of_no_column_is_refused(fails: RunCommand, run: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,err,quality\n5,8.4,1\n7,9.1,2\n")
    line = fails("labels", path, "--direction", "qualty=min")
    assert "--direction names 'qualty', but the columns of numbers in mine.csv are err, quality." in line
    assert run("labels", path)["notes"] == [
        "Read off the names of the columns: less is better in 'err'.",
        "Column 'quality': its name does not say whether more or less is better; more is taken.",
    ]
    assert run("labels", path, "--direction", "quality=min", "--direction", "err=min")["notes"] == []


def test_the_example_of_the_guide_can_be_copied(
    run: RunCommand,
    fails: RunCommand,
    fit: tuple[Path, tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guide = (ROOT / "docs/guide/own-scores.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    (command,) = re.findall(r"^    svge (fit .*--meaning .*)$", guide, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    Path("meaning.json").write_text(example)
    rng = np.random.default_rng(1)
    rows = [f"{index},{80 + rng.normal():.3f}" for index in rng.choice(SPACE.size or 0, 210, replace=False)]
    Path("labels.csv").write_text("\n".join(["index,accuracy", *rows]))
    words = command.replace("checkpoints/nasbench101/svge", str(fit[0])).split()
    found = run(*words)
    assert (found["score"], found["column"], found["labels"]) == ("my_accuracy", "accuracy", 200)
    assert found["meaning"] == json.loads(example)
    assert found["held_out"]["surrogate"]["of"] == 10
    Path("meaning.json").write_text(example.replace('"max"', '"up"'))
    assert "Field 'direction' of a score's meaning cannot be 'up': expected one of max, min." in fails(*words)
