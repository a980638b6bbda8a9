"""The whole ``model.py``: what the network is and what is known of it, its classes, how it is made and tried."""

from collections.abc import Mapping

from svge_core import __version__
from svge_core.cells import Cell
from svge_core.data import PredictionRow, ScoreMeaning
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem
from svge_core.network_export.code.layout import NetworkCode, python_docstring, wrapped
from svge_core.networks import network_sizes
from svge_core.spaces import AbstractSearchSpace, resolve

_IMPORTS = """
from pathlib import Path

import torch
from torch import Tensor, nn


"""

_END = '''

def build(weights: str | Path | None = None, **sizes: int) -> Network:
    """The network, its sizes as :class:`Network` takes them.

    Args:
        weights: a .safetensors file of a network of these sizes (read with the package safetensors); random weights
            without one.
        sizes: keyword arguments of :class:`Network`.
    """
    network = Network(**sizes)
    if weights is not None:
        from safetensors.torch import load_file

        network.load_state_dict(load_file(weights))
    return network


if __name__ == "__main__":
    network = build().eval()
    print(f"{{sum(weight.numel() for weight in network.parameters()):,}} parameters")
    with torch.no_grad():
        logits = network(torch.randn(2, {colours}, {side}, {side}))
    print(f"logits of two images: {{tuple(logits.shape)}}")
'''


def code_of(space: AbstractSearchSpace, cell: Cell, sizes: Mapping[str, int]) -> NetworkCode:
    """The classes of a cell's network.

    Args:
        space: of the cell; it has :meth:`svge_core.AbstractSearchSpace.network_code`.
        cell: a member.
        sizes: options of the space's network; the others have their defaults.

    Raises:
        SvgeError: if the space does not say how its networks are written.
    """
    reference = space.network_code()
    if reference is None:
        raise SvgeError(
            f"Networks of {space.title} cannot be written as code, as the space has no 'network_code': "
            "take .onnx, .pt2 or .safetensors."
        )
    return resolve(reference)(cell, network_sizes(space, **sizes))


def model_code(space: AbstractSearchSpace, item: ExportItem, sizes: Mapping[str, int]) -> str:
    """The file ``model.py`` of a cell: it needs torch alone.

    Args:
        space: of the cell.
        item: the cell and what is known about it.
        sizes: options of :func:`svge_core.networks.build_network`; they become defaults of the class.

    Raises:
        SvgeError: if the space does not say how its networks are written.
    """
    code = code_of(space, item.cell, sizes)
    head = python_docstring(_description(space, item, network_sizes(space, **sizes)))
    return head + _IMPORTS + code.body + _END.format(colours=code.colours, side=code.side)


def _description(space: AbstractSearchSpace, item: ExportItem, sizes: Mapping[str, int]) -> list[str]:
    """What stands in the docstring, line by line."""
    index = f", number {space.index(item.cell):,}" if space.size is not None else ""
    lines = [f"A network of {space.title}{index}, as PyTorch code.", ""]
    lines += _field("Architecture", space.format(item.cell))
    for alias in space.aliases(item.cell):
        if not alias.long:
            lines += _field(alias.title, alias.text)
    if item.label:
        lines += _field("Name", item.label)
    lines += _field("Sizes", ", ".join(f"{name}={value}" for name, value in sizes.items()))
    known = [_measured(value, item.meanings[key]) for key, value in item.measured.items() if _worth(item.meanings[key])]
    said = [*known, *(_predicted(row, item.meanings[row.score]) for row in item.predicted)]
    if said:
        lines += ["", "What is known of it:"]
        lines += [line for text in said for line in wrapped(text, "  ", "- ")]
    lines += [
        "",
        f"Written by SVGe Explorer {__version__}. It needs torch alone: `python model.py` counts its parameters and",
        "classifies two random images; elsewhere `from model import build; network = build()`.",
    ]
    return lines


def _field(title: str, text: str) -> list[str]:
    return wrapped(text, " " * 14, f"{title + ':':<14}")


def _worth(meaning: ScoreMeaning) -> bool:
    """Whether a value says what the network is good for: times are of other machines, and details explain others."""
    return not meaning.detail and (meaning.role in ("accuracy", "cost") or meaning.origin == "user")


def _measured(value: float, meaning: ScoreMeaning) -> str:
    begins = f"{meaning.title} ({meaning.unit})" if meaning.unit else meaning.title
    return f"{meaning.title}: {value:.6g}{_unit(meaning)}{meaning.describe().removeprefix(begins)}"


def _predicted(row: PredictionRow, meaning: ScoreMeaning) -> str:
    interval = f"{row.low:.4g} to {row.high:.4g} with {100 * row.level:.0f} %"
    what = f"{meaning.title}, {meaning.data_set}" if meaning.data_set else meaning.title
    return f"{what}: about {row.mean:.4g}{_unit(meaning)} ({interval}), PREDICTED by {row.model}."


def _unit(meaning: ScoreMeaning) -> str:
    return f" {meaning.unit}" if meaning.unit else ""
