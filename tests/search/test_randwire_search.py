"""RandWire in the search lab: GraphPNAS's view of it, generative searchers, and the benchmark with made-up training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import randwire
from bench.harness.randwire_runs import FRESH, Line, Store, families_in_words, family_of, row, seed_noise
from svge_core.cells.cell import Cell
from svge_core.errors import DataError
from svge_core.graphpnas.fitting import RefitOptions
from svge_core.graphpnas.recurrent import RecurrentOptions
from svge_core.graphpnas.space_views import Graphs, to_cells, to_graphs, view_of
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.objectives.digits_training import DigitsAccuracy
from svge_core.search.searchers import generative
from svge_core.search.searchers.generative import GraphPNAS, GraphPNASOptions, RecurrentSearch
from svge_core.spaces import RandWire
from svge_core.spaces.randwire import inner_edges
from svge_core.spaces.randwire_generators import RANDWIRE_FAMILIES

SPACE = RandWire()


def test_graphpnas_sees_the_inner_nodes(rng: np.random.Generator) -> None:
    cells = [SPACE.canonical(SPACE.random_cell(rng)) for _ in range(6)]
    view, graphs = view_of(SPACE), to_graphs(SPACE, cells)
    assert view.nodes == 32 and not view.node_labels and not view.edge_labels
    assert graphs.edges.sum((1, 2)).tolist() == [len(inner_edges(cell)) for cell in cells]
    assert to_cells(SPACE, graphs) == cells
    cut = Graphs(graphs.edges * 0, graphs.labels, graphs.sizes)
    assert to_cells(SPACE, cut) == [None] * 6


@pytest.mark.parametrize("name", ["graphpnas", "lstm"])
def test_generative_methods_search_the_space(
    name: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one epoch teaches nothing, so that most draws have too many edges: look at one draw alone
    monkeypatch.setattr(generative, "_ROUNDS", 1)
    domain = Domain(SPACE)
    quick = GraphPNASOptions(4, RefitOptions(keep=2, epochs=1, batch=2))
    lstm = RecurrentSearch(domain, RecurrentOptions(hidden=8, keep=2, epochs=1), warm_up=4)
    searcher = GraphPNAS(domain, quick) if name == "graphpnas" else lstm
    cells = [proposal.cell for proposal in searcher.propose(History(), 4, rng)]
    history = History(observations=tuple(Observation(i, cell, (float(i),)) for i, cell in enumerate(cells)))
    (proposal,) = searcher.propose(history, 1, rng)
    assert SPACE.canonical(proposal.cell) == proposal.cell and proposal.cell not in history.taken


# the benchmark, with made-up training


class Training:
    """Fewer edges are better, and every seed adds its own noise; notes what was trained and can break off."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.calls: list[tuple[Cell, int, int]] = []
        self.stop_after = stop_after

    def __call__(self, cell: Cell, seeds: int, first_seed: int, training: object) -> DigitsAccuracy:
        if len(self.calls) >= self.stop_after:
            raise KeyboardInterrupt
        self.calls.append((cell, seeds, first_seed))
        noise = np.random.default_rng([first_seed, len(cell.edges)]).normal(size=seeds)
        values = tuple((90 - len(inner_edges(cell)) / 10 + noise).tolist())
        return DigitsAccuracy(values, tuple(value - 1 for value in values))


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def save(name: str, rows: Any, settings: Any, command: str) -> None:
        found.update(name=name, rows=rows, settings=settings, command=command)

    monkeypatch.setattr(randwire, "save_results", save)
    return found


def arguments(tmp_path: Path, *methods: str) -> list[str]:
    words = ["--methods", *(methods or ("random", "random-ws", "random-er", "random-ba"))]
    return [*words, "--seeds", "2", "--budget", "7", "--batch", "3", "--top", "2", "--runs", str(tmp_path / "r.jsonl")]


