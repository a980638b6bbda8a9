"""Structure features against hand counts and against brute-force path listing with networkx."""

import math
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from svge_core.cells.cell import INPUT, OUTPUT, Cell
from svge_core.errors import DataError
from svge_core.features.structure import GROUPS, computing_operations, operation_subsets, structure_features
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.registry import get_space


class Stub(AbstractSearchSpace):
    """A space with nothing but its operations."""

    name = "stub"
    operations = ("none", "skip_connect", "a", "b", "c")
    varied_wiring = False  # the features of the neighbourhood have their own test


Stub.__abstractmethods__ = frozenset()
STUB = Stub()  # pyright: ignore[reportAbstractUsage]


def random_dag(rng: np.random.Generator, nodes: int, density: float = 0.5) -> Cell:
    inner = rng.choice(STUB.operations, size=nodes - 2, p=(0.12, 0.22, 0.22, 0.22, 0.22))
    edges = [(u, v) for u in range(nodes) for v in range(u + 1, nodes) if rng.random() < density]
    return Cell((INPUT, *map(str, inner), OUTPUT), tuple(edges))


def brute_force(cell: Cell) -> dict[str, float]:
    """Every feature by listing all simple paths of the graph without its zero nodes."""
    last = cell.num_nodes - 1
    graph = nx.DiGraph()
    graph.add_nodes_from(n for n in range(cell.num_nodes) if cell.ops[n] != "none")
    graph.add_edges_from((u, v) for u, v in cell.edges if u in graph and v in graph)
    paths = [tuple(path) for path in nx.all_simple_paths(graph, 0, last)]
    live = {node for path in paths for node in path}
    live_edges = {edge for path in paths for edge in zip(path, path[1:], strict=False)}

    def compressed(count: int) -> float:
        return float(count) if count <= 8 else 8.0 + 8.0 * float(np.log(count / 8.0))

    def inner_ops(path: tuple[int, ...]) -> list[str]:
        return [cell.ops[n] for n in path[1:-1] if cell.ops[n] != "skip_connect"]

    # the first and the last computing node of a path are those reached across identities only
    firsts, lasts = set(), set()
    for path in paths:
        computing = [n for n in path[1:-1] if cell.ops[n] != "skip_connect"]
        if computing:
            firsts.add(computing[0])
            lasts.add(computing[-1])
    expected = {"paths: number of live paths": compressed(len(paths))}
    plain = [path for path in paths if not inner_ops(path)]
    expected["routes: live paths of identities only"] = compressed(len(plain))
    expected["routes: a live path of identities only exists"] = float(bool(plain))
    expected["nodes: live identities"] = sum(cell.ops[n] == "skip_connect" for n in live)
    for subset in operation_subsets(("a", "b", "c")):
        what = " or ".join(subset)
        lengths = [sum(op in subset for op in inner_ops(path)) for path in paths]
        measures = (min(lengths), max(lengths), sum(lengths) / len(lengths)) if paths else (-1.0, -1.0, -1.0)
        for measure, value in zip(("smallest", "largest", "mean"), measures, strict=True):
            expected[f"paths: {measure} number of {what} on a live path"] = value
        only = [path for path in paths if set(inner_ops(path)) <= set(subset)]
        expected[f"routes: live paths computing with {what} only"] = compressed(len(only))
        expected[f"routes: a live path with {what} only exists"] = float(bool(only))
        expected[f"nodes: live {what}"] = sum(cell.ops[n] in subset for n in live)
        expected[f"nodes: live {what} fed by the input"] = sum(cell.ops[n] in subset for n in firsts)
        expected[f"nodes: live {what} feeding the output"] = sum(cell.ops[n] in subset for n in lasts)
    kept = ("skip_connect", "a", "b", "c")
    for a in (INPUT, *kept):
        for b in (*kept, OUTPUT):
            expected[f"edges: live {a} to {b}"] = sum(cell.ops[u] == a and cell.ops[v] == b for u, v in live_edges)
    expected["edges: live inputs of the output"] = sum(v == last for _, v in live_edges)
    expected["edges: live uses of the input"] = sum(u == 0 for u, _ in live_edges)
    expected["edges: live"] = len(live_edges)
    return expected


