"""Compare a GPU with the CPU, measure it, print one table; without a GPU say so.

The exit code is 1 where the devices disagree, 0 where they agree or there is no GPU.
"""

import argparse
import sys
from dataclasses import asdict
from typing import Any

import torch

from bench.harness.results import print_table, save_results
from svge_core.devices import pick_device
from svge_core.errors import SvgeError
from tools.gpu_check.comparing import Comparison, compare_all
from tools.gpu_check.speed import Speed, measure_speed

COLUMNS = ["what", "of", "precision", "difference", "tolerance", "result"]
SPEED_COLUMNS = ["what", "precision", "cells_per_second", "tera_flops", "of_products", "peak_mib", "memory_share"]


def main(words: list[str] | None = None) -> int:
    """Run the check."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cuda, cuda:1, mps; cpu tries the check itself")
    parser.add_argument("--cells", type=int, default=256, help="compared for each model (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=4096, help="cells at a time of the speed (default: %(default)s)")
    parser.add_argument("--side", type=int, default=8192, help="of the matrices (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="per kind of work (default: %(default)s)")
    arguments = parser.parse_args(words)
    try:
        device = pick_device(arguments.device)
    except SvgeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    if device.type == "cpu" and arguments.device == "auto":
        sys.stdout.write("There is no GPU on this machine, so there is nothing to compare with its CPU.\n")
        return 0
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    sys.stdout.write(f"{title} beside this machine's CPU\n\n")
    compared = compare_all(device, cells=arguments.cells, told=_progress)
    speeds = measure_speed(device, batch=arguments.batch, side=arguments.side, seconds=arguments.seconds)
    rows = [_compared(row) for row in compared]
    print_table(rows, COLUMNS)
    sys.stdout.write("\n")
    print_table([_measured(row) for row in speeds], SPEED_COLUMNS)
    wrong = [row for row in compared if not row.agrees]
    if device.type != "cpu":
        settings = {name: getattr(arguments, name) for name in ("cells", "batch", "side", "seconds")}
        settings |= {"device": title, "speed": [asdict(row) for row in speeds]}
        save_results("gpu_check", rows, settings, "python -m tools.gpu_check")
    said = f"{len(wrong)} of {len(compared)} comparisons differ" if wrong else f"all {len(compared)} comparisons agree"
    sys.stdout.write(f"\n{said}\n")
    return 1 if wrong else 0


def _progress(row: Comparison) -> None:
    sys.stderr.write(f"{row.what}, {row.of}, {row.precision}\n")


def _compared(row: Comparison) -> dict[str, Any]:
    return {**asdict(row), "result": "agrees" if row.agrees else "DIFFERS"}


def _measured(row: Speed) -> dict[str, Any]:
    values = {name: value for name, value in asdict(row).items() if value is not None}
    if row.peak_bytes is not None:
        values["peak_mib"] = round(row.peak_bytes / 2**20, 1)
    return values


if __name__ == "__main__":
    sys.exit(main())
