"""Charts of spaces whose cells have no index: cells drawn once by the space's random generators, and kept themselves.

Nothing but a cell itself tells which one it is, and generators of other packages may change; so the file of an atlas
holds the genotypes of the charted cells, and not a seed to draw them from.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Int8, UInt8

from svge_core.cells import Cell
from svge_core.data import cell_numbers, has_indices, held_out_mask
from svge_core.errors import SvgeError
from svge_core.models import GraphVAE, encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch
from svge_core.threads import computed_once, counting
from svge_core.training import TrainConfig

#: cells that are tensors at one time
_PIECE = 4_096


def chartable(space: AbstractSearchSpace) -> bool:
    """Whether there can be a map of a space: its cells have an index of 64 bits, or are drawn by named generators."""
    return has_indices(space) or bool(space.families())


@dataclass(frozen=True, eq=False)
class DrawnChart:
    """The charted cells of a space without an index, told apart by themselves.

    Attributes:
        cells: canonical, each once; those of a family side by side.
        family: the generator that drew each, a position in ``families``.
        families: names of the generators.
    """

    cells: tuple[Cell, ...]
    family: Int8[np.ndarray, " cells"]
    families: tuple[str, ...]

    @computed_once
    def rows(self) -> dict[Cell, int]:
        """The row of every cell."""
        return {cell: row for row, cell in enumerate(self.cells)}

    @computed_once
    def digest(self) -> str:
        """Changes with any cell or family."""
        state = hashlib.blake2b(repr((self.families, self.family.tolist())).encode(), digest_size=16)
        for cell in self.cells:
            state.update(repr((cell.ops, cell.edges)).encode())
        return state.hexdigest()


def draw_chart(space: AbstractSearchSpace, count: int, seed: int) -> DrawnChart:
    """Different cells in equal parts of every family of a space, a function of the seed.

    Args:
        space: of the cells.
        count: how many cells; what is left over of equal parts goes to the first families.
        seed: of the draw.

    Raises:
        SvgeError: if the space has no families.
    """
    families = space.families()
    if not families:
        raise SvgeError(
            f"{space.title} has no map: its cells have no index of 64 bits and no generators that draw them."
        )
    found: dict[Cell, int] = {}
    rng = np.random.default_rng(seed)
    with counting(space.title, "cells drawn", count) as tell:
        for number, draw in enumerate(families.values()):
            wanted = len(found) + (count + len(families) - 1 - number) // len(families)
            while len(found) < wanted:
                found.setdefault(space.canonical(draw(rng)), number)
                tell(len(found))
    return DrawnChart(tuple(found), np.array(list(found.values()), dtype=np.int8), tuple(families))


def encode_cells(model: GraphVAE, cells: Sequence[Cell]) -> Float[np.ndarray, "cells latent"]:
    """Posterior means of canonical cells; only a piece of them is tensors at one time."""
    latents = np.empty((len(cells), model.config.latent), dtype=np.float32)
    with counting(model.space.title, "cells encoded", len(cells)) as tell:
        for start in range(0, len(cells), _PIECE):
            piece = to_batch(model.space, cells[start : start + _PIECE], canonical=False)
            latents[start : start + _PIECE] = encode_all(model, piece)[0].numpy()
            tell(min(start + _PIECE, len(cells)))
    return latents


def drawn_held_out(
    space: AbstractSearchSpace, cells: Sequence[Cell], training: TrainConfig
) -> Bool[np.ndarray, " cells"]:
    """True for the cells that the model was never trained on: a hash of the key decides."""
    return held_out_mask(cell_numbers(space, cells), training.held_out, training.seed)


def packed(space: AbstractSearchSpace, cells: Sequence[Cell]) -> UInt8[np.ndarray, "cells bytes"]:
    """The genotypes of cells, eight genes to a byte where every gene has two choices."""
    genes = np.array([space.genotype(cell) for cell in cells], dtype=np.uint8).reshape(len(cells), -1)
    return np.packbits(genes, axis=1) if max(space.gene_choices) <= 2 else genes


def unpacked(space: AbstractSearchSpace, values: UInt8[np.ndarray, "cells bytes"]) -> tuple[Cell, ...]:
    """The cells of :func:`packed` genotypes.

    Raises:
        InvalidCellError: if a genotype is not one of the space.
    """
    genes = values
    if max(space.gene_choices) <= 2:
        genes = np.unpackbits(values, axis=1, count=len(space.gene_choices))
    return tuple(space.from_genotype(tuple(row)) for row in genes.tolist())


def rows_of(chart: DrawnChart) -> Int[np.ndarray, " cells"]:
    """What stands for the indices of a chart without: the rows."""
    return np.arange(len(chart.cells))
