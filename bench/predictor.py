"""How well scores are predicted from few labels: rank, error, coverage and width on all cells that were not labelled.

One row per predictor and number of labels. The labelled cells are drawn uniformly with the seed of the draw; everything
else of the space is held out. Seeds 0 to draws - 1 are for reporting: whoever tunes takes others (--first-seed 1000)
and another data set.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.harness.joint_head import JointHeadPredictor
from bench.harness.results import command, print_table, read_results, save_results
from svge_core.cells import Cell
from svge_core.data import Prediction, load_scores
from svge_core.data.csv import read_labels
from svge_core.errors import DataError, SvgeError
from svge_core.predictors import (
    MEASURES,
    SHORT_NAME,
    StructureSurrogate,
    coverage_by_fifth,
    measure_predictions,
    summarise_draws,
)
from svge_core.spaces import AbstractSearchSpace, get_space

COLUMNS = ["predictor", "labels", "kendall_tau", "rmse", "coverage", "width", "median_width", "seconds"]
#: of a row on the screen, and of a stored one
SHOWN = ("kendall_tau", "rmse", "coverage", "width", "median_width", "seconds")
#: coverage in each fifth of the held-out cells, from the lowest predicted to the highest; the same with one factor for
#: all cells, as intervals were made before they depended on the prediction
FIFTHS = tuple(f"coverage_fifth_{number}" for number in range(1, 6))
SINGLE = tuple(f"single_{name}" for name in FIFTHS)
SUMMARISED = (*MEASURES, "seconds")


class Predictor(Protocol):
    """A method under test. One without intervals returns NaN in ``low`` and ``high``."""

    name: str

    def fit_predict(self, train_indices: np.ndarray, values: np.ndarray, seed: int) -> Prediction:
        """Fit to the labels ``values`` of the cells at ``train_indices`` and predict every cell of the space."""
        ...


class StructurePredictor:
    """The surrogate on structure features."""

    name = SHORT_NAME

    def __init__(self, space: AbstractSearchSpace, cells: Sequence[Cell], level: float) -> None:
        self.space, self.cells, self.level = space, cells, level
        self.surrogate: StructureSurrogate | None = None

    def fit_predict(self, train_indices: np.ndarray, values: np.ndarray, seed: int) -> Prediction:
        """See :class:`Predictor`."""
        labelled = [self.cells[i] for i in train_indices]
        self.surrogate = StructureSurrogate.fit(self.space, labelled, values, seed=seed, level=self.level)
        return self.surrogate.predict(self.cells)

    def single_factor(self) -> Prediction:
        """What the surrogate that was fitted last predicts with one factor for the intervals of all cells."""
        assert self.surrogate is not None
        return replace(self.surrogate, predicted=None).predict(self.cells)


def drawn(values: np.ndarray, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of ``labels`` random cells with a known value, and of all others that have one."""
    known = np.flatnonzero(np.isfinite(values))
    train = np.random.default_rng(seed).choice(known, size=labels, replace=False)
    return train, np.setdiff1d(known, train)


def measure(predictor: Predictor, values: np.ndarray, labels: int, seed: int) -> dict[str, float | None]:
    """One draw: fit on ``labels`` random cells with a known value, compare with all others that have one."""
    train, held = drawn(values, labels, seed)
    started = time.process_time()
    prediction = predictor.fit_predict(train, values[train], seed)
    seconds = time.process_time() - started
    found = measure_predictions(prediction.mean[held], values[held], prediction.low[held], prediction.high[held])
    if isinstance(predictor, StructurePredictor):
        found |= by_fifths(prediction, predictor.single_factor(), values, held)
    return {**found, "seconds": seconds}


def by_fifths(
    local: Prediction, single: Prediction, values: np.ndarray, held: np.ndarray | slice
) -> dict[str, float | None]:
    """Coverage in each fifth of the held-out cells, of intervals with local factors and with a single one.

    Args:
        local: predictions with local factors.
        single: the same cells with a single factor.
        values: measured, of the same cells.
        held: which of them are held out.
    """
    found: dict[str, float | None] = {}
    for names, prediction in ((FIFTHS, local), (SINGLE, single)):
        mean, low, high = (column[held] for column in (prediction.mean, prediction.low, prediction.high))
        shares = coverage_by_fifth(mean, values[held], low, high) or (None,) * len(names)
        found |= dict(zip(names, shares, strict=True))
    return found


def summary_row(
    predictor: str, labels: int, held_out: int, draws: Sequence[Mapping[str, float | None]]
) -> dict[str, Any]:
    """A row of the results: of each measure the mean and standard deviation over draws, and the draws themselves."""
    row = {"predictor": predictor, "labels": labels, "held_out": held_out}
    measured = (*SUMMARISED, *(name for name in (*FIFTHS, *SINGLE) if name in draws[0]))
    return {**row, **summarise_draws(draws, measured), "draws": list(draws)}


#: rows by predictor and number of labels
Rows = dict[tuple[str, int], dict[str, Any]]


