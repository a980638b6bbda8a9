"""What the commands about single architectures share: how a cell is named, known and predicted, and writing files."""

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.cli.common import emit
from svge_core.data import Scores, analytic_scores, load_scores
from svge_core.errors import DataError, SvgeError
from svge_core.exporting import write_atomic
from svge_core.models import encode_all
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_batch

if TYPE_CHECKING:
    from svge_core.predictors import Predictors

CellRow = dict[str, Any]


def name_cell(space: AbstractSearchSpace, cell: Cell) -> CellRow:
    """Official index (None where there is none) and the community's notation."""
    return {"index": space.index(cell) if space.size is not None else None, "arch_str": space.format(cell)}


def title(row: CellRow) -> str:
    """A named cell for people."""
    return row["arch_str"] if row["index"] is None else f"{row['index']:>6}  {row['arch_str']}"


def encode_cells(checkpoint: Checkpoint, cells: list[Cell]) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and standard deviations, (cells, latent) each."""
    means, log_vars = encode_all(checkpoint.model, to_batch(checkpoint.model.space, cells))
    return means.numpy(), (0.5 * log_vars).exp().numpy()


def known_scores(space: AbstractSearchSpace) -> Scores:
    """Measured and analytic values; the analytic ones alone where the measured are not installed."""
    try:
        return load_scores(space)
    except DataError:
        return analytic_scores(space)


def open_predictors(checkpoint: Checkpoint, only: str | None = None) -> "tuple[Predictors, tuple[str, ...]]":
    """The predictors of a checkpoint and the scores that are asked for; none where the checkpoint has no predictors.

    Raises:
        SvgeError: if there is no predictor for the one score that is asked for.
    """
    from svge_core.predictors import load_predictors

    predictors = load_predictors(checkpoint, checkpoint.model.space)
    keys = predictors.score_keys
    if only is not None and keys and only not in keys:
        raise SvgeError(f"No predictor for {only[:64]!r}: this checkpoint has {', '.join(keys)}.")
    return predictors, tuple(key for key in keys if only in (None, key))


def csv_bytes(rows: list[CellRow]) -> bytes:
    """Rows of equal columns as a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_output(arguments: argparse.Namespace, path: Path, content: bytes, count: int) -> int:
    """Write a file whole, and say so."""
    write_atomic(path, content)
    emit(arguments, {"file": str(path), "count": count}, f"wrote {count:,} to {path}")
    return 0
