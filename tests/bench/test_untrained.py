"""The benchmark of untrained statistics: its sample, its correlations against counted pairs, its file."""

import csv
import gzip
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.harness import results as results_table
from bench.untrained import ACCURACIES, COLUMNS, main, rows_of, sample
from svge_core.errors import SvgeError
from svge_core.networks import STATISTICS, UntrainedProtocol, untrained_statistics
from svge_core.spaces import get_space

SMALL = ["--side", "8", "--channels", "4", "--batch", "4", "--initialisations", "1", "--seed", "5"]


def write(path: Path, names: tuple[str, ...], rows: dict[int, list[float]]) -> Path:
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["index", *names])
        writer.writerows([index, *values] for index, values in rows.items())
    return path


@pytest.fixture
def tables(tmp_path: Path, rng: np.random.Generator) -> list[str]:
    """Made-up tables; the published one lacks a cell that the other has, and the other way round."""
    indices = rng.choice(15_625, size=13, replace=False).tolist()
    published = {index: rng.normal(size=4).tolist() for index in indices[:-1]}
    trained = {index: rng.normal(size=3).tolist() for index in indices[1:]}
    return [
        *("--published", str(write(tmp_path / "published.csv.gz", STATISTICS, published))),
        *("--accuracies", str(write(tmp_path / "trained.csv.gz", tuple(ACCURACIES.values()), trained))),
    ]


def test_it_measures_the_sampled_cells(
    tables: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    assert main([*tables, *SMALL, "--cells", "11", "--json"]) == 0
    output = capsys.readouterr()
    rows: list[dict[str, Any]] = json.loads(output.out)
    assert [row["statistic"] for row in rows] == [*STATISTICS, "all four"]
    assert {name for row in rows for name in row} == set(COLUMNS)
    assert "11 of 11 cells" in output.err
    stored = json.loads((tmp_path / "bench/results/untrained.json").read_text())
    assert stored["rows"] == rows and stored["settings"]["batch"] == 4
    assert stored["command"].startswith("python -m bench.untrained --published published.csv.gz --accuracies trained")
    # 11 of the 11 cells of both tables, in the order of their indices
    with gzip.open(tables[1], "rt") as one, gzip.open(tables[3], "rt") as other:
        first, second = ({int(line["index"]): line for line in csv.DictReader(file)} for file in (one, other))
    indices = sorted(set(first) & set(second))
    space = get_space("nasbench201")
    protocol = UntrainedProtocol(8, 4, 1, 4, 1, seed=5)
    table = untrained_statistics(space, [space.from_index(index) for index in indices], protocol)
    for column, row in enumerate(rows[:4]):
        theirs = [float(first[index][row["statistic"]]) for index in indices]
        assert row["spearman_published"] == pytest.approx(spearman(table.values[:, column].tolist(), theirs))
        assert row["dead"] == table.dead.sum()


def spearman(one: list[float], other: list[float]) -> float:
    """Pearson's correlation of the ranks, ties having their mean rank."""
    ranks = [
        [sum(v < value for v in values) + sum(v == value for v in values) / 2 for value in values]
        for values in (one, other)
    ]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def kendall(one: np.ndarray, other: np.ndarray) -> float:
    """Pairs in the same order less those in another, of all; without ties."""
    signs = [np.sign((one[i] - one[j]) * (other[i] - other[j])) for i, j in combinations(range(len(one)), 2)]
    return float(np.mean(signs))


def test_correlations_are_those_of_counted_pairs(rng: np.random.Generator) -> None:
    ours, published, trained = rng.normal(size=(9, 4)), rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
    rows = rows_of(ours, np.zeros(9, dtype=bool), published, trained, 1.8)
    for column, row in enumerate(rows[:-1]):
        for place, data in enumerate(ACCURACIES):
            assert row[f"kendall_{data}"] == pytest.approx(kendall(ours[:, column], trained[:, place]))
            assert row[f"published_kendall_{data}"] == pytest.approx(kendall(published[:, column], trained[:, place]))
    assert rows[-1]["cpu_seconds_per_1000_cells"] == pytest.approx(200)


def test_the_sample_is_seeded_and_without_repeats() -> None:
    known = list(range(100, 0, -1))
    assert sample(known, 20, 1) == sample(known[::-1], 20, 1) != sample(known, 20, 2)
    assert len(set(sample(known, 100, 0))) == 100
    with pytest.raises(SvgeError, match="Expected at most 100 cells, as both tables hold so many; got 101"):
        sample(known, 101, 0)


def test_mistakes_are_named(tables: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tables, "--cells", "99"]) == 2
    assert "Expected at most 11 cells" in capsys.readouterr().err
    assert main([*tables, "--batch", "1"]) == 2
    assert "Expected batch to be at least 2; got 1" in capsys.readouterr().err
    wrong = write(tmp_path / "wrong.csv.gz", ("synflow",), {1: [2.0]})
    assert main(["--published", str(wrong), *tables[2:]]) == 2
    assert "Expected a column 'nwot' in wrong.csv.gz; it has index, synflow." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*tables, "--cells", "1"])
