"""The training loop: yields one row of metrics per epoch. Progress bars, saving and early stop belong to the caller.

A run is a pure function of (cells, model seed, `TrainConfig`): the order of an epoch and the posterior noise of a step
are drawn from generators seeded by their number, so a run resumed from any step continues as if never stopped.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from svge_core.cells import Cell
from svge_core.errors import CheckpointError, SvgeError
from svge_core.held_out import cell_numbers, held_out_mask, indexed
from svge_core.models.base import GraphVAE
from svge_core.models.config import check_kinds
from svge_core.models.decoding import DecodeOptions, decode
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch, to_batch, to_cells


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation of one run. Defaults are those of the shipped NAS-Bench-201 checkpoint, but for its seed (3)."""

    epochs: int = 80
    """Passes over the training cells; the learning rate's cosine ends with the last."""
    batch_size: int = 256
    """Cells per step."""
    learning_rate: float = 0.01
    """Peak of Adam's learning rate (published: 1e-4, constant until a plateau)."""
    warmup_steps: int = 100
    """Steps of linear warm-up."""
    clip: float = 5.0
    """Largest gradient norm."""
    kl_warmup_epochs: float = 10.0
    """Epochs over which the KL weight rises linearly from 0."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Type of the matrix products while training; bfloat16 pays on wide models and processors that have it."""
    seed: int = 1
    """Seeds the split, the initial weights, the order of the cells and the posterior noise."""
    held_out: float = 0.1
    """Share of the cells never trained on (published: 0.1)."""
    prior_share: float = 0.0
    """Latents drawn from the prior per cell of a step: the decoder learns to give there what its own constrained
    decoding gives, so that raw decodings become members too (in the spirit of Ma et al. 2018; published: none)."""
    prior_from: float = 0.4
    """Share of the run after which that starts."""
    mean_share: float = 0.0
    """Share of the cells of a step that are decoded from their posterior mean instead of from a draw around it."""
    cells_per_epoch: int = 200_000
    """Cells of one epoch where the space is too large to list: every epoch draws new ones, none held out."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "cells_per_epoch"):
            if getattr(self, name) < 1:
                raise SvgeError(f"{name} must be at least 1; got {getattr(self, name)}.")
        for name in ("held_out", "mean_share"):
            if not 0 <= getattr(self, name) < 1:
                raise SvgeError(f"{name} is a share, 0 <= {name} < 1; got {getattr(self, name)}.")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise SvgeError(f"{name} must be positive and finite; got {getattr(self, name)}.")
        for name in ("warmup_steps", "kl_warmup_epochs", "prior_share", "prior_from"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SvgeError(f"{name} must be finite and at least 0; got {getattr(self, name)}.")
        if not -(2**63) <= self.seed < 2**63:
            raise SvgeError(f"seed must fit into 64 bits; got {self.seed}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Read saved values; unknown keys and values of another type fail by name."""
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise CheckpointError(f"training config has unknown fields {unknown}.")
        check_kinds(cls, values, "training config")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


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


def draw_indices(
    space: AbstractSearchSpace, count: int, config: TrainConfig, purpose: tuple[int, ...], *, held_out: bool
) -> Int[np.ndarray, " cells"]:
    """Uniform official indices of trained or of held-out cells of a space that is not listed, with replacement.

    Args:
        purpose: numbers that make this draw different from others of the same run.
    """
    if space.size is None or not indexed(space):
        raise SvgeError(f"Cells of {space.title} cannot be drawn by index.")
    if held_out and config.held_out == 0:
        return np.zeros(0, dtype=np.int64)  # there are none
    rng = np.random.default_rng([config.seed % 2**32, *purpose])
    parts: list[np.ndarray] = []
    while (found := sum(map(len, parts))) < count:
        drawn = rng.integers(space.size, size=count - found)
        parts.append(drawn[held_out_mask(drawn, config.held_out, config.seed) == held_out])
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def draw_cells(
    space: AbstractSearchSpace,
    count: int,
    config: TrainConfig,
    purpose: tuple[int, ...],
    *,
    held_out: bool,
    draw: Callable[[np.random.Generator], Cell] | None = None,
) -> list[Cell]:
    """Canonical trained or held-out cells of a space without indices; a hash of a cell's key decides which it is.

    Args:
        purpose: numbers that make this draw different from others of the same run.
        draw: where cells come from; the space's own ``random_cell`` by default.
    """
    if held_out and config.held_out == 0:
        return []  # there are none
    rng = np.random.default_rng([config.seed % 2**32, *purpose])
    found: list[Cell] = []
    while len(found) < count:
        drawn = [space.canonical((draw or space.random_cell)(rng)) for _ in range(count - len(found))]
        mask = held_out_mask(cell_numbers(space, drawn), config.held_out, config.seed)
        found += [cell for cell, unseen in zip(drawn, mask.tolist(), strict=True) if unseen == held_out]
    return found


