"""Rows of a question -> a dot plot: what was measured here as dots with their deviation, what is published as ticks."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from svge_core.drawing import ThemeName
from svge_core.figures.style import SERIES, new_figure
from ui.results.answers import best_first
from ui.results.rows import SHARE, ComparisonRow, decimals, number

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: letters of a line of a system's name, and pixels of a line
LETTERS, LINE = 22, 38


def axis_title(row: ComparisonRow) -> str:
    """What the dots are, and which end is good."""
    measure = row.measure.split(";")[0].removesuffix(SHARE)
    unit = " (%)" if row.share else ""
    return f"{measure[:1].upper()}{measure[1:]}{unit}, {'higher' if row.direction == 'max' else 'lower'} is better"


def dot_figure(rows: Sequence[ComparisonRow], theme: ThemeName) -> "go.Figure":
    """One line per system, the best above.

    Args:
        rows: of one question, data set and measure; differences are left out.
        theme: light or dark.
    """
    ordered = best_first(rows)
    systems = list(dict.fromkeys(row.system for row in ordered))
    names = {system: "<br>".join(textwrap.wrap(system, LETTERS)) for system in systems}
    figure = new_figure(theme, height=104 + LINE * len(systems))
    for place, (origin, title, marker) in enumerate(
        (
            ("measured here", "Measured here", {"symbol": "circle", "size": 9}),
            ("published", "Published", {"symbol": "line-ns", "size": 18}),
        )
    ):
        part = [row for row in ordered if row.origin == origin]
        if not part:
            continue
        colour = SERIES[theme][place]
        figure.add_scatter(
            x=[row.shown for row in part],
            y=[names[row.system] for row in part],
            error_x={
                "type": "data",
                "array": [row.shown_sd or 0.0 for row in part],
                "thickness": 1.2,
                "width": 3,
                "color": colour,
            },
            customdata=[f"{number(row)}{'' if row.seeds is None else f', {row.seeds} seeds'}" for row in part],
            hovertemplate=f"%{{y}}<br>{title}: %{{customdata}}<extra></extra>",
            mode="markers",
            name=title,
            marker={"color": colour, "line": {"color": colour, "width": 2.5}, **marker},
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="<br>".join(textwrap.wrap(axis_title(ordered[0]), 36)), nticks=5)
    figure.update_xaxes(tickformat=f".{min(decimals(ordered[0]), 2)}~f")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[names[system] for system in reversed(systems)], showgrid=True
    )
    return figure
