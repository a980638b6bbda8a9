"""Long work says how far it is: every piece once, the numbers true, all of it at the end."""

from pathlib import Path

import numpy as np
import pytest
import torch

from svge_core.atlas.atlas import build_atlas
from svge_core.atlas.charted import encode_indices
from svge_core.atlas.neighbours import nearest_lengths, nearest_rows, nearest_spacings
from svge_core.atlas.projection import EPOCH_LINES, EpochReader
from svge_core.data.csv.scores import import_csv
from svge_core.evaluation.structure_patterns import patterns
from svge_core.graphpnas.fitting import RefitOptions, refit
from svge_core.graphpnas.sampling import sample
from svge_core.graphpnas.space_views import to_graphs, view_of
from svge_core.search.learned_distribution import at_random, values_of
from svge_core.search.objectives.make import make_objective
from svge_core.spaces.registry import SPACES, get_space
from svge_core.threads.progress import Count, counting
from svge_core.training.config import TrainConfig
from tests.support.core import TinySpace, tiny_model, write_checkpoint
from tests.support.counted import numbers, told_in
from tests.support.oracles.nasbench101 import key_of

NB201, NB101, TINY = get_space("nasbench201"), get_space("nasbench101"), TinySpace(5)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Count]:
    return told_in(monkeypatch)


def test_encoding_counts_cells(told: list[Count], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.atlas.charted.PIECE", 40)
    encode_indices(tiny_model(TINY), np.arange(100))
    assert numbers(told, TINY.title, "cells encoded") == [(0, 100), (40, 100), (80, 100), (100, 100)]


def test_building_an_atlas_counts_cells_and_neighbours(
    told: list[Count], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, TINY.name, TINY)
    checkpoint = write_checkpoint(tmp_path / "tiny", tiny_model(TINY), TrainConfig(epochs=2, held_out=0.25, seed=3))
    size = len(build_atlas(checkpoint, planes=("pca",)))
    for about, what in ((TINY.title, "cells encoded"), ("Nearest neighbours", "cells compared with all others")):
        assert numbers(told, about, what)[0] == (0, size)
        assert numbers(told, about, what)[-1] == (size, size)


def test_looking_for_neighbours_counts_rows(told: list[Count], rng: np.random.Generator) -> None:
    points = rng.normal(size=(300, 4)).astype(np.float32)
    nearest_spacings(points, 300, piece=128)
    nearest_lengths(points, 3, piece=200)
    found = numbers(told, "Nearest neighbours", "cells compared with all others")
    assert found == [(0, 300), (128, 300), (256, 300), (300, 300), (0, 300), (200, 300), (300, 300)]
    told.clear()
    nearest_rows(points, 3, queries=np.arange(50))
    assert numbers(told, "Nearest neighbours", "cells compared with all others") == [(0, 50), (50, 50)]


def test_the_epochs_of_umap_are_read_off_its_bar(told: list[Count]) -> None:
    from tqdm.auto import tqdm  # what UMAP counts with

    with counting("UMAP", "epochs of the layout", 0) as tell:
        reader = EpochReader(tell)
        assert reader.write("no numbers") == len("no numbers")
        for _ in tqdm(range(1_200), **EPOCH_LINES, file=reader, desc="UMAP epochs", unit="e"):
            pass
    found = numbers(told, "UMAP", "epochs of the layout")
    assert list(dict.fromkeys(found)) == [(0, 0), *((done, 1_200) for done in range(1_201))]


def test_comparing_cells_counts_them(told: list[Count], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.evaluation.structure_patterns.CHUNK", 25)
    patterns(NB201, np.arange(60), np.arange(60.0))
    assert numbers(told, NB201.title, "cells compared") == [(0, 60), (25, 60), (50, 60), (60, 60)]


def test_the_sizes_of_all_networks_are_counted(told: list[Count]) -> None:
    NB101.costs()
    found = numbers(told, "NAS-Bench-101", "networks sized")
    assert len(found) == 17 and found[0] == (0, 423_624) and found[-1] == (423_624, 423_624)
    assert found == sorted(found)


def test_graphpnas_counts_epochs_and_draws(told: list[Count]) -> None:
    cells = [NB201.from_index(index) for index in range(4)]
    view, graphs = view_of(NB201), to_graphs(NB201, cells)
    generator = refit(view, graphs, torch.ones(4), RefitOptions(keep=4, epochs=5, batch=2))
    assert numbers(told, "GraphPNAS", "epochs fitted") == [(done, 5) for done in range(6)]
    sample(generator, 3, torch.Generator().manual_seed(0))
    last = view.nodes - 1
    assert numbers(told, "GraphPNAS", "nodes drawn of every graph") == [(done, last) for done in range(last + 1)]
    draws = at_random(NB201, 30)
    assert numbers(told, "GraphPNAS", "random architectures drawn") == [(done, 30) for done in range(31)]
    values_of(draws, make_objective(("table:params_m",), NB201))
    scored = numbers(told, "GraphPNAS", "different draws scored")
    assert scored == [(done, draws.distinct) for done in range(draws.distinct + 1)]


def test_reading_a_table_counts_lines_and_finds_md5_keys(
    told: list[Count], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("svge_core.data.csv.scores._COUNTED", 2)
    # the smallest cell, one with each operation, by the oracle
    ops = NB101.operations
    keys = [key_of([[0, 1], [0, 0]], ["input", "output"], ops)]
    keys += [key_of([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", op, "output"], ops) for op in ops]
    text = "hash,accuracy\n" + "".join(f"{key},{90 + row}\n" for row, key in enumerate(keys)) + f"{'0' * 32},1\n"
    found = import_csv(NB101, text.encode())
    assert numbers(told, "NAS-Bench-101", "lines read") == [(0, 5), (0, 5), (2, 5), (4, 5)]
    assert [str(row) for row in found.rejected] == [
        f"Line 6: No NAS-Bench-101 cell has the key {'0' * 32}; expected one of the 423,624."
    ]
    assert sorted(found.frame.index) == sorted(NB101.index(NB101.parse(key)) for key in keys)
    for row, key in enumerate(keys):
        index = int(found.frame.index[found.frame["user_accuracy"] == 90 + row][0])
        assert NB101.key(NB101.from_index(index)) == key
