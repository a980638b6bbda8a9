"""A prediction says nothing that cannot be: an accuracy in per cent lies between 0 and 100."""

from dataclasses import replace

import numpy as np
import pytest

from svge_core.data.meaning import ScoreMeaning
from svge_core.data.prediction import Prediction

ACCURACY = ScoreMeaning(
    "a",
    "A",
    "%",
    "max",
    "CIFAR-10",
    "test",
    200,
    "one",
    "measured",
    "s",
    role="accuracy",
    origin="user",
    single_run=False,
)
FOUND = Prediction(
    "a",
    np.array([-3.0, 50.0, np.nan, 99.5]),
    np.array([-9.0, 40.0, np.nan, 98.0]),
    np.array([-1.0, 60.0, np.nan, 104.0]),
    0.9,
    "m",
    3,
    np.array([-1.0, 55.0, np.nan, 101.0]),
)


def test_an_accuracy_stays_between_0_and_100_per_cent() -> None:
    held = FOUND.within(ACCURACY.bounds)
    for name in ("mean", "low", "high", "joint"):
        expected = [
            value if not (value < 0 or value > 100) else 0.0 if value < 0 else 100.0 for value in getattr(FOUND, name)
        ]
        np.testing.assert_array_equal(getattr(held, name), expected)
    for number in (0, 1, 3):
        held.row(number).check()
    assert replace(ACCURACY, unit="fraction").bounds == (0.0, 1.0)


@pytest.mark.parametrize("change", [{"unit": ""}, {"role": "other"}, {"role": "time", "unit": "ms"}])
def test_other_scores_have_no_bounds(change: dict[str, str]) -> None:
    assert FOUND.within(replace(ACCURACY, **change).bounds) is FOUND
