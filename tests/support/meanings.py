"""Meanings as files of before role, origin and single_run held them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from svge_core.data import ScoreMeaning, meaning_from_dict
from svge_core.jobs import LATENCIES, MeasuredCell, MeasuredLatency
from svge_core.jobs.latencies import SUFFIX
from svge_core.spaces import get_space

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
        "key": key,
        "title": "Accuracy",
        "unit": "%",
        "direction": "max",
        "data_set": "CIFAR-10",
        "split": "test",
        "epochs": 12,
        "seeds": "one seed",
        "kind": "measured",
        "source": "here",
        "role": "other",
        "origin": "imported",
        "single_run": False,
    }
    return ScoreMeaning(**{**told, **changed})


def write_latency(runs: Path, index: int, milliseconds: float) -> None:
    """A latency of a NAS-Bench-201 cell in a folder of runs, as a page leaves it after a measurement."""
    meaning = made_up(
        "latency_pytorch_1_ms",
        title="Latency of 1 image",
        unit="ms",
        direction="min",
        data_set="",
        split="",
        epochs=None,
        seeds="median of 30 runs",
        role="time",
        origin="user",
    )
    space = get_space("nasbench201")
    cell = space.format(space.from_index(index))
    timed = MeasuredLatency(meaning.to_dict(), milliseconds, milliseconds, milliseconds)
    (runs / LATENCIES).mkdir(parents=True, exist_ok=True)
    found = MeasuredCell(space.name, cell, (timed,))
    (runs / LATENCIES / f"{index}{SUFFIX}").write_bytes(msgspec.json.encode(found))
