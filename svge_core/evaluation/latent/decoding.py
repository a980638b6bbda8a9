"""What the decoder makes of a latent: does it come back to itself, and is it sure?"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from svge_core.cells import Cell
from svge_core.evaluation.metrics import Share, forward_log_probability, prior_latents
from svge_core.models import DecodeOptions, GraphVAE, encode_all
from svge_core.models.decoding import decode
from svge_core.tensors import CellBatch, to_batch, to_cells

#: latents that are decoded many times at one time
PIECE = 128
BINS = 10


@dataclass(frozen=True)
class Cycle:
    """From a latent to its cell and back.

    Attributes:
        same: draws whose cell, encoded and decoded again, is the same cell, among all draws.
        valid: draws whose cell is a member of the space.
        distinct: different cells among them.
        returned: Euclidean distances from a draw to the posterior mean of its own cell, sorted; of valid draws.
        strangers: the same to the cell of another draw, the control.
    """

    same: Share
    valid: Share
    distinct: int
    returned: Float[np.ndarray, " valid"]
    strangers: Float[np.ndarray, " valid"]


def cycle(model: GraphVAE, means: Float[Tensor, "cells latent"], *, draws: int, seed: int = 0) -> Cycle:
    """Decode prior draws, encode what came out, decode again; likeliest decoding, both directions voting, raw.

    Args:
        model: encodes and decodes.
        means: posterior means whose place and spread scale the prior, as in
            :func:`svge_core.evaluation.metrics.prior_latents`.
        draws: how many prior draws.
        seed: of the draws.
    """
    space, options = model.space, DecodeOptions("both", argmax=True)
    z = prior_latents(means, draws, torch.Generator().manual_seed(seed))
    first = _members(model, decode(model, z, options))
    rows = [row for row, cell in enumerate(first) if cell is not None]
    cells = [cell for cell in first if cell is not None]
    if not rows:
        return Cycle(Share(0, draws), Share(0, draws), 0, np.empty(0), np.empty(0))
    back = encode_all(model, to_batch(space, cells))[0]
    second = _members(model, decode(model, back, options))
    same = sum(a == b for a, b in zip(cells, second, strict=True))
    # every draw against the cell of the next one: no draw meets its own
    other = back.roll(1, dims=0) if len(rows) > 1 else back
    returned = (z[rows] - back).norm(dim=1).numpy()
    strangers = (z[rows] - other).norm(dim=1).numpy()
    return Cycle(Share(same, draws), Share(len(rows), draws), len(set(cells)), np.sort(returned), np.sort(strangers))


def _members(model: GraphVAE, batch: CellBatch) -> list[Cell | None]:
    """Canonical cells; None for what is no member."""
    cells = to_cells(model.space, batch.to("cpu"))
    return [model.space.canonical(cell) if model.space.is_valid(cell) else None for cell in cells]


@dataclass(frozen=True)
class AgreementOverLatents:
    """How much of the decoder's probability one cell holds.

    Attributes:
        modal: per latent, the share of its random decodings that equal the most frequent one.
        decodings: per latent.
        likeliest: per latent, log-probability in nats of the greedy forward decoding under the same decoder.
    """

    modal: Float[np.ndarray, " latents"]
    decodings: int
    likeliest: Float[np.ndarray, " latents"]


def certainty(
    model: GraphVAE, z: Float[Tensor, "latents latent"], *, decodings: int, seed: int = 0
) -> AgreementOverLatents:
    """Decode every latent many times, forwards and raw, as the map page does."""
    generator = torch.Generator(device=model.device).manual_seed(seed)
    weights = model.prepare()
    modal, likeliest = [], []
    for part in z.split(PIECE):
        batch = decode(
            model, part.repeat_interleave(decodings, dim=0), DecodeOptions("forward"), generator, weights=weights
        ).to("cpu")
        modal.append(modal_shares(batch, decodings))
        greedy = decode(model, part, DecodeOptions("forward", argmax=True), weights=weights).to("cpu")
        likeliest.append(forward_log_probability(model, greedy, part).double().numpy())
    return AgreementOverLatents(np.concatenate(modal), decodings, np.concatenate(likeliest))


def modal_shares(batch: CellBatch, decodings: int) -> Float[np.ndarray, " latents"]:
    """Share of the most frequent graph among each run of ``decodings`` cells; node order counts."""
    parts = (batch.sizes[:, None], batch.types, batch.adjacency.flatten(1))
    rows = np.ascontiguousarray(torch.cat([part.to(torch.int8) for part in parts], dim=1).numpy())
    words = rows.view(np.dtype((np.void, rows.shape[1]))).reshape(-1, decodings)
    return np.array([np.unique(word, return_counts=True)[1].max() / decodings for word in words])


def histogram(shares: Float[np.ndarray, " latents"]) -> list[int]:
    """Counts in tenths from 0 to 1; a share of exactly 1 is in the last one."""
    return np.histogram(shares, bins=BINS, range=(0.0, 1.0))[0].tolist()
