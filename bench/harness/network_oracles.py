"""The same cells as networks of other people: `xautodl` (NAS-Bench-201's authors) and `nasbench-pytorch`.

Both are installed without what they depend on (requirements-oracles.txt): the parts used here need torch alone.
"""

import contextlib
import io

import numpy as np
import torch
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.spaces import NASBench201


class _Logits(nn.Module):
    """A network whose outputs are features and logits, as one of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)[1]


def xautodl_network(cell: Cell, *, channels: int, cells_per_stage: int, num_classes: int = 10) -> nn.Module:
    """``TinyNetwork`` of Dong & Yang's own library."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        from xautodl.models.cell_infers import TinyNetwork  # pyright: ignore[reportMissingImports]
        from xautodl.models.cell_searchs import CellStructure  # pyright: ignore[reportMissingImports]

    structure = CellStructure.str2structure(NASBench201().format(cell))
    return _Logits(TinyNetwork(channels, cells_per_stage, structure, num_classes))


def nasbench_pytorch_network(cell: Cell, *, channels: int, cells_per_stage: int, num_classes: int = 10) -> nn.Module:
    """``Network`` of romulus0914's and gabrielasuchopar's port of the authors' TensorFlow code."""
    from nasbench_pytorch.model import Network  # pyright: ignore[reportMissingImports]

    adjacency = np.zeros((cell.num_nodes,) * 2, dtype=np.int64)
    for source, target in cell.edges:
        adjacency[source, target] = 1
    return Network((adjacency, list(cell.ops)), num_classes, 3, channels, 3, cells_per_stage)


def copy_to_xautodl(network: nn.Module, oracle: nn.Module) -> None:
    """Both make their modules in one order: the authors' code and ours list operations as the string does."""
    names = list(oracle.state_dict())
    oracle.load_state_dict(dict(zip(names, network.state_dict().values(), strict=True)))


def copy_to_nasbench_pytorch(network: nn.Module, oracle: nn.Module) -> None:
    """By the name of each part; their place holders have parameters of their own, which nothing reads."""
    own, theirs = network.state_dict(), oracle.state_dict()

    def take(from_prefix: str, to_prefix: str) -> None:
        there = [name for name in theirs if name.startswith(to_prefix)]
        here = [name for name in own if name.startswith(from_prefix)]
        for name, source in zip(there, here, strict=True):
            theirs[name] = own[source]

    take("stem.", "layers.0.")
    take("classifier.", "classifier.")
    for name in {".".join(name.split(".")[:4]) for name in own if name.startswith("layers.")}:
        _, layer, part, vertex = name.split(".")
        place = f"layers.{int(layer) + 1}"
        if part == "projections":
            take(f"{name}.", f"{place}.input_op.{vertex}.")
        else:
            take(f"{name}.", f"{place}.vertex_op.{int(vertex) + 1}.")
    oracle.load_state_dict(theirs)


def parameters_that_compute(network: nn.Module) -> int:
    """Trainable numbers, without those of place holders (single numbers, or none)."""
    return sum(weight.numel() for weight in network.parameters() if weight.ndim)


def trained_alike(network: nn.Module, oracle: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of both in training mode, where norms take the statistics of the batch."""
    with torch.no_grad():
        return network.train()(images), oracle.train()(images)
