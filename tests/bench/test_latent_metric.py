"""The benchmark of what a process ranks by a latent: its process, its rows, the share of the components held."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.harness import results as results_table
from bench.latent_metric import components_r2, main, tau
from svge_core.checkpoints import load_checkpoint
from svge_core.features import StructureComponents
from svge_core.spaces import get_space


def test_a_process_on_the_score_itself_ranks_all_cells(rng: np.random.Generator) -> None:
    values = rng.normal(size=300)
    known, noise = values[:, None], rng.normal(size=(300, 1))
    assert tau([known], values, 60, 0) > 0.95
    assert abs(tau([noise], values, 60, 0)) < 0.2


def test_rows_of_the_shipped_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    space = get_space("nasbench201")
    indices = rng.choice(15_625, size=120, replace=False)
    sizes = [space.cost(space.from_index(int(index))).flops_m for index in indices]
    pd.DataFrame({"index": indices, "size": sizes}).to_csv(tmp_path / "table.csv", index=False)
    given = ["--csv", str(tmp_path / "table.csv"), "--scores", "size", "--labels", "20", "--draws", "2"]
    assert main(given) == 0
    stored = json.loads((tmp_path / "bench/results/latent_metric.json").read_text())
    rows = {row["representation"]: row for row in stored["rows"]}
    assert list(rows) == ["one-hot", "structure", "latent", "both"]
    assert rows["structure"]["minus_structure"] == 0
    expected = rows["latent"]["kendall_tau"] - rows["structure"]["kendall_tau"]
    assert rows["latent"]["minus_structure"] == pytest.approx(expected)
    assert rows["structure"]["kendall_tau"] > rows["latent"]["kendall_tau"]  # the size is among the features' causes


def test_the_function_part_is_held_against_its_components(rng: np.random.Generator) -> None:
    """An unbiased read-out with an error of known size; a plain latent has none to hold."""
    space, folder = get_space("nasbench201"), Path("checkpoints/nasbench201/svge-function")
    checkpoint = load_checkpoint(folder)
    cells = [space.from_index(int(index)) for index in rng.choice(15_625, size=400, replace=False)]
    count, scale = checkpoint.model.config.function, checkpoint.model.config.function_scale
    wanted = scale * StructureComponents.of(space, count).scores(cells)
    assert components_r2(checkpoint, cells, wanted) == pytest.approx(1)
    spread = wanted.var(axis=0).mean() ** 0.5
    noisy = wanted + 0.5 * spread * rng.normal(size=wanted.shape)
    assert components_r2(checkpoint, cells, noisy) == pytest.approx(0.75, abs=0.02)
