"""Exports: JSON round trip and every refusal, CSV against formula injection, drawings, zip, atomic files."""

import csv
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.cells.cell import Cell
from svge_core.data import PredictionRow, ScoreMeaning
from svge_core.data.csv.scores import import_csv
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError, InvalidCellError, SvgeError
from svge_core.exporting import document as export_json
from svge_core.exporting.document import ExportItem, from_json, item_for, to_json
from svge_core.exporting.writers import draw, naslib_text, save, to_csv, to_text, to_zip, write_atomic
from svge_core.spaces.registry import get_space
from tests.support.damage import DAMAGE, damaged, places

SPACE = get_space("nasbench201")
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
ACC = ScoreMeaning(
    "acc",
    "Accuracy",
    "%",
    "max",
    "CIFAR-10",
    "validation",
    200,
    "one seed",
    "measured",
    "a table",
    role="accuracy",
    origin="imported",
    single_run=False,
)
LOSS = ScoreMeaning(
    "loss",
    "Loss",
    "",
    "min",
    "CIFAR-10",
    "validation",
    12,
    "mean of 3 seeds",
    "measured",
    "a table",
    role="other",
    origin="imported",
    single_run=False,
)
MEANINGS = {"acc": ACC, "loss": LOSS}
PREDICTION = PredictionRow("acc", 91.0, 90.5, 91.5, 0.9, "svge-1")

