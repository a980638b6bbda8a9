"""Regions of a map: every share by brute force over the cells, read from the words of the name."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from svge_core.cells.cell import INPUT, OUTPUT, Cell
from svge_core.drawing.palette import operation_label
from svge_core.errors import DataError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.opening import open_explorer
from svge_core.explorer.regions import FEWEST_INSIDE, LEAST_APART, clusters, map_regions, named_clusters, statements
from svge_core.spaces.nasbench201 import MAP_EDGES
from tests.support.tiny_checkpoint import make_checkpoint, make_enas_checkpoint

ENDS = ("in", "1", "2", "out")
Maker = Callable[[Path], Path]


@pytest.fixture(scope="module", params=[make_checkpoint, make_enas_checkpoint], ids=["nasbench201", "enas"])
def explorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    maker: Maker = request.param
    return open_explorer(maker(tmp_path_factory.mktemp("regions") / "tiny"))


def labels(cell: Cell) -> list[str]:
    return [{"none": "empty edges"}.get(operation_label(op), operation_label(op)) for op in cell.ops[1:-1]]


def says(words: str, cell: Cell) -> bool:
    """Whether a part of a name is true of a cell, by its nodes and edges alone."""
    if found := re.fullmatch(r"up to (\d+) (edges|nodes)", words):
        return (len(cell.edges) if found[2] == "edges" else cell.num_nodes) <= int(found[1])
    if found := re.fullmatch(r"(\d+)\+ (edges|nodes)", words):
        return (len(cell.edges) if found[2] == "edges" else cell.num_nodes) >= int(found[1])
    if found := re.fullmatch(r"(\d)\+ (.+)", words):
        return labels(cell).count(found[2]) >= int(found[1])
    for position, (source, target) in enumerate(MAP_EDGES, start=1):
        if words.endswith(end := f" on {ENDS[source]} → {ENDS[target]}"):
            label = operation_label(cell.ops[position])
            return words.removesuffix(end) == ("nothing" if label == "none" else label)
    if "→" in words:
        if words.startswith("no "):
            return not says(words.removeprefix("no "), cell)
        source, target = words.split(" → ")
        names = [op if op in (INPUT, OUTPUT) else operation_label(op) for op in cell.ops]
        return any((names[u], names[v]) == (source, target) for u, v in cell.edges)
    assert words.startswith("no "), words
    return words.removeprefix("no ") not in labels(cell)


def test_every_statement_is_true_of_the_cells_it_holds_for(explorer: Explorer) -> None:
    rows = np.random.default_rng(0).choice(len(explorer.atlas), 150, replace=False)
    cells = explorer.cells_at(rows)
    said = list(statements(explorer))
    assert len(said) > 20
    for statement in said:
        assert statement.holds[rows].tolist() == [says(statement.words, cell) for cell in cells], statement.words


def test_shares_are_those_of_the_cells(explorer: Explorer) -> None:
    plane = explorer.plane_names[0]
    everything = explorer.cells_at(np.arange(len(explorer.atlas)))
    found = named_clusters(explorer, plane)
    assert 0 < len(found) <= 12 and [region for region, _ in found] == list(map_regions(explorer, plane))
    seen: set[int] = set()
    for region, rows in found:
        true = np.array([all(says(part, cell) for part in region.name.split(", ")) for cell in everything])
        others = np.setdiff1d(np.arange(len(true)), rows)
        assert region.cells == len(rows) and not seen & set(rows.tolist())
        assert region.inside == pytest.approx(true[rows].mean()) and region.inside >= FEWEST_INSIDE
        assert region.elsewhere == pytest.approx(true[others].mean())
        assert region.inside - region.elsewhere > LEAST_APART
        xy = explorer.atlas.planes[plane].xy[rows]
        assert (np.hypot(*(xy - (region.x, region.y)).T) < 1e-6).any() and region.reach > 0
        seen |= set(rows.tolist())


def test_clusters_are_found_again_and_are_no_more_than_there_are_places() -> None:
    rng = np.random.default_rng(4)
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    truth = rng.integers(3, size=600)
    xy = centres[truth] + rng.normal(size=(600, 2))
    member = clusters(xy, 3)
    assert len({(a, b) for a, b in zip(member.tolist(), truth.tolist(), strict=True)}) == 3
    assert np.array_equal(member, clusters(xy, 3))
    assert clusters(np.zeros((5, 2))).tolist() == [0] * 5


def test_a_map_that_is_not_there_is_named(explorer: Explorer) -> None:
    missing = "umap" if "umap" not in explorer.plane_names else "none"
    with pytest.raises(DataError, match=f"no '{missing}' map"):
        map_regions(explorer, missing)  # type: ignore[arg-type]
