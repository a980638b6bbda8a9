"""What the tests of trainable networks share: counts of their size, reference operations, a short training."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, images: Tensor) -> int:
    """Multiply-accumulates of convolutions and linear layers (bias included, as the authors count) of one image."""
    total = 0

    def add(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            per_value = module.in_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
            total += per_value * output[0].numel()
        elif isinstance(module, nn.Linear):
            total += (module.in_features + 1) * module.out_features

    handles = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return total


def normed(x: Tensor) -> Tensor:
    """Batch norm with batch statistics, weight one and bias zero: that of a fresh layer while it trains."""
    return F.batch_norm(x, None, None, training=True)


def average_pooled(x: Tensor) -> Tensor:
    """Mean over the part of each 3x3 window that lies inside the image."""
    return F.avg_pool2d(x, 3, 1, 1) / F.avg_pool2d(torch.ones_like(x), 3, 1, 1)


def every_parameter_has_a_gradient(network: nn.Module) -> bool:
    """Whether the last backward pass reached every parameter with finite numbers."""
    return all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())


def training_losses(network: nn.Module, generator: torch.Generator, steps: int) -> list[float]:
    """Losses while 16 random images of 8x8 pixels are learned, of which it is asked whether they are bright."""
    images = torch.randn(16, 3, 8, 8, generator=generator)
    labels = (images.mean((1, 2, 3)) > 0).long()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
