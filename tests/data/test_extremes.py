"""Numbers at the ends of the range, against exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.data.extremes import (
    DRAWN,
    axis_ends,
    check_size,
    fits_float32,
    mean_and_deviation,
    scaled,
    standardised,
    unscaled,
)
from svge_core.errors import DataError

LARGEST = float(np.finfo(np.float64).max)
NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=2, max_size=20)


@given(NUMBERS)
@settings(max_examples=300, deadline=None)
def test_scaling_is_exact_and_in_range(numbers: list[float]) -> None:
    values = np.array(numbers)
    small, exponent = scaled(values)
    largest = max(map(abs, numbers))
    if largest > 0:
        assert 0.5 <= np.abs(small).max() < 1
    for value, share in zip(numbers, small.tolist(), strict=True):
        if value == 0 or abs(share) >= np.finfo(np.float64).tiny:  # below, the last bits are lost
            assert Fraction(share) * Fraction(2) ** exponent == Fraction(value)


@given(NUMBERS, st.sampled_from([0.0, 0.05, 0.125]), st.floats(1e-6, 1e3))
@settings(max_examples=300, deadline=None)
def test_an_axis_has_finite_ends_around_what_it_shows(numbers: list[float], share: float, alone: float) -> None:
    low, high = min(numbers), max(numbers)
    first, last = axis_ends(low, high, share, alone)
    assert math.isfinite(first) and math.isfinite(last) and math.isfinite(last - first)
    if max(abs(low), abs(high)) <= DRAWN:
        assert first <= low and high <= last
    if max(abs(low), abs(high)) <= 1e300 and high > low:
        room = Fraction(share) * (Fraction(high) - Fraction(low))
        near = Fraction(1, 10**12) * max(abs(Fraction(low)), abs(Fraction(high)), room) + Fraction(1, 10**300)
        assert abs(Fraction(low) - Fraction(first) - room) <= near or room < near
        assert abs(Fraction(last) - Fraction(high) - room) <= near or room < near


@pytest.mark.parametrize(("value", "alone"), [(0.0, 1.0), (3.0, 0.5), (-1e10, 1e8)])
def test_an_axis_of_one_value_has_the_room_that_was_asked_for(value: float, alone: float) -> None:
    assert axis_ends(value, value, 0.1, alone) == (value - alone, value + alone)


@given(NUMBERS)
@settings(max_examples=300, deadline=None)
def test_mean_and_deviation_are_those_of_exact_arithmetic(numbers: list[float]) -> None:
    mean, deviation = mean_and_deviation(np.array(numbers))
    exact = sum(map(Fraction, numbers), Fraction(0)) / len(numbers)
    square = sum(((Fraction(n) - exact) ** 2 for n in numbers), Fraction(0)) / len(numbers)
    size = max(map(abs, numbers))
    assert math.isfinite(mean) and math.isfinite(deviation)
    assert abs(Fraction(mean) - exact) <= Fraction(size) * Fraction(1, 10**14) + Fraction(5, 10**324)
    # the square of an absolute error, as a deviation of nearly nothing is all rounding
    assert abs(Fraction(deviation) - _root(square)) <= Fraction(size) * Fraction(1, 10**14) + Fraction(5, 10**324)


def _root(square: Fraction) -> Fraction:
    """A square root to 30 digits: by whole numbers, so that no size overflows."""
    if square == 0:
        return Fraction(0)
    shift = 10 ** max(0, 60 + len(str(square.denominator)) - len(str(square.numerator)))
    return Fraction(math.isqrt(square.numerator * shift * shift // square.denominator), shift)


def test_usual_numbers_come_out_to_the_last_bit() -> None:
    values = np.random.default_rng(0).normal(91, 3, 1_000)
    assert mean_and_deviation(values) == (values.mean(), values.std())
    np.testing.assert_array_equal(standardised(values), (values - values.mean()) / values.std())
    assert unscaled(0.75, 2) == 3.0
    assert unscaled(0.75, 1_100) == LARGEST and unscaled(-0.75, 1_100) == -LARGEST


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e61, 1e300])
def test_standard_scores_know_no_size(size: float) -> None:
    np.testing.assert_allclose(standardised(np.array([1.0, 2.0, 3.0]) * size), [-(1.5**0.5), 0, 1.5**0.5], atol=1e-12)
    assert standardised(np.full(3, size)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("numbers", "fits"),
    [
        ([91.0, 94.5], True),
        ([math.nan, math.nan], True),
        ([0.0, 0.0], True),
        ([0.0, 1e-20, 1e20], True),
        ([2.7e43, 1.8e32, 2.9e61, 5e20], False),  # the largest is infinite in float32
        ([1e-50, 2e-50], False),  # zero in float32
        ([1_700_000_000.0, 1_700_000_001.0], False),  # one number in float32
        ([LARGEST, -LARGEST], False),
        ([7.0, math.nan], True),
    ],
    ids=str,
)
def test_what_float32_shows_apart(numbers: list[float], fits: bool) -> None:
    values = np.array(numbers)
    assert fits_float32(values) is fits
    known = np.unique(values[np.isfinite(values)])
    with np.errstate(over="ignore"):
        small = known.astype(np.float32)
    if fits:
        assert np.isfinite(small).all() and len(np.unique(small)) == len(known)


def test_what_a_predictor_cannot_learn_is_refused() -> None:
    check_size(np.array([-1e30, 1e30]))
    check_size(np.array([3.0, 3.0]))  # refused elsewhere, in its own words
    for numbers in ([1.0, 1e295], [1e-50, 2e-50], [LARGEST, -LARGEST]):
        with pytest.raises(DataError, match="Labels of a predictor lie within 1e30 .* Give their logarithm"):
            check_size(np.array(numbers))
