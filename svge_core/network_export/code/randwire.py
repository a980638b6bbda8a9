"""A RandWire wiring as code: a line per node that names what it reads."""

from collections.abc import Mapping

from svge_core.cells import Cell
from svge_core.network_export.code.layout import NetworkCode, assigned, method

_NODE = '''class Node(nn.Module):
    """The sum of its inputs, each times the sigmoid of a trained number; ReLU, separable convolution, batch norm."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(inputs))
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, *maps: Tensor) -> Tensor:
        weights = self.weights.sigmoid().unbind()
        x = maps[0] * weights[0]
        for features, weight in zip(maps[1:], weights[1:], strict=True):
            x = x + features * weight
        return self.norm(self.pointwise(self.depthwise(x.relu())))

'''


def randwire_code(cell: Cell, options: Mapping[str, int]) -> NetworkCode:
    """The network of a wiring as code.

    Args:
        cell: a RandWire cell.
        options: every option of :func:`svge_core.networks.randwire_network`; they become defaults.
    """
    nodes = range(1, cell.num_nodes - 1)
    made = [
        "super().__init__()",
        "self.stem = nn.Sequential(nn.Conv2d(colours, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))",
        *(f"self.node_{node} = Node({len(cell.sources[node])}, channels)" for node in nodes),
        "self.classifier = nn.Linear(channels, num_classes)",
    ]
    lines = ['"""Class logits of images (batch, colours, height, width)."""', "x0 = self.stem(images)"]
    for node in nodes:
        lines += assigned(f"x{node}", f"self.node_{node}", [f"x{source}" for source in cell.sources[node]])
    sinks = [f"x{source}" for source in cell.sources[-1]]
    # nodes that nobody reads are averaged
    several = assigned("x", "torch.stack", [f"({', '.join(sinks)})"], after=".mean(dim=0)")
    lines += several if len(sinks) > 1 else [f"x = {sinks[0]}"]
    lines.append("return self.classifier(x.relu().mean(dim=(2, 3)))")
    sizes = ", ".join(f"{name}: int = {options[name]}" for name in ("channels", "num_classes", "colours"))
    network = [
        "",
        "class Network(nn.Module):",
        f'    """Stem, a stage of {len(nodes)} nodes, ReLU, global average pooling, linear classifier.',
        "",
        "    Args:",
        "        channels: of every feature map.",
        "        num_classes: outputs of the classifier.",
        "        colours: channels of the images, 1 for grey ones.",
        '    """',
        "",
        *method(f"__init__(self, {sizes}) -> None", made),
        "",
        *method("forward(self, images: Tensor) -> Tensor", lines),
        "",
    ]
    return NetworkCode(
        _NODE + "\n".join(network), "\n".join(network[1:]), recipe="adam", colours=options["colours"], side=8
    )