@dataclass(frozen=True)
class DrawnCells:
    """Training cells of a space that is too large to list: new ones every epoch, a function of the run's seed."""

    space: AbstractSearchSpace
    config: TrainConfig

    def __len__(self) -> int:
        return self.config.cells_per_epoch

    def epoch(self, number: int) -> CellBatch:
        """The cells of an epoch."""
        purpose = (1, number)
        if indexed(self.space):
            return index_batch(self.space, draw_indices(self.space, len(self), self.config, purpose, held_out=False))
        cells = draw_cells(self.space, len(self), self.config, purpose, held_out=False)
        return to_batch(self.space, cells, canonical=False)

    @cached_property
    def first(self) -> CellBatch:
        """The cells of the first epoch, kept: every save of a run asks for their digest."""
        return self.epoch(0)


def first_cells(cells: CellBatch | DrawnCells) -> CellBatch:
    """What stands for the training cells in a digest: all of them, or those of the first epoch."""
    return cells if isinstance(cells, CellBatch) else cells.first


@dataclass(frozen=True)
class Progress:
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
        self.optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
        self.step = 0
        self.initial = ""  # digest of the weights the run started from, where it did not start afresh
        self.cpu_seconds = 0.0
        self.totals = torch.zeros(4, dtype=torch.float64)
        self.steps_per_epoch = math.ceil(len(cells) / config.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.config.epochs

    def epochs(self) -> Iterator[TrainRow]:
        """Train on to the end, one row per epoch; can be left at any row and called again."""
        return (progress.row for progress in self.steps() if progress.row is not None)

    def steps(self) -> Iterator[Progress]:
        """Train on to the end, step by step; can be left at any step, saved, and called again."""
        order: Tensor | None = None
        cells = self.cells if isinstance(self.cells, CellBatch) else None
        while self.step < self.total_steps:
            started = time.process_time()
            epoch, position = divmod(self.step, self.steps_per_epoch)
            if cells is None or (position == 0 and isinstance(self.cells, DrawnCells)):
                cells = self.cells.epoch(epoch).to(self.model.device)  # type: ignore[union-attr]
            if order is None or position == 0:
                order = torch.randperm(len(self.cells), generator=_seeded(self.config.seed, 1, epoch))
            size = self.config.batch_size
            rows = order[position * size : (position + 1) * size].to(cells.types.device)
            rate = self._learning_rate()
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.totals += self._step(cells.select(rows)).cpu() * len(rows)
            self.step += 1
            self.cpu_seconds += time.process_time() - started
            row = self._row(epoch, rate) if self.step % self.steps_per_epoch == 0 else None
            yield Progress(self.step, self.total_steps, row)

    def _row(self, epoch: int, rate: float) -> TrainRow:
        loss, types, edges, kl = (self.totals / len(self.cells)).tolist()
        self.totals.zero_()
        return TrainRow(
            epoch + 1, loss, types, edges, kl, rate, (epoch + 1) * len(self.cells), round(self.cpu_seconds, 2)
        )

    def _step(self, batch: CellBatch) -> Tensor:
        noise = _seeded(self.config.seed, 2, self.step, device=self.model.device)
        low = self.config.precision == "bfloat16"
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=low):
            posterior = self.model.encode(batch)
            z = posterior.sample(noise, self.model.config.posterior_noise)
            means = round(self.config.mean_share * len(batch))  # cells are in random order
            elbo = self.model.elbo_from(batch, posterior, torch.cat([posterior.mean[:means], z[means:]]))
            prior = self._prior_loss(posterior.mean.detach(), noise)
        beta = self.model.config.beta * self._kl_share()
        loss = (elbo.types + elbo.edges + beta * elbo.kl).mean() + prior
        if not torch.isfinite(loss):
            raise SvgeError(
                f"The loss is not finite at step {self.step}; lower learning_rate (now {self._learning_rate():g})."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        return torch.stack([loss, elbo.types.mean(), elbo.edges.mean(), elbo.kl.mean()]).detach().double()

    def _prior_loss(self, means: Tensor, noise: torch.Generator) -> Tensor | float:
        """Weighted negative log-likelihood of members decoded at draws from the prior (scaled as in the metrics)."""
        count = round(self.config.prior_share * len(means))
        if count < 1 or len(means) < 2 or self.step < self.config.prior_from * self.total_steps:
            return 0.0
        draws = torch.randn(count, means.shape[1], generator=noise, device=means.device)
        z = draws * means.std(0) + means.mean(0)
        decoded = decode(self.model, z, DecodeOptions("forward", constrained=True), noise).to("cpu")
        space = self.model.space
        cells = to_batch(space, to_cells(space, decoded)).to(means.device)
        types, edges = self.model.terms(cells, z, "sum")
        return (types.sum() + edges.sum()) / len(means)

    def _learning_rate(self) -> float:
        config = self.config
        if self.step < config.warmup_steps:
            return config.learning_rate * (self.step + 1) / config.warmup_steps
        done = (self.step - config.warmup_steps) / max(1, self.total_steps - config.warmup_steps)
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def _kl_share(self) -> float:
        steps = self.config.kl_warmup_epochs * self.steps_per_epoch
        return 1.0 if steps <= 0 else min(1.0, (self.step + 1) / steps)


def _seeded(*numbers: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one purpose and moment of a run."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % (2**62)
    return torch.Generator(device=device).manual_seed(seed)
