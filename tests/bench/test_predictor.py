"""The predictor benchmark's measures, against a predictor that knows everything, and its words for bad input."""

from pathlib import Path

import numpy as np
import pytest

from bench.predictor import FIFTHS, SINGLE, StructurePredictor, main, run
from svge_core.data import Prediction
from svge_core.errors import DataError
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")


class Oracle:
    """Knows everything; with or without an interval of one unit to each side."""

    def __init__(self, values: np.ndarray, *, interval: bool) -> None:
        self.name = "oracle" if interval else "oracle without interval"
        self.values, self.interval = values, interval

    def fit_predict(self, train_indices: np.ndarray, values: np.ndarray, seed: int) -> Prediction:
        assert (self.values[train_indices] == values).all()
        half = np.full(len(self.values), 1.0 if self.interval else np.nan)
        return Prediction("", self.values, self.values - half, self.values + half, 0.9, "oracle", len(values))


def test_benchmark_measures_what_it_says(rng: np.random.Generator) -> None:
    values = rng.standard_normal(50)
    values[7] = np.nan  # a cell without a value is neither labelled nor held out
    rows = run([Oracle(values, interval=True), Oracle(values, interval=False)], values, [10], range(3))
    assert [row["kendall_tau"] for row in rows] == [pytest.approx(1.0)] * 2
    assert rows[0]["held_out"] == 39
    assert (rows[0]["rmse"], rows[0]["coverage"]) == (0.0, 1.0)
    assert rows[0]["width"] == pytest.approx(2.0)
    assert rows[1]["coverage"] is rows[1]["width"] is None
    with pytest.raises(DataError, match="Asked for 49 labels of 49 known values"):
        run([Oracle(values, interval=True)], values, [49], [0])


def test_coverage_by_fifths_stands_beside_that_of_a_single_factor(rng: np.random.Generator) -> None:
    cells = [SPACE.from_index(int(index)) for index in rng.choice(15_625, size=160, replace=False)]
    values = np.array([80.0 + cell.ops.count("nor_conv_3x3") for cell in cells]) + 0.3 * rng.standard_normal(160)
    (row,) = run([StructurePredictor(SPACE, cells, 0.9)], values, [60], range(1))
    (draw,) = row["draws"]
    for names, coverage in ((FIFTHS, draw["coverage"]), (SINGLE, None)):
        shares = [draw[name] for name in names]
        assert all(share is not None and round(20 * share, 9).is_integer() for share in shares), "of 20 cells each"
        assert [row[name] for name in names] == shares
        if coverage is not None:
            assert np.mean(shares) == pytest.approx(coverage)


def test_benchmark_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("arch_str,accuracy\n" + SPACE.format(SPACE.from_index(0)) + ",90\n")
    assert main(["--labels", str(path), "--score", "error", "--no-save"]) == 2
    assert "labels.csv has no column 'error'; its columns of numbers are accuracy" in capsys.readouterr().err
    assert main(["--labels", str(path), "--score", "accuracy", "--no-save"]) == 2
    assert "of 1 known values" in capsys.readouterr().err
