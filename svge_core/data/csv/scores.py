"""A user's own CSV file of architectures and scores, read with every unusable line named and nothing executed.

Architectures: a column ``arch``, ``arch_str`` or ``architecture`` (the space's notation or one of its further forms),
a column of a further form such as ``naslib``, ``genotype`` or ``code`` (operation digits), or ``index`` (official
index). Where a file has several of them, each line's must agree. Scores: the column ``score`` and every other column
that holds numbers; columns named ``predicted...`` or ``latent`` are never taken for scores.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from svge_core.cells import Cell
from svge_core.data.csv.text import MAX_COLUMNS, quote_text, read_header, read_rows, read_text
from svge_core.data.meaning import Direction, ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError, ParseError, SvgeError
from svge_core.spaces import SPACES, AbstractSearchSpace

MAX_BYTES = 20 * 2**20
MAX_ROWS = 500_000
#: how an architecture column is read, in order of preference; names are compared in lower case
_NOTATION = ("arch_str", "arch", "architecture")
_GENOTYPE = ("genotype", "code")
_INDEX = ("index",)
#: our own export writes these beside the architecture; a prediction must not come back as a score
_NEVER_SCORES = ("predicted", "latent")
#: how keys of a user's columns begin; who asks whose a column is looks at the origin of its meaning
OWN_KEY = "user_"
_LESS_IS_BETTER = re.compile(
    r"loss|error|latency|time|second|energy|params|parameters|flops|macs|size|rank", re.IGNORECASE
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def architecture_columns() -> tuple[str, ...]:
    """Names of the columns that hold architectures, the preferred ones first; those of other spaces are known too."""
    further = (name for space in SPACES.values() for form in space.text_forms() for name in form.columns)
    return tuple(dict.fromkeys((*_NOTATION, *further, *_GENOTYPE, *_INDEX)))


def columns_in_words(space: AbstractSearchSpace) -> str:
    """The columns that hold architectures of a space, in Markdown, for people who make a file."""
    names = [_NOTATION[0], *(form.columns[0] for form in space.text_forms() if form.columns), _GENOTYPE[0]]
    names += [_INDEX[0]] if space.size is not None else []
    quoted = [f"`{name}`" for name in names]
    quoted[0] += f" ({space.notation_in_words})"
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@dataclass(frozen=True)
class RejectedRow:
    """A line that was not used. ``line`` counts from 1, the header being line 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Duplicate:
    """An architecture given on several lines with different scores; the mean of each score was taken."""

    architecture: str
    lines: tuple[int, ...]

    def __str__(self) -> str:
        lines = ", ".join(map(str, self.lines[:10])) + (", ..." if len(self.lines) > 10 else "")
        return f"Lines {lines} give {self.architecture} different scores; their mean is used."


@dataclass(frozen=True, eq=False)
class UserScores:
    """What a user's file says, keyed by official index.

    Attributes:
        space: name of the search space.
        frame: float64 columns of the architectures in the file; the index holds official cell indices in ascending
            order, or 0, 1, ... in file order where the space is not enumerated. NaN where a field was empty.
        cells: the architecture of each row where the space is not enumerated, otherwise empty.
        meanings: the meaning of each column, labelled as the user's own.
        rejected: the lines not used, each with its reason.
        duplicates: architectures with several different scores.
        ignored_columns: headers of the columns that are neither architecture nor score.
        rows: lines that were used.
    """

    space: str
    frame: pd.DataFrame
    cells: tuple[Cell, ...]
    meanings: dict[str, ScoreMeaning]
    rejected: tuple[RejectedRow, ...]
    duplicates: tuple[Duplicate, ...]
    ignored_columns: tuple[str, ...]
    rows: int

    def summary(self) -> str:
        """One line for the screen."""
        scores, lines = _count(len(self.meanings), "score"), _count(self.rows, "line")
        parts = [f"{_count(len(self.frame), 'architecture')} with {scores} from {lines}"]
        if self.duplicates:
            parts.append(f"{_count(len(self.duplicates), 'architecture')} averaged over lines that differ")
        if self.rejected:
            parts.append(f"{_count(len(self.rejected), 'line')} rejected")
        if self.ignored_columns:
            parts.append(f"columns not used: {', '.join(self.ignored_columns)}")
        return "; ".join(parts) + "."

    def to_scores(self, space: AbstractSearchSpace) -> Scores:
        """The same values as a table over all cells of the space, NaN for cells the file does not name.

        Raises:
            DataError: if it is another space, or one that is not enumerated.
        """
        if space.name != self.space or space.size is None or not space.enumerated:
            raise DataError(f"Scores of {self.space} cannot fill a table of all cells of {space.name}.")
        full = self.frame.reindex(range(space.size))
        return scores_from_columns(space.name, {key: full[key].to_numpy() for key in self.meanings}, self.meanings)


