"""Cells to padded tensors and back, padding, reversal."""

import networkx as nx
import pytest
import torch
from hypothesis import given, settings, strategies as st

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError
from svge_core.evaluation.metrics import same_graphs
from svge_core.spaces.registry import get_space
from svge_core.tensors import END, START, to_batch, to_cells
from tests.support.core import TINY, random_cells, tiny_batch

NB201 = get_space("nasbench201")


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_cells_survive_the_round_trip(seed: int, count: int) -> None:
    for space in (TINY, NB201):
        cells = [space.canonical(cell) for cell in random_cells(space, count, seed)]
        assert to_cells(space, to_batch(space, cells)) == cells
        assert to_cells(space, to_batch(space, cells).padded_to(space.max_nodes + 2)) == cells


def test_the_batch_is_what_its_fields_say() -> None:
    cell = Cell(("input", "b", "output"), ((0, 1), (0, 2), (1, 2)))
    batch = to_batch(TINY, [cell])
    assert batch.types.tolist() == [[START, 3, END, 0, 0]]
    assert batch.sizes.tolist() == [3]
    assert batch.mask.tolist() == [[True, True, True, False, False]]
    assert {tuple(pair) for pair in batch.adjacency[0].nonzero().tolist()} == set(cell.edges)
    assert (TINY.vocabulary[END], TINY.vocabulary[START]) == ("output", "input")


def test_relabelled_cells_give_equal_tensors_only_in_canonical_order() -> None:
    cell = Cell(("input", "b", "a", "output"), ((0, 1), (0, 2), (1, 3), (2, 3)))
    other = cell.relabelled([0, 2, 1, 3])
    assert same_graphs(to_batch(TINY, [cell]), to_batch(TINY, [other])).all()
    assert not same_graphs(to_batch(TINY, [cell], canonical=False), to_batch(TINY, [other], canonical=False)).any()


def test_what_does_not_fit_is_rejected_with_the_reason() -> None:
    chain = Cell(("input", *"aaaa", "output"), tuple((n, n + 1) for n in range(5)))
    with pytest.raises(InvalidCellError, match="at most 5 nodes; got 6"):
        to_batch(TINY, [chain], canonical=False)
    with pytest.raises(InvalidCellError, match="Unknown label 'c': expected one of output, input, a, b"):
        to_batch(TINY, [Cell(("input", "c", "output"), ((0, 1), (1, 2)))], canonical=False)
    with pytest.raises(InvalidCellError, match="2 to 5 nodes"):
        to_batch(TINY, [chain])
    with pytest.raises(InvalidCellError, match="Cannot pad 5 node positions down to 4"):
        tiny_batch().padded_to(4)


def test_reversing_twice_is_the_identity() -> None:
    for batch in (tiny_batch(), tiny_batch().padded_to(9), tiny_batch(NB201)):
        twice = batch.reversed().reversed()
        assert torch.equal(twice.types, batch.types)
        assert torch.equal(twice.adjacency, batch.adjacency)
        assert torch.equal(twice.sizes, batch.sizes)


@pytest.mark.parametrize("space", [TINY, NB201], ids=lambda space: space.name)
def test_reversing_is_networkx_reversing(space) -> None:
    batch = tiny_batch(space, 30)
    for cell, turned in zip(to_cells(space, batch), to_cells(space, batch.reversed()), strict=True):
        graph = nx.DiGraph(cell.edges)
        graph.add_nodes_from(range(cell.num_nodes))
        last = cell.num_nodes - 1
        expected = nx.relabel_nodes(graph.reverse(), {node: last - node for node in graph})
        assert set(turned.edges) == set(expected.edges)
        assert turned.ops == cell.ops[::-1]


def test_selecting_rows_keeps_them_whole() -> None:
    batch, cells = tiny_batch(), random_cells(TINY, 24)
    assert to_cells(TINY, batch.select(slice(3, 7))) == [TINY.canonical(cell) for cell in cells[3:7]]
    assert to_cells(TINY, batch.select(torch.tensor([5, 2]))) == [TINY.canonical(cells[row]) for row in (5, 2)]
    assert len(batch.select(slice(0, 0))) == 0
