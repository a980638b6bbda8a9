"""Sweeps: the same best cells as a list of all predictions has, whatever order, stop or cluster they were made in."""

from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.cluster.evaluations import Needs
from svge_core.cluster.sweep import SweepResult, blocks_here, blocks_on_ray, sweep_space, write_sweep
from svge_core.cluster.sweep_blocks import (
    BlockPredictor,
    BlockResult,
    SweepConfig,
    best_rows,
    block_order,
    sample_keys,
)
from svge_core.errors import DataError, SvgeError
from svge_core.predictors.checkpoint_predictors import load_predictors
from tests.support.cli import RunCommand
from tests.support.paths import ROOT

MODEL = str(ROOT / "checkpoints/nasbench201/svge")
KEY = "cifar10_valid"
CONFIG = SweepConfig(MODEL, KEY, keep=40, sample=60, block=2000, seed=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    """A sweep over all cells, block by block, that nobody stops."""
    return sweep_space(CONFIG, tmp_path_factory.mktemp("whole") / "progress")


def test_it_finds_what_a_list_of_all_predictions_has(whole: SweepResult) -> None:
    """The list was made when the predictor was fitted, by other code, and lies beside the model."""
    checkpoint = load_checkpoint(Path(MODEL))
    listed = load_predictors(checkpoint, checkpoint.model.space).whole_space(KEY).joint
    assert listed is not None and whole.size == whole.cells == len(listed)
    best = whole.table[whole.table.kept == "best"]
    assert len(best) == 40 and best["ranked_by"].is_monotonic_decreasing
    threshold = np.sort(listed)[-40]
    assert np.allclose(listed[best["index"]], best["ranked_by"], atol=1e-3)
    assert (listed[best["index"]] >= threshold - 1e-3).all()
    assert set(np.flatnonzero(listed > threshold + 1e-3)) <= set(best["index"])
    assert abs(whole.summary["mean"] - listed.astype(np.float64).mean()) < 1e-4
    assert abs(whole.summary["std"] - listed.astype(np.float64).std()) < 1e-4
    assert abs(whole.summary["max"] - listed.max()) < 1e-3 and abs(whole.summary["min"] - listed.min()) < 1e-3
    drawn = whole.table[whole.table.kept == "sample"]
    keys = np.concatenate([sample_keys(number, 2000, CONFIG)[: 15_625 - 2000 * number] for number in range(8)])
    assert list(drawn["index"]) == sorted(np.argsort(keys)[:60])
    assert np.allclose(listed[drawn["index"]], drawn["ranked_by"], atol=1e-3)
    assert np.allclose(drawn["joint"], drawn["ranked_by"], atol=1e-4)
    assert ((drawn["low"] <= drawn["mean"]) & (drawn["mean"] <= drawn["high"])).all()
    assert np.isfinite(drawn[["pca_x", "pca_y"]]).all(axis=None)


def test_a_sweep_that_was_stopped_goes_on_and_finds_the_same(whole: SweepResult, tmp_path: Path) -> None:
    def stops(predictor: BlockPredictor, numbers: Iterable[int]) -> Generator[BlockResult, None, None]:
        for count, number in enumerate(numbers):
            if count == 3:
                raise KeyboardInterrupt
            made.append(number)
            yield predictor(number)

    made: list[int] = []
    progress = tmp_path / "progress"
    with pytest.raises(KeyboardInterrupt):
        sweep_space(CONFIG, progress, stops)
    size = progress.stat().st_size
    again: list[int] = []

    def backwards(predictor: BlockPredictor, numbers: Iterable[int]) -> Generator[BlockResult, None, None]:
        again.extend(reversed(list(numbers)))
        yield from blocks_here(predictor, again)

    told: list[tuple[int, int]] = []
    result = sweep_space(CONFIG, progress, backwards, on_block=lambda done, wanted: told.append((done, wanted)))
    assert sorted([*made, *again]) == list(range(8)) and len(made) == 3
    assert told[0][0] > 0 and told[-1] == (15_625, 15_625)
    pd.testing.assert_frame_equal(result.table, whole.table)
    assert result.summary == whole.summary
    assert progress.stat().st_size == size  # what is known is as large at the end as in the middle


def test_a_limit_ends_it_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    small, progress = replace(CONFIG, limit=2001), tmp_path / "progress"
    first = sweep_space(small, progress)
    assert first.cells == 4000
    assert set(first.table["index"] // 2000) == set(block_order(8, small))
    drawn = first.table[first.table.kept == "sample"]
    assert len(drawn) == 60 == drawn["index"].nunique()  # as many as were asked for, of these two blocks
    assert (drawn["index"] // 2000).value_counts().between(15, 45).all()
    larger = replace(small, limit=6000)
    second = sweep_space(larger, progress)
    assert second.cells == 6000
    pd.testing.assert_frame_equal(second.table, sweep_space(larger, tmp_path / "at once").table)


def test_a_limit_below_what_is_done_is_refused(tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    sweep_space(replace(CONFIG, limit=4000), progress)
    before = progress.read_bytes()
    with pytest.raises(DataError, match=r"holds 4,000 predicted cells, beyond the 2,000 of this limit") as caught:
        sweep_space(replace(CONFIG, limit=1500), progress)
    assert caught.value.settings == ("limit", "fresh") and progress.read_bytes() == before
    assert sweep_space(replace(CONFIG, limit=3999), progress).cells == 4000  # the same whole blocks


def test_progress_of_another_sweep_is_refused(tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    sweep_space(replace(CONFIG, limit=1), progress)
    other = replace(CONFIG, limit=1, keep=41)
    with pytest.raises(DataError, match="other settings, or of another model") as caught:
        sweep_space(other, progress)
    assert caught.value.settings == ("fresh",)
    assert sweep_space(other, progress, fresh=True).cells == 2000
    progress.write_bytes(progress.read_bytes()[:100])
    with pytest.raises(SvgeError, match="Delete it, and the sweep begins anew"):
        sweep_space(other, progress)


@pytest.mark.usefixtures("lasting")
def test_a_cluster_finds_the_same(whole: SweepResult, tmp_path: Path) -> None:
    result = sweep_space(CONFIG, tmp_path / "progress", blocks_on_ray(Needs(1)))
    pd.testing.assert_frame_equal(result.table, whole.table, check_exact=False, atol=1e-5)
    assert result.cells == 15_625


@pytest.mark.parametrize("direction", ["max", "min"])
def test_best_rows_are_those_of_a_sorted_list(direction: Any) -> None:
    rng = np.random.default_rng(0)
    for count in (1, 5, 30, 200):
        indices = rng.permutation(100) + 7
        values = rng.integers(0, 12, size=100).astype(np.float64)  # many are equal
        sign = 1 if direction == "min" else -1
        wanted = sorted(range(100), key=lambda row: (sign * values[row], indices[row]))[:count]
        assert best_rows(indices, values, count, direction).tolist() == wanted


def test_the_sample_is_uniform_without_repeats() -> None:
    """Over many seeds every cell of the blocks that were predicted is drawn as often, whichever block it lies in."""
    counts = np.zeros(70)
    for seed in range(2000):
        config = replace(CONFIG, seed=seed)
        keys = np.concatenate([sample_keys(number, cells, config) for number, cells in ((0, 20), (4, 20), (7, 30))])
        drawn = best_rows(np.arange(70), keys, 7, "min")
        assert len(set(drawn)) == 7
        counts[drawn] += 1
    assert (abs(counts - 200) < 5 * np.sqrt(200)).all()  # a tenth of 2000


def test_the_command_writes_what_it_keeps(run: RunCommand, fails: RunCommand, tmp_path: Path) -> None:
    words = ["sweep", "--checkpoint", MODEL, "--score", KEY, "--keep", 7, "--sample", 5, "--block", 1000, "--limit", 1]
    answer = run(*words, "--out", tmp_path / "kept.parquet")
    assert answer["cells"] == 1000 and answer["size"] == 15_625 and len(answer["best"]) == 5
    table = pd.read_parquet(tmp_path / "kept.parquet")
    assert (table["kept"] == "best").sum() == 7
    assert (tmp_path / "kept.parquet.progress").exists()  # it can go on
    text = run(*words, "--out", tmp_path / "kept.csv", expect_json=False)
    assert "surrogate" in text and "of 1,000 predicted (a limit of 1, in whole blocks of 1,000)" in text
    assert run(*words, "--limit", 1001, "--out", tmp_path / "kept.csv")["cells"] == 2000
    assert "beyond the 1,000 of this limit" in fails(*words, "--out", tmp_path / "kept.csv")
    assert ".csv, .json, .parquet; got 'kept.txt'" in fails(*words, "--out", tmp_path / "kept.txt")
    assert "leave --parallel away" in fails(*words, "--out", tmp_path / "kept.csv", "--parallel", 2)
    assert "joint head" in text
    assert "--checkpoint" in fails("sweep", "--score", KEY, "--out", tmp_path / "two.csv")
    assert "--score KEY" in fails("sweep", "--checkpoint", MODEL, "--out", tmp_path / "two.csv")


def test_a_file_of_a_sweep_is_what_its_ending_says(whole: SweepResult, tmp_path: Path) -> None:
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        write_sweep(whole, tmp_path / f"kept{suffix}")
        frame = read(tmp_path / f"kept{suffix}")
        assert frame["architecture"].tolist() == whole.table["architecture"].tolist()
        assert np.allclose(frame["mean"], whole.table["mean"])


def test_cells_without_an_index_cannot_be_swept() -> None:
    with pytest.raises(SvgeError, match="have no index of 64 bits"):
        BlockPredictor(SweepConfig(str(ROOT / "checkpoints/randwire/svge")))
