"""``quality.json`` beside a checkpoint: what was measured, with which settings, on which weights."""

from pathlib import Path
from typing import Any

from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.evaluation.latent.content import FORMAT_VERSION, QualityContent
from svge_core.evaluation.latent.settings import QualityConfig
from svge_core.files import check_version, read_record, to_plain, write_record

FILE = "quality.json"
MAX_BYTES = 200_000
AGAIN = "Make it again with 'quality'."


def save(folder: Path, content: QualityContent) -> Path:
    """Write ``quality.json`` whole or not at all, with its numbers to six digits.

    Raises:
        DataError: if it would be larger than a page should read.
    """
    try:
        write_record(folder / FILE, round_numbers(to_plain(content)), max_bytes=MAX_BYTES)
    except SvgeError as error:
        raise DataError(f"{error}: predict fewer scores.") from None
    return folder / FILE


def round_numbers(value: Any, digits: int = 6) -> Any:
    """The value with its numbers to so many significant digits: nobody reads more, and the file stays small."""
    if isinstance(value, dict):
        return {key: round_numbers(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [round_numbers(part, digits) for part in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def load(folder: Path, space: str) -> QualityContent | None:
    """Read and check the file; None where there is none.

    Raises:
        CheckpointError: if it is damaged, too large, or of another version or space; the message names the field.
    """
    if not (folder / FILE).is_file():
        return None
    found = read_record(
        folder / FILE,
        QualityContent,
        AGAIN,
        name=FILE,
        max_bytes=MAX_BYTES,
        upgrade=lambda plain: check_version(plain, "format_version", (FORMAT_VERSION,)),
        complete=(QualityConfig,),
    )
    if found.space != space:
        raise CheckpointError(f"{FILE}: 'space' is {found.space!r}, the checkpoint's is {space!r}. {AGAIN}")
    return found
