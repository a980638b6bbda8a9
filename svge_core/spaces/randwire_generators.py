"""Random graphs of 32 ordered nodes: the generators of RandWire (Xie et al. 2019), and what makes a graph a stage.

The generators are networkx's; only what RandWire does with them is here: edges are directed from the lower to the
higher index of the node, and graphs that are no stage are drawn again. The settings are those of the paper's best
networks.

=====  ==============================  ==================================  =================
name   generator                       networkx                            edges of 32 nodes
=====  ==============================  ==================================  =================
ws     Watts-Strogatz, K = 4, P = .75  ``watts_strogatz_graph(32, 4, .75)``  64, always
er     Erdos-Renyi, P = .2             ``gnp_random_graph(32, .2)``          99.2 on average
ba     Barabasi-Albert, M = 5          ``barabasi_albert_graph(32, 5)``      135, always
=====  ==============================  ==================================  =================

Watts-Strogatz nodes keep their places on the ring and Barabasi-Albert nodes their order of arrival. networkx starts a
Barabasi-Albert graph from a star of M + 1 nodes, the paper from M nodes that its first new node joins: the same graph.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from svge_core.errors import SvgeError

Edge = tuple[int, int]

#: names of the generators
RANDWIRE_FAMILIES = ("ws", "er", "ba")
#: neighbours on the ring and chance of being joined elsewhere (ws), chance of an edge (er), edges of a new node (ba)
WS_NEAREST, WS_CHANCE, ER_CHANCE, BA_EDGES = 4, 0.75, 0.2, 5
#: inner nodes of a stage, numbered from 0
RANDWIRE_NODES = 32
#: seeds of networkx's generators lie below
_SEEDS = 2**31
#: a tree has the fewest edges; the most are beyond what any of the generators draws
MIN_EDGES, MAX_EDGES = RANDWIRE_NODES - 1, 160
#: pairs of nodes in the order of the genotype: row by row of the strict upper triangle
PAIRS: tuple[Edge, ...] = tuple((u, v) for u in range(RANDWIRE_NODES) for v in range(u + 1, RANDWIRE_NODES))


def drawn_edges(family: str, rng: np.random.Generator) -> tuple[Edge, ...]:
    """Edges (lower, higher) of one graph of a family that is a stage: connected, and with a number of edges in bounds.

    Args:
        family: one of :data:`RANDWIRE_FAMILIES`.
        rng: the only source of chance.

    Raises:
        SvgeError: if there is no such family.
    """
    if family not in RANDWIRE_FAMILIES:
        raise SvgeError(f"Unknown family of graphs {family[:40]!r}: expected one of {', '.join(RANDWIRE_FAMILIES)}.")
    while True:
        edges = _edges(family, int(rng.integers(_SEEDS)))
        if not problem(edges):
            return edges


def _edges(family: str, seed: int) -> tuple[Edge, ...]:
    import networkx  # not needed by other spaces

    nx: Any = networkx  # its stubs leave the types of the generators' nodes open; they are whole numbers
    if family == "ws":
        graph = nx.watts_strogatz_graph(RANDWIRE_NODES, WS_NEAREST, WS_CHANCE, seed=seed)
    elif family == "er":
        graph = nx.gnp_random_graph(RANDWIRE_NODES, ER_CHANCE, seed=seed)
    else:
        graph = nx.barabasi_albert_graph(RANDWIRE_NODES, BA_EDGES, seed=seed)
    return tuple(sorted((min(u, v), max(u, v)) for u, v in graph.edges))


def problem(edges: Iterable[Edge]) -> str:
    """Why edges of nodes 0 to 31 are no stage, as the end of a sentence; empty if they are one."""
    pairs = tuple(edges)
    if not MIN_EDGES <= len(pairs) <= MAX_EDGES:
        return f"has {MIN_EDGES} to {MAX_EDGES} edges between its {RANDWIRE_NODES} nodes; got {len(pairs)}"
    parts = components(pairs)
    if len(parts) > 1:
        alone = min(parts, key=lambda part: (len(part), min(part)))
        shown = ", ".join(str(node) for node in sorted(alone)[:8]) + (", ..." if len(alone) > 8 else "")
        return f"is in one piece; got {len(parts)}, of which one has the nodes {shown} (counted from 0)"
    return ""


def components(edges: Iterable[Edge]) -> list[frozenset[int]]:
    """The weakly connected components of nodes 0 to 31."""
    part = [frozenset((node,)) for node in range(RANDWIRE_NODES)]
    for u, v in edges:
        if part[u] is not part[v]:
            joined = part[u] | part[v]
            for node in joined:
                part[node] = joined
    return list(dict.fromkeys(part))


def reachable(edges: Iterable[Edge]) -> list[int]:
    """For every node the set of nodes behind it as bits (bit v of entry u: there is a path from u to v)."""
    behind = [0] * RANDWIRE_NODES
    for u, v in sorted(edges, reverse=True):  # everything behind v is settled when an edge into v is read
        behind[u] |= behind[v] | 1 << v
    return behind