def stored_rows(name: str, settings: Mapping[str, Any], given: str) -> Rows:
    """Rows that the same command has stored, so that a run that was stopped goes on.

    Of GP + trees only those with coverage by fifths: they were measured with the intervals of today.
    """
    stored = read_results(name)
    if stored is None or (stored["settings"], stored["command"]) != (dict(settings), given):
        return {}
    rows = {(row["predictor"], row["labels"]): row for row in stored["rows"]}
    return {key: row for key, row in rows.items() if key[0] != SHORT_NAME or FIFTHS[0] in row}


def run(
    predictors: Sequence[Predictor],
    values: np.ndarray,
    sizes: Sequence[int],
    seeds: Sequence[int],
    known: Rows | None = None,
    on_rows: Callable[[list[dict[str, Any]]], object] = lambda rows: None,
) -> list[dict[str, Any]]:
    """All rows; every predictor sees the same draws. Each measure has a mean and a standard deviation over draws, or
    None where the predictor has no interval.

    Args:
        predictors: each has a row per number of labels.
        values: a value per cell of the space, NaN for none.
        sizes: numbers of labels.
        seeds: of the draws.
        known: rows that are there already, whole or with the first draws only.
        on_rows: called with all rows after every draw.

    Raises:
        DataError: if there are not more known values than labels asked for.
    """
    count = int(np.isfinite(values).sum())
    if max(sizes) >= count:
        raise DataError(f"Asked for {max(sizes)} labels of {count} known values: some must be left to predict.")
    rows: Rows = dict(known or {})
    for predictor in predictors:
        for labels in sizes:
            draws = list(rows[key]["draws"]) if (key := (predictor.name, labels)) in rows else []
            for seed in seeds[len(draws) :]:
                draws.append(measure(predictor, values, labels, seed))
                rows[key] = summary_row(predictor.name, labels, count - labels, draws)
                on_rows(list(rows.values()))
    wanted = [(predictor.name, labels) for predictor in predictors for labels in sizes]
    return [rows[key] for key in wanted]


def values_by_index(path: Path, column: str, space: AbstractSearchSpace) -> np.ndarray:
    """One value per cell of the space from a label file (see :func:`read_labels`); NaN where there is none.

    Raises:
        DataError: if the space is not listed, or as :func:`read_labels`.
    """
    if space.size is None or not space.enumerated:
        raise DataError(f"{space.title} is not enumerated: held-out cells cannot be listed.")
    labels = read_labels(path, column, space)
    values = np.full(space.size, np.nan)
    values[labels.indices] = labels.values
    return values


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row for the screen: mean ± standard deviation."""
    text = {"predictor": row["predictor"], "labels": row["labels"]}
    for name in SHOWN:
        spread = row[f"{name}_sd"]
        text[name] = "-" if row[name] is None else f"{row[name]:.3f}" + ("" if spread is None else f" ± {spread:.3f}")
    return text


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictor", description=__doc__)
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--score", default="cifar10_valid", help="score key, or the column of the CSV file")
    parser.add_argument("--labels", type=Path, help="CSV of cells and the score's column instead of the package's")
    parser.add_argument("--sizes", type=int, nargs="+", default=[78, 156, 781])
    parser.add_argument("--checkpoint", type=Path, help="trained VAE: adds the row of SVGe's joint head")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--level", type=float, default=0.9, help="nominal coverage of the interval")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-save", action="store_true", help="do not write bench/results/predictor.json")
    arguments = parser.parse_args(argv)
    if arguments.draws < 1:
        parser.error("--draws must be at least 1")
    try:
        space = get_space(arguments.space)
        if arguments.labels is None:
            scores = load_scores(space)
            meaning = scores.meaning(arguments.score).describe()
            values = scores.frame[arguments.score].to_numpy()
        else:
            meaning = f"column {arguments.score} of {arguments.labels.name}"
            values = values_by_index(arguments.labels, arguments.score, space)
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.draws)
        cells = list(space.enumerate())
        predictors: list[Predictor] = [StructurePredictor(space, cells, arguments.level)]
        if arguments.checkpoint is not None:
            predictors.append(JointHeadPredictor(arguments.checkpoint, space, cells, arguments.level))
        settings = {
            "space": space.name,
            "score": meaning,
            "seeds": f"{seeds[0]}..{seeds[-1]}",
            "level": arguments.level,
            "spread": "standard deviation over draws",
            "seconds": "CPU seconds of fitting and predicting the whole space",
        }
        if arguments.no_save:
            rows = run(predictors, values, arguments.sizes, seeds)
        else:
            given = command("predictor", argv)
            known = stored_rows("predictor", settings, given)
            save = partial(save_results, "predictor", settings=settings, command=given)
            rows = run(predictors, values, arguments.sizes, seeds, known, save)
            save(rows)
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if arguments.json:
        sys.stdout.write(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n")
    else:
        for name, value in settings.items():
            sys.stdout.write(f"{name}: {value}\n")
        print_table([shown(row) for row in rows], COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
