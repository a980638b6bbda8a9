"""Searches of RandWire by real training on digits: one run, its evaluations on disk, what is reported of many runs.

A run evaluates 100 wirings, ten at a time, each with one training run whose seed is the run's. Its five best by
validation accuracy are trained again with seeds that no search uses, and only those accuracies are reported of them:
the best of many noisy numbers is too high. Every evaluation is a line of a file, written before the next one begins; a
run that was stopped goes on from its lines, with the proposals it would have made.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.cells import Cell
from svge_core.errors import DataError, SvgeError
from svge_core.search import Domain, History, Observation
from svge_core.search.objectives import DigitsAccuracy
from svge_core.search.searchers import Proposal, Searcher, make_searcher, rng_for
from svge_core.spaces import RANDWIRE_FAMILIES, RandWire, inner_edges

SPACE = RandWire()
#: random search over one generator's graphs
EXPLORERS = {f"random-{family}": family for family in RANDWIRE_FAMILIES}
#: the first training seed of the evaluations that are reported; far from the seeds of the searches
FRESH = 1_000
#: evaluations at the end of a run whose mean says what a method draws in the end
LAST = 30

#: cell, number of training runs, first training seed -> accuracies
Train = Callable[[Cell, int, int], DigitsAccuracy]


@dataclass(frozen=True)
class Line:
    """One evaluation.

    Attributes:
        kind: ``search``, or ``again`` for the training runs of a run's best.
        method, seed: of the search.
        number: place in the search; of ``again``, the place that the cell had there.
        cell: notation.
        edges: between its nodes.
        validation, test: percent, one per training run. A search looks at the first validation accuracy alone.
        source: where the proposal came from.
        cpu_seconds: of training.
    """

    kind: str
    method: str
    seed: int
    number: int
    cell: str
    edges: int
    validation: tuple[float, ...]
    test: tuple[float, ...]
    source: str
    cpu_seconds: float


class Store:
    """Lines of a file, appended one at a time and on the disk before :meth:`add` returns.

    The first line holds the settings, so that lines of other settings never mix.

    Args:
        path: JSON lines; made if it is not there. What a kill left of a last line is cut off.
        settings: of training and search.

    Raises:
        DataError: if the file was written under other settings or holds something else.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path, self.lines = path, list[Line]()
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.is_file() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with path.open("r+b") as file:
                file.truncate(len(whole))
        rows = whole.decode("utf-8", "replace").splitlines()
        if not rows:
            self._append(settings)
            return
        try:
            found = [json.loads(row) for row in rows]
            self.lines = [Line(**{**row, **{k: tuple(row[k]) for k in ("validation", "test")}}) for row in found[1:]]
        except (ValueError, TypeError, KeyError):
            raise DataError(f"{path.name} is no file of this benchmark: name another one with --runs.") from None
        if found[0] != json.loads(json.dumps(settings)):
            raise DataError(f"{path.name} was written under other settings ({found[0]}): name another one with --runs.")

    def add(self, line: Line) -> None:
        """Keep one evaluation."""
        self._append(asdict(line))
        self.lines.append(line)

    def of(self, kind: str, method: str, seed: int) -> dict[int, Line]:
        """Lines of one run by number."""
        return {line.number: line for line in self.lines if (line.kind, line.method, line.seed) == (kind, method, seed)}

    def _append(self, row: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())


class FamilySearch:
    """Random search among the graphs of one generator."""

    def __init__(self, domain: Domain, name: str) -> None:
        self.domain, self.name = domain, name

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        found: dict[Cell, None] = {}
        while len(found) < count:  # a family has more graphs than anybody can draw
            cell = SPACE.canonical(SPACE.family_cell(EXPLORERS[self.name], rng))
            if cell not in history.taken:
                found.setdefault(cell)
        return [Proposal(cell, EXPLORERS[self.name]) for cell in found]


def searcher_for(method: str) -> Searcher:
    """A method by name, or random search over one family.

    Raises:
        SvgeError: if there is no such method, or it cannot search this space.
    """
    domain = Domain(SPACE)
    return FamilySearch(domain, method) if method in EXPLORERS else make_searcher(method, domain)


def search(store: Store, method: str, seed: int, budget: int, batch: int, train: Train) -> list[Line]:
    """Carry a run to its end, from wherever it stopped. Returns its evaluations in order."""
    searcher, history, known = searcher_for(method), History(), store.of("search", method, seed)
    while (start := len(history)) < budget:
        count = min(batch, budget - start)
        if any(start + place not in known for place in range(count)):
            # a method proposes the same again from the same history, so a round that was cut short goes on
            proposals = searcher.propose(history, count, rng_for(seed, start))
            if not proposals:
                raise SvgeError(f"{method} proposes nothing after {start} evaluations.")
            for number, proposal in enumerate(proposals, start=start):
                if number not in known:
                    line = _trained(store, "search", method, seed, number, proposal, 1, seed, train)
                    known[number] = line
            count = len(proposals)
        lines = [known[number] for number in range(start, start + count)]
        new = tuple(Observation(line.number, SPACE.parse(line.cell), line.validation[:1]) for line in lines)
        history = replace(history, observations=(*history.observations, *new))
    return [known[number] for number in range(budget)]


