"""An open checkpoint as notebooks and scripts use it: its map, a cell and a path show themselves."""

from dataclasses import dataclass, fields
from pathlib import Path

import torch

from svge_core.atlas import PlaneName
from svge_core.cells import Cell
from svge_core.explorer import Explorer, find_cell, open_explorer as opened
from svge_core.figures.notebook import CellView, MapView, PathView
from svge_core.interpolation import PathKind, lay_path


@dataclass(frozen=True)
class OpenExplorer(Explorer):
    """An :class:`~svge_core.explorer.Explorer` whose answers show themselves in a notebook."""

    def map(self, colour: str = "", plane: PlaneName | None = None) -> MapView:
        """The map, to zoom into and to point at.

        Args:
            colour: key of the column that colours it; by default the first there is.
            plane: ``"umap"`` or ``"pca"``; by default the first there is.
        """
        return MapView(self, colour, plane)

    def cell(self, cell: Cell | str | int) -> CellView:
        """A cell with its drawing and its scores.

        Args:
            cell: itself, its official index, or a text in any form that the space reads.

        Raises:
            InvalidCellError, ParseError: if it is no member.
        """
        chosen = find_cell(self.space, cell) if isinstance(cell, str) else cell
        return CellView(self, self.inspect_cell(chosen))

    def path(
        self,
        start: Cell | str | int,
        end: Cell | str | int,
        kind: PathKind = "linear",
        *,
        stops: int = 15,
        score: str = "",
        constrained: bool = False,
    ) -> PathView:
        """The path between two cells with a score along it.

        Args:
            start: as of :meth:`cell`.
            end: likewise.
            kind: linear, spherical, or graph (over neighbouring cells).
            stops: how many, both ends included.
            score: key of the score; by default the first there is.
            constrained: keep the decoder inside the space.

        Raises:
            SvgeError: if the path cannot be laid.
            InvalidCellError, ParseError: if an end is no member.
        """
        ends = (self.cell(start).cell, self.cell(end).cell)
        return PathView(self, lay_path(self, *ends, kind, stops, constrained=constrained), score)


def open_explorer(folder: str | Path, device: str | torch.device = "cpu") -> OpenExplorer:
    """Open a checkpoint folder with its atlas, predictors and the known scores of its space.

    Raises:
        CheckpointError: checkpoint or atlas missing, damaged or not belonging together.
    """
    found = opened(folder, device)
    return OpenExplorer(**{each.name: getattr(found, each.name) for each in fields(Explorer)})
