"""A query as tokens: words, numbers, comparisons, quoted names, separators."""

import re
from dataclasses import dataclass
from typing import Literal

from svge_core.errors import ParseError

Kind = Literal["word", "number", "sign", "separator", "dash", "quoted"]

_KERNEL = re.compile(r"[-_]*(\d+)\s*[x×]\s*(\d+)[-_]*")
#: other signs that people write for the hyphen within a name
_LONG_HYPHEN = re.compile(r"(?<=[^\W\d_])[‐‑–](?=[^\W\d_])")
_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]*")
    | (?P<word>[^\W\d_](?:[\w-]*\w)? | \d+x\d+ | %)
    | (?P<number>(?:(?<![\w.)])[-−])?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
        (?:e[+-]?\d{1,3}(?![\w.]))?)
    | (?P<sign><=|>=|==|[<>=≤≥])
    | (?P<separator>[,;&])
    | (?P<dash>[-–−:])""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s+")
_SIGNS = {"≤": "<=", "≥": ">=", "==": "="}
#: first words of a query, and signs: whoever types one of them means no notation of a cell
_STARTERS = frozenset(
    ("at", "exactly", "more", "less", "fewer", "over", "above", "under", "below", "between", "up", "no", "without")
    + ("with", "has", "having", "any", "contains", "containing", "top", "best", "worst", "highest", "lowest", "mostly")
    + ("held", "trained", "not", "minimum", "maximum", "min", "max", "the", "two", "three", "five", "ten")
)
_COMPARISONS = frozenset(["above", "below", "over", "under", "between", "than", "least", "most"])


@dataclass(frozen=True)
class Token:
    """A piece of a query.

    Attributes:
        kind: what it is.
        text: in small letters, without quotes.
        raw: as it was typed.
    """

    kind: Kind
    text: str
    raw: str


def spaced(text: str) -> str:
    """A text in which sizes of kernels stand apart and are written with an x: "conv3×3" is "conv 3x3"."""
    return " ".join(_KERNEL.sub(r" \1x\2 ", _LONG_HYPHEN.sub("-", text)).split())


def tokens_of(text: str) -> list[Token]:
    """Cut a query into tokens.

    Raises:
        ParseError: naming the first character that is none.
    """
    given = spaced(text)
    small = given.lower() if len(given.lower()) == len(given) else given
    found: list[Token] = []
    at = 0
    while at < len(given):
        if space := _SPACE.match(given, at):
            at = space.end()
            continue
        if (match := _TOKEN.match(small, at)) is None:
            raise ParseError(f"{given[at]!r} was not understood.")
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        raw = given[at : match.end()]
        piece = match.group().strip('"') if kind == "quoted" else match.group()
        found.append(Token(kind, _SIGNS.get(piece, piece), raw))
        at = match.end()
    return found


def starts_like_query(text: str) -> bool:
    """Whether a text is rather a question in words than a notation that was mistyped."""
    try:
        found = tokens_of(text)
    except ParseError:
        return False
    words = {token.text for token in found if token.kind == "word"}
    return bool(found) and (found[0].text in _STARTERS or bool(words & _COMPARISONS) or _compares(found))


def _compares(found: list[Token]) -> bool:
    pairs = zip(found, found[1:], strict=False)
    return any(a.kind == "sign" and b.kind == "number" for a, b in pairs)
