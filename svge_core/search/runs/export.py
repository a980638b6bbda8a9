"""A run as a file: CSV of its evaluations, or JSON with everything that is known about it."""

import json
from collections.abc import Sequence

import pandas as pd

from svge_core.search.runs.races import RaceNotes
from svge_core.search.runs.types import RunView

FORMAT, RACE_FORMAT, VERSION = "svge-search-run", "svge-search-race", 1
#: a spreadsheet takes a text that begins with one of these for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def run_csv(views: Sequence[RunView]) -> str:
    """The evaluations of one or several runs, one line each, with the run's name, method and seed in front.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    frames: list[pd.DataFrame] = []
    for view in views:
        frame = view.frame()
        about = {"run": view.config.name, "race": view.config.race, "method": view.config.method}
        for place, (name, value) in enumerate({**about, "seed": view.config.seed}.items()):
            frame.insert(place, name, value)
        frames.append(frame)
    if not frames:
        return ""
    joined = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    for name in joined.columns:
        if joined[name].dtype.kind not in "fiubM":
            joined[name] = joined[name].map(_harmless)
    return joined.to_csv(index=False)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def run_json(view: RunView) -> str:
    """Everything about a run: what was asked for, what its numbers mean, every evaluation with its prediction."""
    return json.dumps(_document(view), indent=1, allow_nan=False)


def race_json(views: Sequence[RunView], notes: RaceNotes | None = None) -> str:
    """The documents of :func:`run_json` of several runs, as the list ``runs``, with what a person calls the race."""
    words = {} if notes is None else {"title": notes.title, "note": notes.note}
    document = {"format": RACE_FORMAT, "version": VERSION, **words, "runs": [_document(view) for view in views]}
    return json.dumps(document, indent=1, allow_nan=False)


def _document(view: RunView) -> dict[str, object]:
    evaluations = [
        {
            "number": e.number,
            "architecture": e.notation,
            "values": None if e.values is None else dict(zip((g.key for g in view.goals), e.values, strict=True)),
            "source": e.source,
            "predicted": None if e.mean is None else {"mean": e.mean, "std": e.std},
            "state": e.state,
            "started": None if e.started is None else e.started.isoformat(),
            "finished": None if e.finished is None else e.finished.isoformat(),
            "worker": e.worker,
            "problem": e.problem,
        }
        for e in view.evaluations
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "config": view.config.to_dict(),
        "searched": view.domain_title,
        "goals": [goal.meaning.to_dict() for goal in view.goals],
        "state": view.state,
        "problem": view.problem,
        "known_optimum": None if view.optimum is None else list(view.optimum),
        "best_so_far": None if len(view.goals) > 1 else view.best_so_far().tolist(),
        "front": [e.number for e in view.front()] if len(view.goals) > 1 and view.done else None,
        "evaluations": evaluations,
    }
