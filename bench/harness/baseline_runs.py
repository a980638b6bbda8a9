"""One run of ``bench baselines``: train a model on D-VAE's ENAS split, resumable at every minute, and measure it."""

import csv
import gzip
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from bench.latent_probe import fit_predict
from svge_core.errors import DataError
from svge_core.evaluation import expected_reconstruction, generation, reconstruction
from svge_core.files import write_atomically
from svge_core.models import MODELS, DecodeOptions, GraphVAE, build_model, encode_all
from svge_core.predictors import measure_predictions, summarise_draws
from svge_core.spaces import get_space
from svge_core.tensors import CellBatch, index_batch
from svge_core.training import TrainConfig, Trainer, restore_state, save_state

SPACE = "enas6"
SAVE_EVERY_SECONDS = 60.0
#: D-VAE shuffles its rows with Python's generator of this seed and keeps nine tenths for training
SPLIT_SEED, TRAINED_SHARE = 0, 0.9
MEASURES = ("rmse_standardised", "pearson_r")
Encoding = Literal["one-hot", "learned"]


@dataclass(frozen=True)
class Variant:
    """A row of the published table.

    Attributes:
        name: in the tables.
        model, encoding: of the checkpoint.
        learning_rate: None for that of all.
    """

    name: str
    model: str
    encoding: Encoding
    learning_rate: float | None = None


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("SVGe", "svge", "one-hot"),
        Variant("SVGe-EMB", "svge", "learned"),
        Variant("D-VAE", "dvae", "one-hot"),
        Variant("D-VAE-EMB", "dvae", "learned"),
        Variant("GCN", "gcn", "one-hot"),
        Variant("GCN-EMB", "gcn", "learned"),
        # its states add up all messages: at the rate of the others the loss went from 2 to 1,773 in two epochs
        Variant("DGMG", "dgmg", "one-hot", learning_rate=1e-3),
    )
}


@dataclass(frozen=True)
class Settings:
    """What all models have in common, but for a :class:`Variant`'s own; all of it is written beside the results."""

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 5e-3
    hidden: int = 64
    latent: int = 56
    operation_dim: int = 3
    beta: float = 0.005
    posterior_noise: float = 0.01
    inducing: int = 500
    probe_steps: int = 60
    probe_fit_cells: int = 4096
    probe_seeds: int = 10


@dataclass(frozen=True)
class DVAESplit:
    """D-VAE's cells in the order of its split; one cell of the test part is in the training part too.

    Attributes:
        train, test: official indices.
        train_values, test_values: weight-sharing accuracy (share of images).
    """

    train: Int[np.ndarray, " train"]
    test: Int[np.ndarray, " test"]
    train_values: Float[np.ndarray, " train"]
    test_values: Float[np.ndarray, " test"]


def dvae_split(path: Path) -> DVAESplit:
    """Read the cells of D-VAE's file from a CSV with the columns arch and ws_acc, in file order, and split them.

    Rows with 0 in a column ``in_dvae_set``, where there is one, are D-VAE's burn-in and left out.

    Raises:
        DataError: if the file or a column is missing, or a value is not a number; ParseError if a cell is not one.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        rows = [row for row in csv.DictReader(text.splitlines()) if row.get("in_dvae_set", "1") == "1"]
        texts, values = [row["arch"] for row in rows], [float(row["ws_acc"]) for row in rows]
    except KeyError as error:
        raise DataError(f"{path.name} has no column {error.args[0]!r}; expected arch and ws_acc.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read: {error}.") from None
    if len(rows) < 20:
        raise DataError(f"{path.name} has {len(rows)} cells of D-VAE's set; expected 20 or more (the file has 19,020).")
    space = get_space(SPACE)
    order = list(range(len(rows)))
    random.Random(SPLIT_SEED).shuffle(order)
    indices = np.array([space.index(space.parse(texts[row])) for row in order], dtype=np.int64)
    scores = np.array([values[row] for row in order])
    cut = int(len(rows) * TRAINED_SHARE)
    return DVAESplit(indices[:cut], indices[cut:], scores[:cut], scores[cut:])


def make_trainer(variant: Variant, seed: int, settings: Settings, cells: CellBatch) -> Trainer:
    """The run as it starts: weights, order and noise are drawn from the seed."""
    config = replace(
        MODELS[variant.model].defaults,
        hidden=settings.hidden,
        latent=settings.latent,
        encoding=variant.encoding,
        operation_dim=settings.operation_dim,
        beta=settings.beta,
        posterior_noise=settings.posterior_noise,
    )
    training = TrainConfig(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=variant.learning_rate or settings.learning_rate,
        kl_warmup_epochs=0.0,
        held_out=0.0,
        seed=seed,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(variant.model, get_space(SPACE), config)
    return Trainer(model, cells, training)


def train(trainer: Trainer, folder: Path) -> list[dict[str, Any]]:
    """Train to the end, or go on from the state in the folder; returns one row per epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    history, saved = restore_state(folder, trainer), time.monotonic()
    for progress in trainer.steps():
        if progress.row is not None:
            history.append(asdict(progress.row))
            row = progress.row
            sys.stderr.write(f"\r{folder.name}: epoch {row.epoch}, loss {row.loss:.3f}, {row.cpu_seconds:.0f} CPU-s ")
        if time.monotonic() - saved > SAVE_EVERY_SECONDS or progress.step == progress.total_steps:
            save_state(folder, trainer, history)
            saved = time.monotonic()
    trainer.model.eval()
    return history


