"""RandWire against its contract, the generators' published sizes and networkx's isomorphism test."""

import json
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.spaces import RandWire
from svge_core.spaces.randwire import PREFIX, from_edges, inner_edges
from svge_core.spaces.randwire_generators import (
    PAIRS,
    RANDWIRE_FAMILIES,
    RANDWIRE_NODES,
    components,
    drawn_edges,
    reachable,
)
from svge_core.spaces.registry import get_space
from svge_core.testing.spaces import SearchSpaceContract, random_order

SPACE = RandWire()
CHAIN = from_edges([(node, node + 1) for node in range(RANDWIRE_NODES - 1)])


class TestRandWireContract(SearchSpaceContract):
    """The contract; connectedness is more than masks can say, and an edge may renumber the nodes."""

    space = SPACE
    samples = 9
    edited = 1
    rules_are_exact = False
    edit_is_one_gene = False

    def broken_cells(self) -> list[tuple[Cell, str]]:
        """Too few and too many edges, two pieces, wrong ends."""
        dense = from_edges(PAIRS[:161])
        two = from_edges([*[(u, u + 1) for u in range(14)], *[(u, v) for u in range(15, 31) for v in (u + 1, 31)][:-1]])
        return [
            (from_edges(inner_edges(CHAIN)[1:]), "31 to 160 edges .* got 30"),
            (dense, "31 to 160 edges .* got 161"),
            (two, "in one piece; got 2, .* 0, 1, 2"),
            (Cell(CHAIN.ops, CHAIN.edges[1:]), "from 0 to 1 is missing"),
            (Cell(CHAIN.ops, (*CHAIN.edges, (0, 5))), "from 0 to 5 is one too many"),
            (Cell(CHAIN.ops, (*CHAIN.edges, (0, 33))), "from 0 to 33 is one too many"),
        ]


def isomorphic(first: Cell, second: Cell) -> bool:
    """networkx's VF2++; longest distances from the input are kept by every isomorphism and make it quick."""
    graphs = [nx.DiGraph(cell.edges) for cell in (first, second)]
    for graph in graphs:
        for node in nx.topological_sort(graph):
            graph.nodes[node]["depth"] = 1 + max((graph.nodes[u]["depth"] for u in graph.predecessors(node)), default=0)
    return nx.vf2pp_is_isomorphic(*graphs, node_label="depth")


# generators


def test_the_generators_draw_the_published_numbers_of_edges(rng: np.random.Generator) -> None:
    counts = {family: np.array([len(drawn_edges(family, rng)) for _ in range(60)]) for family in RANDWIRE_FAMILIES}
    assert set(counts["ws"]) == {64} and set(counts["ba"]) == {135}
    # 496 pairs with probability .2: mean 99.2, standard deviation 8.9, of the mean of 60 draws 1.15
    assert abs(counts["er"].mean() - 99.2) < 4 * 1.15
    assert 5 < counts["er"].std() < 13


def test_generators_are_stages_whose_edges_ascend(rng: np.random.Generator) -> None:
    for family in RANDWIRE_FAMILIES:
        for _ in range(10):
            edges = drawn_edges(family, rng)
            assert all(0 <= u < v < RANDWIRE_NODES for u, v in edges)
            assert nx.is_connected(nx.Graph(edges)) and len(nx.Graph(edges)) == RANDWIRE_NODES
            SPACE.validate(SPACE.family_cell(family, rng))
    with pytest.raises(SvgeError, match="Unknown family of graphs 'tree': expected one of ws, er, ba"):
        drawn_edges("tree", rng)


def test_barabasi_albert_nodes_come_with_five_edges_each(rng: np.random.Generator) -> None:
    edges = drawn_edges("ba", rng)
    earlier = np.bincount([v for _, v in edges], minlength=RANDWIRE_NODES)
    assert (earlier[6:] == 5).all(), "every later node joins five earlier ones"


