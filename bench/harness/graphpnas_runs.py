"""The protocol of GraphPNAS's authors on NAS-Bench-201, one run at a time, and what is reported of many runs.

100 queries, one at a time: random cells without "none", then one cell per refit of the generator. The search sees one
noisy accuracy per cell (12 epochs on CIFAR-10 and ImageNet16-120; one random seed of 200 epochs on CIFAR-100); reported
is the 200-epoch test accuracy, mean over seeds, of the best by the search's accuracy. Two differences from the authors'
runs: the label file has one seed of the 12-epoch schedule, where they drew one of several on CIFAR-10, and their log
ends with the 99th query.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from svge_core.errors import DataError
from svge_core.search import Domain, History, Observation
from svge_core.search.searchers import (
    LOGGED,
    PUBLISHED,
    GraphPNAS,
    GraphPNASReinforce,
    RandomStart,
    RecurrentSearch,
    Searcher,
    recurrent_like,
    rng_for,
)
from svge_core.spaces import get_space

#: queries at which the incumbent is reported, as the authors' log is summarised
MARKS = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99)
#: test accuracy (%) from which a sample counts as good
GOOD = {"cifar10": 94.0, "cifar100": 72.0, "imagenet16": 46.0}
#: samples at the end of a run whose share of good ones is reported
LAST = 30
SEEDS = {"cifar10": 10, "cifar100": 5, "imagenet16": 10}
#: names of the data sets in the authors' log
LOG_NAMES = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16": "im16"}


@dataclass(frozen=True)
class Tables:
    """What is known of every cell by official index.

    Attributes:
        search: accuracies a query may see, one column per seed, NaN where one is missing (cells, seeds).
        test: 200-epoch test accuracy, mean over seeds (cells).
    """

    search: np.ndarray
    test: np.ndarray


def read_tables(data: str, means: Path, twelve: Path, seeds: Path) -> Tables:
    """The label files of a data set.

    Raises:
        DataError: if a column is missing or the rows are not all cells in official order.
    """
    if data == "cifar100":
        search = columns_of(seeds, [f"{data}_valid_nats_s{seed}" for seed in range(3)])
    else:
        search = columns_of(twelve, [f"{data}_valid"])
    return Tables(search, columns_of(means, [f"{data}_test"])[:, 0])


def columns_of(path: Path, names: list[str]) -> np.ndarray:
    """Columns of a label file (cells, names).

    Raises:
        DataError: if one is missing or the rows are not all cells in official order.
    """
    frame = pd.read_csv(path)
    missing = [name for name in ["index", *names] if name not in frame]
    if missing:
        raise DataError(f"{path.name} has no column {missing[0]!r}: expected {', '.join(['index', *names])}.")
    size = get_space("nasbench201").size
    if not np.array_equal(frame["index"].to_numpy(), np.arange(size or 0)):
        raise DataError(f"{path.name} has {len(frame):,} rows: expected all cells of NAS-Bench-201 in official order.")
    return frame[names].to_numpy(np.float64)


def methods(data: str) -> dict[str, Callable[[Domain], Searcher]]:
    """The searchers of the comparison with the authors' settings for a data set."""
    options = PUBLISHED[data]
    return {
        "graphpnas": lambda domain: GraphPNAS(domain, options),
        "graphpnas-as-logged": lambda domain: GraphPNAS(domain, LOGGED[data]),
        "graphpnas-distinct": lambda domain: GraphPNAS(domain, replace(LOGGED[data], distinct=True)),
        "graphpnas-reinforce": lambda domain: GraphPNASReinforce(domain),
        "lstm": lambda domain: RecurrentSearch(domain, recurrent_like(options), options.warm_up),
        "explorer": lambda domain: RandomStart(domain),
    }


