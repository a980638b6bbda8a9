"""Reading safetensors files: header and tensors, or one line that says what is wrong and what to do."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from safetensors import SafetensorError, safe_open
from torch import Tensor

from svge_core.errors import CheckpointError


def read_arrays(path: Path, advice: str) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Header (empty where there is none) and all tensors of a file as NumPy arrays, by name.

    Args:
        path: the safetensors file.
        advice: a sentence that ends the message of an error: how to get the file again.

    Raises:
        CheckpointError: if the file is missing or damaged.
    """
    return _read(path, "np", advice)


def read_tensors(path: Path, advice: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """As :func:`read_arrays`, with PyTorch tensors on the CPU."""
    return _read(path, "pt", advice)


def _read(path: Path, framework: Literal["np", "pt"], advice: str) -> tuple[dict[str, str], dict[str, Any]]:
    try:
        # the compiled class says nothing of what it opens
        with cast("AbstractContextManager[Any]", safe_open(path, framework=framework)) as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing. {advice}") from None
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())  # one line, whatever the library says
        raise CheckpointError(f"{path} is damaged (not safetensors: {reason}). {advice}") from None