def test_random_cells_mix_the_families_evenly() -> None:
    draws = [len(inner_edges(SPACE.random_cell(np.random.default_rng(seed)))) for seed in range(150)]
    shares = [np.mean(np.array(draws) == 64), np.mean(np.array(draws) == 135)]
    assert all(abs(share - 1 / 3) < 4 * (2 / 9 / 150) ** 0.5 for share in shares)


def test_graph_helpers_equal_networkx(rng: np.random.Generator) -> None:
    for count in (8, 20, 40, 90):
        edges = [PAIRS[i] for i in rng.choice(len(PAIRS), count, replace=False)]
        graph = nx.DiGraph(edges)
        graph.add_nodes_from(range(RANDWIRE_NODES))
        assert set(components(edges)) == set(map(frozenset, nx.weakly_connected_components(graph)))
        behind = reachable(edges)
        for node in range(RANDWIRE_NODES):
            assert {v for v in range(RANDWIRE_NODES) if behind[node] >> v & 1} == nx.descendants(graph, node)


# equivalence: networkx's isomorphism test as the oracle


def test_relabelled_cells_have_one_key(rng: np.random.Generator) -> None:
    for family in RANDWIRE_FAMILIES:
        for _ in range(6):
            cell = SPACE.family_cell(family, rng)
            other = cell.relabelled(random_order(cell, rng))
            assert other != cell and isomorphic(cell, other)
            assert SPACE.key(other) == SPACE.key(cell)
            assert SPACE.canonical(other) == SPACE.canonical(cell)


def test_keys_agree_with_isomorphism_on_random_and_edited_graphs(rng: np.random.Generator) -> None:
    cells = [SPACE.family_cell(family, rng) for family in RANDWIRE_FAMILIES for _ in range(8)]
    cells += [neighbour for cell in cells[::8] for neighbour in SPACE.neighbours(cell)[::90]]
    keys = [SPACE.key(cell) for cell in cells]
    for (a, first), (b, second) in combinations(zip(cells, keys, strict=True), 2):
        assert (first == second) == isomorphic(a, b)


def circulant(steps: tuple[int, ...]) -> Cell:
    """16 sources, 16 sinks; source i feeds sinks i + step (mod 16): all nodes of a kind look alike."""
    return from_edges([(i, 16 + (i + step) % 16) for i in range(16) for step in steps])


def affine_class(steps: tuple[int, ...]) -> tuple[int, ...]:
    """Equal for step sets of which one is a * other + b (mod 16, a odd): those graphs are isomorphic, by i -> a * i."""
    images = (sorted((a * step + b) % 16 for step in steps) for a in range(1, 16, 2) for b in range(16))
    return tuple(min(images))


def spectrum(steps: tuple[int, ...]) -> tuple[float, ...]:
    """Singular values of the source-sink matrix, which no relabelling changes."""
    matrix = np.zeros((16, 16))
    for step in steps:
        matrix[np.arange(16), (np.arange(16) + step) % 16] += 1
    return tuple(np.round(np.linalg.svd(matrix, compute_uv=False), 9).tolist())


def test_keys_are_exact_where_colour_refinement_sees_nothing(rng: np.random.Generator) -> None:
    sets = [(0, 1, step) for step in range(2, 16)] + [(0, 3, 5, 9), (0, 1, 2, 5), (0, 3, 6, 15), (0, 1, 4, 9)]
    cells = {steps: circulant(steps) for steps in sets}
    keys = {steps: SPACE.key(cell) for steps, cell in cells.items()}
    for a, b in combinations(sets, 2):
        same = affine_class(a) == affine_class(b)
        assert same or spectrum(a) != spectrum(b), "the oracle is certain: an isomorphism, or a proof against one"
        assert (keys[a] == keys[b]) == same
    assert len(set(keys.values())) == 8
    for steps, cell in cells.items():
        assert SPACE.key(cell.relabelled(random_order(cell, rng))) == keys[steps]


