"""The NAS-Bench-201 network: stem, three stages of cells with residual reductions between, classifier.

The classes follow the published description (Dong & Yang 2020, section 2.1 and figure 1) layer by layer, so parameter
counts equal the benchmark's own and weights mean the same; tests hold them to it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.networks.parts import FeatureMap, Features, Images, Logits, ReLUConvBN, require_positive
from svge_core.spaces import MAP_EDGES, NASBench201


class Zero(nn.Module):
    """The "none" operation: zeros of the input's shape."""

    def forward(self, x: FeatureMap) -> FeatureMap:
        """Multiplies instead of allocating zeros, so that every parameter upstream keeps a (zero) gradient."""
        return x.mul(0.0)


#: operation name -> module on a given number of channels
NASBENCH201_MODULES: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda _: Zero(),
    "skip_connect": lambda _: nn.Identity(),
    "nor_conv_1x1": lambda channels: ReLUConvBN(channels, channels, 1),
    "nor_conv_3x3": lambda channels: ReLUConvBN(channels, channels, 3),
    "avg_pool_3x3": lambda _: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
}


class CellModule(nn.Module):
    """One NAS-Bench-201 cell: four feature maps, each the sum of the operations that lead to it.

    Args:
        operations: the six operations in string order.
        channels: channels of every feature map.
    """

    def __init__(self, operations: tuple[str, ...], channels: int) -> None:
        super().__init__()
        self.operations = nn.ModuleList(NASBENCH201_MODULES[op](channels) for op in operations)

    def forward(self, x: FeatureMap) -> FeatureMap:
        """Feature map 0 is the input, feature map 3 the result."""
        maps = [x]
        for target in range(1, 4):
            incoming = [i for i, (_, end) in enumerate(MAP_EDGES) if end == target]
            terms = [self.operations[i](maps[MAP_EDGES[i][0]]) for i in incoming]
            maps.append(torch.stack(terms).sum(0) if len(terms) > 1 else terms[0])
        return maps[-1]


class ResidualReduction(nn.Module):
    """The residual block between stages: halves the side, doubles the channels; average-pooled 1x1 shortcut."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ReLUConvBN(in_channels, out_channels, 3, stride=2), ReLUConvBN(out_channels, out_channels, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2), nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: FeatureMap) -> Float[Tensor, "batch _ _ _"]:
        """(batch, in, h, w) -> (batch, out, h/2, w/2)."""
        return self.body(x) + self.shortcut(x)


class NASBench201Network(nn.Module):
    """Stem, three stages of cells with two reductions between, global average pooling, linear classifier.

    Args:
        operations: the six operations of the cell in string order.
        channels: channels of the first stage; the next two have twice and four times as many.
        cells_per_stage: cells in each of the three stages.
        num_classes: outputs of the classifier.
    """

    def __init__(self, operations: tuple[str, ...], channels: int, cells_per_stage: int, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        layers: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                layers.append(ResidualReduction(width // 2, width))
            layers.extend(CellModule(operations, width) for _ in range(cells_per_stage))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(4 * channels, num_classes)

    def features(self, images: Images) -> Features:
        """Pooled features before the classifier, 4 * channels of them."""
        return self.head(self.layers(self.stem(images)))

    def forward(self, images: Images) -> Logits:
        """Class logits. The side of the images should be a multiple of 4."""
        return self.classifier(self.features(images))


def nasbench201_network(
    cell: Cell, *, channels: int = 16, cells_per_stage: int = 5, num_classes: int = 10
) -> NASBench201Network:
    """The network in which NAS-Bench-201 trained a cell, by default in its size, with PyTorch's initialisation.

    Args:
        cell: a member of the space.
        channels: channels of the first stage.
        cells_per_stage: cells in each of the three stages.
        num_classes: 10 for CIFAR-10, 100 for CIFAR-100, 120 for ImageNet16-120.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if a size is not positive.
    """
    NASBench201().validate(cell)
    require_positive(channels=channels, cells_per_stage=cells_per_stage, num_classes=num_classes)
    return NASBench201Network(cell.ops[1:-1], channels, cells_per_stage, num_classes)
