"""Every search method over one label table under one protocol: ``python -m bench.search --csv FILE``.

Methods propose one cell at a time (``--batch``), 40 seeds, 400 evaluations; see ``bench/harness/search_runs.py`` for
what counts and what is reported. Finished runs are kept in the results file at once, and a second call goes on.
"""

import argparse
import re
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.harness.results import command, print_table, read_results, save_results
from bench.harness.search_runs import ABLATIONS, Task, run, summary
from svge_core.search.searchers import METHODS

#: data sets of NAS-Bench-201: validation column, test column
DATA_SETS = {
    "cifar10": ("cifar10_valid", "cifar10_test"),
    "cifar100": ("cifar100_valid", "cifar100_test"),
    "imagenet16": ("imagenet16_valid", "imagenet16_test"),
}
COLUMNS = ["data", "method", "validation@50", "validation@96", "validation@192", "test@192", "at optimum@100"]
COLUMNS += ["at optimum@192", "median to optimum", "cpu_seconds_per_run"]


def tasks(arguments: argparse.Namespace) -> dict[str, Task]:
    """One per data set asked for, or the one of the score asked for."""
    whole = arguments.space == "nasbench201"
    if whole and not arguments.score:
        return {
            name: Task("nasbench201", arguments.csv, "index", *DATA_SETS[name], arguments.checkpoint, False)
            for name in arguments.data
        }
    return {
        arguments.score: Task(
            arguments.space, arguments.csv, arguments.notation, arguments.score, "", arguments.checkpoint, not whole
        )
    }


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="label file")
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--score", default="", help="column that is searched, in place of --data")
    parser.add_argument("--notation", default="index", help="column that names the cell (default: official index)")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/nasbench201/svge"))
    parser.add_argument("--data", nargs="+", default=list(DATA_SETS), choices=list(DATA_SETS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--ablation", action="store_true", help="ours with one thing taken away at a time, instead")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--name", default="search", help="of the results file")
    arguments = parser.parse_args(argv)
    methods = ["latent-bo", *ABLATIONS, "gp"] if arguments.ablation else arguments.methods
    unknown = [name for name in methods if name not in METHODS and name not in ABLATIONS]
    if unknown:
        parser.error(f"unknown method {unknown[0]!r}: expected one of {', '.join(METHODS)}")
    chosen = tasks(arguments)
    settings = {
        "space": arguments.space,
        "labels": arguments.csv.name,
        "budget": arguments.budget,
        "batch": arguments.batch,
        "protocol": "every label counts; incumbent by validation; no method sees the optimum or labels of other cells",
    }
    kept = _kept(arguments.name, settings)
    wanted = [
        (data, method, seed)
        for method in methods
        for data in chosen
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        if (data, method, seed) not in kept
    ]
    # the file gathers the rows of several calls: which methods one of them asked for is no part of how it was made,
    # unless they are others than those of every call
    words = re.sub(r" --(workers \d+|data( (?!--)[a-z0-9]+)+)", "", command("search", argv))
    if all(name in METHODS for name in methods):
        words = re.sub(r" --methods( (?!--)[a-z-]+)+", "", words)
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(run, chosen[data], method, seed, arguments.budget, arguments.batch): (data, method, seed)
            for data, method, seed in wanted
        }
        for number, job in enumerate(as_completed(jobs)):
            kept[jobs[job]] = job.result()
            if number % 10 == 9 or number + 1 == len(jobs):
                save_results(arguments.name, _rows(kept, arguments.budget), settings, words)
                sys.stderr.write(f"\r{number + 1} of {len(jobs)} runs")
    rows = _rows(kept, arguments.budget)
    print_table(rows, COLUMNS)
    return 0


def _kept(name: str, settings: dict[str, Any]) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Runs of an earlier call under the same settings."""
    content = read_results(name)
    if content is None or content["settings"] != settings:
        return {}
    return {(row["data"], row["method"], found["seed"]): found for row in content["rows"] for found in row["runs"]}


def _rows(kept: dict[tuple[str, str, int], dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (data, method, _), found in sorted(kept.items(), key=lambda item: item[0][2]):
        groups.setdefault((data, method), []).append(found)
    order = list(METHODS) + list(ABLATIONS)
    return [
        {"data": data, "method": method, **summary(runs, budget), "runs": runs}
        for (data, method), runs in sorted(groups.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    ]


if __name__ == "__main__":
    raise SystemExit(main())
