"""How generated code is laid out: lines of a person's width, classes, texts of users that stay texts."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

#: longest line of generated code
WIDTH = 120
#: of the lines of a docstring
TEXT_WIDTH = 100
_INDENT = " " * 4


@dataclass(frozen=True)
class NetworkCode:
    """The classes of one cell's network; the last of them is ``Network``.

    Attributes:
        body: Python source that uses ``torch``, ``Tensor`` and ``nn``. The modules of ``Network`` are made in the order
            of those of :func:`svge_core.networks.build_network`, so that weights pass from one to the other.
        cell: the class among these in which the cell itself stands, to show it alone.
        recipe: how it is trained, one of :data:`svge_core.network_export.RECIPES`.
        colours: channels of the images.
        side: pixels of a side of the images that the network was made for.
        side_multiple: what sides are multiples of, where the network cannot take others.
    """

    body: str
    cell: str
    recipe: str = "sgd"
    colours: int = 3
    side: int = 32
    side_multiple: int = 1


def method(head: str, lines: Sequence[str]) -> list[str]:
    """The lines of a method, indented as it stands in a class."""
    return [f"{_INDENT}def {head}:", *(f"{_INDENT * 2}{line}" if line else "" for line in lines)]


def assigned(name: str, function: str, arguments: Sequence[str], joint: str = ", ", after: str = "") -> list[str]:
    """``name = function(arguments)`` in a method, on one line or broken as ruff breaks it.

    Args:
        name: of the variable.
        function: that is called.
        arguments: of the call.
        joint: between them: a comma, or an operator with its spaces.
        after: what follows the call.
    """
    inside, room = joint.join(arguments), WIDTH - 2 * len(_INDENT)
    opened, closed = f"{name} = {function}(", f"){after}"
    if len(opened + inside + closed) <= room:
        return [opened + inside + closed]
    if len(_INDENT + inside) <= room:
        return [opened, _INDENT + inside, closed]
    if joint == ", ":
        return [opened, *(f"{_INDENT}{argument}," for argument in arguments), closed]
    first, *rest = arguments
    return [opened, _INDENT + first, *(f"{_INDENT}{joint.strip()} {argument}" for argument in rest), closed]


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def plain_text(text: str) -> str:
    """One line of text without what cannot be seen: control characters, line breaks, changes of direction."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """A text on lines of a docstring.

    Args:
        text: of users or spaces; it is made one plain line first.
        indent: of every line.
        first: of the first one instead.
    """
    first = indent if first is None else first
    whole = textwrap.TextWrapper(
        TEXT_WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,  # a notation is copied as it stands
        break_on_hyphens=False,
    )
    return whole.wrap(plain_text(text)) or [first.rstrip()]


def python_docstring(lines: Sequence[str]) -> str:
    """A docstring of exactly these lines, whatever they hold: nothing of them can end it.

    The lines may hold any printable text; others are made so by :func:`plain_text` first.
    """
    text = "\n".join(plain_text(line) for line in lines)
    return '"""' + text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '\n"""\n'
