"""The benchmark of a latent's metric: its distances and neighbours against written-out loops, its rows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.harness import results as results_table
from bench.latent_metric import NEIGHBOURS, distances, main, neighbours_r2, tau
from svge_core.spaces import get_space


def test_distances_of_equivalent_and_of_random_cells(rng: np.random.Generator) -> None:
    latents = np.concatenate([np.zeros((2, 3)), np.full((2, 3), 10.0), np.full((1, 3), 20.0)])
    latents[1, 0], latents[3, 1] = 0.5, 10.25
    equivalent, random = distances(latents, ["a", "a", "b", "b", "c"], rng)
    assert equivalent == pytest.approx((0.5 + 0.25) / 2)
    apart = [np.linalg.norm(one - other) for i, one in enumerate(latents) for j, other in enumerate(latents) if i != j]
    assert random == pytest.approx(np.mean(apart), rel=0.05)


def test_nearest_neighbours_leave_the_cell_out_also_among_twins(rng: np.random.Generator) -> None:
    latents, values = rng.normal(size=(40, 2)), rng.normal(size=40)
    latents[20:] = latents[:20]  # every cell has a twin at distance 0
    predicted = []
    for row in range(40):
        apart = np.linalg.norm(latents - latents[row], axis=1)
        apart[row] = np.inf
        predicted.append(sorted(range(40), key=lambda other: apart[other])[:NEIGHBOURS])
    found = neighbours_r2(latents, np.concatenate([values[:20], values[:20]]))  # twins share a value: no tie matters
    both = np.concatenate([values[:20], values[:20]])
    errors = both - np.array([both[rows].mean() for rows in predicted])
    assert found == pytest.approx(1 - (errors**2).sum() / ((both - both.mean()) ** 2).sum())


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
    assert list(rows) == ["ten nearest latents", "one-hot", "structure", "latent", "both"]
    assert rows["structure"]["minus_structure"] == 0
    expected = rows["latent"]["kendall_tau"] - rows["structure"]["kendall_tau"]
    assert rows["latent"]["minus_structure"] == pytest.approx(expected)
    assert rows["structure"]["kendall_tau"] > rows["latent"]["kendall_tau"]  # the size is among the features' causes
    assert rows["ten nearest latents"]["ratio"] == pytest.approx(
        rows["ten nearest latents"]["equivalent"] / rows["ten nearest latents"]["random"]
    )
