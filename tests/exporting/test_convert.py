"""Cell <-> networkx, PyG: round trips, PyG's own collate as oracle for the dataset, and every refusal's text."""

from typing import Any

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.loader import DataLoader

from svge_core.cells.cell import Cell, cell_key
from svge_core.data.catalog import analytic_scores
from svge_core.errors import DataError, InvalidCellError
from svge_core.exporting.graphs import from_data, from_networkx, space_dataset, to_data, to_networkx
from svge_core.spaces.registry import get_space
from tests.support.untyped import there

SPACE = get_space("nasbench201")
CELLS = st.integers(0, 15_624).map(SPACE.from_index)


@st.composite
def any_cells(draw: st.DrawFn) -> Cell:
    """DAGs beyond the space: 1 to 7 nodes with its labels, any forward edges, isolated nodes included."""
    ops = draw(st.lists(st.sampled_from(SPACE.vocabulary), min_size=1, max_size=7))
    pairs = [(u, v) for v in range(len(ops)) for u in range(v)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return Cell(tuple(ops), tuple(edges))


@given(any_cells())
def test_networkx_round_trip(cell: Cell) -> None:
    graph = to_networkx(cell)
    assert networkx.is_directed_acyclic_graph(graph)
    assert from_networkx(graph) == cell


@given(any_cells(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_networkx_nodes_of_any_name_and_order(cell: Cell, random) -> None:
    graph = to_networkx(cell)
    names = {node: f"node-{node}" for node in graph}
    nodes, edges = list(graph.nodes(data=True)), list(graph.edges)
    random.shuffle(nodes)
    shuffled = networkx.DiGraph()
    shuffled.add_nodes_from((names[node], attributes) for node, attributes in nodes)
    shuffled.add_edges_from((names[u], names[v]) for u, v in edges)
    assert cell_key(from_networkx(shuffled)) == cell_key(cell)


def test_networkx_refusals() -> None:
    with pytest.raises(InvalidCellError, match="undirected"):
        from_networkx(networkx.Graph())
    with pytest.raises(InvalidCellError, match="Node 0 has no label: expected a text attribute 'op', got None"):
        from_networkx(networkx.DiGraph([(0, 1)]))
    cyclic = networkx.DiGraph([(0, 1), (1, 0)])
    cyclic.add_nodes_from(cyclic, op="none")
    with pytest.raises(InvalidCellError, match="has a cycle"):
        from_networkx(cyclic)
    parallel = networkx.MultiDiGraph([(0, 1), (0, 1)])
    parallel.add_nodes_from(parallel, op="none")
    with pytest.raises(InvalidCellError, match="given twice"):
        from_networkx(parallel)


@given(any_cells())
@settings(max_examples=50)
def test_pyg_round_trip(cell: Cell) -> None:
    data = to_data(cell, SPACE)
    assert data.num_nodes == cell.num_nodes
    assert data.validate()
    assert from_data(data, SPACE) == cell
    data.edge_index = there(data.edge_index).flip(1)  # edges in another order
    del data.node_type  # labels from the one-hot rows
    assert from_data(data, SPACE) == cell


def test_pyg_refusals() -> None:
    with pytest.raises(InvalidCellError, match="'conv7' is not in the vocabulary of NAS-Bench-201"):
        to_data(Cell(("conv7",), ()), SPACE)
    edges = torch.zeros((2, 0), dtype=torch.int64)
    with pytest.raises(InvalidCellError, match=r"has no labels: expected node_type, or x of shape \(nodes, 7\)"):
        from_data(Data(edge_index=edges), SPACE)
    with pytest.raises(InvalidCellError, match=r"got x of shape \(2, 3\)"):
        from_data(Data(x=torch.zeros(2, 3), edge_index=edges), SPACE)
    with pytest.raises(InvalidCellError, match="Node type 9 is not one of 0 to 6"):
        from_data(Data(node_type=torch.tensor([9]), edge_index=edges), SPACE)
    with pytest.raises(InvalidCellError, match="no edge_index of shape"):
        from_data(Data(node_type=torch.tensor([0])), SPACE)
    with pytest.raises(InvalidCellError, match="leaves the range"):
        from_data(Data(node_type=torch.tensor([0]), edge_index=torch.tensor([[0], [5]])), SPACE)


@pytest.fixture(scope="module")
def dataset() -> InMemoryDataset:
    return space_dataset(SPACE, analytic_scores(SPACE), ("flops_m", "params_m"))


def test_dataset_is_the_space(dataset: InMemoryDataset) -> None:
    assert len(dataset) == 15_625
    for index in (0, 6111, 15_624):
        graph: Any = dataset[index]
        assert from_data(graph, SPACE) == SPACE.from_index(index)
        assert graph.cell_id.item() == index
        cost = SPACE.cost(SPACE.from_index(index))
        np.testing.assert_allclose(graph.y, [[cost.flops_m, cost.params_m]], rtol=1e-6)


def test_dataset_equals_what_pyg_collates(dataset: InMemoryDataset) -> None:
    collated: Any = InMemoryDataset.collate([to_data(SPACE.from_index(index), SPACE) for index in range(40)])
    (expected, slices), mine, parts = collated, there(dataset._data), there(dataset.slices)
    for name in ("x", "edge_index", "node_type"):
        end = int(slices[name][-1])
        assert torch.equal(parts[name][:41], slices[name])
        along_last = name == "edge_index"
        found = mine[name][:, :end] if along_last else mine[name][:end]
        assert torch.equal(found, expected[name])


def test_dataset_in_batches(dataset: InMemoryDataset) -> None:
    batch = next(iter(DataLoader(dataset, batch_size=32)))
    assert batch.num_graphs == 32
    assert batch.cell_id.tolist() == list(range(32))
    assert from_data(batch[31], SPACE) == SPACE.from_index(31)


def test_dataset_refusals() -> None:
    scores = analytic_scores(SPACE)
    with pytest.raises(DataError, match="Targets params_m are asked for without scores"):
        space_dataset(SPACE, keys=("params_m",))
    with pytest.raises(DataError, match="has no score 'accuracy': expected one of params_m, flops_m"):
        space_dataset(SPACE, scores, ("accuracy",))
    other = type(scores)("elsewhere", scores.frame, scores.meanings)
    with pytest.raises(DataError, match="Scores of elsewhere cannot label the cells of nasbench201"):
        space_dataset(SPACE, other)
