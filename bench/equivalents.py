"""Searches with and without cells that compute the same: ``python -m bench.equivalents --labels FOLDER``.

The same methods, seeds and budget, once over all cells of NAS-Bench-201 and once with one cell for each function
(``Domain(distinct=True)``), paired by seed: what the evaluations of equivalent cells cost, and what leaving them out
costs where a table gives each of them a value of its own. See ``bench/harness/search_runs.py`` for the protocol; the
seeds are others than those of ``bench.search``. Finished runs are kept at once, and a second call goes on.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import command, print_table, read_results, save_results
from bench.harness.search_runs import Task, opened, played

#: tables: file, column. Three are the official validation accuracies. The two others were chosen before they were
#: searched: labels after 12 epochs, among which equivalent cells differ most, and a statistic of untrained networks
#: (of the 9,445 cells that have it), in which they are nearly equal.
TABLES = {
    "cifar10": ("nasbench201.csv.gz", "cifar10_valid"),
    "cifar100": ("nasbench201.csv.gz", "cifar100_valid"),
    "imagenet16": ("nasbench201.csv.gz", "imagenet16_valid"),
    "imagenet16, 12 epochs": ("nasbench201_12epochs.csv.gz", "imagenet16_valid"),
    "synflow": ("nasbench201_zerocost.csv.gz", "synflow"),
}
PARTIAL = ("synflow",)
#: the Bayesian and the walking methods; random search as the control
CHOSEN = ("latent-bo", "gp", "trees", "svge-bo", "local-search", "evolution", "random", "tpe")
#: TPE takes 40 CPU seconds a run
FEWER_SEEDS = {"tpe": 10}
WAYS = {"all": False, "once": True}
COLUMNS = ["table", "method", "seeds", "median_all", "median_once", "difference", "standard_error", "earlier"]
COLUMNS += ["together", "later", "repeats_all", "cpu_per_ask_ratio"]


def task(table: str, folder: Path, distinct: bool) -> Task:
    """A table, searched in one of the two ways."""
    file, column = TABLES[table]
    model = Path("checkpoints/nasbench201/svge")
    return Task("nasbench201", folder / file, "index", column, "", model, table in PARTIAL, distinct)


def run(table: str, method: str, seed: int, folder: Path, budget: int, distinct: bool) -> dict[str, Any]:
    """One run, with ``repeats``: evaluations of a cell that computes the same as one evaluated before."""
    chosen = task(table, folder, distinct)
    history, found = played(chosen, method, seed, budget, 1)
    space = opened(chosen).domain.space
    return {"seed": seed, **found, "repeats": len(history) - len({space.key(o.cell) for o in history.observations})}


def paired(everything: Sequence[dict[str, Any]], once: Sequence[dict[str, Any]], budget: int) -> dict[str, Any]:
    """What the pairs of one table and method say.

    Args:
        everything: runs over all cells.
        once: runs with one cell for each function.
        budget: of each; a run that did not have the optimum in it counts as one evaluation more.

    Returns:
        Medians, mean paired difference (once less all, evaluations) with its standard error, the seeds in which leaving
        equivalents out was earlier, level or later, the share of repeats, and the ratio of CPU seconds of an ask.
    """
    first, second = ({found["seed"]: found for found in runs} for runs in (everything, once))
    seeds = sorted(first.keys() & second.keys())
    hits = np.array([[way[seed]["hit"] or budget + 1 for way in (first, second)] for seed in seeds], dtype=float)
    less = hits[:, 1] - hits[:, 0]
    medians = [float(value) if value <= budget else f"> {budget}" for value in np.median(hits, axis=0)]
    evaluations, repeats = (sum(first[seed][name] for seed in seeds) for name in ("evaluations", "repeats"))
    cpu = [sum(way[s]["cpu_seconds"] for s in seeds) / sum(way[s]["asks"] for s in seeds) for way in (first, second)]
    return {
        "seeds": len(seeds),
        "median_all": medians[0],
        "median_once": medians[1],
        "difference": float(less.mean()),
        "standard_error": float(less.std(ddof=1) / np.sqrt(len(less))) if len(less) > 1 else None,
        "earlier": int((less < 0).sum()),
        "together": int((less == 0).sum()),
        "later": int((less > 0).sum()),
        "repeats_all": repeats / evaluations,
        "cpu_per_ask_ratio": cpu[1] / cpu[0] if cpu[0] > 0 else None,
    }


def of_table(table: str, folder: Path) -> dict[str, Any]:
    """Cells, functions, and where the best cell of a table stands among those that compute the same."""
    labels = opened(task(table, folder, True))
    domain = labels.domain
    best = max(labels.validation, key=labels.validation.__getitem__)
    stands = domain.canonical(best)
    kept = {cell: value for cell, value in labels.validation.items() if domain.canonical(cell) == cell}
    return {
        "cells": len(labels.validation),
        "functions": len(kept),
        "best": labels.validation[best],
        "best_has_equivalents": sum(domain.canonical(cell) == stands for cell in labels.validation) - 1,
        "best_when_once": max(kept.values()),
    }


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.equivalents", description=__doc__)
    parser.add_argument("--labels", type=Path, required=True, help="folder of the label files")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--methods", nargs="+", default=list(CHOSEN), choices=list(CHOSEN))
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--name", default="equivalents", help="of the results file")
    arguments = parser.parse_args(argv)
    settings = {
        "space": "nasbench201",
        "budget": arguments.budget,
        "batch": 1,
        "protocol": "all: every cell; once: one cell for each function; a run ends at the table's best value",
    }
    stored = read_results(arguments.name)
    kept: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    about: dict[str, dict[str, Any]] = {}
    if stored is not None and {**stored["settings"], "tables": None} == {**settings, "tables": None}:
        about = stored["settings"]["tables"]
        kept = {(row["table"], row["method"], way): row[way] for row in stored["rows"] for way in WAYS}
    for table in arguments.tables:
        about[table] = of_table(table, arguments.labels)
    words = command("equivalents", ["--labels", arguments.labels.name])
    for method in arguments.methods:
        for table in arguments.tables:
            seeds = min(arguments.seeds, FEWER_SEEDS.get(method, arguments.seeds))
            for seed in range(arguments.first_seed, arguments.first_seed + seeds):
                for way, distinct in WAYS.items():
                    runs = kept.setdefault((table, method, way), [])
                    if all(found["seed"] != seed for found in runs):
                        runs.append(run(table, method, seed, arguments.labels, arguments.budget, distinct))
                if seed % 10 == 9:
                    save_results(arguments.name, _rows(kept, arguments.budget), settings | {"tables": about}, words)
            sys.stderr.write(f"{method}, {table}: {seeds} seeds\n")
    rows = _rows(kept, arguments.budget)
    save_results(arguments.name, rows, settings | {"tables": about}, words)
    print_table(rows, COLUMNS)
    return 0


def _rows(kept: dict[tuple[str, str, str], list[dict[str, Any]]], budget: int) -> list[dict[str, Any]]:
    order = [(table, method) for table in TABLES for method in CHOSEN if (table, method, "once") in kept]
    ways = {key: {way: kept[(*key, way)] for way in WAYS} for key in order}
    return [
        {"table": table, "method": method, **paired(found["all"], found["once"], budget), **found}
        for (table, method), found in ways.items()
    ]


if __name__ == "__main__":
    raise SystemExit(main())
