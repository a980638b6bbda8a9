"""Operations and columns as people call them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from svge_core.data import Direction
from svge_core.explorer.queries.tokens import Token, spaced

#: other words for parts of an operation's name
_OPERATION_WORDS = {
    **dict.fromkeys(("convs", "convolution", "convolutions", "convolutional"), "conv"),
    **dict.fromkeys(("pools", "pooling", "poolings"), "pool"),
    **dict.fromkeys(("average", "avgpool"), "avg"),
    **dict.fromkeys(("maximum", "maxpool"), "max"),
    **dict.fromkeys(("skips", "identity", "identities"), "skip"),
    **dict.fromkeys(("zero", "zeros", "zeroes", "zeroize", "nones"), "none"),
    **dict.fromkeys(("separable", "sepconv", "sepconvs"), "sep"),
    **dict.fromkeys(("dilated",), "dil"),
}
#: words that are two
_JOINED = {
    **dict.fromkeys(("avgpool", "avgpools"), ("avg", "pool")),
    **dict.fromkeys(("maxpool", "maxpools"), ("max", "pool")),
    **dict.fromkeys(("sepconv", "sepconvs"), ("sep", "conv")),
    **dict.fromkeys(("dilconv", "dilconvs"), ("dil", "conv")),
}
#: parts of operations' names that say nothing to tell them apart, and nouns that may follow
_SILENT = frozenset({"nor", "bn", "relu", "connect"})
_NOUNS = frozenset({"operation", "operations", "op", "ops", "layer", "layers", "connection", "connections"})
#: other words for parts of a column's name
_COLUMN_WORDS = {
    **dict.fromkeys(("params", "param", "parameter"), "parameters"),
    **dict.fromkeys(("acc", "accuracies"), "accuracy"),
    **dict.fromkeys(("val", "valid"), "validation"),
    **dict.fromkeys(("flop", "macs", "madds"), "flops"),
    **dict.fromkeys(("edge",), "edges"),
    **dict.fromkeys(("estimated", "expected"), "predicted"),
    **dict.fromkeys(("std",), "deviation"),
    **dict.fromkeys(("errors",), "error"),
}
#: other words for a category; where cells are charted by a sample, those not held out stand for those trained on
_CATEGORY_WORDS = {"not held out": ("trained on",)}
#: behind one of these words "zero" is the number
_BEFORE_NUMBERS = frozenset(["least", "most", "than", "exactly", "equals", "is", "are", "to", "between", "from"])
#: a shorter beginning of a word is too little to know it by
_LEAST_PREFIX = 4
#: words between the words of a name
_BETWEEN = frozenset({"on", "of", "for", "in", "the", "its"})


def operation_words(name: str) -> frozenset[str]:
    """The words that an operation's name is made of."""
    found: list[str] = []
    for piece in re.split(r"[\s_\-]+", spaced(name.lower())):
        parts = _JOINED.get(piece, (_OPERATION_WORDS.get(piece, piece),))
        found += [part for part in parts if part and part not in _SILENT]
    return frozenset(found)


def column_words(name: str) -> frozenset[str]:
    """The words of a column's name; neighbours joined too, so that "CIFAR 100" and "run 1" are found."""
    pieces = [piece.replace("-", "") for piece in re.findall(r"\w[\w-]*\w|\w", name.lower())]
    joined = [a + b for a, b in zip(pieces, pieces[1:], strict=False)]
    return frozenset(pieces) | frozenset(joined)


@dataclass(frozen=True)
class NamedColumn:
    """A column that a query can name.

    Attributes:
        key: of the column; found by it, too.
        title: as tables show it.
        unit: of its numbers.
        direction: which way is better.
        whole: whether its numbers are counts, so that "3 edges" is exactly three.
        categories: names of its categories; empty for numbers.
        better: whether one end of its numbers is better than the other.
    """

    key: str
    title: str
    unit: str = ""
    direction: Direction = "max"
    whole: bool = False
    categories: tuple[str, ...] = ()
    better: bool = True


@dataclass(frozen=True)
class Vocabulary:
    """What a query can speak of in one space.

    Attributes:
        space: its title, for messages.
        operations: in the space's order, with the names that each is known by.
        columns: in the order of choice: of those that fit a name the first is meant.
        constant: words for what all cells are equal in, for messages.
        example: a query that can be read here.
        mostly: the column of the most frequent operation; None where there is none.
    """

    space: str
    operations: dict[str, tuple[str, ...]]
    columns: tuple[NamedColumn, ...]
    constant: tuple[str, ...] = ()
    example: str = ""
    mostly: NamedColumn | None = None

    def column(self, key: str) -> NamedColumn:
        """The column of a key that is there."""
        return next(column for column in self.columns if column.key == key)

    def operations_named(self, words: frozenset[str]) -> tuple[str, ...]:
        """The operations whose names have all the words; where a name has no others, that operation alone."""
        if not words:
            return ()
        known = {op: [operation_words(name) for name in names] for op, names in self.operations.items()}
        exact = tuple(op for op, names in known.items() if words in names)
        return exact or tuple(op for op, names in known.items() if any(words <= name for name in names))

    def columns_named(self, words: Iterable[str]) -> tuple[NamedColumn, ...]:
        """The columns of numbers whose titles have all the words."""
        wanted = list(words)
        numbers = [column for column in self.columns if not column.categories]
        return tuple(c for c in numbers if wanted and all(_has(column_words(c.title), word) for word in wanted))

    def knows_word(self, word: str) -> bool:
        """Whether some column of numbers has a word."""
        return any(_has(column_words(column.title), word) for column in self.columns if not column.categories)


