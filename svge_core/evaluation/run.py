"""All published-protocol metrics of a checkpoint as typed rows, each with count, denominator, protocol and split."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from svge_core.checkpoints import GENERATION, SMOOTHNESS, Checkpoint, MetricRow, Mode
from svge_core.data import cell_numbers, has_indices, split_cells
from svge_core.evaluation.densities import KernelDensity, prior_latents, standard_latents
from svge_core.evaluation.edges import EdgeProtocol, edge_rows
from svge_core.evaluation.function_readout import function_row
from svge_core.evaluation.latent_smoothness import smoothness
from svge_core.evaluation.metrics import (
    Share,
    expected_reconstruction,
    generation,
    reconstruction,
)
from svge_core.models import DecodeDirection, DecodeOptions, GraphVAE, encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch, joined, to_batch, to_cells
from svge_core.training import TrainConfig, draw_cells, draw_indices

#: reconstruction is sampled on at most so many held-out cells, a hundred decodings each
MAX_SAMPLED = 2_000
#: at most so many training cells give the prior's scale, and at most so many cells the smoothness
MAX_TRAINED = 20_000
#: of a space without indices, so many held-out cells are decoded; hardly any comes back whole
MAX_UNINDEXED = 200


@dataclass(frozen=True)
class EvaluationCells:
    """The cells a checkpoint is measured on.

    Attributes:
        held_out: never trained on.
        sampled: those of them whose reconstruction is sampled; all, or a seeded sample of a large set.
        trained: training cells whose posterior means scale the prior.
        chosen: the training cells in given rows, and
        count: how many there are: their posteriors are the kernels of the fitted densities.
        known: numbers of all training cells, sorted (official indices where there are any).
        unseen, sampled_text: the first two in words.
    """

    held_out: CellBatch
    sampled: CellBatch
    trained: CellBatch
    chosen: Callable[[np.ndarray], CellBatch]
    count: int
    known: np.ndarray
    unseen: str
    sampled_text: str


def evaluation_cells(checkpoint: Checkpoint, seed: int = 0) -> EvaluationCells:
    """Held-out and training cells of a checkpoint, as its training made them."""
    space = checkpoint.model.space
    training = TrainConfig.from_dict(checkpoint.meta.training)
    epochs = range(checkpoint.meta.longest_run)
    rng = np.random.default_rng(seed)
    if space.enumerated and space.size is not None:
        split = split_cells(space.size, training.held_out, training.seed)
        held_out, known = split.held_out.numpy(), split.train.numpy()
        trained = known if len(known) <= MAX_TRAINED else np.sort(rng.choice(known, MAX_TRAINED, replace=False))
        unseen = f"{len(held_out):,} cells never trained on"
    elif has_indices(space):
        held_out = draw_indices(space, MAX_SAMPLED, training, (2, seed), held_out=True)
        drawn = (
            draw_indices(space, training.cells_per_epoch, training, (1, epoch), held_out=False) for epoch in epochs
        )
        known = np.unique(np.concatenate(list(drawn)))
        trained = rng.choice(known, min(MAX_TRAINED, len(known)), replace=False)
        unseen = f"{len(held_out):,} cells drawn from the {training.held_out:.0%} of the space never trained on"
    else:
        return _cells_without_index(space, training, epochs, seed)
    rows = held_out
    if len(held_out) > MAX_SAMPLED:
        rows = np.sort(rng.choice(held_out, MAX_SAMPLED, replace=False))
    text = unseen if len(rows) == len(held_out) else f"{len(rows):,} random cells of {unseen}"
    return EvaluationCells(
        index_batch(space, held_out),
        index_batch(space, rows),
        index_batch(space, trained),
        lambda rows: index_batch(space, known[rows]),
        len(known),
        known,
        unseen,
        text,
    )


def _cells_without_index(
    space: AbstractSearchSpace, training: TrainConfig, epochs: range, seed: int
) -> EvaluationCells:
    """The same where cells are drawn one by one and told apart by their keys."""
    held_out = draw_cells(space, MAX_UNINDEXED, training, (2, seed), held_out=True)
    known, trained, batches = [], [], []
    for epoch in epochs:
        trained = draw_cells(space, training.cells_per_epoch, training, (1, epoch), held_out=False)
        known.append(cell_numbers(space, trained))
        batches.append(to_batch(space, trained, canonical=False))
    unseen = f"{len(held_out):,} cells drawn from the {training.held_out:.0%} of the space never trained on"
    batch = to_batch(space, held_out, canonical=False)
    prior = to_batch(space, trained[:MAX_SAMPLED], canonical=False)
    whole = joined(batches)
    return EvaluationCells(
        batch,
        batch,
        prior,
        lambda rows: whole.select(torch.from_numpy(rows)),
        len(whole),
        np.unique(np.concatenate(known)),
        unseen,
        unseen,
    )


@dataclass(frozen=True)
class _Protocol:
    """How often things are done; each as in :func:`evaluate`."""

    encodings: int
    decodings: int
    samples: tuple[tuple[int, int], ...]
    edges: EdgeProtocol | None
    seed: int


def evaluate(
    checkpoint: Checkpoint,
    *,
    encodings: int = 10,
    decodings: int = 10,
    latents: int = 1000,
    many: int = 10_000,
    edges: EdgeProtocol | None = None,
    seed: int = 0,
    on_row: Callable[[MetricRow], None] = lambda row: None,
) -> tuple[MetricRow, ...]:
    """Reconstruction on the held-out cells and quality of prior samples.

    Cells without an index are large, and telling them apart by their keys takes time: all ``encodings`` and
    ``decodings`` are then one, and ``many`` is not asked for. How much of them comes back is told by edge F1
    (:mod:`svge_core.evaluation.edges`).

    Args:
        checkpoint: what is evaluated.
        encodings: latents per cell in the reconstruction protocol.
        decodings: decodings per latent, of reconstruction and of prior samples.
        latents: prior samples that are decoded ``decodings`` times each; ``many`` are decoded once.
        many: prior samples that are decoded once.
        edges: protocol of edge F1, of spaces whose cells have no index.
        seed: of all draws.
        on_row: told every finished row.
    """
    space = checkpoint.model.space
    training = TrainConfig.from_dict(checkpoint.meta.training)
    protocol = _Protocol(encodings, decodings, ((latents, decodings), (latents, 1), (many, 1)), edges, seed)
    if not has_indices(space):
        protocol = _Protocol(1, 1, ((latents, 1),), edges, seed)
    rows = []
    for measured in _rows(checkpoint.model, training, evaluation_cells(checkpoint, seed), protocol):
        row = replace(
            measured,
            data_set=space.title,
            epochs=checkpoint.meta.total_epochs,
            seeds=f"1 training seed ({training.seed}), sampling seed {seed}",
            seed=seed,
        )
        rows.append(row)
        on_row(row)
    return tuple(rows)


def _rows(model: GraphVAE, training: TrainConfig, cells: EvaluationCells, protocol: _Protocol) -> Iterator[MetricRow]:
    """All measures, without what is common to them."""
    if not has_indices(model.space):
        yield from edge_rows(model, training, protocol.edges, protocol.seed)
    if model.config.function and len(cells.sampled) > 1:
        yield function_row(model, cells.sampled, cells.sampled_text)
    for direction in model.directions:
        yield from _reconstruction_rows(model, direction, cells, protocol)
    if len(cells.held_out) and has_indices(model.space):
        yield _expected_row(model, cells)
    means = encode_all(model, cells.trained)[0]
    scaled = _Density("", "prior samples scaled to the encoded training cells", partial(prior_latents, means))
    for direction in model.directions:
        if direction != "backward":  # not reported
            yield from _generation_rows(model, direction, cells, scaled, protocol)
    once = dataclasses.replace(protocol, samples=protocol.samples[-1:])
    for density in _densities(model, cells, means, protocol.seed):
        yield from _generation_rows(model, "forward", cells, density, once)
    yield from _smoothness_rows(model, cells, means, protocol.seed)


def _share_row(share: Share, **what: Any) -> MetricRow:
    """JSON has no NaN: a share of nothing has no value."""
    return MetricRow(value=share.value if share.of else None, count=share.count, of=share.of, **what)


def _reconstruction_rows(
    model: GraphVAE, direction: DecodeDirection, cells: EvaluationCells, protocol: _Protocol
) -> Iterator[MetricRow]:
    """Exact reconstruction and that up to equivalence: from the mean, from posterior draws, and the likeliest."""
    for how in ("sampled", "sampled_posterior", "argmax"):
        argmax = how == "argmax"
        batch, split = (cells.held_out, cells.unseen) if argmax else (cells.sampled, cells.sampled_text)
        encodings, decodings = (1, 1) if argmax else (protocol.encodings, protocol.decodings)
        found = reconstruction(
            model,
            batch,
            DecodeOptions(direction, argmax=argmax),
            encodings=encodings,
            decodings=decodings,
            sample_posterior=how == "sampled_posterior",
            seed=protocol.seed,
        )
        words = f"{direction}, raw, {'argmax' if argmax else 'sampled'}, {found.draws}"
        for what, share, match in (
            ("reconstruction", found.exact, "exact match"),
            ("reconstruction_equivalent", found.equivalent, "equal up to the space's equivalence"),
        ):
            yield _share_row(
                share,
                what=what,
                direction=direction,
                mode="raw",
                how=how,
                encodings=encodings,
                decodings=decodings,
                protocol=f"{words}, {match}",
                split=split,
            )


def _expected_row(model: GraphVAE, cells: EvaluationCells) -> MetricRow:
    chances = expected_reconstruction(model, cells.held_out)
    return MetricRow(
        what="reconstruction",
        direction="forward",
        mode="raw",
        how="expected",
        value=float(chances.double().mean()),
        n=len(chances),
        unit="probability",
        protocol="forward, raw: mean probability that one sampled run from the posterior mean gives exactly the cell",
        split=cells.unseen,
    )


@dataclass(frozen=True)
class _Density:
    """Where latents are drawn from: the name in the rows' ``how``, the words for it, and what draws so many."""

    how: str
    words: str
    drawn: Callable[[int, torch.Generator], Tensor]


