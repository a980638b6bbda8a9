"""Which cells of a space are never trained on: a random split of a list, or a hash of every cell's number."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Integer
from torch import Tensor

from svge_core.cells import Cell
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class Split:
    """Official indices of trained and held-out cells.

    Attributes:
        train, held_out: int64, disjoint, together all cells.
    """

    train: Tensor
    held_out: Tensor


def split_cells(count: int, held_out: float, seed: int) -> Split:
    """Random split; the first ``round(count * held_out)`` of a seeded permutation are held out."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    cut = round(count * held_out)
    return Split(order[cut:].sort().values, order[:cut].sort().values)


def held_out_mask(numbers: Integer[np.ndarray, " cells"], held_out: float, seed: int) -> Bool[np.ndarray, " cells"]:
    """Which cells of a space that is not listed are never trained on: a hash of the number decides (splitmix64).

    Args:
        numbers: of the cells; see :func:`cell_numbers`.
        held_out: share of the cells that is held out, 0 to 1.
        seed: another seed holds out others.
    """
    state = numbers.astype(np.uint64) + np.uint64((seed % 2**32 + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)  # modulo 2^64
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53 < held_out


def has_indices(space: AbstractSearchSpace) -> bool:
    """Whether every cell has an index of 64 bits, so that cells can be drawn by it, listed in a map and told apart."""
    return space.size is not None and space.size < 2**63


def cell_numbers(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Integer[np.ndarray, " cells"]:
    """Official indices (int64); for cells without, 64 bits that equivalent ones share (BLAKE2b of the key, uint64)."""
    if has_indices(space):
        return np.array([space.index(cell) for cell in cells], dtype=np.int64)
    digests = (hashlib.blake2b(space.key(cell).encode(), digest_size=8).digest() for cell in cells)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
