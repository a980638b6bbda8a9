"""Finding cells: by what a person types, by filters, by an outline; and statistics of what was found."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from svge_core.cells import Cell
from svge_core.data import Direction, mean_and_deviation, median
from svge_core.errors import DataError, InvalidCellError, ParseError
from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.queries import met_by, parse_query, vocabulary_of
from svge_core.spaces import AbstractSearchSpace

MAX_TEXT = 2_000
_INDEX = re.compile(r"#?\s*(\d{1,40})", re.ASCII)
_DIGITS = re.compile(r"\d+(\s+\d+)*", re.ASCII)


def find_forms(space: AbstractSearchSpace) -> str:
    """What :func:`find_cell` reads, in words."""
    forms = [space.notation_in_words]
    if space.size is not None:
        forms.append(f"an index (0 to {space.size - 1:,})")
    forms += [form.words for form in space.text_forms() if form.words]
    genes = "genotype digits" if space.digits_joined else "genotype numbers with spaces between"
    return f"{', '.join(forms)} or {len(space.gene_choices)} {genes}"


def find_cell(space: AbstractSearchSpace, text: str) -> Cell:
    """The cell a person means: one of the space's further forms, a genotype, an index or a string of its notation.

    Indices are ``12`` or ``#12``; genotypes are as many digits as the space has genes, ``431204`` or ``4 3 1 2 0 4``.
    Where a gene has more than ten choices only the latter is a genotype, and digits alone are an index. Digits that can
    be both, and name two cells, are refused.

    Raises:
        ParseError: in one line, with what was expected.
    """
    given = text.strip()
    genes = len(space.gene_choices)
    forms = find_forms(space)
    if not given or len(given) > MAX_TEXT:
        raise ParseError(f"Type {forms}.")
    for form in space.text_forms():
        if form.pattern.fullmatch(given):
            return form.read(given)
    if _DIGITS.fullmatch(given):
        digits = given.split()
        if len(digits) == 1 and space.digits_joined:
            digits = list(given)
        if len(digits) == genes:
            genotype = tuple(map(int, digits))
            if given.isdigit() and _is_index(space, given):
                return _either(space, given, genotype)
            return space.from_genotype(genotype)
    if (match := _INDEX.fullmatch(given)) and space.size is not None:
        return space.from_index(int(match[1]))
    if not space.resembles(given):
        raise ParseError(f"{given[:60]!r} is no architecture: type {forms}.")
    return space.parse(given)


def _is_index(space: AbstractSearchSpace, digits: str) -> bool:
    """Whether digits alone can be meant as an index: those are not written with zeros in front."""
    plain = digits == "0" or not digits.startswith("0")
    return plain and space.size is not None and int(digits) < space.size


def _either(space: AbstractSearchSpace, given: str, genotype: tuple[int, ...]) -> Cell:
    """What digits mean that can be an index and a genotype.

    Raises:
        ParseError: if they name two cells.
    """
    named = space.from_index(int(given))
    try:
        coded = space.from_genotype(genotype)
    except InvalidCellError:
        return named
    if space.canonical(coded) != space.canonical(named):
        raise ParseError(
            f"{given} is the index of one cell and the genotype of another: write #{given} for the index, "
            f"{' '.join(map(str, genotype))} for the genotype."
        )
    return named


@dataclass(frozen=True)
class CellFilter:
    """Which cells stay in full colour; the others are dimmed.

    Attributes:
        score_key: column of the score range; empty for none.
        score: lowest and highest value, both included.
        params: lowest and highest number of parameters in millions.
        contains: operations that must occur.
        without: operations that must not occur.
        held_out_only: only cells the model was never trained on.
        where: a question in words, see :func:`svge_core.explorer.find_rows`; asked of the cells that meet the rest.
    """

    score_key: str = ""
    score: tuple[float, float] | None = None
    params: tuple[float, float] | None = None
    contains: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    held_out_only: bool = False
    where: str = ""

    @property
    def active(self) -> int:
        """Number of conditions."""
        ranges = (self.score is not None) + (self.params is not None)
        return ranges + bool(self.contains) + bool(self.without) + self.held_out_only + bool(self.where)


def kept_by(
    explorer: ChartedCells, conditions: CellFilter, score: Float[np.ndarray, " cells"] | None = None
) -> Bool[np.ndarray, " cells"]:
    """True for the cells that meet every condition. A cell without a value fails a condition on it.

    Args:
        explorer: the charted cells and what is known about them.
        conditions: what a cell has to meet.
        score: values of the column that ``conditions.score`` speaks of.

    Raises:
        DataError: if an operation is not one of the space, or the values are missing.
        ParseError: if the words are not understood.
    """
    keep = np.ones(len(explorer.atlas), dtype=bool)
    if conditions.score is not None:
        if score is None:
            raise DataError("A filter by score needs the values of the score.")
        keep &= (score >= conditions.score[0]) & (score <= conditions.score[1])
    if conditions.params is not None:
        keep &= (explorer.params >= conditions.params[0]) & (explorer.params <= conditions.params[1])
    for op in (*conditions.contains, *conditions.without):
        if op not in explorer.space.operations:
            raise DataError(f"{explorer.space.title} has no operation {op[:40]!r}.")
        uses = explorer.operation_counts[:, explorer.space.operations.index(op)] > 0
        keep &= uses if op in conditions.contains else ~uses
        if op in conditions.contains and op in conditions.without:
            keep &= False
    if conditions.held_out_only:
        keep &= explorer.held_out
    if conditions.where:
        vocabulary = vocabulary_of(explorer)
        keep = met_by(explorer, parse_query(conditions.where, vocabulary), keep, vocabulary)
    return keep


def selection_columns(explorer: ChartedCells, rows: Int[np.ndarray, " selected"]) -> pd.DataFrame:
    """Indices, notations, all scores and all predictions of many cells, without asking for each cell on its own."""
    numbers = {} if explorer.atlas.drawn is not None else {"index": explorer.atlas.indices[rows]}
    frame = pd.DataFrame(numbers)
    frame["arch_str"] = [explorer.space.format(cell) for cell in explorer.cells_at(rows)]
    parts = {key: explorer.scores.frame[key].to_numpy()[rows] for key in explorer.scores.meanings}
    for key, stored in explorer.stored_predictions.items():
        parts |= {
            f"predicted_{key}": stored.mean[rows],
            f"predicted_{key}_low": stored.low[rows],
            f"predicted_{key}_high": stored.high[rows],
        }
    return pd.concat([frame, pd.DataFrame(parts)], axis=1)


@dataclass(frozen=True)
class Summary:
    """Statistics of a column over a set of cells; NaN where no cell has a value.

    Attributes:
        count: cells in the set.
        known: cells with a value.
        best: row of the best cell; None where no cell has a value.
    """

    count: int
    known: int
    mean: float
    deviation: float
    median: float
    low: float
    high: float
    best: int | None


def summary(
    values: Float[np.ndarray, " cells"], rows: Int[np.ndarray, " selected"], direction: Direction = "max"
) -> Summary:
    """Statistics of the chosen rows; the deviation is that of the set itself (not an estimate for a larger one)."""
    chosen = values[rows]
    finite = np.isfinite(chosen)
    if not finite.any():
        nan = float("nan")
        return Summary(len(rows), 0, nan, nan, nan, nan, nan, None)
    known = chosen[finite]
    best = rows[finite][known.argmax() if direction == "max" else known.argmin()]
    return Summary(
        len(rows),
        len(known),
        *mean_and_deviation(known),
        median(known),
        float(known.min()),
        float(known.max()),
        int(best),
    )
