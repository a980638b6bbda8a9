"""The command ``sweep``: predict every cell of a space, keep the best and a random sample."""

import argparse
import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from svge_core.cli.cluster_parts import needs_of, on_cluster, with_plugins
from svge_core.cli.common import config_from, emit, refuse_unused, use_threads
from svge_core.cli.waiting import shows_bars
from svge_core.cluster import (
    SUFFIXES,
    MakeBlocks,
    SweepConfig,
    SweepResult,
    blocks_here,
    blocks_on_ray,
    sweep_space,
    write_sweep,
)
from svge_core.errors import SvgeError
from svge_core.plugins import VARIABLE

#: options that mean nothing without a cluster, as attributes
_OF_A_CLUSTER = ("cpus_per_block", "gpus_per_block", "parallel", "ship")
#: best cells that people are shown
_SHOWN = 5


def run(arguments: argparse.Namespace) -> int:
    """Sweep, here or on a cluster, and write what is kept."""
    use_threads(arguments)
    if arguments.out.suffix not in SUFFIXES:  # before hours of work
        raise SvgeError(f"A sweep is written as {', '.join(SUFFIXES)}; got {str(arguments.out.name)[:80]!r}.")
    if arguments.on is None:
        refuse_unused(arguments, _OF_A_CLUSTER, "Without --on all blocks are made in this process")
    config: SweepConfig = config_from(arguments, SweepConfig, checkpoint=str(arguments.checkpoint))
    bar = tqdm(unit="cell", unit_scale=True, disable=not shows_bars(arguments))

    def told(done: int, wanted: int) -> None:
        bar.total = wanted
        bar.update(done - bar.n)

    progress = arguments.out.with_name(f"{arguments.out.name}.progress")
    with bar, _made(arguments) as make_blocks:
        result = sweep_space(
            config, progress, make_blocks, device=arguments.device, fresh=arguments.fresh, on_block=told
        )
    write_sweep(result, arguments.out)
    # what is known stays beside it: the command knows it again, and a smaller limit does not write over it
    emit(arguments, _as_dict(result, arguments.out), _as_text(result, arguments.out, config))
    return 0


@contextmanager
def _made(arguments: argparse.Namespace) -> Generator[MakeBlocks, None, None]:
    """Where blocks are made."""
    if arguments.on is None:
        yield blocks_here
        return
    needs = needs_of(arguments.cpus_per_block, arguments.gpus_per_block)
    with on_cluster(arguments):
        yield blocks_on_ray(needs, arguments.parallel, partial(with_plugins, os.environ.get(VARIABLE, "")))


def _as_dict(result: SweepResult, file: Path) -> dict[str, object]:
    best = result.table[result.table.kept == "best"].head(_SHOWN).to_dict("records")
    about = {"file": str(file), "space": result.space, "score": result.score, "size": result.size}
    return {**about, "cells": result.cells, "predicted": result.summary, "best": best}


def _as_text(result: SweepResult, file: Path, config: SweepConfig) -> str:
    summary = result.summary
    limited = "" if config.limit is None else f" (a limit of {config.limit:,}, in whole blocks of {config.block:,})"
    lines = [
        f"{file}: {len(result.table):,} cells kept of {result.cells:,} predicted{limited}; "
        f"the space has {result.size:,}",
        f"  predicted {result.score}: mean {summary['mean']:.6g}, standard deviation {summary['std']:.3g}, "
        f"from {summary['min']:.6g} to {summary['max']:.6g}",
    ]
    for row in result.table[result.table.kept == "best"].head(_SHOWN).itertuples():
        surrogate = f"{row.mean:.6g} [{row.low:.6g}, {row.high:.6g}]"
        lines.append(f"  surrogate {surrogate}, joint head {row.joint:.6g}  {row.architecture}")
    return "\n".join(lines)
