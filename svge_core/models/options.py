"""How a latent is decoded; read by the command line too, so nothing heavy is imported here."""

from dataclasses import dataclass
from typing import Literal, get_args

from svge_core.checks import one_of, yes_or_no

DecodeDirection = Literal["forward", "backward", "both"]


@dataclass(frozen=True)
class DecodeOptions:
    """How to decode.

    Attributes:
        direction: which run decides, or both: all directions the model writes cells in.
        constrained: mask everything that would leave the space.
        argmax: take the likeliest type and edges at every step instead of drawing them.
    """

    direction: DecodeDirection = "forward"
    constrained: bool = False
    argmax: bool = False

    def __post_init__(self) -> None:
        one_of("direction", self.direction, get_args(DecodeDirection))
        yes_or_no("constrained", self.constrained)
        yes_or_no("argmax", self.argmax)
