"""Conditions as words that mean the same when they are read again."""

from collections.abc import Sequence

from svge_core.explorer.queries.conditions import Among, Condition, Counted, Query, Ranged, Top
from svge_core.explorer.queries.names import Vocabulary, operation_words
from svge_core.explorer.queries.tokens import spaced
from svge_core.explorer.queries.units import WRITTEN

#: of a convolution, in examples
LEAST = 2


def in_words(query: Query, vocabulary: Vocabulary) -> str:
    """A query as it was understood: every name in full. Read again, it is the same query."""
    return ", ".join(_condition(condition, vocabulary) for condition in query.conditions)


def _condition(condition: Condition, vocabulary: Vocabulary) -> str:
    if isinstance(condition, Counted):
        return _counted(condition, vocabulary)
    if isinstance(condition, Top):
        return f"{condition.end} {condition.count} by {_column(condition.column, vocabulary)}"
    if isinstance(condition, Among):
        column = vocabulary.column(condition.column)
        said = "not " if condition.negated else ""
        if vocabulary.mostly is not None and column.key == vocabulary.mostly.key:
            place = column.categories.index(condition.category)
            if place < len(vocabulary.operations):
                return f"{said}mostly {_names((list(vocabulary.operations)[place],), vocabulary)}"
        return said + condition.category
    return _ranged(condition, vocabulary)


def _counted(condition: Counted, vocabulary: Vocabulary) -> str:
    names = _names(condition.operations, vocabulary)
    low, high = condition.low, condition.high
    if high == 0:
        return f"no {names}"
    if high is None:
        return f"at least {low} {names}"
    if low == high:
        return f"exactly {low} {names}"
    return f"at most {high} {names}" if low == 0 else f"{low} to {high} {names}"


def _ranged(condition: Ranged, vocabulary: Vocabulary) -> str:
    name, unit = _column(condition.column, vocabulary), vocabulary.column(condition.column).unit
    behind = f" {WRITTEN.get(unit, unit)}" if unit in ("%", "million", "ms", "s") else ""
    low, high = condition.low, condition.high
    if low is not None and low == high and not condition.open_low and not condition.open_high:
        return f"{name} = {_number(low)}{behind}"
    if low is not None and high is not None and not condition.open_low and not condition.open_high:
        return f"{name} between {_number(low)} and {_number(high)}{behind}"
    if low is not None:
        return f"{name} {'>' if condition.open_low else '>='} {_number(low)}{behind}"
    return f"{name} {'<' if condition.open_high else '<='} {_number(high or 0.0)}{behind}"


def _number(value: float) -> str:
    """As short as it can be and still be read as the same number."""
    short = f"{value:.6g}"
    return short if float(short) == value else repr(value)


def _column(key: str, vocabulary: Vocabulary) -> str:
    column = vocabulary.column(key)
    same = [other for other in vocabulary.columns if column.title.casefold() in (other.title.casefold(), other.key)]
    named = column.key if len(same) > 1 or '"' in column.title or spaced(column.title) == "" else column.title
    return f'"{named}"'


def _names(operations: tuple[str, ...], vocabulary: Vocabulary) -> str:
    """What these operations have in common, in the order of the first one's name."""
    names = vocabulary.operations[operations[0]]
    shared = frozenset.intersection(*(operation_words(vocabulary.operations[op][0]) for op in operations))
    kept = [word for word in names[0].split() if operation_words(word) <= shared]
    return " ".join(kept) or names[-1]


def example_operations(labels: Sequence[str]) -> tuple[str, str] | None:
    """A convolution and a pooling that an example speaks of; None where there are not both."""
    convolutions = [label for label in labels if "conv" in label]
    pools = [label for label in labels if "pool" in label]
    if not convolutions or not pools:
        return None
    return next((label for label in convolutions if "3×3" in label), convolutions[0]), pools[0]


def example_of(vocabulary: Vocabulary, size: float | None) -> str:
    """A query that can be read in a space.

    Args:
        vocabulary: of the space, still without an example.
        size: millions of parameters that it may ask for; None where cells have none.
    """
    numbers = [column for column in vocabulary.columns if not column.categories]
    parts = []
    if numbers:
        short = next(iter(vocabulary.columns_named({"accuracy"})), None)
        name = "accuracy" if short is numbers[0] else f'"{numbers[0].title}"'
        parts.append(f"{'best' if short is numbers[0] else 'lowest'} 3 by {name}")
    if (named := example_operations([names[0] for names in vocabulary.operations.values()])) is not None:
        parts += [f"at least {LEAST} {named[0]}", f"no {named[1]}"]
    if size is not None:
        parts.append(f"under {size:g} M parameters")
    return ", ".join(parts)