def test_a_cell_counted_by_hand() -> None:
    # conv 3x3 from map 0 to 1, skip 1 to 3, conv 1x1 from 0 to 3, skip 0 to 2 that leads nowhere
    space = get_space("nasbench201")
    text = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|skip_connect~1|none~2|"
    table = structure_features(space, [space.parse(text)])
    value = dict(zip(table.names, table.values[0], strict=True))
    assert value["paths: number of live paths"] == 2
    assert value["paths: smallest number of nor_conv_3x3 on a live path"] == 0
    assert value["paths: largest number of nor_conv_3x3 on a live path"] == 1
    assert value["paths: mean number of nor_conv_3x3 on a live path"] == 0.5
    assert value["paths: smallest number of nor_conv_1x1 or nor_conv_3x3 on a live path"] == 1
    assert value["paths: mean number of avg_pool_3x3 on a live path"] == 0
    assert value["routes: live paths of identities only"] == 0
    assert value["routes: live paths computing with nor_conv_3x3 only"] == 1
    assert value["routes: live paths computing with nor_conv_1x1 or nor_conv_3x3 only"] == 2
    assert value["nodes: live identities"] == 1  # the other skip is dead
    assert value["nodes: live nor_conv_3x3 feeding the output"] == 1  # across the skip
    assert value["edges: live input to nor_conv_3x3"] == 1
    assert value["edges: live skip_connect to output"] == 1
    assert value["edges: live"] == 5


def test_a_dead_cell_has_no_paths() -> None:
    space = get_space("nasbench201")
    table = structure_features(space, [space.from_genotype((3, 3, 3, 0, 0, 0))])
    value = dict(zip(table.names, table.values[0], strict=True))
    assert value["paths: number of live paths"] == 0
    assert value["paths: smallest number of nor_conv_3x3 on a live path"] == -1
    assert all(v == 0 for name, v in value.items() if not name.startswith("paths:"))


def test_random_graphs_equal_brute_force(rng: np.random.Generator) -> None:
    cells = [random_dag(rng, int(rng.integers(2, 9)), density=float(rng.uniform(0.2, 0.9))) for _ in range(150)]
    table = structure_features(STUB, cells)
    assert any(table.values[:, 0] > 8)  # the logarithmic part is met
    assert any(table.values[:, 0] == 0)
    for cell, row in zip(cells, table.values, strict=True):
        expected = brute_force(cell)
        assert set(expected) == set(table.names)
        np.testing.assert_allclose(row, [expected[name] for name in table.names], rtol=1e-12)


def test_node_order_does_not_matter(rng: np.random.Generator) -> None:
    for _ in range(40):
        cell = random_dag(rng, 8)
        order = [0]
        inner = [*range(1, 7)]
        while inner:  # a random topological order that keeps the ends
            ready = [n for n in inner if not set(cell.sources[n]) & set(inner)]
            order.append(int(rng.choice(ready)))
            inner.remove(order[-1])
        other = cell.relabelled([*order, 7])
        np.testing.assert_array_equal(structure_features(STUB, [cell]).values, structure_features(STUB, [other]).values)


def test_rows_do_not_depend_on_their_company(rng: np.random.Generator) -> None:
    cells = [random_dag(rng, int(rng.integers(2, 12))) for _ in range(30)]
    together = structure_features(STUB, cells).values
    alone = np.concatenate([structure_features(STUB, [cell]).values for cell in cells])
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_dense_graphs_of_34_nodes_stay_finite() -> None:
    full = Cell((INPUT, *("a",) * 32, OUTPUT), tuple((u, v) for u in range(34) for v in range(u + 1, 34)))
    values = structure_features(STUB, [full]).values
    assert np.isfinite(values).all()
    assert values[0, 0] == pytest.approx(8 * (1 + np.log(2.0**32 / 8)))  # 2^32 paths


