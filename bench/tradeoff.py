"""What the KL weight trades: reconstruction of unseen cells against valid, varied prior samples and smoothness.

One model per weight, all else equal, on a split that is not the shipped checkpoint's. Finished weights are kept in the
results file and not trained again.
"""

import argparse
import sys
import time
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from bench.harness.results import command, read_results, report, save_results
from svge_core.data import split_cells
from svge_core.evaluation import generation, reconstruction, smoothness
from svge_core.models import DecodeOptions, ModelConfig, SVGe, encode_all
from svge_core.spaces import get_space
from svge_core.tensors import to_batch
from svge_core.training import TrainConfig, Trainer

COLUMNS = [
    "beta",
    "cpu_seconds",
    "kl_nats",
    "active_dimensions",
    "reconstruction_mean",
    "reconstruction_posterior",
    "valid_raw",
    "valid_unique_1000",
    "uniform_ceiling_1000",
    "valid_unique_10000",
    "uniform_ceiling_10000",
    "spearman_edit",
    "nearest_one_edit",
]


def identity(beta: float, epochs: int, seed: int) -> dict[str, Any]:
    """Everything that defines a row: a stored row with other settings is not reused."""
    return {"model": ModelConfig(beta=beta).to_dict(), "training": TrainConfig(epochs=epochs, seed=seed).to_dict()}


def measure(beta: float, epochs: int, seed: int) -> dict[str, Any]:
    """Train one model and measure it."""
    space = get_space("nasbench201")
    everything = list(space.enumerate())
    cells = to_batch(space, everything)
    config = TrainConfig(epochs=epochs, seed=seed)
    split = split_cells(len(cells), config.held_out, seed)
    torch.manual_seed(seed)
    model = SVGe(space, ModelConfig(beta=beta))
    trainer = Trainer(model, cells.select(split.train), config)
    started = time.process_time()
    history = list(tqdm(trainer.epochs(), total=epochs, desc=f"beta {beta}", disable=not sys.stderr.isatty()))
    seconds = time.process_time() - started
    model.eval()
    unseen, trained = cells.select(split.held_out), cells.select(split.train)
    means, _ = encode_all(model, trained)
    latents = encode_all(model, cells)[0].numpy()
    smooth = smoothness(latents, np.array([space.genotype(cell) for cell in everything]))
    forward = DecodeOptions("forward")
    by_mean = reconstruction(model, unseen, forward)
    by_draw = reconstruction(model, unseen, forward, encodings=10, decodings=1, sample_posterior=True)
    prior_10 = generation(model, trained, forward)
    thousand = generation(model, trained, forward, latents=1000, decodings=1)
    many = generation(model, trained, forward, latents=10_000, decodings=1)
    return {
        "beta": beta,
        "epochs": epochs,
        "seed": seed,
        "identity": identity(beta, epochs, seed),
        "cpu_seconds": round(seconds, 1),
        "kl_nats": history[-1].kl,
        "active_dimensions": int((means.std(0) > 0.1).sum()),
        "reconstruction_mean": by_mean.exact.value,
        "reconstruction_posterior": by_draw.exact.value,
        "reconstruction_of": by_mean.exact.of,
        "reconstruction_posterior_of": by_draw.exact.of,
        "valid_raw": prior_10.valid.value,
        "valid_of": prior_10.valid.of,
        "unique_1000x10": prior_10.unique.value,
        "valid_unique_1000": thousand.valid_unique.value,
        "uniform_ceiling_1000": thousand.uniform_ceiling,
        "valid_unique_10000": many.valid_unique.value,
        "uniform_ceiling_10000": many.uniform_ceiling,
        "spearman_edit": smooth.spearman,
        "nearest_one_edit": smooth.nearest_is_one_edit.value,
        "mean_edits_to_nearest": smooth.mean_edits_to_nearest,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the sweep and print the table."""
    parser = argparse.ArgumentParser(prog="bench tradeoff", description=__doc__)
    parser.add_argument("--betas", type=float, nargs="+", default=[0.2, 0.05, 0.5, 0.005, 1.0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=2, help="split and weights; the shipped checkpoint uses another")
    parser.add_argument("--fresh", action="store_true", help="measure finished weights again")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    content = read_results("tradeoff")
    stored: list[dict[str, Any]] = [] if content is None else content["rows"]
    wanted = [identity(beta, arguments.epochs, arguments.seed) for beta in arguments.betas]
    rows = [] if arguments.fresh else [row for row in stored if row["identity"] in wanted]
    settings = {
        "space": "nasbench201",
        "protocol": "raw forward decoding, sampled; reconstruction 10 x 10 on the held-out 10 %",
    }
    for beta in arguments.betas:
        if any(row["identity"] == identity(beta, arguments.epochs, arguments.seed) for row in rows):
            continue
        rows.append(measure(beta, arguments.epochs, arguments.seed))
        rows.sort(key=lambda r: r["beta"])
        save_results("tradeoff", rows, settings, command("tradeoff", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
