"""A slider over the values of a column: places of round numbers between its two ends, whatever their size.

Streamlit's number slider computes in the browser: where its step is small beside the values, or the values large, what
comes back is no number that was sent, and an end cannot be told from its neighbour. Here places are chosen by position.
"""

import math
from collections.abc import Callable

import numpy as np
import streamlit as st

from svge_core.data import scaled, unscaled
from ui.shared import reruns
from ui.shared.theme import plain

#: about so many places
_PLACES = 500
#: sizes of numbers between which steps are round in the decimal system
_SMALLEST, _LARGEST = 1e-12, 1e15


def range_slider(
    digest: str,
    key: str,
    label: str,
    values: np.ndarray,
    chosen: tuple[float, float] | None,
    change: Callable[[tuple[float, float] | None], object],
) -> None:
    """Show it; the full range means no condition.

    Args:
        digest: the explorer's.
        key: of the widget.
        label: above it.
        values: of the column; NaN is not known.
        chosen: the range that holds now; None for all.
        change: called with the new one.
    """
    texts = reruns.memo(f"places of {key}", (digest, label), lambda: _named(values))
    if len(texts) < 2:
        return
    stops = list(texts)
    lowest, highest = stops[0], stops[-1]
    left, right = chosen or (lowest, highest)
    st.session_state[key] = _nearest(stops, left), _nearest(stops, right)

    def moved() -> None:
        pair = st.session_state[key]
        change(None if pair == (lowest, highest) else pair)

    st.markdown(plain(label))  # a label of the slider's own would be read aloud with the escapes in it
    st.select_slider(
        label,
        stops,
        value=(lowest, highest),  # two ends; where they stand is in the session state
        key=key,
        format_func=lambda stop: texts[stop],
        on_change=moved,
        label_visibility="collapsed",
    )


def places(lowest: float, highest: float) -> list[float]:
    """Ascending numbers from the lowest to the highest, both included; round ones between them.

    Where nothing round lies between them, as with neighbouring numbers or beyond usual sizes, the steps are equal.
    """
    largest = max(-lowest, highest)
    if _SMALLEST < largest < _LARGEST and highest - lowest > largest * 1e-9:
        step, digits = _step((highest - lowest) / _PLACES)
        first, last = math.ceil(lowest / step), math.floor(highest / step)
        # by whole numbers and one division, so that 97 tenths are 9.7 and not 9.700000000000001
        inner = [round(number * step, digits) if digits > 0 else number * step for number in range(first, last + 1)]
        # a place that is written as an end is would be a second one of the same name
        inner = [float(n) for n in inner if lowest + 0.5 * step < n < highest - 0.5 * step]
    else:
        (low, high), exponent = scaled(np.array([lowest, highest]))
        inner = unscaled(np.linspace(low, high, _PLACES // 5 + 1), exponent)[1:-1].tolist()
        inner = [n for n in inner if lowest < n < highest]
    return sorted({lowest, *inner, highest})


def written(stops: list[float]) -> list[str]:
    """Texts of the numbers, all different: as few digits as that takes, one count of them for all."""
    usual = max(-stops[0], stops[-1]) < 1e9
    decimals = [f"{{:.{digits}f}}" for digits in range(7)] if usual else []
    for form in (*decimals, *(f"{{:.{digits}g}}" for digits in range(4, 17))):
        texts = [form.format(stop) for stop in stops]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(stop) for stop in stops]


def _step(part: float) -> tuple[float, int]:
    """The smallest of 1, 2 and 5 times a power of ten from ``part`` on, and its decimals."""
    power = math.floor(math.log10(part))
    for factor, further in ((1, 0), (2, 0), (5, 0), (1, 1)):
        step = float(f"{factor}e{power + further}")
        if step >= part:
            return step, -(power + further)
    raise AssertionError("ten times a number is larger")


def _nearest(stops: list[float], value: float) -> float:
    return min(stops, key=lambda stop: (abs(stop / 2 - value / 2), stop))


def _named(values: np.ndarray) -> dict[float, str]:
    """Places between the known values' ends, with their texts; fewer than two where there is nothing to choose."""
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        return {}
    stops = places(float(known.min()), float(known.max()))
    return dict(zip(stops, written(stops), strict=True))
