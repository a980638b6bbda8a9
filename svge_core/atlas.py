"""The atlas of a checkpoint: every cell of the space, its latent and its place on the maps, beside the weights."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from scipy.spatial import KDTree

from svge_core.checkpoints import Checkpoint
from svge_core.errors import CheckpointError
from svge_core.files import write_atomically
from svge_core.metrics import encode_all
from svge_core.projection import FULLY_GREY, Plane, PlaneName, nearest_latents, pca_plane, umap_plane
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch
from svge_core.training import TrainConfig, split_cells

FORMAT_VERSION = 2
FILE = "atlas.safetensors"


@dataclass(frozen=True)
class Place:
    """What is known about one position of the latent space.

    Attributes:
        latent: (latent,) coordinates.
        xy: position on the map it was asked for.
        neighbours: official indices of the nearest known cells in the latent space, nearest first.
        distances: their Euclidean latent distances.
        percentile: share of known cells whose own nearest neighbour is closer than this position's, 0 to 100.
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
    """All cells of an enumerated space in official order.

    Attributes:
        space: name of the search space.
        checkpoint: digest of the weights that made the latents.
        latents: posterior means.
        planes: maps by name.
        held_out: official indices never trained on.
        spacings: sorted distances of the cells to their nearest other cell in the latent space.
    """

    space: str
    checkpoint: str
    latents: Float[np.ndarray, "cells latent"]
    planes: dict[PlaneName, Plane]
    held_out: np.ndarray
    spacings: Float[np.ndarray, " cells"]

    def place(self, plane: PlaneName, point: tuple[float, float], neighbours: int = 6) -> Place:
        """Invert a position of a map."""
        found = self.place_of_latent(self.planes[plane].to_latent(point, self.latents), point, neighbours)
        distances, _ = self.planes[plane].neighbours(point, 1)
        return replace(found, map_spacings=float(distances[0]) / max(self.planes[plane].spacing, 1e-12))

    def place_of_cell(self, plane: PlaneName, index: int, neighbours: int = 6) -> Place:
        """The place of a known cell; the cell itself is not among its neighbours."""
        x, y = self.planes[plane].xy[index].tolist()
        distances, indices = nearest_latents(self.latents, self.latents[index], neighbours + 1)
        others = indices != index
        percentile = self._percentile(0.0)
        return Place(
            self.latents[index], (x, y), indices[others][:neighbours], distances[others][:neighbours], percentile
        )

    def place_of_latent(
        self, latent: Float[np.ndarray, " latent"], point: tuple[float, float], neighbours: int = 6
    ) -> Place:
        """What surrounds a latent."""
        distances, indices = nearest_latents(self.latents, latent, neighbours)
        return Place(latent, point, indices, distances, self._percentile(float(distances[0])))

    def _percentile(self, distance: float) -> float:
        return 100.0 * float(np.searchsorted(self.spacings, distance)) / len(self.spacings)


def build_atlas(checkpoint: Checkpoint, *, planes: tuple[PlaneName, ...] = ("umap", "pca"), seed: int = 1) -> Atlas:
    """Encode the whole space and lay out its maps."""
    model, space = checkpoint.model, checkpoint.model.space
    cells = to_batch(space, list(space.enumerate()))
    latents = encode_all(model, cells)[0].numpy()
    training = TrainConfig.from_dict(checkpoint.meta.training)
    held_out = split_cells(len(cells), training.held_out, training.seed).held_out.numpy()
    makers = {"umap": lambda: umap_plane(latents, seed=seed), "pca": lambda: pca_plane(latents)}
    distances = np.asarray(KDTree(latents).query(latents, k=2)[0])
    spacings = np.sort(distances[:, 1]).astype(np.float32)
    return Atlas(space.name, checkpoint.digest, latents, {name: makers[name]() for name in planes}, held_out, spacings)


def save_atlas(folder: Path, atlas: Atlas) -> Path:
    """Write ``atlas.safetensors`` atomically and return its path."""
    tensors: dict[str, np.ndarray] = {"latents": atlas.latents, "held_out": atlas.held_out.astype(np.int32)}
    tensors["spacings"] = atlas.spacings
    notes: dict[str, str] = {}
    for name, plane in atlas.planes.items():
        tensors[f"{name}.xy"] = plane.xy
        tensors[f"{name}.components"] = plane.components
        tensors[f"{name}.mean"] = plane.mean
        tensors[f"{name}.explained"] = plane.explained
        notes[name] = plane.note
    header = {
        "format_version": str(FORMAT_VERSION),
        "space": atlas.space,
        "checkpoint": atlas.checkpoint,
        "planes": json.dumps(notes),
    }
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_atomically(folder / FILE, save(contiguous, metadata=header))
    return folder / FILE


def load_atlas(checkpoint: Checkpoint, space: AbstractSearchSpace) -> Atlas:
    """Read the atlas beside a checkpoint.

    Raises:
        CheckpointError: missing, damaged, or made with other weights; says how to rebuild it.
    """
    path = checkpoint.folder / FILE
    rebuild = f"Rebuild it with: python -m svge_core atlas --checkpoint {checkpoint.folder}"
    if not path.is_file():
        raise CheckpointError(f"{checkpoint.folder} has no {FILE}. {rebuild}")
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). {rebuild}") from None
    if header.get("format_version") != str(FORMAT_VERSION):
        raise CheckpointError(
            f"{path}: field 'format_version' is {header.get('format_version')!r}, this version reads "
            f"{FORMAT_VERSION}. {rebuild}"
        )
    if header.get("checkpoint") != checkpoint.digest:
        raise CheckpointError(
            f"{path}: field 'checkpoint' is {header.get('checkpoint')!r}, the weights are "
            f"{checkpoint.digest!r}. {rebuild}"
        )
    try:
        return _from_tensors(checkpoint, space, tensors, header, f"{path}: {{}} {rebuild}")
    except KeyError as error:
        raise CheckpointError(f"{path} lacks {error}. {rebuild}") from None
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is damaged ({error}). {rebuild}") from None


def _from_tensors(
    checkpoint: Checkpoint,
    space: AbstractSearchSpace,
    tensors: dict[str, np.ndarray],
    header: dict[str, str],
    frame: str,
) -> Atlas:
    """The atlas of a file's content; a KeyError names what is missing."""
    if header.get("space") != space.name or len(tensors["latents"]) != space.size:
        found = f"holds {len(tensors['latents'])} cells of {header.get('space')!r}"
        raise CheckpointError(frame.format(f"{found}, expected {space.size} of {space.name!r}."))
    notes = json.loads(header["planes"])
    planes: dict[PlaneName, Plane] = {
        name: Plane(
            name,
            tensors[f"{name}.xy"],
            note,
            tensors[f"{name}.components"],
            tensors[f"{name}.mean"],
            tensors[f"{name}.explained"],
        )
        for name, note in notes.items()
    }
    held_out = tensors["held_out"].astype(np.int64)
    return Atlas(space.name, checkpoint.digest, tensors["latents"], planes, held_out, tensors["spacings"])


def latent_tensor(place: Place) -> torch.Tensor:
    """The place's latent as a batch of one, (1, latent)."""
    return torch.from_numpy(np.asarray(place.latent, dtype=np.float32))[None]
