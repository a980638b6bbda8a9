"""Cells: pruning against networkx, canonical form and key against exhaustive isomorphism, literal corner cases.

Corner cases covered: no edges, one node, two nodes, twins, several equal parts, an input that reaches nothing, an
output that nothing reaches, labels with commas.
"""

from itertools import combinations, permutations, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.cells.cell import INPUT, OUTPUT, Cell, canonical_cell, cell_key, pruned
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.testing.spaces import random_order
from tests.support.strategies import small_cells

DIAMOND = Cell((INPUT, "a", "b", OUTPUT), ((0, 1), (0, 2), (1, 3), (2, 3)))


def to_networkx(cell: Cell) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from((node, {"op": op}) for node, op in enumerate(cell.ops))
    graph.add_edges_from(cell.edges)
    return graph


def are_isomorphic(first: Cell, second: Cell) -> bool:
    return nx.is_isomorphic(to_networkx(first), to_networkx(second), node_match=lambda a, b: a["op"] == b["op"])


# the value type


def test_edges_are_sorted_and_neighbours_listed() -> None:
    cell = Cell(("a", "b", "c"), ((1, 2), (0, 2), (0, 1)))
    assert cell.edges == ((0, 1), (0, 2), (1, 2))
    assert cell.sources == ((), (0,), (0, 1))
    assert cell.targets == ((1, 2), (2,), ())
    assert cell.num_nodes == 3
    assert cell == Cell(("a", "b", "c"), ((0, 1), (0, 2), (1, 2)))
    assert len({cell, Cell(("a", "b", "c"), ((0, 1), (0, 2), (1, 2)))}) == 1


@pytest.mark.parametrize(
    ("ops", "edges", "message"),
    [
        ((), (), "A cell needs at least one node; got none."),
        (
            ("a", "b"),
            ((1, 0),),
            r"Edge \(1, 0\) is not possible among 2 nodes in topological order: expected 0 <= source",
        ),
        (("a", "b"), ((0, 2),), r"Edge \(0, 2\) is not possible .* Use Cell.from_graph"),
        (("a", "b"), ((-1, 1),), r"Edge \(-1, 1\) is not possible"),
        (("a",), ((0, 0),), r"Edge \(0, 0\) is not possible"),
        (("a", "b"), ((0, 1), (0, 1)), "An edge is given twice"),
    ],
)
def test_impossible_cells_are_rejected(ops: tuple[str, ...], edges: tuple[tuple[int, int], ...], message: str) -> None:
    with pytest.raises(InvalidCellError, match=message) as caught:
        Cell(ops, edges)
    assert isinstance(caught.value, SvgeError)


def test_from_graph_sorts_nodes_and_keeps_the_order_of_ties() -> None:
    cell = Cell.from_graph([OUTPUT, "b", INPUT, "a"], [(2, 1), (2, 3), (1, 0), (3, 0)])
    assert cell == Cell((INPUT, "b", "a", OUTPUT), DIAMOND.edges)


@pytest.mark.parametrize("edges", [[(0, 1), (1, 0)], [(0, 1), (1, 2), (2, 1)], [(0, 0)]])
def test_from_graph_rejects_cycles(edges: list[tuple[int, int]]) -> None:
    with pytest.raises(InvalidCellError, match="The graph has a cycle through nodes .*; a cell has none"):
        Cell.from_graph(["a", "b", "c"], edges)


def test_from_graph_rejects_edges_out_of_range() -> None:
    with pytest.raises(InvalidCellError, match=r"An edge leaves the range of the 2 nodes: \[\(0, 2\)\]"):
        Cell.from_graph(["a", "b"], [(0, 2)])


def test_relabelled_wants_a_permutation_and_a_topological_order() -> None:
    with pytest.raises(InvalidCellError, match=r"Expected a permutation of 0..3, got \[0, 1, 2\]"):
        DIAMOND.relabelled([0, 1, 2])
    with pytest.raises(InvalidCellError, match="topological order"):
        DIAMOND.relabelled([1, 0, 2, 3])


@given(small_cells())
def test_from_graph_of_any_numbering_gives_an_isomorphic_cell(cell: Cell) -> None:
    order = np.random.default_rng(cell.num_nodes).permutation(cell.num_nodes).tolist()
    new = {old: position for position, old in enumerate(order)}
    again = Cell.from_graph([cell.ops[old] for old in order], [(new[u], new[v]) for u, v in cell.edges])
    assert are_isomorphic(cell, again)


# pruning


@given(small_cells(max_nodes=8))
def test_pruned_keeps_exactly_the_nodes_between_the_ends(cell: Cell) -> None:
    graph, last = to_networkx(cell), cell.num_nodes - 1
    keep = {0, last} | (nx.descendants(graph, 0) & nx.ancestors(graph, last))
    result = pruned(cell)
    assert result.ops == tuple(cell.ops[node] for node in sorted(keep))
    assert are_isomorphic(
        result,
        Cell.from_graph(result.ops, nx.convert_node_labels_to_integers(graph.subgraph(keep), ordering="sorted").edges),
    )
    assert pruned(result) == result


