"""kill -9 of searches: 50 at random moments on SQLite, and one of four workers that share a run on PostgreSQL.

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
from typing import Any

import numpy as np

from bench.harness.results import command, report, save_results
from bench.harness.slow_cells import LOG, SECONDS
from svge_core.cells import Cell
from svge_core.search.runs import RunView, SearchConfig, create_run, execute, read_run

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ["what", "kills", "runs", "budget", "evaluations", "distinct", "lost", "finished_repeated", "cut_off"]
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


def account(what: str, views: Sequence[RunView], log: Path) -> dict[str, Any]:
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


def sqlite_kills(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """One search after another, each killed at random moments until there were enough kills."""
    storage, log = f"sqlite:///{folder / 'searches.db'}", folder / "sqlite.log"
    rng = np.random.default_rng(arguments.seed)
    began, kills, lost, repeated, names = time.monotonic(), 0, 0, 0, []
    while kills < arguments.kills:
        config = SearchConfig(
            "nasbench201", ("python:bench.harness.slow_cells:slow",), arguments.method, 100, seed=len(names), batch=3
        )
        names.append(create_run(storage, config))
        known: dict[str, tuple[float, ...] | None] = {}
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
            found = {e.notation: e.values for e in read_run(storage, names[-1]).done}
            lost += sum(found.get(cell) != values for cell, values in known.items())
            repeated += sum(cell in known for cell in evaluated(log)[seen:])
            known = found
    views = [read_run(storage, name) for name in names]
    same = 0
    for view in views:
        config = SearchConfig.from_dict({**view.config.to_dict(), "name": f"{view.config.name}-whole"})
        name = create_run(storage, config)
        execute(storage, name, allow_python=True)
        same += story(read_run(storage, name)) == story(view)
    row = account("SQLite, one worker", views, log)
    failed = sum(count_failed(storage, name) for name in names)
    row |= {"kills": kills, "lost": lost, "finished_repeated": repeated, "failed_trials": failed}
    return {**row, "same_as_unkilled": f"{same} of {len(views)}", "seconds": time.monotonic() - began}


def postgres_kill(folder: Path, storage: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Four workers of one run; one is killed after a quarter of it."""
    log, began = folder / "postgres.log", time.monotonic()
    config = SearchConfig(
        "nasbench201",
        ("python:bench.harness.slow_cells:slow",),
        arguments.method,
        arguments.budget,
        batch=2,
        name="shared",
    )
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
    seen, before = len(evaluated(log)), {e.notation: e.values for e in read_run(storage, name).done}
    if any(process.wait() for process in crew[1:]):
        raise SystemExit(f"a worker failed: {read_run(storage, name).problem}")
    view = read_run(storage, name)
    found = {e.notation: e.values for e in view.done}
    row = account("PostgreSQL, four workers, one killed", [view], log)
    row |= {
        "kills": 1,
        "lost": sum(found.get(cell) != values for cell, values in before.items()),
        "finished_repeated": sum(cell in before for cell in evaluated(log)[seen:]),
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
def own_server() -> Iterator[str]:
    """The URL of a database of a server that lives as long as the block."""
    from tests.support.postgres import running_server

    with running_server() as server:
        yield server.new_database()


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(prog="python -m bench.durability", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--kills", type=int, default=50, help="on SQLite (default: %(default)s)")
    parser.add_argument("--budget", type=int, default=200, help="evaluations on PostgreSQL (default: %(default)s)")
    parser.add_argument("--method", default="local-search", help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of one evaluation (default: %(default)s)")
    parser.add_argument("--life", type=float, default=2.0, help="longest seconds to a kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument("--storage", help="an empty PostgreSQL database (default: a server of our own)")
    parser.add_argument("--dry-run", action="store_true", help="do not store the results")
    arguments = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="durability-"))
    try:
        rows = [sqlite_kills(folder, arguments)]
        if arguments.storage:
            rows.append(postgres_kill(folder, arguments.storage, arguments))
        else:
            with own_server() as storage:
                rows.append(postgres_kill(folder, storage, arguments))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(arguments, rows, COLUMNS)
    if not arguments.dry_run:
        settings = {name: getattr(arguments, name) for name in ("kills", "budget", "method", "seconds", "life", "seed")}
        save_results("durability", rows, settings, command("durability", words))
    return 0


if __name__ == "__main__":
    sys.exit(main())