def _densities(model: GraphVAE, cells: EvaluationCells, means: Tensor, seed: int) -> Iterator[_Density]:
    """All that latents are drawn from but the scaled prior; no width can be chosen for the kernel of one cell."""

    def encoded(rows: np.ndarray) -> tuple[Tensor, Tensor]:
        found, log_vars = encode_all(model, cells.chosen(rows))
        return found, (0.5 * log_vars).exp()

    yield _Density("standard", "draws from N(0, I), not scaled", partial(standard_latents, means))
    fitted = KernelDensity(encoded, cells.count)
    words = f"posterior draws of random cells out of {cells.count:,} training cells"
    yield _Density("fitted", words, fitted.draw)
    if cells.count > 1:
        wider = fitted.likeliest(seed)
        yield _Density("kernel", f"{words}, their noise times {wider.width:.2f}, the likeliest width", wider.draw)


def _generation_rows(
    model: GraphVAE,
    direction: DecodeDirection,
    cells: EvaluationCells,
    density: _Density,
    protocol: _Protocol,
) -> Iterator[MetricRow]:
    """Validity, uniqueness and novelty of decoded prior samples, raw and constrained.

    Args:
        model: decodes the prior.
        direction: in which it writes.
        cells: training and held-out cells.
        density: that latents are drawn from.
        protocol: how many samples and decodings, and the seed.
    """
    modes: tuple[Mode, ...] = ("raw", "constrained")
    for mode, (latents, decodings) in product(modes, protocol.samples):
        found = generation(
            model,
            cells.trained,
            DecodeOptions(direction, mode == "constrained"),
            latents=latents,
            decodings=decodings,
            seed=protocol.seed,
            known=cells.known,
            latents_drawn=density.drawn,
        )
        ceiling = None if math.isnan(found.uniform_ceiling) else found.uniform_ceiling
        for what in GENERATION:
            yield _share_row(
                getattr(found, what),
                what=what,
                direction=direction,
                mode=mode,
                how=density.how,
                latents=latents,
                decodings=decodings,
                protocol=f"{direction}, {mode}, sampled, {latents:,} latents x {decodings} decodings",
                split=density.words,
                uniform_ceiling=ceiling if what in ("valid_unique", "unique") else None,
                reasons=found.reasons if what == "valid" else None,
            )


