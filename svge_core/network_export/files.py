"""A network as files: ``model.py``, weights, programs, a recipe; each is compared with the network first."""

import importlib.util
import io
import json
import tempfile
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args

import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

from svge_core import __version__
from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem, write_atomic
from svge_core.network_export.agreement import (
    largest_difference,
    random_images,
    require_agreement,
    with_statistics,
)
from svge_core.network_export.code import NetworkCode, code_of, model_code
from svge_core.network_export.programs import onnx_program, read_onnx_program, read_torch_program, torch_program
from svge_core.network_export.recipe import train_code
from svge_core.networks import build_network
from svge_core.spaces import AbstractSearchSpace, get_space

NetworkForm = Literal["model.py", "train.py", "weights.safetensors", "model.pt2", "model.onnx"]
#: in the order in which they are made
NETWORK_FORMS: tuple[NetworkForm, ...] = get_args(NetworkForm)
#: pixels of a side where the code alone is compared: these networks take images of any side
_CODE_SIDE = 8
#: pixels of a side where the space does not say
_SIDE = 32
#: of the weights that nobody trained
_SEED = 0


@dataclass(frozen=True)
class NetworkFiles:
    """What a network was written as.

    Attributes:
        content: by file name.
        differences: the largest relative difference to the network by file name, of the files that compute something.
        trained: whether the weights were given; otherwise they are random.
    """

    content: Mapping[str, bytes]
    differences: Mapping[str, float]
    trained: bool


def network_files(
    space: AbstractSearchSpace | str,
    cell: Cell | ExportItem,
    forms: Sequence[str] | None = None,
    *,
    weights: Mapping[str, Tensor] | None = None,
    side: int | None = None,
    **sizes: int,
) -> NetworkFiles:
    """The network of a cell as the content of files, each compared with the network.

    Args:
        space: of the cell.
        cell: a member, or one with what is known about it, which ``model.py`` then tells.
        forms: which files; all by default.
        weights: ``state_dict()`` of a network of :func:`svge_core.networks.build_network` with the same sizes. Without
            them weights are random, and the norms have statistics of random images.
        side: pixels of a side of the images that programs take; by default those the network was made for.
        sizes: options of :func:`svge_core.networks.build_network`.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if a form or option is unknown, the weights are another network's, or a file does not compute what
            the network computes.
    """
    space = get_space(space)
    item = cell if isinstance(cell, ExportItem) else ExportItem(cell)
    wanted = NETWORK_FORMS if forms is None else _forms(forms)
    network = _initialised(space, item.cell, sizes)
    # a space of one's own need not say how its network is written; programs do without
    needed = not {"model.py", "train.py"}.isdisjoint(wanted)
    code = code_of(space, item.cell, sizes) if needed or space.network_code() is not None else None
    shape = _shape(network, code, side)
    small = (shape[0], _CODE_SIDE, _CODE_SIDE)
    text = "" if code is None else model_code(space, item, sizes)
    written = network if code is None else import_code(text).build()
    if weights is None:
        with_statistics(network, small)
    else:
        _load(network, written, weights)
    content: dict[str, bytes] = {}
    differences: dict[str, float] = {}
    if code is not None:
        written.load_state_dict(renamed_weights(network.state_dict(), written))
        differences["model.py"] = largest_difference(network, written.eval(), small)
        require_agreement("model.py", differences["model.py"])
    example = random_images(2, shape)
    for form in wanted:
        if form == "model.py":
            content[form] = text.encode()
        elif form == "train.py":
            assert code is not None
            content[form] = train_code(space, item.cell, code, shape).encode()
        elif form == "weights.safetensors":
            told = {
                "space": space.name,
                "architecture": space.format(item.cell),
                "sizes": dict(sizes),
                "weights": "random" if weights is None else "trained",
                "written_by": f"SVGe Explorer {__version__}",
            }
            # one entry: the order of several changes from one writing to the next
            content[form] = safetensors.save(written.state_dict(), {"network": json.dumps(told)})
        else:
            make, read = _PROGRAMS[form]
            content[form] = make(written, example)
            differences[form] = largest_difference(network, read(content[form]), shape)
            require_agreement(form, differences[form])
    return NetworkFiles(content, differences, weights is not None)


_PROGRAMS = {"model.pt2": (torch_program, read_torch_program), "model.onnx": (onnx_program, read_onnx_program)}
#: the file that a suffix means
NETWORK_SUFFIXES: dict[str, NetworkForm] = {
    ".py": "model.py",
    ".pt2": "model.pt2",
    ".onnx": "model.onnx",
    ".safetensors": "weights.safetensors",
}