def test_rows_follow_from_the_stored_evaluations(
    tmp_path: Path, saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training = Training()
    monkeypatch.setattr(randwire, "digits_accuracy", training)
    assert randwire.main(arguments(tmp_path)) == 0
    assert len(training.calls) == 4 * 2 * (7 + 2)
    rows = {found["method"]: found for found in saved["rows"]}
    assert (rows["random-ws"]["edges"], rows["random-ba"]["edges"]) == (64.0, 135.0)
    lines = [json.loads(text) for text in (tmp_path / "r.jsonl").read_text().splitlines()][1:]
    mine = [line for line in lines if line["method"] == "random-er"]
    for seed in (0, 1):
        first = [line for line in mine if line["seed"] == seed and line["kind"] == "search"]
        again = [line for line in mine if line["seed"] == seed and line["kind"] == "again"]
        best = sorted(first, key=lambda line: -line["validation"][0])[:2]
        assert [line["cell"] for line in again] == [line["cell"] for line in best]
        assert all(len(line["validation"]) == 3 for line in again)
        assert len({line["cell"] for line in first}) == 7
    assert {(seeds, first) for _, seeds, first in training.calls} == {(1, 0), (1, 1), (3, FRESH)}
    tops = [np.mean([line["test"] for line in mine if line["seed"] == s and line["kind"] == "again"]) for s in (0, 1)]
    assert rows["random-er"]["top_test"] == pytest.approx(np.mean(tops))
    assert rows["random-er"]["top_test_sd"] == pytest.approx(np.std(tops, ddof=1))
    assert "RandWire-digits" in saved["settings"]["score"] and "16 wirings trained again" in saved["settings"]["noise"]
    assert "standard deviation" in capsys.readouterr().out


@pytest.mark.parametrize("stop", [0, 4, 8, 12])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    stop: int, tmp_path: Path, saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Training()
    monkeypatch.setattr(randwire, "digits_accuracy", whole)
    assert randwire.main(arguments(tmp_path / "whole", "evolution")) == 0
    first, second = Training(stop), Training()
    monkeypatch.setattr(randwire, "digits_accuracy", first)
    with pytest.raises(KeyboardInterrupt):
        randwire.main(arguments(tmp_path, "evolution"))
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"kind": "sea')  # killed in the middle of a line
    monkeypatch.setattr(randwire, "digits_accuracy", second)
    assert randwire.main(arguments(tmp_path, "evolution")) == 0
    assert first.calls + second.calls == whole.calls
    texts = [(folder / "r.jsonl").read_text().splitlines() for folder in (tmp_path / "whole", tmp_path)]
    without = [[{**json.loads(text), "cpu_seconds": 0} for text in part] for part in texts]
    assert without[0] == without[1]


def test_methods_that_cannot_search_are_skipped_and_mistakes_named(
    tmp_path: Path, saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(randwire, "digits_accuracy", Training())
    assert randwire.main(arguments(tmp_path, "latent-bo", "random-ws")) == 0
    assert "skipped latent-bo: Latent Bayesian optimisation (ours) searches a latent space" in capsys.readouterr().err
    assert [found["method"] for found in saved["rows"]] == ["random-ws"] and "latent-bo" in saved["settings"]["skipped"]
    assert randwire.main(arguments(tmp_path / "none", "latent-bo")) == 2
    assert randwire.main([*arguments(tmp_path, "random-ws"), "--epochs", "3"]) == 2
    assert "written under other settings" in capsys.readouterr().err
    (tmp_path / "x.jsonl").write_text("hello\n")
    with pytest.raises(DataError, match="no file of this benchmark"):
        Store(tmp_path / "x.jsonl", {})
    for words, message in ((["--methods", "magic"], "unknown method 'magic'"), (["--budget", "0"], "--budget is 1")):
        with pytest.raises(SystemExit):
            randwire.main(words)
        assert message in capsys.readouterr().err


def test_noise_and_rows_by_hand() -> None:
    def line(number: int, validation: tuple[float, ...], test: tuple[float, ...]) -> Line:
        return Line("again", "m", 0, number, "", 64, validation, test, "", 2.0)

    again = [line(3, (70.0, 72.0), (60.0, 64.0)), line(5, (80.0, 84.0), (70.0, 70.0))]
    noise = seed_noise(again)
    assert noise == {"cells": 2, "validation": pytest.approx(np.sqrt((2 + 8) / 2)), "test": pytest.approx(2.0)}
    searched = [line(i, (value,), (0.0,)) for i, value in enumerate((60.0, 90.0))]
    found = row("m", [(searched, again)])
    assert (found["search_best"], found["drawn"], found["top_validation"]) == (90.0, 75.0, 76.5)
    assert (found["chosen_test"], found["top_test"], found["training_cpu_seconds_per_run"]) == (70.0, 66.0, 8.0)
    assert found["top_test_sd"] is None and seed_noise(again[:0])["validation"] is None


def test_the_number_of_edges_tells_the_generator() -> None:
    space, rng = RandWire(), np.random.default_rng(4)
    for family in RANDWIRE_FAMILIES:
        for _ in range(60):
            cell = space.canonical(space.family_cell(family, rng))
            assert family_of(len(inner_edges(cell))) == family
    lines = [
        Line("search", "random", 0, i, "", edges, (value,), (0.0,), "", 1.0)
        for i, (edges, value) in enumerate(((64, 70.0), (64, 72.0), (135, 60.0), (135, 60.0), (99, 80.0)))
    ]
    words = families_in_words([lines[:3], lines[3:]])
    assert words.endswith("each: WS 71.00 ± 1.41 (2 wirings), BA 60.00 ± 0.00 (2 wirings)")
