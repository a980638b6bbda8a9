"""How many nats tell one wiring of a RandWire generator from the others, its nodes in the generator's order.

What a model writes of a wiring in fewer nats, it guesses. The generators draw graphs that are no stage anew
(:mod:`.randwire_generators`); here that is left out, as it is rare.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from svge_core.spaces.hooks import Entropy
from svge_core.spaces.randwire_generators import BA_EDGES, ER_CHANCE, PAIRS, RANDWIRE_NODES, WS_NEAREST, drawn_edges

#: wirings that a bound or an estimate is taken over
WIRINGS = 1_000


def entropy_of(family: str) -> Entropy:
    """The entropy of a family: exact for "er", at most so much for "ws", estimated for "ba".

    Args:
        family: one of :data:`.randwire_generators.RANDWIRE_FAMILIES`.
    """
    if family == "er":
        nats = len(PAIRS) * bernoulli_nats(ER_CHANCE)
        words = f"exact: pairs are independent, each an edge with probability {ER_CHANCE}"
        return Entropy(nats, 0.0, len(PAIRS), f"{len(PAIRS)} pairs of nodes", words)
    rng, drawn = np.random.default_rng(0), f"{WIRINGS:,} drawn wirings"
    wirings = [drawn_edges(family, rng) for _ in range(WIRINGS)]
    if family == "ws":
        ring = {_pair(u, u + step) for u in range(RANDWIRE_NODES) for step in range(1, WS_NEAREST // 2 + 1)}
        kept = np.array([len(ring.intersection(edges)) for edges in wirings])
        each = split_nats(kept, len(ring), len(PAIRS) - len(ring), len(wirings[0]))
        words = "at most: edges on the ring's pairs and elsewhere, as if every choice of so many were equally likely"
        return Entropy(float(each.mean()), _error(each), WIRINGS, drawn, words)
    each = np.array([attachment_nats(edges, RANDWIRE_NODES, BA_EDGES) for edges in wirings])
    words = "estimated: mean negative log-probability, node by node as they arrive"
    return Entropy(float(each.mean()), _error(each), WIRINGS, drawn, words)


def _pair(u: int, v: int) -> tuple[int, int]:
    low, high = sorted((u % RANDWIRE_NODES, v % RANDWIRE_NODES))
    return low, high


def _error(values: Float[np.ndarray, " wirings"]) -> float:
    """Standard error of the mean."""
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def bernoulli_nats(chance: float) -> float:
    """Entropy of one draw of yes or no, in nats."""
    return -chance * math.log(chance) - (1 - chance) * math.log(1 - chance)


def split_nats(
    inside: Int[np.ndarray, " wirings"], places: int, others: int, edges: int
) -> Float[np.ndarray, " wirings"]:
    """Summands whose mean bounds the entropy of wirings with a fixed number of edges from above.

    With K edges among some ``places`` and the rest among the ``others``, H = H(K) + H(wiring | K), and the second is at
    most the mean of ln C(places, K) + ln C(others, edges - K).

    Args:
        inside: K of every drawn wiring; its frequencies stand for its distribution.
        places: pairs of the one kind.
        others: pairs of the other.
        edges: of every wiring.
    """
    counts = np.bincount(inside)
    own = -np.log(counts[inside] / len(inside))
    return own + np.array([_ln_choose(places, k) + _ln_choose(others, edges - k) for k in inside.tolist()])


def _ln_choose(of: int, count: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)


def attachment_nats(edges: Sequence[tuple[int, int]], nodes: int, each: int) -> float:
    """Negative log-probability of a Barabasi-Albert graph as networkx draws it, by the chain rule over its nodes.

    It starts from a star of ``each`` + 1 nodes. Every further node draws earlier ones in proportion to their degrees
    until it has ``each`` different ones.

    Args:
        edges: (lower, higher), nodes numbered as they arrive.
        nodes: of the graph.
        each: edges of every further node.
    """
    degree = np.zeros(nodes)
    degree[0], degree[1 : each + 1] = each, 1
    total = 0.0
    before: dict[int, list[int]] = {node: [] for node in range(nodes)}
    for low, high in edges:
        before[high].append(low)
    for node in range(each + 1, nodes):
        total -= math.log(_chance_of_set(degree[before[node]].tolist(), float(degree.sum())))
        degree[before[node]] += 1
        degree[node] = each
    return total


def _chance_of_set(weights: Sequence[float], whole: float) -> float:
    """Chance that draws without replacement, in proportion to weights, give just these, in any order.

    Over the sets T of those that came so far: chance(T) = sum over i in T of chance(U) w_i / (whole - w(U)), with U the
    set without i.
    """
    size = len(weights)
    chance, weight = [1.0] + [0.0] * (2**size - 1), [0.0] * 2**size
    for chosen in range(1, 2**size):
        for place in range(size):
            if chosen >> place & 1:
                less = chosen ^ 1 << place
                weight[chosen] = weight[less] + weights[place]
                chance[chosen] += chance[less] * weights[place] / (whole - weight[less])
    return chance[-1]
