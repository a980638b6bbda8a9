"""`ModelConfig`: everything that defines a model besides its weights. Saved with the weights; unknown keys fail."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from svge_core.errors import CheckpointError, SvgeError
from svge_core.features import FunctionKind
from svge_core.files import to_record

T = TypeVar("T")

#: fields that files of earlier versions lack: their models had no such dimensions, and the defaults say so
ADDED_FIELDS = ("function", "function_targets", "function_scale", "function_noise", "function_hidden")


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
    function: int = 0
    """The last so many dimensions of z say what a cell computes: they are trained towards numbers that need no label
    and carry no KL term (published: none). SVGe's decoder reads them like the others, the row code's does not."""
    function_targets: FunctionKind = "structure"
    """What these are: main components of the structure features, these with parameters and multiply-accumulates of the
    network, or main components of the covariance of wide networks."""
    function_scale: float = 3.0
    """Standard deviation over the space of these dimensions, on average: those of the code have at most 1."""
    function_noise: float = 0.3
    """Standard deviation of the posterior in these dimensions."""
    function_hidden: int = 64
    """Width of the read-out that gives these dimensions."""

    def __post_init__(self) -> None:
        for item, kind in get_type_hints(type(self)).items():
            value = getattr(self, item)
            if (choices := get_args(kind)) and value not in choices:
                known = ", ".join(map(str, choices))
                raise CheckpointError(f"config field {item!r} must be one of {known}; got {value!r}.")
            if kind is int and (not isinstance(value, int) or isinstance(value, bool)):
                raise CheckpointError(f"config field {item!r} must be a whole number; got {value!r}.")
        if self.hidden < 2 or self.hidden % 2:
            raise CheckpointError(f"config field 'hidden' must be even and at least 2; got {self.hidden}.")
        for name in ("latent", "rounds", "operation_dim"):
            if getattr(self, name) < 1:
                raise CheckpointError(f"config field {name!r} must be at least 1; got {getattr(self, name)}.")
        if not 0 <= self.function < self.latent:
            raise CheckpointError(
                f"config field 'function' must be at least 0 and below 'latent' ({self.latent}); got {self.function}: "
                "give it fewer dimensions, or the latent more.",
                settings=("function", "latent"),
            )
        if not self.function and self.function_targets != "structure":
            raise CheckpointError(
                f"config field 'function_targets' is {self.function_targets!r}, and no dimensions are for it: expected "
                "'function' above 0; got 0.",
                settings=("function",),
            )
        if self.function_hidden < 1:
            raise CheckpointError(f"config field 'function_hidden' must be at least 1; got {self.function_hidden}.")
        for name in ("function_scale", "function_noise"):
            if not 0 < getattr(self, name) < math.inf:
                raise CheckpointError(f"config field {name!r} must be positive and finite; got {getattr(self, name)}.")
        for name in ("beta", "posterior_noise"):
            if not 0 <= getattr(self, name) < math.inf:
                raise CheckpointError(
                    f"config field {name!r} must be finite and at least 0; got {getattr(self, name)}."
                )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @property
    def code(self) -> int:
        """Dimensions of z that tell cells apart and carry the KL term: the first ones."""
        return self.latent - self.function

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelConfig":
        """Read the values back.

        Raises:
            CheckpointError: on an unknown or missing key or a value of another type, by name.
        """
        return read_config(with_added_fields(values), cls, "config", complete=(cls,))


def with_added_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file of any version, as one of today's."""
    return {**{name: getattr(ModelConfig, name) for name in ADDED_FIELDS}, **values}


def read_config(values: Mapping[str, Any], kind: type[T], what: str, *, complete: Sequence[type] = ()) -> T:
    """A config from the values of a file (whole numbers serve as floats).

    Args:
        values: by the names of the fields.
        kind: type of the config.
        what: it is, in the message.
        complete: types whose fields must all be there.

    Raises:
        CheckpointError: naming the first field that is unknown, missing, of another type or none of the choices.
    """
    try:
        return to_record(dict(values), kind, complete=complete)
    except CheckpointError:
        raise  # the config's own words about a value
    except SvgeError as error:
        raise CheckpointError(f"{what}: {str(error).rstrip('.')}.") from None


PUBLISHED = ModelConfig(hidden=250, latent=56, positions=False, decoder_positions=False)
"""The published size with the mended objective; the reference row of the benchmarks."""

#: by model, the settings it starts from. Baselines are as published where a setting is theirs alone; size and objective
#: are those of SVGe's default. They stand here, and not with the models, to be read without loading PyTorch.
DEFAULTS: dict[str, ModelConfig] = {
    "svge": ModelConfig(),
    "dvae": ModelConfig(hidden=64, operation_dim=3, decoder_positions=False),
    "gcn": ModelConfig(hidden=64, rounds=3, operation_dim=3, decoder_positions=False),
    "dgmg": ModelConfig(hidden=64, operation_dim=3, positions=False, decoder_positions=False),
    "rows": ModelConfig(hidden=192, latent=320, rounds=1, beta=0.01),
}
