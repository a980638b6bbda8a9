"""Whether what was written computes what the network computes."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from svge_core.errors import SvgeError

#: Largest accepted difference of the logits, as a share of the largest logit. Other kernels add up in another order:
#: in float32 that changes the logits of these networks by a few millionths (bench/network_files.py measures it). Tests
#: leave out an operation, and the statistics of batch norms, and see the file refused.
TOLERANCE = 1e-4
#: numbers of images that are tried: a program that froze the batch of its example fails at one of them
BATCHES = (1, 5)
#: batches that give the batch norms statistics, and images of each
_WARM_UP, _WARM_UP_IMAGES = 2, 8


def random_images(images: int, shape: tuple[int, int, int], seed: int = 0) -> Tensor:
    """Standard normal images (images, colours, height, width), the same for the same seed."""
    return torch.randn(images, *shape, generator=torch.Generator().manual_seed(seed))


def with_statistics(network: nn.Module, shape: tuple[int, int, int]) -> nn.Module:
    """Gives a network that was never trained batch norm statistics of random images, and puts it into eval mode.

    As they start, with mean 0 and variance 1, a norm that was left out or folded wrongly would show no difference.
    """
    network.train()
    with torch.no_grad():
        for seed in range(1, _WARM_UP + 1):
            network(random_images(_WARM_UP_IMAGES, shape, seed))
    return network.eval()


def relative_difference(expected: Tensor, found: Tensor) -> float:
    """The largest difference of two tensors as a share of the largest expected value; infinite for other shapes."""
    if expected.shape != found.shape:
        return float("inf")
    scale = expected.abs().max().clamp(min=torch.finfo(expected.dtype).tiny)
    return float((expected - found).abs().max() / scale)


def largest_difference(
    network: Callable[[Tensor], Tensor], written: Callable[[Tensor], Tensor], shape: tuple[int, int, int]
) -> float:
    """The largest relative difference of the logits over all :data:`BATCHES`.

    Args:
        network: the original, in eval mode.
        written: what was written, read back.
        shape: colours, height and width of the images.
    """
    found = []
    with torch.no_grad():
        for images in (random_images(count, shape, seed=100 + count) for count in BATCHES):
            found.append(relative_difference(network(images), written(images)))
    # max() would hide a NaN that does not come first
    return float(torch.tensor(found, dtype=torch.float64).max())


def require_agreement(name: str, difference: float) -> None:
    """See that a file may be handed on.

    Raises:
        SvgeError: with the difference, if it is too large or no number.
    """
    if not difference <= TOLERANCE:
        raise SvgeError(
            f"{name} does not compute what the network computes: its outputs differ by {difference:.2g} of the largest "
            f"one, expected at most {TOLERANCE:g}. Nothing was written; take another form."
        )
