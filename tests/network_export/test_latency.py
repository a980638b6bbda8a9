"""Latencies: what is timed and how often, in which threads, what the columns mean, the additive estimate."""

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.__main__ import main
from svge_core.cells import Cell
from svge_core.data.csv import import_csv
from svge_core.errors import SvgeError
from svge_core.network_export import (
    LatencyProtocol,
    fit_latency,
    latency,
    latency_meaning,
    measure_latency,
)
from svge_core.spaces import NASBench201, get_space

SPACE = NASBench201()
CELL = SPACE.from_index(9930)
SMALL: dict[str, Any] = {"channels": 2, "cells_per_stage": 1}


def test_medians_and_quartiles_are_of_the_timed_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # warm-up runs take a second, then 1, 2, 3, ... milliseconds
    seconds = itertools.chain([1.0] * 2, (number / 1000 for number in itertools.count(1)))
    threads = []

    def timed(run: Any, images: torch.Tensor) -> float:
        threads.append(torch.get_num_threads())
        assert images.shape == (3, 3, 8, 8) and run(images).shape == (3, 10)
        return next(seconds)

    monkeypatch.setattr(latency, "_timed", timed)
    before = torch.get_num_threads()
    protocol = LatencyProtocol(("pytorch",), (3,), threads=2, runs=5, warm_up=2)
    (found,) = measure_latency(SPACE, CELL, protocol, side=8, **SMALL)
    assert (found.low_ms, found.median_ms, found.high_ms) == (2, 3, 4)
    assert threads == [2] * 7 and torch.get_num_threads() == before


def test_both_engines_run_the_network() -> None:
    protocol = LatencyProtocol(batches=(1, 2), runs=2, warm_up=0)
    found = measure_latency(SPACE, CELL, protocol, side=8, **SMALL)
    assert [(each.engine, each.batch) for each in found] == list(itertools.product(("pytorch", "onnxruntime"), (1, 2)))
    assert all(0 < each.low_ms <= each.median_ms <= each.high_ms for each in found)
    meaning = latency_meaning(found[2], protocol)
    assert (meaning.key, meaning.unit, meaning.direction, meaning.role, meaning.kind) == (
        "latency_onnxruntime_1_ms",
        "ms",
        "min",
        "time",
        "measured",
    )
    assert "median of 2 runs" in meaning.describe() and "1 thread" in meaning.source


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "enas6"])
def test_an_additive_latency_is_found_again(name: str, rng: np.random.Generator) -> None:
    space = get_space(name)
    cells = [space.canonical(space.random_cell(rng)) for _ in range(60)]

    def true(cell: Cell) -> float:
        return 2.0 + 0.5 * cell.ops.count(space.operations[0]) + 0.25 * cell.ops.count(space.operations[-1])

    found = fit_latency(space, cells[:40], [true(cell) for cell in cells[:40]])
    assert found.error < 1e-6 and found.rank_correlation > 0.97 and found.cells == 40
    np.testing.assert_allclose(found.of(space, cells[40:]), [true(cell) for cell in cells[40:]], rtol=1e-5)
    assert (found.milliseconds >= 0).all() and len(found.names) == len(found.milliseconds)


def test_noise_is_not_explained(rng: np.random.Generator) -> None:
    cells = [SPACE.random_cell(rng) for _ in range(100)]
    found = fit_latency(SPACE, cells, rng.uniform(1, 3, 100).tolist())
    assert found.error > 0.15 and abs(found.rank_correlation) < 0.4
    assert np.isnan(fit_latency(SPACE, cells[:5], [1.0] * 5).error)


def test_mistakes_are_named() -> None:
    with pytest.raises(SvgeError, match="Expected engines among pytorch, onnxruntime; got none"):
        LatencyProtocol(engines=())
    with pytest.raises(SvgeError, match="Expected runs to be from 1 to 100,000; got \\[0\\]"):
        LatencyProtocol(runs=0)
    with pytest.raises(SvgeError, match="Expected two or more cells and a latency of each; got 1 and 2"):
        fit_latency(SPACE, [CELL], [1.0, 2.0])


def test_the_command_writes_columns_that_are_read_as_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cells.txt").write_text("9930\n0\n1\n", "utf-8")
    words = ["--network", "channels=2", "cells_per_stage=1", "--side", "8", "--engine", "pytorch", "--runs", "2"]
    places = ["--out", str(tmp_path / "l.csv"), "--estimate", str(tmp_path / "all.csv")]
    assert main(["measure", "--file", str(tmp_path / "cells.txt"), *words, "--batch", "1", *places, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [cell["index"] for cell in told["cells"]] == [9930, 0, 1]
    assert told["files"] == [str(tmp_path / "l.csv"), str(tmp_path / "all.csv")]
    assert told["meanings"]["latency_pytorch_1_ms"]["direction"] == "min"
    scores = import_csv(SPACE, tmp_path / "l.csv")
    (meaning,) = scores.meanings.values()
    assert list(scores.frame.index) == [0, 1, 9930] and meaning.direction == "min" and not scores.rejected
    with (tmp_path / "all.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 15_625
    assert main(["measure", "1", "--space", "randwire", "--estimate", str(tmp_path / "x.csv")]) == 2
