"""An ENAS macro cell as code: a line per layer, and one per feature map that is made smaller."""

from collections.abc import Mapping

from svge_core.cells import Cell
from svge_core.network_export.code.layout import NetworkCode, assigned, method
from svge_core.spaces import reduction_points

#: operation -> first word of its module's name, and what makes the module on so many channels
_MODULES = {
    "conv_3x3": ("conv", "conv_layer({}, 3)"),
    "conv_5x5": ("conv", "conv_layer({}, 5)"),
    "sep_conv_3x3": ("sep", "separable_layer({}, 3)"),
    "sep_conv_5x5": ("sep", "separable_layer({}, 5)"),
    "avg_pool_3x3": ("pool", "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)"),
    "max_pool_3x3": ("pool", "nn.MaxPool2d(3, stride=1, padding=1)"),
}
#: verbs of the two reductions, and channels of the three stages
_REDUCTIONS, _WIDTHS = ("halve", "quarter"), ("channels", "2 * channels", "4 * channels")
_COMMENTS = ("# half the side, twice the channels", "# a quarter of the side, four times the channels")

_RELU_CONV = '''class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, batch norm."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )

'''
_CONV = '''
def conv_layer(channels: int, kernel_size: int) -> nn.Sequential:
    """A 1x1 convolution, then one of the kernel size."""
    return nn.Sequential(ReLUConvBN(channels, channels, 1), ReLUConvBN(channels, channels, kernel_size))

'''
_SEPARABLE = '''
def separable_layer(channels: int, kernel_size: int) -> nn.Sequential:
    """A 1x1 convolution, then a depthwise one of the kernel size and a pointwise one."""
    return nn.Sequential(
        ReLUConvBN(channels, channels, 1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )

'''
_FACTORIZED = '''
class FactorizedReduction(nn.Module):
    """Halves the side and doubles the channels: two strided 1x1 convolutions, the second one pixel down and right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels, channels, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, channels, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        shifted = nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat((self.even(x), self.odd(shifted)), dim=1))

'''


def enas_code(cell: Cell, options: Mapping[str, int]) -> NetworkCode:
    """The network of a cell as code.

    Args:
        cell: an ENAS macro cell of any number of layers.
        options: every option of :func:`svge_core.networks.enas_network`; they become defaults.
    """
    count = cell.num_nodes - 2
    points = reduction_points(count)
    layers, reductions = [], []
    lines = ["x0 = self.stem(images)"]
    stage = 0
    for layer in range(count):
        if layer in points:
            verb = _REDUCTIONS[stage]
            lines += ["", _COMMENTS[stage]]
            for source in sorted({u for u, v in cell.edges if u <= layer < v <= count}):
                reductions.append(f"self.{verb}_{source} = FactorizedReduction({_WIDTHS[stage]})")
                lines.append(f"x{source} = self.{verb}_{source}(x{source})")
            stage += 1
        vertex, width = layer + 1, _WIDTHS[stage]
        kind, maker = _MODULES[cell.ops[vertex]]
        layers.append(f"self.{kind}_{vertex} = {maker.format(width)}")
        result = f"self.{kind}_{vertex}(x{layer})"
        if not layer:
            lines.append(f"x1 = {result}")
            continue
        merged = [*(f"x{source}" for source in cell.sources[vertex] if source != layer), result]
        inputs = len(merged) * 2**stage
        layers.append(f"self.merge_{vertex} = ReLUConvBN({_times(inputs)}, {width}, 1)")
        joined = [f"torch.cat(({', '.join(merged)}), dim=1)"] if len(merged) > 1 else merged
        lines += assigned(f"x{vertex}", f"self.merge_{vertex}", joined)
    lines += ["", f"return self.classifier(x{count}.mean(dim=(2, 3)))"]
    made = [
        "super().__init__()",
        "self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))",
        *layers,
        *reductions,
        f"self.classifier = nn.Linear({_WIDTHS[stage]}, num_classes, bias=False)",
    ]
    kinds, reduced = set(cell.ops[1:-1]), "two reductions, " if points else ""
    sizes = ", ".join(f"{name}: int = {options[name]}" for name in ("channels", "num_classes"))
    network = [
        "",
        "class Network(nn.Module):",
        f'    """Stem, {count} layers, {reduced}global average pooling, linear classifier without bias.',
        "",
        "    Args:",
        "        channels: of the first stage; the next two have twice and four times as many.",
        "        num_classes: outputs of the classifier.",
        '    """',
        "",
        *method(f"__init__(self, {sizes}) -> None", made),
        "",
        *method(
            "forward(self, images: Tensor) -> Tensor",
            ['"""Class logits of images (batch, 3, height, width)."""', *lines],
        ),
        "",
    ]
    parts = [_RELU_CONV]
    parts += [_CONV] if any(op.startswith("conv") for op in kinds) else []
    parts += [_SEPARABLE] if any(op.startswith("sep") for op in kinds) else []
    parts += [_FACTORIZED] if points else []
    return NetworkCode("".join(parts) + "\n".join(network), "\n".join(network[1:]))


def _times(count: int) -> str:
    return "channels" if count == 1 else f"{count} * channels"
