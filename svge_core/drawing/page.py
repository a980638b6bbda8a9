"""Drawings, lines and tables on one page as PDF, laid out and drawn by Graphviz: vectors, and no further package.

Every block is laid out alone, so that a cell looks as it does everywhere else; then all of them are put side by side
and below each other on one graph whose positions are fixed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from svge_core.cells import Cell, Highlight
from svge_core.drawing.dot import FONT, drawn_graph, positioned_json, printable
from svge_core.drawing.palette import THEMES, ThemeName
from svge_core.spaces import AbstractSearchSpace

#: landscape A4 without a margin, in inches; a page that needs more is made smaller as a whole
PAGE_SIZE, PAGE_PAD = "10.9,7.5", 0.35
#: points between the parts of a column, between columns, and between rows
PART_GAP, COLUMN_GAP, ROW_GAP = 5.0, 26.0, 16.0
_POINT = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
#: what becomes smaller with a drawing
_LENGTHS = ("width", "height", "fontsize", "penwidth", "arrowsize")
_Item = tuple[tuple[str, ...], Mapping[str, str]]


@dataclass(frozen=True)
class PageText:
    """A run of text that stands in a line or in a cell of a table.

    Attributes:
        text: any text; it is shown letter by letter.
        size: of the letters in points.
        bold, italic: how it is set.
        colour: ``#rrggbb``; None for that of text on the page.
    """

    text: str
    size: int = 10
    bold: bool = False
    italic: bool = False
    colour: str | None = None

    def markup(self) -> str:
        """The text for an HTML-like label of Graphviz; nothing of it is read as markup."""
        shown = escape(printable(self.text)) or " "
        for wanted, tag in ((self.bold, "B"), (self.italic, "I")):
            shown = f"<{tag}>{shown}</{tag}>" if wanted else shown
        colour = f' COLOR="{self.colour}"' if self.colour else ""
        return f'<FONT POINT-SIZE="{self.size}"{colour}>{shown}</FONT>'


@dataclass(frozen=True)
class PageBlock:
    """Something that is laid out already.

    Attributes:
        width, height: in points.
        items: its nodes (one name) and edges (two names) with their attributes; positions count from the lower left.
        markup: of a text, its label; else empty.
        scale: how large it is drawn.
    """

    width: float
    height: float
    items: tuple[_Item, ...] = ()
    markup: str = ""
    scale: float = 1.0

    def within(self, width: float, height: float) -> "PageBlock":
        """The block, made as much smaller as it needs to fit."""
        scale = min(1.0, width / self.width, height / self.height)
        return replace(self, width=self.width * scale, height=self.height * scale, scale=self.scale * scale)

    def placed(self, name: str, left: float, bottom: float) -> list[str]:
        """Its statements in the DOT source of a page.

        Args:
            name: that no other block of the page has.
            left: where its left edge is, in points.
            bottom: where its lower edge is.
        """
        if self.markup:
            middle = f"{left + self.width / 2:.2f},{bottom + self.height / 2:.2f}"
            return [f'  {name} [shape=plain, fixedsize=false, pos="{middle}", label=<{self.markup}>];']

        def moved(found: re.Match[str]) -> str:
            return f"{left + self.scale * float(found[1]):.2f},{bottom + self.scale * float(found[2]):.2f}"

        lines = []
        for ends, attributes in self.items:
            settings = dict(attributes)
            for key in settings.keys() & {"pos", "lp"}:
                settings[key] = _POINT.sub(moved, settings[key])
            for key in settings.keys() & set(_LENGTHS):
                settings[key] = f"{self.scale * float(settings[key]):.4g}"
            text = ", ".join(f'{key}="{_in_quotes(value)}"' for key, value in settings.items())
            lines.append(f"  {' -> '.join(f'{name}_{end}' for end in ends)} [{text}];")
        return lines


def cell_block(
    cell: Cell, space: AbstractSearchSpace, *, theme: ThemeName = "light", highlight: Highlight | None = None
) -> PageBlock:
    """The drawing of a cell; arguments as those of ``to_dot``."""
    found = json.loads(positioned_json(cell, space, theme=theme, highlight=highlight))
    names = [str(node["name"]) for node in found["objects"]]
    nodes = [((name,), _settings(node)) for name, node in zip(names, found["objects"], strict=True)]
    edges = [((names[edge["tail"]], names[edge["head"]]), _settings(edge)) for edge in found.get("edges", ())]
    # what is invisible keeps the place of parts that other drawings have
    seen = tuple(item for item in (*nodes, *edges) if item[1].get("style") != "invis")
    return PageBlock(*_size(found), seen)


def table_block(
    rows: Sequence[Sequence[PageText]], *, theme: ThemeName = "light", lines: bool = True, right: bool = True
) -> PageBlock:
    """A table of texts.

    Args:
        rows: of equal length, the first one being the head.
        theme: of the page.
        lines: a fine line below every row.
        right: columns but the first to the right, as numbers stand.
    """
    side = ' BORDER="1" SIDES="B"' if lines else ""
    body = "".join(
        "<TR>"
        + "".join(
            f'<TD ALIGN="{"LEFT" if not right or place == 0 else "RIGHT"}"{side}>{text.markup()}</TD>'
            for place, text in enumerate(row)
        )
        + "</TR>"
        for row in rows
    )
    padding = 3 if lines else 0
    attributes = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}" COLOR="{THEMES[theme].faint}"'
    markup = f"<TABLE {attributes}>{body}</TABLE>"
    alone = drawn_graph(_page([f"  text [shape=plain, label=<{markup}>];"], theme), "dot", "json0")
    return PageBlock(*_size(json.loads(alone)), markup=markup)


def lines_block(lines: Sequence[PageText], *, theme: ThemeName = "light") -> PageBlock:
    """Lines below each other."""
    return table_block([[line] for line in lines], theme=theme, lines=False)


def page_to_pdf(rows: Sequence[Sequence[Sequence[PageBlock]]], *, theme: ThemeName = "light") -> bytes:
    """One page of rows of columns of blocks; the parts of a column stand in its middle where a row has several.

    Raises:
        SvgeError: if Graphviz gives no drawing.
    """
    statements: list[str] = []
    top = 0.0
    for line, row in enumerate(rows):
        left = 0.0
        for place, column in enumerate(row):
            width = max(block.width for block in column)
            below = top
            for part, block in enumerate(column):
                indent = (width - block.width) / 2 if len(row) > 1 else 0.0
                below -= block.height
                statements += block.placed(f"b{line}_{place}_{part}", left + indent, below)
                below -= PART_GAP
            left += width + COLUMN_GAP
        top -= max(sum(block.height + PART_GAP for block in column) for column in row) + ROW_GAP
    return drawn_graph(_page(statements, theme, f'size="{PAGE_SIZE}", '), "nop2", "pdf")


def _page(statements: Sequence[str], theme: ThemeName, size: str = "") -> str:
    look = THEMES[theme]
    return "\n".join(
        [
            "digraph page {",
            f'  graph [{size}bgcolor="{look.page}", pad={PAGE_PAD if size else 0}, outputorder=edgesfirst];',
            f'  node [fontname="{FONT}", fontcolor="{look.text}"]; edge [fontname="{FONT}"];',
            *statements,
            "}",
            "",
        ]
    )


def _size(laid_out: Mapping[str, Any]) -> tuple[float, float]:
    x0, y0, x1, y1 = map(float, laid_out["bb"].split(","))
    return x1 - x0, y1 - y0


def _settings(part: Mapping[str, Any]) -> dict[str, str]:
    """What Graphviz was told of a node or an edge, by itself or for all of its kind; an empty label stays one."""
    return {key: value for key, value in part.items() if isinstance(value, str) and key not in ("name", "class")}


def _in_quotes(value: str) -> str:
    return value.replace('"', '\\"')
