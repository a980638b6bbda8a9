"""Why parameters of some NAS-Bench-101 cells differ from the published counts: the order of the vertices.

Every cell of the label file is counted in our canonical order and, where the order counts, in all orders of its
vertices; then all 423,624 cells are asked how far the counts of their orders lie apart.
"""

import argparse
import csv
import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import command, print_table, save_results
from svge_core.spaces.nasbench101 import CellGraphs, NASBench101, params_by_order

COLUMNS = ["what", "cells", "of", "largest_percent", "median_percent"]
PIECE = 20_000


def single(graphs: CellGraphs, row: int) -> CellGraphs:
    """One cell of many."""
    rows = slice(row, row + 1)
    return CellGraphs(graphs.vertices[rows], graphs.operations[rows], graphs.adjacency[rows])


def row(what: str, apart: Sequence[float] | np.ndarray, of: int) -> dict[str, Any]:
    """How many cells, and how far apart two counts of them lie at most and in the middle."""
    percents = 100 * np.abs(np.asarray(apart))
    found = {"what": what, "cells": len(percents), "of": of, "largest_percent": None, "median_percent": None}
    if percents.any():
        found |= {"largest_percent": float(percents.max()), "median_percent": float(np.median(percents))}
    return found


def against_published(space: NASBench101, indices: np.ndarray, published: np.ndarray) -> list[dict[str, Any]]:
    """Our counts and those of all orders beside the published ones."""
    own = np.rint(space.costs()[indices, 0] * 1e6)
    graphs, apart = space.graphs(indices), own / published - 1
    different = np.flatnonzero(apart)
    others = [params_by_order(single(graphs, int(place))) for place in different]
    explained = [
        place
        for place, counts in zip(different, others, strict=True)
        if published[place] in np.rint(counts * 1e6)  # whole numbers below 2^53
    ]
    feeders = graphs.adjacency[np.arange(len(indices)), 1:, graphs.vertices - 1].sum(1)
    return [
        row("published count is not that of our canonical order", apart[different], len(indices)),
        row("of these: three vertices feed the output", apart[different][feeders[different] == 3], len(different)),
        row("of these: published count is that of another order", apart[np.array(explained, int)], len(different)),
    ]


def over_orders(space: NASBench101) -> dict[str, Any]:
    """All cells: how far the counts of their orders lie apart."""
    spread, size = [], len(space.table.codes)
    for start in range(0, size, PIECE):
        graphs = space.graphs(np.arange(start, min(start + PIECE, size)))
        for place in range(len(graphs.vertices)):
            if len(counts := params_by_order(single(graphs, place))) > 1:
                spread.append(counts[-1] / counts[0] - 1)
    return row("the count depends on the order (all cells; most against fewest)", spread, size)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.nasbench101_sizes", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="columns index and params, the published count; .gz")
    arguments = parser.parse_args(argv)
    opened = gzip.open if arguments.csv.suffix == ".gz" else open
    with opened(arguments.csv, "rt", newline="") as file:
        table = [(int(line["index"]), int(line["params"])) for line in csv.DictReader(file)]
    indices, published = np.array(table, dtype=np.int64).T
    space = NASBench101()
    rows = [*against_published(space, indices, published), over_orders(space)]
    print_table(rows, COLUMNS)
    settings = {"space": space.name, "published": "trainable parameters of the official file (Ying et al. 2019)"}
    save_results("nasbench101_sizes", rows, settings, command("nasbench101_sizes", argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
