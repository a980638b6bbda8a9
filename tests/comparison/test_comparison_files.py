"""A comparison as files: JSON that reads back, two tables, lines of text, a page whose parts do not overlap."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import svge_core as svge
from svge_core.cells.differences import change_in_words
from svge_core.comparison import (
    Comparison,
    compare_cells,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_pdf,
    comparison_to_text,
    pairs_to_csv,
    save_comparison,
)
from svge_core.drawing import page
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.exporting.document import from_json


@pytest.fixture(scope="module")
def compared(explorer: Explorer) -> Comparison:
    return compare_cells(explorer, explorer.cells_at(np.array([10, 30, 20])))


def test_the_json_holds_cells_that_read_back_and_every_pair(explorer: Explorer, compared: Comparison) -> None:
    document = json.loads(comparison_to_json(explorer, compared))
    assert (document["format"], document["version"]) == ("svge-explorer-comparison", 1)
    inner = {"format": "svge-explorer-cells", "version": 1, "space": document["space"]}
    space, items = from_json(json.dumps({**inner, "meanings": document["meanings"], "cells": document["cells"]}))
    assert (space.name, [item.cell for item in items]) == ("enas6", list(compared.architectures))
    assert [(pair["first"], pair["second"]) for pair in document["pairs"]] == [(0, 1), (0, 2), (1, 2)]
    for stored, pair in zip(document["pairs"], compared.pairs, strict=True):
        assert stored["edits"] == pair.edits and stored["latent_distance"] == pair.distance
        assert (stored["random_pairs_farther"], stored["random_pairs"]) == (pair.farther.count, 10_000)
    assert document["best"]["accuracy"] == [1] and "enas6_ws_acc" not in document["best"]
    assert document["random_pairs"]["median_distance"] == pytest.approx(np.median(compared.random.distances))


def test_the_tables_have_a_row_for_every_cell_and_for_every_pair(explorer: Explorer, compared: Comparison) -> None:
    cells = list(csv.DictReader(io.StringIO(comparison_to_csv(explorer, compared))))
    assert [int(row["index"]) for row in cells] == [explorer.space.index(cell) for cell in compared.architectures]
    assert [float(row["accuracy"]) for row in cells] == [2.5, 7.5, 5.0]
    pairs = list(csv.DictReader(io.StringIO(pairs_to_csv(compared))))
    assert [(row["first"], row["second"]) for row in pairs] == [("1", "2"), ("1", "3"), ("2", "3")]
    for row, pair in zip(pairs, compared.pairs, strict=True):
        ends = (compared.architectures[pair.first], compared.architectures[pair.second])
        assert (row["first_arch_str"], row["second_arch_str"]) == tuple(map(explorer.space.format, ends))
        assert row["change"] == change_in_words(pair.change, *ends)
        assert float(row["latent_distance"]) == pair.distance and int(row["edits"]) == pair.edits


def test_the_text_marks_the_best_and_says_what_the_numbers_are(compared: Comparison) -> None:
    lines = comparison_to_text(compared).splitlines()
    (measured,) = [line for line in lines if line.startswith("CIFAR-10 validation accuracy, 12 epochs, measured")]
    assert measured.split("measured")[1].split() == ["2.50", "%", "7.50", "%", "*", "5.00", "%"]
    (predicted,) = [line for line in lines if line.startswith("CIFAR-10 weight-sharing accuracy, predicted")]
    assert "≈" in predicted and "*" not in predicted
    assert sum(line.startswith(("1 and 2", "1 and 3", "2 and 3")) for line in lines) == 3
    assert any("Source: made up" in line for line in lines)


def drawn(compared: Comparison, form: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The page in a form that can be read."""
    real = page.drawn_graph

    def other(dot: str, program: str, wanted: str) -> bytes:
        return real(dot, program, form if wanted == "pdf" else wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(page, "drawn_graph", other)
    return comparison_to_pdf(compared, "light", 1)


def test_the_page_shows_every_value_and_user_text_letter_by_letter(
    compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = ElementTree.fromstring(drawn(compared, "svg", monkeypatch))
    texts = [(part.text or "").replace("\N{NO-BREAK SPACE}", " ").strip() for part in root.iter() if part.text]
    assert "3 architectures of ENAS macro, 6 layers" in texts
    assert {"7.50 % best", "2.50 %", "5.00 %"} <= set(texts)
    assert "=my <b>loss</b>, measured" in texts
    assert sum(text.startswith("from 2: ") for text in texts) == 2, "the cell that the others are held against has none"
    assert sum("random pairs" in text for text in texts) >= 3


def test_the_drawings_of_a_page_stand_side_by_side_and_above_the_tables(
    compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out = json.loads(drawn(compared, "json0", monkeypatch))
    spans = []
    for place, cell in enumerate(compared.architectures):
        nodes = [node for node in laid_out["objects"] if node["name"].startswith(f"b1_{place}_1_")]
        assert [node["label"] for node in nodes][0] == "input" and len(nodes) == cell.num_nodes
        xs = [float(node["pos"].split(",")[0]) for node in nodes]
        half = max(36 * float(node["width"]) for node in nodes)
        spans.append((min(xs) - half, max(xs) + half, min(float(node["pos"].split(",")[1]) for node in nodes)))
    assert all(left[1] < right[0] for left, right in zip(spans, spans[1:], strict=False))
    tables = [node for node in laid_out["objects"] if node["name"].startswith("b2_")]
    for table in tables:
        assert float(table["pos"].split(",")[1]) + 36 * float(table["height"]) < min(span[2] for span in spans)
    marked = [edge for edge in laid_out["edges"] if edge["color"] == "#d6246e"]
    changes = [compared.change(1, place).second for place in (0, 2)]
    assert len(marked) == sum(len(change.edges) for change in changes)


def test_a_drawing_is_made_smaller_as_a_whole(compared: Comparison) -> None:
    block = page.cell_block(compared.architectures[0], compared.space)
    small = block.within(60.0, 1_000.0)
    assert small.width == pytest.approx(60.0) and small.height == pytest.approx(block.height * 60 / block.width)
    assert block.within(10_000.0, 10_000.0) == block
    assert small.placed("x", 0.0, 0.0)[0].startswith("  x_0 [")


def test_files_are_chosen_by_suffix_and_written_whole(explorer: Explorer, compared: Comparison, tmp_path: Path) -> None:
    assert save_comparison(explorer, compared, tmp_path / "a.pdf", "dark") == (tmp_path / "a.pdf",)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert save_comparison(explorer, compared, tmp_path / "a.csv") == (tmp_path / "a.csv", tmp_path / "a-pairs.csv")
    assert (tmp_path / "a-pairs.csv").read_text("utf-8") == pairs_to_csv(compared).replace("\r\n", "\n")
    with pytest.raises(SvgeError, match=r"'a.gif': expected .pdf, .json or .csv"):
        save_comparison(explorer, compared, tmp_path / "a.gif")
    with pytest.raises(SvgeError, match="there is no folder"):
        save_comparison(explorer, compared, tmp_path / "none" / "a.json")


def test_in_one_line_of_python(explorer: Explorer, tmp_path: Path) -> None:
    cells = explorer.cells_at(np.array([1, 2]))
    compared = svge.compare(explorer, cells, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["space"] == "enas6" and len(compared.pairs) == 1
