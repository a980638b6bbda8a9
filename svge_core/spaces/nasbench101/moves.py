"""One-edit moves between NAS-Bench-101 cells. Every move has its inverse among them, so being neighbours is mutual.

Moves: another operation at a vertex; an edge more or less; a vertex with one source and one target more or less, either
beside what is there or in the place of an edge.
"""

from collections.abc import Iterator

from svge_core.spaces.nasbench101.codes import MAX_EDGES, MAX_VERTICES

Edges = tuple[tuple[int, int], ...]
OperationsAndEdges = tuple[tuple[int, ...], Edges]


def one_edit_away(operations: tuple[int, ...], edges: Edges, choices: int) -> Iterator[OperationsAndEdges]:
    """Members one edit away, as operation digits and edges in a topological order; with repeats.

    Args:
        operations: digits of the inner vertices.
        edges: of the cell.
        choices: number of operations.
    """
    for vertex, own in enumerate(operations):
        for other in range(choices):
            if other != own:
                yield (*operations[:vertex], other, *operations[vertex + 1 :]), edges
    for edge in edges:
        fewer = tuple(e for e in edges if e != edge)
        if _in_use(len(operations) + 2, fewer):
            yield operations, fewer
        yield from _with_vertex(operations, fewer, edge, choices)
    for pair in _free_pairs(len(operations) + 2, edges):
        if pair not in edges and len(edges) < MAX_EDGES:
            yield _sorted(operations, (*edges, pair))
        yield from _with_vertex(operations, edges, pair, choices)
    yield from _without_vertex(operations, edges)


def _free_pairs(count: int, edges: Edges) -> Iterator[tuple[int, int]]:
    """(source, target) pairs whose edge closes no cycle."""
    reaches = [{vertex} for vertex in range(count)]
    for source, target in sorted(edges, reverse=True):  # targets of a vertex are settled before the vertex
        reaches[source] |= reaches[target]
    for source in range(count - 1):
        for target in range(1, count):
            if source not in reaches[target]:
                yield source, target


def _with_vertex(
    operations: tuple[int, ...], edges: Edges, pair: tuple[int, int], choices: int
) -> Iterator[OperationsAndEdges]:
    """The cells with one more vertex between a source and a target."""
    count = len(operations) + 2
    if count >= MAX_VERTICES or len(edges) + 2 > MAX_EDGES:
        return
    last, new = count - 1, count  # the new vertex is appended behind the output, then all are sorted
    for digit in range(choices):
        yield _sorted((*operations, digit), (*edges, (pair[0], new), (new, pair[1])), output=last)


def _without_vertex(operations: tuple[int, ...], edges: Edges) -> Iterator[OperationsAndEdges]:
    """The cells with one vertex less, of those with one source and one target; its edges go, or become one."""
    for vertex in range(1, len(operations) + 1):
        sources = [u for u, v in edges if v == vertex]
        targets = [v for u, v in edges if u == vertex]
        if len(sources) != 1 or len(targets) != 1:
            continue
        rest = tuple(e for e in edges if vertex not in e)
        joined = (sources[0], targets[0])
        ops = (*operations[: vertex - 1], *operations[vertex:])
        for kept in (rest, rest if joined in rest else (*rest, joined)):
            renumbered = tuple((u - (u > vertex), v - (v > vertex)) for u, v in kept)
            if _in_use(len(ops) + 2, renumbered):
                yield ops, renumbered


def _in_use(count: int, edges: Edges) -> bool:
    """Whether every vertex lies on a path from the first to the last, all in topological order."""
    return {u for u, _ in edges} == set(range(count - 1)) and {v for _, v in edges} == set(range(1, count))


def _sorted(operations: tuple[int, ...], edges: Edges, output: int | None = None) -> OperationsAndEdges:
    """The cell in a topological order.

    Args:
        operations: of the vertices other than the ends, by position.
        edges: (source, target) pairs of positions.
        output: position of the output, if it is not the last.
    """
    count = len(operations) + 2
    output = count - 1 if output is None else output
    waiting = {vertex: {u for u, v in edges if v == vertex} for vertex in range(count)}
    order: list[int] = []
    while waiting:
        vertex = next(v for v, sources in waiting.items() if not sources)
        del waiting[vertex]
        order.append(vertex)
        for sources in waiting.values():
            sources.discard(vertex)
    place = {old: new for new, old in enumerate(order)}
    digit = {vertex: operations[vertex - 1 - (vertex > output)] for vertex in range(1, count) if vertex != output}
    return (
        tuple(digit[vertex] for vertex in order[1:-1]),
        tuple((place[u], place[v]) for u, v in edges),
    )
