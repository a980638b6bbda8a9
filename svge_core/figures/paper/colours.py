"""Colours of a column on paper, by value or by rank, and the bar that says what they stand for."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from svge_core.explorer import Column
from svge_core.figures.paper.sheet import NOTE, Sheet, wrapped

#: values that stand beside a bar of ranks
_STEPS = 6


def placed(
    shown: Column, limits: tuple[float, float] | None, ranks: bool
) -> tuple[tuple[float, float], Callable[[Float[np.ndarray, " values"]], Float[np.ndarray, " values"]]]:
    """Ends of the colours, and where values lie between them.

    Args:
        shown: the column.
        limits: ends that were chosen by hand; None for those of the column.
        ranks: by place in the order of the values.
    """
    low, high = limits or (shown.low, shown.high)
    if not ranks:
        return (low, high), lambda values: values
    known = shown.values[np.isfinite(shown.values)]
    if not len(known):
        return (0.0, 1.0), lambda values: values
    within, first, last = _between(known, low, high)
    if first == last:  # all are equal between the ends: the middle colour, as on the page
        return (0.0, 1.0), lambda values: np.full(values.shape, 0.5)
    return (0.0, 1.0), lambda values: (rank_shares(np.clip(values, low, high), within) - first) / (last - first)


def _between(
    known: Float[np.ndarray, " known"], low: float, high: float
) -> tuple[Float[np.ndarray, " known"], float, float]:
    """Values with those beyond an end moved to it, and the ranks of the lowest and of the highest.

    As on the page: what lies beyond an end is equal there, the lowest have the first colour and the highest the last.
    """
    within = np.clip(known, low, high)
    first, last = rank_shares(np.array([within.min(), within.max()]), within)
    return within, float(first), float(last)


def rank_shares(
    values: Float[np.ndarray, " values"], among: Float[np.ndarray, " others"]
) -> Float[np.ndarray, " values"]:
    """Places in the order of others, 0 to 1: the share that is smaller, and half of those that are equal."""
    every = np.sort(among)
    return (np.searchsorted(every, values, "left") + np.searchsorted(every, values, "right")) / (2 * max(len(every), 1))


def bar_values(known: Float[np.ndarray, " known"], low: float, high: float, count: int) -> list[float]:
    """The values at so many places of a bar of ranks, first and last colour included."""
    within, first, last = _between(known, low, high)
    return [float(value) for value in np.quantile(within, np.linspace(first, last, count), method="inverted_cdf")]


def colour_scale(shown: Column) -> str:
    """Uniform to the eye, in print and for the colour-blind; the best end is the light one."""
    return "RdBu_r" if shown.name.kind == "error" else "viridis_r" if shown.direction == "min" else "viridis"


def draw_bar(
    sheet: Sheet,
    place: tuple[float, float, float, float],
    shown: Column,
    limits: tuple[float, float] | None,
    ranks: bool,
    label: str,
) -> None:
    """The bar of the colours, with the values that its ends and steps stand for; arguments as in :func:`placed`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    low, high = limits or (shown.low, shown.high)
    known = shown.values[np.isfinite(shown.values)]
    ends = shown.clipped(low, high)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(ends, "neither")
    span = (0.0, 1.0) if ranks else (low, high)
    axes = sheet.place(*place)
    axes.set_axis_on()
    colours = ScalarMappable(Normalize(*span), colour_scale(shown))
    bar: Any = sheet.figure.colorbar(colours, cax=axes, extend="neither" if ranks else extend, extendfrac=0.03)
    bar.outline.set_linewidth(0.4)
    bar.set_label("\n".join(wrapped(label, place[3])), fontsize=NOTE, linespacing=1.1)
    if ranks and len(known):
        labels = [f"{value:.4g}" for value in bar_values(known, low, high, _STEPS)]
        labels[0], labels[-1] = ("≤ " if ends[0] else "") + labels[0], ("≥ " if ends[1] else "") + labels[-1]
        bar.set_ticks(np.linspace(0, 1, _STEPS).tolist(), labels=labels)
    bar.ax.tick_params(labelsize=NOTE)
