"""The one reader of a table of architectures and scores: every line and column that is not used is named, nothing is
guessed in silence and nothing executed.

Architectures: a column ``arch``, ``arch_str`` or ``architecture`` (the space's notation or one of its further forms), a
column of a further form such as ``naslib`` or ``hash``, ``genotype`` or ``code`` (operation digits), or ``index``
(official index); capitals do not matter. The title decides how a text is read. Where a file has several of them, each
line's must agree. Scores: every other column that holds numbers; columns named ``predicted...`` or ``latent...`` and
row numbers are never taken for scores.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from svge_core.cells import Cell
from svge_core.data.csv.column_roles import (
    architecture_columns,
    numbers_rows,
    refuse_unnamed_architectures,
    refuse_unread_architectures,
    score_columns,
)
from svge_core.data.csv.line_reader import LineReader
from svge_core.data.csv.numbers import NumberFormat
from svge_core.data.csv.text import MAX_COLUMNS, quote_text, read_lines, read_text, refuse_json
from svge_core.data.csv.user_scores import Duplicate, RejectedRow, UserScores
from svge_core.data.direction import direction_of
from svge_core.data.meaning import Direction, ScoreMeaning
from svge_core.data.words import count_of
from svge_core.errors import DataError, SvgeError
from svge_core.spaces import AbstractSearchSpace
from svge_core.threads import counting

MAX_BYTES = 20 * 2**20
MAX_ROWS = 500_000
#: how keys of a user's columns begin; who asks whose a column is looks at the origin of its meaning
OWN_KEY = "user_"
#: lines between two counts
_COUNTED = 1_000
_WAYS: tuple[tuple[Direction, str], ...] = (("min", "less"), ("max", "more"))
#: lines that a message names before it counts the others
_NAMED = 5


def import_csv(
    space: AbstractSearchSpace,
    data: bytes | Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
    directions: Mapping[str, Direction] | None = None,
    name: str | None = None,
) -> UserScores:
    """Read a CSV file (comma, semicolon or tab separated, UTF-8, one header line), plain or gzipped.

    Args:
        space: the search space of the architectures.
        data: the file's bytes or its path.
        max_bytes: larger files, also unpacked, are refused.
        max_rows: files with more lines are refused.
        directions: "max" or "min" by column header; for the others see :func:`svge_core.data.direction_of`. Where that
            knows none, "max" is taken; ``directions`` of the result says both.
        name: what to call the file in meanings; the path's name by default.

    Raises:
        DataError: if the file as a whole cannot be used. Single lines that cannot be used are reported in the result.
    """
    name = name or (data.name if isinstance(data, Path) else "uploaded file")
    names = architecture_columns()
    text = read_text(data, max_bytes)
    refuse_json(text)
    try:
        lines = read_lines(text, names)
    except DataError:
        refuse_unnamed_architectures(text, space, max_rows)
        raise
    rows = list(lines.rows(max_rows))
    if not rows:
        raise DataError("The file has a header but no lines below it: add one line per architecture.")
    whole = [fields for _, fields, problem in rows if problem is None]
    if not whole:
        raise _nothing_used([RejectedRow(line, str(problem)) for line, _, problem in rows])
    header = lines.header
    architecture = [column for column, title in enumerate(header) if title.lower() in names]
    columns = list(zip(*whole, strict=True))
    numbering = [
        column
        for column in range(len(header))
        if column not in architecture and numbers_rows(header[column], columns[column])
    ]
    scores = score_columns(header, columns, {*architecture, *numbering})
    refuse_unread_architectures(space, header, columns, architecture, scores)
    if not scores:
        raise _no_score(header, architecture, [row for row in rows if row[2] is not None])
    reader = LineReader.of(space, lines, architecture, scores, columns)
    rejected: list[RejectedRow] = []
    found: dict[str | int, list[tuple[int, list[float]]]] = {}
    cells: dict[str | int, Cell] = {}
    with counting(space.title, "lines read", len(rows)) as tell:
        for number, (line, fields, problem) in enumerate(rows):
            if not number % _COUNTED:
                tell(number)
            try:
                if problem is not None:
                    raise DataError(problem)
                key, cell = reader.architecture_of(fields)
                values = reader.values_of(fields)
            except SvgeError as error:
                rejected.append(RejectedRow(line, str(error)))
                continue
            found.setdefault(key, []).append((line, values))
            if cell is not None:
                cells.setdefault(key, cell)
    if not found:
        raise _nothing_used(rejected)
    meanings = _meanings([header[column] for column in scores], directions or {}, name, reader.formats)
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
        cells=tuple(cells[key] for key in order) if not space.enumerated else (),
        meanings=meanings,
        rejected=tuple(rejected),
        duplicates=duplicates,
        ignored_columns=tuple(quote_text(title) for column, title in enumerate(header) if column not in used),
        rows=len(rows) - len(rejected),
        notes=_notes(header, numbering, reader.formats, meanings),
        directions=_directions([header[column] for column in scores], meanings, directions or {}),
    )


def _nothing_used(rejected: Sequence[RejectedRow]) -> DataError:
    first = " ".join(map(str, rejected[:_NAMED]))
    more = f" {len(rejected) - _NAMED:,} more lines follow." if len(rejected) > _NAMED else ""
    return DataError(f"No line could be used ({count_of(len(rejected), 'line')} read). {first}{more}")


def _no_score(
    header: list[str], architecture: list[int], wrong: Sequence[tuple[int, list[str], str | None]]
) -> DataError:
    others = [quote_text(title) for column, title in enumerate(header) if column not in architecture]
    found = f"found {', '.join(others[:10])}" if others else "there is no other column"
    unused = " ".join(f"Line {line}: {problem}" for line, _, problem in wrong[:_NAMED])
    return DataError(
        f"{unused}{' ' if unused else ''}No column of numbers beside the architecture: {found}. "
        "Add a column such as 'score'."
    )


def _mean(rows: list[list[float]]) -> list[float]:
    """Column means over the values present; NaN where none is."""
    columns = [[value for value in column if not math.isnan(value)] for column in zip(*rows, strict=True)]
    return [_mean_of(values) for values in columns]


def _mean_of(values: list[float]) -> float:
    if not values:
        return math.nan
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # the sum is beyond the largest number, the mean is not
        return math.fsum(value / len(values) for value in values)


def _meanings(
    headers: list[str], directions: Mapping[str, Direction], name: str, formats: Mapping[int, NumberFormat]
) -> dict[str, ScoreMeaning]:
    """One meaning per score column; keys start with :data:`OWN_KEY` so that they never clash with the bundled ones."""
    meanings: dict[str, ScoreMeaning] = {}
    for header, form in zip(headers, formats.values(), strict=True):
        stem = OWN_KEY + (re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")[:50] or "score")
        key = next(k for k in (stem, *(f"{stem}_{n}" for n in range(2, MAX_COLUMNS + 2))) if k not in meanings)
        meanings[key] = ScoreMeaning(
            key=key,
            title=quote_text(header),
            unit="%" if form.percent else "",
            direction=directions.get(header) or direction_of(header) or "max",
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


def _notes(
    header: list[str],
    numbering: list[int],
    formats: Mapping[int, NumberFormat],
    meanings: Mapping[str, ScoreMeaning],
) -> tuple[str, ...]:
    notes: list[str] = []
    for column in numbering:
        notes.append(f"Column {quote_text(header[column])!r} numbers the lines and is no score.")
    if any(form.decimal_comma for form in formats.values()):
        notes.append("Numbers have decimal commas: 91,5 is read as 91.5.")
    for form, meaning in zip(formats.values(), meanings.values(), strict=True):
        if form.percent:
            notes.append(f"Column {meaning.title!r} has percent signs: 91.5% is read as 91.5, the unit being %.")
    return tuple(notes)


def _directions(
    headers: Sequence[str], meanings: Mapping[str, ScoreMeaning], given: Mapping[str, Direction]
) -> tuple[str, ...]:
    """What was taken for the directions that nobody gave: in a line by their names, in a line each without a word."""
    named: dict[Direction, list[str]] = {"min": [], "max": []}
    silent: list[str] = []
    for header, meaning in zip(headers, meanings.values(), strict=True):
        if header in given:
            continue
        said = direction_of(header)
        (silent if said is None else named[said]).append(repr(meaning.title))
    parts = [f"{word} is better in {', '.join(named[way])}" for way, word in _WAYS if named[way]]
    return (
        *([f"Read off the names of the columns: {'; '.join(parts)}."] if parts else []),
        *(f"Column {title}: its name does not say whether more or less is better; more is taken." for title in silent),
    )