def _has(words: frozenset[str], word: str) -> bool:
    return word in words or (len(word) >= _LEAST_PREFIX and any(known.startswith(word) for known in words))


def read_operation(tokens: Sequence[Token], at: int, vocabulary: Vocabulary) -> tuple[tuple[str, ...], int]:
    """The operations named from a place on, and where their name ends; none if there is no such name."""
    everything = frozenset[str]().union(
        *(operation_words(name) for names in vocabulary.operations.values() for name in names)
    )
    words, end = frozenset[str](), at
    while end < len(tokens) and tokens[end].kind == "word":
        more = operation_words(tokens[end].text)
        if not more or not more <= everything or not vocabulary.operations_named(words | more):
            break
        words, end = words | more, end + 1
    if words and end < len(tokens) and tokens[end].text in _NOUNS:
        end += 1
    found = vocabulary.operations_named(words)
    return (found, end) if found else ((), at)


def zeros_as_numbers(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Token]:
    """The tokens, with 0 for every "zero" that counts what stands beside it: "zero skips", but "at least 2 zero"."""
    found = list(tokens)
    for at, token in enumerate(tokens):
        if token.kind != "word" or token.text != "zero":
            continue
        before = found[at - 1] if at else None
        compared = before is not None and (before.kind in ("sign", "dash") or before.text in _BEFORE_NUMBERS)
        if (
            compared
            or (at and read_operation(found[:at], at - 1, vocabulary)[0])
            or read_operation(tokens, at + 1, vocabulary)[0]
        ):
            found[at] = Token("number", "0", token.raw)
    return found


def read_column(tokens: Sequence[Token], at: int, vocabulary: Vocabulary) -> tuple[tuple[NamedColumn, ...], int]:
    """The columns that fit the name from a place on, best first, and where it ends.

    None with an end beyond ``at`` if there are words of columns, but no column has all of them.
    """
    if at < len(tokens) and tokens[at].kind == "quoted":
        name = spaced(tokens[at].raw.strip('"')).casefold()
        found = [c for c in vocabulary.columns if name in (spaced(c.key).casefold(), spaced(c.title).casefold())]
        return tuple(found), at + 1
    if at < len(tokens):
        found = [column for column in vocabulary.columns if column.key.casefold() == tokens[at].text]
        if found and tokens[at].kind == "word":
            return tuple(found), at + 1
    words: list[str] = []
    end = place = at
    while place < len(tokens):
        token = tokens[place]
        if token.kind != "word":
            break
        if token.text in _BETWEEN and words:
            place += 1
            continue
        word = _COLUMN_WORDS.get(token.text, token.text).replace("-", "")
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is not None and after.kind in ("number", "word") and vocabulary.knows_word(word + after.text):
            known = any(word + after.text in column_words(column.title) for column in vocabulary.columns)
            if known and (after.kind == "number" or not vocabulary.knows_word(word)):
                words.append(word + after.text)
                end = place = place + 2
                continue
        if not vocabulary.knows_word(word):
            break
        words.append(word)
        end = place = place + 1
    return vocabulary.columns_named(words), end


def read_category(tokens: Sequence[Token], at: int, vocabulary: Vocabulary) -> tuple[tuple[str, str] | None, int]:
    """The column and the category named from a place on, and where the name ends."""
    best: tuple[tuple[str, str] | None, int] = (None, at)
    for column in vocabulary.columns:
        categories = column.categories if column is not vocabulary.mostly else ("several equally",)
        for category, name in [(c, name) for c in categories for name in (c, *_CATEGORY_WORDS.get(c, ()))]:
            pieces = [piece for piece in re.split(r"[\s\-]+", name.lower()) if piece]
            said = [piece for token in tokens[at:] for piece in re.split(r"[\s\-]+", token.text)]
            if said[: len(pieces)] != pieces:
                continue
            end, left = at, len(pieces)
            while left > 0:
                left -= len(re.split(r"[\s\-]+", tokens[end].text))
                end += 1
            if left == 0 and end > best[1]:
                best = ((column.key, category), end)
    return best
