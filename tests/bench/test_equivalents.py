"""The paired bench of searches with and without equivalent cells: its arithmetic, and one run both ways."""

import gzip
import statistics
from pathlib import Path
from typing import Any

import pytest

from bench import equivalents
from bench.equivalents import of_table, paired, run
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")


def found(seed: int, hit: int | None, evaluations: int = 10, repeats: int = 0, cpu: float = 1.0) -> dict[str, Any]:
    return {"seed": seed, "hit": hit, "evaluations": evaluations, "asks": 10, "repeats": repeats, "cpu_seconds": cpu}


def test_pairs_are_compared_seed_by_seed() -> None:
    everything = [found(1, 30, repeats=2), found(0, 10, repeats=1), found(2, None), found(9, 1)]
    once = [found(0, 10, cpu=3.0), found(2, 50, cpu=3.0), found(1, 20, cpu=3.0)]
    row = paired(everything, once, 100)
    differences = [0, -10, -51]  # a run without the optimum counts as one evaluation more than the budget
    assert row["seeds"] == 3 and row["difference"] == statistics.mean(differences)
    assert row["standard_error"] == pytest.approx(statistics.stdev(differences) / 3**0.5)
    assert (row["earlier"], row["together"], row["later"]) == (2, 1, 0)
    assert (row["median_all"], row["median_once"]) == (30.0, 20.0)
    assert row["repeats_all"] == pytest.approx(0.1) and row["cpu_per_ask_ratio"] == pytest.approx(3.0)


def test_a_median_that_was_not_reached_is_a_bound() -> None:
    assert paired([found(0, None)], [found(0, 3)], 50)["median_all"] == "> 50"


def test_both_ways_end_at_the_best_value_and_repeats_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of 60 cells: once never repeats a function; counted here by the space's keys."""
    cells = [SPACE.from_index(index) for index in range(60)]
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("index,score\n" + "".join(f"{index},{index}\n" for index in range(60)))
    monkeypatch.setattr(equivalents, "TABLES", {"t": ("t.csv.gz", "score")})
    monkeypatch.setattr(equivalents, "PARTIAL", ("t",))
    about = of_table("t", tmp_path)
    keys = [SPACE.key(cell) for cell in cells]
    assert about["cells"] == 60 and about["functions"] == len(set(keys)) and about["best"] == 59
    assert about["best_has_equivalents"] == keys.count(keys[59]) - 1
    everything = run("t", "random", 3, tmp_path, 60, False)
    once = run("t", "random", 3, tmp_path, 60, True)
    assert everything["hit"] == everything["evaluations"] <= 60
    assert once["repeats"] == 0 and once["evaluations"] <= len(set(keys))
    assert (once["hit"] is None) == (about["best_when_once"] < 59)
