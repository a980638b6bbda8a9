"""Names and colours of operations, one choice for drawings, legends and charts, on light and on dark pages.

Up to seven operations outside the table that occur together in one space stay apart for people with protanopia,
deuteranopia and tritanopia; of more no two have one colour, but only their names tell them apart. Every line colour but
that of "none" has a contrast of 3:1 or more on its page (WCAG 2.1, 1.4.11). Tests measure all of it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from svge_core.drawing.further_colours import further_colours
from svge_core.spaces import AbstractSearchSpace

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Colours of everything but the operations, as ``#rrggbb``.

    Attributes:
        page: the background the drawing will lie on; the drawing itself is transparent.
        text: labels.
        muted: labels of what has no effect.
        line: arrows without an operation, outlines of input and output.
        faint: arrows from and to what has no effect.
        surface: filling of input, output and feature maps.
        accent: changes.
    """

    page: str
    text: str
    muted: str
    line: str
    faint: str
    surface: str
    accent: str


THEMES: dict[ThemeName, Theme] = {
    "light": Theme("#ffffff", "#1f2933", "#6b7480", "#5b6673", "#c5cbd3", "#f2f4f7", "#d6246e"),
    "dark": Theme("#0e1117", "#e6eaf0", "#98a2b3", "#a3adba", "#4a5361", "#1c222c", "#ff6fae"),
}

_COLOURS: dict[ThemeName, dict[str, str]] = {
    "light": {
        "conv 1×1": "#3c97e8",
        "conv 3×3": "#0b3d91",
        "conv 5×5": "#b14fd0",
        "sep conv 3×3": "#0a6b4b",
        "sep conv 5×5": "#1fa866",
        "avg pool 3×3": "#bf8700",
        "max pool 3×3": "#a12c0b",
        "skip": "#7d8694",
        "none": "#c5cbd3",
    },
    "dark": {
        "conv 1×1": "#82caff",
        "conv 3×3": "#4b7fe0",
        "conv 5×5": "#eeb0f2",
        "sep conv 3×3": "#18b05e",
        "sep conv 5×5": "#93f2d4",
        "avg pool 3×3": "#f5be3d",
        "max pool 3×3": "#f2461f",
        "skip": "#9aa3b0",
        "none": "#4a5361",
    },
}
#: for operations outside the table, in vocabulary order
_SPARE = ("conv 3×3", "avg pool 3×3", "sep conv 3×3", "conv 1×1", "max pool 3×3", "conv 5×5", "sep conv 5×5")


def operation_label(op: str) -> str:
    """Short name shown to people, ``"nor_conv_3x3"`` -> ``"conv 3×3"``; unknown names come back with spaces."""
    name = op.lower()
    if name in ("none", "zero", "zeroize"):
        return "none"
    if name in ("skip_connect", "skip", "identity"):
        return "skip"
    kernel = re.search(r"(\d+)x\1(?!\d)", name)
    for mark, family in (("avg", "avg pool"), ("max", "max pool"), ("sep", "sep conv"), ("dil", "dil conv")):
        if kernel and mark in name:
            return f"{family} {kernel[1]}×{kernel[1]}"
    if kernel and "conv" in name:
        return f"conv {kernel[1]}×{kernel[1]}"
    return " ".join(op.replace("_", " ").split())


def operation_colours(space: AbstractSearchSpace, theme: ThemeName = "light") -> dict[str, str]:
    """Line colour (``#rrggbb``) of every operation of a space, in vocabulary order."""
    table, page = _COLOURS[theme], THEMES[theme].page
    labels = {op: operation_label(op) for op in space.operations}
    others = [label for label in labels.values() if label not in table]
    spare = [table[name] for name in _SPARE if name not in labels.values()]
    if (more := len(others) - len(spare)) > 0:
        spare += further_colours((*(table[label] for label in labels.values() if label in table), *spare), more, page)
    free = iter(spare)
    return {op: table[label] if label in table else next(free) for op, label in labels.items()}


def blended(colour: str, page: str, share: float) -> str:
    """``share`` of a colour over a page colour, all ``#rrggbb``; opaque, so lines below do not shine through."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(page[1:]), strict=True)
    return "#" + bytes(round(share * top + (1 - share) * below) for top, below in pairs).hex()