def export_network(
    space: AbstractSearchSpace | str,
    cell: Cell | ExportItem,
    path: str | Path,
    *,
    forms: Sequence[str] | None = None,
    weights: Mapping[str, Tensor] | None = None,
    side: int | None = None,
    **sizes: int,
) -> dict[Path, float | None]:
    """Write the network of a cell: one file, or a folder with ``model.py``, ``train.py``, weights and programs.

    Nothing is written if any file does not compute what the network computes.

    Args:
        space: of the cell.
        cell: a member, or one with what is known about it.
        path: ``.py``, ``.pt2``, ``.onnx`` or ``.safetensors`` for that file alone; a name without suffix for a folder,
            which is made.
        forms: which files a folder gets, see :data:`NETWORK_FORMS`.
        weights: trained ones, see :func:`network_files`.
        side: pixels of a side of the images, see :func:`network_files`.
        sizes: options of :func:`svge_core.networks.build_network`.

    Returns:
        the files, with their largest relative difference to the network; None for those that compute nothing.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: as :func:`network_files`, or if a file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not suffix or path.is_dir():
        made = network_files(space, cell, forms, weights=weights, side=side, **sizes)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SvgeError(f"{path} cannot be made: {error.strerror}.") from error
        places = {name: path / name for name in made.content}
    elif suffix in NETWORK_SUFFIXES:
        if forms is not None:
            raise SvgeError(f"{path.name} is one file, whose form is that of its name: name a folder, or no forms.")
        made = network_files(space, cell, [NETWORK_SUFFIXES[suffix]], weights=weights, side=side, **sizes)
        places = {NETWORK_SUFFIXES[suffix]: path}
    else:
        known = ", ".join(NETWORK_SUFFIXES)
        raise SvgeError(f"A network cannot be written as {path.name!r}: expected {known} or a folder.")
    for name, place in places.items():
        write_atomic(place, made.content[name])
    return {place: made.differences.get(name) for name, place in places.items()}


def count_parameters(space: AbstractSearchSpace | str, cell: Cell, **sizes: int) -> int:
    """Trainable numbers of the network of a cell; no memory is taken for them.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if the network cannot have these sizes.
    """
    with torch.device("meta"):
        return sum(weight.numel() for weight in build_network(space, cell, **sizes).parameters())


def network_zip(made: NetworkFiles) -> bytes:
    """The files in one zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.content.items():
            archive.writestr(name, data)
    return content.getvalue()


def renamed_weights(weights: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The weights of a network under the names of its ``model.py``: both make their modules in the same order.

    Args:
        weights: ``state_dict()`` of a network of :func:`svge_core.networks.build_network`, or of ``model.py``, in its
            order (which a .safetensors file does not keep: load such a file into a module first).
        module: a network of the other kind with the same sizes.

    Raises:
        SvgeError: if they are not of the same network.
    """
    names = module.state_dict()
    if [value.shape for value in weights.values()] != [value.shape for value in names.values()]:
        raise SvgeError(
            f"The weights are of another network: {len(weights)} tensors, expected {len(names)} of the shapes of this "
            "one. Give the sizes (such as channels) that it was trained with."
        )
    return dict(zip(names, weights.values(), strict=True))


def _forms(forms: Sequence[str]) -> tuple[NetworkForm, ...]:
    """The wanted files in the order in which they are made."""
    unknown = [str(form)[:60] for form in forms if form not in NETWORK_FORMS]
    if unknown or not forms:
        came = repr(unknown[0]) if unknown else "none"
        raise SvgeError(f"Unknown file of a network: expected {', '.join(NETWORK_FORMS)}; got {came}.")
    return tuple(form for form in NETWORK_FORMS if form in forms)


def prepared(
    space: AbstractSearchSpace, cell: Cell, side: int | None, sizes: Mapping[str, int]
) -> tuple[nn.Module, tuple[int, int, int]]:
    """A network with random weights and norms that have statistics, in eval mode, and the shape of its images.

    Args:
        space: of the cell.
        cell: a member.
        side: pixels of a side of the images; None for those the network was made for.
        sizes: options of :func:`svge_core.networks.build_network`.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if an option is unknown.
    """
    network = _initialised(space, cell, sizes)
    code = code_of(space, cell, sizes) if space.network_code() is not None else None
    shape = _shape(network, code, side)
    return with_statistics(network, (shape[0], _CODE_SIDE, _CODE_SIDE)), shape


def _initialised(space: AbstractSearchSpace, cell: Cell, sizes: Mapping[str, int]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return build_network(space, cell, **sizes)


def _shape(network: nn.Module, code: NetworkCode | None, side: int | None) -> tuple[int, int, int]:
    """Colours, height and width of the images; the colours are those that the first convolution takes."""
    side = side or (_SIDE if code is None else code.side)
    if code is not None and side % code.side_multiple:
        raise SvgeError(
            f"This network takes images whose sides are multiples of {code.side_multiple} pixels; got {side}."
        )
    colours = next((module.in_channels for module in network.modules() if isinstance(module, nn.Conv2d)), 3)
    return colours, side, side


def _load(network: nn.Module, written: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights under the network's own names, or under those of its ``model.py``; to eval mode."""
    for module in (written, network):
        known = module.state_dict()
        if {name: value.shape for name, value in weights.items()} == {
            name: value.shape for name, value in known.items()
        }:
            module.load_state_dict(dict(weights))
            # a file need not keep the order, so the names are given in that of the module
            network.load_state_dict(renamed_weights(module.state_dict(), network))
            network.eval()
            return
    raise SvgeError(
        f"The weights are of another network: {len(weights)} tensors, expected those of a network of this cell with "
        "these sizes. Give the sizes (such as channels) that it was trained with."
    )


def import_code(text: str) -> ModuleType:
    """A file of ours as a module that no other import finds.

    torch's exporters ask for the file of a module's classes, so it is imported from a real one.
    """
    name = f"svge_written_{uuid.uuid4().hex}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.py"
        path.write_text(text, "utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
