"""Labels of part of a space from a CSV file, and predictors fitted on them from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from svge_core.__main__ import main
from svge_core.data.csv.labels import read_labels, read_meaning
from svge_core.errors import DataError
from svge_core.spaces.registry import get_space
from tests.support.paths import LABELS

NB101 = get_space("nasbench101")
MEANINGS = LABELS


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_labels_by_index_are_sorted_and_repeats_averaged(tmp_path: Path, ending: str) -> None:
    import pandas as pd

    path = tmp_path / f"labels{ending}"
    pd.DataFrame({"index": [7, 3, 7, 9], "acc": [90.0, 80.0, 92.0, np.nan]}).to_csv(path, index=False)
    found = read_labels(path, "acc", NB101)
    assert found.indices.tolist() == [3, 7]
    assert found.values.tolist() == [80.0, 91.0]


def test_labels_by_key_and_by_text(tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("hash,acc\n" + "".join(f"{NB101.key(NB101.from_index(i))},{i}\n" for i in (500, 20)), "utf-8")
    assert read_labels(keys, "acc", NB101).indices.tolist() == [20, 500]
    enas = get_space("enas6")
    texts = tmp_path / "texts.csv"
    cell = enas.from_index(1_234_567)
    texts.write_text(f'arch,acc\n"{enas.format(cell)}",0.7\n', "utf-8")
    assert read_labels(texts, "acc", enas).indices.tolist() == [1_234_567]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,loss\n1,2\n", "labels.csv has no column 'acc'; its columns of numbers are loss"),
        ("name,acc\n1,2\n", "No architecture column: expected one of arch_str"),
        ("index,acc\n1,high\n", "No column of numbers beside the architecture: found acc"),
        ("index,acc\n423624,1\n", "Line 2: A NAS-Bench-101 index lies between 0 and 423623; got 423624"),
        ("index,acc\n-1,1\n", "Line 2: '-1' is not an architecture index"),
        ("index,acc\nx,1\n", "Line 2: 'x' is not an architecture index"),
        ("hash,acc\n" + "0" * 32 + ",1\n", "Line 2: No NAS-Bench-101 cell has the key 0000"),
        ("", "The file is empty"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_labels(path, "acc", NB101)
    assert "\n" not in str(caught.value)


def test_shipped_meanings_can_be_read_and_bad_ones_are_told(tmp_path: Path) -> None:
    for path in MEANINGS.glob("*.json"):
        assert read_meaning(path).key == path.stem
    assert read_meaning(MEANINGS / "nasbench101_valid.json").single_run
    assert "Weight-sharing" in read_meaning(MEANINGS / "enas6_ws_acc.json").title
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"key": "x"}), "utf-8")
    with pytest.raises(DataError, match=r"bad\.json cannot be used: .* has the fields data_set, .*; missing: data_set"):
        read_meaning(bad)
    good = json.loads((MEANINGS / "nasbench101_valid.json").read_text())
    for field, value, expected in (
        ("direction", "up", "'up': expected one of max, min"),
        ("epochs", "108", "'108': expected a whole number from 0 to 1,000,000, or null"),
        ("single_run", "no", "'no': expected true or false"),
        ("title", None, "None: expected a text of at most 500 characters"),
    ):
        bad.write_text(json.dumps({**good, field: value}), "utf-8")
        with pytest.raises(DataError, match=rf"bad\.json cannot be used: Field '{field}' .* cannot be {expected}"):
            read_meaning(bad)
    bad.write_text('{"key": "x", "key": "y"}', "utf-8")
    with pytest.raises(DataError, match="the field 'key' is given twice in one object"):
        read_meaning(bad)
    bad.write_text("key: x", "utf-8")
    with pytest.raises(DataError, match="cannot be used: it is not JSON"):
        read_meaning(bad)
    bad.write_bytes(b"\xef\xbb\xbf" + json.dumps(good).encode())
    assert read_meaning(bad).key == "nasbench101_valid"
    with pytest.raises(DataError, match="cannot be read"):
        read_meaning(tmp_path / "none.json")


def test_labels_and_their_meaning_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--csv", "labels.csv", "--score", "acc"]) == 2
    assert "go together" in capsys.readouterr().err
