"""Numbers and comparisons in the tokens of a query: "at least 3", "between 0.5 and 1 M", "over 90 %"."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from svge_core.errors import ParseError
from svge_core.explorer.queries.tokens import Kind, Token
from svge_core.explorer.queries.units import UNITS

#: a number and the unit behind it, which may be empty
Number = tuple[float, str]
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: float(value) for value, word in enumerate(_WORDS, start=1)}
_MORE = frozenset(["more", "greater", "higher", "larger", "over", "above"])
_LESS = frozenset(["fewer", "less", "lower", "smaller", "under", "below"])
_LONGEST = 60


@dataclass(frozen=True)
class Span:
    """Between which numbers.

    Attributes:
        low, high: the ends; None for no bound.
        open_low, open_high: whether the end is left out.
        bare: a number alone, without a word that compares.
        words: as it was written.
    """

    low: Number | None = None
    high: Number | None = None
    open_low: bool = False
    open_high: bool = False
    bare: bool = False
    words: str = ""

    @property
    def unit(self) -> str:
        """The unit behind one of the ends: "between 0.5 and 1 M" says it once."""
        return next((end[1] for end in (self.high, self.low) if end is not None and end[1]), "")


class Reader:
    """A place in the tokens of a query."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    @property
    def now(self) -> Token:
        """The next token, where there is one."""
        return self.tokens[self.at]

    @property
    def now_kind(self) -> Kind | None:
        """Of the next token; None where there is none."""
        return None if self.over else self.now.kind

    @property
    def rest(self) -> str:
        """What is left up to the next separator, as it was written, for messages."""
        end = self.at
        while end < len(self.tokens) and self.tokens[end].kind != "separator":
            end += 1
        return self.said(self.at, max(end, self.at + 1))

    def said(self, start: int, end: int | None = None) -> str:
        """Tokens as they were written."""
        text = " ".join(token.raw for token in self.tokens[start : self.at if end is None else end])
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

    def take(self, words: Collection[str]) -> bool:
        """Go on by one if the next token is one of some words."""
        found = not self.over and self.now.kind == "word" and self.now.text in words
        self.at += found
        return found

    def number(self) -> Number | None:
        """The number here with its unit, if there is one."""
        if self.over:
            return None
        if self.now.kind == "number":
            value = float(self.now.text.replace(",", "").replace("−", "-"))
        elif self.now.text in _NUMBERS and self.now.kind == "word":
            value = _NUMBERS[self.now.text]
        else:
            return None
        if abs(value) > 1e300:
            raise ParseError(f"{self.now.raw[:_LONGEST]} is too large a number.")
        self.at += 1
        unit = ""
        if not self.over and self.now.kind == "word" and self.now.text in UNITS:
            unit = self.now.text
            self.at += 1
        return value, unit

    def span(self) -> Span | None:
        """The comparison here, with its numbers; None if there is none, and nothing is read then."""
        start = self.at
        found = self._span()
        if found is None:
            self.at = start
            return None
        return Span(found.low, found.high, found.open_low, found.open_high, found.bare, self.said(start))

    def _span(self) -> Span | None:
        if self.over:
            return None
        if self.now.kind == "sign":
            sign = self.now.text
            self.at += 1
            if (value := self.number()) is None:
                raise ParseError(f"{sign!r} needs a number behind it.")
            return {
                "<": Span(high=value, open_high=True),
                "<=": Span(high=value),
                ">": Span(low=value, open_low=True),
                ">=": Span(low=value),
                "=": Span(value, value),
            }[sign]
        if self.take({"between"}) or self.take({"from"}):
            low = self.number()
            joined = self.take({"and", "to"}) or self._dash()
            high = self.number() if joined else None
            if low is None or high is None:
                raise ParseError("'between' needs two numbers, such as between 1 and 3.")
            return Span(low, high)
        return self._compared() or self._plain()

    def _compared(self) -> Span | None:
        start = self.at
        if self.take({"at"}) and not self.over and self.now.text in ("least", "most"):
            return self._bound(least=self.now.text == "least", skip=1)
        self.at = start
        if self.take({"up"}) and self.take({"to"}):
            return self._bound(least=False)
        self.at = start
        if self.take({"exactly"}) or (self.take({"equal", "equals"}) and (self.take({"to"}) or True)):
            value = self._needed()
            return Span(value, value)
        for words, least in ((("minimum", "min"), True), (("maximum", "max"), False)):
            self.at = start
            if self.take(words) and self._number_follows():
                return self._bound(least=least)
        self.at = start
        negated = self.take({"no", "not"})
        more, less = self.take(_MORE), False
        if not more:
            less = self.take(_LESS)
        if not more and not less:
            self.at = start  # "not 2 skip" is no "2 skip"
            return None
        than = self.take({"than"})
        if not self._number_follows():
            if than:
                self._needed()
            return None
        value = self._needed()
        if negated:
            return Span(high=value) if more else Span(low=value)
        return Span(low=value, open_low=True) if more else Span(high=value, open_high=True)

    def _plain(self) -> Span | None:
        if (value := self.number()) is None:
            return None
        start = self.at
        if (self.take({"to"}) or self._dash()) and (high := self.number()) is not None:
            return Span(value, high)
        self.at = start
        if self.take({"or"}):
            if self.take({"more", "over", "above"}):
                return Span(low=value)
            if self.take({"fewer", "less", "under", "below"}):
                return Span(high=value)
            self.at = start
        return Span(value, value, bare=True)

    def _bound(self, *, least: bool, skip: int = 0) -> Span:
        self.at += skip
        value = self._needed()
        return Span(low=value) if least else Span(high=value)

    def _number_follows(self) -> bool:
        return not self.over and (self.now.kind == "number" or self.now.text in _NUMBERS)

    def _dash(self) -> bool:
        found = not self.over and self.now.kind == "dash"
        self.at += found
        return found

    def _needed(self) -> Number:
        before = self.tokens[self.at - 1].raw
        if (value := self.number()) is None:
            raise ParseError(f"{before!r} needs a number behind it.")
        return value
