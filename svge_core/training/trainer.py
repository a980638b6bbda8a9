"""The training loop: yields one row of metrics per epoch. Progress bars, saving and early stop belong to the caller.

A run is a pure function of (cells, model seed, `TrainConfig`): the order of an epoch and the posterior noise of a step
are drawn from generators seeded by their number, so a run resumed from any step continues as if never stopped.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.devices import seeded_generator
from svge_core.errors import SvgeError
from svge_core.features import FunctionTargets
from svge_core.models import DecodeOptions, GraphVAE
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, to_batch, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import DrawnCells, first_cells


@dataclass(frozen=True)
class TrainRow:
    """Means over the cells of one epoch, in nats per cell; seconds are CPU seconds of this process."""

    epoch: int
    loss: float
    types: float
    edges: float
    kl: float
    learning_rate: float
    cells_seen: int
    cpu_seconds: float
    function: float = 0.0


@dataclass(frozen=True)
class TrainingStep:
    """Where a run stands after a step; ``row`` is set when the step ended an epoch."""

    step: int
    total_steps: int
    row: TrainRow | None


class Trainer:
    """One run over a fixed batch of training cells, or over cells drawn anew for every epoch."""

    def __init__(self, model: GraphVAE, cells: CellBatch | DrawnCells, config: TrainConfig) -> None:
        if len(cells) == 0:
            raise SvgeError("There is no cell to train on; expected at least one.")
        self.model, self.cells, self.config = model, cells, config
        read = encoder_weights(model, first_cells(cells).select(slice(0, 2))) if config.only_decoder else set()
        for name, weight in model.named_parameters():
            weight.requires_grad_(name not in read)
        self.trained = [weight for weight in model.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.Adam(self.trained, lr=config.learning_rate, fused=True)
        self.step = 0
        self.initial = ""  # digest of the weights the run started from, where it did not start afresh
        self.cpu_seconds = 0.0
        self.totals = torch.zeros(5, dtype=torch.float64)
        self.function: Tensor | None = None
        self.written: Tensor | None = None  # which cell is written for each that is encoded; None: itself
        self.steps_per_epoch = math.ceil(len(cells) / config.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.config.epochs

    def epochs(self) -> Iterator[TrainRow]:
        """Train on to the end, one row per epoch; can be left at any row and called again."""
        return (progress.row for progress in self.steps() if progress.row is not None)

    def steps(self) -> Iterator[TrainingStep]:
        """Train on to the end, step by step; can be left at any step, saved, and called again."""
        order: Tensor | None = None
        cells = self.cells if isinstance(self.cells, CellBatch) else None
        while self.step < self.total_steps:
            started = time.process_time()
            epoch, position = divmod(self.step, self.steps_per_epoch)
            if cells is None or (position == 0 and isinstance(self.cells, DrawnCells)):
                cells = self.cells.epoch(epoch).to(self.model.device)  # type: ignore[union-attr]
                self.function = self.written = None
            if self.written is None and self.config.translate:
                self.written = first_equivalents(self.model.space, cells)
            if self.function is None and self.model.config.function:
                self.function = function_of(self.model, cells)
            if order is None or position == 0:
                order = torch.randperm(len(self.cells), generator=seeded_generator(self.config.seed, 1, epoch))
            size = self.config.batch_size
            rows = order[position * size : (position + 1) * size].to(cells.types.device)
            rate = self._learning_rate()
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            function = None if self.function is None else self.function[rows]
            batch = cells.select(rows)
            written = batch if self.written is None else cells.select(self.written[rows])
            self.totals += self._step(batch, written, function).cpu() * len(rows)
            self.step += 1
            self.cpu_seconds += time.process_time() - started
            row = self._row(epoch, rate) if self.step % self.steps_per_epoch == 0 else None
            yield TrainingStep(self.step, self.total_steps, row)

    def _row(self, epoch: int, rate: float) -> TrainRow:
        loss, types, edges, kl, function = (self.totals / len(self.cells)).tolist()
        self.totals.zero_()
        seen, seconds = (epoch + 1) * len(self.cells), round(self.cpu_seconds, 2)
        return TrainRow(epoch + 1, loss, types, edges, kl, rate, seen, seconds, function)

    def _step(self, batch: CellBatch, written: CellBatch, function: Tensor | None) -> Tensor:
        noise = seeded_generator(self.config.seed, 2, self.step, device=self.model.device)
        low = self.config.precision == "bfloat16"
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=low):
            with torch.set_grad_enabled(not self.config.only_decoder):
                posterior = self.model.encode(batch)
            z = posterior.sample(noise, self.model.config.posterior_noise)
            means = round(self.config.mean_share * len(batch))  # cells are in random order
            at = torch.cat([posterior.mean[:means], z[means:]])
            elbo = self.model.elbo_from(written, posterior, at, function)
            prior = self._prior_loss(posterior.mean.detach(), noise)
        beta = self.model.config.beta * self._kl_share()
        loss = (elbo.types + elbo.edges + beta * elbo.kl + elbo.function).mean() + prior
        if not torch.isfinite(loss):
            raise SvgeError(
                f"The loss is not finite at step {self.step}; lower learning_rate (now {self._learning_rate():g})."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, self.config.clip)
        self.optimiser.step()
        parts = (loss, elbo.types.mean(), elbo.edges.mean(), elbo.kl.mean(), elbo.function.mean())
        return torch.stack(parts).detach().double()

    def _prior_loss(self, means: Tensor, noise: torch.Generator) -> Tensor | float:
        """What decodings at draws from the prior (scaled as in the metrics) should become, per cell of the step."""
        count = round(self.config.prior_share * len(means))
        if count < 1 or len(means) < 2 or self.step < self.config.prior_from * self.total_steps:
            return 0.0
        draws = torch.randn(count, means.shape[1], generator=noise, device=means.device)
        z = draws * means.std(0) + means.mean(0)
        if self.config.prior_targets == "all":
            return self._members_loss(z, noise) / len(means)
        raw = decode(self.model, z, DecodeOptions("forward"), noise)
        members = map(self.model.space.is_valid, to_cells(self.model.space, raw.to("cpu")))
        rows = torch.tensor([row for row, member in enumerate(members) if not member], device=z.device)
        if len(rows) == 0:
            return 0.0
        # its gradient is that of the probability of drawing no member (Williams 1992, REINFORCE)
        drawn = self.model.log_probability(raw.select(rows), z[rows]).sum()
        return (self._members_loss(z[rows], noise) + drawn) / len(means)

    def _members_loss(self, z: Tensor, noise: torch.Generator) -> Tensor:
        """Negative log-likelihood, in all, of members drawn at some latents by constrained decoding."""
        decoded = decode(self.model, z, DecodeOptions("forward", constrained=True), noise).to("cpu")
        space = self.model.space
        cells = to_batch(space, to_cells(space, decoded)).to(z.device)
        types, edges = self.model.terms(cells, z, "sum")
        return types.sum() + edges.sum()

    def _learning_rate(self) -> float:
        config = self.config
        if self.step < config.warmup_steps:
            return config.learning_rate * (self.step + 1) / config.warmup_steps
        done = (self.step - config.warmup_steps) / max(1, self.total_steps - config.warmup_steps)
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def _kl_share(self) -> float:
        steps = self.config.kl_warmup_epochs * self.steps_per_epoch
        return 1.0 if steps <= 0 else min(1.0, (self.step + 1) / steps)


def encoder_weights(model: GraphVAE, cells: CellBatch) -> set[str]:
    """Names of the weights that the posterior depends on, those among them that the decoder shares.

    Args:
        model: the model; all its weights are given gradients.
        cells: any, to ask the gradients of their posteriors which weights they come from.
    """
    names, weights = zip(*model.named_parameters(), strict=True)
    for weight in weights:
        weight.requires_grad_()
    posterior = model.encode(cells.to(model.device))
    read = torch.autograd.grad(posterior.mean.sum() + posterior.log_var.sum(), weights, allow_unused=True)
    return {name for name, gradient in zip(names, read, strict=True) if gradient is not None}


def function_of(model: GraphVAE, cells: CellBatch) -> Float[Tensor, "cells function"]:
    """What a model's last dimensions are trained towards, see :class:`~svge_core.features.FunctionTargets`."""
    targets = FunctionTargets.of(model.space, model.config.function_targets, model.config.function)
    scores = targets.scores(to_cells(model.space, cells.to("cpu")))
    return torch.from_numpy(scores * model.config.function_scale).to(cells.adjacency)


def first_equivalents(space: AbstractSearchSpace, cells: CellBatch) -> Int[Tensor, " cells"]:
    """By cell, the row of the first one that computes the same (``space.key``)."""
    first: dict[str, int] = {}
    rows = [first.setdefault(space.key(cell), row) for row, cell in enumerate(to_cells(space, cells.to("cpu")))]
    return torch.tensor(rows, device=cells.types.device)
