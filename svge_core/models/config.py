"""`ModelConfig`: everything that defines a model besides its weights. Saved with the weights; unknown keys fail."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin

from svge_core.errors import CheckpointError


@dataclass(frozen=True)
class ModelConfig:
    """Architecture and objective of an SVGe model. Defaults are the shipped configuration, not the published one."""

    hidden: int = 32
    """Node state width; half of it per edge direction (published: 250)."""
    latent: int = 32
    """Dimensions of z (published: 56)."""
    rounds: int = 2
    """Message-passing rounds of the encoder and of every decoder step (published: 2)."""
    encoding: Literal["one-hot", "learned"] = "one-hot"
    """Operation encoding: one-hot, or an embedding shared by encoder and decoder (Chatzianastasis et al. 2021)."""
    operation_dim: int = 8
    """Dimensions of the learned operation embedding; unused for one-hot."""
    positions: bool = True
    """Learned embedding of the canonical node position in the encoder (published: none)."""
    decoder_positions: bool = True
    """Learned embedding of direction and step in the decoder's three heads (published: none)."""
    beta: float = 0.2
    """KL weight per cell, both terms of the ELBO being sums per cell (published code: 0.005 times the batch size)."""
    posterior_noise: float = 1.0
    """Scale of the posterior's standard deviation while training (published code: 0.01 by a default argument)."""
    edge_reduction: Literal["sum", "mean"] = "sum"
    """Reduction of the edge terms of one decoder step: sum is the log-likelihood (published code: mean)."""
    edge_sampling: Literal["independent", "sequential"] = "independent"
    """Edges into one new node: independent given the state (published), or each given those from earlier nodes."""

    def __post_init__(self) -> None:
        if self.hidden < 2 or self.hidden % 2:
            raise CheckpointError(f"config field 'hidden' must be even and at least 2; got {self.hidden}.")
        for name in ("latent", "rounds", "operation_dim"):
            if getattr(self, name) < 1:
                raise CheckpointError(f"config field {name!r} must be at least 1; got {getattr(self, name)}.")
        for name in ("beta", "posterior_noise"):
            if not 0 <= getattr(self, name) < math.inf:
                raise CheckpointError(
                    f"config field {name!r} must be finite and at least 0; got {getattr(self, name)}."
                )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelConfig":
        """Read the values back.

        Raises:
            CheckpointError: on an unknown or missing key or a value of another type, by name.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise CheckpointError(f"config has unknown fields {unknown}; this version knows {sorted(known)}.")
        if missing := sorted(known - set(values)):
            raise CheckpointError(f"config lacks the fields {missing}.")
        check_kinds(cls, values, "config")
        return cls(**values)


def check_kinds(config: type, values: dict[str, Any], what: str) -> None:
    """Check values read from a file against a config's fields (whole numbers serve as floats).

    Raises:
        CheckpointError: naming the first field of another type, or that is none of the choices.
    """
    for field in fields(config):
        kind, value = type(field.default), values.get(field.name, field.default)
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise CheckpointError(f"{what} field {field.name!r} must be of type {kind.__name__}; got {value!r:.60}.")
        if get_origin(field.type) is Literal and value not in (choices := get_args(field.type)):
            raise CheckpointError(f"{what} field {field.name!r} must be one of {choices}; got {value!r:.60}.")


PUBLISHED = ModelConfig(hidden=250, latent=56, positions=False, decoder_positions=False)
"""The published size with the mended objective; the reference row of the benchmarks."""

#: by model, the settings it starts from. Baselines are as published where a setting is theirs alone; size and objective
#: are those of SVGe's default. They stand here, and not with the models, to be read without loading PyTorch.
DEFAULTS: dict[str, ModelConfig] = {
    "svge": ModelConfig(),
    "dvae": ModelConfig(hidden=64, operation_dim=3, decoder_positions=False),
    "gcn": ModelConfig(hidden=64, rounds=3, operation_dim=3, decoder_positions=False),
    "dgmg": ModelConfig(hidden=64, operation_dim=3, positions=False, decoder_positions=False),
}
