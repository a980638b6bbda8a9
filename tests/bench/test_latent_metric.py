"""The benchmark of what a process ranks by a latent: its process, its rows, the share of the components held."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.harness import results as results_table
from bench.latent_metric import components_r2, main, tau
from bench.predictor_partial import HALVES_SEED
from svge_core.checkpoints import load_checkpoint
from svge_core.features import FunctionTargets
from svge_core.spaces import get_space


def test_a_process_on_the_score_itself_ranks_all_cells(rng: np.random.Generator) -> None:
    values = rng.normal(size=300)
    known, noise = values[:, None], rng.normal(size=(300, 1))
    seen, others = np.split(rng.permutation(300), [60])
    assert tau([known], values, seen, others) > 0.95
    assert abs(tau([noise], values, seen, others)) < 0.2


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
    others = ["structure, genes, size", "latent", "both", "untrained statistics, size"]
    assert list(rows) == ["one-hot", "structure", *others]
    assert rows["structure"]["minus_structure"] == 0
    expected = rows["latent"]["kendall_tau"] - rows["structure"]["kendall_tau"]
    assert rows["latent"]["minus_structure"] == pytest.approx(expected)
    assert rows["structure"]["kendall_tau"] > rows["latent"]["kendall_tau"]  # the size is among the features' causes
    assert rows["structure, genes, size"]["kendall_tau"] > rows["structure"]["kendall_tau"]  # it holds the score


def test_the_function_part_is_held_against_its_components(rng: np.random.Generator) -> None:
    """An unbiased read-out with an error of known size; a plain latent has none to hold."""
    space, folder = get_space("nasbench201"), Path("checkpoints/nasbench201/svge-function")
    checkpoint = load_checkpoint(folder)
    cells = [space.from_index(int(index)) for index in rng.choice(15_625, size=400, replace=False)]
    config = checkpoint.model.config
    targets = FunctionTargets.of(space, config.function_targets, config.function)
    wanted = config.function_scale * targets.scores(cells)
    assert components_r2(checkpoint, cells, wanted) == pytest.approx(1)
    spread = wanted.var(axis=0).mean() ** 0.5
    noisy = wanted + 0.5 * spread * rng.normal(size=wanted.shape)
    assert components_r2(checkpoint, cells, noisy) == pytest.approx(0.75, abs=0.02)


def test_labels_and_held_out_cells_come_from_the_reporting_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """The designing half has values that nothing predicts: a draw of its cells would be seen."""
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    space = get_space("nasbench201")
    indices = np.sort(rng.choice(15_625, size=120, replace=False))
    sizes = np.array([space.cost(space.from_index(int(index))).flops_m for index in indices])
    sizes[np.random.default_rng(HALVES_SEED).permutation(120)[:60]] = np.nan
    pd.DataFrame({"index": indices, "size": np.nan_to_num(sizes, nan=-1)}).to_csv(tmp_path / "table.csv", index=False)
    given = ["--csv", str(tmp_path / "table.csv"), "--scores", "size", "--labels", "20", "--draws", "2"]
    assert main([*given, "--held-out", "40", "--name", "halves"]) == 0
    stored = json.loads((tmp_path / "bench/results/halves.json").read_text())
    taus = {row["representation"]: row["kendall_tau"] for row in stored["rows"]}
    assert taus["structure, genes, size"] > 0.9  # it holds the score; ties with the other half would lower it
    with pytest.raises(SystemExit):
        main([*given, "--held-out", "41"])
    # a second checkpoint that cannot be read leaves what is known, and not under the name of complete results
    both = ["--checkpoints", "checkpoints/nasbench201/svge", str(tmp_path / "none")]
    with pytest.raises(SystemExit):
        main([*given, "--held-out", "40", "--name", "halves", *both])
    assert json.loads((tmp_path / "bench/results/halves.json").read_text()) == stored
    assert json.loads((tmp_path / "bench/results/halves_so_far.json").read_text())["rows"] == stored["rows"]
    main([*given, "--held-out", "40", "--name", "halves"])
    assert [file.name for file in (tmp_path / "bench/results").iterdir()] == ["halves.json"]
