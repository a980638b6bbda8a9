"""How smooth scores are over places, against a loop over cells."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.harness import results as results_table
from bench.latent_maps import NEAREST, main, nearest_r2


def test_r2_is_that_of_a_loop_over_cells(rng: np.random.Generator) -> None:
    places, values = rng.normal(size=(60, 3)), rng.normal(size=60)
    places[30:45] = places[0]  # more cells at one place than neighbours are asked for
    values[30:45] = 2.5
    values[0] = 2.5
    predicted = []
    for cell in range(60):
        distances = np.linalg.norm(places - places[cell], axis=1)
        distances[cell] = np.inf
        predicted.append(values[np.argsort(distances)[:NEAREST]].mean())
    expected = 1 - np.square(values - predicted).sum() / np.square(values - values.mean()).sum()
    assert nearest_r2(places, values) == pytest.approx(expected)


def test_a_score_that_follows_the_places_is_explained_and_noise_is_not(rng: np.random.Generator) -> None:
    places = rng.uniform(size=(2_000, 2))
    assert nearest_r2(places, places.sum(axis=1)) > 0.98
    assert nearest_r2(places, rng.normal(size=2_000)) < 0


def test_rows_of_the_shipped_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    from svge_core.spaces import get_space

    space = get_space("nasbench201")
    flops = [space.cost(space.from_index(index)).flops_m for index in range(0, 15_625, 5)]
    pd.DataFrame({"index": range(0, 15_625, 5), "size": flops}).to_csv(tmp_path / "table.csv", index=False)
    assert main(["--csv", str(tmp_path / "table.csv"), "--scores", "size"]) == 0
    plain, function = json.loads((tmp_path / "bench/results/latent_maps.json").read_text())["rows"]
    assert plain["cells"] == function["cells"] == 3_125
    assert function["r2_latent"] > plain["r2_latent"]
    assert function["r2_umap"] > plain["r2_umap"]
