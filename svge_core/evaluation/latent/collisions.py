"""Do different architectures have different codes, and do copies of one have the same?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from svge_core.cells import Cell
from svge_core.evaluation.latent.content import Copies
from svge_core.evaluation.metrics import Share
from svge_core.models import GraphVAE, encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch

#: latents closer than this are one code: float32 sums in another order may differ in the last digits
EQUAL = 1e-4
_TRIES = 20


def close_share(nearest: Float[np.ndarray, " cells"], relative: float) -> tuple[Share, float]:
    """Cells whose nearest other latent is at most ``relative`` times the median nearest distance away, and that bound.

    A collapsed encoder has a median of 0: then every cell with an equal code counts.
    """
    bound = relative * float(np.median(nearest))
    return Share(int((nearest <= bound).sum()), len(nearest)), bound


@dataclass(frozen=True)
class Equivalents:
    """Different cells that the space counts as one.

    Attributes:
        cells: cells looked at.
        pairs: cells of these with an equivalent among them; each makes one pair with a random one.
        different: pairs whose codes differ.
        distance: median latent distance of the pairs; NaN where there is none.
    """

    cells: int
    pairs: int
    different: int
    distance: float


def equivalents(keys: list[str], latents: Float[np.ndarray, "cells latent"], rng: np.random.Generator) -> Equivalents:
    """Compare the codes of cells with equal keys.

    Args:
        keys: ``space.key`` of different cells, row by row.
        latents: codes of the same cells.
        rng: draws another cell of equal key for each.
    """
    _, group = np.unique(np.array(keys), return_inverse=True)
    pairs = _pairs_within(group, rng)
    apart = np.linalg.norm(latents[pairs[0]].astype(np.float64) - latents[pairs[1]], axis=1)
    median = float(np.median(apart)) if len(apart) else float("nan")
    return Equivalents(len(keys), len(apart), int((apart > EQUAL).sum()), median)


def _pairs_within(group: Int[np.ndarray, " cells"], rng: np.random.Generator) -> Int[np.ndarray, "2 pairs"]:
    """Every row of a group of two or more with a random other row of it."""
    order = rng.permutation(len(group))
    order = order[np.argsort(group[order], kind="stable")]
    first, second = [], []
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) > 1:  # a shuffled group against itself moved on by one: no row meets itself
            first.append(members)
            second.append(np.roll(members, 1))
    empty = np.empty(0, dtype=np.int64)
    return np.stack([np.concatenate([empty, *first]), np.concatenate([empty, *second])])


def relabelled(cell: Cell, rng: np.random.Generator) -> Cell | None:
    """The cell in another random topological order; None where it was not found (there may be none)."""
    for _ in range(_TRIES):
        waiting = {node: set(sources) for node, sources in enumerate(cell.sources)}
        order: list[int] = []
        while waiting:
            ready = [node for node, sources in waiting.items() if not sources]
            # the ends keep their places, also where an inner node has no edge
            inner = [node for node in ready if node not in (0, cell.num_nodes - 1)]
            pick = 0 if 0 in ready else inner[int(rng.integers(len(inner)))] if inner else ready[0]
            order.append(pick)
            del waiting[pick]
            for sources in waiting.values():
                sources.discard(pick)
        other = cell.relabelled(order)
        if other != cell:
            return other
    return None


def copies(model: GraphVAE, cells: list[Cell], rng: np.random.Generator) -> Copies:
    """Encode one relabelled copy of every cell that has one."""
    space: AbstractSearchSpace = model.space
    found = [(cell, other) for cell in cells if (other := relabelled(cell, rng)) is not None]
    if not found:
        return Copies(equal=Share(0, 0), uncanonical=Share(0, 0))
    originals, others = ([pair[side] for pair in found] for side in (0, 1))
    codes = encode_all(model, to_batch(space, originals))[0]
    equal, raw = (
        int(((encode_all(model, to_batch(space, others, canonical=canonical))[0] - codes).norm(dim=1) <= EQUAL).sum())
        for canonical in (True, False)
    )
    return Copies(equal=Share(equal, len(found)), uncanonical=Share(raw, len(found)))
