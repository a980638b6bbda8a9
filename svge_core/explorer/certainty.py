"""How surely the decoder gives charted cells back, and whether cells that are near in the latent compute alike."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int

from svge_core.atlas import Atlas, nearest_lengths
from svge_core.evaluation import forward_log_probability
from svge_core.features import function_features
from svge_core.models import GraphVAE
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import index_batch, to_batch
from svge_core.threads import counting, one_thread

#: powers of ten up to which a decoder's certainty is told: single precision holds no rarer mistakes
MOST_CERTAIN = 6
#: cells that are tensors, and whose features are held, at one time
_PIECE = 4_096
#: neighbours that are measured exactly beyond those asked for, because of rounding
_SPARE = 6
#: distances that differ by less, relatively, are equal: cells of one function, written differently, differ by rounding
_EQUAL = 1e-6


def decode_certainty(model: GraphVAE, atlas: Atlas) -> Float[np.ndarray, " cells"]:
    """How many random decodings of a cell's own latent it takes until one is another graph, as a power of ten.

    The decoder writes a graph by one decision after the other, so that the probability of cell G at its posterior mean
    z is, over its node types t and possible edges e (Lukasik et al. 2021, section III, forward run)::

        p(G | z) = product over nodes k of p(t_k | G_<k, z) * product over u < k of p(e_uk | t_k, G_<k, z)
        certainty = min(6, -log10(1 - p(G | z)))

    1 / (1 - p) is the mean number of independent draws up to the first other graph. Of a trained model p is close to 1
    nearly everywhere: only the powers of ten tell cells apart. Above 6 rounding in single precision would show.

    Args:
        model: that wrote the latents.
        atlas: the charted cells.
    """
    count = len(atlas)
    certain = np.empty(count)
    with one_thread(), counting(model.space.title, "cells decoded", count) as tell:  # one: the same sums everywhere
        for start in range(0, count, _PIECE):
            piece = slice(start, start + _PIECE)
            if atlas.drawn is None:
                cells = index_batch(model.space, atlas.indices[piece])
            else:
                cells = to_batch(model.space, atlas.drawn.cells[piece], canonical=False)
            z = torch.tensor(np.asarray(atlas.latents[piece]), dtype=torch.float32)
            certain[piece] = forward_log_probability(model, cells, z).double().numpy()
            tell(min(start + _PIECE, count))
    wrong = -np.expm1(np.minimum(certain, 0.0))
    return -np.log10(np.clip(wrong, math.pow(10, -MOST_CERTAIN), 1.0)) + 0.0  # no -0


def near_in_function(
    space: AbstractSearchSpace, atlas: Atlas, near: Int[np.ndarray, "cells near"]
) -> Float[np.ndarray, " cells"]:
    """Of the cells that are near a charted cell, the share that compute as nearly the same as its nearest cells do.

    Distance in function is Euclidean between scaled structure features. A near cell counts if it is no farther in
    function than the k-th nearest charted cell, k being the number of near cells.

    Of two ways to compare distances this one was chosen: a rank correlation with all cells would mostly say whether
    far things are far, while people, predictors and searches use the nearest cells. And it is fair where many cells
    compute exactly the same: any of them is as good as the others, which a comparison of two lists would not see.

    Args:
        space: of the cells.
        atlas: the charted cells.
        near: rows of those near each cell, fewer by 7 or more than all.
    """
    count, wanted = near.shape
    cells = atlas.cells(space, np.arange(count))
    pieces = [cells[start : start + _PIECE] for start in range(0, count, _PIECE)]
    points = np.concatenate([function_features(space, piece).astype(np.float32) for piece in pieces])
    spare = min(wanted + _SPARE, count - 1)
    with one_thread():
        reach = nearest_lengths(points, spare, piece=256)[1][:, wanted - 1]
    found = np.empty(count)
    for rows in np.array_split(np.arange(count), max(1, count // 256)):
        apart = np.linalg.norm(points[rows][:, None].astype(np.float64) - points[near[rows]], axis=2)
        found[rows] = (apart <= reach[rows, None] * (1 + _EQUAL)).mean(axis=1)
    return found
