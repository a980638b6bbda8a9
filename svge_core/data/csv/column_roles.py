"""Which columns of a user's table hold architectures, which are scores and which only number the lines."""

import re
from collections.abc import Sequence
from itertools import islice

from svge_core.data.csv.numbers import is_missing, looks_numeric
from svge_core.data.csv.text import DELIMITERS, quote_text, read_lines
from svge_core.errors import DataError, SvgeError
from svge_core.spaces import SPACES, AbstractSearchSpace

#: how an architecture column is read, in order of preference; names are compared in lower case
NOTATION_TITLES = ("arch_str", "arch", "architecture")
GENOTYPE_TITLES = ("genotype", "code")
INDEX_TITLES = ("index",)
#: our own export writes these beside the architecture; a prediction must not come back as a score
_NEVER_SCORES = ("predicted", "latent")
#: columns that number the lines: pandas writes the first kind; the others do if their values count
_ROW_NUMBERS = re.compile(r"(unnamed: ?\d+(_level_\d+)?|level_\d+)", re.IGNORECASE)
_MAY_NUMBER_ROWS = frozenset(
    ("#", "id", "no", "no.", "nr", "nr.", "row", "row_id", "rowid", "row_number", "line", "number")
)
#: fields of a column that are looked at to see whether they are architectures
_LOOKED_AT = 20


def architecture_columns() -> tuple[str, ...]:
    """Names of the columns that hold architectures, the preferred ones first; those of other spaces are known too."""
    further = (name for space in SPACES.values() for form in space.text_forms() for name in form.columns)
    return tuple(dict.fromkeys((*NOTATION_TITLES, *further, *GENOTYPE_TITLES, *INDEX_TITLES)))


def columns_in_words(space: AbstractSearchSpace) -> str:
    """The columns that hold architectures of a space, in Markdown, for people who make a file."""
    names = [NOTATION_TITLES[0], *(form.columns[0] for form in space.text_forms() if form.columns), GENOTYPE_TITLES[0]]
    names += [INDEX_TITLES[0]] if space.size is not None else []
    quoted = [f"`{name}`" for name in names]
    quoted[0] += f" ({space.notation_in_words})"
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def numbers_rows(title: str, fields: Sequence[str]) -> bool:
    """Whether a column only numbers the lines."""
    if _ROW_NUMBERS.fullmatch(title):
        return True
    if title.lower() not in _MAY_NUMBER_ROWS or len(fields) < 2:
        return False
    if not all(re.fullmatch(r"\d{1,9}", text.strip(), re.ASCII) for text in fields):
        return False
    numbers = [int(text) for text in fields]
    return all(after - before == 1 for before, after in zip(numbers, numbers[1:], strict=False))


def score_columns(header: list[str], columns: Sequence[Sequence[str]], others: set[int]) -> list[int]:
    """Columns named ``score``, or at least half of whose filled fields are meant as numbers."""
    scores: list[int] = []
    for column, title in enumerate(header):
        if column in others or not title or title.lower().startswith(_NEVER_SCORES):
            continue
        filled = [text for text in columns[column] if not is_missing(text)]
        if title.lower() == "score" or 0 < len(filled) <= 2 * sum(map(looks_numeric, filled)):
            scores.append(column)
    return scores


def _full_of_architectures(space: AbstractSearchSpace, fields: Sequence[str]) -> str | None:
    """One of the fields, if at least half of those looked at are written as architectures of the space."""
    filled = [text.strip() for text in fields if not is_missing(text) and not looks_numeric(text)][:_LOOKED_AT]
    right = [text for text in filled if _reads(space, text)]
    return right[0] if right and 2 * len(right) >= len(filled) else None


def _reads(space: AbstractSearchSpace, text: str) -> bool:
    try:
        if not any(form.pattern.fullmatch(text) for form in space.text_forms()):
            space.parse(text)
    except SvgeError:
        return False
    return True


def refuse_unread_architectures(
    space: AbstractSearchSpace,
    header: list[str],
    columns: Sequence[Sequence[str]],
    architecture: list[int],
    scores: list[int],
) -> None:
    """Row numbers must not name the cells beside a column of architectures whose title is not known."""
    if any(header[column].lower() not in INDEX_TITLES for column in architecture):
        return
    for column, title in enumerate(header):
        if column in architecture or column in scores:
            continue
        if (text := _full_of_architectures(space, columns[column])) is not None:
            raise DataError(
                f"Column {quote_text(title)!r} holds architectures, such as {quote_text(text)!r}, under a title "
                f"that is not known, while {header[architecture[0]]!r} holds numbers: call it 'arch', or remove one."
            )


def refuse_unnamed_architectures(text: str, space: AbstractSearchSpace, max_rows: int) -> None:
    """Say which column to rename, where a column without a known title holds architectures."""
    for delimiter in DELIMITERS:
        try:
            header = text.splitlines()[0].split(delimiter)
            lines = read_lines(text, [header[0].strip().strip('"').lower()])
            rows = islice(lines.rows(max_rows), 10 * _LOOKED_AT)
            whole = [fields for _, fields, problem in rows if problem is None]
        except (DataError, IndexError):
            continue
        for title, fields in zip(lines.header, zip(*whole, strict=True), strict=False):
            if (found := _full_of_architectures(space, fields)) is not None:
                raise DataError(
                    f"No architecture column: column {quote_text(title)!r} holds architectures, such as "
                    f"{quote_text(found)!r}, under a title that is not known: call it 'arch'."
                )
