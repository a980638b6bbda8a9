"""D-VAE's ENAS cells, ``final_structures6.txt``: one cell per line with its weight-sharing accuracy.

The accuracy is that of a network with all operations whose weights all cells share. It is not that of the cell trained
from scratch, and is labelled so.
"""

from pathlib import Path

import numpy as np

from svge_core.data.importers.messages import shown, unusable
from svge_core.data.importers.table import Columns, ImportedTable, OnProgress, silent
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import DataError
from svge_core.spaces import ENASMacro

MAX_BYTES = 256 * 2**20
MAX_LINE = 2_000
#: D-VAE and SVGe leave out the first lines of the file
SKIPPED_BY_DVAE = 1_000


def read_enas(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """Read every line; a cell on several lines gets the mean.

    Raises:
        DataError: naming the line that cannot be used.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(f"{shown(path)} has {size:,} bytes; at most {MAX_BYTES:,} are expected.")
    space: ENASMacro | None = None
    found: dict[str, list[float]] = {}
    indices: dict[str, int] = {}
    first_lines: dict[str, int] = {}
    done = lines = 0
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE + 1):
            lines += 1
            done += len(raw)
            try:
                if len(raw) > MAX_LINE:
                    raise DataError(f"it has more than {MAX_LINE:,} characters")
                text = raw.decode("ascii").strip()
                if not text:
                    continue
                space = space or ENASMacro(12 if text.count("[") > 8 else 6)
                cell, score = space.parse_labelled_line(text)
                if score is None:
                    raise DataError("it has no accuracy: the file is cut off, or not D-VAE's")
                if not 0 <= score <= 1:
                    raise DataError(f"its accuracy is {score:g}; expected 0 to 1")
            except Exception as error:
                raise unusable(path, f"line {lines:,} (byte {done - len(raw):,})", error) from None
            arch = space.format(cell)
            found.setdefault(arch, []).append(100 * score)
            indices.setdefault(arch, space.index(cell))
            first_lines.setdefault(arch, lines - 1)
            if not lines % 1024:
                progress(done, size)
    if space is None:
        raise DataError(f"{shown(path)} has no line: expected [[1], [4, 0], ...], 0.7302 on each.")
    progress(size, size)
    meaning = ScoreMeaning(
        f"{space.name}_ws_acc",
        "Weight-sharing accuracy",
        "%",
        "max",
        "CIFAR-10",
        "validation images of the ENAS run",
        None,
        "one network with shared weights for all cells; not trained from scratch",
        "measured",
        f"ENAS cells of D-VAE (Zhang et al. 2019), {shown(path)}",
        role="accuracy",
        origin="imported",
        single_run=False,
    )
    # indices of 12 layers do not fit 64 bits
    wide = [indices[arch] for arch in found]
    columns = Columns(
        arch=list(found),
        cell_index=wide if max(wide) < 2**63 else list(map(str, wide)),
        row=list(first_lines.values()),
    )
    columns.add(meaning, np.array([np.mean(values) for values in found.values()]))
    notes = [f"D-VAE and SVGe leave out the first {SKIPPED_BY_DVAE:,} lines; column 'row' counts from 0."]
    if repeated := sum(len(values) > 1 for values in found.values()):
        notes.append(f"{repeated:,} cells stand on several lines; their mean is used.")
    title = f"ENAS cells of {space.layers} layers (D-VAE)"
    return ImportedTable(
        space.name, f"{space.name}-dvae", title, "arch", columns.frame(), columns.meanings, tuple(notes)
    )
