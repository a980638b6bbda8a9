"""The form of a new race: goals, methods, budget, seeds; in words what is searched and what the numbers mean."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from svge_core.data import Direction, count_of
from svge_core.data.csv import columns_in_words, import_csv
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.files import write_atomically
from svge_core.jobs import cores
from svge_core.search.objectives import MAX_GOALS, GoalChoice, split_csv, split_word
from svge_core.search.runs import MAX_BATCH, RunSummary, UnreadableRun, list_runs
from svge_core.search.searchers import METHODS
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.paths import shared, tables_folder
from ui.search import state
from ui.search.choosing import choose_distinct, choose_limits, choose_prune, kept, limits_in_words, limits_problem
from ui.search.start import (
    DEFAULT_BUDGET,
    DEFAULT_METHODS,
    DEFAULT_SEEDS,
    MAX_RUNS,
    RaceRequest,
    over_quota,
    start_button,
)
from ui.search.words import choices_for
from ui.shared import reruns, session
from ui.shared.hiding import why
from ui.shared.theme import plain
from ui.shared.waiting import waiting
from ui.visitors import acts, asking, rules

MAX_SEEDS, MAX_FORM_BUDGET = 100, 20_000
MAX_CSV_MB = 20
#: a race that waits for its turn names an uploaded table by its path until its last run begins
UNSHOWN_SECONDS = 30 * 86_400.0
#: remarks on a table that are shown
REMARKS_SHOWN = 8


@st.fragment
def race_form(explorer: Explorer | None) -> None:
    """Show the form."""
    if reruns.refresh_asked():
        st.rerun()
    found = list_runs(state.search_jobs().storage) if shared() else []
    space = get_space(session.space_name())
    choices = choices_for(space, explorer)
    words, known, restricted, problem = _goals(space, choices)
    methods = _methods(space)
    budget, seeds, batch, first_seed, start_csv = _numbers(space)
    distinct = choose_distinct(space)
    prune = choose_prune(words)
    where = choose_limits(space)
    problem = problem or limits_problem(space, where)
    _meaning(space, words, known, restricted, where, choices)
    request = RaceRequest(
        words,
        methods,
        budget,
        seeds,
        first_seed,
        batch,
        restricted,
        start_csv,
        distinct,
        prune=prune,
        where=where,
        problem=problem,
    )
    problem = problem or over_quota(request, found)
    runs = request.runs
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(key="search-start", width="content"):
            start_button(
                "Start",
                request,
                "search-start",
                ":material/play_arrow:",
                type="primary",
                disabled=bool(problem) or not words or not methods or runs > MAX_RUNS,
            )
        st.markdown(_count(problem, words, methods, runs, request), width="stretch")


def show_quota(found: Sequence[RunSummary | UnreadableRun]) -> None:
    """What this visitor has used of what; ``found`` are all runs of the store."""
    used = asking.count_usage(state.search_jobs(), found, asking.visitor())
    st.caption(plain(rules.in_words(asking.quota(), used)), help=rules.LIMITS_HELP)


def _count(problem: str, words: Sequence[str], methods: Sequence[str], runs: int, request: RaceRequest) -> str:
    if problem:
        return f":red[{plain(problem)}]"
    if not words:
        return "Choose at least one goal."
    if not methods:
        return "Choose at least one method."
    if runs > MAX_RUNS:
        return f"{runs} runs are more than a race may have ({MAX_RUNS}): choose fewer methods or seeds."
    each = "" if runs == 1 else " each"
    text = f"**{count_of(runs, 'run')}** of **{count_of(request.budget, 'evaluation')}**{each}"
    if runs > cores():
        text += f"; {cores()} at once on this machine's {count_of(cores(), 'core')}, the others wait"
    if request.seeds == 1 and len(methods) > 1:
        text += ". :orange[With one seed, a lead may be chance]"
    return text + "."


# ---- goals ------------------------------------------------------------------------------------------------------


def _goals(
    space: AbstractSearchSpace, choices: Sequence[GoalChoice]
) -> tuple[tuple[str, ...], list[int | None], bool, str]:
    """Words, how many cells each goal knows (None: all), whether the search is restricted, what is wrong."""
    titles = {choice.word: choice.title for choice in choices}
    chosen = kept(
        f"search-goals-{space.name}",
        [choices[0].word] if choices else [],
        lambda key: st.multiselect(
            "Goals",
            list(titles),
            format_func=titles.__getitem__,
            key=key,
            max_selections=MAX_GOALS,
            select_all=False,
            placeholder="Choose what to optimise",
            help="One goal, or several at once: then a Pareto front is searched. ≈ marks predicted values.",
        ),
        valid=lambda value: [word for word in value if word in titles],
    )
    if not choices:
        none = f"No score of {space.title} is known or predicted on this machine: give a goal of your own below, or"
        st.caption(f"{plain(none)} import a benchmark file with `python -m svge_core data import FILE`.")
    known = [choice.cells for word in chosen for choice in choices if choice.word == word]
    words, problem = list(chosen), ""
    with st.expander("Goals of your own: a CSV column, or a Python function", icon=":material/edit_note:"):
        left, right = st.columns(2, gap="large")
        with left:
            own, cells, problem = _own_column(space)
            if own:
                words.append(own)
                known.append(cells)
        with right:
            function, unclear = _own_function()
            problem = problem or unclear
            if function:
                words.append(function)
                known.append(None)
    if len(words) > MAX_GOALS:
        problem = problem or f"A search has at most {MAX_GOALS} goals."
    return tuple(words), known, any(cells is not None for cells in known), problem


def _own_column(space: AbstractSearchSpace) -> tuple[str, int | None, str]:
    file = st.file_uploader(
        "A CSV file with architectures and values",
        type=["csv", "tsv", "txt", "gz"],
        key=f"search-csv-{space.name}",
        max_upload_size=most_megabytes(),
        help=f"A column {columns_in_words(space)}, and others of numbers",
    )
    if file is None:
        return "", None, ""
    try:
        with waiting("Reading the table …", space.title):
            table = import_csv(space, file.getvalue(), name=file.name)  # before anything is kept
        path = stored(file.getvalue(), file.name)
    except (SvgeError, OSError) as error:
        return "", None, why(error)
    titles = {key: meaning.title for key, meaning in table.meanings.items()}
    key = st.selectbox("Column", list(titles), format_func=lambda k: plain(titles[k]), key="search-csv-column")
    count = int(np.isfinite(table.frame[key].to_numpy(dtype=float)).sum())
    column = titles[key] if ":" not in titles[key] else key
    if table.remarks():
        st.caption("  \n".join(plain(line) for line in table.remarks()[:REMARKS_SHOWN]))
    directions: list[Direction] = ["max", "min"]
    direction = st.radio(
        "Goal",
        directions,
        index=directions.index(table.meanings[key].direction),
        format_func={"max": "More is better", "min": "Less is better"}.__getitem__,
        horizontal=True,
        key=f"search-csv-direction-{key}",
    )
    return f"csv:{path}:{column}:{direction}", None if count == space.size else count, ""


def _own_function() -> tuple[str, str]:
    if not asking.local_browser():
        st.caption(asking.NO_CODE if not shared() else rules.CODE_OFF)
        return "", ""
    path = kept(
        "search-python",
        "",
        lambda key: st.text_input(
            "A Python function of a cell",
            key=key,
            placeholder="package.module:function",
            max_chars=300,
            help="Called with a Cell, returns a number. Add :min if less is better, :max,min for two numbers.",
        ),
    ).strip()
    if not path:
        return "", ""
    agreed = st.checkbox("Run this code on this machine", key="search-python-agreed")
    st.caption(
        "The module is imported and the function called for every evaluation, with your rights and without any "
        "protection. Name only code that you trust. It must be importable from the project's folder."
    )
    return (f"python:{path}", "" if agreed else "Agree that the Python function runs on this machine, or remove it.")


def most_megabytes() -> int:
    """How large a table may be that is uploaded here; visitors of a shared server have a limit of their own.

    Streamlit takes no 0: where visitors may upload nothing, the rules refuse what comes.
    """
    return max(1, min(MAX_CSV_MB, asking.quota().table_mb)) if shared() else MAX_CSV_MB


def stored(content: bytes, name: str) -> Path:
    """An uploaded table in a folder named by its content's hash, until a run is started and the store has it.

    Others that no form has shown for a month are dropped.
    """
    stem = "".join(c for c in Path(name).stem if c.isascii() and (c.isalnum() or c in "-_"))[:40] or "table"
    acts.check_upload(len(content))
    folder = asking.uploads_folder()
    path = folder / hashlib.sha256(content).hexdigest() / f"{stem}.csv"
    if path.exists():
        os.utime(path)  # a form shows it
        return path
    for old in tables_folder().rglob("*.csv"):
        if time.time() - old.stat().st_mtime > UNSHOWN_SECONDS:
            old.unlink(missing_ok=True)
    write_atomically(path, content)
    return path


# ---- methods and numbers ----------------------------------------------------------------------------------------


def _methods(space: AbstractSearchSpace) -> tuple[str, ...]:
    st.markdown("**Methods**, all with the same budget")
    chosen = []
    usable = session.checkpoint() is not None
    with st.container(key="search-methods"):
        for name, method in METHODS.items():
            lacks = "Needs a checkpoint of this space." if method.needs_checkpoint and not usable else ""
            lacks = method.why_not(space) or lacks
            with st.container(key=f"search-method-box-{name}", gap=None):
                if kept(
                    f"search-method-{name}",
                    name in DEFAULT_METHODS,
                    lambda key, m=method, off=bool(lacks): st.checkbox(m.title, key=key, disabled=off),
                ):
                    chosen += [] if lacks else [name]
                st.caption(plain(lacks or method.summary))
    return tuple(chosen)


def _numbers(space: AbstractSearchSpace) -> tuple[int, int, int, int, str | None]:
    with st.container(key="search-numbers", horizontal=True):
        most = max(1, min(MAX_FORM_BUDGET, asking.quota().budget)) if shared() else MAX_FORM_BUDGET
        budget = kept(
            "search-budget",
            DEFAULT_BUDGET,
            lambda key: st.number_input(
                "Budget per run",
                1,
                most,
                key=key,
                help="Evaluations of each run. Every label counts, the random first ones too.",
            ),
            valid=lambda value: min(value, most),
        )
        seeds = kept(
            "search-seeds",
            DEFAULT_SEEDS,
            lambda key: st.number_input(
                "Seeds",
                1,
                MAX_SEEDS,
                key=key,
                help="Runs per method. To compare methods in earnest, use 10 or more.",
            ),
        )
        batch = kept(
            "search-batch",
            1,
            lambda key: st.number_input(
                "Batch (q)",
                1,
                MAX_BATCH,
                key=key,
                help="Cells proposed at a time, before their values are known",
            ),
        )
        first = kept("search-first", 0, lambda key: st.number_input("First seed", 0, 10**6, key=key))
    with st.expander("Existing labels to start from", icon=":material/upload_file:"):
        file = st.file_uploader(
            "A CSV file with architectures and a column per goal",
            type=["csv", "tsv", "txt", "gz"],
            key=f"search-labels-{space.name}",
            max_upload_size=most_megabytes(),
            help=f"A column {columns_in_words(space)}, and others of numbers",
        )
        st.caption("They are known to every run from the beginning. No budget counts them, but every chart does.")
        path = None
        if file is not None:
            try:
                with waiting("Reading the table …", space.title):
                    read = import_csv(space, file.getvalue(), name=file.name)  # before anything is kept
                path = str(stored(file.getvalue(), file.name))
                if read.remarks():
                    st.warning("  \n".join(plain(line) for line in read.remarks()[:REMARKS_SHOWN]))
            except SvgeError as error:
                st.error(plain(str(error)))
            except OSError as error:
                st.error(plain(f"The file cannot be kept: {why(error)}"))
    return int(budget), int(seeds), int(batch), int(first), path


def _meaning(
    space: AbstractSearchSpace,
    words: Sequence[str],
    known: Sequence[int | None],
    restricted: bool,
    where: Sequence[str],
    choices: Sequence[GoalChoice],
) -> None:
    """What is searched, and what the numbers are."""
    if not words:
        return
    lines = [f"**Searched:** {searched(space, known, restricted)}{plain(limits_in_words(where))}"]
    whole: list[str] = []
    for word in words:
        choice = next((choice for choice in choices if choice.word == word), None)
        if choice is None:
            kind, rest = split_word(word)
            if kind == "csv":
                _, column, direction = split_csv(rest)
                better = "lower is better" if direction == "min" else "higher is better"
                lines.append(f"**{plain(column)}:** values of your file, {better}; what they mean, you know.")
            else:
                lines.append(f"**{plain(rest)}:** values of your function; what they mean, you know.")
        elif choice.meaning.kind == "predicted":
            lines.append(f":violet[*{plain(f'{choice.title}: nothing is trained, a guess of a model is searched.')}*]")
            whole.append(plain(f"Stands for: {choice.meaning.describe()}"))
        else:
            lines.append(f"**{plain(choice.title)}**")
            whole.append(plain(choice.meaning.describe()))
    st.caption("  \n".join(lines), help="\n\n".join(whole) or None)


def searched(space: AbstractSearchSpace, known: Sequence[int | None], restricted: bool) -> str:
    """Which cells can be proposed, in words."""
    size = (
        ""
        if space.size is None
        else f" ({count_of(space.size, 'cell')})"
        if space.size < 1e12
        else f" ({space.size:.1e} cells)"
    )
    if not restricted:
        return f"all of {space.title}{size}."
    counts = [count for count in known if count is not None]
    few = count_of(counts[0], "known cell") if len(counts) == 1 else "cells with a known value of every goal"
    return f"{space.title}{size}, **restricted to the {few}**: the table does not cover the space."