NUMBERS = st.floats(-1e12, 1e12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@st.composite
def items(draw: st.DrawFn) -> ExportItem:
    low, value, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    predicted = draw(st.sampled_from([(), (PredictionRow("loss", value, low, high, 0.9, draw(TEXTS)),)]))
    measured = draw(st.dictionaries(st.sampled_from(list(MEANINGS)), NUMBERS))
    used = {key: MEANINGS[key] for key in [*measured, *(p.score for p in predicted)]}
    latent = draw(st.none() | st.lists(NUMBERS, max_size=4).map(tuple))
    cell = SPACE.from_index(draw(st.integers(0, 15_624)))
    return ExportItem(cell, draw(TEXTS), measured, used, predicted, latent, "" if latent is None else "svge-1")


def table() -> Scores:
    values = np.full(15_625, np.nan)
    values[6111] = 91.6
    return scores_from_columns("nasbench201", {"acc": values, "loss": values}, MEANINGS)


def example() -> ExportItem:
    point = [0.25, -1.5]
    return item_for(
        SPACE.parse(BEST), SPACE, table(), label="best", predicted=[PREDICTION], latent=point, latent_model="svge-1"
    )


# ---- JSON ---------------------------------------------------------------------------------------------------------


@given(st.lists(items(), max_size=4))
@settings(max_examples=40, deadline=None)
def test_json_round_trip(basket: list[ExportItem]) -> None:
    text = to_json(basket, SPACE)
    for form in (text, text.encode()):
        space, back = from_json(form)
        assert space is SPACE
        assert list(back) == basket


def test_document_says_what_it_holds() -> None:
    """The published facts of the best CIFAR-10 architecture: index 6111, NASLib (2, 2, 0, 2, 2, 3)."""
    document = json.loads(to_json([example()], SPACE))
    assert (document["format"], document["version"], document["space"]) == ("svge-explorer-cells", 1, "nasbench201")
    assert document["meanings"]["acc"]["split"] == "validation"
    (cell,) = document["cells"]
    assert cell["notation"] == BEST
    assert cell["index"] == 6111
    assert cell["genotype"] == [3, 3, 3, 1, 3, 2]
    assert cell["naslib"] == [2, 2, 0, 2, 2, 3]
    assert cell["ops"][:2] == ["input", "nor_conv_3x3"]
    assert [0, 1] in cell["edges"]
    assert cell["measured"] == {"acc": 91.6, "loss": 91.6}
    assert cell["predicted"] == [
        {"key": "acc", "value": 91.0, "low": 90.5, "high": 91.5, "level": 0.9, "model": "svge-1"}
    ]
    assert cell["latent"] == {"model": "svge-1", "values": [0.25, -1.5]}


def _changed(path: list[str | int], value: Any) -> str:
    document = json.loads(to_json([example()], SPACE))
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(document)


CELL = ["cells", 0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "other", "it is no export of SVGe Explorer: expected the field 'format': 'svge-explorer-cells'"),
        (["version"], 2, "The document is damaged: $.version: expected 1, which this version reads, got 2."),
        (["version"], True, "$.version: expected 1, which this version reads, got True"),
        (["extra"], 1, "$: object contains unknown field extra"),
        (["cells"], ..., "$: object missing required field cells"),
        (["cells"], {}, "$.cells: expected array, got object"),
        (["space"], "mars", "Unknown search space 'mars'"),
        (["space"], 1, "$.space: expected str, got int (1)"),
        (["meanings"], [], "$.meanings: expected object, got array"),
        (["meanings", "acc"], {}, "The meaning of a score has the fields"),
        (["meanings", "acc", "kind"], "rumour", "Field 'kind' of a score's meaning cannot be 'rumour'"),
        (["meanings", "acc", "key"], "other", "$.meanings['acc'].key: expected 'acc', got 'other'."),
        (
            ["meanings", "acc", "kind"],
            "predicted",
            "cells[0]: Score 'acc' is predicted and cannot be exported as measured",
        ),
        (["meanings", "acc"], ..., "cells[0]: score 'acc' has no entry in 'meanings'."),
        (CELL, 5, "$.cells[0]: expected object, got int (5)"),
        ([*CELL, "label"], None, "$.cells[0].label: expected str, got null"),
        ([*CELL, "label"], "x" * 501, "$.cells[0].label: expected str of length <= 500"),
        ([*CELL, "label"], "\ud800", "it is not JSON"),
        ([*CELL, "notation"], "nonsense", "$.cells[0].notation: Not a NAS-Bench-201 architecture string"),
        ([*CELL, "notation"], ..., "$.cells[0]: object missing required field notation"),
        ([*CELL, "index"], 12, "$.cells[0].index: its notation says 6111, but the document has 12."),
        ([*CELL, "genotype"], [0], "genotype: its notation says [3, 3, 3, 1, 3, 2], but the document has [0]."),
        ([*CELL, "naslib"], None, "naslib: its notation says [2, 2, 0, 2, 2, 3], but the document has null."),
        ([*CELL, "ops"], [], "$.cells[0].ops: its notation says"),
        ([*CELL, "edges"], [[0, 0]], "$.cells[0].edges: its notation says"),
        ([*CELL, "key"], "x", "$.cells[0].key: its notation says"),
        ([*CELL, "measured"], [], "$.cells[0].measured: expected object, got array"),
        ([*CELL, "measured", "acc"], "91", "$.cells[0].measured['acc']: expected float, got str ('91')"),
        ([*CELL, "measured", "acc"], True, "$.cells[0].measured['acc']: expected float, got bool"),
        ([*CELL, "measured", "acc"], 10**400, "out of range"),
        ([*CELL, "measured", "acc"], 1e305, "$.cells[0].measured['acc']: expected float < 1e+300"),
        ([*CELL, "measured", "new"], 1, "cells[0]: score 'new' has no entry in 'meanings'."),
        ([*CELL, "predicted"], {}, "$.cells[0].predicted: expected array, got object"),
        ([*CELL, "predicted", 0, "low"], 99, "$.cells[0]: The prediction of 'acc' needs finite numbers"),
        ([*CELL, "predicted", 0, "level"], 1, "a level between 0 and 1"),
        ([*CELL, "predicted", 0, "model"], ..., "$.cells[0].predicted[0]: object missing required field model"),
        ([*CELL, "latent", "values", 1], "x", "$.cells[0].latent.values[1]: expected float, got str"),
        ([*CELL, "latent", "values"], [0] * 5000, "$.cells[0].latent.values: expected array of length <= 4096"),
        ([*CELL, "latent", "model"], "", "$.cells[0].latent.model: expected str of length >= 1"),
    ],
)
def test_json_names_what_is_wrong(path: list[str | int], value: Any, message: str) -> None:
    with pytest.raises(SvgeError) as error:
        from_json(_changed(path, value))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The document is damaged: it is not JSON"),
        ('{"format":\n oops}', "it is not JSON"),
        (b"\xff\xff\xff", "it is not JSON"),
        ("[" * 100_000, "it is nested more than 100 deep"),
        ('{"a": NaN}', "it is not JSON"),
        ('{"a": 1, "a": 2}', "the field 'a' is given twice in one object"),
        ("1" * 6000, "it is not JSON"),
        ("[]", "it is no export of SVGe Explorer"),
        ("{}", "it is no export of SVGe Explorer"),
    ],
)
def test_text_that_is_no_document(text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match="(?s).*") as error:
        from_json(text)
    assert message in str(error.value)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_damaged_document_opens_rightly_or_gives_one_line(data: st.DataObject) -> None:
    text = to_json([example()], SPACE)
    place = data.draw(st.sampled_from(list(places(json.loads(text)))))
    try:
        space, items = from_json(damaged(text, place, data.draw(st.sampled_from(DAMAGE))))
    except SvgeError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert (space.name, len(items)) in {(SPACE.name, 0), (SPACE.name, 1)}


