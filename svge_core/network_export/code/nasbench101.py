"""A NAS-Bench-101 cell as code: a named line per vertex, the channels it has and the projections of the input."""

from collections.abc import Mapping

from svge_core.cells import Cell
from svge_core.network_export.code.layout import NetworkCode, assigned, listed, method

#: operation -> first word of its module's name, and what makes the module on so many channels
_MODULES = {
    "conv3x3-bn-relu": ("conv", "ConvBNReLU({0}, {0}, 3)"),
    "conv1x1-bn-relu": ("conv", "ConvBNReLU({0}, {0}, 1)"),
    "maxpool3x3": ("pool", "nn.MaxPool2d(3, stride=1, padding=1)"),
}

_CONVOLUTION = '''class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels, momentum=0.003),
            nn.ReLU(),
        )

'''

_SHARES = '''
def shares(channels: int, parts: int) -> list[int]:
    """Channels divided among feature maps; the first ones take one more where they do not divide."""
    return [channels // parts + (part < channels % parts) for part in range(parts)]

'''

_NETWORK = '''

def stack(in_channels: int, channels: int, cells: int) -> nn.Sequential:
    """So many cells, the first of which changes the channels."""
    return nn.Sequential(Cell(in_channels, channels), *(Cell(channels, channels) for _ in range(cells - 1)))


class Network(nn.Module):
    """Stem, three stacks of cells with max pooling between, global average pooling, linear classifier.

    Args:
        channels: of the stem and the first stack; the next two have twice and four times as many.
        cells_per_stage: cells in each of the three stacks.
        num_classes: outputs of the classifier.
    """

    def __init__(self, channels: int = {channels}, cells_per_stage: int = {cells_per_stage}, \
num_classes: int = {num_classes}) -> None:
        super().__init__()
        self.stem = ConvBNReLU(3, channels, 3)
        self.stack_1 = stack(channels, channels, cells_per_stage)
        self.stack_2 = stack(channels, 2 * channels, cells_per_stage)
        self.stack_3 = stack(2 * channels, 4 * channels, cells_per_stage)
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.classifier = nn.Linear(4 * channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Class logits of images (batch, 3, height, width)."""
        x = self.stack_1(self.stem(images))
        x = self.stack_2(self.pool(x))
        x = self.stack_3(self.pool(x))
        return self.classifier(x.mean(dim=(2, 3)))
'''


def nasbench101_code(cell: Cell, options: Mapping[str, int]) -> NetworkCode:
    """The network of a cell as code.

    Args:
        cell: a member of the space; the order of its vertices decides which of them have a channel more.
        options: every option of :func:`svge_core.networks.nasbench101_network`; they become defaults.
    """
    last = cell.num_nodes - 1
    feeding = [vertex for vertex in cell.sources[last] if vertex]
    several = len(feeding) > 1
    share = _shares_of(cell, feeding)
    width = {vertex: f"self.c{share[vertex]}" if several else "channels" for vertex in range(1, last)}
    made = ["super().__init__()"]
    if several:
        names, maps = ", ".join(f"self.c{vertex}" for vertex in feeding), listed([f"x{v}" for v in feeding])
        made.append(f"{names} = shares(channels, {len(feeding)})  # of {maps}, which are concatenated")
    for vertex in cell.targets[0]:
        name, channels = ("out", "channels") if vertex == last else (str(vertex), width[vertex])
        made.append(f"self.project_{name} = ConvBNReLU(in_channels, {channels}, 1)")
    lines: list[str] = []
    line: list[str] = []
    for vertex in range(1, last):
        kind, maker = _MODULES[cell.ops[vertex]]
        made.append(f"self.{kind}_{vertex} = {maker.format(width[vertex])}")
        # a wider feature map gives the first of its channels
        terms = [
            f"x{source}" if share[source] >= share[vertex] else f"x{source}[:, : {width[vertex]}]"
            for source in cell.sources[vertex]
            if source
        ]
        if vertex in cell.targets[0]:
            terms.append(f"self.project_{vertex}(x0)")
        line = assigned(f"x{vertex}", f"self.{kind}_{vertex}", terms, " + ")
        lines += line
    joined = f"torch.cat(({', '.join(f'x{vertex}' for vertex in feeding)}), dim=1)" if several else ""
    result = [joined] if several else [f"x{vertex}" for vertex in feeding]
    if last in cell.targets[0]:
        result.append("self.project_out(x0)")
    if result == [f"x{last - 1}"]:
        place = len(lines) - len(line)
        lines[place] = lines[place].replace(f"x{last - 1} =", "return", 1)
    else:
        lines.append(f"return {' + '.join(result)}")
    cell_class = [
        "",
        "class Cell(nn.Module):",
        '    """Feature maps of equal height and width: x0 is the input, the others are those of the vertices."""',
        "",
        *method("__init__(self, in_channels: int, channels: int) -> None", made),
        "",
        *method("forward(self, x0: Tensor) -> Tensor", lines),
        "",
    ]
    parts = _CONVOLUTION + (_SHARES if several else "") + "\n".join(cell_class)
    return NetworkCode(parts + _NETWORK.format(**options), "\n".join(cell_class[1:]), recipe="rmsprop")


def _shares_of(cell: Cell, feeding: list[int]) -> dict[int, int]:
    """Of every inner vertex, the vertex feeding the output whose share of the channels it has.

    Other vertices have the channels of the widest vertex they feed, which is the first one, as shares do not grow.
    """
    share = {vertex: vertex for vertex in feeding}
    for vertex in range(cell.num_nodes - 2, 0, -1):
        if vertex not in share:
            share[vertex] = min(share[target] for target in cell.targets[vertex])
    return share
