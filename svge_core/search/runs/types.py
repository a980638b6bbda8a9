"""What a run is: its configuration, its evaluations, and the views that pages and the command line show."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from svge_core.cells import Cell
from svge_core.checks import file_name, yes_or_no
from svge_core.errors import DataError, SvgeError
from svge_core.files import is_dict, to_record
from svge_core.search.history import Direction, History, Observation
from svge_core.search.objectives import COSTLY, Goal, largest_stage, needs_consent, split_word
from svge_core.search.rules import Rules, rules_of
from svge_core.search.runs.limits import MAX_BATCH, MAX_BUDGET, MAX_SEED, PRUNERS
from svge_core.search.runs.rich import run_html
from svge_core.search.searchers import METHODS
from svge_core.spaces import get_space

#: how a run ends by itself
End = Literal["finished", "failed"]
RunState = Literal["waiting", "running", "paused", "finished", "cancelled", "interrupted", "failed"]
EvaluationState = Literal["running", "done", "pruned", "failed"]
Control = Literal["run", "pause", "cancel"]

#: source of the evaluations that a search started from
YOUR_LABELS = "your labels"
MAX_TEXT = 1000


@dataclass(frozen=True)
class SearchConfig:
    """Everything that decides what a run does.

    Attributes:
        space: name of the search space.
        objective: one word per goal, see :mod:`svge_core.search.objectives.make`.
        method: name of a searcher.
        budget: evaluations to finish; failed ones and existing labels do not count.
        seed: of all chance.
        batch: proposals asked for at a time (q).
        checkpoint: folder of the model that the method or a predictor needs.
        restricted: search only among the cells whose value is known.
        start_csv: a file of existing labels that the search starts from. A store names it, and the tables of the
            objective, by content: see :mod:`svge_core.search.objectives.user_table`.
        prune: stop trainings of poor cells early, a key of :data:`svge_core.search.runs.limits.PRUNERS`; empty trains
            all to the end.
        distinct: leave out cells that compute the same as one that was proposed; None for what suits the objective, see
            :attr:`leaves_out_equivalents`.
        candidates: a file of the only cells that may be proposed, named in a store as ``start_csv`` is.
        where: limits of the cells that may be proposed, such as ``params_m<0.5``; all must hold.
        like: a cell whose genes all proposed cells have, but for the free ones; empty for none.
        free: positions of these genes, from 0.
        race: runs that were started together to be compared share it.
        name: of the run, unique in its store; empty for one made of space, method and seed.

    Raises:
        DataError: one clear line about the first field that cannot be used.
    """

    space: str
    objective: tuple[str, ...]
    method: str
    budget: int
    seed: int = 0
    batch: int = 1
    checkpoint: str | None = None
    restricted: bool = False
    start_csv: str | None = None
    race: str = ""
    name: str = ""
    distinct: bool | None = None
    prune: str = ""
    candidates: str | None = None
    where: tuple[str, ...] = ()
    like: str = ""
    free: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        get_space(self.space)
        if not self.objective:
            raise DataError("A search needs at least one objective, such as table:cifar10_valid.")
        for word in self.objective:
            if len(word) > MAX_TEXT:
                raise DataError(f"An objective has at most {MAX_TEXT} characters; got {word[:60]!r}...")
            split_word(word)
        if self.method not in METHODS:
            raise DataError(f"Unknown search method {self.method[:60]!r}: expected one of {', '.join(METHODS)}.")
        for name, low, high in (("budget", 1, MAX_BUDGET), ("seed", 0, MAX_SEED), ("batch", 1, MAX_BATCH)):
            if not low <= (value := getattr(self, name)) <= high:
                raise DataError(f"The {name} is a whole number from {low} to {high:,}; got {str(value)[:40]}.")
        self._check_prune()
        self.rules()
        yes_or_no("restricted", self.restricted)
        if self.distinct is not None:
            yes_or_no("distinct", self.distinct)
        for name in ("checkpoint", "start_csv", "candidates"):
            value = getattr(self, name)
            if value is not None and not 0 < len(value) <= MAX_TEXT:
                raise DataError(f"The {name} is a path; got {value[:60]!r}.")
        for name in ("name", "race"):
            if value := getattr(self, name):
                file_name(f"The {name}", value)

    def _check_prune(self) -> None:
        if not self.prune:
            return
        if self.prune not in PRUNERS:
            raise DataError(f"Early stops are one of {', '.join(PRUNERS)}; got {self.prune[:60]!r}.")
        words = [split_word(word) for word in self.objective]
        if len(words) != 1 or words[0][0] != "train":
            raise DataError("Early stops need one goal that is trained, such as train:digits.", settings=("prune",))
        largest_stage(words[0][1])

    def rules(self) -> Rules | None:
        """What a cell has to meet before it may be proposed; None for nothing.

        Raises:
            SvgeError: if that cannot be understood.
        """
        return rules_of(get_space(self.space), self.where, self.like, self.free)

    @property
    def uses_python(self) -> bool:
        """Whether evaluating imports a user's function, or trains on files of a user's: what a person must agree to."""
        words = [split_word(word) for word in self.objective]
        return any(kind == "python" or (kind == "train" and needs_consent(rest)) for kind, rest in words)

    @property
    def uses_checkpoint(self) -> bool:
        """Whether the method or a goal needs a model."""
        predicted = any(split_word(word)[0] == "predictor" for word in self.objective)
        return predicted or METHODS[self.method].needs_checkpoint

    @property
    def is_narrowed(self) -> bool:
        """Whether fewer cells may be proposed than have a value."""
        return self.candidates is not None or bool(self.where or self.like)

    @property
    def leaves_out_equivalents(self) -> bool:
        """Whether equivalent cells are proposed once.

        Unless said otherwise, they are where every evaluation is made anew: real training and functions of the user's.
        In a table equivalent cells have values of their own, and the best one may be any of them.
        """
        if self.distinct is not None:
            return self.distinct
        return any(split_word(word)[0] in COSTLY for word in self.objective)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :meth:`from_dict` reads them back."""
        lists = {"objective": list(self.objective), "where": list(self.where), "free": list(self.free)}
        return {**{item.name: getattr(self, item.name) for item in fields(self)}, **lists}

    @classmethod
    def from_dict(cls, raw: object) -> "SearchConfig":
        """Read what :meth:`to_dict` wrote.

        Raises:
            DataError: if a field is missing, unknown or cannot be used.
        """
        if is_dict(raw):  # what runs of before did, and go on doing
            before: dict[str, Any] = {
                "distinct": False,
                "prune": "",
                "candidates": None,
                "where": [],
                "like": "",
                "free": [],
            }
            raw = {**before, **raw}
        try:
            return to_record(raw, cls, complete=(cls,))
        except DataError:
            raise  # the configuration's own words
        except SvgeError as error:
            raise DataError(f"The stored settings of a search cannot be used: {error}.") from None


