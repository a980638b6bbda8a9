"""What stands below a figure: data set, split, epochs and seeds of every number, and who predicts what is predicted.

Shorter than :meth:`svge_core.data.ScoreMeaning.describe`: what several scores have in common is said once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from svge_core.comparison import LABEL_USED, ScoreRow
from svge_core.data import ScoreMeaning, count_of, score_name


def meaning_lines(meanings: Iterable[ScoreMeaning], kind: str = "") -> list[str]:
    """One line a score, then the sources; of one data set and split the scores share a line.

    Args:
        meanings: of the scores.
        kind: what the shown numbers are, where they are not what the meaning says, such as predicted.
    """
    shown = list(dict.fromkeys(meanings))
    groups: dict[tuple[object, ...], list[ScoreMeaning]] = {}
    for meaning in shown:
        same = (meaning.split, meaning.epochs, meaning.seeds, meaning.kind, meaning.unit, meaning.data_set)
        groups.setdefault(same, []).append(meaning)
    lines = []
    for found in groups.values():
        first = found[0]
        titles = ", ".join(score_name(meaning) for meaning in found)
        parts = [
            kind or first.kind,
            first.split,
            "" if first.epochs is None else count_of(first.epochs, "epoch"),
            first.seeds,
        ]
        unit = f" ({first.unit})" if first.unit else ""
        lines.append(f"{titles}{unit}: {', '.join(part for part in parts if part)}.")
    sources = dict.fromkeys(meaning.source for meaning in shown if meaning.source)
    return [*lines, f"Source: {'; '.join(sources)}."] if sources else lines


def prediction_line(model: str, level: float | None) -> str:
    """Who predicts, and what the interval is."""
    interval = "" if level is None else f"; {100 * level:.0f} % interval"
    return f"Predicted: {model}{interval}."


def row_lines(rows: Sequence[ScoreRow]) -> tuple[str, ...]:
    """The lines of some rows of scores; one of which only predictions stand there is not called measured."""
    known = {row.meaning.key for row in rows if row.kind != "predicted"}
    lines = meaning_lines(
        row.meaning if row.meaning.key in known else replace(row.meaning, kind="predicted") for row in rows
    )
    lines += list(dict.fromkeys(prediction_line(row.model, row.level) for row in rows if row.kind == "predicted"))
    if any(one is not None and one.label_used for row in rows for one in row.values):
        lines.append(f"† {LABEL_USED}")
    return tuple(lines)
