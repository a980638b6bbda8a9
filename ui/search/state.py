"""What the Search page knows: the store, the runs in it by race, and what a person chose to see. The store is shared by
all windows and machines; what is chosen is this session's alone."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from svge_core.jobs import SearchJob, SearchJobs
from svge_core.search.runs import RaceNotes, RunSummary, RunView, SearchConfig, UnreadableRun
from svge_core.search.searchers import METHODS
from ui.paths import ROOT, runs_folder, shared, storage
from ui.shared import session
from ui.shared.hiding import for_visitors
from ui.visitors import asking

#: a run is one of these; what the store calls running while nobody has begun yet is queued or starting
STATE_WORDS = {
    "queued": "waiting for a free core",
    "starting": "starting",
    "waiting": "not started",
    "running": "running",
    "pausing": "pausing",
    "cancelling": "cancelling",
    "paused": "paused",
    "finished": "finished",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
    "failed": "failed",
}
STATE_COLOURS = {
    "running": "green",
    "starting": "green",
    "finished": "blue",
    "failed": "red",
    "interrupted": "orange",
    "paused": "orange",
    "pausing": "orange",
    "cancelling": "gray",
}
ACTIVE = ("queued", "starting", "running", "pausing", "cancelling")
RESUMABLE = ("waiting", "paused", "cancelled", "interrupted", "failed")
_GROUP, _BESIDE, _RUN, _RACE = "search_group", "search_beside", "search_run", "search_race_made"
_WRITTEN, _EVALUATION, _GENERATION = "search_link_written", "search_evaluation", "search_generation"
_DRAWN, _TICKET = "search_lists_drawn", "search_ticket"


def storage_in_words() -> str:
    """The store as people may see it: no password, and no folders above the project's."""
    from svge_core.search.runs import hide_password, storage_url

    url = storage_url(storage())
    if url.get_backend_name() != "sqlite":
        return hide_password(url)
    path = Path(str(url.database)).resolve()
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else path.name


@cache  # not Streamlit's, which any browser can have emptied: two of these would do the same work twice
def _jobs(records: str, url: str) -> SearchJobs:
    return SearchJobs(Path(records), url, cwd=ROOT)


def search_jobs() -> SearchJobs:
    """The runs this installation works on, shared by all sessions; what a former server left is taken up."""
    from svge_core.search.runs import full_address

    url = full_address(storage())  # child processes work in another folder than the server was started in
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    jobs = _jobs(str(runs_folder() / "search" / digest), url)
    jobs.wake()
    return jobs


# ---- runs by race -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A run as the list shows it: what the store says, and what this machine does about it.

    Attributes:
        summary: from the store.
        state: a key of :data:`STATE_WORDS`.
        job: its process here, if any.
    """

    summary: RunSummary
    state: str
    job: SearchJob | None = None

    @property
    def name(self) -> str:
        """Of the run."""
        return self.summary.name

    @property
    def mine(self) -> bool:
        """Whether it is to be marked as this visitor's."""
        return asking.is_mine(self.summary.owner)

    @property
    def steerable(self) -> bool:
        """Whether this browser may pause, resume, cancel and delete it."""
        return asking.may_steer(self.summary.owner)

    @property
    def active(self) -> bool:
        """Whether it is being worked on, or will be without anybody doing anything."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class RunGroup:
    """Runs that were started together.

    Attributes:
        id: of the race, or ``run:NAME`` for a run of no race.
        runs: methods in the registry's order, then seeds.
        notes: what it is called.
    """

    id: str
    runs: tuple[Run, ...]
    notes: RaceNotes = RaceNotes()

    @property
    def mine(self) -> bool:
        """Whether all of it is to be marked as this visitor's."""
        return all(run.mine for run in self.runs)

    @property
    def config(self) -> SearchConfig:
        """Of the first run; the others differ in method and seed."""
        return self.runs[0].summary.config


def list_groups(jobs: SearchJobs) -> tuple[RunGroup, ...]:
    """The runs of the store that this browser is shown by race, the newest first, without those that cannot be read.

    Raises:
        SvgeError: if the store cannot be used.
    """
    return read_store(jobs)[0]


def read_store(jobs: SearchJobs) -> tuple[tuple[RunGroup, ...], tuple[UnreadableRun, ...]]:
    """The runs of the store that this browser is shown by race, the newest first, and those that cannot be read.

    Raises:
        SvgeError: if the store cannot be used.
    """
    from svge_core.search.runs import list_runs, race_notes

    known, notes = jobs.jobs(), race_notes(jobs.storage)
    groups: dict[str, list[Run]] = {}
    unreadable: list[UnreadableRun] = []
    for summary in filter(asking.sees, list_runs(jobs.storage)):
        if isinstance(summary, UnreadableRun):
            unreadable.append(summary)
            continue
        job = known.get(summary.name)
        group = f"{summary.config.space}/{summary.config.race}" if summary.config.race else f"run:{summary.name}"
        groups.setdefault(group, []).append(Run(summary, _state(summary, job), job))
    order = list(METHODS)
    by_race = tuple(
        RunGroup(
            id,
            tuple(sorted(runs, key=lambda r: (order.index(r.summary.config.method), r.summary.config.seed))),
            notes.get(runs[0].summary.config.race, RaceNotes()),
        )
        for id, runs in groups.items()
    )
    return by_race, tuple(unreadable)


def _state(summary: RunSummary, job: SearchJob | None) -> str:
    if job is None or job.ended:
        return summary.state
    if job.waits:
        return "queued"
    if job.asked:
        return "pausing" if job.asked == "pause" else "cancelling"
    return "starting" if summary.state in ("waiting", "interrupted", "paused", "cancelled") else summary.state


