"""Edit distance against latent distance: along random walks of one-edit moves, and over random pairs.

The protocol of arch2vec's figure 3 (Yan et al. 2020): cells of long random walks, the latent distance of pairs grouped
by their edit distance. One edit is a changed label, an edge more or less, or a node more or less; nodes that have no
fixed place are paired so that the number of edits is smallest, exactly for cells of up to eight nodes. Nodes of larger
cells are paired in canonical order, which gives the fewest edits or more.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.cells import Cell
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch

#: cells with more nodes have too many pairings to try them all
MAX_NODES = 8
#: pairs compared at one time
PIECE = 4_096
#: quantiles of the band around the median
BAND = (0.1, 0.25, 0.75, 0.9)
_EMPTY = -1


@dataclass(frozen=True)
class Slots:
    """Cells in slots: input first, output last, unused slots between them.

    Attributes:
        types: type id of every slot, -1 where it is unused.
        adjacency: edges between slots.
    """

    types: Int[np.ndarray, "cells slots"]
    adjacency: Bool[np.ndarray, "cells slots slots"]

    def select(self, rows: Int[np.ndarray, " rows"]) -> "Slots":
        """The cells at rows."""
        return Slots(self.types[rows], self.adjacency[rows])


def slots(batch: CellBatch) -> Slots:
    """The cells of a batch with their output moved to the last slot."""
    types, adjacency, sizes = (tensor.cpu().numpy() for tensor in (batch.types, batch.adjacency, batch.sizes))
    count, width = types.shape
    out = np.full((count, width), _EMPTY, dtype=np.int8)
    edges = np.zeros((count, width, width), dtype=bool)
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        place = np.array([*range(size - 1), width - 1])
        out[rows[:, None], place] = types[rows, :size]
        edges[rows[:, None, None], place[:, None], place] = adjacency[rows, :size, :size] > 0
    return Slots(out, edges)


def flat_codes(cells: Slots) -> Float[np.ndarray, "cells features"]:
    """The one-hot control: one-hot node types and edge bits in canonical order, constant columns left out."""
    kinds = np.unique(cells.types)
    labels = (cells.types[:, :, None] == kinds).reshape(len(cells.types), -1)
    rows, columns = np.triu_indices(cells.types.shape[1], 1)
    codes = np.concatenate([labels, cells.adjacency[:, rows, columns]], axis=1)
    varied = codes.any(axis=0) & ~codes.all(axis=0)
    return codes[:, varied].astype(np.float32)


def edits_are_exact(space: AbstractSearchSpace) -> bool:
    """Whether :func:`edit_distances` are the fewest edits, not an upper bound."""
    return space.positional or not space.varied_wiring or space.max_nodes <= MAX_NODES


def edit_distances(space: AbstractSearchSpace, first: Slots, second: Slots) -> Int[np.ndarray, " pairs"]:
    """Fewest edits between cells, pair by pair; of large cells as many as the canonical order needs."""
    width = first.types.shape[1]
    ways = [tuple(range(width))]
    if not space.positional and space.varied_wiring and edits_are_exact(space):
        ways = [(0, *inner, width - 1) for inner in permutations(range(1, width - 1))]
    found = np.empty(len(first.types), dtype=np.int64)
    for start in range(0, len(found), PIECE):
        part = slice(start, start + PIECE)
        a_types, a_edges = first.types[part], first.adjacency[part]
        b_types, b_edges = second.types[part], second.adjacency[part]
        best = np.full(len(a_types), np.iinfo(np.int16).max, dtype=np.int16)
        for way in map(list, ways):
            moved = b_edges[:, way][:, :, way]
            edits = (a_types != b_types[:, way]).sum(1, dtype=np.int16)
            np.minimum(best, edits + (a_edges != moved).sum((1, 2), dtype=np.int16), out=best)
        found[part] = best
    return found


def random_walk(space: AbstractSearchSpace, steps: int, rng: np.random.Generator) -> list[Cell]:
    """Cells of a walk from a random cell, each a uniformly drawn one-edit neighbour of the one before."""
    walk = [space.random_cell(rng)]
    while len(walk) < steps:
        near = space.neighbours(walk[-1])
        # a cell without a neighbour (none is known in the spaces shipped) ends its walk; another begins
        walk.append(near[int(rng.integers(len(near)))] if near else space.random_cell(rng))
    return walk


def walk_pairs(walks: int, steps: int, lag: int) -> Int[np.ndarray, "2 pairs"]:
    """Rows of all pairs of cells at most ``lag`` moves apart on the same walk; walks stand one after another."""
    pairs = [
        (walk * steps + start, walk * steps + start + moves)
        for walk in range(walks)
        for moves in range(1, lag + 1)
        for start in range(steps - moves)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


def distances(
    codes: Float[np.ndarray, "cells features"], pairs: Int[np.ndarray, "2 pairs"]
) -> Float[np.ndarray, " pairs"]:
    """Euclidean distances of pairs of rows; only a piece of them is taken apart at one time."""
    found = np.empty(pairs.shape[1])
    for start in range(0, pairs.shape[1], PIECE):
        a, b = pairs[:, start : start + PIECE]
        found[start : start + PIECE] = np.linalg.norm(codes[a].astype(np.float64) - codes[b], axis=1)
    return found


def rank_correlation(edits: Int[np.ndarray, " pairs"], measured: Float[np.ndarray, " pairs"]) -> float | None:
    """Spearman's rho; None where one side has a single value, so that there is nothing to rank."""
    from scipy.stats import spearmanr

    if len(edits) < 2 or np.ptp(edits) == 0 or np.ptp(measured) == 0:
        return None
    return float(np.asarray(spearmanr(edits, measured))[0])


def band_rows(
    edits: Int[np.ndarray, " pairs"], measured: Float[np.ndarray, " pairs"], scale: float, *, most: int, least: int = 20
) -> list[dict[str, int | float]]:
    """Per edit distance from 1 to ``most``: pairs, median and quantiles of the distance over ``scale``.

    Args:
        edits: edit distances of pairs.
        measured: another distance of the same pairs.
        scale: the typical distance of random pairs; 0 (all codes equal) leaves distances as they are.
        most: largest edit distance that gets a row.
        least: fewest pairs that give a row.
    """
    rows = []
    for count in range(1, most + 1):
        own = measured[edits == count] / (scale or 1.0)
        if len(own) >= least:
            low, lower, upper, high = (float(value) for value in np.quantile(own, BAND))
            median = float(np.median(own))
            rows.append(
                {
                    "edits": count,
                    "pairs": len(own),
                    "median": median,
                    "q10": low,
                    "q25": lower,
                    "q75": upper,
                    "q90": high,
                }
            )
    return rows
