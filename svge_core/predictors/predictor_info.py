"""``predictor.json`` beside a predictor: what was fitted, on which labels, and how well it does on all others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from svge_core.data import meaning_from_dict
from svge_core.errors import CheckpointError
from svge_core.files import Count, check_version, read_record, to_plain, write_record
from svge_core.models import HeadConfig
from svge_core.predictors.names import Beside, full_name
from svge_core.predictors.trees import MANY_LABELS

#: 2 has the coverage by fifths, 3 the column of the labels, 4 what the surrogate sees beside the structure, 5 what
#: cross-validation says
FORMAT_VERSION = 5
_VERSIONS = (1, 2, 3, 4, FORMAT_VERSION)
FOLDER, META = "predictors", "predictor.json"
AGAIN = "Fit the predictor again."


class HeldOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How well unseen labels are predicted.

    Attributes:
        kendall_tau: None where all predictions, or all labels, are equal.
        rmse: in the score's unit.
        of: cells looked at.
        coverage: share of them inside the interval; None without one.
        mean_width: of the interval, in the score's unit; None without one.
        coverage_fifths: coverage in each fifth of the cells, from the lowest predicted to the highest; None without an
            interval, for fewer than five cells and in files of before it was stored.
    """

    kendall_tau: float | None
    rmse: float | None
    of: Count
    coverage: float | None = None
    mean_width: float | None = None
    coverage_fifths: tuple[float, float, float, float, float] | None = None


class PredictorInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a fitted predictor.

    Attributes:
        checkpoint: digest of the weights it was fitted on.
        space: name of the search space.
        score: key of the score.
        description: of the score, in a line.
        meaning: of the score as plain values; None in files of before it was stored.
        column: of a file, or score of the space, that the labels came from; empty in files of before it was recorded.
        labels: how many cells were fitted on.
        command: that fits it again.
        seed: draws the labelled cells; None where it was not recorded.
        level: nominal coverage of the interval.
        head: settings of the joint head.
        training_indices: official indices of the cells that were fitted on.
        held_out: by part; empty where nothing was left.
        beside: groups of features that the surrogate sees beside the structure.
        cross_validated: what the surrogate is worth by its own labels, where few are held out; None where it was not
            measured.
    """

    checkpoint: str
    space: str
    score: str
    description: str
    meaning: dict[str, Any] | None = None
    column: str = ""
    labels: Count
    command: str = ""
    seed: Count | None = None
    level: float
    head: HeadConfig
    training_indices: tuple[Count, ...]
    held_out: dict[Literal["surrogate", "joint"], HeldOut]
    beside: tuple[Beside, ...] = ()
    cross_validated: HeldOut | None = None

    @property
    def model(self) -> str:
        """What predicts, for a person."""
        return f"{full_name(self.beside)}, {self.labels} labels"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"level must be between 0 and 1; got {self.level}")
        if self.meaning is not None:
            meaning_from_dict(self.meaning)


def write_info(folder: Path, info: PredictorInfo) -> None:
    """Write ``predictor.json``, whole or not at all."""
    write_record(folder / META, {"format_version": FORMAT_VERSION, **to_plain(info)})


def read_info(path: Path) -> PredictorInfo:
    """Read and check a ``predictor.json``.

    Raises:
        CheckpointError: if it is damaged or of another version; the message names the field.
    """
    return read_record(path, PredictorInfo, AGAIN, upgrade=_upgrade, complete=(HeadConfig,))


def stored_infos(folder: Path) -> dict[str, PredictorInfo]:
    """What is known of every predictor beside a checkpoint, by key, whichever weights it is of.

    Raises:
        CheckpointError: as :func:`read_info`.
    """
    return {path.parent.name: read_info(path) for path in sorted((folder / FOLDER).glob(f"*/{META}"))}


def check_belongs(path: Path, info: PredictorInfo, expected: Sequence[tuple[str, str]]) -> None:
    """Compare fields with those of the checkpoint that the predictor lies beside.

    Raises:
        CheckpointError: naming the first field that differs.
    """
    for name, value in expected:
        if getattr(info, name) != value:
            raise CheckpointError(f"{path}: field {name!r} is {getattr(info, name)!r}, expected {value!r}. {AGAIN}")


def _upgrade(plain: object) -> dict[str, Any]:
    values = dict(check_version(plain, "format_version", _VERSIONS))
    version = values.pop("format_version")
    labels = values.get("labels")
    if version < 4 and isinstance(labels, int) and labels >= MANY_LABELS:  # from there on latents were a group
        values["beside"] = ["latents"]
    return values
