"""What changed between two cells, for marking it in their drawings."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations, product

from svge_core.cells.cell import Cell

#: most ways of pairing inner nodes that are tried one by one (6! = 720 and 7! / 2! both fit)
MAX_PAIRINGS = 2520


@dataclass(frozen=True)
class Highlight:
    """Parts of one cell to mark in its drawing.

    Attributes:
        nodes: positions; empty marks none.
        edges: (source, target) pairs; empty marks none.
    """

    nodes: frozenset[int] = frozenset()
    edges: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Difference:
    """What has to be edited to turn the first cell into the second.

    Attributes:
        first: what changes or goes, in positions of the first cell.
        second: what is changed or new, in positions of the second cell.
        edits: number of labels changed, nodes added or removed, and edges added or removed.
    """

    first: Highlight
    second: Highlight
    edits: int


def difference(first: Cell, second: Cell) -> Difference:
    """Fewest edits between two cells: changed labels, and nodes and edges that only one of them has.

    First and last nodes correspond. Where the structure fixes the order (equal edges without twins, or a path through
    all nodes in both) positions correspond; otherwise inner nodes are paired so that the number of edits is smallest,
    exactly for cells of up to eight nodes, and in order (label edit distance) for larger ones.
    """
    pairings = _pairings(first, second)
    return min((_edits(first, second, pairing) for pairing in pairings), key=lambda result: result.edits)


def _edits(first: Cell, second: Cell, pairing: dict[int, int]) -> Difference:
    changed = {(a, b) for a, b in pairing.items() if first.ops[a] != second.ops[b]}
    gone = set(range(first.num_nodes)) - set(pairing)
    new = set(range(second.num_nodes)) - set(pairing.values())
    back = {b: a for a, b in pairing.items()}
    old_edges, new_edges = set(first.edges), set(second.edges)
    kept = {(u, v) for u, v in old_edges if (pairing.get(u), pairing.get(v)) in new_edges}
    lost_edges = old_edges - kept
    added_edges = {(u, v) for u, v in new_edges if (back.get(u), back.get(v)) not in old_edges}
    return Difference(
        Highlight(frozenset(gone | {a for a, _ in changed}), frozenset(lost_edges)),
        Highlight(frozenset(new | {b for _, b in changed}), frozenset(added_edges)),
        len(changed) + len(gone) + len(new) + len(lost_edges) + len(added_edges),
    )


def _pairings(first: Cell, second: Cell) -> Iterable[dict[int, int]]:
    """Candidate correspondences, the plainest first (ties go to the first)."""
    ends = {0: 0, first.num_nodes - 1: second.num_nodes - 1}
    inner, other = range(1, first.num_nodes - 1), range(1, second.num_nodes - 1)
    if min(first.num_nodes, second.num_nodes) < 2:
        return [{0: 0}]
    same_places = (first.edges == second.edges and not _has_twins(first)) or (is_ordered(first) and is_ordered(second))
    if len(inner) == len(other) and same_places:
        return [{node: node for node in range(first.num_nodes)}]
    few, many = sorted((len(inner), len(other)))
    if math.perm(many, few) <= MAX_PAIRINGS:
        return _all_pairings(ends, inner, other)
    return [_in_order(first, second) | ends]


def _all_pairings(ends: dict[int, int], inner: range, other: range) -> Iterator[dict[int, int]]:
    if len(inner) <= len(other):
        for chosen in permutations(other, len(inner)):
            yield ends | dict(zip(inner, chosen, strict=True))
    else:
        for chosen in permutations(inner, len(other)):
            yield ends | dict(zip(chosen, other, strict=True))


def _in_order(first: Cell, second: Cell) -> dict[int, int]:
    """Inner nodes paired without crossing, with fewest changed, added and removed labels (Wagner & Fischer 1974)."""
    a, b = first.ops[1:-1], second.ops[1:-1]
    costs = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, j in product(range(1, len(a) + 1), range(1, len(b) + 1)):
        costs[i][j] = min(costs[i - 1][j - 1] + (a[i - 1] != b[j - 1]), costs[i - 1][j] + 1, costs[i][j - 1] + 1)
    pairing: dict[int, int] = {}
    i, j = len(a), len(b)
    while i and j:
        if costs[i][j] == costs[i - 1][j - 1] + (a[i - 1] != b[j - 1]):
            pairing[i] = j
            i, j = i - 1, j - 1
        elif costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairing


def _has_twins(cell: Cell) -> bool:
    """Whether two nodes have the same neighbours, so that nothing but their labels tells them apart."""
    return len(set(zip(cell.sources, cell.targets, strict=True))) < cell.num_nodes


def is_ordered(cell: Cell) -> bool:
    """Whether a path runs through all nodes, so that their order is the only topological one."""
    edges = set(cell.edges)
    return all((node, node + 1) in edges for node in range(cell.num_nodes - 1))


def change_in_words(change: Difference, before: Cell, after: Cell) -> str:
    """What a jump changes: operations changed, nodes and edges added and removed; says also what cannot be drawn."""
    lost, added = len(change.first.edges), len(change.second.edges)
    # changed nodes are marked on both sides, those that come or go on one
    changed = len(change.first.nodes) + len(change.second.nodes) - (change.edits - lost - added)
    gone, new = len(change.first.nodes) - changed, len(change.second.nodes) - changed
    parts = (
        (changed, "operation", "changed"),
        (new, "node", "added"),
        (gone, "node", "removed"),
        (added, "edge", "added"),
        (lost, "edge", "removed"),
    )
    assert after.num_nodes - before.num_nodes == new - gone
    return ", ".join(f"{count} {what}{'s' if count > 1 else ''} {verb}" for count, what, verb in parts if count)


def edits_in_words(count: int) -> str:
    """ "1 edit", "2 edits"."""
    return f"{count} edit{'' if count == 1 else 's'}"
