"""Labels of part of a space from a CSV file: what a predictor is fitted on where nothing measured is shipped."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from svge_core.data.meaning import ScoreMeaning, meaning_from_dict
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace

#: columns that say which cell a row is about, in the order of preference; all but ``index`` are parsed by the space
CELL_COLUMNS = ("index", "hash", "arch_str", "arch", "architecture")
MAX_ROWS = 2_000_000


@dataclass(frozen=True)
class Labels:
    """Labelled cells, each once, in ascending order of their indices.

    Attributes:
        indices: official indices.
        values: finite labels.
    """

    indices: Int[np.ndarray, " cells"]
    values: Float[np.ndarray, " cells"]


def read_labels(path: Path, column: str, space: AbstractSearchSpace) -> Labels:
    """Read one label per cell from a CSV file (gzip by its ending); empty labels are left out, repeats averaged.

    Raises:
        DataError: if the file or a column is missing, or a label is not a number; ParseError if a cell is not one.
    """
    try:
        header = pd.read_csv(path, nrows=0).columns
        found = next((name for name in CELL_COLUMNS if name in header), None)
        if found is None or column not in header:
            raise DataError(
                f"{path.name} needs a column {column!r} and one of {', '.join(CELL_COLUMNS)}; it has "
                f"{', '.join(map(str, header))[:300]}."
            )
        frame = pd.read_csv(
            path, usecols=[found, column], dtype={found: np.int64 if found == "index" else str}, nrows=MAX_ROWS
        )
    except (OSError, ValueError) as error:
        raise DataError(f"The label file {path.name} cannot be read: {error}.") from None
    given = frame[column]
    values = np.asarray(pd.to_numeric(given, errors="coerce"), dtype=np.float64)
    wrong = np.flatnonzero(given.notna().to_numpy() & ~np.isfinite(values))
    if len(wrong):
        text = str(given.iloc[int(wrong[0])])[:40]
        raise DataError(f"Column {column!r} of {path.name} must hold finite numbers; got {text!r}.")
    known = np.isfinite(values)
    cells = frame[found].to_numpy()[known]
    if found == "index":
        indices = cells.astype(np.int64)
        if len(indices) and not (indices.min() >= 0 and indices.max() < (space.size or 0)):
            raise DataError(f"An index of {path.name} is outside 0 to {(space.size or 0) - 1} of {space.title}.")
    else:
        indices = np.array([space.index(space.parse(str(text))) for text in cells], dtype=np.int64)
    distinct, back = np.unique(indices, return_inverse=True)
    means = np.bincount(back, weights=values[known]) / np.maximum(np.bincount(back), 1)
    return Labels(distinct, means)


def read_meaning(path: Path) -> ScoreMeaning:
    """What the labels are, from a JSON file with the fields of :class:`ScoreMeaning`.

    Raises:
        DataError: if the file is missing or a field is not right.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"The meaning {path.name} cannot be read: {error}.") from None
    return meaning_from_dict(raw)
