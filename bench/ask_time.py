"""Time of one ask of every searcher at 500 observations, one thread: ``python -m bench.ask_time --csv FILE``.

The history is 500 random cells of NAS-Bench-201 with their CIFAR-10 validation accuracy, then grows by what is asked
for; q = 4. The first ask of a searcher, which also encodes and fits what a running search has done before, is reported
apart from the median of those that follow.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bench.harness.results import command, print_table, save_results
from bench.harness.search_runs import Task, opened, searcher_for
from svge_core.search import History, Observation
from svge_core.search.searchers import METHODS, rng_for


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.ask_time", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="label file")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/nasbench201/svge"))
    parser.add_argument("--observations", type=int, default=500)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--asks", type=int, default=21)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    table = opened(
        Task("nasbench201", arguments.csv, "index", "cifar10_valid", "", arguments.checkpoint, restricted=False)
    )
    rows = []
    for method in arguments.methods:
        searcher, rng = searcher_for(method, table), np.random.default_rng(0)
        cells = table.domain.fresh(rng, arguments.observations, ())
        found = [Observation(number, cell, (table.validation[cell],)) for number, cell in enumerate(cells)]
        wall, cpu = [], []
        for _ in range(arguments.asks):
            history = replace(History(), observations=tuple(found))
            walls, cpus = time.perf_counter(), time.process_time()
            proposals = searcher.propose(history, arguments.batch, rng_for(0, len(found)))
            wall.append(time.perf_counter() - walls)
            cpu.append(time.process_time() - cpus)
            found += [
                Observation(len(found) + i, proposal.cell, (table.validation[proposal.cell],))
                for i, proposal in enumerate(proposals)
            ]
        rows.append(
            {
                "method": method,
                "first_seconds": wall[0],
                "median_seconds": float(np.median(wall[1:])),
                "median_cpu_seconds": float(np.median(cpu[1:])),
                "largest_seconds": max(wall[1:]),
                "asks": len(wall) - 1,
            }
        )
    print_table(rows, ["method", "first_seconds", "median_seconds", "median_cpu_seconds", "largest_seconds", "asks"])
    settings = {
        "space": "nasbench201",
        "observations": f"{arguments.observations} and more",
        "q": arguments.batch,
        "threads": 1,
    }
    save_results("ask_time", rows, settings, command("ask_time", argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