def probes(model: GraphVAE, split: DVAESplit, settings: Settings, folder: Path) -> Iterator[dict[str, Any]]:
    """RMSE of standardised accuracy and Pearson's r on the test cells, one row per probe seed; kept in the folder.

    As D-VAE probes: the sparse Gaussian process is fitted on the latents of the training cells; the seed draws its
    inducing points (and here the cells its hyper-parameters are fitted on).
    """
    path = folder / "probes.json"
    # probes of other settings or labels are not mixed with these
    made_with = {**asdict(settings), "labels": hashlib.sha256(split.train_values.tobytes()).hexdigest()}
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    done: list[dict[str, Any]] = kept["rows"] if kept.get("made_with") == made_with else []
    space = get_space(SPACE)
    train, test = (encode_all(model, index_batch(space, indices))[0] for indices in (split.train, split.test))
    centre, spread = train.mean(0), train.std(0).clamp(min=1e-6)
    mean, scale = split.train_values.mean(), split.train_values.std()
    targets = torch.from_numpy(((split.train_values - mean) / scale).astype(np.float32))
    for seed in range(settings.probe_seeds):
        if seed >= len(done):
            found = fit_predict(
                (train - centre) / spread,
                targets,
                (test - centre) / spread,
                inducing=settings.inducing,
                steps=settings.probe_steps,
                seed=seed,
                fit_cells=settings.probe_fit_cells,
            )
            row = measure_predictions(found, (split.test_values - mean) / scale)
            # D-VAE standardises by the training labels, not by those of the test cells
            done.append({"rmse_standardised": row["rmse"], "pearson_r": row["pearson_r"], "seed": seed})
            write_atomically(path, json.dumps({"made_with": made_with, "rows": done}).encode())
        yield done[seed]


def measure(variant: Variant, seed: int, settings: Settings, split: DVAESplit, folder: Path) -> dict[str, Any]:
    """Train one model, or read where it stands, and measure it: the row of one training seed."""
    space = get_space(SPACE)
    cells, held_out = index_batch(space, split.train), index_batch(space, split.test)
    trainer = make_trainer(variant, seed, settings, cells)
    history = train(trainer, folder)
    model = trainer.model
    again = reconstruction(model, held_out, DecodeOptions("forward"), encodings=10, decodings=10)
    drawn = generation(model, cells, DecodeOptions("forward"), latents=1000, decodings=10)
    found = list(probes(model, split, settings, folder))
    return {
        "model": variant.name,
        "encoding": variant.encoding,
        "seed": seed,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "config": model.config.to_dict(),
        "training": trainer.config.to_dict(),
        "training_cells": len(cells),
        "held_out_cells": len(held_out),
        "reconstruction": again.exact.value,
        "reconstruction_of": again.exact.of,
        "reconstruction_expected": float(expected_reconstruction(model, held_out).double().mean()),
        "validity": drawn.valid.value,
        "validity_of": drawn.valid.of,
        "uniqueness": drawn.unique.value if drawn.unique.of else None,  # no valid decoding
        "uniqueness_of": drawn.unique.of,
        "novelty": drawn.novel.value if drawn.novel.of else None,
        **summarise_draws([{key: row[key] for key in MEASURES} for row in found], MEASURES),
        "probes": found,
        "loss": history[-1]["loss"],
        "kl_nats": history[-1]["kl"],
        "cpu_seconds": trainer.cpu_seconds,
        "cells_per_cpu_second": len(cells) * settings.epochs / trainer.cpu_seconds,
    }
