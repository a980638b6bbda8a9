"""SVGe's joint performance head: an MLP on the posterior mean, fine-tuned together with the whole VAE.

As published (Lukasik et al. 2021, and their code): four linear layers that halve the width each time, ReLU between,
loss 0.1 * VAE + 0.9 * squared error, Adam at 1e-3, 100 epochs. Two deviations: scores are standardised over the
training labels, so that the two terms of the loss do not depend on the score's unit; and the learning rate is constant
(their plateau scheduler has a patience of 10 epochs).
"""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.data import check_size
from svge_core.errors import DataError
from svge_core.models.vae import GraphVAE
from svge_core.tensors import CellBatch


@dataclass(frozen=True)
class HeadConfig:
    """Fine-tuning of the joint head; defaults are the published ones."""

    layers: int = 4
    """Linear layers of the head."""
    vae_weight: float = 0.1
    """Share of the VAE's loss; the squared error has the rest."""
    learning_rate: float = 1e-3
    """Adam's learning rate."""
    epochs: int = 100
    """Passes over the labelled cells."""
    batch_size: int = 32
    """Labelled cells per step."""
    seed: int = 1
    """Seeds the head's weights, the order of the cells and the posterior noise."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class PredictorHead(nn.Module):
    """latent -> latent/2 -> latent/4 -> ... -> 1."""

    def __init__(self, latent: int, layers: int) -> None:
        super().__init__()
        widths = [max(1, latent // 2**i) for i in range(layers)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, [*widths[1:], 1], strict=True))

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Standardised score of every cell."""
        for layer in self.layers[:-1]:
            z = layer(z).relu()
        return self.layers[-1](z)[:, 0]


class JointModel(nn.Module):
    """A fine-tuned copy of a VAE with its head; predicts in the labels' unit."""

    centre: Tensor
    scale: Tensor

    def __init__(self, model: GraphVAE, layers: int) -> None:
        super().__init__()
        self.vae = copy.deepcopy(model)
        self.head = PredictorHead(model.config.latent, layers)
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, cells: CellBatch) -> Float[Tensor, " batch"]:
        """Predicted score of every cell."""
        return self.head(self.vae.encode(cells).mean) * self.scale + self.centre

    @torch.inference_mode()
    def predict(self, cells: CellBatch, chunk: int = 512) -> Float[Tensor, " cells"]:
        """Predicted scores of many cells, on the CPU."""
        pieces = [cells.select(slice(start, start + chunk)) for start in range(0, len(cells), chunk)]
        return torch.cat([self(piece.to(self.vae.device)).cpu() for piece in pieces])


def fit_joint(
    model: GraphVAE,
    cells: CellBatch,
    scores: Float[Tensor, " batch"],
    config: HeadConfig,
    on_epoch: Callable[[int, float], None] | None = None,
) -> JointModel:
    """Fine-tune a copy of a trained VAE and its head on labelled cells; the given model stays as it is.

    Args:
        model: trained VAE.
        cells: labelled cells.
        scores: one finite label per cell.
        config: of the fit.
        on_epoch: called with the number of finished epochs and their mean loss.

    Raises:
        DataError: if labels are missing, not finite, or all equal.
    """
    if len(cells) != len(scores) or len(scores) < 2:
        raise DataError(f"Expected one score per cell and at least 2; got {len(scores)} for {len(cells)} cells.")
    if not torch.isfinite(scores).all():
        raise DataError("A score is not a finite number; remove the cell or give its value.")
    check_size(scores.double().cpu().numpy())
    if float(scores.std()) == 0:
        raise DataError(f"All {len(scores)} scores are {float(scores[0]):g}; there is nothing to learn from.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        joint = JointModel(model, config.layers).to(model.device)
    joint.centre, joint.scale = scores.mean().float().to(model.device), scores.std().float().to(model.device)
    targets = ((scores.float() - scores.mean()) / scores.std()).to(model.device)
    optimiser = torch.optim.Adam(joint.parameters(), lr=config.learning_rate, fused=True)
    order_generator = torch.Generator().manual_seed(config.seed)
    noise = torch.Generator(device=model.device).manual_seed(config.seed)
    cells = cells.to(model.device)
    for epoch in range(config.epochs):
        total = 0.0
        for rows in torch.randperm(len(scores), generator=order_generator).split(config.batch_size):
            batch = cells.select(rows.to(model.device))
            posterior = joint.vae.encode(batch)
            z = posterior.sample(noise, model.config.posterior_noise)
            vae = joint.vae.elbo_from(batch, posterior, z).loss.mean()
            error = (joint.head(posterior.mean) - targets[rows.to(model.device)]).square().mean()
            loss = config.vae_weight * vae + (1 - config.vae_weight) * error
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        if on_epoch is not None:
            on_epoch(epoch + 1, total / len(scores))
    return joint.eval()