def train_best_again(store: Store, lines: Sequence[Line], top: int, runs: int, train: Train) -> list[Line]:
    """Train the best of a run by validation accuracy (ties: the earlier) with fresh seeds; best of the search first."""
    found = []
    for line in sorted(lines, key=lambda one: (-one.validation[0], one.number))[:top]:
        known = store.of("again", line.method, line.seed)
        proposal = Proposal(SPACE.parse(line.cell), line.source)
        found.append(
            known.get(line.number)
            or _trained(store, "again", line.method, line.seed, line.number, proposal, runs, FRESH, train)
        )
    return found


def whole_runs(store: Store, budget: int, top: int) -> dict[str, list[tuple[list[Line], list[Line]]]]:
    """Per method the evaluations and the best again of every run that is at its end, by seed."""
    found: dict[str, list[tuple[list[Line], list[Line]]]] = {}
    for method, seed in sorted({(line.method, line.seed) for line in store.lines}):
        lines, again = store.of("search", method, seed), store.of("again", method, seed)
        if len(lines) >= budget and len(again) >= min(top, budget):
            best = sorted(lines.values(), key=lambda one: (-one.validation[0], one.number))
            runs = ([lines[number] for number in range(budget)], [again[b.number] for b in best if b.number in again])
            found.setdefault(method, []).append(runs)
    return found


def _trained(
    store: Store,
    kind: str,
    method: str,
    seed: int,
    number: int,
    proposal: Proposal,
    runs: int,
    first: int,
    train: Train,
) -> Line:
    started = os.times().user
    accuracy = train(proposal.cell, runs, first)
    line = Line(
        kind,
        method,
        seed,
        number,
        SPACE.format(proposal.cell),
        len(inner_edges(proposal.cell)),
        accuracy.validation,
        accuracy.test,
        proposal.source,
        round(os.times().user - started, 3),
    )
    store.add(line)
    return line


def row(method: str, runs: Sequence[tuple[Sequence[Line], Sequence[Line]]]) -> dict[str, Any]:
    """What is reported of a method: means over its runs, with standard deviations over runs (``_sd``).

    Args:
        method: name of the method.
        runs: evaluations of each run, and those of its best again.

    Returns:
        ``search_best``: best validation accuracy that the search saw, one training run each;
        ``top_validation``, ``top_test``: means of the best cells trained again;
        ``chosen_test``: test accuracy of the one among them that is best by validation of the fresh training runs;
        ``drawn``, ``drawn_last``: mean validation accuracy of all evaluations and of the last 30; ``edges``: mean.
    """
    columns: dict[str, list[float]] = {}

    def add(name: str, value: float | np.floating) -> None:
        columns.setdefault(name, []).append(float(value))

    for lines, again in runs:
        seen = [line.validation[0] for line in lines]
        chosen = max(again, key=lambda line: np.mean(line.validation))
        add("search_best", max(seen))
        add("top_validation", np.mean([line.validation for line in again]))
        add("top_test", np.mean([line.test for line in again]))
        add("chosen_test", np.mean(chosen.test))
        add("drawn", np.mean(seen))
        add("drawn_last", np.mean(seen[-LAST:]))
        add("edges", np.mean([line.edges for line in lines]))
        add("training_cpu_seconds_per_run", sum(line.cpu_seconds for line in [*lines, *again]))
    found: dict[str, Any] = {"method": method, "seeds": len(runs), "evaluations": len(runs[0][0])}
    for name, values in columns.items():
        found[name] = float(np.mean(values))
        if name != "training_cpu_seconds_per_run":
            found[f"{name}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return found


def family_of(edges: int) -> str:
    """Which generator drew a random wiring, from its number of edges: WS(4, .75) has 64, BA(5) 135, ER(.2) any.

    An ER graph with just 64 or 135 edges is counted as another's: of 496 possible edges 99 are there on average, so
    these are 3.9 standard deviations away.
    """
    return {64: "ws", 135: "ba"}.get(edges, "er")


def families_in_words(runs: Sequence[Sequence[Line]]) -> str:
    """Mean and standard deviation over wirings of the validation accuracy of random search, generator by generator."""
    found: dict[str, list[float]] = {family: [] for family in RANDWIRE_FAMILIES}
    for line in (line for lines in runs for line in lines):
        found[family_of(line.edges)].append(line.validation[0])
    parts = [
        f"{name.upper()} {np.mean(values):.2f} ± {np.std(values, ddof=1):.2f} ({len(values)} wirings)"
        for name, values in found.items()
        if len(values) > 1
    ]
    return f"validation accuracy of random search's wirings by generator, one training run each: {', '.join(parts)}"


def seed_noise(again: Sequence[Line]) -> dict[str, float | int | None]:
    """Standard deviation over training seeds of one cell, pooled over cells, for validation and test accuracy."""
    noise: dict[str, float | int | None] = {"cells": len(again)}
    for name in ("validation", "test"):
        values = np.array([getattr(line, name) for line in again])
        several = values.ndim == 2 and values.shape[1] > 1
        noise[name] = float(np.sqrt(values.var(axis=1, ddof=1).mean())) if several else None
    return noise
