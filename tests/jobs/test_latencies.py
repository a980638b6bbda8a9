"""Latencies measured from a page: in a process of their own, kept whole, and columns of the space."""

import json
from pathlib import Path

import numpy as np
import pytest

from svge_core.errors import SvgeError
from svge_core.files import exclusive
from svge_core.jobs import MeasuredCell, MeasuredLatency, latency_scores, latency_stamp, measure_here, measured_cells
from svge_core.jobs.latencies import LOCK
from svge_core.spaces import get_space
from tests.support.paths import ROOT

SPACE = get_space("nasbench201")
TEXT = SPACE.format(SPACE.from_index(1462))
MEANING = {
    "key": "latency_pytorch_1_ms",
    "title": "Latency of 1 image, PyTorch",
    "unit": "ms",
    "direction": "min",
    "data_set": "",
    "split": "",
    "epochs": None,
    "seeds": "median of 30 runs",
    "kind": "measured",
    "source": "PyTorch 2 on a processor",
    "role": "time",
    "origin": "user",
    "single_run": False,
    "detail": False,
}


def test_a_cell_is_measured_and_is_a_column(tmp_path: Path) -> None:
    place = tmp_path / "latencies"
    assert latency_stamp(place) == () and latency_scores(SPACE, []) is None
    found = measure_here(SPACE, TEXT, {"channels": 2, "cells_per_stage": 1}, place, ROOT)
    assert len(found.latencies) == 4
    assert all(0 < each.low_ms <= each.median_ms <= each.high_ms for each in found.latencies)
    assert measured_cells("nasbench201", place) == [found] and measured_cells("enas6", place) == []
    assert len(latency_stamp(place)) == 1
    scores = latency_scores(SPACE, [found])
    assert scores is not None
    assert sorted(scores.of(1462).values()) == sorted(each.median_ms for each in found.latencies)
    assert all(np.isfinite(scores.frame[key]).sum() == 1 for key in scores.meanings)
    assert all("cells_per_stage 1, channels 2" in meaning.title for meaning in scores.meanings.values())


def test_what_was_measured_otherwise_is_another_column() -> None:
    other = {**MEANING, "source": "PyTorch 2 on another processor"}
    cells = [
        MeasuredCell("nasbench201", TEXT, (MeasuredLatency(MEANING, 2.0, 1.0, 3.0),)),
        MeasuredCell("nasbench201", SPACE.format(SPACE.from_index(3)), (MeasuredLatency(MEANING, 4.0, 3.0, 5.0),)),
        MeasuredCell("nasbench201", TEXT, (MeasuredLatency(other, 9.0, 8.0, 9.5),)),
        MeasuredCell("nasbench201", TEXT, (MeasuredLatency(MEANING, 2.5, 2.0, 3.0),)),  # the newest one counts
    ]
    scores = latency_scores(SPACE, cells)
    assert scores is not None and len(scores.meanings) == 2
    assert {meaning.title for meaning in scores.meanings.values()} == {
        "Latency of 1 image, PyTorch, PyTorch 2 on a processor",
        "Latency of 1 image, PyTorch, PyTorch 2 on another processor",
    }
    assert sorted(scores.of(1462).values()) == [2.5, 9.0]
    assert [value for value in scores.of(3).values() if np.isfinite(value)] == [4.0]


def test_what_cannot_be_measured_says_so_and_damaged_files_cost_nothing(tmp_path: Path) -> None:
    with pytest.raises(SvgeError, match="Unknown network option 'width'"):
        measure_here(SPACE, TEXT, {"width": 2}, tmp_path, ROOT)
    assert not list(tmp_path.glob("*.json"))
    (tmp_path / "0.latency.json").write_text("{")
    wrong = {**MEANING, "unit": 3}
    latency = {"meaning": wrong, "median_ms": 1, "low_ms": 1, "high_ms": 1}
    damaged = {"space": "nasbench201", "cell": TEXT, "latencies": [latency]}
    (tmp_path / "1.latency.json").write_text(json.dumps(damaged))
    elsewhere = {"space": "nasbench201", "cell": "|of another notation|", "latencies": []}
    (tmp_path / "2.latency.json").write_text(json.dumps(elsewhere))
    assert measured_cells("nasbench201", tmp_path) == []
    with exclusive(tmp_path / LOCK), pytest.raises(SvgeError, match="Another network is being timed here"):
        measure_here(SPACE, TEXT, {}, tmp_path, ROOT)
