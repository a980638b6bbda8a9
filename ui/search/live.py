"""Races and runs as they stand: which race is shown, its progress, and what can be done with it. One fragment, which
runs again by itself only while somebody works on a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from svge_core.data import count_of
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.jobs import SearchJobs
from svge_core.search import Lineup, comparable
from svge_core.search.objectives import GoalChoice
from svge_core.search.runs import RunView, UnreadableRun, race_json, run_csv
from svge_core.search.searchers import METHODS
from svge_core.spaces import get_space
from ui.paths import shared
from ui.search import state
from ui.search.charts import show_comparison
from ui.search.controls import group_buttons
from ui.search.example import show_example
from ui.search.naming import name_button, show_notes
from ui.search.run import show_run
from ui.search.start import LINE, default_request, like, over_quota, start_button
from ui.search.state import Run, RunGroup
from ui.search.words import choices_for, distinct, goals_in_words, group_title, run_title, when
from ui.shared import reruns, session
from ui.shared.hiding import why
from ui.shared.theme import plain
from ui.visitors import acts, asking

#: seconds between two looks at the store while a run goes on
EVERY = 1.5
#: races that can stand beside the shown one: more curves in one chart cannot be told apart
MAX_BESIDE = 3
LABELS = "ABCD"


@dataclass(frozen=True)
class Shown:
    """The races in one picture.

    Attributes:
        groups: the shown one, then those beside it.
        views: of all their runs, by name.
        left_out: names of runs that cannot stand in one chart with the first.
    """

    groups: tuple[RunGroup, ...]
    views: dict[str, RunView]
    left_out: tuple[str, ...] = ()

    @property
    def lineup(self) -> Lineup:
        """Runs with a label per race."""
        several = len(self.groups) > 1
        return [
            (LABELS[place] if several else "", [self.views[run.name] for run in group.runs if run.name in self.views])
            for place, group in enumerate(self.groups)
        ]

    @property
    def labels(self) -> dict[str, str]:
        """Label of each run's race, by the run's name."""
        return {view.config.name: label for label, views in self.lineup for view in views}

    @property
    def runs(self) -> list[Run]:
        """All runs that are drawn."""
        return [run for group in self.groups for run in group.runs if run.name in self.views]


def live_section(explorer: Explorer | None, groups: Sequence[RunGroup]) -> None:
    """Show the runs, and follow them while any is worked on."""
    jobs = state.search_jobs()
    busy = jobs.busy or any(run.active for group in groups for run in group.runs)
    st.fragment(_live, run_every=EVERY if busy else None)(explorer, busy)


def _live(explorer: Explorer | None, followed: bool) -> None:
    if reruns.refresh_asked():
        st.rerun()
    jobs = state.search_jobs()
    try:
        groups, unreadable = state.read_store(jobs)
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    busy = jobs.busy or any(run.active for group in groups for run in group.runs)
    if busy != followed:
        st.rerun()  # begin or stop to look by itself
    if notice := session.said(LINE):
        (st.error if notice.kind == "error" else st.success)(plain(notice.text))
    _writing(jobs)
    _unreadable(unreadable)
    here = [group for group in groups if group.config.space == session.space_name()]
    choices = choices_for(get_space(session.space_name()), explorer)
    titles = {choice.word: choice.title for choice in choices}
    shown = _chosen(jobs, here, groups, choices)
    if shown is None:
        if not here and not jobs.plans():
            show_example(explorer, session.space_name())
        return
    _progress(jobs, shown)
    show_comparison(shown.lineup, shown.left_out)
    show_run(explorer, jobs, shown.runs, shown.views, shown.labels)
    _overview(groups, titles)


def _writing(jobs: SearchJobs) -> None:
    """Races that are being written into the store, or could not be."""
    for plan in filter(asking.sees, jobs.plans()):
        if plan.problem:
            with st.container(horizontal=True, vertical_alignment="center"):
                written = plan.of - len(plan.configs)
                st.error(
                    plain(f"{written} of {count_of(plan.of, 'run')} could be prepared. {plan.problem}"),
                    icon=":material/error:",
                )
                st.button(
                    "Dismiss",
                    key=f"search-dismiss-{plan.race}",
                    type="tertiary",
                    on_click=_dismiss,
                    args=(jobs, plan.race),
                )
        else:
            number = plan.of - len(plan.configs) + 1
            st.caption(f":material/hourglass_top: Preparing run {number} of {plan.of}: tables and models are read …")


def _dismiss(jobs: SearchJobs, race: str) -> None:
    try:
        acts.drop_plan(jobs, race)
    except (SvgeError, OSError) as error:
        session.say(LINE, why(error))


def _unreadable(runs: Sequence[UnreadableRun]) -> None:
    """Runs of the store that cannot be read, each with its reason: the others are as they were."""
    if not runs:
        return
    with st.expander(
        f"{count_of(len(runs), 'run')} in the store cannot be read", icon=":material/error:", expanded=True
    ):
        frame = pd.DataFrame({"Name": [run.name for run in runs], "Why": [run.problem for run in runs]})
        st.dataframe(frame, hide_index=True, key="search-unreadable")


def _chosen(
    jobs: SearchJobs, here: Sequence[RunGroup], everything: Sequence[RunGroup], choices: Sequence[GoalChoice]
) -> Shown | None:
    """The race that is shown and those beside it; None where there is none yet, with words on what to do."""
    ids = [group.id for group in here]
    if state.noted_race() in ids:
        state.choose_group(state.noted_race())
        state.note_race(None)
    if not here:
        if not any(not plan.problem for plan in filter(asking.sees, jobs.plans())):
            _welcome(choices, len(everything))
        return None
    if state.chosen_group() not in ids:
        state.choose_group(ids[0])
    titles = {choice.word: choice.title for choice in choices}
    words = {group.id: ("Yours · " if group.mine else "") + group_title(group, titles) for group in reversed(here)}
    names = distinct(words)  # older ones keep theirs
    with st.container(horizontal=True, vertical_alignment="bottom", key="search-choice"):
        key = f"search-group-{state.generation()}"
        st.session_state.setdefault(key, state.chosen_group())
        st.selectbox(
            "Race",
            ids,
            format_func=names.__getitem__,
            key=key,
            on_change=state.from_list("race", key, partial(state.choose_group, by_hand=True)),
        )
        others = [id for id in ids if id != state.chosen_group()]
        more = f"search-beside-{state.generation()}-{state.chosen_group()}"
        st.session_state.setdefault(more, [id for id in state.beside() if id in others])
        st.multiselect(
            "Beside it",
            others,
            format_func=names.__getitem__,
            key=more,
            max_selections=MAX_BESIDE,
            select_all=False,
            placeholder="Compare with other races",
            disabled=not others,
            on_change=state.from_list("beside", more, state.set_beside),
        )
        st.button("Refresh", key="search-refresh", icon=":material/refresh:", help="Read the store again")
    by_id = {group.id: group for group in here}
    chosen = tuple(by_id[id] for id in dict.fromkeys((state.chosen_group(), *state.beside())) if id in by_id)
    views: dict[str, RunView] = {}
    for run in (run for group in chosen for run in group.runs):
        try:
            views |= state.views_of(jobs.storage, [run])
        except SvgeError as error:  # deleted in another window a moment ago, or damaged
            st.warning(plain(str(error)))
    if not views:
        return None
    first = next(iter(views.values()))
    kept = {name: view for name, view in views.items() if comparable(first, view)}
    return Shown(chosen, kept, tuple(name for name in views if name not in kept))


def _welcome(choices: Sequence[GoalChoice], elsewhere: int) -> None:
    space = get_space(session.space_name())
    with st.container(border=True):
        st.markdown(f"##### No search of {plain(space.title)} yet")
        st.markdown(
            "A search looks for good architectures with as few evaluations as it can. A race runs several methods "
            "under the same budget and seeds, so that you see which one finds more. Every evaluation is stored at "
            "once: close the browser, restart the server, and it is still there."
        )
        if choices:
            request = default_request(choices, has_checkpoint=session.checkpoint() is not None)
            names = ", ".join(METHODS[name].title for name in request.methods)
            problem = over_quota(request)
            start_button(
                "Start a first race",
                request,
                "search-first-race",
                ":material/rocket_launch:",
                type="primary",
                disabled=bool(problem),
            )
            if problem:
                st.markdown(f":red[{plain(problem)}]")
            st.caption(
                plain(
                    f"{choices[0].title}; {names}; {count_of(request.budget, 'evaluation')} per run, "
                    f"{count_of(request.seeds, 'seed')}. Or fill in the form."
                )
            )
        if elsewhere:
            st.caption("The store holds runs of other search spaces: choose their space in the sidebar.")


def _progress(jobs: SearchJobs, shown: Shown) -> None:
    """One line on how far the shown races are, and what can be done with all of their runs."""
    runs = [run for group in shown.groups for run in group.runs]
    done, budget = sum(run.summary.done for run in runs), sum(run.summary.budget for run in runs)
    with st.container(horizontal=True, vertical_alignment="center", key="search-progress"):
        counts = {word: sum(run.state == word for run in runs) for word in state.STATE_WORDS}
        words = ", ".join(f"{count} {state.STATE_WORDS[word]}" for word, count in counts.items() if count)
        if counts["queued"]:
            words += f" (this machine works on {jobs.slots} at once)"
        st.progress(
            min(1.0, done / budget) if budget else 0.0, text=f"{done:,} of {count_of(budget, 'evaluation')} · {words}"
        )
        group_buttons(jobs, runs)
        _again(shown.groups[0])
        name_button(jobs, shown.groups[0])
        _race_files(shown)
    show_notes(shown.groups, LABELS)
    for run in runs:
        if run.state == "failed" or (run.job is not None and run.job.ended):
            view = shown.views.get(run.name)
            why_so = (view.problem if view is not None else "") or state.last_words(jobs, run.name)
            st.warning(
                plain(f"{run_title(run.summary.config)} is {state.STATE_WORDS[run.state]}. {why_so}"),
                icon=":material/error:",
            )


def _again(group: RunGroup) -> None:
    """A race like the shown one, where a click may start it."""
    if (request := like(group)) is None:
        return
    last = request.first_seed + request.seeds - 1
    seeds = f"seed {last}" if request.seeds == 1 else f"seeds {request.first_seed} to {last}"
    start_button(
        "Again",
        request,
        "search-again",
        ":material/replay:",
        type="tertiary",
        help=f"Start a race like this one with {seeds}",
    )


def _race_files(shown: Shown) -> None:
    """All runs that are drawn, as files."""
    views = [shown.views[run.name] for run in shown.runs]
    name = f"race-{shown.groups[0].config.race or shown.groups[0].config.name}"
    notes = shown.groups[0].notes if len(shown.groups) == 1 else None
    with st.popover("Export", icon=":material/download:", type="tertiary", key="search-race-export"):
        st.caption(f"Every evaluation of the {count_of(len(views), 'run')} in the chart")
        files: dict[str, tuple[str, Callable[[Sequence[RunView]], str]]] = {
            "csv": ("text/csv", run_csv),
            "json": ("application/json", partial(race_json, notes=notes)),
        }
        for form, (mime, write) in files.items():
            st.download_button(
                f"Race as {form.upper()}",
                key=f"search-race-{form}",
                mime=mime,
                on_click="ignore",
                data=lambda write=write: write(views).encode(),
                file_name=f"{name}.{form}",
            )


def _overview(groups: Sequence[RunGroup], titles: dict[str, str]) -> None:
    """Every run of the store."""
    total = sum(len(group.runs) for group in groups)
    whose = "that you see" if shared() else "in the store"
    with st.expander(f"All {count_of(total, 'run')} {whose}", icon=":material/storage:"):
        spaces = {group.config.space: get_space(group.config.space).title for group in groups}
        wanted = st.segmented_control(
            "Search space",
            ["", *spaces],
            default="",
            format_func=lambda name: spaces.get(name, "All"),
            key="search-filter",
            required=True,
        )
        kept = [group for group in groups if wanted in ("", group.config.space)]
        st.dataframe(overview_frame(kept, titles), hide_index=True, column_config=_OVERVIEW, key="search-overview")
        where = (
            "Yours and those of the server; those of other visitors are theirs alone."
            if shared()
            else f"The store is {plain(state.storage_in_words())}; `python -m svge_core search --list` lists it too, "
            "and `optuna-dashboard` opens it."
        )
        st.caption(
            "Choose a race above to see it; runs of another space are shown when that space is chosen in the sidebar. "
            + where
        )


def overview_frame(groups: Sequence[RunGroup], titles: dict[str, str]) -> pd.DataFrame:
    """One row per run."""
    rows = [
        {
            "started": when(run.summary.started),
            "space": get_space(run.summary.config.space).title,
            "goals": goals_in_words(run.summary.config, titles),
            "method": METHODS[run.summary.config.method].title,
            "seed": run.summary.config.seed,
            "state": state.STATE_WORDS[run.state],
            "done": run.summary.done / run.summary.budget,
            "labels": f"{run.summary.done:,} of {run.summary.budget:,}",
            "best": run.summary.best,
            "name": run.name,
            "mine": run.mine,
        }
        for group in groups
        for run in group.runs
    ]
    columns = ["started", "space", "goals", "method", "seed", "state", "done", "labels", "best", "name"]
    if shared():
        columns.insert(0, "mine")
    return pd.DataFrame(rows, columns=columns)


_OVERVIEW = {
    "mine": st.column_config.CheckboxColumn("Yours", width="small"),
    "started": "Started",
    "space": "Space",
    "goals": "Goals",
    "method": "Method",
    "seed": "Seed",
    "state": "State",
    "done": st.column_config.ProgressColumn("Progress", format="percent"),
    "labels": "Evaluations",
    "best": st.column_config.NumberColumn("Best", format="%.4f"),
    "name": "Name",
}
