"""From the words of a query to its conditions, strictly: what is not understood is an error, never left out."""

from svge_core.errors import ParseError
from svge_core.explorer.queries.conditions import Among, Condition, Counted, Extreme, Query, Ranged, Top
from svge_core.explorer.queries.names import (
    NamedColumn,
    Vocabulary,
    read_category,
    read_column,
    read_operation,
    zeros_as_numbers,
)
from svge_core.explorer.queries.quantities import Reader, Span
from svge_core.explorer.queries.tokens import tokens_of
from svge_core.explorer.queries.units import in_unit

#: longest query, and most conditions of one
MAX_QUERY, MAX_CONDITIONS = 500, 30
_ENDS: dict[str, Extreme] = {
    **dict.fromkeys(("top", "best"), "best"),
    **dict.fromkeys(("worst", "bottom"), "worst"),
    **dict.fromkeys(("highest", "largest"), "highest"),
    **dict.fromkeys(("lowest", "smallest"), "lowest"),
}
_CELLS = frozenset(["cell", "cells", "architecture", "architectures", "network", "networks", "model", "models"])
_BY = frozenset({"by", "in", "on"})
_LEADS = frozenset(["with", "has", "have", "having", "contains", "containing", "uses", "using", "where", "that"])
_AND = frozenset({"and", "but"})
_MOSTLY = "mostly"
_MOST = 10**9


def parse_query(text: str, vocabulary: Vocabulary) -> Query:
    """Read a query, such as "at least 3 conv3x3, no pool, under 0.5 M parameters".

    Conditions stand in any order, with commas or "and" between them; all must hold.

    Args:
        text: at most ``MAX_QUERY`` characters.
        vocabulary: what can be spoken of.

    Raises:
        ParseError: in one line, with what was not understood and an example.
    """
    try:
        if not text.strip() or len(text) > MAX_QUERY:
            raise ParseError(f"Expected a question in words of at most {MAX_QUERY} characters; got {len(text)}.")
        return _Parser(Reader(zeros_as_numbers(tokens_of(text), vocabulary)), vocabulary).query()
    except ParseError as error:
        raise ParseError(f"{error} For example: {vocabulary.example}") from None


