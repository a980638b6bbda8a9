"""A race as somebody wishes it, and its start."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.search.objectives import GoalChoice, split_csv, split_reference, split_word
from svge_core.search.runs import RunSummary, SearchConfig, UnreadableRun, list_runs
from svge_core.search.searchers import METHODS
from ui.paths import ROOT, shared
from ui.search import state
from ui.search.state import RunGroup
from ui.shared import reruns, session
from ui.shared.hiding import why
from ui.visitors import acts, asking

#: where the page says in one line what went wrong
LINE = "search"
DEFAULT_METHODS = ("latent-bo", "local-search", "evolution", "random")
DEFAULT_BUDGET, DEFAULT_SEEDS = 60, 3
MAX_RUNS = 400


@dataclass(frozen=True)
class RaceRequest:
    """What a race shall be.

    Attributes:
        words: the goals.
        methods: names of searchers.
        budget, seeds, first_seed, batch: numbers of the race.
        restricted: only cells with a known value can be searched.
        distinct: propose cells that compute the same once; None for what suits the objective.
        start_csv: a file of existing labels.
        prune: stop trainings of poor cells early, as in :class:`SearchConfig`, as are the four that follow.
        candidates: the only cells that may be proposed.
        where: limits of these cells.
        like, free: parts that they have.
        problem: why it cannot be started as it is, one line; else empty.
    """

    words: tuple[str, ...]
    methods: tuple[str, ...]
    budget: int = DEFAULT_BUDGET
    seeds: int = DEFAULT_SEEDS
    first_seed: int = 0
    batch: int = 1
    restricted: bool = False
    start_csv: str | None = None
    distinct: bool | None = None
    prune: str = ""
    candidates: str | None = None
    where: tuple[str, ...] = ()
    like: str = ""
    free: tuple[int, ...] = ()
    problem: str = ""

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return len(self.methods) * self.seeds

    def configs(self, space: str, checkpoint: str | None) -> tuple[SearchConfig, ...]:
        """One per method and seed; every method's first seed comes first, so that all can be seen early.

        Raises:
            SvgeError: one line about what cannot be used.
        """
        # asked here, as a browser may press a button that is off
        if problem := self.problem or ("" if self.words and self.methods else "Choose a goal and a method."):
            raise SvgeError(problem)
        if not 1 <= self.runs <= MAX_RUNS:
            raise SvgeError(f"A race has 1 to {MAX_RUNS} runs; this one would have {self.runs:,}.")
        race = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        ordered = [method for method in METHODS if method in self.methods]
        return tuple(
            SearchConfig(
                space,
                self.words,
                method,
                self.budget,
                seed,
                self.batch,
                checkpoint,
                self.restricted,
                self.start_csv,
                race,
                f"{method}-s{seed}-{race}",
                self.distinct,
                self.prune,
                self.candidates,
                self.where,
                self.like,
                self.free,
            )
            for seed in range(self.first_seed, self.first_seed + self.seeds)
            for method in ordered
        )


def default_request(choices: Sequence[GoalChoice], *, has_checkpoint: bool) -> RaceRequest:
    """A race that makes sense without any choice: our method beside three rivals on the first goal.

    For visitors as small as it must be to fit into the limits of a shared server where nothing is used yet.
    """
    methods = tuple(name for name in DEFAULT_METHODS if has_checkpoint or not METHODS[name].needs_checkpoint)
    first, budget, seeds = choices[0], DEFAULT_BUDGET, DEFAULT_SEEDS
    if shared():
        limits = asking.quota()
        most = min(limits.runs, limits.all_runs, limits.kept, limits.all_kept)
        methods = methods[: max(1, most)]
        seeds = max(1, min(seeds, most // len(methods)))
        budget = max(1, min(budget, limits.budget, limits.evaluations // (len(methods) * seeds)))
    return RaceRequest((first.word,), methods, budget, seeds, restricted=first.cells is not None)


def start_button(label: str, request: RaceRequest, key: str, icon: str, **looks: Any) -> None:
    """A button that starts a race, once: after that it is another button, with a key and a ticket of its own.

    Args:
        label: on the button.
        request: the race.
        key: of the button, without the ticket.
        icon: before the label.
        looks: what else ``st.button`` takes.
    """
    number = state.ticket()
    st.button(label, key=f"{key}-{number}", icon=icon, on_click=start, args=(request, number), **looks)


def start(request: RaceRequest, ticket: int) -> None:
    """Start a race in the chosen space; what cannot be used is said on the page.

    Args:
        request: the race.
        ticket: of the button; a second click on the same button starts nothing.
    """
    if ticket != state.ticket():
        return
    space = session.space_name()
    try:
        configs = request.configs(space, open_checkpoint())
        acts.start_race(state.search_jobs(), configs)
    except (SvgeError, OSError) as error:
        session.say(LINE, f"The search cannot start: {why(error)}")
        return
    state.new_ticket()
    state.choose_group(f"{space}/{configs[0].race}")
    state.note_race(f"{space}/{configs[0].race}")
    state.set_beside(())
    reruns.refresh_all()


def like(group: RunGroup) -> RaceRequest | None:
    """The same goals, methods, budget and number of seeds as a race has, with the seeds that follow.

    None for a race that cannot be repeated by a click. The store may be others', so it names no code for this machine
    to run, no file to open (tables lie in the store; runs of earlier versions name paths), and no checkpoint but the
    one that is open.
    """
    configs = [run.summary.config for run in group.runs]
    named = {file for config in configs for file in (config.start_csv, config.candidates) if file is not None}
    for word in configs[0].objective:
        kind, rest = split_word(word)
        if kind == "python":
            return None
        named |= {split_csv(rest)[0]} if kind == "csv" else set()
    if any(split_reference(name) is None for name in named):
        return None
    if any(config.checkpoint not in (None, open_checkpoint()) for config in configs):
        return None
    seeds = sorted({config.seed for config in configs})
    first = configs[0]
    return RaceRequest(
        first.objective,
        tuple(dict.fromkeys(config.method for config in configs)),
        first.budget,
        len(seeds),
        seeds[-1] + 1,
        first.batch,
        first.restricted,
        first.start_csv,
        first.distinct,
        first.prune,
        first.candidates,
        first.where,
        first.like,
        first.free,
    )


def over_quota(request: RaceRequest, found: Sequence[RunSummary | UnreadableRun] | None = None) -> str:
    """Why a visitor may not start this, before they try; empty where nothing is in the way.

    Args:
        request: the race.
        found: all runs of the store; None to read them.
    """
    if not shared() or not request.words or not 0 < request.runs <= MAX_RUNS:
        return ""
    try:
        jobs = state.search_jobs()
        configs = request.configs(session.space_name(), open_checkpoint())
        return acts.race_refusal(jobs, configs, list_runs(jobs.storage) if found is None else found)
    except SvgeError as error:
        return str(error)


def open_checkpoint() -> str | None:
    """The checkpoint that is chosen, as a run names it."""
    folder = session.checkpoint()
    return None if folder is None else checkpoint_path(folder)


def checkpoint_path(folder: Path) -> str:
    """The checkpoint as a run names it: short where this process works in the project's folder, as the runs do."""
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) and Path.cwd() == ROOT else str(folder)
