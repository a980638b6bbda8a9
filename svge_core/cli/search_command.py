"""``search`` runs and stores searches; ``worker`` evaluates for one that others began."""

import argparse
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from svge_core.cli.common import emit, refuse_unused, use_threads
from svge_core.cli.options import NEW_RUN
from svge_core.data import count_of
from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives import AllowPython, Goal, shown_word
from svge_core.search.runs import Evaluation, RunState, RunView, SearchConfig

#: works on a run: takes the store's URL and the run's name
Execute = Callable[..., RunState]
_OF_A_CLUSTER = ("cpus_per_evaluation", "gpus_per_evaluation", "parallel", "ship")
_OF_A_NEW_RUN = (
    "objective",
    *NEW_RUN,
    "checkpoint",
    "restrict",
    "distinct",
    "prune",
    "start",
    "candidates",
    "where",
    "like",
    "free",
    "name",
)


def search(arguments: argparse.Namespace) -> int:
    """Start, resume or list."""
    if arguments.list:
        refuse_unused(
            arguments,
            (*_OF_A_NEW_RUN, "resume", "table", "allow_python", "on", *_OF_A_CLUSTER),
            "--list lists all runs of the store",
        )
        return list_command(arguments)
    if arguments.resume is not None:
        refuse_unused(arguments, _OF_A_NEW_RUN, "--resume goes on with the settings that the run began with")
        check_there(arguments.storage, arguments.resume)
    if arguments.table and arguments.resume is None:
        raise SvgeError("--table gives a stored run its file: name the run with --resume.")
    if arguments.on is None:
        refuse_unused(arguments, _OF_A_CLUSTER, "Without --on everything is evaluated in this process")
    remarks: list[str] = []
    with worked_on(arguments) as execute:
        views = searched(arguments, execute, remarks)
    remarks = list(dict.fromkeys(remarks))  # every seed starts from the same labels
    rows = [{**as_dict(view), "remarks": remarks} for view in views]
    emit(arguments, rows, "\n".join([*remarks, *(as_text(view) for view in views)]))
    return 2 if any(view.state == "failed" for view in views) else 0


def searched(arguments: argparse.Namespace, execute: Execute, remarks: list[str]) -> list[RunView]:
    """Make or find the runs, and work on one after another; remarks on the labels to start from are added."""
    from svge_core.search.runs import control, give_table

    if arguments.resume is not None:
        names = resumed(arguments.storage, arguments.resume)
        for file in arguments.table or ():
            if not any([give_table(arguments.storage, name, file) for name in names]):
                raise SvgeError(f"{arguments.resume} names no file: leave --table away.")
        for name in names:
            control(arguments.storage, name, "run")
    else:
        names = created(arguments, remarks.append)
    return [run_one(arguments, name, execute) for name in names]


def worker(arguments: argparse.Namespace) -> int:
    """Evaluate until the run ends; stays while it is paused."""
    check_there(arguments.storage, arguments.study)
    from svge_core.search.runs import execute

    view = run_one(arguments, arguments.study, partial(execute, wait=True))
    emit(arguments, as_dict(view), as_text(view))
    return 2 if view.state == "failed" else 0


def allowed(arguments: argparse.Namespace) -> AllowPython:
    """Which functions may be imported: those typed here, and what ``--allow-python`` says; not what the store says."""
    if arguments.allow_python == []:
        return True
    return frozenset([*(getattr(arguments, "objective", None) or ()), *(arguments.allow_python or ())])


def created(arguments: argparse.Namespace, told: Callable[[str], None]) -> list[str]:
    """One run per seed; ``told`` is called with every remark on the labels to start from."""
    from svge_core.search.runs import create_run

    if not arguments.objective:
        raise SvgeError("Give an --objective, such as table:cifar10_valid; or --resume NAME, or --list.")
    given = {name: getattr(arguments, name) for name in NEW_RUN}
    chosen: dict[str, Any] = {**NEW_RUN, **{name: value for name, value in given.items() if value is not None}}
    seeds = chosen.pop("seeds")
    config = SearchConfig(
        **chosen,
        objective=tuple(arguments.objective),
        checkpoint=None if arguments.checkpoint is None else str(arguments.checkpoint),
        restricted=bool(arguments.restrict),
        distinct=arguments.distinct,
        prune=arguments.prune or "",
        start_csv=None if arguments.start is None else str(arguments.start),
        candidates=None if arguments.candidates is None else str(arguments.candidates),
        where=tuple(arguments.where or ()),
        like=arguments.like or "",
        free=arguments.free or (),
        name=arguments.name or "",
    )
    if config.uses_checkpoint and config.checkpoint is None:
        from svge_core.checkpoints import usual_checkpoint

        config = replace(config, checkpoint=str(usual_checkpoint(Path("checkpoints") / config.space)))
    if seeds == 1:
        return [create_run(arguments.storage, config, told=told)]
    stem = arguments.name or f"{config.space}-{config.method}"
    configs = [
        replace(config, seed=seed, name=f"{stem}-{seed}", race=stem) for seed in range(config.seed, config.seed + seeds)
    ]
    return [create_run(arguments.storage, one, told=told) for one in configs]


def resumed(storage: str, name: str) -> list[str]:
    """The run of that name, or the unfinished runs of a race of that name."""
    from svge_core.search.runs import list_runs, read_run

    runs = list_runs(storage)
    if any(run.name == name for run in runs):
        return [name]
    race = [
        run.name
        for run in reversed(runs)
        if run.config is not None and run.config.race == name and run.state != "finished"
    ]
    return race or [read_run(storage, name).config.name]  # says which runs there are