def test_columns_depend_on_the_space_alone() -> None:
    space = get_space("nasbench201")
    empty = structure_features(space, [])
    one = structure_features(space, [space.from_index(0)])
    assert empty.names == one.names
    assert empty.values.shape == (0, len(one.names))
    assert len(set(one.names)) == len(one.names)
    assert set(one.groups) == set(GROUPS) - {"local", "size", "choices", "switches"}
    varied = structure_features(get_space("nasbench101"), [])
    assert set(varied.groups) == set(GROUPS) - {"choices", "switches"}
    positional = structure_features(get_space("enas6"), [])
    assert set(positional.groups) == set(GROUPS)
    for table in (varied, positional):
        assert len(set(table.names)) == len(table.names)


def test_the_whole_space_is_told_apart() -> None:
    # 9,445 cells remain when dead operations are called "none"; the features tell 8,629 apart
    space = get_space("nasbench201")
    table = structure_features(space, list(space.enumerate()))
    assert table.values.shape[0] == 15_625
    assert np.isfinite(table.values).all()
    assert len(np.unique(table.values, axis=0)) == 8_629


def test_operations_and_subsets() -> None:
    assert computing_operations(get_space("nasbench201")) == ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    assert len(operation_subsets("abc")) == 7
    assert operation_subsets("abcdef")[-1] == tuple("abcdef")
    assert len(operation_subsets("abcdef")) == 6 + 15 + 1


def test_an_unknown_operation_is_named() -> None:
    cell = Cell((INPUT, "warp", OUTPUT), ((0, 1), (1, 2)))
    with pytest.raises(DataError, match="Unknown operation 'warp'.*expected one of.*nor_conv_3x3"):
        structure_features(get_space("nasbench201"), [cell])


@pytest.mark.parametrize("name", ["nasbench101", "enas6"])
def test_neighbourhood_features_equal_brute_force(name: str, rng: np.random.Generator) -> None:
    space = get_space(name)
    cells = [space.random_cell(rng) for _ in range(15)]
    table = structure_features(space, cells)
    for cell, row in zip(cells, table.values, strict=True):
        found = {n: v for n, v in zip(table.names, row, strict=True) if n.startswith(("local", "size"))}
        graph = nx.DiGraph()
        graph.add_nodes_from((node, {"op": op}) for node, op in enumerate(cell.ops))
        graph.add_edges_from(cell.edges)
        expected: dict[str, float] = {}
        for node, op in enumerate(cell.ops):
            for word, near in (("reading", graph.predecessors(node)), ("feeding", graph.successors(node))):
                labels = sorted(graph.nodes[other]["op"] for other in near)
                pairs = {tuple(sorted(pair)) for pair in combinations(labels, 2)}
                if len(labels) == 1:
                    pairs = {(labels[0], "nothing else")}
                for pair in pairs:
                    for a, b in {pair, pair[::-1]}:
                        column = f"local: live {op} {word} {a} and {b}"
                        expected[column] = expected.get(column, 0) + 1
            for word, degree in (("inputs", graph.in_degree(node)), ("uses", graph.out_degree(node))):
                column = f"local: {word} of live {op}"
                expected[column] = expected.get(column, 0) + degree
        cost = space.cost(cell)
        expected["size: log parameters"] = math.log(cost.params_m)
        expected["size: log multiply-accumulates"] = math.log(cost.flops_m)
        expected["size: live nodes"] = cell.num_nodes
        expected["size: depth"] = nx.dag_longest_path_length(graph)
        for column, value in found.items():
            assert value == pytest.approx(expected.get(column, 0)), column


def test_gene_features_give_the_genotype_back(rng: np.random.Generator) -> None:
    space = get_space("enas6")
    cells = [space.random_cell(rng) for _ in range(20)]
    table = structure_features(space, cells)
    for cell, row in zip(cells, table.values, strict=True):
        found = {name: value for name, value in zip(table.names, row, strict=True) if name.startswith(("cho", "swi"))}
        genes = space.genotype(cell)
        on = {name for name, value in found.items() if value}
        expected = {
            f"choices: gene {gene} is {value}" if space.gene_choices[gene] > 2 else f"switches: gene {gene}"
            for gene, value in enumerate(genes)
            if space.gene_choices[gene] > 2 or value
        }
        assert on == expected
