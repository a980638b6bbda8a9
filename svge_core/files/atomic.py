"""Files are written whole or not at all, derived ones in the user's cache; shares are never rounded up to 100 %."""

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it: readers see the old or the new file, whole.

    Raises:
        OSError: if the folder is not writable or the disk is full; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # temporary files are private by default
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def cache_dir() -> Path:
    """The user's cache folder for derived tables: ``$XDG_CACHE_HOME/svge-explorer`` or ``~/.cache/svge-explorer``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "svge-explorer"


def keep_arrays(path: Path, arrays: np.ndarray | Mapping[str, np.ndarray]) -> None:
    """Write an array (``.npy``) or named ones (``.npz``) to the cache folder, whole; where that fails, nothing happens.

    A home folder that is read-only or full costs the time to compute them again, not the result.
    """
    content = io.BytesIO()
    if isinstance(arrays, np.ndarray):
        np.save(content, arrays, allow_pickle=False)
    else:
        np.savez(content, allow_pickle=False, **arrays)
    with contextlib.suppress(OSError):
        write_atomically(path, content.getvalue())
