"""``bench baselines``: D-VAE's split, rows kept and resumed, paired differences, published rows as shares."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import baselines
from bench.baselines import main, measured_rows, paired_rows, published_rows
from bench.harness import baseline_runs, results as results_table
from bench.harness.baseline_runs import dvae_split
from svge_core.errors import DataError
from svge_core.spaces.registry import get_space

SPACE = get_space("enas6")
CELLS = 60
SMALL = ["--epochs", "1", "--hidden", "8", "--latent", "4", "--inducing", "8", "--probe-steps", "2"]
SMALL += ["--probe-fit-cells", "16", "--probe-seeds", "2", "--seeds", "1", "--json"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "cells.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch", "ws_acc", "in_dvae_set"])
        for number in range(CELLS + 5):
            writer.writerow([SPACE.format(SPACE.random_cell(rng)), 0.7 + 0.0005 * number, int(number >= 5)])
    return path


def test_the_split_is_that_of_dvaes_code(table: Path) -> None:
    """Their list of graphs is shuffled itself, and the first nine tenths are trained on."""
    rows = list(csv.DictReader(table.read_text().splitlines()))[5:]
    random.Random(0).shuffle(rows)
    split = dvae_split(table)
    assert (len(split.train), len(split.test)) == (54, 6)
    cells = [SPACE.index(SPACE.parse(row["arch"])) for row in rows]
    assert [*split.train, *split.test] == cells
    assert [*split.train_values, *split.test_values] == [float(row["ws_acc"]) for row in rows]


@pytest.mark.parametrize(("text", "message"), [("arch\n1\n", "ws_acc"), ("arch,ws_acc\nx,y\n", "could not convert")])
def test_a_wrong_file_is_one_clear_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        dvae_split(path)
    assert main(["--csv", str(path)]) == 2


def test_models_are_measured_once_and_go_on_after_a_kill(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    words = ["--csv", str(table), "--state", str(tmp_path / "state"), *SMALL]
    kept = baselines.save_results
    monkeypatch.setattr(baselines, "save_results", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        main([*words, "--models", "D-VAE"])
    monkeypatch.setattr(baselines, "save_results", kept)
    steps = []
    real = baseline_runs.Trainer.steps
    monkeypatch.setattr(baseline_runs.Trainer, "steps", lambda run: (steps.append(run.step), real(run))[1])
    fitted: list[int] = []
    fit = baseline_runs.fit_predict
    monkeypatch.setattr(baseline_runs, "fit_predict", lambda *a, **k: (fitted.append(k["seed"]), fit(*a, **k))[1])
    assert main([*words, "--models", "D-VAE", "D-VAE-EMB"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert steps == [1, 0], "the first was trained already, the second was not"
    assert fitted == [0, 1], "and probed already"
    stored = json.loads((tmp_path / "bench/results/baselines.json").read_text())
    assert stored["rows"] == rows
    assert stored["settings"]["epochs"] == 1
    assert not list((tmp_path / "state").iterdir()), "unfinished trainings are cleared away"
    names = [row["model"] for row in rows]
    assert names[:3] == ["D-VAE", "D-VAE-EMB", "D-VAE-EMB minus D-VAE"]
    plain, learned, pair = rows[:3]
    for key in ("rmse_standardised", "pearson_r", "reconstruction"):
        assert pair[key] == pytest.approx(learned[key] - plain[key])
    run = plain["runs"][0]
    assert run["reconstruction_of"] == 6 * 100
    assert run["validity_of"] == 10_000
    assert run["rmse_standardised"] == pytest.approx(np.mean([row["rmse_standardised"] for row in run["probes"]]))
    assert main([*words, "--models", "D-VAE"]) == 0
    assert steps == [1, 0], "nothing is trained again"
    assert main([*words, "--models", "D-VAE", "--batch-size", "7"]) == 2, "other settings are another file"


def test_differences_are_paired_by_seed() -> None:
    def run(model: str, seed: int, value: float | None) -> dict[str, Any]:
        return {"model": model, "seed": seed, "parameters": 1, **dict.fromkeys(baselines.MEASURES, value)}

    runs = [
        run("GCN", 1, 0.5),
        run("GCN", 2, 0.7),
        run("GCN-EMB", 2, 0.9),
        run("GCN-EMB", 1, 0.6),
        run("DGMG", 1, None),
    ]
    measured = measured_rows(runs)
    assert [row["model"] for row in measured] == ["GCN", "GCN-EMB", "DGMG"]
    (pair,) = paired_rows(measured)
    assert pair["seeds"] == [1, 2]
    assert pair["pearson_r"] == pytest.approx(0.15)
    assert pair["pearson_r_sd"] == pytest.approx(np.std([0.1, 0.2], ddof=1))
    assert measured[2]["pearson_r"] is None


def test_published_rows_say_where_they_are_from() -> None:
    rows = {row["model"]: row for row in published_rows()}
    assert rows["D-VAE"]["reconstruction"] == pytest.approx(0.9996)
    assert rows["GCN-EMB"]["pearson_r"] == 0.892
    assert all(row["source"].startswith("published: poster of Chatzianastasis") for row in rows.values())
