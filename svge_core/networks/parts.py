"""What the networks of several spaces share: shapes, the ReLU-convolution-batch-norm block, checks of options."""

from jaxtyping import Float
from torch import Tensor, nn

from svge_core.errors import SvgeError

FeatureMap = Float[Tensor, "batch channels height width"]
Images = Float[Tensor, "batch 3 height width"]
Logits = Float[Tensor, "batch classes"]
Features = Float[Tensor, "batch features"]


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, batch norm; keeps the size unless strided."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )


def require_positive(**options: int) -> None:
    """Check sizes of a network.

    Raises:
        SvgeError: naming the first option below 1.
    """
    for option, value in options.items():
        if value < 1:
            raise SvgeError(f"Expected {option} to be at least 1; got {value}.")