def import_csv(
    space: AbstractSearchSpace,
    data: bytes | Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
    directions: Mapping[str, Direction] | None = None,
    name: str | None = None,
) -> UserScores:
    """Read a CSV file (comma, semicolon or tab separated, UTF-8, one header line).

    Args:
        space: the search space of the architectures.
        data: the file's bytes or its path.
        max_bytes: larger files are refused before they are read.
        max_rows: files with more lines are refused.
        directions: "max" or "min" by column header; by default "min" for headers that speak of loss, error, time,
            latency, energy or size, and "max" for the others.
        name: what to call the file in meanings; the path's name by default.

    Raises:
        DataError: if the file as a whole cannot be used. Single lines that cannot be used are reported in the result.
    """
    name = name or (data.name if isinstance(data, Path) else "uploaded file")
    text = read_text(data, max_bytes)
    names = architecture_columns()
    header, delimiter = read_header(text, names)
    rows = list(read_rows(text, delimiter, len(header), max_rows))
    if not rows:
        raise DataError("The file has a header but no lines below it: add one line per architecture.")
    architecture = [column for column, title in enumerate(header) if title.lower() in names]
    scores = _score_columns(header, [fields for _, fields, problem in rows if problem is None], architecture)
    reader = _LineReader(space, header, architecture, scores)
    rejected: list[RejectedRow] = []
    found: dict[str | int, list[tuple[int, list[float]]]] = {}
    cells: dict[str | int, Cell] = {}
    for line, fields, problem in rows:
        try:
            if problem is not None:
                raise DataError(problem)
            cell, values = reader.read(fields)
        except SvgeError as error:
            rejected.append(RejectedRow(line, str(error)))
            continue
        key = space.index(cell) if space.enumerated else space.format(cell)
        found.setdefault(key, []).append((line, values))
        if not space.enumerated:
            cells.setdefault(key, cell)
    if not found:
        raise DataError(f"No line could be used ({_count(len(rows), 'line')} read). {rejected[0]}")
    meanings = _meanings([header[column] for column in scores], directions or {}, name)
    order = sorted(found, key=int) if space.enumerated else list(found)
    table = np.array([_mean([values for _, values in found[key]]) for key in order])
    index = pd.Index(order) if space.enumerated else pd.RangeIndex(len(order))
    duplicates = tuple(
        Duplicate(key if isinstance(key, str) else f"architecture {key}", tuple(line for line, _ in found[key]))
        for key in order
        if len({str(values) for _, values in found[key]}) > 1  # as text, so that two empty fields are equal
    )
    used = {*architecture, *scores}
    return UserScores(
        space=space.name,
        frame=pd.DataFrame(table, index=index, columns=list(meanings)),
        cells=tuple(cells.values()),
        meanings=meanings,
        rejected=tuple(rejected),
        duplicates=duplicates,
        ignored_columns=tuple(quote_text(title) for column, title in enumerate(header) if column not in used),
        rows=len(rows) - len(rejected),
    )


