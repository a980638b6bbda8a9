"""The settings of a training run."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from svge_core.checks import one_of, real_number, seed as checked_seed, whole_number, yes_or_no
from svge_core.errors import SvgeError
from svge_core.models import read_config

#: a run that is killed loses at most so much by default
SAVE_EVERY_SECONDS = 30.0


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
    prior_targets: Literal["all", "invalid"] = "all"
    """Whether every latent of ``prior_share`` is trained on, or only those whose raw decoding is no member of the
    space: there the constrained decoding becomes likelier and the raw one less likely, the others are left alone."""
    prior_from: float = 0.4
    """Share of the run after which that starts."""
    mean_share: float = 0.0
    """Share of the cells of a step that are decoded from their posterior mean instead of from a draw around it."""
    translate: bool = False
    """The decoder writes, in place of the cell that was encoded, the first training cell that computes the same
    (``space.key``): z keeps what equivalents share ("translation", Winter et al. 2019), and gives up the notation."""
    only_decoder: bool = False
    """The encoder stays as it starts, what the decoder shares with it too, and with them every latent: map and
    predictions come out the same when they are made again."""
    cells_per_epoch: int = 200_000
    """Cells of one epoch where the space is too large to list: every epoch draws new ones, none held out."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "cells_per_epoch"):
            whole_number(name, getattr(self, name), 1, 2**63)
        whole_number("warmup_steps", self.warmup_steps, 0, 2**63)
        yes_or_no("translate", self.translate)
        yes_or_no("only_decoder", self.only_decoder)
        one_of("precision", self.precision, ("float32", "bfloat16"))
        one_of("prior_targets", self.prior_targets, ("all", "invalid"))
        for field in fields(self):
            if field.type is float or field.type == "float":
                real_number(field.name, getattr(self, field.name))
        for name in ("held_out", "mean_share"):
            if not 0 <= getattr(self, name) < 1:
                raise SvgeError(f"{name} is a share, 0 <= {name} < 1; got {getattr(self, name)}.")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise SvgeError(f"{name} must be positive and finite; got {getattr(self, name)}.")
        for name in ("warmup_steps", "kl_warmup_epochs", "prior_share", "prior_from"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SvgeError(f"{name} must be finite and at least 0; got {getattr(self, name)}.")
        checked_seed(self.seed)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Read saved values; unknown keys and values of another type fail by name."""
        return read_config(values, cls, "training config")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
