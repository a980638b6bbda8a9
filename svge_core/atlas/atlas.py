"""The atlas of a checkpoint: the charted cells of the space with their latents and their places on the maps."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from svge_core.atlas.charted import chart_indices, charted_held_out, encode_indices
from svge_core.atlas.drawn import DrawnChart, draw_chart, drawn_held_out, encode_cells, rows_of
from svge_core.atlas.neighbours import nearest_latents, nearest_spacings
from svge_core.atlas.projection import FULLY_GREY, PlaneName, Projection, inverse_square, pca_plane, umap_plane
from svge_core.atlas.size import CHARTED, DRAWN
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import has_indices
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace
from svge_core.threads import computed_once
from svge_core.training import TrainConfig

#: cells whose distance to their nearest other cell is looked for; of a larger chart a sample
SPACINGS = 20_000


#: (latents of the nearest cells, their weights, their average as a whole) -> one latent
Mix = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Place:
    """What is known about one position of the latent space.

    Attributes:
        latent: (latent,) coordinates.
        xy: position on the map it was asked for.
        neighbours: rows of the nearest charted cells in the latent space, nearest first.
        distances: their Euclidean distances in the latent space.
        percentile: share of charted cells whose own nearest neighbour is closer than this position's, 0 to 100.
        map_spacings: distance on the map to the nearest drawn cell, in units of the map's usual spacing; 0 for a
            place that was not chosen on the map.
        first: of the latent's dimensions, the first that distances are taken over.
    """

    latent: Float[np.ndarray, " latent"]
    xy: tuple[float, float]
    neighbours: np.ndarray
    distances: np.ndarray
    percentile: float
    map_spacings: float = 0.0
    first: int = 0

    @property
    def sparse(self) -> bool:
        """Far from every known cell, in the latent space (99th percentile) or on the map (where it is fully grey)."""
        return self.percentile > 99.0 or self.far_on_map

    @property
    def far_on_map(self) -> bool:
        """In a fully grey zone of the map: the latent is an average of far-away cells."""
        return self.map_spacings > FULLY_GREY


@dataclass(frozen=True)
class Atlas:
    """The charted cells in official order: all of a space that is listed, a uniform sample of a larger one.

    Cells without an index are a sample of the space's generators, in equal parts; their rows stand for the indices.

    Attributes:
        space: name of the search space.
        checkpoint: digest of the weights that made the latents.
        indices: official index of every row, ascending; row and index are the same where the whole space is charted.
        latents: posterior means.
        planes: maps by name.
        held_out: official indices of the charted cells that were never trained on.
        spacings: sorted distances of cells to their nearest other charted cell in the latent space, or evenly spaced
            quantiles of them.
        spacings_of: number of cells whose distances these are.
        first: of the latent's dimensions, the first in which near cells are alike: distances are taken from it on.
        drawn: the cells themselves where they have no index; None elsewhere.
    """

    space: str
    checkpoint: str
    indices: Int[np.ndarray, " cells"]
    latents: Float[np.ndarray, "cells latent"]
    planes: dict[PlaneName, Projection]
    held_out: np.ndarray
    spacings: Float[np.ndarray, " sampled"]
    spacings_of: int
    first: int = 0
    drawn: DrawnChart | None = None

    @computed_once
    def digest(self) -> str:
        """32 hex digits that change with the model's weights, the charted cells or any map (BLAKE2b, 128 bits)."""
        state = hashlib.blake2b(f"{self.space} {self.checkpoint} {self.spacings_of}".encode(), digest_size=16)
        for name, plane in self.planes.items():
            state.update(f" {name} {plane.digest}".encode())
        for values in (self.indices, self.held_out):
            state.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
        if self.drawn is not None:
            state.update(f" {self.first} {self.drawn.digest}".encode())
        return state.hexdigest()

    def __len__(self) -> int:
        return len(self.indices)

    def cells(self, space: AbstractSearchSpace, rows: Int[np.ndarray, " rows"]) -> list[Cell]:
        """The cells of some rows."""
        if self.drawn is not None:
            return [self.drawn.cells[row] for row in rows.tolist()]
        return [space.from_index(index) for index in self.indices[rows].tolist()]

    def row_of(self, space: AbstractSearchSpace, cell: Cell) -> int | None:
        """The row of a cell; None where it is not charted."""
        if self.drawn is None:
            return self.row(space.index(cell))
        return self.drawn.rows.get(space.canonical(cell))

    def row(self, index: int) -> int | None:
        """The row of an official index; None where the cell is not charted, or cells have no index."""
        if self.drawn is not None or not 0 <= index < 2**63:
            return None
        row = int(np.searchsorted(self.indices, index))
        return row if row < len(self.indices) and int(self.indices[row]) == index else None

    def rows_in(self, other: "Atlas") -> Int[np.ndarray, " cells"]:
        """For every row, the row of the same cell in another atlas of the space; -1 where that does not chart it.

        Cells are the same by their index, those without one by themselves: where two samples of a space differ, or
        come in another order, rows say nothing.

        Raises:
            DataError: if the other atlas is of another space.
        """
        if self.space != other.space or (self.drawn is None) != (other.drawn is None):
            raise DataError(f"Cells of {self.space!r} have no rows in an atlas of {other.space!r}.")
        if self.drawn is not None and other.drawn is not None:
            there = other.drawn.rows
            return np.array([there.get(cell, -1) for cell in self.drawn.cells], dtype=np.int64)
        places = np.minimum(np.searchsorted(other.indices, self.indices), len(other) - 1)
        return np.where(other.indices[places] == self.indices, places, -1).astype(np.int64)

    def place(self, plane: PlaneName, point: tuple[float, float], neighbours: int = 6, mix: Mix | None = None) -> Place:
        """Invert a position of a map.

        Args:
            plane: name of the map.
            point: position on it.
            neighbours: how many of the nearest cells are told.
            mix: makes one latent of the nearest ones on the map, their weights and their average, where averages mean
                nothing to the decoder.
        """
        layout = self.planes[plane]
        latent = layout.to_latent(point, self.latents)
        if mix is not None:
            distances, rows = layout.neighbours(point)
            latent = mix(self.latents[rows], inverse_square(distances), latent)
        found = self.place_of_latent(latent, point, neighbours)
        distances, _ = self.planes[plane].neighbours(point, 1)
        return replace(found, map_spacings=float(distances[0]) / max(self.planes[plane].spacing, 1e-12))

    def place_of_cell(self, plane: PlaneName, row: int, neighbours: int = 6) -> Place:
        """The place of a charted cell by its row; the cell itself is not among its neighbours."""
        x, y = self.planes[plane].xy[row].tolist()
        distances, rows = self.nearest(self.latents[row], neighbours + 1)
        others = rows != row
        percentile = self._percentile(0.0)
        near, lengths = rows[others][:neighbours], distances[others][:neighbours]
        return Place(self.latents[row], (x, y), near, lengths, percentile, first=self.first)

    def place_of_latent(
        self, latent: Float[np.ndarray, " latent"], point: tuple[float, float], neighbours: int = 6
    ) -> Place:
        """What surrounds a latent."""
        distances, rows = self.nearest(latent, neighbours)
        return Place(latent, point, rows, distances, self._percentile(float(distances[0])), first=self.first)

    def nearest(
        self, latent: Float[np.ndarray, " latent"], count: int
    ) -> tuple[Float[np.ndarray, " neighbours"], Int[np.ndarray, " neighbours"]]:
        """Euclidean distances and rows of the charted cells nearest to a latent."""
        return nearest_latents(self._compared, latent[self.first :], count, self._squares)

    @property
    def _compared(self) -> np.ndarray:
        return self.latents[:, self.first :]

    @computed_once
    def _squares(self) -> np.ndarray:
        return np.einsum("ij,ij->i", self._compared, self._compared)

    def _percentile(self, distance: float) -> float:
        return 100.0 * float(np.searchsorted(self.spacings, distance)) / len(self.spacings)


