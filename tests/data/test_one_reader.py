"""Tables of the kinds that other readers get silently wrong, through every door that takes one."""

import csv
import gzip
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from svge_core.__main__ import main
from svge_core.data import direction_of
from svge_core.data.csv import UserScores, import_csv, read_labels
from svge_core.errors import DataError
from svge_core.search.objectives import make_objective
from svge_core.spaces.registry import get_space

SPACE, NB101 = get_space("nasbench201"), get_space("nasbench101")
A, B = SPACE.format(SPACE.from_index(0)), SPACE.format(SPACE.from_index(6111))


def read(text: str, space=SPACE, **options: Any) -> UserScores:
    return import_csv(space, text.encode(), **options)


def column(found: UserScores, key: str) -> dict[int, float]:
    indices, values = found.frame.index.tolist(), found.frame[key].tolist()
    return {index: value for index, value in zip(indices, values, strict=True) if not math.isnan(value)}


# ---- what spreadsheets write --------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_all_fields_quoted(delimiter: str) -> None:
    rows = [("arch", "acc"), (A, "91.5"), (B, "92")]
    found = read("\n".join(delimiter.join(f'"{field}"' for field in row) for row in rows))
    assert column(found, "user_acc") == {0: 91.5, 6111: 92.0}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_are_read_and_said(delimiter: str) -> None:
    found = read(
        "\n".join(delimiter.join(row) for row in (("arch", "acc", "lat"), (A, "91,5", "3,2"), (B, "92,250", "4")))
    )
    assert column(found, "user_acc") == {0: 91.5, 6111: 92.25}
    assert column(found, "user_lat") == {0: 3.2, 6111: 4.0}
    assert "Numbers have decimal commas: 91,5 is read as 91.5." in found.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("index;n\n5;1,234\n6;7\n", "'1,234'; a decimal comma or thousands? write it without a comma"),
        ('index,acc\n6,1\n12,"9,71"\n', "'9,71'; a decimal comma? write 9.71"),
        ('index,acc\n6,1\n12,"1,234"\n', "'1,234'; a decimal comma or thousands?"),
        ("index;acc\n6;91,5\n12;1.234\n", "'1.234'; the file has decimal commas, so it could be thousands"),
        ("index,acc\n6,1\n7,2\n12,3%\n", "'3%'; other lines of the column have no percent sign"),
        ("index,acc\n6,1\n7,2\n12,1e999\n", "'1e999'; a score is a finite number"),
        ("index,acc\n6,1\n7,2\n12,inf\n", "'inf'; a score is a finite number"),
    ],
)
def test_numbers_that_could_be_two_things_are_named(text: str, reason: str) -> None:
    (rejected,) = read(text).rejected
    assert reason in rejected.reason
    assert rejected.line in (2, 3, 4)


def test_percent_signs_are_read_and_said() -> None:
    found = read(f"arch,acc\n{A},91.5%\n{B},92.25 %\n")
    assert column(found, "user_acc") == {0: 91.5, 6111: 92.25}
    assert found.meanings["user_acc"].unit == "%"
    assert any("percent signs" in note for note in found.notes)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_line_that_names_the_delimiter(first: str) -> None:
    found = read(f"{first}\narch;acc\n{A};91.5\n{B};oops\n")
    assert column(found, "user_acc") == {0: 91.5}
    assert [row.line for row in found.rejected] == [4]


def test_a_delimiter_that_is_none() -> None:
    with pytest.raises(DataError, match=r"says that '\|' separates fields"):
        read("sep=|\narch|acc\n")


@pytest.mark.parametrize("word", ["NA", "nan", "N/A", "NaN", "null", "None", "#N/A", "<NA>"])
def test_what_is_not_known_is_an_empty_field(word: str) -> None:
    found = read(f"index,acc,lat\n11,90,3\n13,{word},5\n14,92,{word}\n")
    assert column(found, "user_acc") == {11: 90.0, 14: 92.0}
    assert column(found, "user_lat") == {11: 3.0, 13: 5.0}
    assert not found.rejected
    mostly = read(f"index,acc,lat\n11,{word},3\n12,91,4\n13,{word},5\n14,{word},6\n")
    assert column(mostly, "user_acc") == {12: 91.0}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "naslib,acc\n(4, 0, 3, 1, 4, 3),91\n(1, 2, 2, 1, 1, 1),92\n",
            "Line 2: 7 fields where the header has 2: put an",
        ),
        ("index,acc\n5,91,\n6,92,\n", "Line 2: 3 fields where the header has 2: remove the comma at its end. Line 3: "),
    ],
)
def test_lines_are_named_before_columns_are_judged(text: str, lines: str) -> None:
    with pytest.raises(DataError) as caught:
        read(text)
    assert lines in str(caught.value)