@contextmanager
def worked_on(arguments: argparse.Namespace) -> Generator[Execute, None, None]:
    """How runs are worked on: in this process, or on the cluster that it is connected to as long as the block runs."""
    from svge_core.search.runs import execute, execute_elsewhere

    if arguments.on is None:
        yield execute
        return
    from svge_core.cli.cluster_parts import needs_of, on_cluster, with_plugins
    from svge_core.cluster import evaluations_on_ray
    from svge_core.plugins import VARIABLE

    needs = needs_of(arguments.cpus_per_evaluation, arguments.gpus_per_evaluation)
    first = partial(with_plugins, os.environ.get(VARIABLE, ""))
    with on_cluster(arguments):
        yield partial(execute_elsewhere, elsewhere=evaluations_on_ray(needs, arguments.parallel, first))


def run_one(arguments: argparse.Namespace, name: str, execute: Execute) -> RunView:
    """Work on one run, with a progress bar for people."""
    from svge_core.search.runs import read_run

    use_threads(arguments)
    before = read_run(arguments.storage, name)
    bar = tqdm(
        total=before.config.budget,
        initial=before.evaluated,
        desc=name,
        unit="evaluation",
        disable=arguments.json or not sys.stderr.isatty(),
    )

    def shown(evaluation: Evaluation) -> None:
        bar.update(evaluation.state in ("done", "pruned"))
        if evaluation.values is not None:
            bar.set_postfix_str(", ".join(f"{value:.6g}" for value in evaluation.values))

    try:
        execute(
            arguments.storage,
            name,
            on_evaluation=shown,
            allow_python=allowed(arguments),
            device=arguments.device,
        )
    finally:
        bar.close()
    return read_run(arguments.storage, name)


def missing(storage: str) -> str:
    """The file of a store that is not there, which looking into it would make; empty for all others."""
    from svge_core.search.runs import storage_url

    url = storage_url(storage)
    there = url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()
    return "" if there else str(url.database)


def check_there(storage: str, name: str) -> None:
    """See that there is a store to look for a run in.

    Raises:
        DataError: if not.
    """
    if file := missing(storage):
        raise DataError(f"There is no run {name[:60]!r}: there is no store {file}. Name another with --storage.")


def list_command(arguments: argparse.Namespace) -> int:
    """All runs of the store."""
    from svge_core.search.runs import list_runs

    file = missing(arguments.storage)
    found = [] if file else list_runs(arguments.storage)
    rows = [
        {
            "name": run.name,
            "space": run.config and run.config.space,
            "objective": run.config and list(run.config.objective),
            "method": run.config and run.config.method,
            "seed": run.config and run.config.seed,
            "state": run.state,
            "done": run.done,
            "budget": run.budget,
            "best": run.best,
            "created": run.started and run.started.isoformat(timespec="seconds"),
            "problem": run.problem,
        }
        for run in found
    ]
    width = max((len(run.name) for run in found), default=0)
    lines = [
        f"{row['name']:<{width}}  {row['state']:<11}  {row['problem']}"
        if row["objective"] is None
        else f"{row['name']:<{width}}  {row['state']:<11}  {row['done']:>6} of {row['budget']:<6}  "
        f"{'' if row['best'] is None else format(row['best'], '.6g'):>10}  "
        + " ".join(map(shown_word, row["objective"]))
        for row in rows
    ]
    emit(arguments, rows, "\n".join(lines) or ("There are no runs" + (f": there is no store {file}." if file else ".")))
    return 0


def as_dict(view: RunView) -> dict[str, Any]:
    """What a run found, for machines."""
    best = view.best
    several = len(view.goals) > 1
    shown = view.front() if several else (() if best is None else (best,))
    return {
        "name": view.config.name,
        "state": view.state,
        "problem": view.problem,
        "domain": view.domain_title,
        "goals": [goal.meaning.to_dict() for goal in view.goals],
        "evaluated": view.evaluated,
        **({"stopped_early": view.pruned} if view.config.prune else {}),
        "budget": view.config.budget,
        "your_labels": view.start_count,
        "front" if several else "best": [
            {"architecture": e.notation, "values": list(e.values or ()), "number": e.number} for e in shown
        ],
    }


def _name(goal: Goal) -> str:
    """A person's own column by its title: the key of a title in another alphabet says little."""
    return goal.meaning.title if goal.meaning.origin == "user" else goal.key


def as_text(view: RunView) -> str:
    """What a run found, for people."""
    lines = [f"{view.config.name}: {view.state}, {view.evaluated} of {view.config.budget} evaluations"]
    lines[0] += f" beside {count_of(view.start_count, 'label')} of yours" if view.start_count else ""
    lines[0] += f", {view.pruned} of them stopped early" if view.pruned else ""
    lines[0] += f", {view.domain_title}"
    if view.problem:
        lines.append(f"  {view.problem}")
    best = view.front()[:20] if len(view.goals) > 1 else ([view.best] if view.best else [])
    for evaluation in best:
        pairs = zip(view.goals, evaluation.values or (), strict=False)
        values = ", ".join(f"{_name(goal)} {value:.6g} ({goal.kind})" for goal, value in pairs)
        lines.append(f"  {values}  {evaluation.notation}")
    return "\n".join(lines)
