"""One run of a search method over a label table, and what is reported of many: the protocol of ``bench.search``.

Every label counts, the first design included. The incumbent is the best by validation; its test value is reported.
A run is stopped by this harness, not by the method, once the best validation value of the table was evaluated: from
there on no row of the report can change.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.search import Domain, History, Observation
from svge_core.search.searchers import Searcher, make_searcher, rng_for
from svge_core.search.searchers.bayesian import BayesianOptions, BayesianSearch
from svge_core.spaces import get_space

#: evaluations at which the incumbent is reported
MARKS = (25, 50, 96, 150, 192, 400)
_OURS = BayesianOptions()
#: what is taken from latent Bayesian optimisation, one thing at a time
ABLATIONS: dict[str, BayesianOptions] = {
    "latent-bo, no mutations": replace(_OURS, mutations=False),
    "latent-bo, no decoded candidates": replace(_OURS, decoded=0),
    "latent-bo, structure features alone": replace(_OURS, representations=("structure",)),
    "latent-bo, latents alone": replace(_OURS, representations=("latent", "function")),
    "latent-bo, both always": replace(_OURS, representations=("both",)),
    "latent-bo, latents alone, no mutations": replace(_OURS, representations=("latent", "function"), mutations=False),
}


@dataclass(frozen=True)
class Task:
    """What is searched.

    Attributes:
        space: its name.
        csv: label file with one row per cell.
        notation: column that names the cell in the space's notation, or its official index.
        validation: column that is searched.
        test: column that is reported of the incumbent; empty where there is none.
        checkpoint: folder of the model.
        restricted: whether the table covers a part of the space, so that only its cells can be proposed.
        distinct: whether cells that compute the same are proposed once.
    """

    space: str
    csv: Path
    notation: str
    validation: str
    test: str
    checkpoint: Path
    restricted: bool
    distinct: bool = False


@dataclass(frozen=True)
class LabelTable:
    """A task with its files read."""

    domain: Domain
    checkpoint: Checkpoint
    validation: dict[Cell, float]
    test: dict[Cell, float]
    optimum: float


@lru_cache(maxsize=4)
def opened(task: Task) -> LabelTable:
    """Read the labels and the model; once per process."""
    space = get_space(task.space)
    frame = pd.read_csv(task.csv, dtype={task.notation: str} if task.notation != "index" else None)
    frame = frame[frame[task.validation].notna()]
    names = frame[task.notation]
    cells = [
        space.canonical(space.from_index(int(name)) if task.notation == "index" else space.parse(name))
        for name in names
    ]
    validation = dict(zip(cells, frame[task.validation].astype(float), strict=True))
    test = dict(zip(cells, frame[task.test].astype(float), strict=True)) if task.test else {}
    domain = Domain(space, cells if task.restricted else None, distinct=task.distinct)
    return LabelTable(domain, load_checkpoint(task.checkpoint), validation, test, max(validation.values()))


def searcher_for(method: str, table: LabelTable) -> Searcher:
    """A method by name, or an ablation of ours."""
    if method in ABLATIONS:
        return BayesianSearch("latent-bo", table.domain, table.checkpoint, ABLATIONS[method])
    return make_searcher(method, table.domain, table.checkpoint)


def run(task: Task, method: str, seed: int, budget: int, batch: int) -> dict[str, Any]:
    """One run.

    Returns:
        ``hit``: evaluations up to and with the optimum, None where it was not found; ``validation`` and ``test`` of the
        incumbent at every mark; ``cpu_seconds``; ``asks``.
    """
    history, found = played(task, method, seed, budget, batch)
    return {"seed": seed, "hit": found["hit"], **incumbents(history.observations, opened(task).test), **found}


def played(task: Task, method: str, seed: int, budget: int, batch: int) -> tuple[History, dict[str, Any]]:
    """One run: what was evaluated; ``hit``, ``evaluations``, ``asks`` and ``cpu_seconds``, as in :func:`run`."""
    torch.set_num_threads(1)
    table = opened(task)
    searcher = searcher_for(method, table)
    history, started, asks = History(), os.times().user, 0
    hit: int | None = None
    while len(history) < budget and hit is None:
        proposals = searcher.propose(history, min(batch, budget - len(history)), rng_for(seed, len(history)))
        asks += 1
        if not proposals:
            break
        found = list(history.observations)
        for proposal in proposals:
            found.append(Observation(len(found), proposal.cell, (table.validation[proposal.cell],)))
            if hit is None and found[-1].values[0] == table.optimum:
                hit = len(found)
        history = replace(history, observations=tuple(found))
    counts = {"evaluations": len(history), "asks": asks, "cpu_seconds": os.times().user - started}
    return history, {"hit": hit, **counts}


def incumbents(observations: Sequence[Observation], test: dict[Cell, float]) -> dict[str, list[float | None]]:
    """Validation and test of the best by validation at every mark; a run that ended earlier keeps its last."""
    values = np.array([observation.values[0] for observation in observations])
    best = [int(np.argmax(values[: min(mark, len(values))])) for mark in MARKS]
    return {
        "validation": [float(values[i]) for i in best],
        "test": [test.get(observations[i].cell) for i in best],
    }


def summary(runs: Sequence[dict[str, Any]], budget: int) -> dict[str, Any]:
    """Means and standard deviations over seeds, share of runs at the optimum, median evaluations to it."""
    row: dict[str, Any] = {"seeds": len(runs)}
    for name in ("validation", "test"):
        for position, mark in enumerate(MARKS):
            column = [found[name][position] for found in runs]
            if mark > budget or any(value is None for value in column):
                continue
            row[f"{name}@{mark}"] = float(np.mean(column))
            row[f"{name}@{mark}_sd"] = float(np.std(column, ddof=1)) if len(column) > 1 else None
    hits = np.array([np.inf if found["hit"] is None else found["hit"] for found in runs])
    for mark in (100, 192, 400):
        if mark <= budget:
            row[f"at optimum@{mark}"] = float((hits <= mark).mean())
    middle = float(np.median(hits))
    # a median over runs that did not arrive is no number, but a bound
    row["median to optimum"] = middle if np.isfinite(middle) else f"> {budget}"
    row["cpu_seconds_per_run"] = float(np.mean([found["cpu_seconds"] for found in runs]))
    return row
