"""Existing labels that a search starts from: they are of the goal, or are refused; what is not used is told."""

from pathlib import Path

import pytest

from svge_core.errors import DataError
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.types import SearchConfig
from tests.support.runs import started


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("index,acc\n5,91.2\n6,99.9\n", "a label of 99.9, better than 91.6"),
        ("index,acc\n5,0.912\n6,0.5\n", "runs from 0.5 to 0.912, as fractions do; the goal .* is in %"),
        ("index,acc\n5,912\n6,50\n", "runs from 50 to 912; the goal .* is in %"),
        ("index,val_err\n5,8.4\n6,9.1\n", "'val_err' of mine.csv is a number of which less is better"),
        ("index,acc,other\n5,91,1\n", "has no column 'cifar10_valid'; its columns of numbers are acc, other"),
    ],
)
def test_labels_of_another_number_are_refused(storage: str, tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=problem):
        started(storage, start_csv=str(path), objective=("table:cifar10_valid",))
    assert list_runs(storage) == []


def test_labels_that_are_not_used_are_told(storage: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('index,acc\n9930,91.2\n99999,50\n12,"9,71"\n')
    told: list[str] = []
    config = SearchConfig("nasbench201", ("table:cifar10_valid",), "random", 3, start_csv=str(path))
    name = create_run(storage, config, told=told.append)
    assert [line.split(":")[0] for line in told[:2]] == ["Line 3", "Line 4"]
    assert told[2].startswith("Column 'acc' is taken for the goal")
    assert len(told) == 3
    assert [e.values for e in read_run(storage, name).done] == [(91.2,)]
