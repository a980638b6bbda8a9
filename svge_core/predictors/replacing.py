"""What a new predictor of a score takes the place of: the one under its key, if that is of the same column."""

from dataclasses import dataclass
from pathlib import Path

from svge_core.data import ScoreMeaning, count_of
from svge_core.errors import CheckpointError, DataError
from svge_core.predictors.predictor_info import FOLDER, META, PredictorInfo, read_info


@dataclass(frozen=True)
class Replaced:
    """A stored predictor that a new one takes the place of, as its file records it.

    Attributes:
        score: key of both.
        column: that its labels came from; empty where it is not recorded.
        labels: how many cells it was fitted on; None where its file cannot be read.
        seed: that drew them; None where it is not recorded.
        kendall_tau: of the surrogate on held-out cells; None where there is none.
        held_out: how many cells those are.
        changed: fields of the score's meaning that the new one has otherwise.
    """

    score: str
    column: str = ""
    labels: int | None = None
    seed: int | None = None
    kendall_tau: float | None = None
    held_out: int = 0
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words: key, column, labels, what it was worth."""
        if self.labels is None:
            return f"the predictor of {self.score!r}, whose file cannot be read"
        column = f"column {self.column!r}" if self.column else "a column that is not recorded"
        worth = [count_of(self.labels, "label")]
        if self.seed is not None:
            worth.append(f"seed {self.seed}")
        if self.kendall_tau is not None:
            worth.append(f"Kendall tau {self.kendall_tau:.3f} on {count_of(self.held_out, 'held-out cell')}")
        changed = f"; its meaning had another {', '.join(self.changed)}" if self.changed else ""
        return f"the predictor of {self.score!r} from {column} ({', '.join(worth)}){changed}"


def replaced_by(folder: Path, meaning: ScoreMeaning, column: str) -> Replaced | None:
    """What a predictor of this score would replace; None where none stands under its key.

    Args:
        folder: of the checkpoint.
        meaning: of the score; its key names the predictor.
        column: that the new labels come from; empty for unknown, which fits any.

    Raises:
        DataError: if the one that stands there is of another column.
    """
    path = folder / FOLDER / meaning.key / META
    if not path.is_file():
        return None
    try:
        info = read_info(path)
    except CheckpointError:  # to fit it again is what such a file asks for
        return Replaced(meaning.key)
    found = _recorded(info, meaning)
    if column and info.column and column.casefold() != info.column.casefold():
        raise DataError(
            f"Under this key stands {found}; these labels are of column {column!r}: give them another key in their "
            f"meaning, or delete the folder {path.parent} first."
        )
    return found


def _recorded(info: PredictorInfo, meaning: ScoreMeaning) -> Replaced:
    held_out, stored, new = info.held_out.get("surrogate"), info.meaning, meaning.to_dict()
    return Replaced(
        score=info.score,
        column=info.column,
        labels=info.labels,
        seed=info.seed,
        kendall_tau=None if held_out is None else held_out.kendall_tau,
        held_out=0 if held_out is None else held_out.of,
        # files of before have fewer fields: only what they say can differ
        changed=() if stored is None else tuple(name for name in new if name in stored and stored[name] != new[name]),
    )
