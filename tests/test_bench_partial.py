"""Benchmarks over partly labelled spaces: halves, measures and the sparse probe."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error

from bench import predictor_partial
from bench.latent_probe import fit_predict
from bench.predictor_partial import half, main, measured
from svge_core.data.labels import Labels
from svge_core.spaces import get_space

MEANING = Path(__file__).resolve().parent.parent / "assets" / "labels" / "nasbench101_valid.json"


def test_the_halves_are_disjoint_and_complete() -> None:
    labels = Labels(np.arange(0, 101, 1), np.arange(101.0))
    design, report = half(labels, design=True), half(labels, design=False)
    assert sorted([*design.indices, *report.indices]) == list(range(101))
    assert (design.values == design.indices).all()


def test_measures_are_those_of_scikit_learn_and_by_hand(rng: np.random.Generator) -> None:
    truth, mean = rng.normal(size=50), rng.normal(size=50)
    found = measured(mean, truth, truth - 1.0, np.where(np.arange(50) < 10, truth - 0.5, truth + 1.0))
    assert found["rmse"] == pytest.approx(mean_squared_error(truth, mean) ** 0.5)
    assert found["rmse_standardised"] == pytest.approx(found["rmse"] / truth.std())
    assert found["pearson_r"] == pytest.approx(np.corrcoef(mean, truth)[0, 1])
    assert found["coverage"] == pytest.approx(0.8)


def test_the_sparse_probe_finds_a_smooth_function(generator: torch.Generator) -> None:
    x = torch.randn(400, 3, generator=generator)
    y = torch.sin(x[:, 0]) + 0.5 * x[:, 1]
    found = fit_predict(x[:350], y[:350], x[350:], inducing=60, steps=60, seed=0)
    assert np.corrcoef(found, y[350:].numpy())[0, 1] > 0.97


def test_a_run_saves_rows_of_the_reporting_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space("nasbench101")
    saved: dict[str, object] = {}
    monkeypatch.setattr(
        predictor_partial, "save_results", lambda name, rows, settings, command: saved.update({name: rows})
    )
    table = tmp_path / "labels.csv"
    params = space.costs()[::4_000, 0]
    table.write_text(
        "index,acc\n" + "".join(f"{4_000 * i},{90 + np.log(p):.4f}\n" for i, p in enumerate(params)), "utf-8"
    )
    arguments = ["--csv", str(table), "--score", "acc", "--meaning", str(MEANING), "--held-out", "20", "--draws", "2"]
    assert main([*arguments, "--sizes", "20", "--name", "try"]) == 0
    (row,) = saved["try"]  # type: ignore[misc]
    assert row["labels"] == 20
    assert len(row["draws"]) == 2
    assert row["kendall_tau"] > 0.5, "the size of the network is among the features"
    json.dumps(row)
    assert main([*arguments, "--sizes", "60"]) == 2
