"""NAS-Bench-101's cells as 64-bit codes of a canonical form: enumeration of all 423,624 in under a second.

The canonical form of a cell sorts its inner vertices by depth (longest path from the input), then takes, among all
orders of vertices of equal depth, the one with the smallest operations and then the smallest adjacency. Depth grows
along every edge, so the order is topological.

A code holds, from the top bit: number of vertices, sorted depths of inner vertices (3 bits each), their operations (2
bits each), the upper triangle of the adjacency row by row. Equal codes are isomorphic cells, and the other way round.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

import numpy as np
from jaxtyping import Int

MAX_VERTICES = 7
MAX_EDGES = 9
NUM_OPERATIONS = 3
_DEPTH_BITS, _OP_BITS = 3, 2
_ADJACENCY_BITS = MAX_VERTICES * (MAX_VERTICES - 1) // 2
_INNER = MAX_VERTICES - 2
_OPS_AT = _ADJACENCY_BITS
_DEPTHS_AT = _OPS_AT + _OP_BITS * _INNER
_VERTICES_AT = _DEPTHS_AT + _DEPTH_BITS * _INNER


@dataclass(frozen=True)
class CellGraphs:
    """Many cells as padded arrays.

    Attributes:
        vertices: number of vertices, input and output included (cells).
        operations: operation digit of every inner vertex, 0 where there is none (cells, 5).
        adjacency: 1 where an edge goes from the second axis to the third (cells, 7, 7).
    """

    vertices: Int[np.ndarray, " cells"]
    operations: Int[np.ndarray, "cells inner"]
    adjacency: Int[np.ndarray, "cells vertices vertices"]


@lru_cache(maxsize=8)
def upper_pairs(vertices: int) -> tuple[tuple[int, int], ...]:
    """(source, target) pairs of an upper triangle, row by row."""
    return tuple((u, v) for u in range(vertices) for v in range(u + 1, vertices))


@lru_cache(maxsize=8)
def _inner_orders(vertices: int) -> Int[np.ndarray, "orders vertices"]:
    """Every order of the vertices that keeps the first and the last."""
    orders = [(0, *inner, vertices - 1) for inner in permutations(range(1, vertices - 1))]
    return np.array(orders, dtype=np.int64)


def _depths(adjacency: Int[np.ndarray, "cells vertices vertices"]) -> Int[np.ndarray, "cells vertices"]:
    """Longest path from the first vertex; rows and columns in topological order."""
    depths = np.zeros(adjacency.shape[:2], dtype=np.int64)
    for vertex in range(1, adjacency.shape[1]):
        depths[:, vertex] = np.where(adjacency[:, :vertex, vertex] > 0, depths[:, :vertex] + 1, 0).max(1)
    return depths


def _digits(values: Int[np.ndarray, "*rows digits"], bits: int) -> Int[np.ndarray, "*rows"]:
    """Digits of equal width read as one number, first digit highest."""
    number = np.zeros(values.shape[:-1], dtype=np.int64)
    for column in range(values.shape[-1]):
        number <<= bits  # in place, so that a single number stays an array
        number |= values[..., column]
    return number


def _adjacency_code(
    adjacency: Int[np.ndarray, "vertices vertices"], orders: Int[np.ndarray, "orders vertices"]
) -> Int[np.ndarray, " orders"]:
    """The upper triangle of one graph written down in each of many orders."""
    first, second = np.array(upper_pairs(orders.shape[1]), dtype=np.int64).T
    return _digits(adjacency[orders[:, first], orders[:, second]].astype(np.int64), 1)


def _header(sorted_depths: Int[np.ndarray, " inner"], vertices: int) -> int:
    return (vertices << _VERTICES_AT) | (int(_digits(sorted_depths, _DEPTH_BITS)) << _DEPTHS_AT)


def _written_down(
    operations: tuple[int, ...], edges: tuple[tuple[int, int], ...], ops_at: int
) -> tuple[Int[np.ndarray, " inner"], Int[np.ndarray, "orders vertices"], Int[np.ndarray, " orders"]]:
    """A cell in every order that sorts its inner vertices by depth.

    Args:
        operations: digits of the inner vertices.
        edges: (source, target) pairs of vertices.
        ops_at: bits below the operations, at least one per pair of vertices.

    Returns:
        the sorted depths of the inner vertices, the orders, and the cell as a number in each of them: operations, then
        adjacency.
    """
    vertices = len(operations) + 2
    adjacency = np.zeros((vertices, vertices), dtype=np.int64)
    for source, target in edges:
        adjacency[source, target] = 1
    depths = _depths(adjacency[None])[0]
    wanted, orders = np.sort(depths[1:-1]), _inner_orders(vertices)
    orders = orders[(depths[orders[:, 1:-1]] == wanted).all(1)]
    ops = _digits(np.array(operations, dtype=np.int64)[orders[:, 1:-1] - 1], _OP_BITS)
    return wanted, orders, (ops << ops_at) | _adjacency_code(adjacency, orders)


def canonical_code(operations: tuple[int, ...], edges: tuple[tuple[int, int], ...]) -> int:
    """The code of one cell.

    Args:
        operations: digit of every inner vertex, in a topological order.
        edges: (source, target) positions in the same order, 0 the input, the last the output.
    """
    depths, _, numbers = _written_down(operations, edges, _OPS_AT)
    return _header(depths, len(operations) + 2) | int(numbers.min())


def canonical_order(operations: tuple[int, ...], edges: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """The order of vertices that :func:`canonical_code` writes down, for graphs of up to eight vertices too.

    Args are those of :func:`canonical_code`.
    """
    _, orders, numbers = _written_down(operations, edges, len(upper_pairs(len(operations) + 2)))
    return tuple(orders[int(numbers.argmin())].tolist())


def decode_one(code: int) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Operation digits and edges of a code; the inverse of :func:`canonical_code` on canonical forms."""
    vertices = code >> _VERTICES_AT
    inner = vertices - 2
    operations = tuple((code >> (_OPS_AT + _OP_BITS * (inner - 1 - k))) & 3 for k in range(inner))
    pairs = upper_pairs(vertices)
    edges = tuple(pair for k, pair in enumerate(pairs) if (code >> (len(pairs) - 1 - k)) & 1)
    return operations, edges