def build_atlas(
    checkpoint: Checkpoint,
    *,
    planes: tuple[PlaneName, ...] = ("umap", "pca"),
    seed: int = 1,
    charted: int | None = None,
) -> Atlas:
    """Encode the charted cells and lay out their maps.

    Args:
        checkpoint: gives the model, the space and the cells held out.
        planes: the maps to lay out.
        seed: of the sample and of UMAP.
        charted: size of the sample of a space that is not listed; None for the usual one.

    Raises:
        SvgeError: if cells of the space have neither an index of 64 bits nor generators to draw them.
    """
    model, space, first = checkpoint.model, checkpoint.model.space, checkpoint.model.first_near
    training = TrainConfig.from_dict(checkpoint.meta.training)
    drawn = None if has_indices(space) else draw_chart(space, charted or DRAWN, seed)
    if drawn is None:
        indices = chart_indices(space, charted or CHARTED, seed)
        latents, unseen = encode_indices(model, indices), charted_held_out(space, indices, training)
    else:
        indices = rows_of(drawn)
        latents, unseen = encode_cells(model, drawn.cells), drawn_held_out(space, drawn.cells, training)
    makers = {"umap": lambda: umap_plane(latents, first=first, seed=seed), "pca": lambda: pca_plane(latents, first)}
    spacings = nearest_spacings(latents[:, first:], SPACINGS, seed)
    laid_out: dict[PlaneName, Projection] = {name: makers[name]() for name in planes}
    return Atlas(
        space.name,
        checkpoint.digest,
        indices,
        latents,
        laid_out,
        indices[unseen],
        spacings,
        len(spacings),
        first,
        drawn,
    )


def latent_tensor(place: Place) -> torch.Tensor:
    """The place's latent as a batch of one, (1, latent)."""
    return torch.tensor(place.latent, dtype=torch.float32)[None]  # a copy: cached latents cannot be written to
