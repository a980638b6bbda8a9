"""Numbers at the ends of the range of float64: sums, squares and differences that stay finite, and what fits float32.

A score may be 1e-300 or 1e300: proxies of trained accuracy, such as synflow, reach 1e61. Dividing by a power of two is
exact, so that numbers of usual size come out to the last bit as without it.
"""

import numpy as np
from jaxtyping import Float

from svge_core.errors import DataError

#: numbers that differ by less than this share of the largest one are kept in float64
_APART = 2.0**-11
#: numbers of this size and smaller ones, down to its inverse, are far from the ends of float32
_USUAL = 1e30
#: no chart goes further
DRAWN = float(np.finfo(np.float64).max) / 4


def scaled(values: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], int]:
    """The values divided by a power of two, so that the largest known size lies in [0.5, 1), and its exponent."""
    known = np.abs(values[np.isfinite(values)])
    exponent = int(np.frexp(known.max())[1]) if len(known) else 0
    return np.ldexp(values, -exponent), exponent


def unscaled(value: float, exponent: int) -> float:
    """A number of :func:`scaled` values in their unit; beyond float64, its largest number."""
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        return float(np.clip(np.ldexp(value, exponent), -largest, largest))


def mean_and_deviation(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Mean and standard deviation (that of the set itself) of finite values; the squares do not overflow or vanish."""
    small, exponent = scaled(values)
    return unscaled(small.mean(), exponent), unscaled(small.std(), exponent)


def standardised(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Finite values less their mean, in standard deviations; zeros where all are equal."""
    small, _ = scaled(values)
    deviation = float(small.std())
    return (small - small.mean()) / deviation if deviation > 0 else np.zeros_like(small)


def axis_ends(low: float, high: float, share: float, alone: float) -> tuple[float, float]:
    """Ends of a chart's axis with room around what it shows; their difference is finite, as whatever draws it needs.

    Args:
        low: least of what is shown. A quarter of float64's largest number is the most an axis reaches.
        high: largest of what is shown.
        share: room at each end, in lengths from low to high.
        alone: room at each end where both are equal.
    """
    low, high = max(-DRAWN, min(DRAWN, low)), max(-DRAWN, min(DRAWN, high))
    room = share * (high - low) or alone
    return max(-DRAWN, low - room), min(DRAWN, high + room)


def fits_float32(values: Float[np.ndarray, " n"]) -> bool:
    """Whether float32 holds the known numbers and shows them apart: none at its ends, none lost in the largest one."""
    known = values[np.isfinite(values)]
    sizes = np.abs(known[known != 0])
    if not len(sizes):
        return True
    half = float(known.max()) / 2 - float(known.min()) / 2
    small, large = float(sizes.min()), float(sizes.max())
    return small >= 1 / _USUAL and large <= _USUAL and (half == 0 or half >= large * _APART)


def check_size(labels: Float[np.ndarray, " n"]) -> None:
    """What a model is fitted on, and predicts, is kept in float32.

    Raises:
        DataError: if labels, or what tells them apart, lie at its ends.
    """
    largest, (_, deviation) = float(np.abs(labels).max()), mean_and_deviation(labels)
    if largest > _USUAL or 0 < deviation < 1 / _USUAL:
        raise DataError(
            f"Labels of a predictor lie within 1e30 and spread by at least 1e-30; got {labels.min():.3g} to "
            f"{labels.max():.3g}. Give their logarithm."
        )