def decode_many(codes: Int[np.ndarray, " cells"]) -> CellGraphs:
    """:func:`decode_one` for many codes at once."""
    vertices = codes >> _VERTICES_AT
    operations = np.zeros((len(codes), _INNER), dtype=np.int8)
    adjacency = np.zeros((len(codes), MAX_VERTICES, MAX_VERTICES), dtype=np.int8)
    for count in range(2, MAX_VERTICES + 1):
        rows = np.flatnonzero(vertices == count)
        some, inner, pairs = codes[rows], count - 2, upper_pairs(count)
        for k in range(inner):
            operations[rows, k] = (some >> (_OPS_AT + _OP_BITS * (inner - 1 - k))) & 3
        for k, (source, target) in enumerate(pairs):
            adjacency[rows, source, target] = (some >> (len(pairs) - 1 - k)) & 1
    return CellGraphs(vertices.astype(np.int64), operations, adjacency)


def _connected_graphs(vertices: int) -> Int[np.ndarray, "graphs vertices vertices"]:
    """Every upper triangle with at most nine edges in which all vertices lie on a path from the first to the last."""
    pairs = upper_pairs(vertices)
    codes = np.arange(1 << len(pairs), dtype=np.uint32)
    codes = codes[np.bitwise_count(codes) <= MAX_EDGES]
    for vertex in range(vertices):
        # in topological order it is enough that nobody but the ends lacks a source or a target
        leaving = sum(1 << k for k, (source, _) in enumerate(pairs) if source == vertex)
        entering = sum(1 << k for k, (_, target) in enumerate(pairs) if target == vertex)
        for edges in (leaving if vertex < vertices - 1 else 0, entering if vertex else 0):
            if edges:
                codes = codes[(codes & np.uint32(edges)) > 0]
    adjacency = np.zeros((len(codes), vertices, vertices), dtype=np.int64)
    for k, (source, target) in enumerate(pairs):
        adjacency[:, source, target] = (codes >> k) & 1
    return adjacency


def _unlabelled(vertices: int) -> Int[np.ndarray, "graphs vertices vertices"]:
    """One of every isomorphism class of :func:`_connected_graphs`."""
    adjacency = _connected_graphs(vertices)
    depths = _depths(adjacency)
    first, second = np.array(upper_pairs(vertices), dtype=np.int64).T
    smallest = np.full(len(adjacency), np.iinfo(np.int64).max)
    for order in _inner_orders(vertices):
        shape = _digits(depths[:, order[1:-1]], _DEPTH_BITS)
        code = (shape << _ADJACENCY_BITS) | _digits(adjacency[:, order[first], order[second]], 1)
        smallest = np.minimum(smallest, code)
    _, representatives = np.unique(smallest, return_index=True)
    return adjacency[representatives]


def _labelled(adjacency: Int[np.ndarray, "vertices vertices"]) -> Int[np.ndarray, " cells"]:
    """Codes of all cells on one unlabelled graph."""
    vertices = len(adjacency)
    depths = _depths(adjacency[None])[0]
    wanted = np.sort(depths[1:-1])
    orders = _inner_orders(vertices)
    orders = orders[(depths[orders[:, 1:-1]] == wanted).all(1)]
    labels = np.array(list(product(range(NUM_OPERATIONS), repeat=vertices - 2)), dtype=np.int64)
    ops = _digits(labels[:, orders[:, 1:-1] - 1], _OP_BITS)  # (labellings, orders)
    codes = (ops << _OPS_AT) | _adjacency_code(adjacency, orders)
    return _header(wanted, vertices) | np.unique(codes.min(1))


def all_codes() -> Int[np.ndarray, " cells"]:
    """The codes of all 423,624 cells, ascending (Ying et al. 2019: at most 7 vertices, 9 edges, 3 operations)."""
    parts = [_labelled(graph) for vertices in range(2, MAX_VERTICES + 1) for graph in _unlabelled(vertices)]
    return np.sort(np.concatenate(parts))


def vertices_of(codes: Int[np.ndarray, " cells"]) -> Int[np.ndarray, " cells"]:
    """Number of vertices of every code."""
    return codes >> _VERTICES_AT