def run(data: str, method: str, tables: Tables, seeds: Sequence[int], queries: int) -> list[dict[str, Any]]:
    """Searches that take turns, so that their generators are fitted side by side; none knows of another.

    Returns:
        per seed ``indices``, ``values`` and ``learned`` (whether it was drawn from a learned distribution) of every
        query, and ``cpu_seconds``, the share of one of all.
    """
    torch.set_num_threads(1)
    space = get_space("nasbench201")
    # a searcher may cache what it replayed of one history
    searchers = [methods(data)[method](Domain(space)) for _ in seeds]
    noises = [np.random.default_rng([seed, 1]) for seed in seeds]
    histories, started = [History() for _ in seeds], os.times().user
    learned: list[list[bool]] = [[] for _ in seeds]
    for query in range(queries):
        rngs = [rng_for(seed, query) for seed in seeds]
        first = searchers[0]
        if isinstance(first, GraphPNAS):
            found = first.propose_each(histories, 1, rngs)
        else:
            found = [s.propose(h, 1, rng) for s, h, rng in zip(searchers, histories, rngs, strict=True)]
        for place, (proposal,) in enumerate(found):
            values = tables.search[space.index(proposal.cell)]
            values = values[np.isfinite(values)]  # not every cell was trained with every seed
            value = float(values[int(noises[place].integers(len(values)))])
            learned[place].append(proposal.source.startswith("drawn"))
            observations = (*histories[place].observations, Observation(query, proposal.cell, (value,)))
            histories[place] = replace(histories[place], observations=observations)
    seconds = (os.times().user - started) / len(seeds)
    return [
        {
            "seed": seed,
            "indices": [space.index(o.cell) for o in history.observations],
            "values": [o.values[0] for o in history.observations],
            "learned": drawn,
            "cpu_seconds": seconds,
        }
        for seed, history, drawn in zip(seeds, histories, learned, strict=True)
    ]


def logged(path: Path, data: str) -> list[dict[str, Any]]:
    """The authors' own queries in the form of :func:`run`, one entry per seed."""
    space = get_space("nasbench201")
    frame = pd.read_csv(path)
    frame = pd.DataFrame(frame[frame["dataset"] == LOG_NAMES[data]])
    if frame.empty:
        raise DataError(f"{path.name} has no query of {LOG_NAMES[data]}.")
    return [
        {
            "seed": int(str(seed)),
            "indices": [space.index(space.parse(text)) for text in rows["arch"]],
            "values": rows["search_val_acc"].tolist(),
            "test": rows["test_acc"].tolist(),
            "learned": (rows["source"] != "random").tolist(),
        }
        for seed, rows in frame.sort_values("query").groupby("seed")
    ]


def rescored(runs: Sequence[dict[str, Any]], tables: Tables) -> float:
    """Mean test accuracy of the best query of each run, had it seen the tables' search accuracies (means over seeds).

    The log's runs saw others: one of several seeds of the 12-epoch schedule on CIFAR-10, where the table has one.
    """
    best = [run["indices"][int(np.nanmean(tables.search[run["indices"]], axis=1).argmax())] for run in runs]
    return float(tables.test[best].mean())


def summary(data: str, runs: Sequence[dict[str, Any]], tables: Tables) -> dict[str, Any]:
    """Means and standard deviations over seeds.

    Test accuracies are the table's, or a run's own ``test`` where it has them.
    """
    values = np.array([found["values"] for found in runs])
    test = np.array([found.get("test", tables.test[found["indices"]]) for found in runs])
    learned = np.array([found["learned"] for found in runs])
    queries = values.shape[1]
    row: dict[str, Any] = {"seeds": len(runs), "queries": queries}
    for mark in (*(mark for mark in MARKS if mark < queries), queries):
        best = values[:, :mark].argmax(axis=1)
        every = np.arange(len(runs))
        _put(row, f"validation@{mark}", values[every, best])
        _put(row, f"test@{mark}", test[every, best])
    _put(row, "final_test", test[np.arange(len(runs)), values.argmax(axis=1)])
    good = test >= GOOD[data]
    row["good_random"] = float(good[~learned].mean()) if (~learned).any() else None
    row["good_learned"] = float(good[learned].mean()) if learned.any() else None
    row["good_last"] = float(good[:, -LAST:].mean())
    _put(row, "sampled_test_last", test[:, -LAST:].mean(axis=1))
    best_cells = np.flatnonzero(tables.test == tables.test.max())  # two cells share the best on CIFAR-10
    row["found_test_optimum"] = sum(bool(np.isin(best_cells, found["indices"]).any()) for found in runs)
    if all("cpu_seconds" in found for found in runs):
        row["cpu_seconds_per_run"] = float(np.mean([found["cpu_seconds"] for found in runs]))
    return row


def _put(row: dict[str, Any], name: str, column: np.ndarray) -> None:
    row[name] = float(column.mean())
    row[f"{name}_sd"] = float(column.std(ddof=1)) if len(column) > 1 else None
