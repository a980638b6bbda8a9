"""Rows of a question -> a sentence that answers it. Every number in it is one of the rows."""

from collections.abc import Iterable, Sequence

from ui.results.rows import ComparisonRow, decimals, number

#: systems that a sentence names when they are equally good
NAMED = 3


def best_first(rows: Iterable[ComparisonRow]) -> list[ComparisonRow]:
    """The rows of one measure, differences left out."""
    return sorted(
        (row for row in rows if not row.paired), key=lambda row: -row.value if row.direction == "max" else row.value
    )


def equally_good(ordered: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """The rows whose value is written as that of the first."""
    return [row for row in ordered if _value(row) == _value(ordered[0])]


def answer(rows: Sequence[ComparisonRow]) -> str:
    """Who is best, of how many, and how that stands to the best published value.

    Args:
        rows: of one question, data set and measure.

    Returns:
        One sentence in plain text; empty where there is only a difference.
    """
    ordered = best_first(rows)
    here = [row for row in ordered if row.origin == "measured here"]
    there = [row for row in ordered if row.origin == "published"]
    if not ordered:
        return ""
    if not here:
        return f"Not measured here; the best published value is {_said(there[0])}, by {there[0].system}."
    first = equally_good(here)
    names = [row.system for row in first[:NAMED]]
    more = len(first) - len(names)
    listed = names if not more else [*names, f"{more} more"]
    subject = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
    if len(here) == 1:
        sentence = f"{subject} reaches {_said(here[0])}"
    elif len(first) == 1:
        sentence = f"{subject} is the best of {len(here)} measured, at {_said(here[0])}"
    elif len(first) == len(here):
        sentence = f"all {len(here)} measured are equally good, at {_said(here[0])}"
    else:
        sentence = f"{subject} are the best of {len(here)} measured, at {_said(here[0])}"
    sentence = sentence[:1].upper() + sentence[1:]
    if not there:
        return f"{sentence}."
    return (
        f"{sentence}; the best published value, {there[0].system}'s {_said(there[0])}, is {_beside(here[0], there[0])}."
    )


def _beside(here: ComparisonRow, there: ComparisonRow) -> str:
    """How a published value stands to a measured one."""
    digits = decimals(here)
    difference = round(there.shown, digits) - round(here.shown, digits)
    if not round(difference, digits):
        return "the same"
    better = (difference > 0) == (here.direction == "max")
    return f"{abs(difference):.{digits}f}{' points' if _per_cent(here) else ''} {'better' if better else 'worse'}"


def _value(row: ComparisonRow) -> str:
    return f"{row.shown:.{decimals(row)}f}"


def _per_cent(row: ComparisonRow) -> bool:
    return row.share or "%" in row.measure


def _said(row: ComparisonRow) -> str:
    """The number with its unit."""
    return number(row) if row.share or not _per_cent(row) else f"{number(row)} %"
