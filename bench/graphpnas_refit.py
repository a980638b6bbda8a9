"""One refit of GraphPNAS's generator beside the authors' own code, in one run on one thread.

15 graphs of NAS-Bench-201 and 70 epochs, as on CIFAR-10; both implementations take turns, and the ratio is the median
over rounds of the quotient within a round. The authors' batch is 2. Fits side by side are independent ones of several
runs, as ``bench graphpnas`` makes them; their time is that of one of them.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.reference_graphpnas import ReferenceRefit
from bench.harness.results import command, report, save_results
from svge_core.graphpnas import (
    Generator,
    RefitOptions,
    from_upper_triangular as upper,
    refit,
    refit_many,
    to_graphs,
    topology_view,
    view_of,
)
from svge_core.spaces import get_space

COLUMNS = ["graphs", "nodes", "epochs", "batch", "side_by_side", "ours_cpu_seconds", "authors_cpu_seconds", "ratio"]
POOL, EPOCHS, TOGETHER = 15, 70, 5


def clock(step: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    step()
    return time.process_time() - started


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench graphpnas_refit", description=__doc__)
    parser.add_argument(
        "--reference", type=Path, help="checkout of github.com/DSL-Lab/GraphPNAS; without it, ours alone"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    space, rng = get_space("nasbench201"), np.random.default_rng(0)
    cells = [space.random_start(rng) for _ in range(POOL)]
    graphs, rewards = to_graphs(space, cells), torch.arange(1, POOL + 1) / POOL
    reference = ReferenceRefit(arguments.reference, graphs) if arguments.reference else None
    rows: list[dict[str, Any]] = []
    pools = [graphs] * TOGETHER
    for batch, together in ((2, 1), (2, TOGETHER), (POOL, 1)):
        options = RefitOptions(epochs=EPOCHS, batch=batch)
        fits = pools[:together], rewards.repeat(together, 1), options, range(together)
        own, theirs = [], []
        for number in range(arguments.rounds):
            own.append(clock(lambda fits=fits: refit_many(view_of(space), *fits)) / together)
            if reference is not None:
                theirs.append(clock(reference.refit(EPOCHS, batch)))
            sys.stderr.write(f"batch {batch}, {together} side by side, round {number + 1} of {arguments.rounds}\n")
        row: dict[str, Any] = {"graphs": POOL, "nodes": 4, "epochs": EPOCHS, "batch": batch}
        row["side_by_side"] = together
        row["ours_cpu_seconds"] = statistics.median(own)
        if reference is not None:
            row["authors_cpu_seconds"] = statistics.median(theirs)
            row["ratio"] = statistics.median(b / a for a, b in zip(own, theirs, strict=True))
        rows.append(row)
    large = upper(torch.from_numpy(np.triu(rng.random((POOL, 32, 32)) < 0.13, 1).astype(np.int64)))
    options = RefitOptions(epochs=2, batch=2)  # too long for all epochs: stated as the time of these two
    row = {"graphs": POOL, "nodes": 32, "epochs": options.epochs, "batch": 2, "side_by_side": 1}
    row["ours_cpu_seconds"] = clock(lambda: refit(topology_view(32), large, rewards, options))
    rows.append(row)
    settings: dict[str, Any] = {
        "space": "nasbench201",
        "threads": 1,
        "rounds": arguments.rounds,
        "pool": "the authors' random start",
    }
    if reference is not None:  # the stored comparison is never replaced by half of one
        settings["authors' loss minus ours, same weights"] = reference.loss_difference(Generator(view_of(space)))
        save_results("graphpnas_refit", rows, settings, command("graphpnas_refit", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
