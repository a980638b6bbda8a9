"""Statistics of untrained networks beside published ones: rank correlations on a sample of NAS-Bench-201.

The project's small networks stand beside the published columns of the same names, which were taken on the benchmark's
own networks and on real images; both stand beside the accuracies after training. Cells are drawn from those of the file
of published statistics, which leaves out cells with an operation that does not count.
"""

import argparse
import csv
import gzip
import sys
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr

from bench.harness.results import command, report, save_results
from svge_core.errors import SvgeError
from svge_core.networks import STATISTICS, UntrainedProtocol, untrained_statistics
from svge_core.spaces import get_space

ACCURACIES = {"cifar10": "cifar10_test", "cifar100": "cifar100_test", "imagenet16": "imagenet16_test"}
COLUMNS = ["statistic", "cells", "dead", "spearman_published"]
COLUMNS += [f"{kind}kendall_{data}" for data in ACCURACIES for kind in ("", "published_")]
COLUMNS += ["cpu_seconds_per_1000_cells"]


def columns_of(path: Path, names: tuple[str, ...]) -> dict[int, list[float]]:
    """Named columns of a table by official index.

    Raises:
        SvgeError: if a column is missing.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="") as file:
        lines = csv.DictReader(file)
        if missing := [name for name in ("index", *names) if name not in (lines.fieldnames or ())]:
            raise SvgeError(
                f"Expected a column {missing[0]!r} in {path.name}; it has {', '.join(lines.fieldnames or ())}."
            )
        return {int(line["index"]): [float(line[name]) for name in names] for line in lines}


def sample(known: list[int], count: int, seed: int) -> list[int]:
    """So many different indices, ascending.

    Raises:
        SvgeError: if there are not so many.
    """
    if count > len(known):
        raise SvgeError(f"Expected at most {len(known):,} cells, as both tables hold so many; got {count:,}.")
    return sorted(np.random.default_rng(seed).choice(sorted(known), size=count, replace=False).tolist())


def rows_of(
    ours: np.ndarray, dead: np.ndarray, published: np.ndarray, accuracies: np.ndarray, cpu_seconds: float
) -> list[dict[str, Any]]:
    """One row per statistic, and one for the time.

    Args:
        ours: (cells, statistics).
        dead: cells without a path from input to output (cells).
        published: the published columns of the same names (cells, statistics).
        accuracies: (cells, data sets).
        cpu_seconds: for all of them.
    """
    rows: list[dict[str, Any]] = []
    for column, name in enumerate(STATISTICS):
        row: dict[str, Any] = {"statistic": name, "cells": len(ours), "dead": int(dead.sum())}
        row["spearman_published"] = correlation(spearmanr(ours[:, column], published[:, column]))
        for place, data in enumerate(ACCURACIES):
            for kind, values in (("", ours), ("published_", published)):
                row[f"{kind}kendall_{data}"] = correlation(kendalltau(values[:, column], accuracies[:, place]))
        rows.append(row)
    per_thousand = 1_000 * cpu_seconds / len(ours)
    return [*rows, {"statistic": "all four", "cells": len(ours), "cpu_seconds_per_1000_cells": per_thousand}]


def correlation(found: Any) -> float:
    """The coefficient of SciPy's result."""
    return float(found.statistic)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.untrained", description=__doc__)
    parser.add_argument("--published", type=Path, required=True, help="index, synflow, nwot, jacov, grad_norm; .gz")
    parser.add_argument("--accuracies", type=Path, required=True, help=f"index, {', '.join(ACCURACIES.values())}; .gz")
    parser.add_argument("--cells", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument("--sample-seed", type=int, default=0, help="of the cells (default: %(default)s)")
    for field in fields(UntrainedProtocol):
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=field.default, help="of the protocol (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    arguments = parser.parse_args(argv)
    if arguments.cells < 2:
        parser.error(f"--cells is 2 or more; got {arguments.cells}")
    try:
        protocol = UntrainedProtocol(*(getattr(arguments, field.name) for field in fields(UntrainedProtocol)))
        published = columns_of(arguments.published, STATISTICS)
        accuracies = columns_of(arguments.accuracies, tuple(ACCURACIES.values()))
        indices = sample([index for index in published if index in accuracies], arguments.cells, arguments.sample_seed)
    except (SvgeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    space = get_space("nasbench201")

    def progress(done: int, of: int) -> None:
        if done % 50 == 0 or done == of:
            sys.stderr.write(f"{done:,} of {of:,} cells\n")

    start = time.process_time()
    table = untrained_statistics(space, [space.from_index(index) for index in indices], protocol, progress)
    cpu_seconds = time.process_time() - start
    theirs, trained = (np.array([known[index] for index in indices]) for known in (published, accuracies))
    rows = rows_of(table.values, table.dead, theirs, trained, cpu_seconds)
    report(arguments, rows, COLUMNS)
    settings = {
        "space": space.name,
        "sample_seed": arguments.sample_seed,
        **asdict(protocol),
        "published": "NAS-Bench-Suite-Zero (Krishnakumar et al. 2022): the benchmark's network, a batch of real images",
        "accuracies": "test, 200 epochs, mean over the seeds there are (Dong & Yang 2020)",
    }
    save_results("untrained", rows, settings, command("untrained", argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
