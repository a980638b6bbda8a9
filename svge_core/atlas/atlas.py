"""The atlas of a checkpoint: the charted cells of the space with their latents and their places on the maps."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from svge_core.atlas.charted import chart_indices, charted_held_out, encode_indices
from svge_core.atlas.neighbours import nearest_latents, nearest_spacings
from svge_core.atlas.projection import FULLY_GREY, PlaneName, Projection, pca_plane, umap_plane
from svge_core.atlas.size import CHARTED
from svge_core.checkpoints import Checkpoint
from svge_core.threads import computed_once
from svge_core.training import TrainConfig

#: cells whose distance to their nearest other cell is looked for; of a larger chart a sample
SPACINGS = 20_000


@dataclass(frozen=True)
class Place:
    """What is known about one position of the latent space.

    Attributes:
        latent: (latent,) coordinates.
        xy: position on the map it was asked for.
        neighbours: rows of the nearest charted cells in the latent space, nearest first.
        distances: their Euclidean latent distances.
        percentile: share of charted cells whose own nearest neighbour is closer than this position's, 0 to 100.
        map_spacings: distance on the map to the nearest drawn cell, in units of the map's usual spacing; 0 for a
            place that was not chosen on the map.
    """

    latent: Float[np.ndarray, " latent"]
    xy: tuple[float, float]
    neighbours: np.ndarray
    distances: np.ndarray
    percentile: float
    map_spacings: float = 0.0

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
    """

    space: str
    checkpoint: str
    indices: Int[np.ndarray, " cells"]
    latents: Float[np.ndarray, "cells latent"]
    planes: dict[PlaneName, Projection]
    held_out: np.ndarray
    spacings: Float[np.ndarray, " sampled"]
    spacings_of: int

    @computed_once
    def digest(self) -> str:
        """32 hex digits that change with the model's weights, the charted cells or any map (BLAKE2b, 128 bits)."""
        state = hashlib.blake2b(f"{self.space} {self.checkpoint} {self.spacings_of}".encode(), digest_size=16)
        for name, plane in self.planes.items():
            state.update(f" {name} {plane.digest}".encode())
        for values in (self.indices, self.held_out):
            state.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
        return state.hexdigest()

    def __len__(self) -> int:
        return len(self.indices)

    def row(self, index: int) -> int | None:
        """The row of an official index; None where the cell is not charted."""
        if not 0 <= index < 2**63:
            return None
        row = int(np.searchsorted(self.indices, index))
        return row if row < len(self.indices) and int(self.indices[row]) == index else None

    def place(self, plane: PlaneName, point: tuple[float, float], neighbours: int = 6) -> Place:
        """Invert a position of a map."""
        found = self.place_of_latent(self.planes[plane].to_latent(point, self.latents), point, neighbours)
        distances, _ = self.planes[plane].neighbours(point, 1)
        return replace(found, map_spacings=float(distances[0]) / max(self.planes[plane].spacing, 1e-12))

    def place_of_cell(self, plane: PlaneName, row: int, neighbours: int = 6) -> Place:
        """The place of a charted cell by its row; the cell itself is not among its neighbours."""
        x, y = self.planes[plane].xy[row].tolist()
        distances, rows = self.nearest(self.latents[row], neighbours + 1)
        others = rows != row
        percentile = self._percentile(0.0)
        return Place(self.latents[row], (x, y), rows[others][:neighbours], distances[others][:neighbours], percentile)

    def place_of_latent(
        self, latent: Float[np.ndarray, " latent"], point: tuple[float, float], neighbours: int = 6
    ) -> Place:
        """What surrounds a latent."""
        distances, rows = self.nearest(latent, neighbours)
        return Place(latent, point, rows, distances, self._percentile(float(distances[0])))

    def nearest(
        self, latent: Float[np.ndarray, " latent"], count: int
    ) -> tuple[Float[np.ndarray, " neighbours"], Int[np.ndarray, " neighbours"]]:
        """Euclidean distances and rows of the charted cells nearest to a latent."""
        return nearest_latents(self.latents, latent, count, self._squares)

    @computed_once
    def _squares(self) -> np.ndarray:
        return np.einsum("ij,ij->i", self.latents, self.latents)

    def _percentile(self, distance: float) -> float:
        return 100.0 * float(np.searchsorted(self.spacings, distance)) / len(self.spacings)


def build_atlas(
    checkpoint: Checkpoint,
    *,
    planes: tuple[PlaneName, ...] = ("umap", "pca"),
    seed: int = 1,
    charted: int = CHARTED,
) -> Atlas:
    """Encode the charted cells and lay out their maps.

    Args:
        checkpoint: gives the model, the space and the cells held out.
        planes: the maps to lay out.
        seed: of the sample and of UMAP.
        charted: size of the sample of a space that is not listed.

    Raises:
        SvgeError: if cells of the space have no index of 64 bits.
    """
    model, space = checkpoint.model, checkpoint.model.space
    indices = chart_indices(space, charted, seed)
    latents = encode_indices(model, indices)
    held_out = indices[charted_held_out(space, indices, TrainConfig.from_dict(checkpoint.meta.training))]
    makers = {"umap": lambda: umap_plane(latents, seed=seed), "pca": lambda: pca_plane(latents)}
    spacings = nearest_spacings(latents, SPACINGS, seed)
    laid_out: dict[PlaneName, Projection] = {name: makers[name]() for name in planes}
    return Atlas(space.name, checkpoint.digest, indices, latents, laid_out, held_out, spacings, len(spacings))


def latent_tensor(place: Place) -> torch.Tensor:
    """The place's latent as a batch of one, (1, latent)."""
    return torch.tensor(place.latent, dtype=torch.float32)[None]  # a copy: cached latents cannot be written to
