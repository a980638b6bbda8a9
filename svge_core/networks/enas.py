"""The ENAS macro network of a fixed cell: stem, the layers with their skips, two reductions, classifier.

The layers are those of the authors' code for a fixed architecture (Pham et al. 2018; ``_fixed_layer`` of
``general_child.py``) with the pooling layers that D-VAE added, but for two differences, both counted in
``ENASMacro.cost``: separable convolutions are depthwise and pointwise as in the paper (that code trains plain
convolutions in their place), and a feature map that no later layer reads is not reduced. Published weight-sharing
accuracies do not come from this network, but from one network of all operations at once.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.networks.parts import FeatureMap, Features, Images, Logits, ReLUConvBN, require_positive
from svge_core.spaces import ENAS_CHANNELS, ENASMacro, reduction_points


class SeparableBlock(nn.Sequential):
    """ReLU, depthwise and pointwise convolution without bias, batch norm."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        depthwise = nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False)
        super().__init__(nn.ReLU(), depthwise, nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))


def operation(op: str, channels: int) -> nn.Module:
    """The operation of a layer: pooling, or a 1x1 convolution followed by the named one."""
    kernel = int(op[-1])
    if op.startswith("avg"):
        return nn.AvgPool2d(kernel, stride=1, padding=kernel // 2, count_include_pad=False)
    if op.startswith("max"):
        return nn.MaxPool2d(kernel, stride=1, padding=kernel // 2)
    wide = SeparableBlock(channels, kernel) if op.startswith("sep") else ReLUConvBN(channels, channels, kernel)
    return nn.Sequential(ReLUConvBN(channels, channels, 1), wide)


class FactorizedReduction(nn.Module):
    """Halves the side and doubles the channels: two strided 1x1 convolutions, the second one pixel down and right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels, channels, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, channels, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: FeatureMap) -> Float[Tensor, "batch _ _ _"]:
        """(batch, channels, h, w) -> (batch, 2 * channels, h/2, w/2), rounded up."""
        shifted = nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat((self.even(x), self.odd(shifted)), dim=1))


class Reductions(nn.ModuleDict):
    """One reduction per vertex whose feature map is still read."""

    def forward(self, maps: dict[int, Tensor]) -> dict[int, Tensor]:
        """Reduced feature maps by vertex; the others are dropped."""
        return {int(vertex): reduction(maps[int(vertex)]) for vertex, reduction in self.items()}


class ENASLayer(nn.Module):
    """One layer: the operation on the previous vertex; from the second layer on, its result and the skips are merged.

    Args:
        op: operation of the layer.
        channels: channels of every feature map.
        merged: feature maps to merge, the operation's own result included; 0 for the first layer.
    """

    def __init__(self, op: str, channels: int, merged: int) -> None:
        super().__init__()
        self.operation = operation(op, channels)
        self.merge = ReLUConvBN(merged * channels, channels, 1) if merged else None

    def forward(self, x: FeatureMap, skips: list[Tensor]) -> FeatureMap:
        """The layer's feature map from the previous one and those that skip to here."""
        result = self.operation(x)
        return result if self.merge is None else self.merge(torch.cat((*skips, result), dim=1))


class ENASNetwork(nn.Module):
    """Stem, layers, two factorized reductions, global average pooling, linear classifier without bias.

    Args:
        cell: a member of an ENAS macro space.
        channels: channels of the first stage; the next two have twice and four times as many.
        num_classes: outputs of the classifier.
    """

    def __init__(self, cell: Cell, channels: int, num_classes: int) -> None:
        super().__init__()
        self.cell, count = cell, cell.num_nodes - 2
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.layers = nn.ModuleList()
        #: by the number of layers before
        self.reductions = nn.ModuleDict()
        for layer in range(count):
            if layer in reduction_points(count):
                read = {source for source, target in cell.edges if source <= layer < target <= count}
                self.reductions[str(layer)] = Reductions({str(v): FactorizedReduction(channels) for v in sorted(read)})
                channels *= 2
            merged = len(cell.sources[layer + 1]) if layer else 0
            self.layers.append(ENASLayer(cell.ops[layer + 1], channels, merged))
        self.classifier = nn.Linear(channels, num_classes, bias=False)

    def features(self, images: Images) -> Features:
        """Pooled features before the classifier."""
        maps: dict[int, Tensor] = {0: self.stem(images)}
        for number, layer in enumerate(self.layers):
            if str(number) in self.reductions:
                maps = self.reductions[str(number)](maps)
            skips = [maps[source] for source in self.cell.sources[number + 1] if source != number]
            maps[number + 1] = layer(maps[number], skips)
        return maps[len(self.layers)].mean(dim=(2, 3))

    def forward(self, images: Images) -> Logits:
        """Class logits."""
        return self.classifier(self.features(images))


def enas_network(cell: Cell, *, channels: int = ENAS_CHANNELS, num_classes: int = 10) -> ENASNetwork:
    """The network in which D-VAE trained the ENAS cells it had found, with PyTorch's initialisation; see the module.

    Args:
        cell: an ENAS macro cell of any number of layers.
        channels: channels of the first stage.
        num_classes: outputs of the classifier.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if a size is not positive.
    """
    ENASMacro(max(cell.num_nodes - 2, 2)).validate(cell)
    require_positive(channels=channels, num_classes=num_classes)
    return ENASNetwork(cell, channels, num_classes)
