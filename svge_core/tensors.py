"""Cells <-> padded dense tensors. The only file that knows padding, node order and type ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, jaxtyped
from torch import Tensor

from svge_core.cells import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.spaces import AbstractSearchSpace

#: type id of the output node in every space's vocabulary: it ends generation along the edges
END = 0
#: type id of the input node: it starts generation along the edges, and ends generation against them
START = 1


@jaxtyped(typechecker=None)
@dataclass(frozen=True)
class CellBatch:
    """A batch of cells as dense tensors.

    Attributes:
        types: type id of every node (index into the space's vocabulary); 0 at padded positions.
        adjacency: 1 where an edge goes from the second axis to the third; 0 at padded positions.
        sizes: number of real nodes of each cell.
    """

    types: Int[Tensor, "batch nodes"]
    adjacency: Float[Tensor, "batch nodes nodes"]
    sizes: Int[Tensor, " batch"]

    def __len__(self) -> int:
        return self.types.shape[0]

    @property
    def mask(self) -> Bool[Tensor, "batch nodes"]:
        """True at real nodes."""
        return torch.arange(self.types.shape[1], device=self.types.device) < self.sizes[:, None]

    def select(self, rows: Tensor | slice) -> "CellBatch":
        """The cells at the given rows."""
        return CellBatch(self.types[rows], self.adjacency[rows], self.sizes[rows])

    def to(self, device: torch.device | str) -> "CellBatch":
        """The same batch on a device."""
        return CellBatch(self.types.to(device), self.adjacency.to(device), self.sizes.to(device))

    def reversed(self) -> "CellBatch":
        """The same cells written from output to input: node order flipped, every edge turned round.

        Reversing twice gives the batch back.
        """
        nodes = self.types.shape[1]
        flipped = (self.sizes[:, None] - 1 - torch.arange(nodes, device=self.types.device)).clamp(min=0)
        mask = self.mask
        types = self.types.gather(1, flipped).masked_fill(~mask, 0)
        rows = self.adjacency.gather(1, flipped[:, :, None].expand(-1, -1, nodes))
        both = rows.gather(2, flipped[:, None, :].expand(-1, nodes, -1))
        real = mask[:, :, None] & mask[:, None, :]
        return CellBatch(types, both.transpose(1, 2).masked_fill(~real, 0.0), self.sizes)

    def padded_to(self, nodes: int) -> "CellBatch":
        """The same cells with room for more nodes."""
        extra = nodes - self.types.shape[1]
        if extra < 0:
            raise InvalidCellError(f"Cannot pad {self.types.shape[1]} node positions down to {nodes}.")
        pad = torch.nn.functional.pad
        return CellBatch(pad(self.types, (0, extra)), pad(self.adjacency, (0, extra, 0, extra)), self.sizes)


def joined(batches: Sequence[CellBatch]) -> CellBatch:
    """All cells of some batches, one after the other."""
    columns = ((batch.types, batch.adjacency, batch.sizes) for batch in batches)
    return CellBatch(*(torch.cat(parts) for parts in zip(*columns, strict=True)))


def to_batch(space: AbstractSearchSpace, cells: Sequence[Cell], *, canonical: bool = True) -> CellBatch:
    """Write cells into padded tensors of ``space.max_nodes`` positions.

    Args:
        space: of the cells.
        cells: written row by row.
        canonical: bring every cell into the space's canonical node order first, so that relabelled copies of one
            architecture give equal tensors. Off for cells that are not (yet) members.

    Raises:
        InvalidCellError: if a cell is not a member (canonical), has too many nodes or an unknown label.
    """
    type_ids = {label: index for index, label in enumerate(space.vocabulary)}
    count, nodes = len(cells), space.max_nodes
    types = np.zeros((count, nodes), dtype=np.int64)
    adjacency = np.zeros((count, nodes, nodes), dtype=np.float32)
    sizes = np.zeros(count, dtype=np.int64)
    for row, given in enumerate(cells):
        cell = space.canonical(given) if canonical else given
        if cell.num_nodes > nodes:
            raise InvalidCellError(f"{space.title} cells have at most {nodes} nodes; got {cell.num_nodes}.")
        unknown = [op for op in cell.ops if op not in type_ids]
        if unknown:
            raise InvalidCellError(f"Unknown label {unknown[0]!r}: expected one of {', '.join(space.vocabulary)}.")
        sizes[row] = cell.num_nodes
        types[row, : cell.num_nodes] = [type_ids[op] for op in cell.ops]
        for source, target in cell.edges:
            adjacency[row, source, target] = 1.0
    return CellBatch(torch.from_numpy(types), torch.from_numpy(adjacency), torch.from_numpy(sizes))


def index_batch(space: AbstractSearchSpace, indices: Int[np.ndarray, " cells"]) -> CellBatch:
    """The canonical cells at many official indices as padded tensors, without making cells one by one."""
    found = space.arrays(indices)
    return CellBatch(
        torch.from_numpy(found.types.astype(np.int64)),
        torch.from_numpy(found.adjacency.astype(np.float32)),
        torch.from_numpy(found.sizes.astype(np.int64)),
    )


def whole_space(space: AbstractSearchSpace) -> CellBatch:
    """All cells of an enumerated space in official order.

    Raises:
        SvgeError: if the space is not enumerated.
    """
    if space.size is None or not space.enumerated:
        raise SvgeError(f"{space.title} is not enumerated: it has too many cells to list.")
    return index_batch(space, np.arange(space.size))


def to_cells(space: AbstractSearchSpace, batch: CellBatch) -> list[Cell]:
    """Read the graphs back, as they stand: membership is not checked (``space.validate`` tells)."""
    types, adjacency = batch.types.cpu().numpy(), batch.adjacency.cpu().numpy()
    cells = []
    for row, size in enumerate(batch.sizes.tolist()):
        sources, targets = np.nonzero(adjacency[row, :size, :size])
        labels = tuple(space.vocabulary[t] for t in types[row, :size])
        cells.append(Cell(labels, tuple(zip(sources.tolist(), targets.tolist(), strict=True))))
    return cells
