"""The validity sweep: fixed and disjoint cells, one model per setting, finished settings kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import validity
from bench.harness import results as results_table
from bench.validity import cell_sets, main
from svge_core.spaces.registry import get_space

SMALL = ["--cells", "48", "--unseen", "16", "--epochs", "2", "--batch-size", "16", "--hidden", "8"]


def test_the_cells_are_always_the_same_and_none_is_in_both_sets() -> None:
    trained, unseen = cell_sets(20_000, 2_000)
    assert (len(trained), len(unseen)) == (20_000, 2_000)
    assert len(np.union1d(trained, unseen)) == 22_000
    assert max(trained.max(), unseen.max()) < (get_space("nasbench101").size or 0)
    for first, again in zip((trained, unseen), cell_sets(20_000, 2_000), strict=True):
        assert (first == again).all()


def test_a_sweep_trains_every_setting_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    monkeypatch.setattr(validity, "LATENTS", 20)
    assert main([*SMALL, "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [(row["edge_sampling"], row["prior_share"], row["prior_targets"]) for row in rows] == [
        (edges, *prior)
        for edges in ("independent", "sequential")
        for prior in ((0.0, "all"), (0.05, "all"), (0.25, "all"), (0.25, "invalid"), (1.0, "invalid"))
    ]
    for row in rows:
        assert 0 <= row["reconstruction_expected"] <= 1 and row["reconstruction_of"] == 16
        assert 0 <= row["valid_raw"] <= 1 and row["valid_of"] == 20
        assert row["identity"]["training"]["mean_share"] == 0.2
        assert sum(row["reasons"].values()) == round((1 - row["valid_raw"]) * 20)
    stored = json.loads((tmp_path / "bench/results/validity.json").read_text())
    assert stored["rows"] == rows
    # finished settings are not trained again, lost ones are
    stored["rows"] = [row for row in rows if row["prior_share"] != 0.05]
    (tmp_path / "bench/results/validity.json").write_text(json.dumps(stored))
    trained: list[tuple[Any, ...]] = []
    real = validity.measure
    monkeypatch.setattr(validity, "measure", lambda *given: (trained.append(given[:2]), real(*given))[1])
    assert main([*SMALL, "--json"]) == 0
    assert trained == [("independent", (0.05, "all")), ("sequential", (0.05, "all"))]
    again = json.loads((tmp_path / "bench/results/validity.json").read_text())["rows"]
    for row, other in zip(rows, again, strict=True):
        assert {**row, "cpu_seconds": 0} == {**other, "cpu_seconds": 0}, "the seed decides everything but the time"
    with pytest.raises(SystemExit):
        main(["--cells", "many"])