def test_the_cube_has_one_key(rng: np.random.Generator) -> None:
    # 32 corners of the 5-dimensional cube, 80 edges from even to odd ones: 1,920 automorphisms that keep parity
    order = sorted(range(RANDWIRE_NODES), key=lambda corner: (corner.bit_count() % 2, corner))
    place = {corner: position for position, corner in enumerate(order)}
    cell = from_edges([(place[u], place[u ^ 1 << bit]) for u in order[:16] for bit in range(5)])
    assert len({SPACE.key(cell.relabelled(random_order(cell, rng))) for _ in range(5)} | {SPACE.key(cell)}) == 1


# moves


def test_neighbours_are_all_graphs_with_one_edge_more_or_less() -> None:
    # the chain: 30 edges cannot be removed (31 are needed); every pair that is no link can get an edge, forwards only
    found = SPACE.neighbours(CHAIN)
    graphs = [from_edges([*inner_edges(CHAIN), pair]) for pair in PAIRS if pair[1] > pair[0] + 1]
    assert {SPACE.canonical(cell) for cell in graphs} == set(found)
    assert len(found) == len({SPACE.key(cell) for cell in graphs}) == 465


def test_neighbours_do_not_depend_on_the_order_of_the_nodes(rng: np.random.Generator) -> None:
    cell = SPACE.family_cell("ws", rng)
    found = SPACE.neighbours(cell)
    assert set(found) == set(SPACE.neighbours(cell.relabelled(random_order(cell, rng))))
    assert 400 < len(found) <= 992
    assert {len(inner_edges(other)) for other in found} == {63, 65}
    rows = rng.choice(len(PAIRS), 160, replace=False)
    full = SPACE.neighbours(from_edges([PAIRS[row] for row in rows]))
    assert {len(inner_edges(other)) for other in full} == {159}


# notation


def test_hexadecimal_text_is_the_upper_triangle(rng: np.random.Generator) -> None:
    cell = SPACE.random_cell(rng)
    text = SPACE.format(cell)
    matrix = np.zeros((RANDWIRE_NODES, RANDWIRE_NODES), dtype=int)
    for u, v in inner_edges(cell):
        matrix[u, v] = 1
    bits = "".join(map(str, matrix[np.triu_indices(RANDWIRE_NODES, 1)]))
    assert text == f"{PREFIX}{int(bits, 2):0124x}"
    assert SPACE.parse(text.removeprefix(PREFIX).upper()) == cell


def test_edges_as_json_are_read_and_written(rng: np.random.Generator) -> None:
    cell = SPACE.random_cell(rng)
    text = SPACE.format_edges(cell)
    assert SPACE.parse(text) == cell
    assert tuple(map(tuple, json.loads(text))) == inner_edges(cell)
    assert SPACE.parse(json.dumps(json.loads(text)[::-1])) == cell


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[0, 1]]", "31 to 160 edges .* got 1"),
        ("[[0, 1], [0, 1]]", "expected rw32: and 124 hexadecimal digits"),
        ("[[1, 0]]", "from lower to higher nodes"),
        ("[[0, 32]]", "of 0 to 31"),
        ("[[0, true]]", "expected"),
        ("[[0, 1, 2]]", "expected"),
        ("[" * 3_000, "expected"),
        ("rw32:" + "f" * 123, "124 hexadecimal digits"),
        ("rw32:" + "f" * 124, "31 to 160 edges .* got 496"),
        ("rw32:" + "0" * 124, "got 0"),
    ],
)
def test_other_texts_are_rejected(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        SPACE.parse(text)


def test_genotypes_that_are_no_stage_are_rejected() -> None:
    with pytest.raises(InvalidCellError, match="31 to 160 edges"):
        SPACE.from_genotype((0,) * 496)
    with pytest.raises(InvalidCellError, match="bits 0 and 1; got 2"):
        SPACE.from_genotype((*(1,) * 495, 2))


def test_cells_have_no_index() -> None:
    assert get_space("randwire").size is None
    with pytest.raises(SvgeError, match="no index"):
        SPACE.index(CHAIN)
    with pytest.raises(ParseError, match="no index"):
        SPACE.from_index(0)
