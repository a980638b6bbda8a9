"""Label-free statistics of a network with random weights, which need no training and no benchmark file.

Each is one number of one network, by the definition of its authors. The network is left as it was: every statistic is
taken on a copy. How they become columns of many cells is in :mod:`svge_core.networks.untrained_table`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from svge_core.errors import SvgeError

Batch = Float[Tensor, "batch colours height width"]
Classes = Int[Tensor, " batch"]

#: the functions that are a ReLU, by whatever way a network calls it
_RELUS = frozenset({functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_})
#: what :func:`synflow` says of a network through which nothing flows: the logarithm of the smallest normal double
NO_FLOW = math.log(np.finfo(np.float64).tiny)
#: added to the eigenvalues of :func:`jacov`, as its authors do
_EIGENVALUE_OFFSET = 1e-5


class _Patterns(TorchFunctionMode):
    """Sums the Hamming kernel over all ReLUs that are called while it is entered."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.kernel = np.zeros((images, images))
        self.units = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in _RELUS:
            on = (result > 0).flatten(1).double()
            self.kernel += (on @ on.T + (1 - on) @ (1 - on).T).numpy()
            self.units += on.shape[1]
        return result


def nwot(network: nn.Module, images: Batch) -> float:
    """The logarithm of the determinant of the Hamming kernel of a mini-batch; 0 or more, more being better.

    Two images count the ReLUs that are on for both or off for both: K_ij = N - d_H(c_i, c_j), with N ReLUs and the
    binary codes c; the score is log |K| (Mellor, Turner, Storkey, Crowley 2021, "Neural Architecture Search without
    Training", section 3). Batch norm uses the statistics of the batch.

    The kernel is made of whole numbers, so where it is regular its determinant is 1 or more and the score 0 or more. A
    singular kernel, of images that the network does not tell apart, has the score 0, the lowest one.

    Args:
        network: with ReLUs, called as modules or as functions.
        images: two or more.

    Raises:
        SvgeError: if no ReLU was called.
    """
    patterns = _Patterns(len(images))
    with torch.no_grad(), patterns:
        deepcopy(network).train()(images)
    if not patterns.units:
        raise SvgeError("Expected a network with ReLUs, whose patterns are counted; it called none.")
    eigenvalues = np.linalg.eigvalsh(patterns.kernel)
    if eigenvalues[0] <= len(images) * np.finfo(np.float64).eps * eigenvalues[-1]:  # NumPy's tolerance of a rank
        return 0.0
    return max(float(np.log(eigenvalues).sum()), 0.0)


def jacov(network: nn.Module, images: Batch) -> float:
    """How little the input Jacobians of a mini-batch are correlated; more is better.

    J has one row per image: the gradient of the sum of its outputs by its pixels. With the eigenvalues s of the
    correlations of the rows, the score is -sum(log(s + k) + 1 / (s + k)), k = 1e-5 (Mellor, Turner, Storkey, Crowley
    2020, first version of "Neural Architecture Search without Training", section 3). Batch norm uses the statistics of
    the batch as constants, so that a row is the Jacobian of its own image alone: the definition of the paper, where its
    code lets images act on each other, and the sum over a batch that was normed just before says nothing.

    The lowest score is that of rows which are all the same (:func:`lowest_jacov`); so it is the score where the outputs
    do not depend on an image, whose row then correlates with nothing.

    Args:
        network: whose outputs are one row per image.
        images: two or more.
    """
    pixels = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(_normed_by(network, images)(pixels).sum(), pixels)
    rows = gradient.flatten(1).double().numpy()
    if not (rows.std(axis=1) > 0).all():
        return lowest_jacov(len(images))
    return _jacov_of(np.linalg.eigvalsh(np.corrcoef(rows)))


def lowest_jacov(images: int) -> float:
    """The lowest score of :func:`jacov` for so many images: all correlations are 1."""
    return _jacov_of(np.array([0.0] * (images - 1) + [float(images)]))


def _jacov_of(eigenvalues: Float[np.ndarray, " images"]) -> float:
    moved = eigenvalues.clip(min=0) + _EIGENVALUE_OFFSET  # those of correlations are 0 or more, but for rounding
    return -float((np.log(moved) + 1 / moved).sum())


def grad_norm(network: nn.Module, images: Batch, classes: Classes) -> float:
    """The sum of the Euclidean norms of the loss gradients of all layers; more is better.

    The loss is the mean cross-entropy of a mini-batch, a layer the weights of a convolution or of a linear layer
    (Abdelfattah, Mehrotra, Dudziak, Lane 2021, "Zero-Cost Proxies for Lightweight NAS", section 3, grad_norm). Batch
    norm uses the statistics of the batch. 0 where no weight changes the loss.

    Args:
        network: whose outputs are logits.
        images: two or more.
        classes: of the images.
    """
    copy = deepcopy(network).train()
    loss = functional.cross_entropy(copy(images), classes)
    return sum(float(gradient.norm()) for _, gradient in _by_weight(copy, loss))


def synflow(network: nn.Module, shape: tuple[int, int, int]) -> float:
    """The logarithm of the synaptic flow through a network; more is better.

    All parameters are replaced by their absolute values, and an image of ones is sent through. R being the sum of the
    outputs, the score is the sum of p * dR/dp over the weights p of convolutions and linear layers (Tanaka, Kunin,
    Yamins, Ganguli 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow", section
    6; summed over the network by Abdelfattah et al. 2021). Batch norm divides by 1. All is done in double precision.

    :data:`NO_FLOW` where the sum is 0: no path leads from the image to the outputs.

    Args:
        network: any; its outputs are summed.
        shape: colours, height and width of the image.

    Raises:
        SvgeError: if the flow is beyond the range of doubles.
    """
    copy = deepcopy(network).double().eval()
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.abs_()
    total = copy(torch.ones(1, *shape, dtype=torch.float64)).sum()
    flow = sum(float((weight.detach() * gradient).sum()) for weight, gradient in _by_weight(copy, total))
    if not math.isfinite(flow):
        raise SvgeError("The flow through the network is beyond the range of doubles; take fewer channels or layers.")
    return max(math.log(flow), NO_FLOW) if flow > 0 else NO_FLOW


def _by_weight(network: nn.Module, value: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The weights of convolutions and linear layers with their gradients; those that do not count are left out."""
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for weight, gradient in zip(weights, torch.autograd.grad(value, weights, allow_unused=True), strict=True):
        if gradient is not None:
            yield weight, gradient


def _normed_by(network: nn.Module, images: Batch) -> nn.Module:
    """A copy in evaluation mode whose batch norms use the statistics of these images."""
    copy = deepcopy(network).train()
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        copy(images)
    return copy.eval()
