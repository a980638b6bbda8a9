"""A NAS-Bench-201 cell as code: four feature maps, a named line each."""

from collections.abc import Mapping

from svge_core.cells import Cell
from svge_core.network_export.code.layout import NetworkCode, method
from svge_core.spaces import MAP_EDGES

_POOL = "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)"
#: operation -> first word of its module's name, and what makes the module; others have none
_MODULES = {
    "nor_conv_1x1": ("conv", "ReLUConvBN(channels, channels, 1)"),
    "nor_conv_3x3": ("conv", "ReLUConvBN(channels, channels, 3)"),
    "avg_pool_3x3": ("pool", _POOL),
}

_PARTS = '''class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, batch norm."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )


class Reduction(nn.Module):
    """The residual block between stages: halves the side, changes the channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_1 = ReLUConvBN(in_channels, out_channels, 3, stride=2)
        self.conv_2 = ReLUConvBN(out_channels, out_channels, 3)
        self.pool = nn.AvgPool2d(2, stride=2)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_2(self.conv_1(x)) + self.shortcut(self.pool(x))

'''

_NETWORK = '''

class Network(nn.Module):
    """Stem, three stages of cells with two reductions between, global average pooling, linear classifier.

    Args:
        channels: of the first stage; the next two have twice and four times as many.
        cells_per_stage: cells in each of the three stages.
        num_classes: outputs of the classifier.
    """

    def __init__(self, channels: int = {channels}, cells_per_stage: int = {cells_per_stage}, \
num_classes: int = {num_classes}) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.stage_1 = nn.Sequential(*(Cell(channels) for _ in range(cells_per_stage)))
        self.reduction_1 = Reduction(channels, 2 * channels)
        self.stage_2 = nn.Sequential(*(Cell(2 * channels) for _ in range(cells_per_stage)))
        self.reduction_2 = Reduction(2 * channels, 4 * channels)
        self.stage_3 = nn.Sequential(*(Cell(4 * channels) for _ in range(cells_per_stage)))
        self.norm = nn.BatchNorm2d(4 * channels)
        self.classifier = nn.Linear(4 * channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Class logits of images (batch, 3, height, width), whose sides are multiples of 4."""
        x = self.stage_1(self.stem(images))
        x = self.stage_2(self.reduction_1(x))
        x = self.stage_3(self.reduction_2(x))
        return self.classifier(self.norm(x).relu().mean(dim=(2, 3)))
'''


def nasbench201_code(cell: Cell, options: Mapping[str, int]) -> NetworkCode:
    """The network of a cell as code.

    Operations "none" are left out. Convolutions that lead nowhere are made but not called: the parameters that the
    benchmark counts for the cell are all there.

    Args:
        cell: a member of the space.
        options: every option of :func:`svge_core.networks.nasbench201_network`; they become defaults.
    """
    ops = cell.ops[1:-1]
    zero, useful = _zero_maps(ops), _useful_maps(ops)
    made, lines = ["super().__init__()"], []
    terms: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for op, (source, target) in zip(ops, MAP_EDGES, strict=True):
        carries = op != "none" and source not in zero and target in useful
        # the norm of a convolution makes something of zeros
        carries = carries or (op in ("nor_conv_1x1", "nor_conv_3x3") and target in useful)
        if op in _MODULES:
            kind, maker = _MODULES[op]
            name = f"{kind}_{source}_{target}"
            if carries:
                made.append(f"self.{name} = {maker}")
                terms[target].append(f"self.{name}(x{source})")
            elif kind == "conv":
                made.append(f"self.{name} = {maker}  # leads nowhere; part of the benchmark's parameter count")
        elif carries:
            terms[target].append(f"x{source}")
    for target in (1, 2, 3):
        if terms[target]:
            lines.append(f"x{target} = {' + '.join(terms[target])}")
        elif _read(target, ops, useful):
            lines.append(f"x{target} = torch.zeros_like(x0)  # no operation leads here")
    if terms[3]:
        lines[-1] = lines[-1].replace("x3 =", "return")
    else:
        lines.append("return torch.zeros_like(x0)  # no operation leads here")
    cell_class = [
        "",
        "class Cell(nn.Module):",
        '    """Feature maps of equal size: x0 is the input, and what is returned is the fourth."""',
        "",
        *method("__init__(self, channels: int) -> None", made),
        "",
        *method("forward(self, x0: Tensor) -> Tensor", lines),
        "",
    ]
    body = _PARTS + "\n".join(cell_class) + _NETWORK.format(**options)
    # both ways through a reduction halve the side; they agree on even sides alone
    return NetworkCode(body, "\n".join(cell_class[1:]), side_multiple=4)


def _zero_maps(ops: tuple[str, ...]) -> set[int]:
    """Feature maps that are zero for every image."""
    zero: set[int] = set()
    for target in (1, 2, 3):
        leading = [(op, source) for op, (source, end) in zip(ops, MAP_EDGES, strict=True) if end == target]
        if all(op == "none" or (source in zero and not op.startswith("nor_conv")) for op, source in leading):
            zero.add(target)
    return zero


def _useful_maps(ops: tuple[str, ...]) -> set[int]:
    """Feature maps that the last one depends on."""
    useful = {3}
    for op, (source, target) in reversed(list(zip(ops, MAP_EDGES, strict=True))):
        if op != "none" and target in useful:
            useful.add(source)
    return useful


def _read(number: int, ops: tuple[str, ...], useful: set[int]) -> bool:
    """Whether a convolution that counts reads a feature map, so that it needs a line even where it is zero."""
    return any(
        source == number and target in useful and op.startswith("nor_conv")
        for op, (source, target) in zip(ops, MAP_EDGES, strict=True)
    )
