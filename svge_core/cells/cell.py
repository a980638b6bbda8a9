"""`Cell`: one architecture as a frozen labelled DAG, its pruning and its canonical form. No torch here.

A cell's nodes stand in a topological order (every edge goes from a lower to a higher position). Two cells that differ
only in which topological order was written down are equal up to relabelling; :func:`canonical_cell` brings both to one
form and :func:`cell_key` hashes it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from svge_core.errors import InvalidCellError

INPUT = "input"
OUTPUT = "output"


@dataclass(frozen=True)
class Cell:
    """A directed acyclic graph with one label per node.

    Attributes:
        ops: label of each node, in a topological order; for a complete architecture the first is ``"input"`` and the
            last ``"output"``.
        edges: (source, target) pairs with source < target, sorted, without repeats. Empty means no edges.

    Raises:
        InvalidCellError: if an edge leaves the node range, goes backwards, or is repeated.
    """

    ops: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        ops = tuple(self.ops)
        edges = tuple(sorted((int(u), int(v)) for u, v in self.edges))
        if not ops:
            raise InvalidCellError("A cell needs at least one node; got none.")
        for u, v in edges:
            if not 0 <= u < v < len(ops):
                raise InvalidCellError(
                    f"Edge ({u}, {v}) is not possible among {len(ops)} nodes in topological order: expected "
                    f"0 <= source < target < {len(ops)}. Use Cell.from_graph for nodes in another order."
                )
        if len(set(edges)) != len(edges):
            raise InvalidCellError("An edge is given twice; every (source, target) pair may appear once.")
        object.__setattr__(self, "ops", ops)
        object.__setattr__(self, "edges", edges)

    @classmethod
    def from_graph(cls, ops: Sequence[str], edges: Iterable[tuple[int, int]]) -> "Cell":
        """Build a cell from nodes in any order: they are sorted topologically, ties by original position.

        Raises:
            InvalidCellError: if the graph has a cycle or an edge leaves the node range.
        """
        edge_list = [(int(u), int(v)) for u, v in edges]
        count = len(ops)
        if any(not (0 <= u < count and 0 <= v < count) for u, v in edge_list):
            raise InvalidCellError(f"An edge leaves the range of the {count} nodes: {sorted(edge_list)}.")
        waiting = {node: {u for u, v in edge_list if v == node} for node in range(count)}
        order: list[int] = []
        while waiting:
            ready = [node for node, sources in waiting.items() if not sources]
            if not ready:
                raise InvalidCellError(f"The graph has a cycle through nodes {sorted(waiting)}; a cell has none.")
            order.append(ready[0])
            del waiting[ready[0]]
            for sources in waiting.values():
                sources.discard(ready[0])
        return cls(tuple(ops), ()).relabelled(order, edge_list)

    @property
    def num_nodes(self) -> int:
        """Number of nodes, input and output included."""
        return len(self.ops)

    @cached_property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """For every node, the nodes with an edge into it."""
        found: list[list[int]] = [[] for _ in self.ops]
        for u, v in self.edges:
            found[v].append(u)
        return tuple(map(tuple, found))

    @cached_property
    def targets(self) -> tuple[tuple[int, ...], ...]:
        """For every node, the nodes it has an edge to."""
        found: list[list[int]] = [[] for _ in self.ops]
        for u, v in self.edges:
            found[u].append(v)
        return tuple(map(tuple, found))

    def relabelled(self, order: Sequence[int], edges: Iterable[tuple[int, int]] | None = None) -> "Cell":
        """The same graph with its nodes written down in another topological order.

        Args:
            order: old positions in their new sequence, a permutation of all nodes.
            edges: edges in old positions; the cell's own by default.
        """
        if sorted(order) != list(range(self.num_nodes)):
            raise InvalidCellError(f"Expected a permutation of 0..{self.num_nodes - 1}, got {list(order)}.")
        new = {old: position for position, old in enumerate(order)}
        pairs = self.edges if edges is None else edges
        return Cell(tuple(self.ops[old] for old in order), tuple((new[u], new[v]) for u, v in pairs))


def pruned(cell: Cell) -> Cell:
    """Drop every node that lies on no path from the first to the last node (those two always stay)."""
    forward, backward = {0}, {cell.num_nodes - 1}
    for u, v in cell.edges:  # edges are sorted by source, and sources come before targets
        if u in forward:
            forward.add(v)
    for u, v in reversed(cell.edges):
        if v in backward:
            backward.add(u)
    # reversed(edges) is sorted by source descending, so every target's membership is settled before it is read
    keep = sorted((forward & backward) | {0, cell.num_nodes - 1})
    new = {old: position for position, old in enumerate(keep)}
    edges = tuple((new[u], new[v]) for u, v in cell.edges if u in new and v in new)
    return Cell(tuple(cell.ops[node] for node in keep), edges)


def _refined(cell: Cell, colours: tuple[int, ...]) -> tuple[int, ...]:
    """Colour refinement (1-WL) over in- and out-neighbours until the partition is stable."""
    while True:
        signatures = [
            (
                colours[node],
                tuple(sorted(colours[u] for u in cell.sources[node])),
                tuple(sorted(colours[v] for v in cell.targets[node])),
            )
            for node in range(cell.num_nodes)
        ]
        ranks = {signature: rank for rank, signature in enumerate(sorted(set(signatures)))}
        refined = tuple(ranks[signature] for signature in signatures)
        if len(set(refined)) == len(set(colours)):
            return refined
        colours = refined


def _individualised(cell: Cell, colours: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    """Refined colourings that single out one node of the first ambiguous class, twins collapsed; none if discrete."""
    classes: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        classes.setdefault(colour, []).append(node)
    ambiguous = [members for _, members in sorted(classes.items()) if len(members) > 1]
    seen: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
    for node in ambiguous[0] if ambiguous else ():
        # twins (same neighbours both ways) are swapped by an automorphism: one of them stands for all
        neighbourhood = (cell.sources[node], cell.targets[node])
        if neighbourhood not in seen:
            seen.add(neighbourhood)
            yield _refined(cell, tuple(2 * c + (0 if other == node else 1) for other, c in enumerate(colours)))


def _first_leaf(cell: Cell, colours: tuple[int, ...]) -> Cell:
    """The leaf of the search tree that always takes the first choice."""
    while (choice := next(iter(_individualised(cell, colours)), None)) is not None:
        colours = choice
    return cell.relabelled(sorted(range(cell.num_nodes), key=lambda node: colours[node]))


def _smallest_leaf(cell: Cell, colours: tuple[int, ...]) -> Cell:
    """Individualisation-refinement: the smallest leaf of the search tree, equivalent branches searched once.

    Two branches whose first leaves are the same graph are mapped on each other by an automorphism, so their smallest
    leaves are the same too. Without this, k equal disjoint parts would cost k factorial.
    """
    first_leaves: set[Cell] = set()
    leaves: list[Cell] = []
    for choice in _individualised(cell, colours):
        first = _first_leaf(cell, choice)
        if first not in first_leaves:
            first_leaves.add(first)
            leaves.append(_smallest_leaf(cell, choice))
    if not leaves:  # the colouring is discrete
        return _first_leaf(cell, colours)
    return min(leaves, key=lambda leaf: (leaf.ops, leaf.edges))


def canonical_cell(cell: Cell) -> Cell:
    """The representative of all relabellings of a cell: equal for two cells exactly when they are isomorphic.

    Nodes are first coloured by their longest distance from a source, so the canonical order is topological; remaining
    ties are settled by colour refinement and, where that is not enough, by trying every tied node and keeping the
    smallest result (individualisation-refinement, McKay 1981).
    """
    depth: list[int] = []
    for node in range(cell.num_nodes):
        depth.append(1 + max((depth[u] for u in cell.sources[node]), default=-1))
    # a complete cell keeps its input first and its output last, also when a node is not connected
    for node, op in enumerate(cell.ops):
        if op == INPUT and not cell.sources[node]:
            depth[node] = -1
        elif op == OUTPUT and not cell.targets[node]:
            depth[node] = cell.num_nodes
    keys = list(zip(depth, cell.ops, strict=True))
    ranks = {key: position for position, key in enumerate(sorted(set(keys)))}
    colours = _refined(cell, tuple(ranks[key] for key in keys))
    return _smallest_leaf(cell, colours)


def cell_key(cell: Cell) -> str:
    """Relabelling-invariant key of a labelled DAG: 32 hex digits of its canonical form (BLAKE2b, 128 bits)."""
    form = canonical_cell(cell)
    text = repr((form.ops, form.edges))  # quoted, so that a label with a comma is not taken for two
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
