"""Arrays and texts that the browser fetches by URL, kept in ``static/map/`` beside the running script."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from svge_core.data import fits_float32
from svge_core.files import write_atomically
from ui.paths import ROOT

_PUBLIC = Path("static") / "map"
#: end of the names of files of float64
WIDE = ".f64"
# Streamlit refuses to serve a static folder of more than 1 GB; the least recently used arrays go well before that.
_PUBLIC_LIMIT_BYTES = 600 * 2**20
_PUBLIC_KEEP_SECONDS = 24 * 3600.0


def publish_array(array: NDArray[Any], name: str) -> str:
    """Make an array fetchable by the browser and return its URL.

    The file is written once, atomically, as raw little-endian numbers under a name with the content's hash: float32, or
    float64 under the suffix ``.f64`` where float32 cannot hold them. Needs ``server.enableStaticServing``. Cache the
    URL beside the data: hashing 400,000 points takes a few milliseconds, which a rerun should not pay.
    """
    array = np.asarray(array)
    wide = array.dtype == np.float64 and not fits_float32(array.ravel())
    if array.dtype.kind == "f":
        array = array.astype("<f8" if wide else "<f4", copy=False)
    return _publish(np.ascontiguousarray(array).tobytes(), name, WIDE if wide else ".bin")


def published_floats(url: str) -> NDArray[Any]:
    """The floats behind a URL from :func:`publish_array`, in one row."""
    return np.fromfile(published_path(url), dtype="<f8" if url.endswith(WIDE) else "<f4")


def publish_text(lines: Sequence[str], name: str) -> str:
    """Make one line of text per point fetchable by the browser and return its URL. Line breaks become spaces."""
    return _publish("\n".join(" ".join(line.splitlines()) for line in lines).encode(), name, ".txt")


def publish_file(path: Path, name: str) -> str:
    """Make a copy of a file fetchable by the browser, as plain text whatever it is, and return its URL."""
    return _publish(path.read_bytes(), name, ".txt")


def published_path(url: str) -> Path:
    """The file behind a URL from :func:`publish_array`; for the chart that replaces the map."""
    return public_folder() / Path(url).name


def keep_public(*urls: str | None) -> None:
    """Note that these files are in use, so that they are not dropped. A missing one is the browser's to report."""
    for url in filter(None, urls):
        with contextlib.suppress(OSError):
            os.utime(published_path(url))


def public_folder() -> Path:
    """Where they lie."""
    return _script_folder() / _PUBLIC


def _script_folder() -> Path:
    """Streamlit serves the ``static`` folder beside the script it was started with, whatever the working directory."""
    context = get_script_run_ctx(suppress_warning=True)
    return Path(context.main_script_path).resolve().parent if context else ROOT


def _publish(content: bytes, name: str, suffix: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.") or "data"
    file_name = f"{safe[:60]}-{hashlib.sha256(content).hexdigest()[:20]}{suffix}"
    folder = public_folder()
    target = folder / file_name
    if target.exists():
        os.utime(target)  # the time of last use, which decides what is dropped first
    else:
        folder.mkdir(parents=True, exist_ok=True)
        _drop_old(folder, _PUBLIC_LIMIT_BYTES - len(content))
        write_atomically(target, content)
    return f"app/static/map/{file_name}"


def _drop_old(folder: Path, limit: int) -> None:
    """Delete the least recently used files above the limit, but none of the last day: a page may still show it."""
    files = sorted(((path.stat(), path) for path in folder.iterdir()), key=lambda entry: entry[0].st_mtime)
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in files:
        if total <= limit or time.time() - stat.st_mtime < _PUBLIC_KEEP_SECONDS:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size
