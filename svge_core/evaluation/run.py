"""All published-protocol metrics of a checkpoint as plain rows, each with count, denominator, protocol and split."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from svge_core.checkpoints import Checkpoint
from svge_core.data import cell_numbers, indexed, split_cells
from svge_core.evaluation.edges import EdgeProtocol, edge_rows
from svge_core.evaluation.latent_smoothness import smoothness
from svge_core.evaluation.metrics import Generation, Share, expected_reconstruction, generation, reconstruction
from svge_core.models import DecodeOptions, GraphVAE, encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch, to_batch, to_cells
from svge_core.training import TrainConfig, draw_cells, draw_indices

Row = dict[str, Any]
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
        known: numbers of all training cells, sorted (official indices where there are any).
        unseen, sampled_text: the first two in words.
    """

    held_out: CellBatch
    sampled: CellBatch
    trained: CellBatch
    known: np.ndarray
    unseen: str
    sampled_text: str


def evaluation_cells(checkpoint: Checkpoint, seed: int = 0) -> EvaluationCells:
    """Held-out and training cells of a checkpoint, as its training made them."""
    space = checkpoint.model.space
    training = TrainConfig.from_dict(checkpoint.meta.training)
    epochs = range(max(training.epochs, checkpoint.meta.environment.get("initial_epochs") or 0))
    rng = np.random.default_rng(seed)
    if space.enumerated and space.size is not None:
        split = split_cells(space.size, training.held_out, training.seed)
        held_out, known = split.held_out.numpy(), split.train.numpy()
        trained = known if len(known) <= MAX_TRAINED else np.sort(rng.choice(known, MAX_TRAINED, replace=False))
        unseen = f"{len(held_out):,} cells never trained on"
    elif indexed(space):
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
        index_batch(space, held_out), index_batch(space, rows), index_batch(space, trained), known, unseen, text
    )


def _cells_without_index(
    space: AbstractSearchSpace, training: TrainConfig, epochs: range, seed: int
) -> EvaluationCells:
    """The same where cells are drawn one by one and told apart by their keys."""
    held_out = draw_cells(space, MAX_UNINDEXED, training, (2, seed), held_out=True)
    known, trained = [], []
    for epoch in epochs:
        trained = draw_cells(space, training.cells_per_epoch, training, (1, epoch), held_out=False)
        known.append(cell_numbers(space, trained))
    unseen = f"{len(held_out):,} cells drawn from the {training.held_out:.0%} of the space never trained on"
    batch = to_batch(space, held_out, canonical=False)
    prior = to_batch(space, trained[:MAX_SAMPLED], canonical=False)
    return EvaluationCells(batch, batch, prior, np.unique(np.concatenate(known)), unseen, unseen)


