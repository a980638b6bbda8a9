"""How strongly each property of cells goes with their score, drawn."""

from typing import TYPE_CHECKING

from svge_core.drawing import ThemeName, operation_label
from svge_core.evaluation import CLUSTERING, EDGES, PATH_LENGTH, Patterns
from svge_core.figures.style import SERIES, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects


def pattern_label(name: str) -> str:
    """A property's name for people."""
    if name in (CLUSTERING, PATH_LENGTH, EDGES):
        return name.capitalize()
    return f"Number of {operation_label(name)}"


def pattern_figure(found: Patterns, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Bars of Pearson's r, from -1 to 1; properties that do not vary have none."""
    rows = [row for row in found.rows if row.pearson_r is not None]
    figure = new_figure(theme, height=60 + 34 * max(1, len(rows)))
    figure.add_bar(
        x=[row.pearson_r for row in rows],
        y=[pattern_label(row.name) for row in rows],
        orientation="h",
        marker_color=SERIES[theme][0],
        text=[f"{row.pearson_r:+.2f}" for row in rows],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: r = %{x:.3f}<extra></extra>",
    )
    figure.update_xaxes(title_text="Pearson's r with the score", range=[-1.05, 1.05])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure
