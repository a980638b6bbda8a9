"""The Extrapolation section of the Model page, and its chart and table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data.csv.labels import Labels
from svge_core.evaluation.extrapolation.draws import counts, split_by_size
from svge_core.evaluation.extrapolation.file import FILE, HeldOutPoint, TableRow, save
from svge_core.evaluation.extrapolation.run import extrapolate
from svge_core.figures.extrapolation import beyond, extrapolation_figure, shown_range, table_rows
from svge_core.files.schema import to_record
from svge_core.spaces.registry import get_space
from tests.support.app_driver import App, app_of
from tests.support.extrapolation import MEANING, SMALL, untrained_checkpoint
from tests.support.model_checkpoint import make_checkpoint
from tests.support.model_page import open_model_page, words
from tests.support.paths import ROOT
from tests.support.untyped import drawn


@pytest.fixture(scope="module")
def measured_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint of NAS-Bench-101 with the file beside it."""
    space = get_space("nasbench101")
    folder = tmp_path_factory.mktemp("root") / "nasbench101" / "svge"
    untrained_checkpoint(space, folder)
    drawn = np.arange(0, space.size or 0, 500)
    split = split_by_size(space, drawn)
    kept = np.sort(np.concatenate([np.flatnonzero(side)[:75] for side in (split.inside, split.outside)]))
    values = counts(space, [space.from_index(int(index)) for index in drawn[kept]]).sum(1)
    labels = Labels(drawn[kept], 80 + values + np.arange(len(kept)) / 1000)
    save(folder, extrapolate(load_checkpoint(folder), MEANING, labels, labels, SMALL, command="by hand"))
    return folder


@pytest.fixture
def folder(measured_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    return Path(shutil.copytree(measured_folder, tmp_path / "checkpoints" / "nasbench101" / "svge"))


def opened() -> App:
    at = app_of(ROOT / "pages" / "model.py")
    at.session_state["entered_by_app"] = True
    at.session_state["space_name"] = "nasbench101"
    at.session_state["model_section"] = "Extrapolation"
    at.run()
    assert not at.exception, at.exception
    return at


def test_the_section_tells_known_from_extrapolated_and_predicted_from_measured(folder: Path) -> None:
    text = words(at := opened())
    for part in (
        "at most 6 vertices",
        "7 vertices",
        "counts only",
        "GP + trees",
        "Predicted only",
        "nobody has measured",
        "8 vertices and at most 9 edges",
        "repeating their last row",
    ):
        assert part in text.replace("\\", ""), part
    assert [line.value[:4] for line in at.markdown if line.value[:2] == "**" and line.value[3] == "."] == [
        "**1.",
        "**2.",
        "**3.",
    ]
    at.get_by_key("model_extrapolated").set_value("counted").run()
    assert not at.exception


def test_a_damaged_file_is_one_message(folder: Path) -> None:
    (folder / FILE).write_text("{")
    at = opened()
    assert "is damaged" in at.error[0].value


def test_without_the_file_one_sentence_and_the_command(folder: Path) -> None:
    (folder / FILE).unlink()
    at = opened()
    assert "not measured" in at.info[0].value
    assert any("svge_core extrapolate" in code.value for code in at.code)


def test_a_space_of_one_size_has_nothing_to_extrapolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    make_checkpoint(tmp_path / "checkpoints")
    assert "Extrapolation" not in [tab.label for tab in open_model_page().tabs]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_marks_the_two_sides_by_colour_and_symbol(theme, measured_folder: Path) -> None:
    rows = [to_record(row, HeldOutPoint) for row in json.loads((measured_folder / FILE).read_text())["points"]]
    figure = extrapolation_figure(rows, {"inside": "small", "outside": "large"}, theme, unit="%")
    line, inside, outside = drawn(figure).data
    assert (inside.name, outside.name) == ("small", "large")
    assert inside.marker.color != outside.marker.color and inside.marker.symbol != outside.marker.symbol
    assert len(inside.x) == len(outside.x) == 30
    assert line.x == line.y


def test_points_beyond_the_chart_are_counted() -> None:
    points = [
        HeldOutPoint(index=i, side="inside", measured=90 + i / 100, predicted=90.5, counted=90.5) for i in range(100)
    ]
    points[0] = structs.replace(points[0], measured=10.0)
    points[1] = structs.replace(points[1], predicted=5.0)
    low, high = shown_range(points)
    assert 89 < low < 90.1 and 90.99 < high < 92
    assert (beyond(points, "predicted"), beyond(points, "counted")) == (2, 1)


def test_the_table_says_what_has_no_number() -> None:
    row = TableRow(
        predictor="x",
        side="inside",
        labels=9,
        held_out=1234,
        draws=1,
        kendall_tau=None,
        spearman=0.5,
        spearman_sd=0.25,
        rmse=1.23456,
        coverage=None,
        width=None,
    )
    assert table_rows([row], {"inside": "small"}) == [
        {
            "Cells": "small",
            "Predictor": "x",
            "Held out": "1,234",
            "Kendall tau": "all equal",
            "Spearman": "0.500 ± 0.250",
            "RMSE": "1.23",
            "In the interval": "no interval",
        }
    ]
