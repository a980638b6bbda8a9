"""The peers of the predictor: the path encoding against hand-written paths, equal draws, and runs that go on."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from bench import predictor_peers
from bench.harness.path_encoding import columns_of, encoded, paths
from bench.predictor_peers import JOINT, TREES, boosted_trees, main, parts
from svge_core.cells import Cell
from svge_core.data.csv import Labels
from svge_core.spaces import get_space
from tests.support.core import tiny_model, write_sampled_checkpoint
from tests.support.paths import LABELS

SPACE = get_space("nasbench101")


def test_paths_of_a_diamond() -> None:
    cell = Cell(("input", "a", "b", "a", "output"), ((0, 1), (0, 2), (0, 4), (1, 3), (2, 3), (3, 4)))
    assert paths(cell) == {(), ("a", "a"), ("b", "a")}


@pytest.mark.parametrize("name", ["nasbench101", "nasbench201", "enas6"])
def test_paths_are_those_that_networkx_lists(name: str, rng: np.random.Generator) -> None:
    space = get_space(name)
    for _ in range(20):
        cell = space.random_cell(rng)
        graph = nx.DiGraph(list(cell.edges))
        listed = nx.all_simple_paths(graph, 0, cell.num_nodes - 1)
        assert paths(cell) == {tuple(cell.ops[node] for node in path[1:-1]) for path in listed}


def test_columns_leave_out_what_no_split_could_use() -> None:
    sets = [frozenset({("a",), ("b",)}), frozenset({("a",)}), frozenset({("a",), ("b",), ("c",)}), frozenset[Any]()]
    assert columns_of(sets, 1) == [("a",), ("b",), ("c",)]
    assert columns_of(sets, 2) == [("b",)]
    assert encoded(sets, [("b",), ("c",)]).tolist() == [[1, 0], [0, 0], [1, 1], [0, 0]]


def test_trees_learn_what_one_path_is_worth() -> None:
    indices = np.arange(0, SPACE.size, 1_500)
    cells = [SPACE.from_index(int(index)) for index in indices]
    values = np.array([90.0 + 3.0 * (("conv3x3-bn-relu", "conv1x1-bn-relu") in paths(cell)) for cell in cells])
    values += 0.01 * np.arange(len(values)) / len(values)
    found = boosted_trees(SPACE, single_runs=False)(Labels(indices[::2], values[::2]), indices[1::2], 0)
    assert np.mean(np.abs(found - values[1::2]) < 0.5) > 0.98


def test_draws_are_those_of_the_other_benchmarks() -> None:
    pool = Labels(np.arange(30) * 10, np.where(np.arange(30) == 4, np.nan, np.arange(30.0)))
    labelled, held = parts(pool, 7, None, seed=3)
    wanted = np.random.default_rng(3).choice(np.flatnonzero(np.isfinite(pool.values)), size=7, replace=False)
    assert labelled.indices.tolist() == (wanted * 10).tolist()
    assert sorted([*labelled.values, *held.values]) == [float(i) for i in range(30) if i != 4]
    labelled, held = parts(pool, 7, 5, seed=3)
    order = np.random.default_rng(3).permutation(30)
    assert labelled.indices.tolist() == (order[:7] * 10).tolist()
    assert held.indices.tolist() == (order[7:12] * 10).tolist()


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, Any] = {}

    def save(name: str, rows: list[dict[str, Any]], settings: dict[str, Any], command: str) -> None:
        stored.update(json.loads(json.dumps({"rows": rows, "settings": settings})))

    monkeypatch.setattr(predictor_peers, "save_results", save)
    monkeypatch.setattr(predictor_peers, "read_results", lambda name: stored or None)
    measured: list[tuple[int, int]] = []
    real = predictor_peers.one
    monkeypatch.setattr(
        predictor_peers, "one", lambda *given: (measured.append((len(given[1].indices), given[3])), real(*given))[1]
    )
    params = SPACE.costs()[::4_000, 0]
    table = tmp_path / "labels.csv"
    table.write_text("index,acc\n" + "".join(f"{4_000 * i},{90 + np.log(p):.4f}\n" for i, p in enumerate(params)))
    write_sampled_checkpoint(tmp_path / "model", tiny_model(SPACE))
    words = ["--space", "nasbench101", "--csv", str(table), "--score", "acc", "--held-out", "20", "--sizes", "20"]
    words += ["--meaning", str(LABELS / "nasbench101_valid.json"), "--checkpoint", str(tmp_path / "model")]
    assert main([*words, "--draws", "2", "--joint-draws", "1"]) == 0
    assert [(row["predictor"], len(row["draws"])) for row in stored["rows"]] == [(TREES, 2), (JOINT, 1)]
    first, measured[:] = stored["rows"], []
    assert main([*words, "--draws", "3", "--joint-draws", "1"]) == 0
    assert measured == [(20, 2)], "only what was not known"
    assert stored["rows"][0]["draws"][:2] == first[0]["draws"]
    assert stored["rows"][1] == first[1]
    assert main([*words[:-6], "--sizes", "99", *words[-4:]]) == 2
