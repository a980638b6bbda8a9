"""One step of GraphPNAS at a time: what our generator draws from the pools of its authors' log, and what theirs drew.

Whole runs differ by chance, and ten of them say little about a generator. Here both start from the same cells: for
every query of the log that its generator answered, ours is fitted to the pool of the queries before, with the log's
epochs, and ``--draws`` graphs are drawn; cells of the log's queries so far are left out, as they are in a search.
Compared are the 200-epoch test accuracy (mean over seeds) and the share of good cells among our draws with those of
the one cell that the log has. The difference is a mean over the log's runs with its standard error over runs.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.graphpnas_runs import GOOD, SEEDS, columns_of, logged
from bench.harness.results import command, print_table, save_results
from svge_core.graphpnas import best_by_rank, refit_many, sample, to_cells, to_graphs, view_of
from svge_core.search.searchers import LOGGED
from svge_core.spaces import get_space

COLUMNS = ["data", "runs", "steps", "sampler", "test_ours", "test_log", "test_difference", "test_difference_se"]
COLUMNS += ["good_ours", "good_log", "good_difference", "good_difference_se"]
SAMPLERS = {"authors'": True, "by the likelihood": False}


def steps(runs: list[dict[str, Any]], data: str, draws: int, every: int, table: np.ndarray) -> list[dict[str, Any]]:
    """Rows of one data set, one per sampler.

    Args:
        runs: of :func:`bench.harness.graphpnas_runs.logged`.
        data: name of the data set.
        draws: graphs per step and run.
        every: take every so-many-th query.
        table: test accuracy of every cell by index (cells).
    """
    space, options = get_space("nasbench201"), LOGGED[data]
    view = view_of(space)
    taken = list(range(options.warm_up, len(runs[0]["indices"]), every))
    found = {name: np.full((len(runs), len(taken), 4), np.nan) for name in SAMPLERS}
    for place, known in enumerate(taken):
        pools, rewards = [], []
        for run in runs:
            best, ranks = best_by_rank(run["values"][:known], options.refit.keep)
            pools.append(to_graphs(space, [space.from_index(run["indices"][i]) for i in best]))
            rewards.append(torch.from_numpy(ranks).float())
        seeds = [1000 * run["seed"] + known for run in runs]
        fitted = refit_many(view, pools, torch.stack(rewards), options.fit(known), seeds)
        for number, (run, generator, seed) in enumerate(zip(runs, fitted, seeds, strict=True)):
            theirs = table[run["indices"][known]]
            for name, none_seen in SAMPLERS.items():
                chance = torch.Generator().manual_seed(seed + 1)
                cells = [cell for cell in to_cells(space, sample(generator, draws, chance, none_seen)) if cell]
                drawn = np.array([space.index(cell) for cell in cells])
                fresh = table[drawn[~np.isin(drawn, run["indices"][:known])]]
                if len(fresh):
                    good = GOOD[data]
                    found[name][number, place] = fresh.mean(), theirs, (fresh >= good).mean(), theirs >= good
        sys.stderr.write(f"{data}, query {known + 1}\r")
    rows = []
    for name, values in found.items():
        kept: Any = np.isfinite(values).all(axis=2)
        row: dict[str, Any] = {"data": data, "runs": len(runs), "steps": int(kept.sum()), "sampler": name}
        for measure, ours, theirs in (("test", 0, 1), ("good", 2, 3)):
            apart = np.array([(v[k, ours] - v[k, theirs]).mean() for v, k in zip(values, kept, strict=True)])
            row[f"{measure}_ours"], row[f"{measure}_log"] = (float(values[kept][:, i].mean()) for i in (ours, theirs))
            row[f"{measure}_difference"] = float(apart.mean())
            row[f"{measure}_difference_se"] = float(apart.std(ddof=1) / math.sqrt(len(apart)))
        rows.append(row)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.graphpnas_steps", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="200-epoch accuracies, means over seeds")
    parser.add_argument("--reference-log", type=Path, required=True, help="the authors' logged queries")
    parser.add_argument("--data", nargs="+", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--every", type=int, default=1, help="take every so-many-th query")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = {
        "space": "nasbench201",
        "labels": arguments.csv.name,
        "draws": f"{arguments.draws} per step and run, cells of the log's queries so far left out",
        "queries": f"every {arguments.every} that the log's generator answered"
        if arguments.every > 1
        else "all that the log's generator answered",
        "se": "standard error over the log's runs",
    }
    rows: list[dict[str, Any]] = []
    for data in arguments.data:
        table = columns_of(arguments.csv, [f"{data}_test"])[:, 0]
        rows += steps(logged(arguments.reference_log, data), data, arguments.draws, arguments.every, table)
        save_results("graphpnas_steps", rows, settings, command("graphpnas_steps", argv))
    print_table(rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
