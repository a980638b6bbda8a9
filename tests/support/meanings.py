"""Meanings as files of before role, origin and single_run held them."""

from collections.abc import Mapping
from typing import Any

from svge_core.data import ScoreMeaning, meaning_from_dict

NEWER = ("role", "origin", "single_run")


def as_of_old(meaning: ScoreMeaning) -> dict[str, Any]:
    """What an older version wrote of it."""
    return {name: value for name, value in meaning.to_dict().items() if name not in NEWER}


def read_back_from_old(meanings: Mapping[str, ScoreMeaning]) -> bool:
    """Whether older files of these scores mean the same as what is made now, so that old and new can be compared."""
    for meaning in meanings.values():
        assert meaning_from_dict(as_of_old(meaning)) == meaning
    return bool(meanings)


def made_up(key: str = "made_up", **changed: Any) -> ScoreMeaning:
    """The meaning of a made-up accuracy that somebody imported."""
    told = {
        "key": key, "title": "Accuracy", "unit": "%", "direction": "max", "data_set": "CIFAR-10", "split": "test",
        "epochs": 12, "seeds": "one seed", "kind": "measured", "source": "here",
        "role": "other", "origin": "imported", "single_run": False,
    }  # fmt: skip
    return ScoreMeaning(**{**told, **changed})
