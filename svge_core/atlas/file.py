"""The atlas on disk: ``atlas.safetensors`` beside the weights.

Of a space of more than 100,000 cells the file is lean: it holds what takes more than a minute to rebuild (the UMAP
layout, in 16-bit steps of each axis, and quantiles of the spacings). The latents are encoded from the weights when the
file is first read and then kept in the user's cache folder; the PCA map and the held-out cells follow from them.

Of cells without an index the file holds their genotypes, the maps and the held-out rows; the latents are encoded from
the weights whenever it is read.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.charted import cached_latents, chart_indices, charted_held_out
from svge_core.atlas.drawn import DrawnChart, encode_cells, packed, rows_of, unpacked
from svge_core.atlas.projection import PlaneName, Projection, pca_plane
from svge_core.checkpoints import Checkpoint
from svge_core.data import has_indices
from svge_core.errors import CheckpointError, InvalidCellError
from svge_core.files import STEPS, quantised, read_arrays, restored, write_atomically
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.training import TrainConfig

#: version 2 had neither charts of samples nor lean files, version 3 no cells without an index
FORMAT_VERSION, READABLE = 4, ("2", "3", "4")
FILE = "atlas.safetensors"
LEAN_FROM = 100_000
QUANTILES = 1_001


def save_atlas(folder: Path, atlas: Atlas) -> Path:
    """Write ``atlas.safetensors`` atomically and return its path."""
    whole = np.array_equal(atlas.indices, np.arange(len(atlas)))
    lean = atlas.drawn is None and whole and len(atlas) > LEAN_FROM
    tensors: dict[str, np.ndarray] = {}
    planes: dict[str, object] = {}
    for name, plane in atlas.planes.items():
        if not lean:
            tensors[f"{name}.xy"], tensors[f"{name}.components"] = plane.xy, plane.components
            tensors[f"{name}.mean"], tensors[f"{name}.explained"] = plane.mean, plane.explained
            planes[name] = plane.note
        elif name == "pca":
            planes[name] = {}
        else:
            steps, bounds = zip(*(quantised(axis) for axis in plane.xy.T), strict=True)
            tensors[f"{name}.steps"] = np.stack(steps, axis=1)
            note = f"{plane.note}; stored to 1/{STEPS:,} of each axis"
            planes[name] = {"bounds": bounds, "note": note}
    if lean:
        tensors["spacings"] = np.quantile(atlas.spacings, np.linspace(0, 1, QUANTILES)).astype(np.float32)
    else:
        tensors |= {"spacings": atlas.spacings, "held_out": atlas.held_out}
        if atlas.drawn is not None:
            tensors["genotypes"] = packed(get_space(atlas.space), atlas.drawn.cells)
            tensors["family"] = atlas.drawn.family
        else:
            tensors |= {"latents": atlas.latents, **({} if whole else {"indices": atlas.indices})}
    header = {
        "format_version": str(FORMAT_VERSION),
        "space": atlas.space,
        "checkpoint": atlas.checkpoint,
        "cells": str(len(atlas)),
        "planes": json.dumps(planes),
        "spacings_of": str(atlas.spacings_of),
        **({"lean": "the latents follow from the weights"} if lean else {}),
        **({} if atlas.drawn is None else {"first": str(atlas.first), "families": json.dumps(atlas.drawn.families)}),
    }
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_atomically(folder / FILE, save(contiguous, metadata=header))
    return folder / FILE


def load_atlas(checkpoint: Checkpoint, space: AbstractSearchSpace) -> Atlas:
    """Read the atlas beside a checkpoint.

    Raises:
        CheckpointError: missing, damaged, or made with other weights; says how to rebuild it.
    """
    path, rebuild = checkpoint.folder / FILE, _rebuild(checkpoint)
    header, tensors = _read(checkpoint)
    try:
        return _from_tensors(checkpoint, space, tensors, header, f"{path}: {{}} {rebuild}")
    except KeyError as error:
        raise CheckpointError(f"{path} lacks {error}. {rebuild}") from None
    except (ValueError, TypeError, AttributeError, InvalidCellError) as error:  # also of JSON
        raise CheckpointError(f"{path} is damaged ({error}). {rebuild}") from None


def load_chart(checkpoint: Checkpoint) -> np.ndarray:
    """Official indices of the charted cells: those of the atlas beside a checkpoint where the space is not listed.

    Raises:
        CheckpointError: if they stand in an atlas that is missing or damaged; says how to build it.
    """
    space = checkpoint.model.space
    if space.enumerated:
        return chart_indices(space)
    _, tensors = _read(checkpoint)
    if "indices" not in tensors:
        raise CheckpointError(f"{checkpoint.folder / FILE} lacks 'indices'. {_rebuild(checkpoint)}")
    return tensors["indices"]


def _rebuild(checkpoint: Checkpoint) -> str:
    return f"Rebuild it with: python -m svge_core atlas --checkpoint {checkpoint.folder}"


def _read(checkpoint: Checkpoint) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Header and tensors of a file of these weights."""
    path, rebuild = checkpoint.folder / FILE, _rebuild(checkpoint)
    if not path.is_file():
        raise CheckpointError(f"{checkpoint.folder} has no {FILE}. {rebuild}")
    header, tensors = read_arrays(path, rebuild)
    if header.get("format_version") not in READABLE:
        raise CheckpointError(
            f"{path}: field 'format_version' is {header.get('format_version')!r}, this version reads "
            f"{', '.join(READABLE[:-1])} and {READABLE[-1]}. {rebuild}"
        )
    if header.get("checkpoint") != checkpoint.digest:
        raise CheckpointError(
            f"{path}: field 'checkpoint' is {header.get('checkpoint')!r}, the weights are "
            f"{checkpoint.digest!r}. {rebuild}"
        )
    return header, tensors


