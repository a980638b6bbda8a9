"""The user's CSV: every notation, every refusal with its text, and round trips against pandas' own writer."""

import io
import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.data.csv.scores import UserScores, import_csv
from svge_core.errors import DataError
from svge_core.spaces.nasbench201 import NASBench201, naslib_tuple
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")
A, B, C = (SPACE.format(SPACE.from_index(index)) for index in (0, 6111, 9930))
INDICES = st.integers(0, 15_624)
VALUES = st.floats(allow_nan=False, allow_infinity=False, width=64)


def read(text: str, **options) -> UserScores:
    return import_csv(SPACE, text.encode(), **options)


# ---- what is read -------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(INDICES, VALUES, st.none() | VALUES), min_size=1, max_size=20, unique_by=lambda row: row[0]))
@settings(max_examples=40, deadline=None)
def test_pandas_files_round_trip(rows: list[tuple[int, float, float | None]]) -> None:
    frame = pd.DataFrame(
        {
            "arch": [SPACE.format(SPACE.from_index(index)) for index, _, _ in rows],
            "acc": [accuracy for _, accuracy, _ in rows],
            "top5": pd.Series([top5 for _, _, top5 in rows], dtype=float),
            "note": ["=cmd()"] * len(rows),
        }
    )
    result = import_csv(SPACE, frame.to_csv(index=False).encode())
    expected = {index: accuracy for index, accuracy, _ in rows}
    assert dict(result.frame["user_acc"]) == expected  # to the last bit
    if any(top5 is not None for _, _, top5 in rows):
        for index, _, top5 in rows:
            found: Any = result.frame.loc[index, "user_top5"]
            assert np.isnan(found) if top5 is None else found == top5
    assert "note" in result.ignored_columns
    assert not result.rejected


@pytest.mark.parametrize("column", ["arch", "arch_str", "Architecture", "ARCH"])
def test_notation_columns(column: str) -> None:
    assert list(read(f"{column},score\n{A},1\n{B},2\n").frame.index) == [0, 6111]


