"""What searches lose when they are killed, the disk is full or the database crashes: nothing, and by what measure.

One worker is killed with ``kill -9`` at 50 random moments, on SQLite and on PostgreSQL, with one goal and with two; one
of four workers that share a run is killed; the file system of a store becomes full; a database crashes three times.

Every search is a process of the command line. What it evaluates is written to a log of its own, so that the store's
account can be held against what really happened.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.harness.results import read_results, report, save_results
from bench.harness.slow_cells import LOG, SECONDS
from svge_core.cells import Cell
from svge_core.search.runs import RunView, SearchConfig, create_run, execute, read_run
from svge_core.search.searchers import METHODS

if TYPE_CHECKING:
    from tests.support.postgres import Server

Row = dict[str, Any]
#: values by notation
Stored = dict[str, tuple[float, ...] | None]
GOALS = ("python:bench.harness.slow_cells:slow", "python:bench.harness.slow_cells:spared")
#: cases of one worker: method and goals
ONE_WORKER = {
    "SQLite, local search": ("local-search", 1),
    "SQLite, latent BO": ("latent-bo", 1),
    "SQLite, latent BO, two goals": ("latent-bo", 2),
    "PostgreSQL, latent BO": ("latent-bo", 1),
    "PostgreSQL, latent BO, two goals": ("latent-bo", 2),
}
CASES = (
    *ONE_WORKER,
    "PostgreSQL, four workers, one killed",
    "PostgreSQL, two workers, database crashed",
    "SQLite, full disk",
)
ROOT = Path(__file__).resolve().parent.parent
COLUMNS = [
    "what",
    "method",
    "goals",
    "kills",
    "runs",
    "budget",
    "evaluations",
    "distinct",
    "lost",
    "finished_repeated",
    "cut_off",
]
COLUMNS += ["failed_trials", "same_as_unkilled", "seconds"]


def evaluated(log: Path) -> list[str]:
    """Cells whose evaluation came to its end, in that order."""
    return log.read_text("utf-8").splitlines() if log.exists() else []


def story(view: RunView) -> list[tuple[int, Cell, tuple[float, ...] | None]]:
    """What was proposed, in order, and what came out."""
    return [(e.number, e.cell, e.values) for e in view.evaluations]


def child(words: Sequence[str], storage: str, log: Path, seconds: float) -> subprocess.Popen[bytes]:
    """A process of the command line in its own group."""
    environment = {**os.environ, "SVGE_STORAGE": storage, LOG: str(log), SECONDS: str(seconds), "OMP_NUM_THREADS": "1"}
    command_words = [sys.executable, "-m", "svge_core", *words, "--allow-python", "--json"]
    return subprocess.Popen(command_words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def account(what: str, views: Sequence[RunView], log: Path) -> Row:
    """The store's account beside the log's."""
    stored = [e.notation for view in views for e in view.done]
    return {
        "what": what,
        "runs": len(views),
        "budget": sum(view.config.budget for view in views),
        "evaluations": len(stored),
        "distinct": sum(len({e.notation for e in view.done}) for view in views),
        "cut_off": len(evaluated(log)) - len(stored),  # ended, and not stored before the kill
    }


def held_against(known: Stored, view: RunView, log: Path, seen: int) -> tuple[int, int]:
    """How much of what was stored is lost, and how often a stored cell was evaluated again.

    Args:
        known: what was stored before; afterwards what is stored now.
        view: the run now.
        log: of the evaluations.
        seen: lines of it that are older than ``known``.
    """
    found = {e.notation: e.values for e in view.done}
    lost = sum(found.get(cell) != values for cell, values in known.items())
    again = sum(cell in known for cell in evaluated(log)[seen:])
    known.clear()
    known.update(found)
    return lost, again


def kills_of_one(what: str, storage: str, folder: Path, arguments: argparse.Namespace, method: str, goals: int) -> Row:
    """One search after another, each killed at random moments until there were enough kills."""
    log = folder / f"{what}.log"
    rng = np.random.default_rng(arguments.seed)
    began, kills, lost, repeated, names = time.monotonic(), 0, 0, 0, []
    while kills < arguments.kills:
        made = SearchConfig(
            "nasbench201",
            GOALS[:goals][::-1],  # the one that is written down comes last
            method,
            arguments.each,
            seed=len(names),
            batch=3,
            checkpoint="checkpoints/nasbench201/svge" if METHODS[method].needs_checkpoint else None,
        )
        names.append(create_run(storage, made))
        known: Stored = {}
        while read_run(storage, names[-1]).state != "finished":
            seen = len(evaluated(log))
            process = child(["search", "--resume", names[-1]], storage, log, arguments.seconds)
            while process.poll() is None and read_run(storage, names[-1]).state != "running":
                time.sleep(0.01)
            if kills < arguments.kills:
                time.sleep(float(rng.uniform(0, arguments.life)))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    kills += 1
            if process.wait() > 0:
                raise SystemExit(f"the search failed: {read_run(storage, names[-1]).problem}")
            was_lost, again = held_against(known, read_run(storage, names[-1]), log, seen)
            lost, repeated = lost + was_lost, repeated + again
    views = [read_run(storage, name) for name in names]
    row = account(what, views, log)
    failed = sum(count_failed(storage, name) for name in names)
    row |= {"method": method, "goals": goals, "kills": kills}
    row |= {"lost": lost, "finished_repeated": repeated, "failed_trials": failed}
    return {**row, "same_as_unkilled": whole(storage, views), "seconds": time.monotonic() - began}


def whole(storage: str, views: Sequence[RunView]) -> str:
    """How many of some runs are what the same run is when nobody kills it."""
    same = 0
    for view in views:
        again = SearchConfig.from_dict({**view.config.to_dict(), "name": f"{view.config.name}-whole"})
        name = create_run(storage, again)
        execute(storage, name, allow_python=True)
        same += story(read_run(storage, name)) == story(view)
    return f"{same} of {len(views)}"


def full_disk(what: str, folder: Path, arguments: argparse.Namespace) -> Row:
    """The file system of a SQLite store becomes full in the middle, twice; then there is room again.

    The first time room comes while the worker waits for it; the second time it gives up, and a new one goes on.

    Raises:
        SystemExit: without the right to mount a file system of 16 mebibytes.
    """
    disk, log, began = folder / "disk", folder / f"{what}.log", time.monotonic()
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=False).returncode:
        raise SystemExit("the case of a full disk needs the right to mount a file system: run it as root")
    filler = disk / "filler"
    try:
        storage = f"sqlite:///{disk / 'searches.db'}"
        name = create_run(storage, SearchConfig("nasbench201", GOALS[:1], "local-search", arguments.each, batch=3))
        known: Stored = {}
        lost = repeated = 0
        gave_up = False
        for share in (3, 2):
            seen = len(evaluated(log))
            process = child(["search", "--resume", name], storage, log, arguments.seconds)
            while read_run(storage, name).evaluated < arguments.each // share:
                if process.poll() is not None:
                    raise SystemExit("the worker ended before the disk was full")
                time.sleep(0.02)
            fill(filler)
            stuck = time.monotonic()
            while process.poll() is None and (share == 2 or time.monotonic() - stuck < 10):
                time.sleep(0.5)
            before = len(evaluated(log))
            gave_up |= process.poll() is not None
            filler.unlink()
            if share == 2:
                process = child(["search", "--resume", name], storage, log, arguments.seconds)
                process.wait()
            else:
                while read_run(storage, name).evaluated <= before and process.poll() is None:
                    time.sleep(0.1)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            was_lost, again = held_against(known, read_run(storage, name), log, seen)
            lost, repeated = lost + was_lost, repeated + again
        view = read_run(storage, name)
        row = account(what, [view], log) | {"method": "local-search", "goals": 1, "kills": 1, "lost": lost}
        row |= {"finished_repeated": repeated, "gave_up": gave_up}
        row |= {"failed_trials": count_failed(storage, name), "same_as_unkilled": whole(storage, [view])}
        return {**row, "seconds": time.monotonic() - began}
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def fill(file: Path) -> None:
    """Write until the file system has no byte left."""
    with file.open("wb", buffering=0) as target:
        for size in (2**16, 2**12, 1):
            try:
                while True:
                    target.write(bytes(size))
            except OSError:
                continue


def restarts(what: str, server: "Server", folder: Path, arguments: argparse.Namespace) -> Row:
    """Two workers of one run; the database crashes and comes back, three times."""
    log, began, storage = folder / f"{what}.log", time.monotonic(), server.new_database()
    config = SearchConfig("nasbench201", GOALS[:1], "local-search", arguments.budget, batch=2, name="restarted")
    name = create_run(storage, config)
    crew = [child(["worker", "--study", name], storage, log, arguments.seconds) for _ in range(2)]
    known: Stored = {}
    lost = repeated = seen = 0
    for quarter in (1, 2, 3):
        while read_run(storage, name).evaluated < quarter * arguments.budget // 4:
            time.sleep(0.05)
        was_lost, again = held_against(known, read_run(storage, name), log, seen)
        lost, repeated, seen = lost + was_lost, repeated + again, len(evaluated(log))
        server.stop("immediate")
        time.sleep(2)
        server.start()
    if any(process.wait() for process in crew):
        raise SystemExit(f"a worker failed: {read_run(storage, name).problem}")
    view = read_run(storage, name)
    was_lost, again = held_against(known, view, log, seen)
    row = account(what, [view], log) | {"method": "local-search", "goals": 1, "kills": 3}
    row |= {"lost": lost + was_lost, "finished_repeated": repeated + again}
    return {**row, "failed_trials": count_failed(storage, name), "seconds": time.monotonic() - began}


def one_of_four(what: str, storage: str, folder: Path, arguments: argparse.Namespace) -> Row:
    """Four workers of one run; one is killed after a quarter of it."""
    log, began = folder / f"{what}.log", time.monotonic()
    config = SearchConfig("nasbench201", GOALS[:1], "local-search", arguments.budget, batch=2, name="shared")
    name = create_run(storage, config)
    crew = [child(["worker", "--study", name], storage, log, arguments.seconds) for _ in range(4)]
    while len({e.worker for e in read_run(storage, name).evaluations if e.worker}) < 4 or (
        read_run(storage, name).evaluated < arguments.budget // 4
    ):
        if any(process.poll() is not None for process in crew):
            raise SystemExit("a worker ended before it should: give a larger --budget")
        time.sleep(0.02)
    os.killpg(crew[0].pid, signal.SIGKILL)
    crew[0].wait()
    known: Stored = {}
    seen, _ = len(evaluated(log)), held_against(known, read_run(storage, name), log, 0)
    if any(process.wait() for process in crew[1:]):
        raise SystemExit(f"a worker failed: {read_run(storage, name).problem}")
    view = read_run(storage, name)
    lost, repeated = held_against(known, view, log, seen)
    row = account(what, [view], log)
    row |= {
        "method": "local-search",
        "goals": 1,
        "kills": 1,
        "lost": lost,
        "finished_repeated": repeated,
        "failed_trials": count_failed(storage, name),
        "workers": len({e.worker for e in view.done}),
        "seconds": time.monotonic() - began,
    }
    return row


def count_failed(storage: str, name: str) -> int:
    """Trials that a killed worker left, as Optuna sees them."""
    import optuna

    from svge_core.search.runs import optuna_storage

    trials = optuna.load_study(study_name=name, storage=optuna_storage(storage)).get_trials(deepcopy=False)
    if not all(trial.state.is_finished() for trial in trials):
        raise SystemExit("a trial was left running")
    return sum(trial.state == optuna.trial.TrialState.FAIL for trial in trials)


@contextmanager
def own_server() -> Iterator["Server"]:
    """A server that lives as long as the block."""
    from tests.support.postgres import running_server

    with running_server() as server:
        yield server


def case(name: str, folder: Path, arguments: argparse.Namespace) -> Row:
    """One row."""
    if name.startswith("SQLite, full disk"):
        return full_disk(name, folder, arguments)
    if name in ONE_WORKER:
        method, goals = ONE_WORKER[name]
        if name.startswith("SQLite"):
            return kills_of_one(name, f"sqlite:///{folder / 'searches.db'}", folder, arguments, method, goals)
        with own_server() as server:
            return kills_of_one(name, server.new_database(), folder, arguments, method, goals)
    with own_server() as server:
        if name == "PostgreSQL, two workers, database crashed":
            return restarts(name, server, folder, arguments)
        return one_of_four(name, server.new_database(), folder, arguments)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and store every case as it ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.durability", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="these alone (default: all)")
    parser.add_argument("--kills", type=int, default=50, help="of one worker after another (default: %(default)s)")
    parser.add_argument("--each", type=int, default=100, help="evaluations of a run of one worker (%(default)s)")
    parser.add_argument("--budget", type=int, default=200, help="evaluations of several workers (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of one evaluation (default: %(default)s)")
    parser.add_argument("--life", type=float, default=2.0, help="longest seconds to a kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="do not store the results")
    arguments = parser.parse_args(words)
    settings = {name: getattr(arguments, name) for name in ("kills", "each", "budget", "seconds", "life", "seed")}
    stored = read_results("durability")
    kept = {row["what"]: row for row in stored["rows"]} if stored and stored["settings"] == settings else {}
    for name in arguments.cases:
        folder = Path(tempfile.mkdtemp(prefix="durability-"))
        try:
            kept[name] = case(name, folder, arguments)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not arguments.dry_run:
            # the file gathers the rows of several calls: which cases one of them asked for is no part of it
            save_results(
                "durability", [kept[each] for each in CASES if each in kept], settings, "python -m bench.durability"
            )
    report(arguments, [kept[name] for name in arguments.cases], COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
