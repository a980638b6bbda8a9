"""From the fields of a line to an architecture and its scores; the title of a column decides how it is read."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from svge_core.cells import Cell
from svge_core.data.csv.column_roles import GENOTYPE_TITLES, INDEX_TITLES
from svge_core.data.csv.numbers import NumberFormat, has_decimal_commas, is_missing
from svge_core.data.csv.text import Lines, quote_text
from svge_core.errors import DataError, ParseError
from svge_core.spaces import SPACES, AbstractSearchSpace


@dataclass(frozen=True)
class LineReader:
    """Turns the fields of a line into an architecture and its scores.

    Attributes:
        space: of the architectures.
        header: the titles.
        architecture: columns that hold architectures.
        formats: how the numbers of the score columns are written, by column.
    """

    space: AbstractSearchSpace
    header: list[str]
    architecture: list[int]
    formats: dict[int, NumberFormat]

    @classmethod
    def of(
        cls,
        space: AbstractSearchSpace,
        lines: Lines,
        architecture: list[int],
        scores: list[int],
        columns: Sequence[Sequence[str]],
    ) -> "LineReader":
        """A reader whose number formats are those of the columns."""
        commas = has_decimal_commas([columns[column] for column in scores], lines.delimiter)
        formats = {
            column: NumberFormat.of(
                lines.header[column],
                lines.delimiter,
                commas,
                [text for text in columns[column] if not is_missing(text)],
            )
            for column in scores
        }
        return cls(space, lines.header, architecture, formats)

    def architecture_of(self, fields: list[str]) -> tuple[int | str, Cell | None]:
        """What names the architecture (its official index, or its notation and the cell where cells are not listed).

        Raises:
            SvgeError: if none is named, one cannot be read, or two columns disagree.
        """
        named = self._named(fields)
        found = self._key(*named[0])
        for column, text in named[1:]:
            if self._key(column, text)[0] != found[0]:
                first, other = self.header[named[0][0]], self.header[column]
                raise DataError(f"columns {first!r} and {other!r} name different architectures.")
        return found

    def cell(self, fields: list[str]) -> Cell:
        """The cell as the first column that says something writes it.

        Raises:
            SvgeError: as :meth:`architecture_of`.
        """
        named = self._named(fields)
        if len(named) > 1:
            self.architecture_of(fields)
        return self.cell_of(*named[0])

    def _named(self, fields: list[str]) -> list[tuple[int, str]]:
        named = [(column, fields[column].strip()) for column in self.architecture if not is_missing(fields[column])]
        if not named:
            raise DataError("no architecture is given.")
        return named

    def values_of(self, fields: list[str]) -> list[float]:
        """One value per score column, NaN where nothing is known.

        Raises:
            DataError: if a field is no number, or all are empty.
        """
        values = [form.read(fields[column]) for column, form in self.formats.items()]
        if all(math.isnan(value) for value in values):
            raise DataError("no score is given.")
        return values

    def _key(self, column: int, text: str) -> tuple[int | str, Cell | None]:
        if self.space.enumerated:
            index = self._index_at_once(self.header[column].lower(), text)
            return self.space.index(self.cell_of(column, text)) if index is None else index, None
        cell = self.space.canonical(self.cell_of(column, text))
        return self.space.format(cell), cell

    def _index_at_once(self, title: str, text: str) -> int | None:
        """The official index where it is known without building the cell."""
        if title in INDEX_TITLES:
            size = self.space.size or 0
            return int(text) if len(text) < 19 and text.isascii() and text.isdigit() and int(text) < size else None
        if title in GENOTYPE_TITLES:
            return None
        forms = (form for form in self.space.text_forms() if title in form.columns or form.pattern.fullmatch(text))
        form = next(forms, None)
        return None if form is None or form.index is None else form.index(text)

    def cell_of(self, column: int, text: str) -> Cell:
        """The cell that a field of an architecture column means; the column's title decides how it is read.

        Raises:
            SvgeError: with the reason.
        """
        title = self.header[column].lower()
        if title in INDEX_TITLES:
            if not re.fullmatch(r"\d{1,40}(\.0+)?", text, re.ASCII):
                raise ParseError(f"{quote_text(text)!r} is not an architecture index.")
            return self.space.from_index(int(text.split(".")[0]))
        if title in GENOTYPE_TITLES:
            return self.space.from_genotype(_genotype(self.space, text))
        return _further_form(self.space, title, text) or self.space.parse(text)


def _genotype(space: AbstractSearchSpace, text: str) -> tuple[int, ...]:
    """Operation digits written together where each choice is one digit, otherwise separated by space, comma or dash."""
    genes = re.findall(r"\d{1,6}", text, re.ASCII)
    if re.fullmatch(r"\d+", text, re.ASCII) and space.digits_joined:
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
                what = form.words.partition(" (")[0] or "a key"
                raise ParseError(f"{quote_text(text)!r} looks like {what}, which is read for {other.title} only.")
    return None
