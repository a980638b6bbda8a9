"""Benchmarks over partly labelled spaces: halves, measures and the sparse probe."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import predictor, predictor_partial
from bench.latent_probe import fit_predict
from bench.predictor_partial import half, main
from svge_core.data.csv.labels import Labels
from svge_core.spaces.registry import get_space
from tests.support.core import tiny_model, write_sampled_checkpoint
from tests.support.paths import LABELS

SPACE = get_space("nasbench101")
MEANING = LABELS / "nasbench101_valid.json"


def test_the_halves_are_disjoint_and_complete() -> None:
    labels = Labels(np.arange(0, 101, 1), np.arange(101.0))
    design, report = half(labels, design=True), half(labels, design=False)
    assert sorted([*design.indices, *report.indices]) == list(range(101))
    assert (design.values == design.indices).all()


def test_the_sparse_probe_finds_a_smooth_function(generator: torch.Generator) -> None:
    x = torch.randn(400, 3, generator=generator)
    y = torch.sin(x[:, 0]) + 0.5 * x[:, 1]
    found = fit_predict(x[:350], y[:350], x[350:], inducing=60, steps=60, seed=0)
    assert np.corrcoef(found, y[350:].numpy())[0, 1] > 0.97


def labelled(folder: Path) -> Path:
    """A label file of every 4,000th cell, which a larger network makes better."""
    params = SPACE.costs()[::4_000, 0]
    rows = "".join(f"{4_000 * i},{90 + np.log(p):.4f}\n" for i, p in enumerate(params))
    (folder / "labels.csv").write_text("index,acc\n" + rows, "utf-8")
    return folder / "labels.csv"


def test_a_run_saves_rows_of_the_reporting_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: dict[str, object] = {}
    monkeypatch.setattr(
        predictor_partial, "save_results", lambda name, rows, settings, command: saved.update({name: rows})
    )
    table = labelled(tmp_path)
    arguments = ["--csv", str(table), "--score", "acc", "--meaning", str(MEANING), "--held-out", "20", "--draws", "2"]
    assert main([*arguments, "--sizes", "20", "--name", "try"]) == 0
    (row,) = saved["try"]  # type: ignore[misc]
    assert row["labels"] == 20
    assert len(row["draws"]) == 2
    assert row["kendall_tau"] > 0.5, "the size of the network is among the features"
    json.dumps(row)
    assert main([*arguments, "--sizes", "60"]) == 2


def test_the_joint_head_is_measured_beside_with_one_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = labelled(tmp_path)
    write_sampled_checkpoint(tmp_path / "model", tiny_model(SPACE))
    loaded: list[Path] = []
    real = predictor_partial.load_checkpoint
    monkeypatch.setattr(
        predictor_partial, "load_checkpoint", lambda folder, **kept: (loaded.append(folder), real(folder, **kept))[1]
    )
    saved: list[dict[str, Any]] = []
    monkeypatch.setattr(
        predictor_partial, "save_results", lambda name, rows, *rest: saved.__setitem__(slice(None), rows)
    )
    words = ["--csv", str(table), "--score", "acc", "--meaning", str(MEANING), "--held-out", "20", "--draws", "2"]
    assert main([*words, "--sizes", "20", "--checkpoint", str(tmp_path / "model")]) == 0
    assert loaded == [tmp_path / "model"], "once, not once a draw"
    assert [row["predictor"] for row in saved] == ["GP + trees", "SVGe joint head"]
    head = saved[1]
    assert head["coverage"] is head["width"] is head["seconds"] is None
    assert head["rmse"] == pytest.approx(np.mean([draw["rmse"] for draw in head["draws"]]))
    assert head["rmse_sd"] == pytest.approx(np.std([draw["rmse"] for draw in head["draws"]], ddof=1))
    assert "SVGe joint head" in capsys.readouterr().out


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = labelled(tmp_path)
    stored: dict[str, Any] = {}

    def save(name: str, rows: list[dict[str, Any]], settings: dict[str, Any], command: str) -> None:
        stored.update(json.loads(json.dumps({"rows": rows, "settings": settings, "command": command})))

    monkeypatch.setattr(predictor_partial, "save_results", save)
    monkeypatch.setattr(predictor, "read_results", lambda name: stored or None)
    real, seeds = predictor_partial.draw, []
    monkeypatch.setattr(predictor_partial, "draw", lambda *given: (seeds.append(given[5]), real(*given))[1])
    words = ["--csv", str(table), "--score", "acc", "--meaning", str(MEANING), "--held-out", "20", "--draws", "2"]
    words += ["--sizes", "20", "--name", "try"]
    assert main(words) == 0
    whole = json.loads(json.dumps(stored))
    stored["rows"][0]["draws"].pop()
    assert main(words) == 0
    assert seeds == [0, 1, 1]
    assert stored == whole
    stored["rows"][0].pop("coverage_fifth_1")
    assert main(words) == 0
    assert seeds == [0, 1, 1, 0, 1], "rows of before the coverage by fifths are measured again"