def _from_tensors(
    checkpoint: Checkpoint,
    space: AbstractSearchSpace,
    tensors: dict[str, np.ndarray],
    header: dict[str, str],
    frame: str,
) -> Atlas:
    """The atlas of a file's content; a KeyError names what is missing."""
    lean, drawn = "lean" in header, None
    if not has_indices(space):
        drawn = _drawn(space, tensors, header)
        tensors |= {"indices": rows_of(drawn), "latents": encode_cells(checkpoint.model, drawn.cells)}
    cells = int(header["cells"]) if lean else len(tensors["latents"])
    expected = space.size if space.enumerated else len(tensors["indices"])
    if header.get("space") != space.name or cells != expected:
        found = f"holds {cells} cells of {header.get('space')!r}"
        raise CheckpointError(frame.format(f"{found}, expected {expected} of {space.name!r}."))
    notes = json.loads(header["planes"])
    spacings = tensors["spacings"]
    indices = chart_indices(space) if space.enumerated else tensors["indices"]
    spacings_of = int(header.get("spacings_of", len(spacings)))
    if not lean:
        planes: dict[PlaneName, Projection] = {
            name: Projection(name, tensors[f"{name}.xy"], note, *_linear(tensors, name)) for name, note in notes.items()
        }
        held_out = tensors["held_out"].astype(np.int64)
        first = int(header.get("first", 0))
        shared = (space.name, checkpoint.digest, indices, tensors["latents"], planes, held_out, spacings, spacings_of)
        return Atlas(*shared, first, drawn)
    latents = cached_latents(checkpoint, indices)
    planes = {}
    for name, entry in notes.items():
        planes[name] = pca_plane(latents) if name == "pca" else _stepped(name, entry, tensors, cells, latents.shape[1])
    training = TrainConfig.from_dict(checkpoint.meta.training)
    held_out = indices[charted_held_out(space, indices, training)]
    return Atlas(space.name, checkpoint.digest, indices, latents, planes, held_out, spacings, spacings_of)


def _drawn(space: AbstractSearchSpace, tensors: dict[str, np.ndarray], header: dict[str, str]) -> DrawnChart:
    """The cells without an index that a file holds; a KeyError names what is missing."""
    cells, family = unpacked(space, tensors["genotypes"]), tensors["family"].astype(np.int8)
    families = tuple(map(str, json.loads(header["families"])))
    if family.shape != (len(cells),) or not ((family >= 0) & (family < len(families))).all():
        raise ValueError(f"family holds {family.dtype} of shape {family.shape} for {len(cells)} cells")
    return DrawnChart(cells, family, families)


def _linear(tensors: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tensors[f"{name}.components"], tensors[f"{name}.mean"], tensors[f"{name}.explained"]


def _stepped(
    name: PlaneName, entry: dict[str, object], tensors: dict[str, np.ndarray], cells: int, latent: int
) -> Projection:
    """A map without an inverse, from its 16-bit steps."""
    steps, bounds = tensors[f"{name}.steps"], entry["bounds"]
    if steps.shape != (cells, 2) or steps.dtype != np.uint16:
        raise ValueError(f"{name}.steps holds {steps.dtype} of shape {steps.shape}")
    (low_x, high_x), (low_y, high_y) = bounds  # type: ignore[misc]
    xy = np.stack([restored(steps[:, 0], (low_x, high_x)), restored(steps[:, 1], (low_y, high_y))], axis=1)
    empty = np.zeros(0, dtype=np.float32)
    return Projection(name, xy, str(entry["note"]), np.zeros((0, latent), dtype=np.float32), empty, empty)
