"""One run: what it does now, its trail on the map, its proposals drawn, its evaluations as a table and as files."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler
from streamlit.delta_generator import DeltaGenerator

from svge_core.data import count_of
from svge_core.explorer import Explorer
from svge_core.jobs import SearchJobs
from svge_core.search.objectives import Goal
from svge_core.search.runs import Evaluation, RunView, run_csv, run_json
from svge_core.spaces import get_space
from ui.search import state
from ui.search.controls import controls, state_badge
from ui.search.panel import show_panel
from ui.search.replay import show_replay
from ui.search.state import Run
from ui.search.trail import show_trail
from ui.search.words import distinct, predicted_in_words, run_title
from ui.shared import reruns, session
from ui.shared.basket import LINE as BASKET_LINE, entry_for
from ui.shared.choices import BASKET_CAP
from ui.shared.numbers import number_in_words
from ui.shared.theme import plain

TABLE_KEY = "search-table"
#: how many of the best go into the basket at once
BEST = 5


def show_run(
    explorer: Explorer | None,
    jobs: SearchJobs,
    runs: Sequence[Run],
    views: Mapping[str, RunView],
    labels: Mapping[str, str],
) -> None:
    """Show the chosen run of those that are drawn.

    Args:
        explorer: of the space, if it is open.
        jobs: processes that work on runs.
        runs: those that are drawn.
        views: their evaluations, by name.
        labels: of each run's race, by the run's name.
    """
    if not runs:
        return
    by_name = {run.name: run for run in runs}
    if state.chosen_run() not in by_name:
        state.choose_run(next((run.name for run in runs if run.state == "running"), runs[0].name))
    st.divider()
    with st.container(horizontal=True, vertical_alignment="bottom", key="search-run-head"):
        key = f"search-run-{state.generation()}-{state.chosen_group()}-{len(by_name)}"
        st.session_state.setdefault(key, state.chosen_run())
        titles = distinct({n: f"{labels.get(n, '')} {run_title(r.summary.config)}".strip() for n, r in by_name.items()})
        name = st.selectbox(
            "Run",
            list(by_name),
            key=key,
            width=420,
            format_func=titles.__getitem__,
            on_change=state.from_list("run", key, partial(state.choose_run, by_hand=True)),
        )
        state.write_link(name)
        run, view = by_name[name], views[name]
        st.markdown(f"{state_badge(run)} {_how_far(view)}", width="stretch")
        controls(jobs, run)
    show_evaluations(explorer, run, view, views)


def show_evaluations(explorer: Explorer | None, run: Run, view: RunView, views: Mapping[str, RunView]) -> None:
    """One run step by step: its trail on the map, the chosen evaluation, a player once it is over, table and files.

    Args:
        explorer: of the space, if it is open.
        run: as the list has it.
        view: its evaluations.
        views: of the runs that are drawn with it, by name.
    """
    left, right = _halves()
    with left:
        show_trail(explorer, run, view)
    with right:
        if not run.active:
            show_replay(explorer, view, views)
        show_panel(run, view)
    _table(view, explorer)
    _files(view)


def _halves() -> list[DeltaGenerator]:
    with st.container(key="search-map-and-panel"):
        return st.columns([0.62, 0.38], gap="medium")


def _how_far(view: RunView) -> str:
    labels = f" beside {count_of(view.start_count, 'label')} of yours" if view.start_count else ""
    noun = "evaluation" if view.config.budget == 1 else "evaluations"
    text = f"**{view.evaluated:,} of {view.config.budget:,}** {noun}{labels}"
    failed = sum(e.state == "failed" for e in view.evaluations)
    text += f", {view.pruned} of them stopped early" if view.pruned else ""
    text += f", {failed} failed" if failed else ""
    if view.best is not None and len(view.goals) == 1:
        goal = view.goals[0]
        unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
        number = plain(f"{number_in_words(view.best.values[0], goal.meaning.unit)}{unit}") if view.best.values else ""
        best = f":violet[*≈ {number}*]" if goal.kind == "predicted" else f"**{number}**"
        text += f" · best {best} at #{view.best.number}"
    if len(view.goals) > 1 and view.done:
        text += f" · {len(view.front())} not dominated"
    return text


def _table(view: RunView, explorer: Explorer | None) -> None:
    frame = table_frame(view)
    with st.expander(f"Evaluations ({len(view.evaluations):,})", expanded=True, icon=":material/table_rows:"):
        if frame.empty:
            st.caption("No cell has been proposed yet: the first ones come when tables and models are read.")
            return
        number = st.column_config.NumberColumn
        config = {
            "number": number("#", width="small"),
            "index": number("Cell", format="%d", width="small", help="Official index"),
            "predicted": st.column_config.TextColumn(
                "≈ predicted before", help="Mean and standard deviation, where the method predicts the goal itself"
            ),
            "source": "Proposed because",
            "state": st.column_config.TextColumn("State", width="small"),
            "architecture": st.column_config.TextColumn("Architecture", width="large"),
        }
        for goal in view.goals:
            unit = f" ({goal.meaning.unit})" if goal.meaning.unit else ""
            mark = "≈ predicted: " if goal.kind == "predicted" else ""
            config[f"goal_{goal.key}"] = number(f"{mark}{goal.meaning.title[:40]}{unit}")
        cells = [e.cell for e in view.evaluations]
        st.dataframe(
            written(frame, view.goals),
            hide_index=True,
            key=TABLE_KEY,
            height=min(420, 38 + 35 * len(frame)),
            column_config=config,
            selection_mode="single-row",
            on_select=lambda: _row_chosen(view, cells),
        )
        st.caption("Choose a row to see that cell above. Numbers are the order of the proposals, from 0.")


def written(frame: pd.DataFrame, goals: Sequence[Goal]) -> Styler:
    """The table with values as everywhere else on the page; a browser sorts it by value all the same."""
    forms: Any = {f"goal_{goal.key}": partial(number_in_words, unit=goal.meaning.unit) for goal in goals}
    return frame.style.format(forms, na_rep="")


def table_frame(view: RunView) -> pd.DataFrame:
    """One row per evaluation, in the order of the proposals."""
    space = get_space(view.config.space)
    rows = []
    for e in view.evaluations:
        row: dict[str, object] = {"number": e.number}
        if space.size is not None:
            row["index"] = _index(space.name, e)
        for place, goal in enumerate(view.goals):
            row[f"goal_{goal.key}"] = None if e.values is None else e.values[place]
        row["predicted"] = predicted_in_words(e, view.goals[0].meaning.unit)
        row |= {"source": e.source, "state": e.state if not e.problem else f"{e.state}: {e.problem}"}
        rows.append({**row, "architecture": e.notation})
    return pd.DataFrame(rows)


@st.cache_data(max_entries=200_000, show_spinner=False)
def _index_of(space: str, notation: str) -> int:
    known = get_space(space)
    return known.index(known.parse(notation))


def _index(space: str, e: Evaluation) -> int:
    return _index_of(space, e.notation)


def _row_chosen(view: RunView, cells: Sequence[object]) -> None:
    chosen = st.session_state[TABLE_KEY]["selection"]["rows"]
    if chosen and chosen[0] < len(cells):
        state.choose_evaluation(view.config.name, view.evaluations[chosen[0]].number)


def _files(view: RunView) -> None:
    several = len(view.goals) > 1
    with st.container(horizontal=True, key="search-files"):
        st.button(
            "Front to basket" if several else f"Best {BEST} to basket",
            key="search-basket",
            icon=":material/add_shopping_cart:",
            disabled=not view.done,
            on_click=_to_basket,
            args=(view,),
        )
        st.download_button(
            "CSV",
            key="search-csv",
            icon=":material/download:",
            mime="text/csv",
            on_click="ignore",
            data=lambda: run_csv([view]).encode(),
            file_name=f"{view.config.name}.csv",
        )
        st.download_button(
            "JSON",
            key="search-json",
            icon=":material/download:",
            mime="application/json",
            on_click="ignore",
            data=lambda: run_json(view).encode(),
            file_name=f"{view.config.name}.json",
        )


def _to_basket(view: RunView) -> None:
    reruns.refresh_all()
    space = get_space(view.config.space)
    entries = tuple(entry_for(space, e.cell) for e in view.leading(BEST))
    added, full = session.add_to_basket(entries[:BASKET_CAP])
    if full:
        session.say(BASKET_LINE, f"{added} added; {full} found no room, the basket holds {BASKET_CAP}.")
    else:
        session.say(BASKET_LINE, f"{added} added.", "success")
