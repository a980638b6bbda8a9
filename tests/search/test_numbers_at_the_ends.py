"""Scores at the ends of float64: every method goes on, and curves, standings, charts and files hold finite numbers."""

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.figures.search import front_figure, progress_figure
from svge_core.predictors.gaussian_process import GaussianProcess, KernelParameters
from svge_core.search.comparison import best_curves, curve_of, hypervolumes, standings
from svge_core.search.history import History, Observation
from svge_core.search.runs.export import run_csv, run_json
from svge_core.search.searchers.base import rng_for
from svge_core.search.searchers.bayesian.encodings import Encodings
from svge_core.search.searchers.bayesian.surrogate import Surrogate, rank_normal
from svge_core.search.searchers.registry import METHODS
from tests.search.test_searchers import SPACE, domain, searcher
from tests.support.races import ACCURACY, PARAMS, view
from tests.support.untyped import drawn, there

LARGEST = 1.7976931348623157e308
ENDS = (LARGEST, -LARGEST, 5e-324, 1e61, -1e300, 0.0)


def at_an_end(cell: Cell) -> float:
    """One of the ends, by the cell's first three genes."""
    first, second, third = SPACE.genotype(cell)[:3]
    return ENDS[(first + 2 * second + 3 * third) % len(ENDS)]


@pytest.mark.parametrize("worth", [at_an_end, lambda cell: -LARGEST], ids=["ends", "all equal"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_goes_on_and_predicts_finite_numbers(name: str, worth: Callable[[Cell], float]) -> None:
    method, history = searcher(name), History()
    for _ in range(5):
        found = list(history.observations)
        for proposal in method.propose(history, 4, rng_for(0, len(found))):
            assert all(math.isfinite(v) for v in (proposal.mean, proposal.std) if v is not None)
            found.append(Observation(len(found), proposal.cell, (worth(proposal.cell),)))
        history = replace(history, observations=tuple(found))
    assert len(history) >= 16


def surrogate_of(utilities: np.ndarray) -> Surrogate:
    """One whose posterior is not asked: only its unit is."""
    targets = rank_normal(utilities)
    posterior = GaussianProcess(KernelParameters.from_log(np.zeros(6), 1), [np.zeros((len(targets), 1))], targets)
    return Surrogate(Encodings(domain()), "structure", posterior, targets, utilities, {})


def turned_back(targets: np.ndarray, values: list[float], z: float) -> Fraction:
    """Linear between neighbours and beyond the ends, by the slope of the outer third, in exact arithmetic."""
    pairs = sorted({float(t): Fraction(v) for t, v in zip(targets, values, strict=True)}.items())
    x, y, at = [Fraction(t) for t, _ in pairs], [v for _, v in pairs], Fraction(z)
    third = max(len(x) // 3, 1)
    if at <= x[0]:
        return y[0] + (y[third] - y[0]) / (x[third] - x[0]) * (at - x[0])
    if at >= x[-1]:
        return y[-1] + (y[-1] - y[-1 - third]) / (x[-1] - x[-1 - third]) * (at - x[-1])
    right = next(i for i, end in enumerate(x) if end >= at)
    share = (at - x[right - 1]) / (x[right] - x[right - 1])
    return y[right - 1] + share * (y[right] - y[right - 1])


def inside(value: Fraction) -> float:
    """As a float; beyond float64, its largest number."""
    return float(max(-Fraction(LARGEST), min(Fraction(LARGEST), value)))


@pytest.mark.parametrize("values", [ENDS, (1.5, 91.25, 88.0, 90.0, 12.0, 3.0), (1e-310, 3e-310, 2e-310)])
def test_predictions_turn_back_into_the_unit_as_in_exact_arithmetic(values: tuple[float, ...]) -> None:
    utilities = np.array(values)
    surrogate = surrogate_of(utilities)
    targets = surrogate.targets
    means, stds = np.linspace(-3, 3, 25), np.linspace(0.01, 2, 25)
    mean, std = surrogate.in_unit(means, stds)
    exact = [turned_back(targets, list(values), z) for z in means]
    np.testing.assert_allclose(mean, [inside(v) for v in exact], rtol=1e-9, atol=1e-12 * abs(utilities).max())
    exact = [
        (turned_back(targets, list(values), z + s) - turned_back(targets, list(values), z - s)) / 2
        for z, s in zip(means, stds, strict=True)
    ]
    np.testing.assert_allclose(std, [inside(v) for v in exact], rtol=1e-9, atol=1e-12 * abs(utilities).max())


def test_equal_utilities_are_predicted_without_doubt() -> None:
    utilities = np.full(4, 1e300)
    mean, std = surrogate_of(utilities).in_unit(np.array([-1.0, 0.0, 2.0]), np.ones(3))
    assert mean.tolist() == [1e300] * 3
    assert std.tolist() == [0.0] * 3


def test_curves_and_standings_of_the_largest_numbers_are_exact() -> None:
    columns = [
        np.full(3, LARGEST),
        np.full(3, LARGEST * (1 - 2**-50)),
        np.array([-LARGEST, 5e-324, LARGEST]),
        np.full(2, 0.0),
    ]
    curve = curve_of("random", columns, 4)
    middles = []
    for place in range(3):
        known = sorted(Fraction(float(column[place])) for column in columns if place < len(column))
        half = len(known) // 2
        middles.append(float(known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2))
    np.testing.assert_allclose(curve.median, middles, rtol=1e-12)
    views = [view([LARGEST], seed=seed) for seed in range(2)]
    (standing,) = standings([("", views)])
    assert (standing.best, standing.best_run, standing.worst_run) == (LARGEST,) * 3


def test_the_hypervolume_has_no_unit_at_the_ends_either() -> None:
    values = [(0.0, 4.0), (4.0, 4.0), (2.0, 2.0), (1.0, 3.0), (4.0, 0.0)]
    wanted = there(hypervolumes([("", [view(values, goals=(ACCURACY, PARAMS))])])).curves[0].median
    for across, up in ((2.0**1021, 2.0**-1060), (2.0**-1070, 1.0), (2.0**1021, 2.0**1021)):
        moved = [((a - 2) * across, (b - 2) * up) for a, b in values]
        found = there(hypervolumes([("", [view(moved, goals=(ACCURACY, PARAMS))])]))
        assert found.curves[0].median.tolist() == wanted.tolist()
        assert all(map(math.isfinite, (*found.worst, *found.best)))


def test_files_and_charts_of_runs_at_the_ends_hold_finite_numbers() -> None:
    runs = [view(list(ENDS), seed=seed) for seed in range(3)]
    document = json.loads(run_json(runs[0]), parse_constant=pytest.fail)
    assert [e["values"][ACCURACY.key] for e in document["evaluations"]] == list(ENDS)
    rows = csv.DictReader(io.StringIO(run_csv(runs[:1])))
    assert [float(row[ACCURACY.key]) for row in rows] == list(ENDS)
    lineup = [("", runs)]
    figure = drawn(progress_figure(best_curves(lineup), runs[0].goals[0], "light"))
    json.loads(figure.to_json(), parse_constant=pytest.fail)
    pairs = [view([(a, -b) for a, b in pairwise(ENDS)], goals=(ACCURACY, PARAMS))]
    json.loads(drawn(front_figure([("", pairs)], 1, 0, "light")).to_json(), parse_constant=pytest.fail)
