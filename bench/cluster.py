"""What a search on a Ray cluster costs, and loses: ``python -m bench.cluster``.

Workers: evaluations that only sleep (0.1, 1 and 10 s) on 1 to 16 workers of a local Ray, whose logical processors may
be more than there are cores, as they sleep; the overhead is the time of a worker per evaluation beyond the sleep.
Driver: the process that proposes and stores, with evaluations that end at once, so that it never waits: no cluster can
be faster than that. Node: three nodes, of which one is killed in the middle of 200 evaluations. Sweep: cells a second.

Every search is random search on NAS-Bench-201 in a new SQLite store, or what it says; latent BO uses the shipped model.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness.cluster_cells import LOG
from bench.harness.results import command, read_results, report, save_results
from svge_core.cells import Cell
from svge_core.cluster import (
    BlockPredictor,
    BlockResult,
    MakeBlocks,
    Needs,
    SweepConfig,
    blocks_here,
    blocks_on_ray,
    evaluations_on_ray,
    load_ray,
    sweep_space,
)
from svge_core.search.runs import (
    Elsewhere,
    Evaluation,
    ObjectiveRecipe,
    OpenElsewhere,
    Outcome,
    RunView,
    SearchConfig,
    create_run,
    execute_elsewhere,
    read_run,
)
from svge_core.search.searchers import METHODS

Row = dict[str, Any]
HERE = "python:bench.harness.cluster_cells:"
SLEEPS = {0.1: "tenth", 1.0: "one", 10.0: "ten"}
PARTS = ("workers", "driver", "node", "sweep")
#: places of the cluster that the driver alone is measured for
PLACES = 1000
STORE_BYTES = 80 * 2**20
COLUMNS = [
    "what",
    "method",
    "batch",
    "workers",
    "sleep",
    "evaluations",
    "distinct",
    "seconds",
    "per_second",
    "overhead",
]
COLUMNS += ["lost", "finished_repeated", "begun_again", "cpu_per_evaluation", "per_cpu_second", "load"]


def searched(
    storage: str, objective: str, budget: int, place: OpenElsewhere, on_evaluation: Any = None, **changed: Any
) -> tuple[RunView, float]:
    """One search from its first proposal to its end; returns it and its seconds."""
    config = SearchConfig(**{"method": "random", **changed}, space="nasbench201", objective=(objective,), budget=budget)
    name = create_run(storage, config)
    began = time.monotonic()
    state = execute_elsewhere(storage, name, place, on_evaluation, allow_python=True)
    seconds = time.monotonic() - began
    if state != "finished":
        raise SystemExit(f"the search ended as {state}: {read_run(storage, name).problem}")
    return read_run(storage, name), seconds


def workers_part(storage: str, arguments: argparse.Namespace) -> Iterator[Row]:
    """Sleeping evaluations on more and more workers."""
    ray = load_ray()
    most = max(arguments.workers)
    ray.init(
        address="local",
        num_cpus=most,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        # every worker has imported what it needs before anything is measured
        searched(storage, f"{HERE}one", 2 * most, evaluations_on_ray(Needs(1), most), batch=most)
        for seconds, function in SLEEPS.items():
            for workers in arguments.workers:
                each = max(2, round(arguments.span / seconds))
                place = evaluations_on_ray(Needs(1), workers)
                view, spent = searched(storage, f"{HERE}{function}", each * workers, place, batch=workers)
                # from the first start of an evaluation to the last end: the connection is made once
                starts = [e.started.timestamp() for e in view.done if e.started]
                ends = [e.finished.timestamp() for e in view.done if e.finished]
                wall = max(ends) - min(starts)
                yield {
                    "what": "workers",
                    "method": "random",
                    "batch": workers,
                    "workers": workers,
                    "sleep": seconds,
                    "evaluations": len(view.done),
                    "distinct": len({e.notation for e in view.done}),
                    "seconds": wall,
                    "seconds_with_start_and_end": spent,
                    "per_second": len(view.done) / wall,
                    "overhead": wall * workers / len(view.done) - seconds,
                    "load": os.getloadavg()[0],
                }
    finally:
        ray.shutdown()


class _AtOnce:
    """A place for many evaluations, all of which end at once: what is left is the work of the driver."""

    def __init__(self, recipe: ObjectiveRecipe) -> None:
        self.evaluate = recipe.objective().evaluate
        self.ended: list[Outcome] = []

    def places(self) -> int:
        return PLACES

    def submit(self, ticket: int, cell: Cell) -> None:
        self.ended.append(Outcome(ticket, self.evaluate(cell), seconds=0.0))

    def finished(self, seconds: float) -> list[Outcome]:
        ended, self.ended = self.ended, []
        return ended

    def forget(self) -> None:
        self.ended = []


@contextmanager
def at_once(recipe: ObjectiveRecipe) -> Iterator[Elsewhere]:
    """See :class:`_AtOnce`."""
    yield _AtOnce(recipe)


def driver_part(storage: str, arguments: argparse.Namespace) -> Iterator[Row]:
    """The driver alone: proposals and writes, one after another."""
    for method, batch, budget in (
        ("random", 1, arguments.budget),
        ("random", 16, arguments.budget),
        ("random", 128, 2 * arguments.budget),
        ("latent-bo", 1, 60),
        ("latent-bo", 16, 160),
    ):
        checkpoint = "checkpoints/nasbench201/svge" if METHODS[method].needs_checkpoint else None
        changed = {"method": method, "batch": batch, "checkpoint": checkpoint}
        cpu = time.process_time()
        view, spent = searched(storage, "table:cifar10_valid", budget, at_once, **changed)
        ends = sorted(e.finished.timestamp() for e in view.done if e.finished)
        yield {
            "what": "driver",
            "method": method,
            "batch": batch,
            "evaluations": len(view.done),
            "distinct": len({e.notation for e in view.done}),
            "seconds": ends[-1] - ends[0],
            "seconds_with_start_and_end": spent,
            "per_second": (len(view.done) - batch) / (ends[-1] - ends[batch - 1]),
            # of all threads: the proposals, the ledger, and the trials that Optuna's tools read
            "cpu_per_evaluation": (time.process_time() - cpu) / len(view.done),
            "load": os.getloadavg()[0],
        }


def sweep_part(storage: str, arguments: argparse.Namespace) -> Iterator[Row]:
    """Blocks of ENAS macro with six layers: in this process, then on one and two workers of a local Ray.

    Timed from the end of the first round of blocks to that of the last one: opening the model is done once.
    """
    config = SweepConfig("checkpoints/enas6/svge", keep=1000, sample=10_000, limit=arguments.cells)
    size = BlockPredictor(config, device="cpu").size
    places: dict[str, tuple[int, MakeBlocks]] = {"one process": (1, blocks_here)}
    places |= {f"Ray, {count}": (count, blocks_on_ray(Needs(1), count)) for count in (1, 2)}
    options: dict[str, Any] = {"include_dashboard": False, "object_store_memory": STORE_BYTES, "log_to_driver": False}
    load_ray().init(address="local", num_cpus=2, logging_level=logging.ERROR, **options)
    try:
        for name, (workers, make_blocks) in places.items():
            times: list[tuple[float, int]] = []
            spent: list[float] = []

            def counted(
                predictor: BlockPredictor,
                numbers: Iterable[int],
                make: MakeBlocks = make_blocks,
                spent: list[float] = spent,
            ) -> Generator[BlockResult, None, None]:
                for block in make(predictor, numbers):
                    spent.append(block.cpu_seconds)
                    yield block

            result = sweep_space(
                config,
                Path(storage.removeprefix("sqlite:///")).with_name(f"progress-{workers}-{len(name)}"),
                counted,
                device="cpu",
                on_block=lambda done, wanted, times=times: times.append((time.monotonic(), done)),
            )
            (began, first), (ended, last) = times[2 * workers], times[-1]
            yield {
                "what": "sweep",
                "place": name,
                "workers": workers,
                "evaluations": result.cells,
                "space": size,
                "seconds": ended - began,
                "per_second": (last - first) / (ended - began),
                "per_cpu_second": result.cells / sum(spent),
                "load": os.getloadavg()[0],
            }
    finally:
        load_ray().shutdown()


def node_part(storage: str, arguments: argparse.Namespace) -> Iterator[Row]:
    """Three nodes of four processors; one of them is killed once a third of the budget is known."""
    from ray.cluster_utils import Cluster

    log = Path(os.environ[LOG])
    log.unlink(missing_ok=True)
    ray = load_ray()
    size: dict[str, Any] = {"object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **size})
    try:
        nodes = [cluster.add_node(num_cpus=4, **size) for _ in range(3)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        known: dict[str, Any] = {}
        killed: list[int] = []

        def kill(evaluation: Evaluation) -> None:
            known[evaluation.notation] = evaluation.values
            here = {line.split("\t")[2] for line in log.read_text("utf-8").splitlines()}
            if not killed and len(known) >= arguments.evaluations // 3 and nodes[0].node_id in here:
                cluster.remove_node(nodes[0], allow_graceful=False)
                killed.append(len(known))

        place = evaluations_on_ray(Needs(1))
        view, spent = searched(storage, f"{HERE}one", arguments.evaluations, place, kill, batch=4)
        lines = [line.split("\t") for line in log.read_text("utf-8").splitlines()]
        begun, ended = ([text for kind, text, _ in lines if kind == wanted] for wanted in ("begin", "end"))
        found = {e.notation: e.values for e in view.done}
        yield {
            "what": "node",
            "method": "random",
            "batch": 4,
            "workers": 12,
            "sleep": 1.0,
            "budget": arguments.evaluations,
            "evaluations": len(view.done),
            "distinct": len(found),
            "killed_after": killed[0],
            "lost": sum(found.get(text) != values for text, values in known.items()),
            "finished_repeated": len(ended) - len(set(ended)),
            "begun_again": len(begun) - len(set(begun)),
            "seconds": spent,
        }
    finally:
        ray.shutdown()
        cluster.shutdown()


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these alone (default: all)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8, 16], help="(default: %(default)s)")
    parser.add_argument("--span", type=float, default=10.0, help="seconds of sleep of each worker (%(default)s)")
    parser.add_argument("--budget", type=int, default=500, help="evaluations of the driver alone (%(default)s)")
    parser.add_argument("--evaluations", type=int, default=200, help="while a node is killed (default: %(default)s)")
    parser.add_argument("--cells", type=int, default=1_500_000, help="of a sweep (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="do not store the results")
    arguments = parser.parse_args(words)
    settings = {name: getattr(arguments, name) for name in ("workers", "span", "budget", "evaluations", "cells")}
    stored = read_results("cluster")
    rows = stored["rows"] if stored and stored["settings"] == settings else []
    parts = {"workers": workers_part, "driver": driver_part, "node": node_part, "sweep": sweep_part}
    for name in arguments.parts:
        folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        if name == "node":
            os.environ[LOG] = str(folder / "log")
        try:
            found = list(parts[name](f"sqlite:///{folder / 'searches.db'}", arguments))
        finally:
            os.environ.pop(LOG, None)
            shutil.rmtree(folder, ignore_errors=True)
        rows = [row for row in rows if row["what"] != name] + found
        report(arguments, found, COLUMNS)
        if not arguments.dry_run:
            # the file gathers the parts of several calls: which of them one call asked for is no part of it
            save_results("cluster", rows, settings, command("cluster", []))
    return 0


if __name__ == "__main__":
    sys.exit(main())
