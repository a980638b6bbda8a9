"""Runs beside each other: best-so-far curves per method, standings, and hypervolumes where there are several goals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from svge_core.data import median, quantiles, scaled
from svge_core.search.runs import RunView
from svge_core.search.searchers import METHODS

#: from this many runs on, a band is the middle half; below, it is all of them
QUARTILES_FROM = 5
#: a value this near to the optimum is the optimum: stored and computed numbers may differ in the last digit
TOLERANCE = 1e-9


@dataclass(frozen=True)
class MethodCurve:
    """One number per evaluation, over the runs of one method.

    Attributes:
        method: a key of :data:`svge_core.search.searchers.registry.METHODS`.
        x: number of labels used, from 1; existing labels that a run started from count.
        median: over the runs that got as far.
        low, high: ends of the band.
        counts: how many runs that is.
        runs: of the method, those that have no value yet included.
        band: what the band is, in words; empty for one run.
        label: tells races apart where several are compared, such as ``A``.
        last: median over the runs that have begun of where each of them stands now, however far it is.
    """

    method: str
    x: Int[np.ndarray, " x"]
    median: Float[np.ndarray, " x"]
    low: Float[np.ndarray, " x"]
    high: Float[np.ndarray, " x"]
    counts: Int[np.ndarray, " x"]
    runs: int
    band: str
    label: str = ""
    last: float | None = None


#: runs to be compared: the label of each race, and its runs
Lineup = Sequence[tuple[str, Sequence[RunView]]]


@dataclass(frozen=True)
class Standing:
    """How the runs of one method stand.

    Attributes:
        method: as in :class:`MethodCurve`.
        runs, finished: how many there are, and how many have used up their budget.
        labels: used by all of them together, existing ones included.
        best: median over the runs of the best value so far; None before the first value.
        worst_run, best_run: the same of the worst and of the best run.
        reached: runs that found the optimum; None where it is not known.
        to_optimum: median labels until then, runs that did not get there counted as infinitely late; None if it is
            infinite or the optimum is not known.
        label: of the race.
        volume: of several goals, the median over the runs of the hypervolume so far, as a share of the box of
            :class:`Hypervolumes`; None for one goal, or where there is no box yet.
        front: of several goals, the median over the runs of the number of evaluations that none of the run dominates.
    """

    method: str
    runs: int
    finished: int
    labels: int
    best: float | None
    worst_run: float | None
    best_run: float | None
    reached: int | None
    to_optimum: float | None
    label: str = ""
    volume: float | None = None
    front: float | None = None


def comparable(first: RunView, second: RunView) -> bool:
    """Whether two runs search the same cells for the same goals, so that one chart can hold both."""
    return (
        first.config.space == second.config.space
        and first.goals == second.goals
        and first.domain_title == second.domain_title
        and first.config.candidates == second.config.candidates
        and first.config.like == second.config.like
    )


def by_method(views: Sequence[RunView]) -> dict[str, list[RunView]]:
    """Runs by method, in the order of the registry: ours first."""
    return {method: found for method in METHODS if (found := [view for view in views if view.config.method == method])}


def best_curves(lineup: Lineup, goal: int = 0) -> tuple[MethodCurve, ...]:
    """The best value so far of one goal, per race and method."""
    return tuple(
        curve_of(method, [view.best_so_far(goal) for view in found], len(found), label)
        for label, views in lineup
        for method, found in by_method(views).items()
    )


def curve_of(method: str, columns: Sequence[np.ndarray], runs: int, label: str = "") -> MethodCurve:
    """Median and band over runs of different lengths.

    The curve ends where fewer than half of the runs that have begun go on: the median of a few early ones would jump.
    """
    begun = [column for column in columns if len(column)]
    lengths = np.array([len(column) for column in begun], dtype=int)
    counts = np.array([(lengths > x).sum() for x in range(lengths.max(initial=0))], dtype=int)
    size = int((2 * counts >= len(begun)).sum())
    table = np.full((len(begun), size), np.nan)
    for row, column in zip(table, begun, strict=True):
        row[: len(column)] = column[:size]
    low, high = (0.25, 0.75) if len(begun) >= QUARTILES_FROM else (0.0, 1.0)
    lower, middle, upper = quantiles(table, (low, 0.5, high)) if size else np.empty((3, 0))
    band = "" if len(begun) < 2 else "middle half" if len(begun) >= QUARTILES_FROM else "lowest to highest"
    words = f"{band} of {len(begun)} runs" if band else ""
    last = median([column[-1] for column in begun]) if begun else None
    x = np.arange(1, size + 1)
    return MethodCurve(method, x, middle, lower, upper, counts[:size], runs, words, label, last)


def standings(lineup: Lineup, volumes: "Hypervolumes | None" = None) -> tuple[Standing, ...]:
    """How the methods of every race stand: with one goal by its best value, in the order of the registry.

    Args:
        lineup: the runs.
        volumes: of the same runs, where there are several goals: the greatest hypervolume comes first, of equal
            ones the larger front.
    """
    found = [_standing(method, found, label) for label, views in lineup for method, found in by_method(views).items()]
    if volumes is None:
        return tuple(found)
    ends = {(curve.label, curve.method): curve.last for curve in volumes.curves}
    found = [replace(standing, volume=ends.get((standing.label, standing.method))) for standing in found]
    return tuple(sorted(found, key=lambda s: (-(s.volume or 0.0), -(s.front or 0.0))))


def labels_to_optimum(view: RunView) -> float | None:
    """Labels until a run found the optimum, infinite if it has not; None where no optimum is known."""
    if view.optimum is None or len(view.goals) != 1:
        return None
    sign = 1.0 if view.directions[0] == "max" else -1.0
    hits = np.flatnonzero(sign * view.values[:, 0] >= sign * view.optimum[0] - TOLERANCE)
    return float(hits[0] + 1) if len(hits) else float("inf")


def _standing(method: str, views: list[RunView], label: str) -> Standing:
    found = [float(view.best_so_far()[-1]) for view in views if view.done]
    first = views[0]
    ordered = sorted(found, reverse=first.directions[0] == "min")
    times = [time for view in views if (time := labels_to_optimum(view)) is not None]
    known = len(times) == len(views)
    middle = float(np.median(times)) if known else float("inf")
    return Standing(
        method=method,
        runs=len(views),
        finished=sum(view.state == "finished" for view in views),
        labels=sum(len(view.done) for view in views),
        best=median(found) if found else None,
        worst_run=ordered[0] if found else None,
        best_run=ordered[-1] if found else None,
        reached=int(np.isfinite(times).sum()) if known else None,
        to_optimum=middle if np.isfinite(middle) else None,
        label=label,
        front=_front_size(views),
    )


def _front_size(views: Sequence[RunView]) -> float | None:
    sizes = [len(view.front()) for view in views if view.done and len(view.goals) > 1]
    return float(np.median(sizes)) if sizes else None


# ---- several goals ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hypervolumes:
    """Share of the box between the worst and the best value of every goal that the found cells dominate.

    Attributes:
        curves: per method, shares from 0 to 1.
        worst, best: the corners of the box in the goals' units: the worst and best values seen in any of the runs.
    """

    curves: tuple[MethodCurve, ...]
    worst: tuple[float, ...]
    best: tuple[float, ...]


def hypervolumes(lineup: Lineup) -> Hypervolumes | None:
    """Hypervolume after every evaluation, computed by BoTorch; None before any run has two different values.

    All runs are measured in one box, so their numbers can be compared; the box grows while runs go on.
    """
    filled = [view for _, views in lineup for view in views if view.done]
    if not filled:
        return None
    signs = np.array([1.0 if way == "max" else -1.0 for way in filled[0].directions])
    everything = np.concatenate([view.values for view in filled]) * signs
    worst, best = everything.min(axis=0), everything.max(axis=0)
    if (best <= worst).any():
        return None
    exponents = np.array([scaled(column)[1] for column in everything.T])  # so that no difference overflows
    origin, box = np.ldexp(worst, -exponents), np.ldexp(best, -exponents) - np.ldexp(worst, -exponents)
    curves = tuple(
        curve_of(
            method,
            [_shares((np.ldexp(view.values * signs, -exponents) - origin) / box) for view in found],
            len(found),
            label,
        )
        for label, views in lineup
        for method, found in by_method(views).items()
    )
    return Hypervolumes(curves, tuple(map(float, worst * signs)), tuple(map(float, best * signs)))


def _shares(utilities: Float[np.ndarray, "evaluations goals"]) -> Float[np.ndarray, " evaluations"]:
    """Hypervolume above the origin after every evaluation; only where the front moves is it computed anew."""
    import torch
    from botorch.utils.multi_objective.hypervolume import Hypervolume

    measure = Hypervolume(torch.zeros(utilities.shape[1], dtype=torch.float64))
    front = np.empty((0, utilities.shape[1]))
    shares, now = [], 0.0
    for row in utilities:
        if not (front >= row).all(axis=1).any():
            front = np.vstack([front[~(front <= row).all(axis=1)], row])
            now = float(measure.compute(torch.from_numpy(front)))
        shares.append(now)
    return np.array(shares)