def views_of(url: str, runs: Sequence[Run]) -> dict[str, RunView]:
    """The runs in full; those that nobody works on are read once.

    Raises:
        SvgeError: if the store cannot be used.
    """
    found = {}
    for run in runs:
        summary = run.summary
        if run.active:
            from svge_core.search.runs import read_run

            found[run.name] = for_visitors(read_run(url, run.name))
        else:
            stamp = (summary.started.isoformat(), summary.state, summary.done, bool(run.job))
            found[run.name] = for_visitors(_resting(url, run.name, stamp))
    return found


def last_words(jobs: SearchJobs, name: str) -> str:
    """What the process of a run wrote last about an error; to visitors nothing, as it names files of this machine."""
    return "" if shared() else jobs.last_words(name)


@st.cache_resource(max_entries=2_000, show_spinner=False)
def _resting(url: str, name: str, stamp: tuple[object, ...]) -> RunView:
    from svge_core.search.runs import read_run

    return read_run(url, name)


# ---- what is chosen in this session -----------------------------------------------------------------------------


def chosen_group() -> str | None:
    """Id of the race that is shown."""
    return st.session_state.get(_GROUP)


def choose_group(id: str | None, *, by_hand: bool = False) -> None:
    """Show another race.

    Args:
        id: of the race; None for none.
        by_hand: a person chose it in the list, which shows it already.
    """
    if id != chosen_group():
        st.session_state[_GROUP] = id
        choose_run(None, by_hand=by_hand)


def generation() -> int:
    """Part of the keys of lists, new whenever something else than the list itself has chosen.

    A page that refreshes itself sends the values of all lists each time. One that was sent before the new choice came
    to the browser would count as a person's choice of the old value; under a new key it counts for nothing, see
    :func:`from_list`.
    """
    return st.session_state.get(_GENERATION, 0)


def draw_lists_anew() -> None:
    """What lists say has changed: they are drawn under new keys."""
    st.session_state[_GENERATION] = generation() + 1


def from_list(what: str, key: str, choose: Callable[[Any], None]) -> Callable[[], None]:
    """What a list does when a person chooses in it: nothing, unless it is the list that was drawn last.

    The browser keeps the lists of earlier keys for a moment and sends their values as well, which Streamlit takes for
    choices once it has forgotten the list.

    Args:
        what: the list chooses.
        key: under which it is drawn now.
        choose: is given the chosen value.
    """
    drawn: dict[str, str] = st.session_state.setdefault(_DRAWN, {})
    drawn[what] = key

    def changed() -> None:
        if st.session_state[_DRAWN].get(what) == key:
            choose(st.session_state[key])

    return changed


def beside() -> tuple[str, ...]:
    """Ids of the races that stand beside it."""
    return st.session_state.get(_BESIDE, ())


def set_beside(ids: Sequence[str]) -> None:
    """Compare with other races."""
    st.session_state[_BESIDE] = tuple(ids)


def chosen_run() -> str | None:
    """Name of the run that is looked into."""
    return st.session_state.get(_RUN)


def choose_run(name: str | None, *, by_hand: bool = False) -> None:
    """Look into another run; ``by_hand`` as in :func:`choose_group`."""
    st.session_state[_RUN] = name
    if not by_hand:
        st.session_state[_GENERATION] = generation() + 1


def ticket() -> int:
    """Number of the race that the page is ready to start; new whenever one was started."""
    return st.session_state.get(_TICKET, 0)


def new_ticket() -> None:
    """A race was started: buttons with the old number start nothing any more."""
    st.session_state[_TICKET] = ticket() + 1


def note_race(id: str | None) -> None:
    """Show this race as soon as its first run is in the store; None takes the note back."""
    st.session_state[_RACE] = id


def noted_race() -> str | None:
    """The race that is being written and will be shown."""
    return st.session_state.get(_RACE)


def linked_run() -> str | None:
    """The run that the address asks for when a person comes to the page; from then on the page writes the address.

    A browser sends its address with everything it asks for, also the one that it was told to change a moment ago. Taken
    for a wish, that would bring back a race that was left for another one, such as the one just started.
    """
    return None if _WRITTEN in st.session_state else st.query_params.get("run")


def write_link(name: str | None) -> None:
    """Bring the address in line with the run that is shown."""
    st.session_state[_WRITTEN] = name
    if name is None:
        st.query_params.pop("run", None)
    elif st.query_params.get("run") != name:
        st.query_params["run"] = name


def chosen_evaluation(run: str) -> int | None:
    """Number of the evaluation of a run that is looked at."""
    chosen = st.session_state.get(_EVALUATION)
    return chosen[1] if chosen is not None and chosen[0] == run else None


def choose_evaluation(run: str, number: int | None) -> None:
    """Look at an evaluation of a run; None for what the run proposes."""
    st.session_state[_EVALUATION] = None if number is None else (run, number)


def follow_link(name: str, groups: Sequence[RunGroup]) -> str:
    """Show the run that the address names, in its search space; returns what is wrong with it."""
    group = next((group for group in groups for run in group.runs if run.name == name), None)
    if group is None:
        write_link(None)
        return f"The link names the run {name[:80]!r}, which is not in this store."
    session.set_space(group.config.space)
    choose_group(group.id)
    choose_run(name)
    # last, because the browser may break off a run of the page at any access to its state: then the next one follows
    st.session_state[_WRITTEN] = name
    return ""
