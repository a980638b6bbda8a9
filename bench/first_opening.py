"""First opening of NAS-Bench-101 on a machine, from an empty cache: seconds and CPU seconds, and where they go.

Every opening is a process of its own with a cache folder of its own, on one thread; both shipped checkpoints are
opened. What the app did before the official order came as a file is measured on the plain one by looking away from
that file: the order is then computed from all md5 keys.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.harness.results import ROOT, command, report, save_results

CHECKPOINTS = ROOT / "checkpoints" / "nasbench101"
COLUMNS = [
    "checkpoint",
    "order",
    "cache",
    "listing_cpu",
    "encoding_cpu",
    "rest_cpu",
    "cpu_seconds",
    "wall_seconds",
    "peak_mib",
]
KEYS, FILE = "computed from md5 keys", "shipped file"


def opening(checkpoint_name: str, order: str) -> dict[str, Any]:
    """Open a checkpoint as the app does, in this process."""
    from svge_core.atlas import load_atlas
    from svge_core.checkpoints import load_checkpoint
    from svge_core.explorer import assemble_explorer

    spent: dict[str, float] = {}
    began = time.perf_counter()

    def timed(name: str, work: Callable[[], Any]) -> Any:
        cpu = time.process_time()
        found = work()
        spent[name] = time.process_time() - cpu
        return found

    checkpoint = load_checkpoint(CHECKPOINTS / checkpoint_name)
    space = checkpoint.model.space
    with contextlib.ExitStack() as without:
        if order == KEYS:
            # the only way to be without the file in a checkout that has it; the warning of it is no news here
            without.enter_context(patch("svge_core.spaces.nasbench101.cell_table.read_order", return_value=None))
            without.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        timed("listing_cpu", lambda: space.arrays(np.arange(1)))
    timed("encoding_cpu", lambda: load_atlas(checkpoint, space))
    timed("rest_cpu", lambda: assemble_explorer(checkpoint))
    return {
        **{name: round(seconds, 2) for name, seconds in spent.items()},
        "cpu_seconds": round(sum(spent.values()), 2),
        "wall_seconds": round(time.perf_counter() - began, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def measured(checkpoint: str, order: str, cache: Path) -> dict[str, Any]:
    """The same in a new process with a cache folder."""
    words = [sys.executable, "-m", "bench.first_opening", "--here", checkpoint, order]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The checkpoint could not be opened:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main(argv: list[str] | None = None) -> int:
    """Open six times, print, save."""
    parser = argparse.ArgumentParser(prog="bench first_opening", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--here", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.here:
        sys.stdout.write(json.dumps(opening(*arguments.here)) + "\n")
        return 0
    rows: list[dict[str, Any]] = []
    for checkpoint, order in (("svge", KEYS), ("svge", FILE), ("svge-function", FILE)):
        with tempfile.TemporaryDirectory() as folder:
            rows += [
                {"checkpoint": checkpoint, "order": order, "cache": cache, **measured(checkpoint, order, Path(folder))}
                for cache in ("empty", "kept")
            ]
    report(arguments, rows, COLUMNS)
    settings = {"space": "nasbench101", "threads": 1, "cells": 423_624}
    save_results("first_opening", rows, settings, command("first_opening", argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
