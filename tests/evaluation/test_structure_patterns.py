"""Patterns of cells against networkx, scipy and cells counted one by one; and the page's section."""

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from svge_core.errors import DataError
from svge_core.evaluation.structure_patterns import CLUSTERING, EDGES, PATH_LENGTH, clustering, path_length, patterns
from svge_core.figures.patterns import pattern_figure, pattern_label
from svge_core.spaces.registry import get_space
from svge_core.tensors import index_batch, to_cells
from tests.support.untyped import drawn

ENAS = get_space("enas6")


def sample(name: str, count: int) -> np.ndarray:
    size = get_space(name).size or 0
    return np.unique(np.random.default_rng(0).integers(size, size=count))


@pytest.mark.parametrize("name", ["enas6", "nasbench201", "nasbench101"])
def test_graph_properties_are_those_of_networkx(name: str) -> None:
    space = get_space(name)
    batch = index_batch(space, sample(name, 40))
    found = zip(clustering(batch.adjacency).tolist(), path_length(batch.adjacency).tolist(), strict=True)
    for cell, (triangles, length) in zip(to_cells(space, batch), found, strict=True):
        graph = nx.DiGraph(list(cell.edges))
        assert triangles == pytest.approx(nx.transitivity(graph.to_undirected()), abs=1e-6)
        steps = [n for _, ends in nx.all_pairs_shortest_path_length(graph) for n in ends.values() if n]
        assert length == pytest.approx(np.mean(steps), abs=1e-6)


def test_graphs_without_triples_or_edges_have_zeros() -> None:
    none, one = torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)
    one[0, 0, 1] = 1.0
    assert [clustering(none).item(), path_length(none).item()] == [0.0, 0.0]
    assert [clustering(one).item(), path_length(one).item()] == [0.0, 1.0]


@pytest.mark.parametrize("direction", ["max", "min"])
def test_correlations_and_means_are_those_of_scipy_and_of_counting(direction: str) -> None:
    indices = sample("enas6", 300)
    values = np.random.default_rng(1).normal(size=len(indices))
    found = patterns(ENAS, indices, values, direction, best=0.05)  # type: ignore[arg-type]
    cells = [ENAS.from_index(int(index)) for index in indices]
    counted = {EDGES: [len(cell.edges) for cell in cells]}
    counted |= {op: [cell.ops.count(op) for cell in cells] for op in ENAS.operations}
    order = np.argsort(values)[:: -1 if direction == "max" else 1][: found.best]
    assert found.best == 15 == len(found.indices)
    assert sorted(found.indices) == sorted(indices[order])
    assert found.threshold == values[order[-1]]
    rows = {row.name: row for row in found.rows}
    for name, column in counted.items():
        assert rows[name].pearson_r == pytest.approx(pearsonr(column, values)[0])
        assert rows[name].mean_all == pytest.approx(np.mean(column))
        assert rows[name].mean_best == pytest.approx(np.mean(np.array(column)[order]))


def test_what_does_not_vary_has_no_correlation() -> None:
    """Every NAS-Bench-201 cell has the same graph."""
    found = patterns(get_space("nasbench201"), np.arange(100), np.arange(100.0))
    rows = {row.name: row for row in found.rows}
    assert rows[CLUSTERING].pearson_r is rows[PATH_LENGTH].pearson_r is rows[EDGES].pearson_r is None
    figure = pattern_figure(found, "light")
    assert list(drawn(figure).data[0].y) == [pattern_label(row.name) for row in found.rows if row.pearson_r is not None]
    for values in (np.array([1.0]), np.array([1.0, np.nan])):
        with pytest.raises(DataError, match="two or more cells"):
            patterns(ENAS, np.arange(len(values)), values)
