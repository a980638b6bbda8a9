"""The browser's arithmetic of colours and contours, run in Node.js, against SciPy and NumPy."""

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from tests.support.javascript import joined, node
from tests.support.paths import ROOT
from ui.latent_map.fallback import rank_places
from ui.latent_map.values import SEQUENTIAL, MapColour

FRONTEND = ROOT / "ui" / "latent_map" / "frontend"


def run(script: str, **data: object) -> Any:
    """The value of ``answer`` after the map's scripts and some lines ran; data become constants."""
    given = "\n".join(f"const {name} = {json.dumps(value)};" for name, value in data.items())
    text = joined([FRONTEND / f"{part}.js" for part in ("data", "scale", "gl", "layers")])
    done = node("--input-type=module", "-", text=f"{text}\n{given}\n{script}\nconsole.log(JSON.stringify(answer));")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def column(seed: int, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.round(90 - rng.exponential(5, count), 1)  # ties, and a long tail to the left
    values[rng.random(count) < 0.1] = np.nan
    return values


def as_json(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


SCALE = """
const values = Float64Array.from(column, (value) => value ?? NaN);
const colour = { scale: kind, low, high, categories: [], palette: [], onTop };
const scale = new ColourScale(values, colour);
"""


@pytest.mark.parametrize(("seed", "low", "high"), [(0, 0.0, 100.0), (1, 80.0, 88.0), (2, 89.95, 89.99)])
def test_colours_by_rank_are_mean_ranks_of_the_values_in_the_limits(seed: int, low: float, high: float) -> None:
    values = column(seed)
    script = SCALE + "const answer = Array.from(values, (v) => Number.isFinite(v) ? scale.place(v) : null);"
    found = run(script, column=as_json(values), low=low, high=high, kind="ranks", onTop="high")
    known = values[np.isfinite(values)]
    ranks = rankdata(np.clip(known, low, high))
    expected = np.full(len(known), 0.5)
    if np.ptp(ranks):
        expected = (ranks - ranks.min()) / np.ptp(ranks)
    np.testing.assert_allclose([place for place in found if place is not None], expected, atol=1e-12)
    colour = MapColour("u", "t", "", low, high, SEQUENTIAL, scale="ranks")
    np.testing.assert_allclose(rank_places(known, known, colour), expected, atol=1e-12)


def test_a_value_that_no_point_has_lies_between_its_neighbours() -> None:
    script = SCALE + "const answer = [0, 1, 1.5, 2, 3, 9, 10, 99].map((v) => scale.place(v));"
    found = run(script, column=[1, 2, 2, 10], low=0, high=20, kind="ranks", onTop="high")
    np.testing.assert_allclose(found, [0, 0, 0.25, 0.5, 0.5625, 0.9375, 1, 1])


@pytest.mark.parametrize("on_top", ["high", "low"])
def test_a_brush_keeps_the_points_of_its_range_in_one_run_of_the_order(on_top: str) -> None:
    values, dimmed = column(3), np.random.default_rng(4).random(400) < 0.2
    script = (
        SCALE
        + """
const shades = shadesOf(values, scale, dimmed), order = drawOrder(values, scale, shades);
const part = partBetween(order, values, shades, onTop, [82.5, 88]);
const answer = { order: [...order], part };
"""
    )
    given = {"column": as_json(values), "low": 0, "high": 100, "kind": "ranks", "onTop": on_top}
    found = run(script, **given, dimmed=dimmed.tolist())
    order, (first, end) = np.array(found["order"]), found["part"]
    assert sorted(order) == list(range(400))
    inside = ~dimmed & (values >= 82.5) & (values <= 88)
    assert set(order[first:end]) == set(np.flatnonzero(inside)) and inside.sum() > 50
    assert dimmed[order[: dimmed.sum()]].all(), "dimmed lie lowest"
    bare = ~dimmed & np.isnan(values)
    assert np.isnan(values[order[dimmed.sum() : dimmed.sum() + bare.sum()]]).all(), "then those without a value"
    drawn = values[order[dimmed.sum() + bare.sum() :]]
    assert (np.diff(drawn) * (1 if on_top == "high" else -1) >= 0).all()


def test_contours_lie_at_their_level_and_end_nowhere_inside() -> None:
    x, y = np.meshgrid(np.arange(30.0), np.arange(20.0))
    heights = np.sin(x / 3) * np.cos(y / 2.5) + 0.01 * x
    script = "const answer = isolines(heights, 30, 20, level);"
    ends = np.array(run(script, heights=heights.ravel().tolist(), level=0.3))
    assert len(ends) > 100 and len(ends) % 2 == 0
    column0, row0 = np.floor(ends).astype(int).T
    column1, row1 = np.ceil(ends).astype(int).T
    share = (ends - np.floor(ends)).sum(1)  # one of the two is whole
    between = heights[row0, column0] * (1 - share) + heights[row1, column1] * share
    np.testing.assert_allclose(between, 0.3, atol=1e-9)
    places, times = np.unique(ends.round(9), axis=0, return_counts=True)
    edge = (places == 0).any(1) | (places[:, 0] == 29) | (places[:, 1] == 19)
    assert (times[~edge] == 2).all() and (times[edge] == 1).all()
    crossed = ((heights[:, :-1] >= 0.3) != (heights[:, 1:] >= 0.3)).sum()
    crossed += ((heights[:-1] >= 0.3) != (heights[1:] >= 0.3)).sum()
    assert len(places) == crossed
