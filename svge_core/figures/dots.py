"""A dot plot of systems: what was measured as dots with their deviation, what is published as ticks."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svge_core.drawing import ThemeName
from svge_core.figures.style import SERIES, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects

#: letters of a line of a system's name and of the axis, and pixels of a line
LETTERS, AXIS_LETTERS, LINE = 22, 36, 38


@dataclass(frozen=True, slots=True)
class Dot:
    """One number of a system.

    Attributes:
        system: whose number it is.
        value: the number, in the unit of the axis.
        published: whether it is a published value, drawn as a tick.
        deviation: sample standard deviation over seeds, in the same unit; None where there is none.
        text: the number as people read it.
    """

    system: str
    value: float
    published: bool
    deviation: float | None
    text: str


def dot_figure(dots: Sequence[Dot], theme: ThemeName, *, axis: str) -> "plotly.graph_objects.Figure":
    """One line per system, in the order in which they first stand.

    Args:
        dots: of one measure, the best system first.
        theme: light or dark.
        axis: what the numbers are, with their unit.
    """
    names = {dot.system: "<br>".join(textwrap.wrap(dot.system, LETTERS)) for dot in dots}
    figure = new_figure(theme, height=104 + LINE * len(names))
    for place, (title, symbol, size) in enumerate((("Measured here", "circle", 9), ("Published", "line-ns", 18))):
        part = [dot for dot in dots if dot.published == (title == "Published")]
        if not part:
            continue
        colour = SERIES[theme][place]
        figure.add_scatter(
            x=[dot.value for dot in part],
            y=[names[dot.system] for dot in part],
            error_x={
                "type": "data",
                "array": [dot.deviation or 0.0 for dot in part],
                "thickness": 1.2,
                "width": 3,
                "color": colour,
            },
            customdata=[dot.text for dot in part],
            hovertemplate=f"%{{y}}<br>{title}: %{{customdata}}<extra></extra>",
            mode="markers",
            name=title,
            marker={"color": colour, "line": {"color": colour, "width": 2.5}, "symbol": symbol, "size": size},
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="<br>".join(textwrap.wrap(axis, AXIS_LETTERS)), nticks=5)
    figure.update_yaxes(categoryorder="array", categoryarray=list(names.values())[::-1], showgrid=True)
    return figure
