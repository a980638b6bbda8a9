"""A score along a path: predictions as an open, dashed line in their band, measured values as solid marks."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from svge_core.data import axis_ends
from svge_core.drawing import THEMES, ThemeName
from svge_core.figures.style import SERIES, new_figure
from svge_core.interpolation import LatentPath, PathScores

if TYPE_CHECKING:
    import plotly.graph_objects

#: share of the height below and above the values
_MARGIN = 0.12


def path_figure(path: LatentPath, scores: PathScores, theme: ThemeName, at: int) -> "plotly.graph_objects.Figure":
    """The chart.

    Args:
        path: gives the names of the stops and the places without a member.
        scores: what is drawn, one value a stop.
        theme: light or dark.
        at: stop that is in focus; a line marks it.
    """
    figure = new_figure(theme, height=300)
    x = np.arange(len(path.stops))
    names = [
        f"stop {stop.number}, #{stop.index}" if stop.index is not None else f"stop {stop.number}" for stop in path.stops
    ]
    predicted, measured = SERIES[theme][3], THEMES[theme].text
    digits = f".{scores.digits}f"
    unit = f" {scores.meaning.unit}" if scores.meaning.unit else ""
    if scores.any_predicted:
        _band(figure, x, scores, predicted)
        level = f"{100 * scores.predicted.level:.0f} % interval"
        used = np.where(scores.label_used, "<br>its own label trained the predictor", "")
        figure.add_scatter(
            x=x,
            y=scores.predicted.mean,
            name=f"predicted, with {level}",
            mode="lines+markers",
            connectgaps=False,
            line={"color": predicted, "dash": "dot", "width": 1.75},
            marker={"symbol": "circle-open", "size": 8, "color": predicted, "line": {"width": 1.75}},
            customdata=np.stack([scores.predicted.low, scores.predicted.high, names, used], axis=-1, dtype=object),
            hovertemplate="%{customdata[2]}<br>predicted ≈ %{y:"
            + digits
            + "}"
            + unit
            + "<br>"
            + level
            + " %{customdata[0]:"
            + digits
            + "} to %{customdata[1]:"
            + digits
            + "}%{customdata[3]}"
            + "<extra></extra>",
        )
    if scores.any_known:
        figure.add_scatter(
            x=x,
            y=scores.known,
            name=scores.meaning.kind,
            mode="lines+markers",
            connectgaps=False,
            line={"color": measured, "width": 2},
            marker={"symbol": "diamond", "size": 9, "color": measured},
            customdata=names,
            hovertemplate="%{customdata}<br>"
            + f"{scores.meaning.kind} "
            + "%{y:"
            + digits
            + "}"
            + unit
            + "<extra></extra>",
        )
    low, high = _reach(scores)
    if invalid := [stop.number for stop in path.stops if not stop.valid]:
        figure.add_scatter(
            x=invalid,
            y=[low] * len(invalid),
            name="no valid cell",
            mode="markers",
            marker={"symbol": "x", "size": 9, "color": SERIES[theme][4]},
            hovertemplate="stop %{x}: the decoder gives no valid cell<extra></extra>",
        )
    figure.add_vline(x=at, line={"color": THEMES[theme].accent, "width": 1.5})
    last = len(path.stops) - 1
    figure.update_xaxes(range=[-0.6, last + 0.6], **_ticks(last))
    title = f"{scores.title} ({scores.meaning.unit})" if scores.meaning.unit else scores.title
    figure.update_yaxes(range=[axis_ends(low, high, _MARGIN / 2, 0.0)[0], high], title_text=_escaped(title))
    figure.update_layout(hovermode="closest", margin={"l": 8, "r": 8, "t": 36, "b": 8}, showlegend=True)
    return figure


def _band(figure: "plotly.graph_objects.Figure", x: np.ndarray, scores: PathScores, colour: str) -> None:
    """The interval, one closed outline for every run of stops with a prediction: gaps stay gaps."""
    there = np.isfinite(scores.predicted.mean)
    runs = np.split(np.flatnonzero(there), np.flatnonzero(np.diff(np.flatnonzero(there)) > 1) + 1)
    red, green, blue = bytes.fromhex(colour[1:])
    for run in runs:
        # a lone stop still has an interval: a narrow bar
        ends = x[run].astype(float) if len(run) > 1 else np.array([x[run[0]] - 0.2, x[run[0]] + 0.2])
        low, high = (np.resize(column[run], len(ends)) for column in (scores.predicted.low, scores.predicted.high))
        figure.add_scatter(
            x=np.concatenate([ends, ends[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            mode="none",
            fillcolor=f"rgba({red},{green},{blue},0.16)",
            hoverinfo="skip",
            showlegend=False,
            name="interval",
        )


def _reach(scores: PathScores) -> tuple[float, float]:
    """Ends of the vertical axis: all values and intervals with a margin."""
    columns = np.concatenate([scores.known, scores.predicted.low, scores.predicted.high])
    known = columns[np.isfinite(columns)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return axis_ends(low, high, _MARGIN, max(abs(high) * 0.01, 0.5))


def _ticks(last: int) -> dict[str, Any]:
    """Stops at an even distance, both ends always named as what they are."""
    step = max(1, math.ceil(last / 12))
    inner = [stop for stop in range(step, last, step) if last - stop >= step / 2]
    return {"tickvals": [0, *inner, last], "ticktext": ["A", *map(str, inner), "B"], "title_text": "Stop"}


def _escaped(text: str) -> str:
    """A user's own column name: Plotly reads tags in titles."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
