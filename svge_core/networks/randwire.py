"""The RandWire-digits network: a stem, one random stage of 32 nodes, a classifier; small enough to train on a laptop.

A node is that of RandWire (Xie et al. 2019, section 3.2): the sum of its inputs, each weighted by the sigmoid of a
trained number; ReLU; separable 3x3 convolution; batch norm. Nodes that read no other read the stage's input, nodes that
nobody reads are averaged. The paper's networks have three stages, which start with stride 2, and 78 channels or more;
this one has a single stage of 8 channels and keeps the 8x8 pixels of its images. The trained numbers start at 0, so
that every input counts one half at first.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.networks.parts import FeatureMap, Features, Logits, require_positive
from svge_core.spaces import RANDWIRE_CHANNELS, RANDWIRE_CLASSES, RANDWIRE_NODES, RandWire

GreyImages = Float[Tensor, "batch colours height width"]


class WeightedSum(nn.Module):
    """The sum of a node's inputs, each times the sigmoid of a trained number.

    Args:
        inputs: how many there are.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(inputs))

    def forward(self, maps: list[Tensor]) -> FeatureMap:
        """One feature map of many of the same shape (batch, channels, height, width)."""
        weights = self.weights.sigmoid().unbind()
        result = maps[0] * weights[0]
        for features, weight in zip(maps[1:], weights[1:], strict=True):
            # keeps the memory format, which stacking the maps would not
            result = torch.addcmul(result, features, weight)
        return result


class RandWireNode(nn.Module):
    """Weighted sum, ReLU, depthwise and pointwise convolution without bias, batch norm."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.sum = WeightedSum(inputs)
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, maps: list[Tensor]) -> FeatureMap:
        """The node's feature map from those it reads."""
        return self.norm(self.pointwise(self.depthwise(self.sum(maps).relu())))


class RandWireNetwork(nn.Module):
    """Stem (3x3 convolution, batch norm), the stage, ReLU, global average pooling, linear classifier.

    Args:
        cell: a member of RandWire.
        channels: channels of every feature map.
        num_classes: outputs of the classifier.
        colours: channels of the images.
    """

    def __init__(self, cell: Cell, channels: int, num_classes: int, colours: int) -> None:
        super().__init__()
        self.cell = cell
        self.stem = nn.Sequential(nn.Conv2d(colours, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.nodes = nn.ModuleList(
            RandWireNode(len(cell.sources[node]), channels) for node in range(1, RANDWIRE_NODES + 1)
        )
        self.classifier = nn.Linear(channels, num_classes)

    def features(self, images: GreyImages) -> Features:
        """Pooled features before the classifier."""
        maps = [self.stem(images)]  # by position in the cell: the input is 0
        for position, node in enumerate(self.nodes, start=1):
            maps.append(node([maps[source] for source in self.cell.sources[position]]))
        result = torch.stack([maps[sink] for sink in self.cell.sources[-1]]).mean(dim=0)
        return result.relu().mean(dim=(2, 3))

    def forward(self, images: GreyImages) -> Logits:
        """Class logits."""
        return self.classifier(self.features(images))


def randwire_network(
    cell: Cell, *, channels: int = RANDWIRE_CHANNELS, num_classes: int = RANDWIRE_CLASSES, colours: int = 1
) -> RandWireNetwork:
    """The network of a cell, by default in the size that is trained on digits, with PyTorch's initialisation.

    Args:
        cell: a RandWire cell; the order of its nodes decides which of them gets which initial weights.
        channels: channels of every feature map.
        num_classes: outputs of the classifier.
        colours: channels of the images, 1 for grey ones.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if a size is not positive.
    """
    RandWire().validate(cell)
    require_positive(channels=channels, num_classes=num_classes, colours=colours)
    return RandWireNetwork(cell, channels, num_classes, colours)
