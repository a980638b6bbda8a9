"""Rows of a question -> its dot plot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svge_core.drawing import ThemeName
from svge_core.figures import Dot, dot_figure
from ui.results.answers import best_first
from ui.results.rows import SHARE, ComparisonRow, number

if TYPE_CHECKING:
    import plotly.graph_objects as go


def axis_title(row: ComparisonRow) -> str:
    """What the dots are, and which end is good."""
    measure = row.measure.split(";")[0].removesuffix(SHARE)
    unit = " (%)" if row.share else ""
    return f"{measure[:1].upper()}{measure[1:]}{unit}, {'higher' if row.direction == 'max' else 'lower'} is better"


def rows_figure(rows: Sequence[ComparisonRow], theme: ThemeName) -> "go.Figure":
    """One line per system, the best above.

    Args:
        rows: of one question, data set and measure; differences are left out.
        theme: light or dark.
    """
    ordered = best_first(rows)
    dots = [
        Dot(
            row.system,
            row.shown,
            row.origin == "published",
            row.shown_sd,
            f"{number(row)}{'' if row.seeds is None else f', {row.seeds} seeds'}",
        )
        for row in ordered
    ]
    return dot_figure(dots, theme, axis=axis_title(ordered[0]))