@dataclass(frozen=True)
class Evaluation:
    """One cell of a run.

    Attributes:
        number: order in which it was proposed; existing labels come first.
        cell: canonical.
        notation: the space's own text for it.
        values: one per goal, None until it is done.
        source: where the proposal came from, for people.
        mean, std: what the method predicted, if it did.
        state: running also means proposed and not begun (``started`` is None then); pruned was stopped early and has
            no value of the goal.
        started, finished: in UTC.
        worker: machine and process number of whoever evaluates it.
        problem: one line, why it failed.
    """

    number: int
    cell: Cell
    notation: str
    values: tuple[float, ...] | None
    source: str
    mean: float | None
    std: float | None
    state: EvaluationState
    started: datetime | None
    finished: datetime | None
    worker: str
    problem: str = ""


@dataclass(frozen=True)
class RunView:
    """A run as it is in the store at one moment.

    Attributes:
        config: what was asked for; ``name`` is filled in.
        goals: one per value.
        state: see :data:`RunState`; interrupted means that its worker died.
        evaluations: by number: existing labels, then proposals.
        optimum: best value of a single goal where all are known, for the line in a chart only.
        problem: one line, why it failed or ended early; else empty.
        domain_title: what is searched, in words.
    """

    config: SearchConfig
    goals: tuple[Goal, ...]
    state: RunState
    evaluations: tuple[Evaluation, ...]
    optimum: tuple[float, ...] | None
    problem: str
    domain_title: str

    @cached_property
    def done(self) -> tuple[Evaluation, ...]:
        """Finished evaluations and existing labels, by number."""
        return tuple(e for e in self.evaluations if e.state == "done")

    @property
    def start_count(self) -> int:
        """How many of the evaluations are existing labels, which no budget counts."""
        return sum(e.source == YOUR_LABELS for e in self.done)

    @property
    def evaluated(self) -> int:
        """Evaluations that count: finished, or stopped early."""
        return len(self.done) - self.start_count + self.pruned

    @property
    def pruned(self) -> int:
        """Evaluations that were stopped early."""
        return sum(e.state == "pruned" for e in self.evaluations)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Of each goal."""
        return tuple(goal.direction for goal in self.goals)

    @cached_property
    def values(self) -> np.ndarray:
        """Values of the finished evaluations, (done, goals)."""
        return np.array([e.values for e in self.done], dtype=np.float64).reshape(-1, len(self.goals))

    def best_so_far(self, goal: int = 0) -> np.ndarray:
        """Best value of a goal after each finished evaluation, existing labels included, (done,)."""
        column = self.values[:, goal]
        return np.maximum.accumulate(column) if self.directions[goal] == "max" else np.minimum.accumulate(column)

    @property
    def best(self) -> Evaluation | None:
        """The best finished evaluation of a single goal (of several goals: of the first), the earliest if several."""
        if not self.done:
            return None
        column = self.values[:, 0]
        return self.done[int(column.argmax() if self.directions[0] == "max" else column.argmin())]

    def leading(self, count: int) -> tuple[Evaluation, ...]:
        """The best finished evaluations, so many, best first and the earliest of equal ones; of several goals the whole
        front, however many.
        """
        if len(self.goals) > 1:
            return self.front()
        sign = -1.0 if self.directions[0] == "max" else 1.0
        return tuple(self.done[int(row)] for row in np.argsort(sign * self.values[:, 0], kind="stable")[:count])

    def front(self) -> tuple[Evaluation, ...]:
        """The finished evaluations that no other one beats in all goals, best in the first goal first."""
        return self._front

    @cached_property
    def _front(self) -> tuple[Evaluation, ...]:
        signs = np.array([1.0 if direction == "max" else -1.0 for direction in self.directions])
        utilities = self.values * signs
        if not len(utilities):
            return ()
        points, rows = np.unique(utilities, axis=0, return_inverse=True)
        kept = np.empty((0, utilities.shape[1]))
        best = np.zeros(len(points), dtype=bool)
        for number in range(len(points))[::-1]:  # from the lexicographically largest: nothing later can beat a kept one
            if not (kept >= points[number]).all(axis=1).any():
                kept, best[number] = np.vstack([kept, points[number]]), True
        chosen = np.flatnonzero(best[rows.reshape(-1)])
        return tuple(self.done[int(row)] for row in chosen[np.argsort(-utilities[chosen, 0], kind="stable")])

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return run_html(self)

    def frame(self) -> pd.DataFrame:
        """One row per evaluation, one column per goal."""
        rows = [
            {
                "number": e.number,
                "architecture": e.notation,
                **{goal.key: None if e.values is None else e.values[i] for i, goal in enumerate(self.goals)},
                "source": e.source,
                "predicted_mean": e.mean,
                "predicted_std": e.std,
                "state": e.state,
                "started": e.started,
                "finished": e.finished,
                "worker": e.worker,
                "problem": e.problem,
            }
            for e in self.evaluations
        ]
        columns = ["number", "architecture", *(goal.key for goal in self.goals), "source", "predicted_mean"]
        columns += ["predicted_std", "state", "started", "finished", "worker", "problem"]
        return pd.DataFrame(rows, columns=columns)

    def history(self) -> History:
        """What a searcher may look at."""
        observations = tuple(Observation(e.number, e.cell, e.values) for e in self.done if e.values is not None)
        pending = tuple(e.cell for e in self.evaluations if e.state == "running")
        failed = tuple(e.cell for e in self.evaluations if e.state in ("failed", "pruned"))
        return History(self.directions, observations, pending, failed)


@dataclass(frozen=True)
class RunSummary:
    """One line of a list of runs.

    Attributes:
        name, config, state: as in :class:`RunView`.
        done: finished evaluations that count towards the budget.
        budget: how many were asked for.
        best: best value of a single goal, existing labels included; None for several goals and before the first.
        started: when it was created, in UTC.
        problem: one line, why it failed or ended early; else empty.
        owner: whose it is, see :func:`svge_core.search.runs.create_run`; empty for nobody's.
    """

    name: str
    config: SearchConfig
    state: RunState
    done: int
    budget: int
    best: float | None
    started: datetime
    problem: str = ""
    owner: str = ""


@dataclass(frozen=True)
class UnreadableRun:
    """A run in a list that this version cannot read, or that somebody tampered with; nothing else about it is known.

    Attributes:
        name: as it is stored.
        problem: one line, what cannot be read.
        owner: as in :class:`RunSummary`.
        config, state, done, budget, best, started: as in :class:`RunSummary`, for lists.
    """

    name: str
    problem: str
    owner: str = ""
    config: None = None
    state: Literal["unreadable"] = "unreadable"
    done: int = 0
    budget: int = 0
    best: None = None
    started: None = None