# ---- which column names the cells, which is a score ---------------------------------------------------------------


def test_row_numbers_are_no_score() -> None:
    found = read(f"Unnamed: 0,arch,acc\n0,{A},91\n1,{B},92\n")
    assert list(found.meanings) == ["user_acc"]
    assert "Column 'Unnamed: 0' numbers the lines and is no score." in found.notes
    assert list(read(f"id,arch,acc\n7,{A},91\n8,{B},92\n").meanings) == ["user_acc"]
    assert list(read(f"id,arch,acc\n7,{A},91\n9,{B},92\n").meanings) == ["user_id", "user_acc"]  # it does not count


def test_architectures_under_a_title_that_is_not_known_stop_the_import() -> None:
    with pytest.raises(
        DataError, match="Column 'cell' holds architectures, such as .*'index' holds numbers: call it 'arch'"
    ):
        read(f"index,cell,acc\n0,{B},91\n1,{A},92\n")
    with pytest.raises(DataError, match="column 'cell' holds architectures, such as .*: call it 'arch'"):
        read(f"cell,acc\n{B},91\n{A},92\n")
    assert column(read(f"arch,parent,acc\n{B},{A},91\n"), "user_acc") == {6111: 91.0}


def test_every_door_reads_capitals_and_semicolons(tmp_path: Path) -> None:
    for text in ("index;acc\n1;90\n2;91\n", "Index,Acc\n1,90\n2,91\n"):
        path = tmp_path / "mine.csv"
        path.write_text(text)
        assert column(import_csv(SPACE, path), "user_acc") == {1: 90.0, 2: 91.0}
        labels = read_labels(path, "acc", SPACE)
        assert (labels.indices.tolist(), labels.values.tolist()) == ([1, 2], [90.0, 91.0])
        assert make_objective([f"csv:{path}:acc"], SPACE).evaluate(SPACE.from_index(2)) == (91.0,)


def test_keys_are_read_by_every_door(tmp_path: Path) -> None:
    keys = [NB101.key(NB101.from_index(index)) for index in (0, 3, 500)]
    lines = "".join(f"{key},{number},{90 + number}\n" for number, key in enumerate(keys))
    for title in ("hash", "Module_Hash"):
        path = tmp_path / "keys.csv"
        path.write_text(f"{title},loss,acc\n{lines}")
        found = import_csv(NB101, path)
        assert column(found, "user_loss") == {0: 0.0, 3: 1.0, 500: 2.0}
        assert read_labels(path, "acc", NB101).indices.tolist() == [0, 3, 500]
        (goal,) = make_objective([f"csv:{path}:loss"], NB101).goals
        assert goal.direction == "min"


def test_packed_files_are_read_as_plain_ones(tmp_path: Path) -> None:
    text = f"arch,latency\n{A},1\n{B},2\n"
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text[:20].encode()) + gzip.compress(text[20:].encode()))  # two members
    first, second = (make_objective([f"csv:{path}:latency"], SPACE) for path in (plain, packed))
    assert first.goals[0].direction == second.goals[0].direction == "min"
    assert first.evaluate(SPACE.from_index(6111)) == second.evaluate(SPACE.from_index(6111)) == (2.0,)
    packed.write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(DataError, match="damaged gzip: it is cut off"):
        import_csv(SPACE, packed)
    with pytest.raises(DataError, match=r"at most 1 MiB are read"):
        import_csv(SPACE, gzip.compress(b"index,a\n" * 10**6), max_bytes=2**20)


def test_archives_are_told_apart() -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("mine.csv", "index,acc\n1,2\n")
    with pytest.raises(DataError, match="a zip archive: unpack it"):
        import_csv(SPACE, memory.getvalue())
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    with pytest.raises(DataError, match=r"a spreadsheet \(xlsx\), not CSV: export it"):
        import_csv(SPACE, memory.getvalue())


def test_blank_lines_cost_nothing() -> None:
    with pytest.raises(DataError, match="more than 1,000 lines"):
        import_csv(SPACE, b"index,a\n1,2\n" + b"\n" * 10**6, max_rows=1000)


def test_means_at_the_end_of_the_range() -> None:
    found = read("index,score\n5,1e308\n5,1.7e308\n6,3\n")
    assert column(found, "user_score") == {5: 1.35e308, 6: 3.0}
    assert [str(each) for each in found.duplicates] == [
        "Lines 2, 3 give architecture 5 different scores; their mean is used."
    ]


