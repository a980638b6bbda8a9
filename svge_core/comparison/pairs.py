"""Two of the compared cells: edits, distance in the latent space, and whether they compute the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

from svge_core.atlas import Atlas
from svge_core.cells import Cell, Difference, difference
from svge_core.evaluation import Share
from svge_core.evaluation.latent import edit_distances, edits_are_exact, slots
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch

#: random pairs of charted cells that a distance is held against, and the seed that draws them
RANDOM_PAIRS, PAIR_SEED = 10_000, 0


@dataclass(frozen=True)
class RandomPairs:
    """How far random charted cells lie apart, so that a distance says something.

    Attributes:
        distances: Euclidean, in the latent space, ascending.
    """

    distances: Float[np.ndarray, " pairs"]

    @property
    def median(self) -> float:
        """Their median."""
        return float(np.median(self.distances))

    def farther(self, distance: float) -> Share:
        """How many of them lie further apart than a distance."""
        count = len(self.distances)
        return Share(count - int(np.searchsorted(self.distances, distance, side="right")), count)


@dataclass(frozen=True)
class CellPair:
    """Two of the compared cells, by their positions in the comparison.

    Attributes:
        first: position of one, counted from 0.
        second: position of the other, which stands after it.
        change: what turns the first into the second, as drawings mark it.
        fewest: fewest edits between them over all ways of pairing their nodes; None where cells of the space are too
            large to try them all, and ``change.edits`` are as many or more. Mostly, but not always, ``change.edits``.
        distance: Euclidean distance in the latent space.
        farther: random pairs of charted cells that lie further apart.
        same_function: whether they have one key, that is, compute the same as the space defines it.
    """

    first: int
    second: int
    change: Difference
    fewest: int | None
    distance: float
    farther: Share
    same_function: bool

    @property
    def edits(self) -> int:
        """The fewest edits where they are known, else those that drawings mark."""
        return self.change.edits if self.fewest is None else self.fewest


def random_pairs(atlas: Atlas, count: int = RANDOM_PAIRS, seed: int = PAIR_SEED) -> RandomPairs:
    """Distances of random pairs of two different charted cells, over the dimensions in which near cells are alike."""
    rng = np.random.default_rng(seed)
    first = rng.integers(len(atlas), size=count)
    second = (first + rng.integers(1, len(atlas), size=count)) % len(atlas)
    kept = atlas.latents[:, atlas.first :]
    return RandomPairs(np.sort(np.linalg.norm(kept[first].astype(np.float64) - kept[second], axis=1)))


def cell_pairs(
    space: AbstractSearchSpace,
    cells: Sequence[Cell],
    latents: Float[np.ndarray, "cells compared"],
    others: RandomPairs,
) -> tuple[CellPair, ...]:
    """Every pair of cells, in the order of their positions.

    Args:
        space: of the cells.
        cells: members in canonical form.
        latents: of the cells, the dimensions that distances are taken over.
        others: what a distance is held against.
    """
    positions = list(combinations(range(len(cells)), 2))
    fewest: list[int | None] = [None] * len(positions)
    if edits_are_exact(space):
        forms = slots(to_batch(space, list(cells)))
        first, second = np.array(positions).T
        fewest = edit_distances(space, forms.select(first), forms.select(second)).tolist()
    keys = [space.key(cell) for cell in cells]
    found = []
    for (a, b), least in zip(positions, fewest, strict=True):
        distance = float(np.linalg.norm(latents[a].astype(np.float64) - latents[b]))
        change = difference(cells[a], cells[b])
        found.append(CellPair(a, b, change, least, distance, others.farther(distance), keys[a] == keys[b]))
    return tuple(found)
