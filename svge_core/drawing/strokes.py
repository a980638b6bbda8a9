"""The drawing of a cell as strokes, for whoever draws it into a picture of their own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from svge_core.cells import Cell, Highlight
from svge_core.drawing.dot import positioned_json
from svge_core.drawing.palette import ThemeName
from svge_core.spaces import AbstractSearchSpace

Place = tuple[float, float]
#: Graphviz's letters; small ones are outlines
_SHAPES: dict[str, Literal["ellipse", "polygon", "curve", "text"]] = {
    "e": "ellipse",
    "p": "polygon",
    "b": "curve",
    "t": "text",
}


@dataclass(frozen=True)
class Stroke:
    """One stroke; lengths and places in points, counted from the lower left.

    Attributes:
        shape: ``"ellipse"`` has its middle and its two radii as places, ``"curve"`` a start and then two control points
            and an end for each cubic Bézier, ``"text"`` the middle of its baseline.
        places: of the stroke.
        colour: of the line or the letters, ``#rrggbb``.
        fill: colour of the inside; empty for none.
        width: of the line.
        dashed: whether the line is.
        text: the letters.
        size: of the letters.
        beside: whether the letters stand free beside an edge, where there is room for larger ones.
    """

    shape: Literal["ellipse", "polygon", "curve", "text"]
    places: tuple[Place, ...]
    colour: str
    fill: str = ""
    width: float = 1.0
    dashed: bool = False
    text: str = ""
    size: float = 0.0
    beside: bool = False


@dataclass(frozen=True)
class Strokes:
    """A drawing.

    Attributes:
        width, height: of the box around it, in points; lines may stand out by their width.
        strokes: in the order in which they are drawn.
    """

    width: float
    height: float
    strokes: tuple[Stroke, ...]


def cell_strokes(
    cell: Cell, space: AbstractSearchSpace, *, theme: ThemeName = "light", highlight: Highlight | None = None
) -> Strokes:
    """The drawing of a cell, laid out as everywhere else; arguments as those of :func:`to_dot`.

    Raises:
        SvgeError: if the cell cannot be drawn.
    """
    found = json.loads(positioned_json(cell, space, theme=theme, highlight=highlight, form="json"))
    x0, y0, x1, y1 = map(float, found["bb"].split(","))
    parts = [*found.get("edges", ()), *found["objects"]]
    strokes = tuple(stroke for part in parts for stroke in _of_part(part, (x0, y0)))
    return Strokes(x1 - x0, y1 - y0, strokes)


def _of_part(part: dict[str, Any], origin: Place) -> Iterator[Stroke]:
    """The strokes of a node or an edge: shape, arrow head, label."""
    for name in ("_draw_", "_hdraw_", "_ldraw_"):
        pen, fill, width, size, dashed = "#000000", "", 1.0, 0.0, False
        for step in part.get(name, ()):
            kind = step["op"]
            if kind == "c":
                pen = step["color"]
            elif kind == "C":
                fill = step["color"]
            elif kind == "F":
                size = float(step["size"])
            elif kind == "S" and step["style"].startswith("setlinewidth("):
                width = float(step["style"][len("setlinewidth(") : -1])
            elif kind == "S":
                dashed = step["style"] == "dashed"
            elif (shape := _SHAPES.get(kind.lower())) is not None:
                inside = fill if kind.isupper() and shape != "text" else ""
                text = step.get("text", "")
                yield Stroke(
                    shape, _places(step, origin), pen[:7], inside[:7], width, dashed, text, size, "head" in part
                )


def _places(step: dict[str, Any], origin: Place) -> tuple[Place, ...]:
    if "rect" in step:
        x, y, across, up = map(float, step["rect"])
        return ((x - origin[0], y - origin[1]), (across, up))
    found = [step["pt"]] if "pt" in step else step["points"]
    return tuple((float(x) - origin[0], float(y) - origin[1]) for x, y in found)