class _Parser:
    def __init__(self, reader: Reader, vocabulary: Vocabulary) -> None:
        self.reader, self.vocabulary = reader, vocabulary
        self.bare = False  # whether the condition just read is an operation's name alone

    def query(self) -> Query:
        reader, found = self.reader, list[Condition]()
        before = 0
        while not reader.over:
            start, self.bare = reader.at, False
            condition = self._condition()
            if self.bare and found and _at_most(found[-1]):
                raise self._twofold(before, start)
            found.append(condition)
            before = start
            while not reader.over and (reader.now.kind == "separator" or reader.now.text in _AND):
                reader.at += 1
        if len(found) > MAX_CONDITIONS:
            raise ParseError(f"A question has at most {MAX_CONDITIONS} conditions; this one has {len(found)}.")
        return Query(tuple(found))

    def _condition(self) -> Condition:
        reader = self.reader
        start = reader.at
        if (top := self._top()) is not None:
            return top
        reader.at = start
        if (among := self._among()) is not None:
            return among
        reader.at = start
        led = reader.take(_LEADS)
        if led:
            reader.take({"a", "an"})
        if (span := reader.span()) is not None:
            return self._spanned(span)
        if reader.take({"no", "without", "not"}):
            reader.take({"any", "a", "an"})
            operations = self._operations()
            if not operations:
                raise ParseError(f"{reader.rest!r} is no operation: expected {self._known_operations()}.")
            return Counted(operations, 0, 0)
        alone = not reader.take({"any", "some"}) and not led
        found = self._named()
        self.bare = alone and isinstance(found, Counted) and (found.low, found.high) == (1, None)
        return found

    # ---- so many of them ------------------------------------------------------------------------------------------

    def _top(self) -> Top | None:
        reader = self.reader
        reader.take({"the"})
        start = reader.at
        number = reader.number()
        word = "" if reader.over else reader.now.text
        if word not in _ENDS or (number is not None and number[1]):
            return None
        reader.at += 1
        end, counted = _ENDS[word], number is not None
        if not counted:
            number = reader.number()
            if number is not None and number[1]:
                raise ParseError(f"{word!r} takes a number of cells, such as {word} 10; got {number[0]:g} {number[1]}.")
        noun = reader.take(_CELLS)
        chosen = self._by()
        if number is None and chosen is None and not noun and reader.at != start + 1:
            return None
        if number is None and chosen is None and not noun:
            raise ParseError(f"{word!r} needs a number of cells or a column, such as {word} 10 by {self._a_column()}.")
        count = 1.0 if number is None else number[0]
        if count != int(count) or not 1 <= count <= _MOST:
            raise ParseError(f"{word!r} takes a whole number of cells from 1 on; got {count:g}.")
        if chosen is None:
            accuracies = self.vocabulary.columns_named({"accuracy"})
            chosen = next((column for column in accuracies if column.better), None)
            if chosen is None or end in ("highest", "lowest"):
                raise ParseError(f"{word} {count:g} by which column? Write {word} {count:g} by {self._a_column()}.")
        if end in ("best", "worst") and not chosen.better:
            raise ParseError(f"Neither end of {chosen.title} is better: say highest or lowest instead of {word}.")
        return Top(int(count), chosen.key, end)

    def _by(self) -> NamedColumn | None:
        reader = self.reader
        if not reader.take(_BY):
            return None
        reader.take({"the"})
        columns, end = read_column(reader.tokens, reader.at, self.vocabulary)
        if not columns:
            raise self._no_column(end)
        reader.at = end
        return self._of_numbers(columns[0])

    # ---- categories -----------------------------------------------------------------------------------------------

    def _among(self) -> Among | None:
        reader = self.reader
        found, end = read_category(reader.tokens, reader.at, self.vocabulary)
        if found is None:
            negated = reader.take({"not"})
            mostly = reader.take({_MOSTLY})
            if mostly:
                return self._mostly(negated=bool(negated))
            found, end = read_category(reader.tokens, reader.at, self.vocabulary)
            if found is None or not negated:
                return None
            reader.at = end
            return Among(*found, negated=True)
        reader.at = end
        return Among(*found)

    def _mostly(self, *, negated: bool) -> Among:
        column = self.vocabulary.mostly
        if column is None:
            raise ParseError(f"'mostly' needs several operations; {self.vocabulary.space} has one.")
        operations = self._operations()
        if len(operations) != 1:
            raise ParseError(f"'mostly' takes one operation: expected {self._known_operations()}.")
        place = list(self.vocabulary.operations).index(operations[0])
        return Among(column.key, column.categories[place], negated)

    # ---- counts and ranges ----------------------------------------------------------------------------------------

    def _spanned(self, span: Span) -> Condition:
        """A number first, then what it counts or measures."""
        reader = self.reader
        reader.take({"of"})
        operations, columns = self._name()
        if operations:
            return self._counted(operations, span)
        if columns:
            return self._ranged(columns[0], span)
        raise self._not_understood()

    def _named(self) -> Condition:
        """What is counted or measured first, then the number."""
        reader = self.reader
        start = reader.at
        operations, columns = self._name()
        if not operations and not columns:
            raise self._not_understood()
        reader.take({"is", "are", "of"})
        if reader.now_kind == "dash":
            reader.at += 1
        span = reader.span()
        if operations:
            return Counted(operations, 1, None) if span is None else self._counted(operations, span)
        if span is None:
            name = reader.said(start)
            raise ParseError(f"{name!r} needs a number: say above, below, at least, at most or between.")
        return self._ranged(columns[0], span)

    def _name(self) -> tuple[tuple[str, ...], tuple[NamedColumn, ...]]:
        reader = self.reader
        operations, after = read_operation(reader.tokens, reader.at, self.vocabulary)
        columns, end = read_column(reader.tokens, reader.at, self.vocabulary)
        if operations and after >= end:
            reader.at = after
            return operations, ()
        if end > reader.at and not columns:
            raise self._no_column(end)
        if columns:
            reader.at = end
        return (), columns

    def _operations(self) -> tuple[str, ...]:
        operations, self.reader.at = read_operation(self.reader.tokens, self.reader.at, self.vocabulary)
        return operations

    def _counted(self, operations: tuple[str, ...], span: Span) -> Counted:
        for end in (span.low, span.high):
            if end is not None and (end[1] or end[0] != int(end[0]) or end[0] < 0):
                raise ParseError(f"Operations are counted by whole numbers from 0 on; got {end[0]:g}{end[1]}.")
        low = 0 if span.low is None else int(span.low[0]) + span.open_low
        high = None if span.high is None else int(span.high[0]) - span.open_high
        if high is not None and high < 0:
            raise ParseError("No cell has fewer than 0 of an operation.")
        if high is not None and low > high:
            raise ParseError(f"No number is from {low} to {high}: write the smaller one first.")
        return Counted(operations, low, high)

    def _ranged(self, column: NamedColumn, span: Span) -> Ranged:
        column = self._of_numbers(column)
        if span.bare and not column.whole:
            raise ParseError(
                f"{span.words} {column.title}: say above, below, at least, at most or between, as hardly a cell has "
                "exactly that."
            )
        unit = span.unit
        low, high = (None if end is None else in_unit(end[0], end[1] or unit, column) for end in (span.low, span.high))
        if low is not None and high is not None and low > high:
            raise ParseError(f"No number lies between {low:g} and {high:g}: write the smaller one first.")
        return Ranged(column.key, low, high, span.open_low, span.open_high)

    # ---- messages -------------------------------------------------------------------------------------------------

    def _twofold(self, before: int, start: int) -> ParseError:
        said, name = self.reader.said(before).replace(" ,", ","), self.reader.said(start)
        return ParseError(f"{said!r} can mean two things: say 'no {name}' or 'at least 1 {name}' after the first.")

    def _of_numbers(self, column: NamedColumn) -> NamedColumn:
        if column.categories:
            raise ParseError(f"{column.title} has no numbers: write one of {', '.join(column.categories)}.")
        return column

    def _a_column(self) -> str:
        return next((column.title for column in self.vocabulary.columns if not column.categories), "a column")

    def _known_operations(self) -> str:
        return ", ".join(names[0] for names in self.vocabulary.operations.values())

    def _no_column(self, end: int) -> ParseError:
        name = self.reader.said(self.reader.at, max(end, self.reader.at + 1))
        titles = [column.title for column in self.vocabulary.columns if not column.categories]
        some = ", ".join(titles[:4]) + (f", ... ({len(titles)})" if len(titles) > 4 else "")
        return ParseError(f"{self.vocabulary.space} has no column {name!r}: it has {some}.")

    def _not_understood(self) -> ParseError:
        reader = self.reader
        if reader.over:
            return ParseError("The question ends too early: something to count or to measure is missing.")
        word = reader.now.text
        if word in self.vocabulary.constant:
            return ParseError(f"All cells of {self.vocabulary.space} are equal in {word}: nothing can be chosen by it.")
        if word in ("or", "nor"):
            return ParseError(f"{word!r} was not understood: all conditions must hold, such as 'no A, no B'.")
        return ParseError(
            f"{reader.rest!r} was not understood: expected an operation ({self._known_operations()}) or a column "
            f"such as {self._a_column()}."
        )


def _at_most(condition: Condition) -> bool:
    """Whether it says of operations only how many there may be: a name behind it may be meant so, too."""
    if isinstance(condition, Counted):
        return condition.low == 0
    return isinstance(condition, Among) and condition.negated