def test_titles_in_other_alphabets_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "mine.csv", tmp_path / "tidy.csv"
    path.write_text(f"arch,Präzision,精度,точность\n{B},91,92,93\n", "utf-8")
    assert [meaning.title for meaning in import_csv(SPACE, path).meanings.values()] == ["Präzision", "精度", "точность"]
    assert main(["labels", str(path), "--out", str(out)]) == 0
    capsys.readouterr()
    (row,) = csv.DictReader(out.read_text("utf-8-sig").splitlines())
    assert (row["Präzision"], row["精度"], row["точность"]) == ("91.0", "92.0", "93.0")


# ---- which is better ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "direction"),
    [
        ("val_err", "min"),
        ("valErr", "min"),
        ("Top-1 error (%)", "min"),
        ("loss", "min"),
        ("regret", "min"),
        ("latency (ms)", "min"),
        ("FLOPs", "min"),
        ("n_params", "min"),
        ("peak memory", "min"),
        ("RMSE", "min"),
        ("perplexity", "min"),
        ("train_time", "min"),
        ("energy_mj", "min"),
        ("neg_loss", "max"),
        ("-loss", "max"),
        ("lat", "min"),
        ("acc", "max"),
        ("Accuracy", "max"),
        ("valAcc", "max"),
        ("F1", "max"),
        ("synflow", "max"),
        ("x", None),
        ("score", None),
        ("accuracy loss", None),
        ("terror", None),
        ("blossom", None),
        ("timeline", None),
    ],
)
def test_directions_by_whole_words(title: str, direction: str | None) -> None:
    assert direction_of(title) == direction


def test_a_direction_that_no_word_says_is_said_and_can_be_given(tmp_path: Path) -> None:
    found = read("index,val_err,quality\n5,8.4,1\n")
    assert [meaning.direction for meaning in found.meanings.values()] == ["min", "max"]
    assert list(found.directions) == [
        "Read off the names of the columns: less is better in 'val_err'.",
        "Column 'quality': its name does not say whether more or less is better; more is taken.",
    ]
    turned = read("index,val_err,quality\n5,8.4,1\n", directions={"quality": "min", "val_err": "max"})
    assert [meaning.direction for meaning in turned.meanings.values()] == ["max", "min"]
    assert not turned.remarks()
    path = tmp_path / "mine.csv"
    path.write_text("index,val_err\n9930,8.4\n12,90.3\n")
    for word, direction in (("val_err", "min"), ("val_err:min", "min"), ("val_err:max", "max")):
        (goal,) = make_objective([f"csv:{path}:{word}"], SPACE).goals
        assert goal.direction == direction


def test_labels_command_tells_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,quality\n9930,91.2\n99999,50\n12,oops\n")
    assert main(["labels", str(path), "--json", "--direction", "quality=min"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [line.partition(":")[0] for line in said["rejected"]] == ["Line 3", "Line 4"]
    assert "lower is better" in said["scores"]["user_quality"]
    assert said["notes"] == []


# ---- an independent reader ----------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.integers(-2, 15_700),
            st.sampled_from(["", "NA", "1", "2.5", "-3e2", "x", "1e400", "4%"]),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_values_are_those_of_a_reader_written_from_the_rules(
    rows: list[tuple[int, str, int]], delimiter: str, quoted: bool
) -> None:
    """Whatever lines are used carry the value of their own cell; every other line is named."""
    quote = '"' if quoted else ""
    text = delimiter.join(("index", "acc", "note")) + "\n"
    for index, value, extra in rows:
        fields = [f"{quote}{index}{quote}", f"{quote}{value}{quote}", *["n"] * (extra % 3)]
        text += delimiter.join(fields) + "\n"
    expected: dict[int, list[float]] = {}
    bad: list[int] = []
    whole = [value for _, value, extra in rows if extra % 3 == 1]
    numbers = [value for value in whole if value not in ("", "NA", "x")]
    percent = bool(numbers) and all(value.endswith("%") for value in numbers)
    for line, (index, value, extra) in enumerate(rows, start=2):
        plain = value.removesuffix("%") if percent else value
        right = extra % 3 == 1 and 0 <= index < 15_625 and plain in ("1", "2.5", "-3e2", "4")
        if right:
            expected.setdefault(index, []).append(float(plain))
        else:
            bad.append(line)
    filled = [value for value in whole if value not in ("", "NA")]
    try:
        found = read(text)
    except DataError:
        assert not expected or 2 * len(numbers) < len(filled)
        return
    assert column(found, "user_acc") == {index: float(np.mean(values)) for index, values in expected.items()}
    assert [row.line for row in found.rejected] == bad
