"""How much of a score a latent space holds: a sparse Gaussian process on the posterior means, as D-VAE probes it.

Protocol of Zhang et al. (2019): labels standardised, 90 % of the labelled cells to fit a sparse Gaussian process with
500 inducing points, the other 10 % to measure RMSE and Pearson's r. The split and the inducing points are drawn with
the seed of the probe. The process is gpytorch's SGPR (Titsias 2009) with one length scale per dimension.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.results import command, print_table, save_results
from svge_core.checkpoints import load_checkpoint
from svge_core.data.csv import read_labels, read_meaning
from svge_core.errors import SvgeError
from svge_core.models import encode_all
from svge_core.predictors import measure_predictions, summarise_draws
from svge_core.tensors import index_batch

MEASURES = ("rmse_standardised", "pearson_r", "kendall_tau", "seconds")
COLUMNS = ["predictor", "labels", "held_out", *MEASURES]


def fit_predict(
    train: torch.Tensor,
    targets: torch.Tensor,
    test: torch.Tensor,
    *,
    inducing: int,
    steps: int,
    seed: int,
    fit_cells: int | None = None,
) -> np.ndarray:
    """Mean of the sparse process at the test latents.

    Args:
        train: training latents.
        targets: one label per training latent.
        test: latents to predict.
        inducing: number of inducing points.
        steps: optimiser steps of the fit.
        seed: of the choice of cells.
        fit_cells: random training cells on which hyper-parameters and inducing points are fitted; None for all. The
            prediction is conditioned on all training cells in any case.
    """
    import gpytorch

    class Sparse(gpytorch.models.ExactGP):
        def __init__(self, points: torch.Tensor, likelihood: gpytorch.likelihoods.GaussianLikelihood) -> None:
            super().__init__(train, targets, likelihood)
            self.mean = gpytorch.means.ConstantMean()
            base = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel(ard_num_dims=train.shape[1]))
            base.base_kernel.lengthscale = train.shape[1] ** 0.5
            self.kernel = gpytorch.kernels.InducingPointKernel(base, points, likelihood)

        def forward(self, x: torch.Tensor) -> gpytorch.distributions.MultivariateNormal:
            mean: Any = self.mean(x)
            return gpytorch.distributions.MultivariateNormal(mean, self.kernel(x))

    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    chosen, fitted = order[:inducing], order[: fit_cells or len(order)]
    likelihood: Any = gpytorch.likelihoods.GaussianLikelihood()
    likelihood.noise = 0.1
    model: Any = Sparse(train[chosen].clone(), likelihood)
    objective = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    model.train()
    inputs, known = (train, targets) if fit_cells is None else (train[fitted], targets[fitted])
    model.set_train_data(inputs, known, strict=False)
    for _ in range(steps):
        optimiser.zero_grad()
        loss: Any = -objective(model(inputs), known)  # type: ignore[operator]
        loss.backward()
        optimiser.step()
    model.set_train_data(train, targets, strict=False)
    model.eval()
    with torch.no_grad():
        return model(test).mean.numpy().astype(np.float64)


def probe(latents: torch.Tensor, values: np.ndarray, arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """One split and fit."""
    order = np.random.default_rng(seed).permutation(len(values))
    held, train = order[: len(order) // 10], order[len(order) // 10 :]
    mean, scale = values[train].mean(), values[train].std()
    standard = torch.from_numpy(((values - mean) / scale).astype(np.float32))
    spread, centre = latents[train].std(0).clamp(min=1e-6), latents[train].mean(0)
    inputs = (latents - centre) / spread
    started = time.process_time()
    found = fit_predict(
        inputs[train], standard[train], inputs[held], inducing=arguments.inducing, steps=arguments.steps, seed=seed
    )
    row = measure_predictions(found, standard[held].numpy())
    return {**row, "labels": len(train), "held_out": len(held), "seconds": time.process_time() - started}


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.latent_probe", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, nargs="+", help="one row for each")
    parser.add_argument("--csv", type=Path, required=True, help="label file")
    parser.add_argument("--score", required=True, help="column of the label file")
    parser.add_argument("--meaning", type=Path, required=True, help="JSON: what the labels are")
    parser.add_argument("--inducing", type=int, default=500)
    parser.add_argument("--steps", type=int, default=100, help="Adam steps over all labels")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args(argv)
    try:
        checkpoints, meaning = (
            [load_checkpoint(folder) for folder in arguments.checkpoint],
            read_meaning(arguments.meaning),
        )
        space = checkpoints[0].model.space
        labels = read_labels(arguments.csv, arguments.score, space)
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    rows: list[dict[str, Any]] = []
    for checkpoint in checkpoints:
        latents = encode_all(checkpoint.model, index_batch(space, labels.indices))[0]
        draws = [probe(latents, labels.values, arguments, seed) for seed in range(arguments.seeds)]
        sizes = {name: draws[0][name] for name in ("labels", "held_out")}
        summary = summarise_draws(draws, MEASURES)
        name = checkpoint.folder.name
        predictor = f"sparse GP on {name}'s latents"
        rows.append({"checkpoint": name, "predictor": predictor, **sizes, **summary, "draws": draws})
    print_table(rows, COLUMNS)
    settings = {
        "space": space.name,
        "score": meaning.describe(),
        "inducing points": arguments.inducing,
        "steps": arguments.steps,
        "seeds": f"0..{arguments.seeds - 1} of the probe, one training seed",
    }
    save_results(f"latent_probe_{space.name}", rows, settings, command("latent_probe", argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
