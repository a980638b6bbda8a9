"""``extrapolation.json`` beside a checkpoint: the table, points for a chart, and ranked cells outside the space."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.evaluation.extrapolation.config import ExtrapolationConfig
from svge_core.files import Count, StrictRecord, check_version, read_record, write_record
from svge_core.spaces import SPACES, AbstractSearchSpace, resolve

FILE = "extrapolation.json"
FORMAT_VERSION = 1
MAX_BYTES = 200_000
AGAIN = "Make it again with 'extrapolate'."


Side = Literal["inside", "outside"]


class JudgedOn(StrictRecord, frozen=True):
    """Labelled cells on each side."""

    inside: Count
    outside: Count


class Measured(StrictRecord, frozen=True):
    """One predictor on one side in one draw; None where it cannot be said, or without an interval."""

    predictor: str
    side: Side
    kendall_tau: float | None
    spearman: float | None
    rmse: float | None
    coverage: float | None
    width: float | None


class TableRow(Measured, frozen=True):
    """Means over draws with their standard deviations; labels fitted on and cells held out in each."""

    labels: Count
    held_out: Count
    draws: Count
    kendall_tau_sd: float | None = None
    spearman_sd: float | None = None
    rmse_sd: float | None = None
    coverage_sd: float | None = None
    width_sd: float | None = None


class HeldOutPoint(StrictRecord, frozen=True):
    """A held-out cell: measured, predicted by the surrogate, and by counts alone."""

    index: Count
    side: Side
    measured: float
    predicted: float
    counted: float


class OriginSummary(StrictRecord, frozen=True):
    """Cells made in one way: how many distinct ones, and their best and median predicted score."""

    origin: str
    cells: Count
    best: float
    median: float


class RankedCell(StrictRecord, frozen=True):
    """A cell in the notation of its space; its score is predicted, with an interval."""

    cell: str
    origin: str
    mean: float
    low: float
    high: float
    params_m: float


class LargerCells(StrictRecord, frozen=True):
    """Ranked cells of the larger space.

    Attributes:
        title: of the larger space.
        fitted_on: labels of the known space.
        features: that both spaces have.
        labels_range: lowest and highest of the labels.
        distinct: cells that were ranked.
        origins: by how they were made.
        reference: the best predicted cell of the known space, by the same surrogate.
        best: from the best predicted one on.
    """

    title: str
    fitted_on: Count
    features: Count
    labels_range: tuple[float, float]
    distinct: Count
    origins: tuple[OriginSummary, ...]
    reference: RankedCell
    best: tuple[RankedCell, ...]


class ExtrapolationContent(StrictRecord, frozen=True):
    """The whole file.

    Attributes:
        checkpoint: digest of the weights that decoded the larger cells.
        space: name of the known space.
        meaning: of the score, as plain values.
        config: how much was done.
        command: that does it again.
        inside, outside: the two sides in words.
        judged_on: labelled cells of each side.
        table: a row per predictor and side.
        draws: the same of every single draw.
        points: held-out cells of the first draw.
        larger: cells outside the known space.
    """

    format_version: Literal[1]
    checkpoint: str
    space: str
    meaning: dict[str, Any]
    config: ExtrapolationConfig
    command: str
    inside: str
    outside: str
    judged_on: JudgedOn
    table: tuple[TableRow, ...]
    draws: tuple[tuple[Measured, ...], ...]
    points: tuple[HeldOutPoint, ...]
    larger: LargerCells


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
    """The file, and what it speaks of.

    Attributes:
        content: everything as it was written.
        meaning: what the score is.
        space: the space of the ranked cells.
        ranked: from the best predicted one on.
        reference: the best predicted cell of the known space, by the same surrogate.
    """

    content: ExtrapolationContent
    meaning: ScoreMeaning
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


def save(folder: Path, content: ExtrapolationContent) -> Path:
    """Write ``extrapolation.json`` whole or not at all.

    Raises:
        DataError: if it would be larger than a page should read.
    """
    try:
        write_record(folder / FILE, content, max_bytes=MAX_BYTES)
    except SvgeError as error:
        raise DataError(f"{error}: keep fewer cells.") from None
    return folder / FILE


def load(folder: Path, space: AbstractSearchSpace) -> Extrapolation | None:
    """Read and check the file; None where there is none.

    Raises:
        CheckpointError: if it is damaged, too large, or of another version or space; the message names the field.
    """
    if not (folder / FILE).is_file():
        return None
    found = read_record(
        folder / FILE,
        ExtrapolationContent,
        AGAIN,
        name=FILE,
        max_bytes=MAX_BYTES,
        upgrade=lambda plain: check_version(plain, "format_version", (FORMAT_VERSION,)),
        complete=(ExtrapolationConfig,),
    )
    if found.space != space.name:
        raise CheckpointError(f"{FILE}: 'space' is {found.space!r}, the checkpoint's is {space.name!r}. {AGAIN}")
    try:
        if not found.table or not found.points:
            raise DataError("it has no table or no points")
        larger = larger_space(space, found.config.max_edges)
        ranked = [_larger(larger, row) for row in found.larger.best]
        reference = _larger(space, found.larger.reference)
        return Extrapolation(found, meaning_from_dict(found.meaning), larger, ranked, reference)
    except SvgeError as error:
        raise CheckpointError(f"{FILE} is damaged: {str(error).rstrip('.')}. {AGAIN}") from None


def _larger(space: AbstractSearchSpace, row: RankedCell) -> LargerCell:
    return LargerCell(space.parse(row.cell), row.origin, row.mean, row.low, row.high, row.params_m)