@given(INDICES)
@settings(max_examples=30, deadline=None)
def test_other_notations(index: int) -> None:
    genotype = SPACE.genotype(SPACE.from_index(index))
    digits = "".join(map(str, genotype))
    naslib = str(naslib_tuple(genotype))
    for header, text in (
        ("index", str(index)),
        ("index", f"{index}.0"),
        ("genotype", digits),
        ("code", digits),
        ("code", " ".join(digits)),
        ("code", f'"[{", ".join(digits)}]"'),
        ("code", "-".join(digits)),
        ("naslib", f'"{naslib}"'),
        ("naslib_tuple", f'"{naslib}"'),
        ("arch", f'"{naslib}"'),
    ):
        assert list(read(f"{header},score\n{text},1\n").frame.index) == [index], (header, text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_dialects(delimiter: str, newline: str, mark: str) -> None:
    lines = [delimiter.join(row) for row in (["arch", "val acc", "top5"], [A, "91.5", ""], [], [B, "1e1", "+.5"])]
    result = read(mark + newline.join(lines))
    assert result.frame.loc[0, "user_val_acc"] == 91.5
    assert list(result.frame.loc[6111]) == [10.0, 0.5]
    assert result.summary() == "2 architectures with 2 scores from 2 lines."


def test_meanings_are_labelled_as_the_users() -> None:
    result = read(f"arch,acc,Acc!,latency (ms),<b>x</b>\n{A},1,2,3,4\n", name="mine.csv", directions={"acc": "min"})
    assert list(result.meanings) == ["user_acc", "user_acc_2", "user_latency_ms", "user_b_x_b"]
    assert [meaning.direction for meaning in result.meanings.values()] == ["min", "max", "min", "max"]
    assert result.meanings["user_acc_2"].title == "Acc!"
    meaning = result.meanings["user_acc"]
    assert (meaning.data_set, meaning.kind, meaning.source) == ("your file", "measured", "your file mine.csv")


def test_predictions_are_never_taken_for_scores() -> None:
    result = read(f"arch,acc,predicted_acc,predicted_acc_low,latent_0\n{A},1,2,3,4\n")
    assert list(result.meanings) == ["user_acc"]
    assert result.ignored_columns == ("predicted_acc", "predicted_acc_low", "latent_0")


def test_table_over_the_space() -> None:
    scores = read(f"arch,acc\n{B},91.5\n").to_scores(SPACE)
    assert len(scores.frame) == 15_625
    assert scores.of(6111) == {"user_acc": 91.5}
    assert scores.describe("user_acc").endswith("Source: your file uploaded file (1 of 15,625 cells)")


def test_path_and_its_name(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    file.write_text(f"arch,acc\n{A},1\n")
    assert import_csv(SPACE, file).meanings["user_acc"].source == "your file runs.csv"
    with pytest.raises(DataError, match="The file cannot be read: No such file or directory"):
        import_csv(SPACE, tmp_path / "none.csv")


def test_duplicates_are_averaged_and_reported() -> None:
    result = read(f"arch,acc,top5\n{A},1,10\n{B},5,\n{A},2,\n{B},5,\n{A},6,20\n")
    assert list(result.frame.loc[0]) == [3.0, 15.0]
    assert result.frame.loc[6111, "user_acc"] == 5.0
    assert [str(duplicate) for duplicate in result.duplicates] == [
        "Lines 2, 4, 6 give architecture 0 different scores; their mean is used."
    ]
    assert "1 architecture averaged over lines that differ" in result.summary()


def test_a_space_without_enumeration_keeps_its_cells() -> None:
    class Unlisted(NASBench201):
        size = None

    result = import_csv(Unlisted(), f"arch,acc\n{B},1\n{A},2\n{B},3\n".encode())
    assert result.cells == (SPACE.parse(B), SPACE.parse(A))
    assert result.frame["user_acc"].tolist() == [2.0, 2.0]
    assert B in str(result.duplicates[0])
    with pytest.raises(DataError, match="too many for a list"):
        result.to_scores(Unlisted())


# ---- lines that are rejected --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{B},nan", "no score is given."),
        (f"{B},n/a", "no score is given."),
        (f"{B},oops", "column 'acc' holds 'oops'; a score is a finite number such as 91.2 (leave the field empty"),
        (f"{B},inf", "column 'acc' holds 'inf'"),
        (f"{B},-Infinity", "column 'acc' holds '-Infinity'"),
        (f"{B},1e999", "column 'acc' holds '1e999'"),
        (f"{B},1_0", "column 'acc' holds '1_0'"),
        (f"{B},٣", "column 'acc' holds '٣'"),
        (f"{B},91%", "column 'acc' holds '91%'"),
        (f"{B},", "no score is given."),
        (",5", "no architecture is given."),
        (f"{B},5,6", "3 fields where the header has 2."),
        (f"{B}", "1 fields where the header has 2."),
        ("|conv~0|,5", "Not a NAS-Bench-201 architecture string: expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"),
        (B.replace("skip_connect", "sep_conv") + ",5", "Unknown operation 'sep_conv' in the architecture string"),
        ('"(4, 0, 3, 1, 4)",5', "A NASLib NAS-Bench-201 tuple is six op indices from 0 to 4"),
        ('"(4, 0, 3, 1, 4, 9)",5', "A NASLib NAS-Bench-201 tuple is six op indices from 0 to 4"),
        ("__import__('os').mkdir('/tmp/x'),5", "Not a NAS-Bench-201 architecture string"),
        ('"=HYPERLINK(""x"")",5', "Not a NAS-Bench-201 architecture string"),
    ],
)
def test_rejected_lines_are_named(row: str, reason: str) -> None:
    result = read(f"arch,acc\n{A},1\n\n{row}\n{C},2\n")
    (rejected,) = result.rejected
    assert rejected.line == 4
    assert str(rejected).startswith("Line 4: ")
    assert reason in rejected.reason
    assert list(result.frame.index) == [0, 9930]
    assert "1 line rejected" in result.summary()


@pytest.mark.parametrize(
    ("header", "text", "reason"),
    [
        ("index", "15625", "A NAS-Bench-201 index lies between 0 and 15624; got 15625."),
        ("index", "-1", "'-1' is not an architecture index."),
        ("index", "1.5", "'1.5' is not an architecture index."),
        ("index", "9" * 5000, "is not an architecture index."),
        ("code", "21121", "'21121' is not a genotype of 6 operation digits of NAS-Bench-201 (did a spreadsheet drop"),
        ("code", "021129", "A NAS-Bench-201 genotype is 6 digits from 0 to 4"),
        ("code", "0x1 2", "'0x1 2' is not a genotype of 6 operation digits"),
        ("naslib", "432101", "'432101' is not a NASLib tuple such as (4, 0, 3, 1, 4, 3)."),
    ],
)
def test_other_notations_reject_with_a_reason(header: str, text: str, reason: str) -> None:
    with pytest.raises(DataError) as error:
        read(f"{header},score\n{text},1\n")
    assert str(error.value).startswith("No line could be used (1 line read). Line 2: ")
    assert reason in str(error.value)


