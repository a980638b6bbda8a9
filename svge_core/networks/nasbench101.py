"""The NAS-Bench-101 network: stem, three stacks of cells with max pooling between, classifier.

The layers are those of the authors' code (Ying et al. 2019; ``build_module`` and ``build_model_fn`` of
``model_builder.py`` in google-research/nasbench), so parameter counts equal the benchmark's own wherever the vertices
stand in the same order; tests hold them to it. Which order that is matters where the channels of the output do not
divide among the vertices that feed it: see :mod:`svge_core.spaces.nasbench101.size`.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.networks.parts import FeatureMap, Features, Images, Logits, require_positive
from svge_core.spaces.nasbench101 import VERTICES, ExtendedNASBench101, channels_of_vertices

STACKS = 3
#: share of a batch's statistics in the running ones: the authors' momentum of 0.997, as PyTorch writes it
NORM_MOMENTUM = 0.003


class ConvBNReLU(nn.Sequential):
    """Convolution without bias that keeps the size, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels, momentum=NORM_MOMENTUM),
            nn.ReLU(),
        )


#: operation name -> module that keeps so many channels
NASBENCH101_MODULES: dict[str, Callable[[int], nn.Module]] = {
    "conv3x3-bn-relu": lambda channels: ConvBNReLU(channels, channels, 3),
    "conv1x1-bn-relu": lambda channels: ConvBNReLU(channels, channels, 1),
    "maxpool3x3": lambda _: nn.MaxPool2d(3, stride=1, padding=1),
}


class NASBench101Cell(nn.Module):
    """One cell: an inner vertex computes with the sum of what it reads; those that feed the output are concatenated.

    The input of the cell is projected to the channels of every vertex that reads it, the output among them, where the
    projection is added. An inner vertex of more channels than its reader gives it the first of them.

    Args:
        cell: operations and edges.
        in_channels: channels of the input.
        channels: channels of the output.
    """

    def __init__(self, cell: Cell, in_channels: int, channels: int) -> None:
        super().__init__()
        self.sources, self.widths = cell.sources, vertex_widths(cell, channels)
        #: by the vertex that reads the input
        self.projections = nn.ModuleDict(
            {str(vertex): ConvBNReLU(in_channels, self.widths[vertex], 1) for vertex in cell.targets[0]}
        )
        self.operations = nn.ModuleList(
            NASBENCH101_MODULES[op](width) for op, width in zip(cell.ops[1:-1], self.widths[1:-1], strict=True)
        )

    def forward(self, x: FeatureMap) -> Float[Tensor, "batch _ height width"]:
        """The cell's feature map, of the same height and width."""
        maps = [x]
        for vertex, operation in enumerate(self.operations, start=1):
            width = self.widths[vertex]
            terms = [maps[source][:, :width] for source in self.sources[vertex] if source]
            maps.append(operation(self._with_input(x, vertex, terms)))
        last = len(self.sources) - 1
        inner = [maps[source] for source in self.sources[last] if source]
        return self._with_input(x, last, [torch.cat(inner, dim=1)] if inner else [])

    def _with_input(self, x: Tensor, vertex: int, terms: list[Tensor]) -> Tensor:
        """The sum of what a vertex reads, the projected input included."""
        if str(vertex) in self.projections:
            terms = [*terms, self.projections[str(vertex)](x)]
        return torch.stack(terms).sum(0) if len(terms) > 1 else terms[0]


def vertex_widths(cell: Cell, channels: int) -> tuple[int, ...]:
    """Channels of every vertex of a cell with so many output channels, the output's included; 0 for the input.

    Raises:
        SvgeError: if there are fewer channels than vertices that share them.
    """
    last = cell.num_nodes - 1
    feeding = sum(source > 0 for source in cell.sources[last])
    if feeding > channels:
        raise SvgeError(f"Expected channels to be at least {feeding}, as many vertices share them; got {channels}.")
    adjacency = np.zeros((1, last + 1, last + 1), dtype=np.int64)
    adjacency[0, *zip(*cell.edges, strict=True)] = 1
    inner = channels_of_vertices(adjacency, np.array([last + 1]), channels)[0]
    return (*inner[:last].tolist(), channels)


class NASBench101Network(nn.Module):
    """Stem, three stacks of cells, max pooling between, global average pooling, linear classifier.

    Args:
        cell: a member; the order of its vertices decides which of them have a channel more.
        channels: channels of the stem and of the first stack; the next two have twice and four times as many.
        cells_per_stage: cells in each of the three stacks.
        num_classes: outputs of the classifier.
    """

    def __init__(self, cell: Cell, channels: int, cells_per_stage: int, num_classes: int) -> None:
        super().__init__()
        self.stem = ConvBNReLU(3, channels, 3)
        layers: list[nn.Module] = []
        width = channels
        for stack in range(STACKS):
            if stack:
                layers.append(nn.MaxPool2d(2, stride=2, ceil_mode=True))
            for _ in range(cells_per_stage):
                layers.append(NASBench101Cell(cell, width, channels * 2**stack))
                width = channels * 2**stack
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images: Images) -> Features:
        """Pooled features before the classifier, 4 * channels of them."""
        return self.layers(self.stem(images)).mean(dim=(2, 3))

    def forward(self, images: Images) -> Logits:
        """Class logits."""
        return self.classifier(self.features(images))


def nasbench101_network(
    cell: Cell, *, channels: int = 128, cells_per_stage: int = 3, num_classes: int = 10
) -> NASBench101Network:
    """The network in which NAS-Bench-101 trained a cell, by default in its size, with PyTorch's initialisation.

    Args:
        cell: a member of the space, or of its extension to eight vertices with any number of edges.
        channels: channels of the first stack, at least as many as there are vertices that feed the output.
        cells_per_stage: cells in each of the three stacks.
        num_classes: outputs of the classifier.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if a size is not positive, or there are too few channels to share.
    """
    ExtendedNASBench101(max_edges=VERTICES * (VERTICES - 1) // 2).validate(cell)
    require_positive(channels=channels, cells_per_stage=cells_per_stage, num_classes=num_classes)
    return NASBench101Network(cell, channels, cells_per_stage, num_classes)
