"""A comparison in words: values, what they are, and what lies between two cells."""

from collections.abc import Sequence

from svge_core.cells import edits_in_words
from svge_core.comparison.pairs import CellPair
from svge_core.comparison.scores import ScoreRow
from svge_core.data import count_of
from svge_core.evaluation import percent

UNKNOWN = "unknown"
LABEL_USED = "The cell's own label trained the predictor, so its prediction is no test."


def value_in_words(row: ScoreRow, position: int) -> str:
    """One number with its unit: "91.52 %"; a prediction "≈ 91.40 (90.10 to 92.20) %"; "unknown" where there is none."""
    one = row.values[position]
    if one is None:
        return UNKNOWN
    digits = row.digits
    text = f"{one.value:,.{digits}f}"
    if one.low is not None and one.high is not None:
        text += f" ({one.low:,.{digits}f} to {one.high:,.{digits}f})"
    unit = "M" if row.meaning.unit == "million" else row.meaning.unit
    mark = " †" if one.label_used else ""
    return f"{'≈ ' if row.kind == 'predicted' else ''}{text}{' ' + unit if unit else ''}{mark}"


def short_meaning(row: ScoreRow) -> str:
    """What a row is, in a few words: where its numbers come from and which way is better."""
    parts = [row.kind]
    if row.level is not None:
        parts[0] += f", {100 * row.level:.0f} % interval"
    if row.meaning.epochs:
        parts.append(f"{row.meaning.epochs} epochs")
    if not row.meaning.detail:
        parts.append("higher is better" if row.meaning.direction == "max" else "lower is better")
    return " · ".join(parts)


def full_meaning(row: ScoreRow) -> str:
    """All there is to say about the numbers of a row, and why none is marked as best where none is."""
    words = f"{row.meaning.describe()}."
    if row.kind == "predicted":
        words = f"Predicted by: {row.model}. Stands for: {words}"
        if any(one is not None and one.label_used for one in row.values):
            words += f" † {LABEL_USED}"
    elif any(one is not None and one.low is not None for one in row.values):
        words += " In brackets: the counts of all orders in which the vertices may be written down."
    return f"{words} No best: {row.unmarked}." if row.unmarked else words


def meanings_in_words(rows: Sequence[ScoreRow]) -> list[str]:
    """What the numbers of a table are, one line for each score, then who predicts: for a page with room for notes."""
    shown = {row.meaning.key: row for row in rows if not row.meaning.detail}
    known = {row.meaning.key for row in rows if row.kind != "predicted"}
    lines = [
        f"{row.title}: {'' if key in known else 'only predicted. Stands for: '}{row.meaning.describe()}."
        for key, row in shown.items()
    ]
    models: dict[tuple[str, float | None], list[str]] = {}
    for row in rows:
        if row.kind == "predicted":
            models.setdefault((row.model, row.level), []).append(row.title)
    for (model, level), titles in models.items():
        interval = (
            "" if level is None else f", with an interval that is made to cover {100 * level:.0f} % of measurements"
        )
        lines.append(
            f"Predicted by: {model}{interval} ({', '.join(titles)}). Predictions are guesses: none is marked best."
        )
    if any(one is not None and one.label_used for row in rows for one in row.values):
        lines.append(f"† {LABEL_USED}")
    return lines


def edits_of_pair(pair: CellPair) -> str:
    """ "2 edits"; where not all ways of pairing nodes could be tried, "at most 20 edits"."""
    return edits_in_words(pair.edits) if pair.fewest is not None else f"at most {edits_in_words(pair.edits)}"


def distance_in_words(pair: CellPair) -> str:
    """The distance, and how it stands among those of random pairs."""
    nearer = f"nearer than {percent(pair.farther.value)} of {count_of(pair.farther.of, 'random pair')}"
    return f"{pair.distance:.2f}, {nearer}"


def function_in_words(pair: CellPair) -> str:
    """Whether the two compute the same, as the space defines it."""
    return "the same" if pair.same_function else "different"