@dataclass(frozen=True)
class _LineReader:
    """Turns the fields of a line into a cell and its scores."""

    space: AbstractSearchSpace
    header: list[str]
    architecture: list[int]
    scores: list[int]

    def read(self, fields: list[str]) -> tuple[Cell, list[float]]:
        """The cell and one value per score column, NaN for an empty field; raises a SvgeError with the reason."""
        named = [(column, fields[column].strip()) for column in self.architecture if fields[column].strip()]
        if not named:
            raise DataError("no architecture is given.")
        cell = self._cell(*named[0])
        for column, text in named[1:]:
            if self._cell(column, text) != cell:
                first, other = self.header[named[0][0]], self.header[column]
                raise DataError(f"columns {first!r} and {other!r} name different architectures.")
        values = [self._value(column, fields[column].strip()) for column in self.scores]
        if all(math.isnan(value) for value in values):
            raise DataError("no score is given.")
        return cell, values

    def _value(self, column: int, text: str) -> float:
        if not text:
            return math.nan
        value = _number(text)
        if value is None:
            raise DataError(
                f"column {quote_text(self.header[column])!r} holds {quote_text(text)!r}; a score is a finite number "
                "such as 91.2 (leave the field empty where it is unknown)."
            )
        return value

    def _cell(self, column: int, text: str) -> Cell:
        title = self.header[column].lower()
        if title in _INDEX:
            if not re.fullmatch(r"\d{1,40}(\.0+)?", text, re.ASCII):
                raise ParseError(f"{quote_text(text)!r} is not an architecture index.")
            return self.space.from_index(int(text.split(".")[0]))
        if title in _GENOTYPE:
            return self.space.from_genotype(_genotype(self.space, text))
        return _further_form(self.space, title, text) or self.space.parse(text)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _score_columns(header: list[str], rows: list[list[str]], architecture: list[int]) -> list[int]:
    """Columns named ``score``, or at least half of whose filled fields are numbers."""
    scores: list[int] = []
    for column, title in enumerate(header):
        if column in architecture or not title or title.lower().startswith(_NEVER_SCORES):
            continue
        filled = [fields[column].strip() for fields in rows if fields[column].strip()]
        numbers = sum(_looks_numeric(text) for text in filled)
        if title.lower() == "score" or 0 < len(filled) <= 2 * numbers:
            scores.append(column)
    if not scores:
        others = [quote_text(title) for column, title in enumerate(header) if column not in architecture]
        found = f"found {', '.join(others[:10])}" if others else "there is no other column"
        raise DataError(f"No column of numbers beside the architecture: {found}. Add a column such as 'score'.")
    return scores


def _looks_numeric(text: str) -> bool:
    # NaN and infinity make a column numeric, so that their lines are named instead of the column being left out
    return _NUMBER.fullmatch(text) is not None or text.lower().lstrip("+-") in ("nan", "inf", "infinity")


def _number(text: str) -> float | None:
    """A finite decimal number, or None. float() alone would take '1_0', 'nan' and '1e999' too."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _genotype(space: AbstractSearchSpace, text: str) -> tuple[int, ...]:
    """Operation digits written together where each choice is one digit, otherwise separated by space, comma or dash."""
    genes = re.findall(r"\d{1,6}", text, re.ASCII)
    if re.fullmatch(r"\d+", text, re.ASCII) and max(space.gene_choices) <= 10:
        genes = list(text)
    elif not re.fullmatch(r"[\[(]?\d{1,6}([\s,-]+\d{1,6})*[\])]?", text, re.ASCII):
        genes = []
    if len(genes) != len(space.gene_choices):
        hint = " (did a spreadsheet drop leading zeros?)" if text.isdigit() and genes else ""
        raise ParseError(
            f"{quote_text(text)!r} is not a genotype of {len(space.gene_choices)} operation digits of "
            f"{space.title}{hint}."
        )
    return tuple(map(int, genes))


def _further_form(space: AbstractSearchSpace, title: str, text: str) -> Cell | None:
    """The cell of a text that is one of the space's further forms; None if it is none and stands in no such column."""
    for form in space.text_forms():
        if title in form.columns or form.pattern.fullmatch(text):
            return form.read(text)
    for other in SPACES.values():
        for form in other.text_forms():
            if title in form.columns or (form.columns and form.pattern.fullmatch(text)):
                what = form.words.partition(" (")[0]
                raise ParseError(f"{quote_text(text)!r} looks like {what}, which is read for {other.title} only.")
    return None


def _mean(rows: list[list[float]]) -> list[float]:
    """Column means over the values present; NaN where none is."""
    columns = [[value for value in column if not math.isnan(value)] for column in zip(*rows, strict=True)]
    return [math.fsum(values) / len(values) if values else math.nan for values in columns]


def _meanings(headers: list[str], directions: Mapping[str, Direction], name: str) -> dict[str, ScoreMeaning]:
    """One meaning per score column; keys start with :data:`OWN_KEY` so that they never clash with the bundled ones."""
    meanings: dict[str, ScoreMeaning] = {}
    for header in headers:
        stem = OWN_KEY + (re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")[:50] or "score")
        key = next(k for k in (stem, *(f"{stem}_{n}" for n in range(2, MAX_COLUMNS + 2))) if k not in meanings)
        guess: Literal["max", "min"] = "min" if _LESS_IS_BETTER.search(header) else "max"
        meanings[key] = ScoreMeaning(
            key=key,
            title=quote_text(header),
            unit="",
            direction=directions.get(header, guess),
            data_set="your file",
            split="",
            epochs=None,
            seeds="as given (mean where an architecture is given twice)",
            kind="measured",
            source=f"your file {quote_text(name)}",
            role="other",
            origin="user",
            single_run=False,
        )
    return meanings
