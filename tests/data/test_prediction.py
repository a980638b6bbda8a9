"""Predictions as columns: their rows, and rows of two tables put in one order."""

import math
from dataclasses import replace

import numpy as np
import pytest

from svge_core.data import Prediction, PredictionRow, nothing_predicted
from svge_core.errors import SvgeError


def made(*means: float, joint: bool = True) -> Prediction:
    mean = np.array(means, dtype=np.float32)
    return Prediction("acc", mean, mean - 1, mean + 2, 0.9, "a model", 12, mean * 10 if joint else None)


def test_a_row_says_what_the_columns_say_of_one_cell() -> None:
    assert made(1.5, 4.0).row(1) == PredictionRow("acc", 4.0, 3.0, 6.0, 0.9, "a model", 12, 40.0)
    assert made(1.5, joint=False).row(0) == ("acc", 1.5, 0.5, 3.5, 0.9, "a model", 12, None)
    assert len(made(1, 2, 3)) == 3
    assert [row.mean for row in made(1, 2, 3)] == [1, 2, 3]


def test_rows_are_arranged_with_those_of_another_table_in_the_gaps() -> None:
    found = made(1, 2, 3).arranged([2, None, 0, 2, None], made(7, 8))
    assert found.mean.tolist() == [3, 7, 1, 3, 8]
    assert (found.high - found.low).tolist() == [3] * 5
    assert found.joint is not None
    assert found.joint.tolist() == [30, 70, 10, 30, 80]
    assert (found.score, found.level, found.model, found.labels) == ("acc", 0.9, "a model", 12)
    assert made(1, 2).arranged([0, None], made(7, joint=False)).joint is None


def test_without_another_table_the_gaps_are_unknown() -> None:
    found = made(1, 2).arranged([None, 1])
    assert math.isnan(found.mean[0]) and math.isnan(found.low[0])
    assert found.mean[1] == 2
    empty = nothing_predicted("acc", 2)
    assert np.isnan([empty.mean, empty.low, empty.high]).all() and empty.model == ""


@pytest.mark.parametrize(
    "wrong", [{"mean": math.nan}, {"low": 9.0}, {"high": math.inf}, {"level": 0.0}, {"level": 1.0}]
)
def test_a_row_that_is_handed_on_has_numbers_and_an_interval(wrong: dict[str, float]) -> None:
    row = replace(made(4.0)).row(0)
    row.check()
    with pytest.raises(SvgeError, match="The prediction of 'acc' needs finite numbers, low <= high"):
        row._replace(**wrong).check()