def _smoothness_rows(model: GraphVAE, cells: EvaluationCells, means: Tensor, seed: int) -> Iterator[MetricRow]:
    codes, genotypes, whole = _smoothness_cells(model, cells, means, seed)
    smooth = smoothness(codes, genotypes, seed=seed)
    yield MetricRow(
        what=SMOOTHNESS,
        how="spearman_edit",
        value=smooth.spearman,
        n=smooth.pairs,
        unit="Spearman rank correlation",
        protocol="latent distance against the number of differing genes, random pairs",
        split=whole,
    )
    if not model.space.varied_wiring:
        protocol = "nearest other latent is a one-edit cell"
        share = smooth.nearest_is_one_edit
        yield _share_row(share, what=SMOOTHNESS, how="nearest_is_one_edit", protocol=protocol, split=whole)


def _smoothness_cells(
    model: GraphVAE, cells: EvaluationCells, means: Tensor, seed: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Codes and genotypes of all cells or of a sample, and what they are in words.

    Args:
        model: encodes the cells.
        cells: training and held-out cells.
        means: of the training cells.
        seed: of the sample.
    """
    space = model.space
    if space.size is None or not has_indices(space):
        genotypes = np.array([space.genotype(cell) for cell in to_cells(space, cells.trained)])
        return means.numpy(), genotypes, f"{len(means):,} training cells in canonical order, posterior means"
    whole = space.size <= MAX_TRAINED
    rng = np.random.default_rng(seed)
    indices = np.arange(space.size) if whole else np.unique(rng.integers(space.size, size=MAX_TRAINED))
    codes = encode_all(model, index_batch(space, indices))[0].numpy()
    genotypes = np.array([space.genotype(space.from_index(int(index))) for index in indices])
    return codes, genotypes, f"{'all' if whole else f'{MAX_TRAINED:,} random'} cells, posterior means"
