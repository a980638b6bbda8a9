"""Labels of part of a space from a CSV file: what a predictor is fitted on where nothing measured is shipped."""

from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from svge_core.data.csv.scores import OWN_KEY, UserScores, import_csv
from svge_core.data.csv.text import quote_text
from svge_core.data.meaning import ScoreMeaning, meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.files import parse_json
from svge_core.spaces import AbstractSearchSpace

MAX_LABEL_ROWS = 2_000_000
MAX_LABEL_BYTES = 512 * 2**20
MAX_MEANING_BYTES = 2**20


@dataclass(frozen=True)
class Labels:
    """Labelled cells, each once, in ascending order of their indices.

    Attributes:
        indices: official indices.
        values: finite labels.
        remarks: lines that were not used and what else the reader of the file has to say.
        column: header of the labels, as the file has it; empty where they come from no file.
    """

    indices: Int[np.ndarray, " cells"]
    values: Float[np.ndarray, " cells"]
    remarks: tuple[str, ...] = ()
    column: str = ""


def read_labels(path: Path, column: str, space: AbstractSearchSpace) -> Labels:
    """One label per cell from a CSV file, read as every table of a user's: see :func:`.import_csv`.

    Cells without a label are left out, repeats averaged, lines that cannot be used named in ``remarks``. Whether more
    or less of a label is better is for its meaning to say, so what the titles say is not among them.

    Raises:
        DataError: if the file cannot be used, the column is missing or holds no number, or cells have no index.
    """
    if space.size is None:
        raise DataError(f"Labels are kept by official index, and the cells of {space.title} have none.")
    try:
        table = import_csv(space, path, max_bytes=MAX_LABEL_BYTES, max_rows=MAX_LABEL_ROWS)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    key = score_key(table, (column,), path.name)
    title, remarks = table.meanings[key].title, (*map(str, table.rejected), *map(str, table.duplicates), *table.notes)
    values = table.frame[key].to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    indices = (
        table.frame.index.to_numpy() if space.enumerated else np.array([space.index(cell) for cell in table.cells])
    )
    order = np.argsort(indices[known], kind="stable")
    return Labels(indices[known][order].astype(np.int64), values[known][order], remarks, title)


def means_column(meaning: ScoreMeaning, names: Sequence[str]) -> bool:
    """Whether one of the names is a column's title or key, with or without the beginning of users' keys."""
    wanted = {name.lower() for name in names} | {f"{OWN_KEY}{name.lower()}" for name in names}
    return meaning.key in wanted or meaning.title.lower() in wanted


def score_key(table: UserScores, names: Sequence[str], file: str, *, only: bool = False) -> str:
    """The key of the column that one of the names means; with ``only``, of the single one whatever its name.

    Raises:
        DataError: if there is none; the message names those there are.
    """
    for key, meaning in table.meanings.items():
        if means_column(meaning, names):
            return key
    if only and len(table.meanings) == 1:
        return next(iter(table.meanings))
    titles = ", ".join(meaning.title for meaning in table.meanings.values())
    raise DataError(f"{file} has no column {names[0][:60]!r}; its columns of numbers are {titles[:200]}.")


def read_meaning(path: Path) -> ScoreMeaning:
    """What the labels are, from a JSON file with the fields of :class:`ScoreMeaning`.

    Raises:
        DataError: if the file is missing or a field is not right; the file and the field are named.
    """
    name = quote_text(path.name)
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"The meaning {name} is a folder, device or pipe; expected a JSON file.")
        with path.open("rb") as file:
            content = file.read(MAX_MEANING_BYTES + 1)
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        reason = error.strerror if isinstance(error, OSError) else quote_text(str(error))
        raise DataError(f"The meaning {name} cannot be read: {reason}.") from None
    try:  # editors of some systems begin a text with a mark of its encoding
        return meaning_from_dict(parse_json(content.removeprefix(BOM_UTF8), max_bytes=MAX_MEANING_BYTES))
    except SvgeError as error:
        raise DataError(f"The meaning {name} cannot be used: {str(error).rstrip('.')}.") from None
