"""Who asks, and what there is at this moment: the page's side of :mod:`ui.visitors.rules`."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import streamlit as st

from svge_core.jobs import Plan, SearchJobs
from svge_core.search.runs import RunSummary, UnreadableRun
from ui.kept import keeping
from ui.paths import python_allowed, shared, tables_folder
from ui.visitors import rules
from ui.visitors.rules import Quota, Usage

#: what is said where code of a person's own may not run
NO_CODE = (
    "Python functions of your own run here only if whoever starts the app allows it with the environment variable "
    "`SVGE_ALLOW_PYTHON=1`, and from a browser on that machine, at http://localhost or http://127.0.0.1."
)


def visitor() -> str:
    """Whose runs are those of this browser; empty for one that is not known yet."""
    secret = keeping.secret()
    return rules.owner_of_secret(secret) if secret else ""


def quota() -> Quota:
    """The limits of this server.

    Raises:
        SvgeError: as :meth:`ui.visitors.rules.Quota.from_variables`.
    """
    return Quota.from_variables(os.environ)


def sees(run: RunSummary | UnreadableRun | Plan) -> bool:
    """Whether this browser is shown a run, or a race that is being written."""
    return not shared() or rules.sees(run.owner, visitor())


def may_steer(owner: str) -> bool:
    """Whether this browser may pause, resume, cancel and delete a run; asked again when it does."""
    return not shared() or rules.is_mine(owner, visitor())


def is_mine(owner: str) -> bool:
    """Whether a run is to be marked as this visitor's, among others' on a shared server."""
    return shared() and rules.is_mine(owner, visitor())


def local_browser() -> bool:
    """Whether this person may name code for the app to run.

    Whoever starts the app says so; an address alone proves nothing, since behind a proxy everybody has the proxy's.
    """
    if not python_allowed() or str(st.get_option("server.address") or "").startswith("unix:"):
        return False  # behind a socket is always somebody else
    return rules.from_this_machine(st.context.ip_address, st.context.headers.to_dict())


def count_usage(jobs: SearchJobs, found: Iterable[RunSummary | UnreadableRun], who: str) -> Usage:
    """What a visitor and all of them have now.

    Args:
        jobs: what this machine does about them, and races that are still being written.
        found: all runs of the store.
        who: the visitor.
    """
    going_on = {name for name, job in jobs.jobs().items() if not job.ended}
    runs = kept = evaluations = all_runs = all_kept = 0
    tables: set[str] = set()
    for run in found:
        if not run.owner:
            continue
        busy, mine = run.name in going_on or run.state == "running", rules.is_mine(run.owner, who)
        all_runs, all_kept = all_runs + busy, all_kept + 1
        runs, kept, evaluations = runs + (busy and mine), kept + mine, evaluations + (run.budget if mine else 0)
        if mine and run.config is not None:
            tables |= rules.tables_of(run.config)
    for plan in jobs.plans():
        waiting, mine = len(plan.configs), rules.is_mine(plan.owner, who)
        if not plan.owner:
            continue
        all_runs, all_kept = all_runs + waiting, all_kept + waiting
        if mine:
            runs, kept = runs + waiting, kept + waiting
            evaluations += sum(config.budget for config in plan.configs)
            tables = tables.union(*map(rules.tables_of, plan.configs))
    return Usage(runs, kept, evaluations, all_runs, all_kept, frozenset(tables))


def uploads_folder() -> Path:
    """Where tables that this person gave to searches lie; a visitor's are their own."""
    return tables_folder() / "visitors" / (visitor() or "unknown") if shared() else tables_folder()


def known_tables(found: Iterable[RunSummary | UnreadableRun]) -> Iterator[str]:
    """What this visitor may call a table: their uploads, and those of runs that they see."""
    yield from map(str, uploads_folder().glob("*/*.csv"))
    for run in found:
        if run.config is not None and sees(run):
            yield from rules.tables_of(run.config)