def test_json_is_bounded() -> None:
    text = to_json([example(), example()], SPACE)
    with pytest.raises(DataError, match=r"document is damaged: it is larger than 1,000 bytes\. Export the cells"):
        from_json(text, max_bytes=1000)
    with pytest.raises(DataError, match="cells: expected at most 1 cells, got 2"):
        from_json(text, max_cells=1)


def test_items_are_checked() -> None:
    cell = SPACE.from_index(0)
    with pytest.raises(InvalidCellError):
        item_for(Cell(("input", "output"), ((0, 1),)), SPACE)
    with pytest.raises(SvgeError, match="Score 'acc' is exported without its meaning"):
        ExportItem(cell, measured={"acc": 1.0})
    with pytest.raises(SvgeError, match="not a finite number"):
        ExportItem(cell, measured={"acc": float("nan")}, meanings=MEANINGS)
    with pytest.raises(SvgeError, match="A latent is exported without the model it belongs to"):
        ExportItem(cell, latent=(1.0,))
    with pytest.raises(SvgeError, match="A label is a text of at most 500 characters; got 501"):
        ExportItem(cell, label="x" * 501)
    with pytest.raises(SvgeError, match="Scores of toy cannot describe a cell of nasbench201"):
        item_for(cell, SPACE, Scores("toy", table().frame, MEANINGS))
    with pytest.raises(SvgeError, match="nasbench201 has no score 'f1'"):
        item_for(cell, SPACE, table(), predicted=[PredictionRow("f1", 1.0, 0.0, 2.0, 0.5, "m")])
    other = ExportItem(cell, measured={"acc": 1.0}, meanings={"acc": ScoreMeaning(**{**ACC.to_dict(), "epochs": 12})})
    with pytest.raises(SvgeError, match="Score 'acc' means different things for two of the cells"):
        to_json([example(), other], SPACE)


def test_a_predicted_column_is_not_exported_as_measured() -> None:
    guess = ScoreMeaning(**{**ACC.to_dict(), "key": "guess", "kind": "predicted"})
    scores = table().with_columns(scores_from_columns("nasbench201", {"guess": np.ones(15_625)}, {"guess": guess}))
    assert set(item_for(SPACE.parse(BEST), SPACE, scores).measured) == {"acc", "loss"}


# ---- CSV and strings ----------------------------------------------------------------------------------------------


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_row() -> None:
    unknown = item_for(SPACE.from_index(0), SPACE, table())
    first, second = rows_of(to_csv([unknown, example()], SPACE))
    assert second["arch_str"] == BEST
    assert (second["index"], second["genotype"], second["naslib"]) == ("6111", "3 3 3 1 3 2", "(2, 2, 0, 2, 2, 3)")
    assert (second["acc"], second["predicted_acc"], second["predicted_acc_low"]) == ("91.6", "91.0", "90.5")
    assert second["predicted_acc_model"] == "svge-1"
    assert first["acc"] == first["predicted_acc"] == ""
    assert second["edges"].startswith("0>1 0>2")
    assert to_csv([], SPACE) == ""


