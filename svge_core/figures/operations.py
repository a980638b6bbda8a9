"""What the model has learned about operations: distances between the rows that stand for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from svge_core.drawing import THEMES, ThemeName, operation_colours, operation_label
from svge_core.errors import DataError
from svge_core.figures.style import SEQUENTIAL, new_figure, on_scale, readable_on
from svge_core.models import GraphVAE
from svge_core.spaces import AbstractSearchSpace

if TYPE_CHECKING:
    import plotly.graph_objects


@dataclass(frozen=True)
class OperationRows:
    """The rows of one embedding table.

    Attributes:
        names: node types in vocabulary order.
        labels: the same for people.
        rows: one row per type.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Float[np.ndarray, "types width"]


def operation_tables(model: GraphVAE) -> dict[str, OperationRows]:
    """The tables of a model that stand for node types, by title: what the encoder and the decoder start a node from."""
    names = model.space.vocabulary
    tables = model.node_tables()
    if model.config.encoding == "learned":
        tables = {"Learned encoding, shared by both": model.table, **tables}
    labels = tuple(operation_label(name) for name in names)
    return {
        title: OperationRows(tuple(names), labels, table.detach().cpu().numpy().astype(np.float64))
        for title, table in tables.items()
    }


@dataclass(frozen=True)
class OperationMap:
    """Distances between operations and their first two principal components.

    Attributes:
        names, labels: as in :class:`OperationRows`.
        distances: cosine distances, 0 (same direction) to 2 (opposite); the diagonal is 0.
        xy: principal components of the centred rows, the largest loading of each positive.
        explained: share of the rows' variance on the two axes.
        width: columns of the table; random rows have distances of about 1 plus or minus 1/sqrt(width).
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    distances: Float[np.ndarray, "types types"]
    xy: Float[np.ndarray, "types plane"]
    explained: tuple[float, float]
    width: int


def operation_map(table: OperationRows) -> OperationMap:
    """The numbers of both operation charts.

    Raises:
        DataError: if there are fewer than two operations, or a row is zero and so has no direction.
    """
    rows, count = table.rows, len(table.rows)
    norms = np.linalg.norm(rows, axis=1)
    if count < 2 or (norms == 0).any():
        raise DataError(
            f"Distances need at least two rows and none of them zero; got {count} rows, smallest norm {norms.min()}."
        )
    unit = rows / norms[:, None]
    distances = np.clip(1 - unit @ unit.T, 0, 2)
    np.fill_diagonal(distances, 0)
    centred = rows - rows.mean(0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.vstack([axes, np.zeros((2, rows.shape[1]))])[:2]
    largest = axes[np.arange(2), np.abs(axes).argmax(1)]
    axes = axes * np.where(largest < 0, -1, 1)[:, None]
    shares = np.append(values**2, [0.0, 0.0]) / max(float((values**2).sum()), 1e-12)
    return OperationMap(
        table.names, table.labels, distances, centred @ axes.T, (float(shares[0]), float(shares[1])), rows.shape[1]
    )


def distance_figure(info: OperationMap, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Heat map of the cosine distances with the numbers written in the fields."""
    figure = new_figure(theme, height=420)
    top = max(1.0, float(info.distances.max()))
    figure.add_heatmap(
        x=info.labels,
        y=info.labels,
        z=info.distances,
        zmin=0,
        zmax=top,
        xgap=2,
        ygap=2,
        colorscale=[list(stop) for stop in SEQUENTIAL[theme]],
        hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
        showscale=False,  # the numbers are written in the fields
    )
    for i, row in enumerate(info.labels):
        for j, column in enumerate(info.labels):
            value = float(info.distances[i, j])
            figure.add_annotation(
                x=column,
                y=row,
                text=f"{value:.2f}",
                showarrow=False,
                font={"size": 11, "color": readable_on(on_scale(theme, value / top))},
            )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False)
    return figure


def scatter_figure(info: OperationMap, space: AbstractSearchSpace, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """The operations on the first two principal components of their rows, in the colours of the drawings."""
    figure = new_figure(theme, height=420)
    colours = operation_colours(space, theme)
    figure.add_scatter(
        x=info.xy[:, 0],
        y=info.xy[:, 1],
        mode="markers+text",
        text=info.labels,
        textposition=_sides(info.xy, info.labels),
        cliponaxis=False,
        marker={
            "size": 14,
            "color": [colours.get(name, THEMES[theme].line) for name in info.names],
            "line": {"width": 1, "color": THEMES[theme].text},
        },
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    for axis, update, share in (
        ("1", figure.update_xaxes, info.explained[0]),
        ("2", figure.update_yaxes, info.explained[1]),
    ):
        values = info.xy[:, int(axis) - 1]
        span = float(np.ptp(values)) or 1.0
        limits = [float(values.min()) - 0.18 * span, float(values.max()) + 0.18 * span]
        update(title_text=f"Component {axis}, {share:.0%} of the variance", range=limits)
    return figure


def _sides(xy: Float[np.ndarray, "types plane"], labels: Sequence[str]) -> list[str]:
    """A side for every label, one after another, so that it covers as little as possible of points and other labels."""
    width, height, margin = 420.0, 300.0, 14.0  # a chart of ordinary size, in pixels
    span = np.maximum(np.ptp(xy, axis=0), 1e-12)
    points = (xy - xy.min(0)) / span / 1.36 * (width, height) + 0.13 * np.array([width, height])
    boxes = [(x - 8, y - 8, x + 8, y + 8) for x, y in points]
    chosen = []
    for (x, y), label in zip(points, labels, strict=True):
        long = 7.0 * len(label)
        places = {
            "middle right": (x + margin, y - 8, x + margin + long, y + 8),
            "middle left": (x - margin - long, y - 8, x - margin, y + 8),
            "top center": (x - long / 2, y + margin - 4, x + long / 2, y + margin + 12),
            "bottom center": (x - long / 2, y - margin - 12, x + long / 2, y - margin + 4),
        }
        frame = (0.0, 0.0, width, height)
        cost = {
            side: sum(_overlap(box, other) for other in boxes) + _area(box) - _overlap(box, frame)
            for side, box in places.items()
        }
        side = min(cost, key=cost.__getitem__)
        boxes.append(places[side])
        chosen.append(side)
    return chosen


def _area(box: tuple[float, ...]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
