"""All published-protocol metrics of a checkpoint as plain rows, each with count, denominator, protocol and split."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from svge_core.checkpoints import Checkpoint
from svge_core.metrics import Generation, Share, encode_all, generation, reconstruction
from svge_core.models.decoding import DecodeOptions, Direction
from svge_core.smoothness import smoothness
from svge_core.tensors import to_batch
from svge_core.training import TrainConfig, split_cells

Row = dict[str, Any]
DIRECTIONS: tuple[Direction, ...] = ("forward", "backward", "both")


def evaluate(
    checkpoint: Checkpoint,
    *,
    encodings: int = 10,
    decodings: int = 10,
    latents: int = 1000,
    many: int = 10_000,
    seed: int = 0,
    on_row: Callable[[str], None] | None = None,
) -> dict[str, Row]:
    """Reconstruction on the held-out cells and quality of prior samples.

    Args:
        encodings, decodings: of the reconstruction protocol.
        latents: prior samples that are decoded ``decodings`` times each; ``many`` are decoded once.
        on_row: told the name of every finished row.
    """
    model, space = checkpoint.model, checkpoint.model.space
    training = TrainConfig.from_dict(checkpoint.meta.training)
    everything = list(space.enumerate())
    cells = to_batch(space, everything)
    split = split_cells(len(cells), training.held_out, training.seed)
    held_out, trained = cells.select(split.held_out), cells.select(split.train)
    rows: dict[str, Row] = {}

    def add(name: str, share: Share, protocol: str, split_name: str, **more: Any) -> None:
        rows[name] = {
            "value": share.value if share.of else None,  # JSON has no NaN
            "count": share.count,
            "of": share.of,
            "protocol": protocol,
            "data_set": space.title,
            "split": split_name,
            "epochs": training.epochs,
            "seeds": f"1 training seed ({training.seed}), sampling seed {seed}",
            **more,
        }
        if on_row is not None:
            on_row(name)

    unseen = f"{len(held_out):,} cells never trained on"
    for direction in DIRECTIONS:
        for name, options, sample, times in (
            ("sampled", DecodeOptions(direction), False, (encodings, decodings)),
            ("sampled_posterior", DecodeOptions(direction), True, (encodings, decodings)),
            ("argmax", DecodeOptions(direction, argmax=True), False, (1, 1)),
        ):
            result = reconstruction(
                model, held_out, options, encodings=times[0], decodings=times[1], sample_posterior=sample, seed=seed
            )
            protocol = f"{direction}, raw, {'argmax' if options.argmax else 'sampled'}, {result.draws}"
            add(f"reconstruction.{direction}.{name}", result.exact, protocol + ", exact match", unseen)
            add(
                f"reconstruction_equivalent.{direction}.{name}",
                result.equivalent,
                protocol + ", equal up to the space's equivalence",
                unseen,
            )
    prior = "prior samples scaled to the encoded training cells"
    for direction in ("forward", "both"):
        for constrained in (False, True):
            for count, times in ((latents, decodings), (latents, 1), (many, 1)):
                result = generation(
                    model, trained, DecodeOptions(direction, constrained), latents=count, decodings=times, seed=seed
                )
                kind = "constrained" if constrained else "raw"
                protocol = f"{direction}, {kind}, sampled, {count:,} latents x {times} decodings"
                ceiling = None if math.isnan(result.uniform_ceiling) else result.uniform_ceiling
                for name, share in _shares(result).items():
                    more = {"uniform_ceiling": ceiling} if name in ("valid_unique", "unique") else {}
                    more = {**more, "reasons": result.reasons} if name == "valid" else more
                    add(f"{name}.{direction}.{kind}.{count}x{times}", share, protocol, prior, **more)
    codes = encode_all(model, cells)[0].numpy()
    smooth = smoothness(codes, np.array([space.genotype(cell) for cell in everything]), seed=seed)
    whole = "all cells, posterior means"
    rows["smoothness.spearman_edit"] = {
        "value": smooth.spearman,
        "n": smooth.pairs,
        "unit": "Spearman rank correlation",
        "protocol": "latent distance against the number of differing operations, random pairs",
        "data_set": space.title,
        "split": whole,
        "epochs": training.epochs,
        "seeds": f"1 training seed ({training.seed}), sampling seed {seed}",
    }
    if on_row is not None:
        on_row("smoothness.spearman_edit")
    add("smoothness.nearest_is_one_edit", smooth.nearest_is_one_edit, "nearest other latent is a one-edit cell", whole)
    return rows


def _shares(result: Generation) -> dict[str, Share]:
    return {
        "valid": result.valid,
        "unique": result.unique,
        "unique_keys": result.unique_keys,
        "novel": result.novel,
        "valid_unique": result.valid_unique,
    }
