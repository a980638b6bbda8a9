"""Reconstruction, validity, uniqueness, novelty. Every metric is a count with its denominator.

Protocols (D-VAE's, which SVGe took over): a held-out cell is encoded 10 times and each latent decoded 10 times, a hit
is the exact same graph in the same node order; 1,000 latents are drawn from N(0, I), scaled per dimension to the mean
and standard deviation of the encoded training cells, and decoded 10 times each. The published code's ten encodings are
all the posterior mean; both that and real posterior draws are reported here.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from svge_core.cells import Cell
from svge_core.data import cell_numbers
from svge_core.errors import InvalidCellError
from svge_core.evaluation.densities import prior_latents
from svge_core.evaluation.shares import percent
from svge_core.models import ENCODE_CHUNK, DecodeOptions, GraphVAE, encode_all
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, to_cells


@dataclass(frozen=True)
class Share:
    """A count out of a denominator."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """count / of; NaN where the denominator is 0."""
        return self.count / self.of if self.of else float("nan")

    def __str__(self) -> str:
        return f"{percent(self.value)} ({self.count:,} of {self.of:,})"


@dataclass(frozen=True)
class Reconstruction:
    """How often a cell comes back from its latent.

    Attributes:
        exact: same labels and edges in the canonical order.
        equivalent: equal up to the space's own equivalence (``space.key``).
        draws: encodings x decodings per cell, "mean" encodings being the posterior mean.
    """

    exact: Share
    equivalent: Share
    draws: str


@dataclass(frozen=True)
class Generation:
    """Quality of decoded prior samples.

    Attributes:
        valid: members of the space among all decodings.
        unique: distinct cells among the valid.
        unique_keys: distinct cells up to the space's equivalence among the valid.
        novel: valid decodings that are no training cell.
        valid_unique: distinct valid cells among all decodings.
        uniform_ceiling: expected share of distinct cells if as many cells were drawn uniformly from the whole space;
            NaN where the space is not enumerated.
        reasons: why decodings were invalid, by count.
    """

    valid: Share
    unique: Share
    unique_keys: Share
    novel: Share
    valid_unique: Share
    uniform_ceiling: float
    reasons: dict[str, int]


def same_graphs(a: CellBatch, b: CellBatch) -> Bool[Tensor, " batch"]:
    """Whether two batches hold the same graph at every row, node order included."""
    return (a.sizes == b.sizes) & (a.types == b.types).all(1) & (a.adjacency == b.adjacency).all(2).all(1)


def reconstruction(
    model: GraphVAE,
    cells: CellBatch,
    options: DecodeOptions,
    *,
    encodings: int = 10,
    decodings: int = 10,
    sample_posterior: bool = False,
    seed: int = 0,
) -> Reconstruction:
    """Exact and equivalent reconstruction of the given cells.

    Args:
        model: encodes and decodes.
        cells: that are to come back.
        options: of the decoder.
        encodings: latents per cell (with the posterior mean they are all equal, as in the published code).
        decodings: decodings per latent; argmax needs one.
        sample_posterior: draw the latents from q(z | cell) with unit noise instead of taking its mean.
        seed: of all draws.
    """
    generator = torch.Generator(device=model.device).manual_seed(seed)
    means, log_vars = encode_all(model, cells)
    spread = (0.5 * log_vars).exp()
    exact = equivalent = 0
    keys: dict[Cell, str] = {}
    truth = to_cells(model.space, cells)
    cpu_noise = torch.Generator().manual_seed(seed + 1)
    for _ in range(encodings):
        z = means + spread * torch.randn(means.shape, generator=cpu_noise) if sample_posterior else means
        for _ in range(decodings):
            decoded = decode(model, z, options, generator)
            decoded = decoded.to("cpu")
            hits = same_graphs(decoded, cells)
            exact += int(hits.sum())
            equivalent += int(hits.sum())
            missed = torch.nonzero(~hits).flatten()
            for row, cell in zip(missed.tolist(), to_cells(model.space, decoded.select(missed)), strict=True):
                if model.space.is_valid(cell):
                    equivalent += int(_key(model, keys, cell) == _key(model, keys, truth[row]))
    total = len(cells) * encodings * decodings
    kind = "posterior draws" if sample_posterior else "times the mean"
    return Reconstruction(Share(exact, total), Share(equivalent, total), f"{encodings} {kind} x {decodings} decodings")


def generation(
    model: GraphVAE,
    training_cells: CellBatch,
    options: DecodeOptions,
    *,
    latents: int = 1000,
    decodings: int = 10,
    seed: int = 0,
    known: Integer[np.ndarray, " known"] | None = None,
    latents_drawn: Callable[[int, torch.Generator], Tensor] | None = None,
) -> Generation:
    """Validity, uniqueness and novelty of ``latents`` prior samples decoded ``decodings`` times each.

    Args:
        model: decodes the prior.
        training_cells: what is new is told by these; they place the prior too where no other density is given.
        options: of the decoder.
        latents: prior samples.
        decodings: decodings of each.
        seed: of all draws.
        known: numbers of the training cells (:func:`svge_core.data.held_out.cell_numbers`), sorted, where
            ``training_cells`` are only a part of them.
        latents_drawn: gives so many latents; by default :func:`prior_latents` of the encoded training cells.
    """
    space, drawing = model.space, torch.Generator().manual_seed(seed)
    if latents_drawn is not None:
        z = latents_drawn(latents, drawing)
    else:
        z = prior_latents(encode_all(model, training_cells)[0], latents, drawing)
    generator = torch.Generator(device=model.device).manual_seed(seed)
    trained = set(to_cells(space, training_cells)) if known is None else _Known(space, known)
    counts: Counter[Cell] = Counter()
    reasons: Counter[str] = Counter()
    for _ in range(decodings):
        counts.update(to_cells(space, decode(model, z, options, generator).to("cpu")))
    valid: dict[Cell, int] = {}
    for cell, count in counts.items():
        try:
            space.validate(cell)
        except InvalidCellError as reason:
            reasons[_short(str(reason))] += count
        else:
            canonical = space.canonical(cell)
            valid[canonical] = valid.get(canonical, 0) + count
    total, members = latents * decodings, sum(valid.values())
    return Generation(
        valid=Share(members, total),
        unique=Share(len(valid), members),
        unique_keys=Share(len({space.key(cell) for cell in valid}), members),
        novel=Share(sum(count for cell, count in valid.items() if cell not in trained), members),
        valid_unique=Share(len(valid), total),
        uniform_ceiling=uniform_uniqueness(space.size, total),
        reasons=dict(reasons.most_common(8)),
    )


class _Known:
    """Membership in a sorted list of the numbers of cells."""

    def __init__(self, space: AbstractSearchSpace, numbers: Integer[np.ndarray, " known"]) -> None:
        self.space, self.numbers = space, numbers

    def __contains__(self, cell: Cell) -> bool:
        number = cell_numbers(self.space, [cell])[0]
        at = int(np.searchsorted(self.numbers, number))
        return at < len(self.numbers) and bool(self.numbers[at] == number)


@torch.inference_mode()
def expected_reconstruction(model: GraphVAE, cells: CellBatch) -> Float[Tensor, " batch"]:
    """Probability of every cell that a forward run sampling from its posterior mean draws exactly this cell."""
    return forward_log_probability(model, cells, encode_all(model, cells)[0]).exp()


@torch.inference_mode()
def forward_log_probability(
    model: GraphVAE, cells: CellBatch, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """Log-probability, in nats, that a forward sampling run from ``z`` draws exactly the cell beside it; on the CPU."""
    found = []
    for start in range(0, max(1, len(cells)), ENCODE_CHUNK):
        batch = cells.select(slice(start, start + ENCODE_CHUNK)).to(model.device)
        found.append(model.log_probability(batch, z[start : start + ENCODE_CHUNK].to(model.device)).cpu())
    return torch.cat(found)


def uniform_uniqueness(size: int | None, draws: int) -> float:
    """Expected distinct share of independent uniform draws: size / draws * (1 - (1 - 1 / size)^draws)."""
    if not size or not draws:
        return float("nan")
    if size == 1:
        return 1 / draws
    # exact also where 1 - 1 / size is 1 in floating point
    return size / draws * -math.expm1(draws * math.log1p(-1 / size))


def _key(model: GraphVAE, cache: dict[Cell, str], cell: Cell) -> str:
    if cell not in cache:
        cache[cell] = model.space.key(cell)
    return cache[cell]


def _short(reason: str) -> str:
    """A reason without the particulars of one cell, so that equal reasons are counted together."""
    return reason.split("; got")[0].split("; the edge from")[0]
