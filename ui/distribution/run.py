"""Runs of GraphPNAS on the Distribution page: start one, follow it, choose which is shown. They are searches like any
other: kept in the same store, worked on by the same child processes, and listed on the Search page too."""

import secrets
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from svge_core.data import count_of
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.jobs import SearchJobs
from svge_core.search.objectives import GoalChoice
from svge_core.search.runs import SearchConfig, list_runs
from svge_core.search.searchers import METHODS, GraphPNASOptions
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.distribution.view import show_distribution, show_example
from ui.paths import shared
from ui.search import state
from ui.search.controls import controls, state_badge
from ui.search.example import DISTRIBUTION, example_views, show_protocol
from ui.search.form import show_quota
from ui.search.start import LINE, checkpoint_path
from ui.search.state import Run
from ui.search.words import choices_for, goals_in_words, when
from ui.shared import session
from ui.shared.hiding import why
from ui.shared.theme import plain
from ui.visitors import acts, asking

METHOD = "graphpnas"
#: evaluations of a run; the fewest leave the generator something to learn from
QUERIES, FEWEST, MOST = 100, 40, 1_000
#: seconds between two looks at the store while a run goes on
EVERY = 2.0
_RUN = "distribution_run"


def distribution_section(explorer: Explorer | None) -> None:
    """The whole page below its title."""
    space = get_space(session.space_name())
    if reason := METHODS[METHOD].why_not(space):
        st.info(plain(f"{reason} So there is no distribution to show; choose another space in the sidebar."))
        return
    try:
        runs = _runs(space)
    except SvgeError as error:
        st.error(plain(f"Runs cannot be read. {error}"), icon=":material/error:")
        return
    choices = choices_for(space, explorer)
    _form(space, choices)
    busy = any(run.active for run in runs) or state.search_jobs().busy
    st.fragment(_follow, run_every=EVERY if busy else None)(space, choices, busy)
    run = _chosen(_finished_enough(runs), {choice.word: choice.title for choice in choices})
    if run is not None:
        show_distribution(space, run, explorer)
    elif not runs and not busy and (views := example_views(DISTRIBUTION, space.name)):
        st.markdown("##### A finished run, as an example")
        show_protocol(views)
        show_example(space, views[0], explorer)


def _runs(space: AbstractSearchSpace) -> list[Run]:
    groups = state.list_groups(state.search_jobs())
    found = [run for group in groups for run in group.runs]
    return [
        run
        for run in found
        if run.summary.config.space == space.name
        and run.summary.config.method == METHOD
        and len(run.summary.config.objective) == 1
    ]


def _finished_enough(runs: Sequence[Run]) -> list[Run]:
    """Runs in which a generator has been fitted at least once."""
    return [run for run in runs if run.summary.done > GraphPNASOptions().warm_up]


def _form(space: AbstractSearchSpace, choices: Sequence[GoalChoice]) -> None:
    warm_up = GraphPNASOptions().warm_up
    most = max(FEWEST, min(MOST, asking.quota().budget)) if shared() else MOST
    if shared():
        show_quota(list_runs(state.search_jobs().storage))
    with st.form("distribution_form"), st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.selectbox(
            "Score", list(choices), format_func=lambda one: one.title, key="distribution_score", width=430
        )
        count = st.number_input(
            "Evaluations",
            FEWEST,
            most,
            min(QUERIES, most),
            step=10,
            key="distribution_queries",
            width=170,
            help=f"The first {warm_up} are random; from then on one generator is fitted per evaluation.",
        )
        chance = st.number_input("Seed", 0, 2**31 - 1, 0, key="distribution_seed", width=150)
        asked = st.form_submit_button("Run GraphPNAS", type="primary", icon=":material/play_arrow:")
    if asked and choice is not None:
        _start(space, choice, int(count), int(chance))


def _start(space: AbstractSearchSpace, choice: GoalChoice, budget: int, seed: int) -> None:
    race = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder = session.checkpoint()
    try:
        config = SearchConfig(
            space.name,
            (choice.word,),
            METHOD,
            budget,
            seed,
            checkpoint=None if folder is None else checkpoint_path(folder),
            restricted=choice.cells is not None,
            race=race,
            name=f"{METHOD}-s{seed}-{race}",
        )
        acts.start_race(state.search_jobs(), (config,))
    except (SvgeError, OSError) as error:
        session.say(LINE, f"The run cannot start: {why(error)}")
    else:
        st.session_state[_RUN] = config.name
    st.rerun()


def _follow(space: AbstractSearchSpace, choices: Sequence[GoalChoice], followed: bool) -> None:
    """The runs that are not over, with their progress and what can be done with them."""
    jobs = state.search_jobs()
    runs = _runs(space)
    busy = any(run.active for run in runs) or jobs.busy
    if busy != followed:
        st.rerun()  # begin or stop to look by itself; a run that has ended is shown
    if notice := session.said(LINE):
        (st.error if notice.kind == "error" else st.success)(plain(notice.text))
    for plan in filter(asking.sees, jobs.plans()):
        if plan.problem:
            st.error(plain(plan.problem), icon=":material/error:")
    titles = {choice.word: choice.title for choice in choices}
    unfinished = [run for run in runs if run.state != "finished"]
    for run in unfinished[:1]:  # the newest
        _progress(jobs, run, titles)
    if not runs:
        st.info(
            f"No GraphPNAS run of {space.title} is in the store yet. Choose a score and start one; its evaluations "
            "are counted here, and you can go on elsewhere meanwhile.",
            icon=":material/info:",
        )


def _progress(jobs: SearchJobs, run: Run, titles: dict[str, str]) -> None:
    summary = run.summary
    goals = goals_in_words(summary.config, titles)
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.progress(
            min(1.0, summary.done / summary.budget),
            text=f"{plain(goals)}: {summary.done:,} of {count_of(summary.budget, 'evaluation')} {state_badge(run)}",
        )
        controls(jobs, run)
    if run.state == "failed" or (run.job is not None and run.job.ended):
        st.warning(plain(state.last_words(jobs, run.name) or "The run stopped."), icon=":material/error:")


def _chosen(runs: Sequence[Run], titles: dict[str, str]) -> Run | None:
    """The run that is shown: the one chosen or started last, else the newest."""
    if not runs:
        return None
    names = [run.name for run in runs]
    kept = st.session_state.get(_RUN)
    st.session_state["w-distribution-run"] = kept if kept in names else names[0]
    labels = {
        run.name: ("Yours · " if run.mine else "")
        + f"{goals_in_words(run.summary.config, titles)}, seed {run.summary.config.seed}, "
        f"{count_of(run.summary.done, 'evaluation')}, {when(run.summary.started)}"
        for run in runs
    }
    name = st.selectbox(
        "Run", names, format_func=labels.__getitem__, key="w-distribution-run", on_change=_choose, width="stretch"
    )
    return next(run for run in runs if run.name == name)


def _choose() -> None:
    st.session_state[_RUN] = st.session_state["w-distribution-run"]
