"""Charts of a learned distribution beside a random one. Learned is solid, random is hollow; both in shares of draws."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from svge_core.data import axis_ends, quantiles
from svge_core.drawing import THEMES, ThemeName, blended, operation_label
from svge_core.figures.search import axis_title
from svge_core.figures.style import SEQUENTIAL, SERIES, new_figure, on_scale, readable_on
from svge_core.search import EdgeShares
from svge_core.search.objectives import Goal

if TYPE_CHECKING:
    import plotly.graph_objects

#: most bins of a histogram, and draws of the smaller sample per bin: thirty scores in fifty bins would be a comb
BINS, DRAWS_PER_BIN = 50, 2.5
LEARNED, RANDOM = "learned distribution", "random architectures"


def score_figure(
    learned: Float[np.ndarray, " a"], random: Float[np.ndarray, " b"], goal: Goal, theme: ThemeName
) -> "plotly.graph_objects.Figure":
    """Histograms of the score of both samples on common bins."""
    both = np.concatenate([learned, random])
    # a few failed networks must not squeeze everything else into one bin
    low, high = (float(v) for v in quantiles(both, (0.01, 1.0) if goal.direction == "max" else (0.0, 0.99)))
    bins = int(np.clip(min(len(learned), len(random)) / DRAWS_PER_BIN, 5, BINS))
    low, high = axis_ends(low, high if high > low else low + max(1.0, abs(low) / 8), 0.0, 1.0)
    figure = _histograms(learned, random, np.linspace(low, high, bins + 1), theme)
    figure.update_xaxes(title_text=axis_title(goal))
    return figure


def edge_count_figure(
    learned: Int[np.ndarray, " a"], random: Int[np.ndarray, " b"], theme: ThemeName
) -> "plotly.graph_objects.Figure":
    """Histograms of the number of edges of both samples, one bin per few edges."""
    both = np.concatenate([learned, random])
    step = max(1, int(np.ceil((both.max() - both.min() + 1) / BINS)))
    bins = np.arange(both.min(), both.max() + step + 1, step) - 0.5
    figure = _histograms(learned, random, bins, theme)
    figure.update_xaxes(title_text="Edges")
    return figure


def _histograms(
    learned: np.ndarray, random: np.ndarray, edges: np.ndarray, theme: ThemeName
) -> "plotly.graph_objects.Figure":
    """Shares of both samples on common bins."""
    figure = new_figure(theme, height=340)
    colour, page = SERIES[theme][0], THEMES[theme].page
    middle = (edges[1:] + edges[:-1]) / 2
    for name, values in ((RANDOM, random), (LEARNED, learned)):
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        hollow = name == RANDOM
        figure.add_bar(
            x=middle,
            y=counts / max(len(values), 1),
            width=edges[1] - edges[0],
            name=f"{name}, n = {len(values):,}",
            marker={
                "color": "rgba(0,0,0,0)" if hollow else blended(colour, page, 0.75),
                "line": {"color": THEMES[theme].muted if hollow else colour, "width": 1},
            },
            hovertemplate=f"{name}<br>%{{x:.2f}}: %{{y:.1%}}<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_yaxes(title_text="Share of draws", tickformat=".0%")
    return figure


def operation_figure(
    operations: Sequence[str],
    learned: Float[np.ndarray, " operations"],
    random: Float[np.ndarray, " operations"],
    theme: ThemeName,
) -> "plotly.graph_objects.Figure":
    """Share of each operation in both samples."""
    figure = new_figure(theme, height=340)
    labels = [operation_label(op) for op in operations]
    colour = SERIES[theme][0]
    for name, shares in ((RANDOM, random), (LEARNED, learned)):
        hollow = name == RANDOM
        figure.add_bar(
            x=labels,
            y=shares,
            name=name,
            marker={
                "color": "rgba(0,0,0,0)" if hollow else colour,
                "line": {"color": THEMES[theme].muted if hollow else colour, "width": 1.5},
            },
            hovertemplate=f"{name}<br>%{{x}}: %{{y:.1%}}<extra></extra>",
        )
    figure.update_yaxes(title_text="Share of operations", tickformat=".0%", rangemode="tozero")
    return figure


def edge_figure(shares: EdgeShares, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Share of the drawn architectures with each operation on each edge; a matrix of nodes where edges have none."""
    if len(shares.kinds) == 1:
        return _wiring(shares, theme)
    figure = new_figure(theme, height=120 + 26 * len(shares.edges))
    kinds = [operation_label(kind) for kind in shares.kinds]
    figure.add_heatmap(
        z=shares.shares,
        x=kinds,
        y=list(shares.edges),
        zmin=0.0,
        zmax=1.0,
        colorscale=[list(stop) for stop in SEQUENTIAL[theme]],
        colorbar={"title": {"text": "share"}, "tickformat": ".0%", "outlinewidth": 0},
        hovertemplate="edge %{y}, %{x}: %{z:.1%}<extra></extra>",
    )
    for edge, row in zip(shares.edges, shares.shares, strict=True):
        for kind, share in zip(kinds, row, strict=True):
            colour = readable_on(on_scale(theme, float(share)))
            figure.add_annotation(x=kind, y=edge, text=f"{share:.0%}", showarrow=False, font={"color": colour})
    figure.update_yaxes(title_text="Edge (source → target node)", autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(showgrid=False)
    return figure


def _wiring(shares: EdgeShares, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Share of the drawn architectures with each edge: one cell per pair of nodes, empty below the diagonal."""
    pairs = [tuple(int(node) for node in edge.split(" → ")) for edge in shares.edges]
    nodes = max(target for _, target in pairs) + 1
    z = np.full((nodes, nodes), np.nan)
    for (source, target), share in zip(pairs, shares.shares[:, 0], strict=True):
        z[source, target] = share
    figure = new_figure(theme, height=max(300, 120 + 18 * nodes))
    figure.add_heatmap(
        z=z,
        zmin=0.0,
        zmax=1.0,
        xgap=1,
        ygap=1,
        colorscale=[list(stop) for stop in SEQUENTIAL[theme]],
        colorbar={"title": {"text": "share"}, "tickformat": ".0%", "outlinewidth": 0},
        hovertemplate="edge %{y} → %{x}: %{z:.1%}<extra></extra>",
        hoverongaps=False,
    )
    step = 1 if nodes <= 16 else 4
    figure.update_xaxes(title_text="Target node", showgrid=False, zeroline=False, dtick=step)
    figure.update_yaxes(title_text="Source node", autorange="reversed", showgrid=False, zeroline=False, dtick=step)
    return figure


def rounds_figure(
    evaluations: Sequence[int],
    values: Sequence[Float[np.ndarray, " known"]],
    random: Float[np.ndarray, " b"],
    goal: Goal,
    theme: ThemeName,
) -> "plotly.graph_objects.Figure":
    """Median and 10 to 90 % of the samples' score over the evaluations that the generator had seen."""
    figure = new_figure(theme, height=340)
    colour, page = SERIES[theme][0], THEMES[theme].page
    low, middle, high = np.array([quantiles(v, (0.1, 0.5, 0.9)) for v in values]).T
    x = list(evaluations)
    figure.add_scatter(
        x=[*x, *reversed(x)],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor=blended(colour, page, 0.25),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="10 to 90 % of draws",
    )
    figure.add_scatter(
        x=x,
        y=middle,
        mode="lines+markers",
        name=f"{LEARNED}, median",
        line={"color": colour, "width": 2.5},
        customdata=np.stack([low, high], axis=1),
        hovertemplate="after %{x}: median %{y:.2f}, 10 to 90 %: %{customdata[0]:.2f} to %{customdata[1]:.2f}"
        "<extra></extra>",
    )
    shares = (0.5, 0.9)
    for quantile, place, dash in zip(shares, quantiles(random, shares).tolist(), ("dash", "dot"), strict=True):
        figure.add_hline(
            y=place,
            line={"color": THEMES[theme].muted, "dash": dash, "width": 1.5},
            annotation={"text": f"{RANDOM}, {quantile:.0%} quantile", "font": {"color": THEMES[theme].muted}},
            annotation_position="bottom right",
        )
    figure.update_xaxes(title_text="Evaluations seen by the generator")
    figure.update_yaxes(title_text=axis_title(goal))
    return figure
