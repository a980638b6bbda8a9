"""Nats of a wiring: closed forms against scipy, the bound against distributions written out, networkx's attachment
against all orders of drawing and against its own frequencies."""

import math
from collections import Counter
from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
from scipy.stats import bernoulli, chisquare, entropy

from svge_core.spaces.randwire_entropy import (
    _chance_of_set,
    attachment_nats,
    bernoulli_nats,
    entropy_of,
    split_nats,
)
from svge_core.spaces.registry import get_space


def test_independent_pairs_have_the_entropy_that_scipy_gives() -> None:
    assert bernoulli_nats(0.3) == pytest.approx(float(bernoulli(0.3).entropy()))
    found = entropy_of("er")
    assert found.nats == pytest.approx(496 * float(bernoulli(0.2).entropy()))
    assert found.error == 0 and found.words.startswith("exact") and found.n == 496


def test_the_bound_is_the_entropy_where_only_the_number_inside_counts_and_above_it_elsewhere(
    rng: np.random.Generator,
) -> None:
    """All wirings of 3 of 7 pairs, 3 of which are inside."""
    wirings = list(combinations(range(7), 3))
    inside = np.array([sum(pair < 3 for pair in wiring) for wiring in wirings])
    share = np.array([0.1, 0.4, 0.3, 0.2])
    level = share[inside] / np.bincount(inside)[inside]
    drawn = np.repeat(np.arange(4), (share * 10).astype(int))  # frequencies that are the shares
    assert split_nats(drawn, 3, 4, 3).mean() == pytest.approx(float(entropy(level)))
    uneven = level * rng.uniform(0.2, 1.8, len(wirings))
    for k in range(4):
        uneven[inside == k] *= share[k] / uneven[inside == k].sum()
    assert float(entropy(uneven)) < split_nats(drawn, 3, 4, 3).mean()


def test_the_chance_of_a_set_is_that_of_all_its_orders() -> None:
    weights, whole = [3.0, 1.0, 2.5], 11.0
    expected = 0.0
    for order in permutations(weights):
        chance, left = 1.0, whole
        for weight in order:
            chance, left = chance * weight / left, left - weight
        expected += chance
    assert _chance_of_set(weights, whole) == pytest.approx(expected)
    everything = [1.0, 2.0, 3.0, 4.0]
    sets = [[everything[i] for i in chosen] for chosen in combinations(range(4), 2)]
    assert sum(_chance_of_set(chosen, 10.0) for chosen in sets) == pytest.approx(1.0)


def test_attachment_has_the_probability_with_which_networkx_draws() -> None:
    draws, nodes, each = 6_000, 5, 2
    seen = Counter(
        tuple(sorted((min(e), max(e)) for e in nx.barabasi_albert_graph(nodes, each, seed=seed).edges))
        for seed in range(draws)
    )
    star = [(0, 1), (0, 2)]
    every = [
        tuple(sorted([*star, *((low, 3) for low in first), *((low, 4) for low in second)]))
        for first in combinations(range(3), 2)
        for second in combinations(range(4), 2)
    ]
    chances = np.array([math.exp(-attachment_nats(graph, nodes, each)) for graph in every])
    assert chances.sum() == pytest.approx(1.0)
    assert chisquare([seen[graph] for graph in every], chances * draws).pvalue > 1e-3
    mean = sum(count * attachment_nats(graph, nodes, each) for graph, count in seen.items()) / draws
    assert mean == pytest.approx(float(entropy(chances)), abs=0.05)


@pytest.mark.parametrize(("family", "how"), [("ws", "at most"), ("er", "exact"), ("ba", "estimated")])
def test_every_family_says_how_its_number_is_known(family: str, how: str) -> None:
    found = get_space("randwire").family_entropy(family)
    assert found is not None and found.words.startswith(how)
    assert 0 < found.nats < 496 * math.log(2) and found.error < 0.01 * found.nats
    assert get_space("nasbench201").family_entropy(family) is None
