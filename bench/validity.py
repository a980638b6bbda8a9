"""What makes raw decodings of NAS-Bench-101 members of the space, and what it costs in reconstruction.

One small model per way of drawing edges, share of prior draws and which of them count, all else equal: the same 20,000
unlabelled training cells, the same other cells to reconstruct, the same seed and number of epochs. The models are far
from converged, so their numbers compare settings; they are not those of the shipped checkpoint. Finished settings
are kept in the results file and not trained again.
"""

import argparse
import json
import sys
import time
from itertools import product
from typing import Any, Literal

import numpy as np
import torch
from tqdm import tqdm

from bench.harness.results import command, read_results, report, save_results
from svge_core.evaluation import expected_reconstruction, generation
from svge_core.models import DecodeOptions, ModelConfig, SVGe
from svge_core.spaces import get_space
from svge_core.tensors import CellBatch, index_batch
from svge_core.training import TrainConfig, Trainer

COLUMNS = [
    "edge_sampling",
    "prior_share",
    "prior_targets",
    "valid_raw",
    "valid_of",
    "reconstruction_expected",
    "reconstruction_of",
    "kl_nats",
    "cpu_seconds",
]
SPACE = "nasbench101"
PriorTargets = Literal["all", "invalid"]
#: shares of prior draws, and which of them are trained on
PRIORS: tuple[tuple[float, PriorTargets], ...] = (
    (0.0, "all"),
    (0.05, "all"),
    (0.25, "all"),
    (0.25, "invalid"),
    (1.0, "invalid"),
)
EdgeSampling = Literal["independent", "sequential"]
EDGE_SAMPLINGS: tuple[EdgeSampling, ...] = ("independent", "sequential")
#: prior samples whose raw decodings are validated, one decoding each
LATENTS = 1_000
#: draws the cells; the seed of a run draws everything else
CELLS_SEED = 101


def configs(
    edge_sampling: EdgeSampling, prior: tuple[float, PriorTargets], arguments: argparse.Namespace
) -> tuple[ModelConfig, TrainConfig]:
    """Settings of one run: those of the shipped checkpoint's first run, but for its size."""
    model = ModelConfig(hidden=arguments.hidden, latent=32, beta=0.1, edge_sampling=edge_sampling)
    training = TrainConfig(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        kl_warmup_epochs=1.0,
        prior_share=prior[0],
        prior_targets=prior[1],
        prior_from=0.3,
        mean_share=0.2,
        held_out=0.0,  # the training cells are given; those to reconstruct are others
        seed=arguments.seed,
    )
    return model, training


def cell_sets(cells: int, unseen: int) -> tuple[np.ndarray, np.ndarray]:
    """Official indices of the training cells and of cells no model sees, disjoint, uniform over the space."""
    order = np.random.default_rng(CELLS_SEED).permutation(get_space(SPACE).size or 0)
    return np.sort(order[:cells]), np.sort(order[cells : cells + unseen])


def identity(
    edge_sampling: EdgeSampling, prior: tuple[float, PriorTargets], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Everything that defines a row: a stored row with other settings is not reused."""
    model, training = configs(edge_sampling, prior, arguments)
    sets = {"cells": arguments.cells, "unseen": arguments.unseen, "cells_seed": CELLS_SEED}
    return {"model": model.to_dict(), "training": training.to_dict(), **sets}


def measure(
    edge_sampling: EdgeSampling,
    prior: tuple[float, PriorTargets],
    arguments: argparse.Namespace,
    trained: CellBatch,
    unseen: CellBatch,
) -> dict[str, Any]:
    """Train one model and measure it."""
    config, training = configs(edge_sampling, prior, arguments)
    torch.manual_seed(training.seed)
    model = SVGe(get_space(SPACE), config)
    started = time.process_time()
    title = f"{edge_sampling}, prior share {prior[0]:g}, {prior[1]}"
    rows = Trainer(model, trained, training).epochs()
    history = list(tqdm(rows, total=training.epochs, desc=title, disable=not sys.stderr.isatty()))
    seconds = time.process_time() - started
    model.eval()
    raw = generation(model, trained, DecodeOptions("forward"), latents=LATENTS, decodings=1)
    expected = expected_reconstruction(model, unseen)
    return {
        "edge_sampling": edge_sampling,
        "prior_share": prior[0],
        "prior_targets": prior[1],
        "epochs": training.epochs,
        "seed": training.seed,
        "training_cells": len(trained),
        "identity": identity(edge_sampling, prior, arguments),
        "cpu_seconds": round(seconds, 1),
        "kl_nats": history[-1].kl,
        "valid_raw": raw.valid.value,
        "valid_of": raw.valid.of,
        "reasons": raw.reasons,
        "reconstruction_expected": float(expected.double().mean()),
        "reconstruction_of": len(unseen),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the sweep and print the table."""
    parser = argparse.ArgumentParser(prog="bench validity", description=__doc__)
    parser.add_argument("--cells", type=int, default=20_000, help="training cells, the same for every model")
    parser.add_argument("--unseen", type=int, default=2_000, help="cells to reconstruct that no model sees")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1, help="weights, order of the cells and noise")
    parser.add_argument("--fresh", action="store_true", help="measure finished settings again")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    content = read_results("validity")
    stored: list[dict[str, Any]] = [] if content is None else content["rows"]
    wanted: dict[str, tuple[EdgeSampling, tuple[float, PriorTargets]]] = {
        json.dumps(identity(edges, prior, arguments), sort_keys=True): (edges, prior)
        for edges, prior in product(EDGE_SAMPLINGS, PRIORS)
    }
    kept = {} if arguments.fresh else {json.dumps(row["identity"], sort_keys=True): row for row in stored}
    found = {key: kept[key] for key in wanted if key in kept}
    settings = {
        "space": SPACE,
        "protocol": f"raw forward decoding of {LATENTS:,} prior samples, one each; expected exact reconstruction from "
        "the posterior mean of cells that were not trained on",
    }
    train, other = cell_sets(arguments.cells, arguments.unseen)
    trained, unseen = (index_batch(get_space(SPACE), indices) for indices in (train, other))
    for key, setting in wanted.items():
        if key not in found:
            found[key] = measure(*setting, arguments, trained, unseen)
            rows = [found[name] for name in wanted if name in found]
            save_results("validity", rows, settings, command("validity", argv))
    rows = [found[name] for name in wanted]
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
