"""Cells drawn anew for every epoch, of spaces too large to list or without an index."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from svge_core.cells import Cell
from svge_core.data import cell_numbers, has_indices, held_out_mask
from svge_core.errors import SvgeError
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, index_batch, to_batch
from svge_core.training.config import TrainConfig


def draw_indices(
    space: AbstractSearchSpace, count: int, config: TrainConfig, purpose: tuple[int, ...], *, held_out: bool
) -> Int[np.ndarray, " cells"]:
    """Uniform official indices of trained or of held-out cells of a space that is not listed, with replacement.

    Args:
        space: of the cells.
        count: how many.
        config: gives the seed and the share that is held out.
        purpose: numbers that make this draw different from others of the same run.
        held_out: draw held-out cells instead of trained ones.
    """
    if space.size is None or not has_indices(space):
        raise SvgeError(f"Cells of {space.title} cannot be drawn by index.")
    if held_out and config.held_out == 0:
        return np.zeros(0, dtype=np.int64)  # there are none
    rng = np.random.default_rng([config.seed % 2**32, *purpose])
    parts: list[np.ndarray] = []
    while (found := sum(map(len, parts))) < count:
        drawn = rng.integers(space.size, size=count - found)
        parts.append(drawn[held_out_mask(drawn, config.held_out, config.seed) == held_out])
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def draw_cells(
    space: AbstractSearchSpace,
    count: int,
    config: TrainConfig,
    purpose: tuple[int, ...],
    *,
    held_out: bool,
    draw: Callable[[np.random.Generator], Cell] | None = None,
) -> list[Cell]:
    """Canonical trained or held-out cells of a space without indices; a hash of a cell's key decides which it is.

    Args:
        space: of the cells.
        count: how many.
        config: gives the seed and the share that is held out.
        purpose: numbers that make this draw different from others of the same run.
        held_out: draw held-out cells instead of trained ones.
        draw: where cells come from; the space's own ``random_cell`` by default.
    """
    if held_out and config.held_out == 0:
        return []  # there are none
    rng = np.random.default_rng([config.seed % 2**32, *purpose])
    found: list[Cell] = []
    while len(found) < count:
        drawn = [space.canonical((draw or space.random_cell)(rng)) for _ in range(count - len(found))]
        mask = held_out_mask(cell_numbers(space, drawn), config.held_out, config.seed)
        found += [cell for cell, unseen in zip(drawn, mask.tolist(), strict=True) if unseen == held_out]
    return found


@dataclass(frozen=True)
class DrawnCells:
    """Training cells of a space that is too large to list: new ones every epoch, a function of the run's seed."""

    space: AbstractSearchSpace
    config: TrainConfig

    def __len__(self) -> int:
        return self.config.cells_per_epoch

    def epoch(self, number: int) -> CellBatch:
        """The cells of an epoch."""
        purpose = (1, number)
        if has_indices(self.space):
            return index_batch(self.space, draw_indices(self.space, len(self), self.config, purpose, held_out=False))
        cells = draw_cells(self.space, len(self), self.config, purpose, held_out=False)
        return to_batch(self.space, cells, canonical=False)

    @cached_property
    def first(self) -> CellBatch:
        """The cells of the first epoch, kept: every save of a run asks for their digest."""
        return self.epoch(0)


def first_cells(cells: CellBatch | DrawnCells) -> CellBatch:
    """What stands for the training cells in a digest: all of them, or those of the first epoch."""
    return cells if isinstance(cells, CellBatch) else cells.first
