"""``quality.json`` beside a checkpoint: what was measured, with which settings, on which weights."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from svge_core.data import ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.files import write_atomically

FILE = "quality.json"
FORMAT_VERSION = 1
MAX_BYTES = 200_000
AGAIN = "Make it again with 'quality'."


@dataclass(frozen=True)
class QualityConfig:
    """How much is looked at; all of it is written into the file."""

    sample: int = 20_000
    """Most cells for random pairs, nearest cells and equivalents; a seeded sample of a larger chart."""
    walks: int = 4
    """Random walks."""
    steps: int = 1_000
    """Cells of each walk."""
    lag: int = 16
    """Most moves between the two cells of a pair on a walk."""
    max_edits: int = 8
    """Largest edit distance shown."""
    pairs: int = 100_000
    """Random pairs."""
    neighbours: int = 10
    """Of the leave-one-out prediction."""
    labelled: int = 20_000
    """Most labelled cells that are predicted."""
    permutations: int = 10
    """Permutations of the labels."""
    draws: int = 2_000
    """Prior draws for cycle consistency."""
    places: int = 500
    """Posterior means, and as many prior draws, whose decodings are counted."""
    decodings: int = 64
    """Of each of them."""
    close: float = 0.01
    """Two codes collide within this share of the median nearest distance."""
    copies: int = 1_000
    """Cells that are encoded in another node order too."""
    map_neighbours: int = 15
    """Of trustworthiness and continuity."""
    map_whole: int = 20_000
    """Largest map of which all neighbourhoods are looked at."""
    map_rows: int = 1_000
    """Cells whose neighbourhoods are looked at on a larger one."""
    seed: int = 0
    """Of every draw, and of the untrained model."""

    def __post_init__(self) -> None:
        least = {"seed": 0, "close": 0.0, "sample": 100, "steps": 2, "draws": 2, "decodings": 2, "pairs": 100}
        for name, value in asdict(self).items():
            if not value >= least.get(name, 1):
                raise SvgeError(f"{name!r} must be at least {least.get(name, 1)}; got {value}.")


@dataclass(frozen=True)
class Quality:
    """What the file holds, checked.

    Attributes:
        content: everything as it was written.
        meanings: what each predicted score is.
    """

    content: dict[str, Any]
    meanings: dict[str, ScoreMeaning]

    def stale(self, digest: str) -> bool:
        """Whether it was measured on other weights than those of a digest."""
        return bool(self.content["checkpoint"] != digest)


#: what each part holds: names of numbers (or None), of texts, of shares and of parts of the same kind
_NUMBER, _TEXT, _SHARE, _LIST = "a number", "a text", "a share", "a list"
_SPEARMAN = dict.fromkeys(("latent", "one_hot", "untrained", "permuted"), _NUMBER)
_CURVE = dict.fromkeys(("edits", "pairs", "median", "q10", "q25", "q75", "q90"), _NUMBER)
_KNN = dict.fromkeys(("kendall_tau", "r2", "r2_best", "cells"), _NUMBER)
_SIDE = {**dict.fromkeys(("mean", "median", "log_probability", "probability"), _NUMBER), "unsure": _SHARE}
_MAP = dict.fromkeys(("trustworthiness", "continuity", "trustworthiness_se", "continuity_se"), _NUMBER)
_MAP |= {"name": _TEXT, "rows": _NUMBER, "cells": _NUMBER, "neighbours": _NUMBER}
_WIDTH = {**dict.fromkeys(("width", "active", "effective", "cells"), _NUMBER), "cumulative": _LIST, "needed": _LIST}
SHAPE: dict[str, Any] = {
    "checkpoint": _TEXT,
    "space": _TEXT,
    "command": _TEXT,
    "cells": {"charted": _NUMBER, "sample": _NUMBER, "words": _TEXT},
    "edits": {
        "walk": {"pairs": _NUMBER, "spearman": _SPEARMAN},
        "random": {"pairs": _NUMBER, "spearman": _SPEARMAN, "mean_edits": _NUMBER},
        "curves": {"latent": [_CURVE], "one_hot": [_CURVE], "untrained": [_CURVE]},
        "nearest": {"cells": _NUMBER, "mean_edits": _NUMBER, "one_edit": _SHARE},
    },
    "neighbours": [
        {
            "key": _TEXT,
            "single_permutation_sd": _NUMBER,
            "largest_permuted": _NUMBER,
            "best_cells": _NUMBER,
            **dict.fromkeys(("latent", "one_hot", "structure", "untrained", "permuted"), _KNN),
        }
    ],
    "cycle": {
        "same": _SHARE,
        "valid": _SHARE,
        "distinct": _NUMBER,
        "returned": {"q10": _NUMBER, "median": _NUMBER, "q90": _NUMBER},
        "strangers": {"median": _NUMBER},
        "nearest": _NUMBER,
    },
    "certainty": {
        "decodings": _NUMBER,
        "means": {**_SIDE, "histogram": _LIST},
        "prior": {**_SIDE, "histogram": _LIST},
    },
    "collisions": {
        "close": _SHARE,
        "bound": _NUMBER,
        "nearest": _NUMBER,
        "random": _NUMBER,
        "equivalents": dict.fromkeys(("cells", "pairs", "different", "distance"), _NUMBER),
        "copies": {"equal": _SHARE, "uncanonical": _SHARE},
    },
    "maps": [{**_MAP, "permuted": _NUMBER}],
    "dimension": {"latent": _WIDTH, "one_hot": _WIDTH},
}


def save(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``quality.json`` whole or not at all.

    Raises:
        DataError: if it would be larger than a page should read.
    """
    text = (json.dumps(round_numbers(content), allow_nan=False, separators=(",", ":")) + "\n").encode()
    if len(text) > MAX_BYTES:
        raise DataError(f"{FILE} would have {len(text):,} bytes, more than {MAX_BYTES:,}: predict fewer scores.")
    write_atomically(folder / FILE, text)
    return folder / FILE