def test_pruned_literal_cases() -> None:
    assert pruned(DIAMOND) == DIAMOND
    assert pruned(Cell(("a",), ())) == Cell(("a",), ())
    nothing = Cell((INPUT, "a", OUTPUT), ())
    assert pruned(nothing) == Cell((INPUT, OUTPUT), ())
    dead_ends = Cell((INPUT, "a", "b", "c", OUTPUT), ((0, 1), (0, 2), (2, 4), (3, 4)))
    assert pruned(dead_ends) == Cell((INPUT, "b", OUTPUT), ((0, 1), (1, 2)))
    # the last node is reached only from a node that the first does not reach
    assert pruned(Cell((INPUT, "a", "b", OUTPUT), ((0, 1), (2, 3)))) == Cell((INPUT, OUTPUT), ())


# canonical form and key


@settings(max_examples=150)
@given(st.lists(small_cells(max_nodes=5), min_size=2, max_size=5))
def test_keys_are_equal_exactly_for_isomorphic_cells(cells: list[Cell]) -> None:
    for first, second in combinations(cells, 2):
        isomorphic = are_isomorphic(first, second)
        assert (cell_key(first) == cell_key(second)) == isomorphic
        assert (canonical_cell(first) == canonical_cell(second)) == isomorphic


def smallest_relabelling(cell: Cell) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Independent canonical form: the smallest of all numberings, topological or not."""
    forms = []
    for order in permutations(range(cell.num_nodes)):
        new = {old: position for position, old in enumerate(order)}
        forms.append((tuple(cell.ops[old] for old in order), tuple(sorted((new[u], new[v]) for u, v in cell.edges))))
    return min(forms)


@pytest.mark.parametrize(("count", "labels"), [(1, "ab"), (2, "ab"), (3, "ab"), (4, "ab"), (5, "a")])
def test_keys_separate_all_small_dags_like_exhaustive_relabelling(count: int, labels: str) -> None:
    pairs = list(combinations(range(count), 2))
    keys: dict[tuple[object, ...], str] = {}
    seen: dict[str, tuple[object, ...]] = {}
    for bits in product((False, True), repeat=len(pairs)):
        edges = tuple(pair for pair, bit in zip(pairs, bits, strict=True) if bit)
        if count == 5 and len(edges) not in (4, 5):
            continue  # the sizes with most isomorphism classes
        for ops in product(labels, repeat=count):
            cell = Cell(ops, edges)
            form, key = smallest_relabelling(cell), cell_key(cell)
            assert keys.setdefault(form, key) == key, "isomorphic cells have one key"
            assert seen.setdefault(key, form) == form, "one key means isomorphic"


@given(small_cells(max_nodes=8), st.integers(0, 2**31))
def test_canonical_form_does_not_depend_on_the_order(cell: Cell, seed: int) -> None:
    form = canonical_cell(cell)
    assert canonical_cell(cell.relabelled(random_order(cell, np.random.default_rng(seed)))) == form
    assert canonical_cell(form) == form
    assert are_isomorphic(form, cell)


@given(small_cells(max_nodes=7))
def test_canonical_form_keeps_a_free_input_first_and_a_free_output_last(cell: Cell) -> None:
    form = canonical_cell(cell)
    if cell.ops[0] == INPUT:
        assert form.ops[0] == INPUT
        assert form.ops[-1] == OUTPUT


def test_key_literal_cases() -> None:
    assert len(cell_key(DIAMOND)) == 32
    assert cell_key(DIAMOND) == cell_key(DIAMOND.relabelled([0, 2, 1, 3]))
    assert cell_key(DIAMOND) != cell_key(Cell((INPUT, "a", "a", OUTPUT), DIAMOND.edges))
    assert cell_key(Cell(("a",), ())) != cell_key(Cell(("b",), ()))
    assert cell_key(Cell(("a,b",), ())) != cell_key(Cell(("a", "b"), ()))
    # colour refinement alone cannot tell these apart: two 3-rings against one 6-ring of alternating arrows
    ring = Cell(("a",) * 3 + ("b",) * 3, ((0, 3), (0, 4), (1, 4), (1, 5), (2, 3), (2, 5)))
    pairs = Cell(("a",) * 4 + ("b",) * 4, ((0, 4), (0, 5), (1, 4), (1, 5), (2, 6), (2, 7), (3, 6), (3, 7)))
    octagon = Cell(("a",) * 4 + ("b",) * 4, ((0, 4), (0, 5), (1, 5), (1, 6), (2, 6), (2, 7), (3, 4), (3, 7)))
    assert len({cell_key(ring), cell_key(pairs), cell_key(octagon)}) == 3


def test_canonical_form_where_colour_refinement_sees_no_difference(rng: np.random.Generator) -> None:
    """A ring of eight beside two rings of four: all nodes of a label look alike, but only some are interchangeable."""
    squares = [(0, 8), (0, 9), (1, 8), (1, 9), (2, 10), (2, 11), (3, 10), (3, 11)]
    octagon = [(4, 12), (4, 13), (5, 13), (5, 14), (6, 14), (6, 15), (7, 12), (7, 15)]
    cell = Cell(("a",) * 8 + ("b",) * 8, tuple(squares + octagon))
    form = canonical_cell(cell)
    for _ in range(12):
        assert canonical_cell(cell.relabelled(random_order(cell, rng))) == form


@pytest.mark.parametrize("parts", [4, 17])
def test_equal_parts_do_not_explode(parts: int) -> None:
    # parts! leaves without pruning by automorphisms; an undertrained decoder of 34 nodes draws such graphs
    edges = tuple((2 * part, 2 * part + 1) for part in range(parts))
    cell = Cell(("a",) * (2 * parts), edges)
    shuffled = cell.relabelled(random_order(cell, np.random.default_rng(0)))
    assert cell_key(shuffled) == cell_key(cell)