def test_csv_keeps_two_models_apart() -> None:
    second = PredictionRow("acc", 80.0, 70.0, 90.0, 0.5, "gp")
    (row,) = rows_of(to_csv([item_for(SPACE.parse(BEST), SPACE, table(), predicted=[PREDICTION, second])], SPACE))
    assert (row["predicted_acc"], row["predicted_acc_model"]) == ("91.0", "svge-1")
    assert (row["predicted_acc_2"], row["predicted_acc_2_model"]) == ("80.0", "gp")


@given(st.lists(items(), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_no_field_is_a_formula_and_values_survive(basket: list[ExportItem]) -> None:
    rows = rows_of(to_csv(basket, SPACE))
    for row, item in zip(rows, basket, strict=True):
        for name, text in row.items():
            if text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and text:
                float(text)  # only a number may start like that
                assert name not in ("label", "predicted_loss_model")
        assert row["label"].removeprefix("'") == item.label or row["label"] == item.label
        assert {key: float(row[key]) for key in item.measured} == dict(item.measured)


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=HYPERLINK('http://x')"])
def test_formulas_are_neutralised(label: str) -> None:
    (row,) = rows_of(to_csv([ExportItem(SPACE.from_index(0), label=label)], SPACE))
    assert row["label"] == "'" + label


def test_an_exported_csv_can_be_imported() -> None:
    result = import_csv(SPACE, to_csv([example()], SPACE).encode())
    assert result.frame.loc[6111].to_dict() == {"user_acc": 91.6, "user_loss": 91.6}
    assert not any("predicted" in key for key in result.meanings)


def test_strings() -> None:
    assert to_text([example(), example()], SPACE) == BEST + "\n" + BEST + "\n"
    assert naslib_text(SPACE.parse(BEST), SPACE) == "(2, 2, 0, 2, 2, 3)"


# ---- drawings, zip, files -----------------------------------------------------------------------------------------


def test_drawings_have_their_form() -> None:
    item = example()
    assert draw(item, SPACE, "dot").startswith(b"digraph")
    assert b'xmlns="http://www.w3.org/2000/svg"' in draw(item, SPACE, "svg")
    assert draw(item, SPACE, "png").startswith(b"\x89PNG\r\n\x1a\n")
    assert draw(item, SPACE, "pdf").startswith(b"%PDF-")
    assert draw(item, SPACE, "svg", "dark") != draw(item, SPACE, "svg", "light")


def test_zip_holds_everything_and_is_reproducible() -> None:
    basket = [example(), item_for(SPACE.from_index(0), SPACE)]
    content = to_zip(basket, SPACE)
    assert content == to_zip(basket, SPACE)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            *("README.txt", "cells.json", "cells.csv", "architectures.txt"),
            *(f"drawings/001-index-6111.{form}" for form in ("dot", "svg", "png", "pdf")),
            *(f"drawings/002-index-0.{form}" for form in ("dot", "svg", "png", "pdf")),
        }
        assert from_json(archive.read("cells.json"))[1] == tuple(basket)
        assert ACC.describe() in archive.read("README.txt").decode()
    with pytest.raises(SvgeError, match="There is no architecture to export"):
        to_zip([], SPACE)


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet", "txt", "zip", "dot", "svg", "PNG", "pdf"])
def test_save_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cell.{suffix}"
    path.write_text("old")
    save([example()], SPACE, path)
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_save_refusals(tmp_path: Path) -> None:
    with pytest.raises(SvgeError, match="Cannot export to 'cell.pkl': expected .json, .csv"):
        save([example()], SPACE, tmp_path / "cell.pkl")
    with pytest.raises(SvgeError, match="A .svg file shows one architecture; got 2. Use .zip for several."):
        save([example(), example()], SPACE, tmp_path / "cell.svg")
    with pytest.raises(SvgeError, match=r"cell.json cannot be written: there is no folder"):
        save([example()], SPACE, tmp_path / "none" / "cell.json")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cells.json"
    path.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SvgeError, match="cannot be written: No space left on device"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_reader_limits_are_those_of_the_writer() -> None:
    """What may be exported can be read back: a label of the full length."""
    item = ExportItem(SPACE.from_index(0), label="é" * export_json.MAX_TEXT)
    assert from_json(to_json([item], SPACE))[1] == (item,)