def round_numbers(value: Any, digits: int = 6) -> Any:
    """The value with its numbers to so many significant digits: nobody reads more, and the file stays small."""
    if isinstance(value, dict):
        return {key: round_numbers(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [round_numbers(part, digits) for part in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def load(folder: Path, space: str) -> Quality | None:
    """Read and check the file; None where there is none.

    Raises:
        CheckpointError: if it is damaged, too large, or of another version or space; the message names the field.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{FILE} is larger than {MAX_BYTES:,} bytes. {AGAIN}")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{FILE} is damaged ({error}). {AGAIN}") from None
    found = content.get("format_version") if isinstance(content, dict) else type(content).__name__
    if not isinstance(content, dict) or found != FORMAT_VERSION:
        raise CheckpointError(f"{FILE}: 'format_version' is {found!r}, this version reads {FORMAT_VERSION}. {AGAIN}")
    if content.get("space") != space:
        raise CheckpointError(f"{FILE}: 'space' is {content.get('space')!r}, the checkpoint's is {space!r}. {AGAIN}")
    check(content, SHAPE, "")
    try:
        meanings = {row["key"]: meaning_from_dict(row.get("meaning")) for row in content["neighbours"]}
    except DataError as error:
        raise CheckpointError(f"{FILE} is damaged: {error} {AGAIN}") from None
    return Quality(content, meanings)


def check(value: Any, shape: Any, name: str) -> None:
    """Compare a value of the file with the shape it must have.

    Raises:
        CheckpointError: naming the first field that is missing or of another kind.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            _damaged(name, "parts by name", value)
        for key, part in shape.items():
            here = f"{name}.{key}".removeprefix(".")
            if key not in value:
                raise CheckpointError(f"{FILE} is damaged: the field '{here}' is missing. {AGAIN}")
            check(value[key], part, here)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            _damaged(name, "a list", value)
        for position, item in enumerate(value):
            check(item, shape[0], f"{name}.{position}")
    elif shape == _SHARE:
        if not (isinstance(value, dict) and all(_is_number(value.get(key)) for key in ("count", "of"))):
            _damaged(name, "a count and what it is out of", value)
    elif shape == _LIST:
        if not (isinstance(value, list) and all(map(_is_number, value))):
            _damaged(name, "a list of numbers", value)
    elif not (isinstance(value, str) if shape == _TEXT else value is None or _is_number(value)):
        _damaged(name, shape, value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _damaged(name: str, wanted: str, value: object) -> None:
    raise CheckpointError(f"{FILE} is damaged: the field '{name}' must be {wanted}; got {value!r:.60}. {AGAIN}")
