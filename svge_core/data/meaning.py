"""What a number is: data set, split, epochs, seeds, direction, measured or not, and from where."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from svge_core.errors import DataError
from svge_core.files import is_dict

Direction = Literal["max", "min"]


Kind = Literal["measured", "analytic", "predicted"]


MAX_TEXT = 500


#: how ``seeds`` begins where every value is of one training run
_ONE_RUN = ("one run", "run ")


_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class ScoreMeaning:
    """What a column of numbers is.

    Attributes:
        key: column name: a letter, then letters, digits and underscores, at most 64 characters.
        title: short name for people; for a user's own column the column's header, so escape it before it enters HTML.
        unit: unit of the values, empty where there is none.
        direction: ``"max"`` if more is better, ``"min"`` if less is better.
        data_set: data set the network was trained on, empty for analytic values.
        split: images the value was taken on, empty where it makes no sense.
        epochs: epochs of training, None where there was none or it is unknown.
        seeds: how many training runs stand behind the value and how they were summarised.
        kind: measured, analytic (follows from the structure alone) or predicted (by a model, see ``source``).
        source: where the value comes from.
        detail: True for columns that explain another one (single seeds, spread) rather than being a goal themselves.
    """

    key: str
    title: str
    unit: str
    direction: Direction
    data_set: str
    split: str
    epochs: int | None
    seeds: str
    kind: Kind
    source: str
    detail: bool = False

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise DataError(
                "A score's key is a letter, then letters, digits or underscores, at most 64 characters; "
                f"got {self.key[:80]!r}."
            )

    @property
    def single_runs(self) -> bool:
        """Whether every value is of one training run: now and then one fails, which says nothing of the cell."""
        return self.seeds.startswith(_ONE_RUN)

    def describe(self) -> str:
        """One line for the screen: what, unit, data set, split, epochs, seeds, direction of a goal, kind, source."""
        unit = f" ({self.unit})" if self.unit else ""
        parts = [
            f"{self.title}{unit}",
            self.data_set,
            self.split,
            f"{self.epochs} epochs" if self.epochs is not None else "",
            self.seeds,
            "" if self.detail else "higher is better" if self.direction == "max" else "lower is better",
            self.kind,
        ]
        return f"{', '.join(part for part in parts if part)}. Source: {self.source}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :func:`meaning_from_dict` reads them back."""
        return asdict(self)


def meaning_from_dict(raw: object) -> ScoreMeaning:
    """Read what :meth:`ScoreMeaning.to_dict` wrote.

    Raises:
        DataError: if a field is missing, unknown, of another type or longer than 500 characters.
    """
    names = {field.name for field in fields(ScoreMeaning)}
    if not is_dict(raw) or set(raw) != names:
        got = ", ".join(sorted(map(str, raw)))[:200] if is_dict(raw) else type(raw).__name__
        raise DataError(f"The meaning of a score has the fields {', '.join(sorted(names))}; got {got}.")
    for name, value in raw.items():
        if name == "epochs":
            right = value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**6)
        elif name == "detail":
            right = isinstance(value, bool)
        elif name in ("direction", "kind"):
            right = value in get_args(Direction if name == "direction" else Kind)
        else:
            right = isinstance(value, str) and len(value) <= MAX_TEXT
        if not right:
            raise DataError(f"Field {name!r} of a score's meaning cannot be {str(value)[:60]!r}.")
    return ScoreMeaning(**raw)


#: full trainings of NAS-Bench-201 and NAS-Bench-101, which need no mention in a short name
USUAL_EPOCHS = (200, 108)


def score_name(meaning: ScoreMeaning) -> str:
    """A score's short name, the data set first: "CIFAR-10 validation accuracy", "FLOPs"; a user's own header as it is.

    Its description says the rest.
    """
    if is_own(meaning):
        return meaning.title
    short = re.split(r" of one | on the | as recorded | \(", meaning.title, maxsplit=1)[0]
    epochs = (
        "" if meaning.epochs in (None, 0, *USUAL_EPOCHS) or not is_accuracy(meaning) else f", {meaning.epochs} epochs"
    )
    return f"{meaning.data_set} {short[0].lower()}{short[1:]}{epochs}" if meaning.data_set else short


def is_accuracy(meaning: ScoreMeaning) -> bool:
    """Whether a score is what architectures are chosen by: a validation accuracy, or one of shared weights."""
    return meaning.key.endswith(("_valid", "_ws_acc"))


def is_own(meaning: ScoreMeaning) -> bool:
    return meaning.key.startswith("user_")
