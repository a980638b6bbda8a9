"""Pause, resume, cancel and delete: of a run and of all runs of a race."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.jobs import SearchJobs
from ui.search import state
from ui.search.start import LINE
from ui.search.state import Run
from ui.shared import reruns, session
from ui.shared.hiding import why
from ui.shared.theme import plain
from ui.visitors import acts, asking


def state_badge(run: Run) -> str:
    """The state of a run, in words with a colour."""
    return f":{state.STATE_COLOURS.get(run.state, 'gray')}-badge[{state.STATE_WORDS[run.state]}]"


def group_buttons(jobs: SearchJobs, runs: Sequence[Run]) -> None:
    """What this person can do with the runs of the shown races."""
    _buttons(jobs, [run for run in runs if run.steerable], "all", "all", "the runs shown here")


def controls(jobs: SearchJobs, run: Run) -> None:
    """What this person can do with one run."""
    if not run.steerable:
        st.caption("Of this server: to look at and to export")
        return
    _buttons(jobs, [run], "run", "", "this run")


def _buttons(jobs: SearchJobs, runs: Sequence[Run], key: str, suffix: str, what: str) -> None:
    pausable = [run.name for run in runs if run.state in ("queued", "starting", "running")]
    cancellable = [run.name for run in runs if run.active and run.state != "cancelling" or run.state == "paused"]
    resumable = [run for run in runs if run.state in state.RESUMABLE]
    resting = [run.name for run in runs if not run.active]
    many = f" {suffix}" if suffix else ""
    if pausable:
        st.button(
            f"Pause{many}",
            key=f"search-pause-{key}",
            icon=":material/pause:",
            on_click=_do,
            args=(jobs, acts.pause, pausable),
            help="After the evaluation that is going on; it can be resumed",
        )
    if resumable:
        _resume(jobs, resumable, f"Resume{many}", key)
    if cancellable:
        st.button(
            f"Cancel{many}",
            key=f"search-cancel-{key}",
            icon=":material/stop:",
            on_click=_do,
            args=(jobs, acts.cancel, cancellable),
            help="At once; what was evaluated stays",
        )
    if resting and len(resting) == len(runs):
        with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"search-delete-{key}"):
            st.markdown(f"Delete {plain(what)} ({len(resting)}) and every evaluation for good?")
            st.button(
                "Delete for good",
                key=f"search-delete-{key}-sure",
                type="primary",
                on_click=_delete,
                args=(jobs, resting),
            )


def _resume(jobs: SearchJobs, runs: Sequence[Run], label: str, key: str) -> None:
    """Resume; where a run names code that nobody here agreed to, ask first: others may write into the store."""
    names = [run.name for run in runs]
    asked = [word for run in runs for word in run.summary.config.objective if word not in jobs.agreed(run.name)]
    code = sorted({word for word in asked if word.startswith("python:")})
    if not code:
        st.button(
            label,
            key=f"search-resume-{key}",
            icon=":material/play_arrow:",
            on_click=_do,
            args=(jobs, acts.resume, names),
        )
        return
    with st.popover(label, icon=":material/play_arrow:", key=f"search-resume-{key}"):
        st.markdown("This run was started elsewhere and imports code of this machine:")
        st.code("\n".join(code), language=None)
        if asking.local_browser():
            st.button(
                "Run this code here",
                key=f"search-resume-{key}-sure",
                on_click=_do,
                args=(jobs, partial(acts.resume, python=code), names),
            )
        else:
            st.caption(asking.NO_CODE)


def _do(jobs: SearchJobs, act: Callable[[SearchJobs, Sequence[str]], None], names: Sequence[str]) -> None:
    try:
        act(jobs, names)
    except (SvgeError, OSError) as error:
        session.say(LINE, why(error))


def _delete(jobs: SearchJobs, names: Sequence[str]) -> None:
    try:
        acts.delete(jobs, names)
    except (SvgeError, OSError) as error:
        session.say(LINE, why(error))
    state.choose_run(None)
    reruns.refresh_all()