def evaluate(
    checkpoint: Checkpoint,
    *,
    encodings: int = 10,
    decodings: int = 10,
    latents: int = 1000,
    many: int = 10_000,
    edges: EdgeProtocol | None = None,
    seed: int = 0,
    on_row: Callable[[str], None] | None = None,
) -> dict[str, Row]:
    """Reconstruction on the held-out cells and quality of prior samples.

    Cells without an index are large, and telling them apart by their keys takes time: all ``encodings`` and
    ``decodings`` are then one, and ``many`` is not asked for. How much of them comes back is told by edge F1
    (:mod:`.evaluation_edges`).

    Args:
        encodings, decodings: of the reconstruction protocol.
        latents: prior samples that are decoded ``decodings`` times each; ``many`` are decoded once.
        edges: protocol of edge F1, of spaces whose cells have no index.
        on_row: told the name of every finished row.
    """
    model, space = checkpoint.model, checkpoint.model.space
    training = TrainConfig.from_dict(checkpoint.meta.training)
    cells = evaluation_cells(checkpoint, seed)
    samples = ((latents, decodings), (latents, 1), (many, 1))
    if not indexed(space):
        encodings, decodings, samples = 1, 1, ((latents, 1),)
    rows: dict[str, Row] = {}
    common = {
        "data_set": space.title,
        "epochs": checkpoint.meta.total_epochs,
        "seeds": f"1 training seed ({training.seed}), sampling seed {seed}",
    }

    def add(name: str, share: Share, protocol: str, split_name: str, **more: Any) -> None:
        rows[name] = {
            "value": share.value if share.of else None,  # JSON has no NaN
            "count": share.count,
            "of": share.of,
            "protocol": protocol,
            "split": split_name,
            **common,
            **more,
        }
        if on_row is not None:
            on_row(name)

    def add_value(name: str, value: float, count: int, unit: str, protocol: str, split_name: str) -> None:
        rows[name] = {"value": value, "n": count, "unit": unit, "protocol": protocol, "split": split_name, **common}
        if on_row is not None:
            on_row(name)

    if not indexed(space):
        for row in edge_rows(model, training, edges, seed):
            add_value(row.name, row.value, row.cells, "F1", row.protocol, row.split)
    for direction in model.directions:
        for name, options, sample, times in (
            ("sampled", DecodeOptions(direction), False, (encodings, decodings)),
            ("sampled_posterior", DecodeOptions(direction), True, (encodings, decodings)),
            ("argmax", DecodeOptions(direction, argmax=True), False, (1, 1)),
        ):
            batch, text = (cells.held_out, cells.unseen) if options.argmax else (cells.sampled, cells.sampled_text)
            result = reconstruction(
                model, batch, options, encodings=times[0], decodings=times[1], sample_posterior=sample, seed=seed
            )
            protocol = f"{direction}, raw, {'argmax' if options.argmax else 'sampled'}, {result.draws}"
            add(f"reconstruction.{direction}.{name}", result.exact, protocol + ", exact match", text)
            add(
                f"reconstruction_equivalent.{direction}.{name}",
                result.equivalent,
                protocol + ", equal up to the space's equivalence",
                text,
            )
    if len(cells.held_out) and indexed(space):
        chances = expected_reconstruction(model, cells.held_out)
        add_value(
            "reconstruction.forward.expected",
            float(chances.double().mean()),
            len(chances),
            "probability",
            "forward, raw: mean probability that one sampled run from the posterior mean gives exactly the cell",
            cells.unseen,
        )
    prior = "prior samples scaled to the encoded training cells"
    means = encode_all(model, cells.trained)[0]
    for direction in model.directions:
        if direction == "backward":
            continue  # not reported
        for constrained in (False, True):
            for count, times in samples:
                result = generation(
                    model,
                    cells.trained,
                    DecodeOptions(direction, constrained),
                    latents=count,
                    decodings=times,
                    seed=seed,
                    means=means,
                    known=cells.known,
                )
                kind = "constrained" if constrained else "raw"
                protocol = f"{direction}, {kind}, sampled, {count:,} latents x {times} decodings"
                ceiling = None if math.isnan(result.uniform_ceiling) else result.uniform_ceiling
                for name, share in _shares(result).items():
                    more = {"uniform_ceiling": ceiling} if name in ("valid_unique", "unique") else {}
                    more = {**more, "reasons": result.reasons} if name == "valid" else more
                    add(f"{name}.{direction}.{kind}.{count}x{times}", share, protocol, prior, **more)
    codes, genotypes, whole = _smoothness_cells(model, cells, means, seed)
    smooth = smoothness(codes, genotypes, seed=seed)
    add_value(
        "smoothness.spearman_edit",
        smooth.spearman,
        smooth.pairs,
        "Spearman rank correlation",
        "latent distance against the number of differing genes, random pairs",
        whole,
    )
    if not space.varied_wiring:
        share, protocol = smooth.nearest_is_one_edit, "nearest other latent is a one-edit cell"
        add("smoothness.nearest_is_one_edit", share, protocol, whole)
    return rows


def _smoothness_cells(
    model: GraphVAE, cells: EvaluationCells, means: Tensor, seed: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Codes and genotypes of all cells or of a sample, and what they are in words.

    Args:
        means: of the training cells.
    """
    space = model.space
    if space.size is None or not indexed(space):
        genotypes = np.array([space.genotype(cell) for cell in to_cells(space, cells.trained)])
        return means.numpy(), genotypes, f"{len(means):,} training cells in canonical order, posterior means"
    whole = space.size <= MAX_TRAINED
    rng = np.random.default_rng(seed)
    indices = np.arange(space.size) if whole else np.unique(rng.integers(space.size, size=MAX_TRAINED))
    codes = encode_all(model, index_batch(space, indices))[0].numpy()
    genotypes = np.array([space.genotype(space.from_index(int(index))) for index in indices])
    return codes, genotypes, f"{'all' if whole else f'{MAX_TRAINED:,} random'} cells, posterior means"


def _shares(result: Generation) -> dict[str, Share]:
    return {
        "valid": result.valid,
        "unique": result.unique,
        "unique_keys": result.unique_keys,
        "novel": result.novel,
        "valid_unique": result.valid_unique,
    }
