"""Label-free statistics of many cells: small networks, a few random initialisations each, one column per statistic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.networks.build import build_network, network_options
from svge_core.networks.untrained import NO_FLOW, grad_norm, jacov, lowest_jacov, nwot, synflow
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.threads import one_thread

#: the columns, in their order
STATISTICS = ("synflow", "nwot", "jacov", "grad_norm")
_COLOURS, _CLASSES = 3, 10
#: purposes of the numbers that are drawn, so that none depends on how many another takes
_WEIGHTS, _BATCH = 0, 1


@dataclass(frozen=True)
class UntrainedProtocol:
    """How the statistics are taken; whoever compares two cells takes them alike.

    Attributes:
        side: pixels of a side of the images, which are standard normal in three colours.
        channels: channels of the network's first stage.
        cells_per_stage: cells of a stage, where a network repeats its cell.
        batch: images.
        initialisations: random weights, each with a batch of its own; the statistics are averaged.
        seed: of the weights, images and classes, which are the same for all cells.

    Raises:
        SvgeError: if a size is out of range.
    """

    side: int = 16
    channels: int = 8
    cells_per_stage: int = 1
    batch: int = 32
    initialisations: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"side": 4, "channels": 1, "cells_per_stage": 1, "batch": 2, "initialisations": 1, "seed": 0}
        for name, least in lowest.items():
            if getattr(self, name) < least:
                raise SvgeError(f"Expected {name} to be at least {least}; got {getattr(self, name)}.", settings=(name,))


@dataclass(frozen=True)
class UntrainedTable:
    """Statistics of a list of cells.

    Attributes:
        values: float64 (cells, statistics), always finite.
        names: of the columns, those of :data:`STATISTICS`.
        dead: cells whose network has no path from the image to the outputs (cells); they have the lowest value that
            each statistic can have, for every statistic the same.
    """

    values: Float[np.ndarray, "cells statistics"]
    names: tuple[str, ...]
    dead: Bool[np.ndarray, " cells"]


def untrained_statistics(
    space: AbstractSearchSpace | str,
    cells: Sequence[Cell],
    protocol: UntrainedProtocol | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> UntrainedTable:
    """Label-free statistics of the networks of cells, with one thread on the CPU.

    A row is a function of its cell and of the protocol: it depends neither on the other cells nor on their order.
    Cells are brought into canonical order, so that equivalent ones have the same row.

    Args:
        space: the space of the cells, or its name; it needs a network.
        cells: members.
        protocol: how; by default :class:`UntrainedProtocol`'s own values.
        progress: told how many cells are done, and of how many.

    Raises:
        InvalidCellError: if a cell is no member.
        SvgeError: if the space has no network, the network does not have so many channels, or a statistic is not
            finite.
    """
    space, protocol = get_space(space), protocol or UntrainedProtocol()
    sizes = _sizes(space, protocol)
    batches = [_batch(protocol, number) for number in range(protocol.initialisations)]
    rows: dict[Cell, list[float] | None] = {}
    forms = []
    with one_thread():
        for done, cell in enumerate(cells, start=1):
            forms.append(form := space.canonical(cell))
            if form not in rows:
                rows[form] = _row(space, form, sizes, protocol, batches)
            if progress is not None:
                progress(done, len(cells))
    found = [rows[form] for form in forms]
    lowest = [NO_FLOW, 0.0, lowest_jacov(protocol.batch), 0.0]
    values = np.array([lowest if row is None else row for row in found]).reshape(-1, len(STATISTICS))
    return UntrainedTable(values, STATISTICS, np.array([row is None for row in found], dtype=bool))


def _sizes(space: AbstractSearchSpace, protocol: UntrainedProtocol) -> dict[str, int]:
    """The options of the space's network that the protocol speaks of."""
    wanted = {
        "channels": protocol.channels,
        "cells_per_stage": protocol.cells_per_stage,
        "num_classes": _CLASSES,
        "colours": _COLOURS,
    }
    return {name: value for name, value in wanted.items() if name in network_options(space)}


def _row(
    space: AbstractSearchSpace,
    cell: Cell,
    sizes: dict[str, int],
    protocol: UntrainedProtocol,
    batches: list[tuple[Tensor, Tensor]],
) -> list[float] | None:
    """The means over the initialisations; None where nothing flows through any of the networks."""
    found = []
    for number, (images, classes) in enumerate(batches):
        network = _initialised(space, cell, sizes, protocol.seed, number)
        flow = synflow(network, (_COLOURS, protocol.side, protocol.side))
        # which paths there are does not depend on the weights, as a continuous draw is 0 almost nowhere
        if flow == NO_FLOW:
            return None
        found.append([flow, nwot(network, images), jacov(network, images), grad_norm(network, images, classes)])
    means = np.mean(found, axis=0).tolist()
    for name, value in zip(STATISTICS, means, strict=True):
        if not math.isfinite(value):
            raise SvgeError(f"{name} of {space.format(cell)[:200]} is {value}: take another seed or smaller networks.")
    return means


def _initialised(space: AbstractSearchSpace, cell: Cell, sizes: dict[str, int], seed: int, number: int) -> nn.Module:
    """The network with PyTorch's initialisation, drawn from a generator of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_drawn_seed(seed, number, _WEIGHTS))
        return build_network(space, cell, **sizes)


def _batch(protocol: UntrainedProtocol, number: int) -> tuple[Tensor, Tensor]:
    """Images (batch, 3, side, side) and classes (batch) of an initialisation."""
    generator = torch.Generator().manual_seed(_drawn_seed(protocol.seed, number, _BATCH))
    images = torch.randn(protocol.batch, _COLOURS, protocol.side, protocol.side, generator=generator)
    return images, torch.randint(_CLASSES, (protocol.batch,), generator=generator)


def _drawn_seed(*numbers: int) -> int:
    return int(np.random.default_rng(numbers).integers(2**63))
