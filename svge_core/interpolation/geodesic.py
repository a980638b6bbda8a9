"""Geodesics: shortest paths over real architectures, on the nearest-neighbour graph of the atlas's latents.

As Isomap does (Tenenbaum, de Silva & Langford 2000): every cell is joined with its nearest ones in the latent space, a
joint is as long as the Euclidean distance, and the path is the shortest one along joints (Dijkstra). A chart of up to
`WHOLE` cells gives one exact graph, which is worth keeping. Of a larger one only a part around A and B is joined: the
`AROUND` cells with the smallest sum of distances to A and B, an ellipsoid with these two as its foci. Any
path as short as the largest of these sums lies inside it, so it is the part where short paths run.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from svge_core.atlas import nearest_lengths
from svge_core.errors import SvgeError

#: neighbours of every cell: NAS-Bench-201 cells have 24 one-edit neighbours, and fewer than 16 leave islands
NEIGHBOURS = 24
#: where A and B lie on different islands, neighbours are doubled up to this many
MOST_NEIGHBOURS = 96
#: charts of up to this many cells are joined whole: two seconds, once
WHOLE = 25_000
#: cells around A and B of a larger chart: one second
AROUND = 16_384
#: latents that coincide are still two cells: the shortest joint there is
_SHORTEST = 1e-9
_PIECE = 256


@dataclass(frozen=True)
class NeighbourGraph:
    """Cells joined with their nearest ones in the latent space; a joint counts in both directions.

    Attributes:
        rows: of the atlas, one a node.
        latents: of the nodes.
        neighbours: the nearest other nodes of every node, nearest first.
        lengths: Euclidean distances to them.
        charted: cells of the chart the nodes were taken from.
    """

    rows: Int64[np.ndarray, " nodes"]
    latents: Float[np.ndarray, "nodes latent"]
    neighbours: Int64[np.ndarray, "nodes neighbours"]
    lengths: Float[np.ndarray, "nodes neighbours"]
    charted: int

    @property
    def k(self) -> int:
        """Neighbours of every node."""
        return self.neighbours.shape[1]

    @property
    def whole(self) -> bool:
        """Whether every charted cell is in it."""
        return len(self.rows) == self.charted


@dataclass(frozen=True)
class End:
    """A or B: its latent, and its row of the atlas; None where the cell is not charted."""

    latent: Float[np.ndarray, " latent"]
    row: int | None


@dataclass(frozen=True)
class Route:
    """The shortest path on a graph.

    Attributes:
        rows: of the atlas, from A to B; None for an end that is not charted.
        latents: of the stops.
        length: sum of the joints.
        graph: it was found on.
    """

    rows: tuple[int | None, ...]
    latents: Float[np.ndarray, "stops latent"]
    length: float
    graph: NeighbourGraph


def neighbour_graph(
    latents: Float[np.ndarray, "charted latent"],
    k: int = NEIGHBOURS,
    rows: Int64[np.ndarray, " nodes"] | None = None,
    *,
    piece: int = _PIECE,
) -> NeighbourGraph:
    """Join cells with their ``k`` nearest among them, exactly, by comparing all pairs.

    Args:
        latents: of all charted cells.
        k: neighbours of each cell.
        rows: the cells to join; None for all.
        piece: cells that are compared with all others at one time.

    Raises:
        SvgeError: if there are fewer than two cells.
    """
    chosen = np.arange(len(latents)) if rows is None else rows
    nodes = np.ascontiguousarray(latents[chosen], dtype=np.float32)
    if len(nodes) < 2:
        raise SvgeError(f"A neighbour graph needs at least 2 cells; got {len(nodes)}.")
    k = min(k, len(nodes) - 1)
    found, lengths = nearest_lengths(nodes, k, piece=piece)
    return NeighbourGraph(chosen, nodes, found, lengths, len(latents))


def cells_around(
    latents: Float[np.ndarray, "charted latent"], start: End, end: End, count: int = AROUND
) -> Int64[np.ndarray, " nodes"]:
    """Rows, ascending, of the charted cells with the smallest sum of distances to A and to B."""
    if count >= len(latents):
        return np.arange(len(latents))
    sums = sum(np.linalg.norm(latents - place.latent, axis=1) for place in (start, end))
    return np.sort(np.argpartition(np.asarray(sums), count - 1)[:count]).astype(np.int64)


def shortest_route(graph: NeighbourGraph, start: End, end: End) -> Route | None:
    """The shortest path from A to B; None where no path joins them.

    An end that is not a node is joined with its nearest nodes first, as if it were one.
    """
    graph, ends = _with_ends(graph, (start, end))
    matrix = csr_matrix(
        (
            np.maximum(graph.lengths, _SHORTEST).ravel(),
            (np.repeat(np.arange(len(graph.rows)), graph.k), graph.neighbours.ravel()),
        ),
        shape=(len(graph.rows),) * 2,
    )
    distances, before = dijkstra(matrix, directed=False, indices=ends[0], return_predecessors=True)
    if not np.isfinite(distances[ends[1]]):
        return None
    nodes = [ends[1]]
    while nodes[-1] != ends[0]:
        nodes.append(int(before[nodes[-1]]))
    nodes.reverse()
    rows = tuple(None if row < 0 else row for row in graph.rows[nodes].tolist())
    return Route(rows, graph.latents[nodes], float(distances[ends[1]]), graph)


def _with_ends(graph: NeighbourGraph, ends: tuple[End, End]) -> tuple[NeighbourGraph, list[int]]:
    """The graph with both ends in it, and their nodes."""
    nodes: list[int] = []
    for end in ends:
        there = np.flatnonzero(graph.rows == end.row) if end.row is not None else np.empty(0, dtype=np.int64)
        if len(there):
            nodes.append(int(there[0]))
            continue
        distances = np.linalg.norm(graph.latents.astype(np.float64) - end.latent, axis=1)
        nearest = np.argsort(distances, kind="stable")[: graph.k].astype(np.int64)
        nodes.append(len(graph.rows))
        graph = NeighbourGraph(
            np.append(graph.rows, -1 if end.row is None else end.row),
            np.vstack([graph.latents, end.latent[None].astype(np.float32)]),
            np.vstack([graph.neighbours, nearest[None]]),
            np.vstack([graph.lengths, distances[nearest][None]]),
            graph.charted,
        )
    return graph, nodes


def geodesic(
    latents: Float[np.ndarray, "charted latent"],
    start: End,
    end: End,
    whole: Callable[[int], NeighbourGraph] | None = None,
    *,
    around: int = AROUND,
    largest: int = WHOLE,
) -> Route:
    """The shortest path from A to B over charted cells, with as many neighbours as it takes to join them.

    Args:
        latents: of all charted cells.
        start: A.
        end: B.
        whole: gives the graph of the whole chart with so many neighbours, where somebody keeps it; None to build it.
        around: see :data:`AROUND`.
        largest: see :data:`WHOLE`.

    Raises:
        SvgeError: if no path joins them.
    """
    rows = None if len(latents) <= largest else cells_around(latents, start, end, around)
    k = NEIGHBOURS
    while True:
        graph = whole(k) if rows is None and whole is not None else neighbour_graph(latents, k, rows)
        route = shortest_route(graph, start, end)
        if route is not None:
            return route
        k *= 2
        if k > MOST_NEIGHBOURS or graph.k < k // 2:
            raise SvgeError(
                f"No path over known cells joins A and B: they lie on islands, even with {graph.k} neighbours a cell. "
                "Choose the straight or the spherical path."
            )


def graph_in_words(route: Route) -> str:
    """Which graph a path was found on, for people."""
    graph = route.graph
    ends = sum(row is None for row in route.rows)
    nodes = len(graph.rows) - int((graph.rows < 0).sum())
    which = f"all {nodes:,} charted cells"
    if nodes < graph.charted:
        which = (
            f"the {nodes:,} of {graph.charted:,} cells with the smallest sum of latent distances to A and B; a detour "
            "outside them is not looked at"
        )
    extra = f" {('Neither end is', 'One end is not')[ends == 1]} charted and joins its nearest cells." if ends else ""
    more = "" if graph.k <= NEIGHBOURS else f" (more than the usual {NEIGHBOURS}, which do not join A and B)"
    return f"Every cell is joined with its {graph.k} nearest{more} among {which}.{extra}"
