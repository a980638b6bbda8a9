"""How numbers are written in one column of a file: decimal comma, percent sign, nothing known. Nothing is guessed."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from svge_core.data.csv.text import quote_text
from svge_core.errors import DataError

#: texts, in lower case, that say that a value is not known; spreadsheets and pandas write them
MISSING = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"))
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
#: as thousands are written too: 1,234 and 1.234
_COMMA_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_POINT_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
_INFINITE = frozenset(("inf", "infinity", "nan"))


def is_missing(text: str) -> bool:
    """Whether a field says that nothing is known."""
    return text.strip().lower() in MISSING


def looks_numeric(text: str) -> bool:
    """Whether a field is meant as a number, also one that cannot be used."""
    body = text.strip().removesuffix("%").rstrip()
    return (
        _POINT.fullmatch(body) is not None
        or _COMMA.fullmatch(body) is not None
        or _COMMA_THOUSANDS.fullmatch(body) is not None
        or body.lower().lstrip("+-") in _INFINITE
    )


def has_decimal_commas(columns: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether a file writes 91,5 for 91.5: fields are separated by something else, and a comma that cannot stand before
    thousands is there."""
    if delimiter == ",":
        return False
    return any(
        _COMMA.fullmatch(body) and not _COMMA_THOUSANDS.fullmatch(body)
        for column in columns
        for body in (text.strip().removesuffix("%").rstrip() for text in column)
    )


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of one column are written.

    Attributes:
        title: of the column, for messages.
        delimiter: of the file.
        decimal_comma: whether the file has decimal commas.
        percent: whether every number of the column has a percent sign.
    """

    title: str
    delimiter: str
    decimal_comma: bool
    percent: bool

    @classmethod
    def of(cls, title: str, delimiter: str, decimal_comma: bool, filled: Sequence[str]) -> "NumberFormat":
        """The format of a column with these fields that say something."""
        signs = [text.rstrip().endswith("%") for text in filled if looks_numeric(text)]
        return cls(title, delimiter, decimal_comma, bool(signs) and all(signs))

    def read(self, text: str) -> float:
        """The number, NaN where nothing is known.

        Raises:
            DataError: if it is not a finite number written as its column is; the reason says how to write it.
        """
        text = text.strip()
        if text.lower() in MISSING:
            return math.nan
        body = text.removesuffix("%").rstrip()
        if body != text and not self.percent:
            raise self._wrong(text, "other lines of the column have no percent sign")
        if _POINT.fullmatch(body):
            if self.decimal_comma and _POINT_THOUSANDS.fullmatch(body):
                raise self._wrong(
                    text, "the file has decimal commas, so it could be thousands; write it without a point"
                )
            value = float(body)
            if not math.isfinite(value):
                raise self._wrong(text, f"a score is a finite number such as 91.2{_EMPTY}")
            return value
        if _COMMA.fullmatch(body) or _COMMA_THOUSANDS.fullmatch(body):
            if self.decimal_comma and _COMMA.fullmatch(body):
                value = float(body.replace(",", "."))
                if math.isfinite(value):
                    return value
            elif self.delimiter == "," and _COMMA.fullmatch(body) and not _COMMA_THOUSANDS.fullmatch(body):
                raise self._wrong(text, f"a decimal comma? write {body.replace(',', '.')}")
            else:
                raise self._wrong(text, "a decimal comma or thousands? write it without a comma")
        raise self._wrong(text, f"a score is a finite number such as 91.2{_EMPTY}")

    def _wrong(self, text: str, why: str) -> DataError:
        return DataError(f"column {quote_text(self.title)!r} holds {quote_text(text)!r}; {why}.")


_EMPTY = " (leave the field empty where it is unknown)"