def test_naslib_tuples_belong_to_nasbench201() -> None:
    with pytest.raises(DataError, match="looks like a NASLib tuple, which is read for NAS-Bench-201 only"):
        import_csv(get_space("enas6"), b'arch,acc\n"(4, 0, 3, 1, 4, 3)",1\n')


def test_architecture_columns_must_agree() -> None:
    result = read(f"arch_str,index,acc\n{A},0,1\n{A},5,1\n")
    assert [str(row) for row in result.rejected] == [
        "Line 3: columns 'arch_str' and 'index' name different architectures."
    ]


def test_line_numbers_survive_quoted_newlines() -> None:
    result = read(f'arch,note,acc\n{A},"two\nlines",1\n{B},x,oops\n{C},x,2\n')
    assert [row.line for row in result.rejected] == [4]


# ---- files that are refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"The file is empty: expected a header line and one line per architecture."),
        (b" \n\n", r"The file is empty"),
        (b"arch,acc\n", r"has a header but no lines below it"),
        (b"arch,acc\n\xff\xfe,1\n", r"not UTF-8 text \(byte 9\): save it as 'CSV UTF-8'."),
        (b"PK\x03\x04rest", r"is a zip archive: unpack it and give the CSV file in it"),
        (b"PK\x03\x04..xl/workbook.xml", r"is a spreadsheet \(xlsx\), not CSV: export it as 'CSV UTF-8' first"),
        (b"\xd0\xcf\x11\xe0rest", r"is a spreadsheet \(xls\), not CSV"),
        (b"\x1f\x8bno gzip", r"is damaged gzip"),
        (b"arch,acc\n\x00,1\n", r"is not CSV: it holds binary zeros"),
        (b'arch,acc\n"open,1\n', r"is not CSV: line 2 cannot be split into fields"),
        (b'"open', r"is not CSV: line 1 cannot be split into fields"),
        (b"arch,acc\n" + b"x" * 200_000 + b",1\n", r"line 2 cannot be split into fields \(field larger than"),
        (b"name,acc\nx,1\n", r"No architecture column: expected one of arch_str, .*; the first line is name, acc."),
        (b"\narch,acc\nx,1\n", r"the first line is blank"),
        (b"arch\nx\n", r"No column of numbers beside the architecture: there is no other column. Add a column"),
        (b"arch,note\nx,good\n", r"No column of numbers beside the architecture: found note."),
        (b"arch,acc,ACC\nx,1,2\n", r"Two columns are called 'acc': give each its own name."),
        (b"arch," + b",".join(b"c%d" % n for n in range(200)) + b"\n", r"has 201 columns; at most 200 are read"),
    ],
)
def test_refused_files(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        import_csv(SPACE, content)
    assert len(str(error.value).splitlines()) == 1


def test_limits(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as handle:
        handle.truncate(3 * 2**20)  # sparse: it must be refused before it is read
    with pytest.raises(DataError, match=r"The file has 3.0 MiB; at most 2 MiB are read. Split it."):
        import_csv(SPACE, file, max_bytes=2 * 2**20)
    with pytest.raises(DataError, match="The file has more than 2 lines: split it."):
        read(f"arch,acc\n{A},1\n{B},1\n{C},1\n", max_rows=2)


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | st.text("arch,;\t\n\"'=()|~0123+-.").map(str.encode)
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_scores_or_one_clear_line(content: bytes) -> None:
    for data in (content, b"arch,score\n" + content, f"arch,score\n{A},1\n".encode() + content):
        try:
            result = import_csv(SPACE, data)
        except DataError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert len(result.frame) >= 1


def test_a_whole_space_is_read() -> None:
    frame = pd.DataFrame({"arch": [SPACE.format(cell) for cell in islice(SPACE.enumerate(), 2_000)]})
    frame["acc"] = np.arange(len(frame)) / 7
    buffer = io.BytesIO()
    frame.to_csv(buffer)  # with pandas' nameless first column
    result = import_csv(SPACE, buffer.getvalue())
    assert np.array_equal(result.frame["user_acc"], frame["acc"])
    assert not math.isnan(result.frame["user_acc"].sum())
