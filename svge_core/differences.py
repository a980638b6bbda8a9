"""What changed between two cells, for marking it in their drawings."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import permutations

from svge_core.cells import Cell

#: most ways of pairing inner nodes that are tried one by one (6! = 720 and 7! / 2 both fit)
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

    First and last nodes correspond. Where the structure fixes the order (equal edges, or a path through all nodes in
    both) positions correspond; otherwise inner nodes are paired so that the number of edits is smallest, exactly for
    cells of up to eight nodes, and in order (longest common runs of labels) for larger ones.
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
    if len(inner) == len(other) and (first.edges == second.edges or (is_ordered(first) and is_ordered(second))):
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
    pairing: dict[int, int] = {}
    matcher = SequenceMatcher(None, first.ops[1:-1], second.ops[1:-1], autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            pairing |= {1 + a: 1 + b for a, b in zip(range(start, end), range(other_start, other_end), strict=False)}
    return pairing


def is_ordered(cell: Cell) -> bool:
    """Whether a path runs through all nodes, so that their order is the only topological one."""
    edges = set(cell.edges)
    return all((node, node + 1) in edges for node in range(cell.num_nodes - 1))
