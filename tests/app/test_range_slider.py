"""The places of the filter's sliders, and what a moved one means."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from svge_core.explorer.selection import CellFilter
from tests.support.app_driver import App, choose, open_app, rerun, words
from ui.map.range_slider import places, written

LARGEST = 1.7976931348623157e308
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(FLOATS, FLOATS)
@example(9.7, 91.7)
@example(1.0, 1.0000000000000002)
@example(0.0, 5e-324)
@example(-LARGEST, LARGEST)
@example(1e300, 1.0000000001e300)
@settings(max_examples=400, deadline=None)
def test_places_ascend_between_the_ends_and_have_names_of_their_own(one: float, other: float) -> None:
    lowest, highest = min(one, other), max(one, other)
    if lowest == highest:
        return
    found = places(lowest, highest)
    assert (found[0], found[-1]) == (lowest, highest) and 2 <= len(found) <= 510
    assert all(map(math.isfinite, found)) and all(a < b for a, b in zip(found, found[1:], strict=False))
    texts = written(found)
    assert len(set(texts)) == len(found)


@pytest.mark.parametrize(
    ("lowest", "highest", "step"), [(9.714, 91.61, "0.2"), (0.0733, 1.5316, "0.005"), (7, 1e5, "200")]
)
def test_between_the_ends_are_round_numbers(lowest: float, highest: float, step: str) -> None:
    inner = places(lowest, highest)[1:-1]
    assert all(Fraction(str(number)) % Fraction(step) == 0 for number in inner)
    assert len(inner) > 150
    assert max(np.diff(places(lowest, highest))) < 1.6 * float(step)


@pytest.fixture
def numbers(environment: None) -> App:
    """The map with own scores at the ends of the range, and a close pair."""
    rows = [LARGEST / 2, -LARGEST / 2, 5e-324, 0.0, 1.0, 1.0000000000000002]
    lines = "".join(f"{index},{rows[index % 6]!r},{rows[4 + index % 2]!r},{index}\n" for index in range(120))
    at = open_app()
    at.get_by_key("w-csv").upload("mine.csv", f"index,ends,close,plain\n{lines}".encode(), "text/csv")
    return rerun(at)


@pytest.mark.parametrize("colour", ["user_ends", "user_close", "user_plain", "cifar10_valid"])
def test_either_end_can_be_moved_and_moved_back(numbers: App, colour: str) -> None:
    at = choose(numbers, "w-colour", colour)
    whole = at.get_by_key("w-score").value
    stops = at.get_by_key("w-score").options
    assert len(set(stops)) == len(stops) >= 2
    low, high = (places(*whole)[1], places(*whole)[-2]) if len(stops) > 2 else (whole[1], whole[0])
    for pair in ((low, whole[1]), (whole[0], high)):
        choose(at, "w-score", pair)
        assert at.session_state["map_filter"] == CellFilter(colour, pair)
        choose(at, "w-score", whole)
        assert at.session_state["map_filter"] == CellFilter()


def test_an_end_that_was_not_moved_keeps_all_that_lies_there(numbers: App) -> None:
    at = choose(numbers, "w-colour", "user_ends")
    whole = at.get_by_key("w-score").value
    choose(at, "w-score", (places(*whole)[1], whole[1]))
    assert "100 of 15,625 cells" in words(at)  # all but the twenty at the lower end
