"""Charts of the latent-quality panel. What is measured is filled or solid; controls are hollow or dashed."""

from typing import TYPE_CHECKING

from svge_core.drawing import THEMES, ThemeName, blended
from svge_core.evaluation.latent import Curves, DecodeCertainty, Dimensions, ScoreNeighbours, signed
from svge_core.figures.style import DASHES, SERIES, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects

NAMES = {
    "latent": "Latent of this model",
    "one_hot": "One-hot codes (control)",
    "structure": "Structure features (control)",
    "untrained": "Untrained model (control)",
    "permuted": "Permuted labels (control)",
}
#: quantities of the prediction by neighbours, and what their axes say
MEASURES = {
    "kendall_tau": "Kendall tau",
    "r2": "R², all cells",
    "r2_best": "R² among the best 70 %",
}


def edit_figure(curves: Curves, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Latent distance over edit distance: median with bands from the 10th to the 90th and the 25th to the 75th percent.

    Args:
        curves: bands of each kind of codes.
        theme: light or dark.
    """
    figure = new_figure(theme, height=420)
    colours = SERIES[theme]
    own = curves.latent
    x = [row.edits for row in own]
    for (low, high), strength, name in (
        (("q10", "q90"), 0.15, "10 to 90 % of pairs"),
        (("q25", "q75"), 0.3, "25 to 75 %"),
    ):
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=[*(getattr(row, high) for row in own), *(getattr(row, low) for row in reversed(own))],
            fill="toself",
            fillcolor=blended(colours[0], THEMES[theme].page, strength),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            name=name,
        )
    for place, (name, rows) in enumerate((name, getattr(curves, name)) for name in ("latent", "one_hot", "untrained")):
        figure.add_scatter(
            x=[row.edits for row in rows],
            y=[row.median for row in rows],
            customdata=[row.pairs for row in rows],
            mode="lines+markers",
            name=NAMES[name],
            line={"color": colours[place], "dash": DASHES[place], "width": 2.5 if name == "latent" else 1.5},
            marker={"symbol": "circle" if name == "latent" else "circle-open", "size": 7},
            hovertemplate=f"{NAMES[name]}<br>%{{x}} edits apart: %{{y:.2f}}, %{{customdata}} pairs<extra></extra>",
        )
    figure.add_hline(y=1.0, line={"color": THEMES[theme].muted, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text="Edit distance", dtick=1)
    figure.update_yaxes(title_text="Distance, in units of random pairs", rangemode="tozero")
    return figure


def bars(row: ScoreNeighbours, measure: str, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Prediction by neighbours: a bar per set of features; controls are hollow.

    Args:
        row: one score.
        measure: of :data:`MEASURES`; sets that have no such number are left out.
        theme: light or dark.
    """
    shown = [name for name in NAMES if getattr(row.fit(name), measure) is not None]
    # a bar of a few ten-thousandths would only push its label over the axis
    values = [value if abs(value := getattr(row.fit(name), measure)) >= 0.0005 else 0.0 for name in shown]
    colour, page = SERIES[theme][0], THEMES[theme].page
    figure = new_figure(theme, height=100 + 44 * len(shown))
    figure.add_bar(
        y=[NAMES[name] for name in shown],
        x=values,
        orientation="h",
        text=[signed(value) for value in values],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": [colour if name == "latent" else page for name in shown],
            "line": {"color": colour, "width": 1.5},
        },
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )
    low, high = min(0.0, *values), max(0.0, *values)
    margin = 0.14 * ((high - low) or 1.0)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(
        title_text=MEASURES[measure],
        zeroline=True,
        zerolinecolor=THEMES[theme].line,
        range=[low - (margin if low < 0 else 0), high + margin],
    )
    return figure


def certainty_figure(part: DecodeCertainty, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """How many latents have which share of equal decodings, in tenths, for known cells and for prior draws."""
    figure = new_figure(theme, height=340)
    for place, (key, name) in enumerate((("means", "Known cells"), ("prior", "Prior draws"))):
        counts = getattr(part, key).histogram
        total = sum(counts) or 1
        centres = [(tenth + 0.5) / len(counts) for tenth in range(len(counts))]
        colour = SERIES[theme][place]
        figure.add_bar(
            x=centres,
            y=[count / total for count in counts],
            customdata=counts,
            name=name,
            # hatched: told apart without the colour
            marker={"color": colour, "pattern": {"shape": "" if place == 0 else "/", "size": 6, "solidity": 0.5}},
            hovertemplate=f"{name}<br>%{{customdata}} latents (%{{y:.1%}})<extra></extra>",
        )
    figure.update_layout(bargap=0.15, bargroupgap=0.05)
    figure.update_xaxes(title_text="Share of the decodings that agree", tickformat=".0%", range=[0, 1], dtick=0.2)
    figure.update_yaxes(title_text="Latents", tickformat=".0%", rangemode="tozero")
    return figure


def variance_figure(part: Dimensions, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Share of the variance in the first principal components of the latent, and of one-hot codes."""
    figure = new_figure(theme, height=340)
    for place, name in enumerate(("latent", "one_hot")):
        shares = getattr(part, name).cumulative
        figure.add_scatter(
            x=list(range(1, len(shares) + 1)),
            y=shares,
            mode="lines+markers",
            name=NAMES[name],
            line={"color": SERIES[theme][place], "dash": DASHES[place], "width": 2},
            marker={"symbol": "circle" if place == 0 else "circle-open", "size": 6},
            hovertemplate=f"{NAMES[name]}<br>%{{x}} components: %{{y:.1%}}<extra></extra>",
        )
    figure.add_hline(y=0.95, line={"color": THEMES[theme].muted, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text="Principal components")
    figure.update_yaxes(title_text="Share of the variance", tickformat=".0%", range=[0, 1.03])
    return figure
