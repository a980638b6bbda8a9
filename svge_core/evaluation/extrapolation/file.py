"""``extrapolation.json`` beside a checkpoint: the table, points for a chart, and ranked cells outside the space."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.evaluation.extrapolation.draws import MEASURES
from svge_core.files import write_atomically
from svge_core.spaces import SPACES, AbstractSearchSpace, resolve

FILE = "extrapolation.json"
FORMAT_VERSION = 1
MAX_BYTES = 200_000


@dataclass(frozen=True)
class LargerCell:
    """A ranked cell; its score is predicted."""

    cell: Cell
    origin: str
    mean: float
    low: float
    high: float
    params_m: float


@dataclass(frozen=True)
class Extrapolation:
    """What the file holds, checked.

    Attributes:
        content: everything as it was written.
        meaning: what the score is.
        table: a row per predictor and side.
        points: held-out cells of the first draw.
        space: the space of the ranked cells.
        ranked: from the best predicted one on.
        reference: the best predicted cell of the known space, by the same surrogate.
    """

    content: dict[str, Any]
    meaning: ScoreMeaning
    table: list[dict[str, Any]]
    points: list[dict[str, Any]]
    space: AbstractSearchSpace
    ranked: list[LargerCell]
    reference: LargerCell


def larger_space(space: AbstractSearchSpace, max_edges: int = 9) -> AbstractSearchSpace:
    """The larger space of a known one.

    Args:
        space: the known one.
        max_edges: most edges of a larger cell, where the larger space has such a bound.

    Raises:
        SvgeError: if there is none.
    """
    larger = space.larger()
    if larger is None:
        known = " and from ".join(name for name, other in SPACES.items() if other.larger() is not None)
        raise SvgeError(f"There is no larger space of {space.name}: extrapolation goes from {known}.")
    return resolve(larger.make)(max_edges)


def save(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``extrapolation.json`` whole or not at all.

    Raises:
        DataError: if it would be larger than a page should read.
    """
    text = (json.dumps(content, allow_nan=False, separators=(",", ":")) + "\n").encode()
    if len(text) > MAX_BYTES:
        raise DataError(f"{FILE} would have {len(text):,} bytes, more than {MAX_BYTES:,}: keep fewer cells.")
    write_atomically(folder / FILE, text)
    return folder / FILE


def load(folder: Path, space: AbstractSearchSpace) -> Extrapolation | None:
    """Read and check the file; None where there is none.

    Raises:
        CheckpointError: if it is damaged, too large, or of another version or space; the message names the field.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path.name} is larger than {MAX_BYTES:,} bytes. Make it again with 'extrapolate'.")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged ({error}). Make it again with 'extrapolate'.") from None
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        found = content.get("format_version") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path.name}: 'format_version' is {found!r}, this version reads {FORMAT_VERSION}.")
    if content.get("space") != space.name:
        raise CheckpointError(f"{path.name}: 'space' is {content.get('space')!r}, the checkpoint's is {space.name!r}.")
    try:
        larger = larger_space(space, content["config"]["max_edges"])
        rows = [_checked(row, ("predictor", "side", "labels", "held_out"), MEASURES) for row in content["table"]]
        dots = [_checked(row, ("side",), ("measured", "predicted", "counted")) for row in content["points"]]
        part = content["larger"]
        for name in ("title", "fitted_on", "distinct", "origins", "labels_range"):
            part[name]
        for name in ("checkpoint", "command", "inside", "outside", "judged_on"):
            content[name]
        best = [_larger(larger, row) for row in part["best"]]
        return Extrapolation(
            content, meaning_from_dict(content["meaning"]), rows, dots, larger, best, _larger(space, part["reference"])
        )
    except (SvgeError, KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{path.name} is damaged: {what}. Make it again with 'extrapolate'.") from None


def _checked(row: dict[str, Any], texts: tuple[str, ...], numbers: tuple[str, ...]) -> dict[str, Any]:
    for name in texts:
        row[name]
    for name in numbers:
        if row[name] is not None:
            float(row[name])
    return row


def _larger(space: AbstractSearchSpace, row: dict[str, Any]) -> LargerCell:
    numbers = (float(row[name]) for name in ("mean", "low", "high", "params_m"))
    return LargerCell(space.parse(row["cell"]), str(row["origin"]), *numbers)
