"""Predictions of every charted cell on disk: float32, or 16-bit steps of each column's range for large spaces."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from safetensors.numpy import save

from svge_core.errors import CheckpointError
from svge_core.files.atomic import write_atomically
from svge_core.files.quantisation import quantised, restored
from svge_core.files.tensors import read_arrays

#: charts of more cells are stored in steps of 1/65,535 of each column's range
STEPS_FROM = 100_000


def write_columns(path: Path, columns: Mapping[str, Float[np.ndarray, " cells"]]) -> None:
    """Write columns of equal length, whole or not at all."""
    tensors: dict[str, np.ndarray] = {}
    bounds: dict[str, tuple[float, float]] = {}
    for name, values in columns.items():
        if len(values) > STEPS_FROM:
            tensors[name], bounds[name] = quantised(values)
        else:
            tensors[name] = np.ascontiguousarray(values, dtype=np.float32)
    write_atomically(path, save(tensors, metadata={"bounds": json.dumps(bounds)} if bounds else None))


def read_columns(path: Path, names: tuple[str, ...]) -> list[Float[np.ndarray, " cells"]]:
    """The columns of these names as float32.

    Raises:
        CheckpointError: if the file is missing or damaged.
    """
    header, tensors = read_arrays(path, "Fit the predictor again.")
    try:
        bounds = json.loads(header.get("bounds", "{}"))
        return [
            restored(tensors[name], tuple(bounds[name])) if tensors[name].dtype == np.uint16 else tensors[name]
            for name in names
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). Fit the predictor again.") from None
