"""A run whose evaluations happen elsewhere: when it asks, what it stores, and what deaths, ends and pauses do to it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import sqlalchemy as sa

from svge_core.cells.cell import Cell
from svge_core.errors import DataError
from svge_core.search.runs.deaths import MAX_DEATHS
from svge_core.search.runs.dispatch import Outcome, execute_elsewhere
from svge_core.search.runs.manage import control
from svge_core.search.runs.preparing import ObjectiveRecipe
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import deaths, open_store
from svge_core.search.runs.types import Control, RunView
from tests.support.runs import HERE, SPACE, consistent, execute, in_child, kill, started, worth
from tests.support.waiting import until

#: proposals of this search depend on what was found before; no process is begun for a table
RUN = {"method": "local-search", "budget": 8, "batch": 3, "seed": 5, "objective": ("table:cifar10_valid",)}


class Place:
    """A place in this process: evaluations end in an order of its own, and some of them in another way.

    Attributes:
        full: end nothing before all the room is taken that the budget has cells for.
        sent: cells by notation, in the order in which they came.
        most: evaluations that were under way at the same time.
    """

    def __init__(self, room: int, seed: int = 0) -> None:
        self.room, self.rng = room, np.random.default_rng(seed)
        self.full, self.done = False, 0
        self.flying: dict[int, Cell] = {}
        self.sent: list[str] = []
        self.most, self.forgotten = 0, 0
        self.deaths: dict[str, int] = {}
        self.on_submit = lambda: None

    @contextmanager
    def __call__(self, recipe: ObjectiveRecipe) -> Iterator["Place"]:
        self.recipe, self.evaluate = recipe, recipe.objective().evaluate
        yield self

    def places(self) -> int:
        return self.room

    def submit(self, ticket: int, cell: Cell) -> None:
        assert ticket not in self.flying
        self.flying[ticket] = cell
        self.sent.append(SPACE.format(cell))
        self.most = max(self.most, len(self.flying))
        self.on_submit()

    def finished(self, seconds: float) -> list[Outcome]:
        if len(self.flying) < max(1, min(self.room, self.recipe.config.budget - self.done) if self.full else 1):
            time.sleep(min(seconds, 0.001))
            return []
        self.done += 1
        ticket = list(self.flying)[int(self.rng.integers(len(self.flying)))]
        return [self.outcome(ticket, self.flying.pop(ticket))]

    def outcome(self, ticket: int, cell: Cell) -> Outcome:
        text = SPACE.format(cell)
        if self.deaths.get(text, 0) > 0:
            self.deaths[text] -= 1
            return Outcome(ticket, died="its machine was lost")
        return Outcome(ticket, self.evaluate(cell), seconds=3.0)

    def forget(self) -> None:
        self.forgotten += len(self.flying)
        self.flying.clear()


def story(view: RunView) -> list[tuple[int, str, tuple[float, ...] | None]]:
    return [(e.number, e.notation, e.values) for e in view.evaluations]


def work(storage: str, name: str, place: Place) -> str:
    return execute_elsewhere(storage, name, place, allow_python=True)


@pytest.mark.parametrize("method", ["random", "local-search", "evolution"])
def test_one_place_proposes_what_one_process_does(storage: str, method: str) -> None:
    here, there = (started(storage, **{**RUN, "method": method, "budget": 7}) for _ in range(2))
    execute(storage, here)
    assert work(storage, there, Place(1)) == "finished"
    assert story(read_run(storage, there)) == story(read_run(storage, here))
    consistent(storage, there)


@pytest.mark.parametrize("room", [2, 5, 40])
def test_many_places_meet_the_budget_and_send_nothing_twice(storage: str, room: int) -> None:
    name, place = started(storage, **RUN), Place(room)
    place.full = True
    seen: list[str] = []
    assert execute_elsewhere(storage, name, place, lambda e: seen.append(e.notation), allow_python=True) == "finished"
    consistent(storage, name)
    assert sorted(place.sent) == sorted(set(place.sent)) == sorted(seen)
    assert len(seen) == 8 and place.most == min(room, 8)
    assert all(e.started is not None and e.finished is not None for e in read_run(storage, name).done)
    spans = [(e.finished - e.started).total_seconds() for e in read_run(storage, name).done if e.finished and e.started]
    assert np.allclose(spans, 3.0, atol=1e-3)  # as the place says, not since it was sent


def test_the_next_one_is_sent_as_soon_as_one_has_come_back(storage: str) -> None:
    name, place = started(storage, **{**RUN, "batch": 1, "budget": 10}), Place(4)
    place.full = True  # which would wait for ever for a loop that waits for all four
    loads: list[int] = []
    place.on_submit = lambda: loads.append(len(place.flying))
    assert work(storage, name, place) == "finished"
    assert loads == [1, 2, 3, *[4] * 7]


def test_a_lost_evaluation_is_sent_again_and_a_deadly_one_given_up(storage: str) -> None:
    name, place = started(storage, **{**RUN, "method": "random", "budget": 6, "batch": 1}), Place(1)
    calm = started(storage, **{**RUN, "method": "random", "budget": 6, "batch": 1})
    execute(storage, calm)
    first, second = (e.notation for e in read_run(storage, calm).evaluations[:2])
    place.deaths = {first: MAX_DEATHS - 1, second: MAX_DEATHS}
    assert work(storage, name, place) == "finished"
    view = read_run(storage, name)
    assert place.sent.count(first) == MAX_DEATHS and place.sent.count(second) == MAX_DEATHS
    assert [e.state for e in view.evaluations] == ["done", "failed", *["done"] * 5]
    assert view.evaluations[1].problem == "its worker died three times (last: its machine was lost)"
    assert view.evaluated == 6


def test_failures_are_kept_and_five_in_a_row_stop_the_run(storage: str) -> None:
    class Bad(Place):
        def outcome(self, ticket: int, cell: Cell) -> Outcome:
            return Outcome(ticket, problem="ValueError: no")

    name, place = started(storage, **RUN), Bad(2)
    assert work(storage, name, place) == "failed"
    view = read_run(storage, name)
    assert view.problem == "The last 5 evaluations failed; the latest: ValueError: no"
    assert sum(e.state == "failed" for e in view.evaluations) == 5
    assert place.forgotten <= 1  # what was under way when the fifth came


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_pause_waits_for_what_is_under_way_and_a_cancel_does_not(storage: str, action: Control) -> None:
    def steer() -> None:
        if len(place.sent) == 5:
            control(storage, name, action)
            place.full = False

    name, place = started(storage, **{**RUN, "batch": 1}), Place(3)
    place.full, place.on_submit = True, steer
    assert work(storage, name, place) == ("paused" if action == "pause" else "cancelled")
    view = read_run(storage, name)
    assert len(place.sent) <= 7
    if action == "pause":
        assert place.forgotten == 0 and view.evaluated == len(place.sent)
    else:
        assert place.forgotten > 0 and view.evaluated < len(place.sent)
    control(storage, name, "run")
    assert work(storage, name, Place(3)) == "finished"
    consistent(storage, name)


def test_an_interrupted_driver_gives_back_what_it_sent(storage: str) -> None:
    def interrupt() -> None:
        if len(place.sent) == 6:
            raise KeyboardInterrupt

    name, place = started(storage, **RUN), Place(3)
    place.on_submit = interrupt
    with pytest.raises(KeyboardInterrupt):
        work(storage, name, place)
    view = read_run(storage, name)
    assert view.state == "interrupted" and all(e.started is None for e in view.evaluations if e.state == "running")
    known = set(view.done)
    assert work(storage, name, Place(3)) == "finished"
    assert known <= set(read_run(storage, name).done)
    consistent(storage, name)


def test_the_death_of_a_driver_is_no_fault_of_the_cells(storage: str) -> None:
    class Stuck(Place):
        def finished(self, seconds: float) -> list[Outcome]:
            time.sleep(seconds)
            return []

    name = started(storage, **RUN)
    child = in_child(lambda: work(storage, name, Stuck(3)))
    until(lambda: read_run(storage, name).state == "running" and len(read_run(storage, name).evaluations) == 3)
    kill(child)
    assert read_run(storage, name).state == "interrupted"
    assert work(storage, name, Place(3)) == "finished"
    consistent(storage, name)
    with open_store(storage) as engine, engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(deaths)).scalar() == 0


def test_a_python_function_is_imported_elsewhere_alone(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a cluster the function may need what this machine has not; whoever makes the run has seen that it is there."""

    class Apart(Place):
        @contextmanager
        def __call__(self, recipe: ObjectiveRecipe) -> Iterator["Place"]:
            self.recipe, self.evaluate = recipe, lambda cell: (worth(cell),)
            yield self

    name, place = started(storage, **{**RUN, "budget": 3, "objective": (f"{HERE}worth",)}), Apart(2)
    monkeypatch.setattr("svge_core.search.objectives.own_process.OwnProcess.start", lambda self: pytest.fail("begun"))
    assert work(storage, name, place) == "finished"
    assert place.recipe.config.objective == (f"{HERE}worth",)
    cell = SPACE.random_cell(np.random.default_rng(0))
    assert place.recipe.objective().evaluate(cell) == (worth(cell),)  # in the process that asks


def test_words_of_a_store_need_agreement(storage: str) -> None:
    name = started(storage, **{**RUN, "objective": (f"{HERE}worth",)})
    with pytest.raises(DataError, match="runs code of this machine"):
        execute_elsewhere(storage, name, Place(2))
