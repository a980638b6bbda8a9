"""Words for races, runs and goals, and the goals that can be chosen."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from svge_core.data import Scores
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.search.objectives import GoalChoice, goal_choices, split_csv, split_word, table_name
from svge_core.search.runs import Evaluation, SearchConfig
from svge_core.search.searchers import METHODS
from svge_core.spaces import AbstractSearchSpace
from ui.search.state import RunGroup
from ui.shared import reruns
from ui.shared.loaders import known_scores
from ui.shared.numbers import number_in_words


def when(moment: datetime) -> str:
    """A time as the browser's clock shows it."""
    try:
        zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    return f"{moment.astimezone(zone):%d %b %H:%M:%S}"


def predicted_in_words(e: Evaluation, unit: str) -> str:
    """What the method expected of a cell, without the unit."""
    if e.mean is None:
        return ""
    spread = "" if e.std is None else f" ± {number_in_words(e.std, unit)}"
    return f"≈ {number_in_words(e.mean, unit)}{spread}"


def goals_in_words(config: SearchConfig, titles: dict[str, str]) -> str:
    """The goals of a run, short."""
    words = []
    for word in config.objective:
        kind, rest = split_word(word)
        if kind == "csv":
            named, column, direction = split_csv(rest)
            words.append(f"{column} of {table_name(named)}" + (f" ({direction})" if direction else ""))
        else:
            words.append(titles.get(word) or (f"{kind} {rest}" if kind != "table" else rest.replace("_", " ")))
    return " against ".join(words)


def group_title(group: RunGroup, titles: dict[str, str]) -> str:
    """One line on a race: what a person calls it, then what never changes."""
    methods = list(dict.fromkeys(METHODS[run.summary.config.method].title for run in group.runs))
    shown = ", ".join(methods) if len(methods) <= 2 else f"{len(methods)} methods"
    first = min(run.summary.started for run in group.runs)
    name = f"{group.notes.title} · " if group.notes.title else ""
    return f"{name}{when(first)} · {goals_in_words(group.config, titles)} · {shown} · budget {group.config.budget}"


def run_title(config: SearchConfig) -> str:
    """Method and seed."""
    return f"{METHODS[config.method].title}, seed {config.seed}"


def distinct(titles: dict[str, str]) -> dict[str, str]:
    """Titles with a number where several are equal: a list cannot tell equal titles apart."""
    counts: dict[str, int] = {}
    found = {}
    for key, title in titles.items():
        counts[title] = counts.get(title, 0) + 1
        found[key] = title if counts[title] == 1 else f"{title} ({counts[title]})"
    return found


def choices_for(space: AbstractSearchSpace, explorer: Explorer | None) -> tuple[GoalChoice, ...]:
    """The goals that can be chosen in a space, with the open checkpoint's predictors."""
    if explorer is not None and explorer.space.name == space.name:
        return reruns.memo(
            "goal choices", explorer.digest, lambda: goal_choices(space, explorer.scores, explorer.predictors)
        )
    return reruns.memo("goal choices", space.name, lambda: goal_choices(space, _scores(space)))


def _scores(space: AbstractSearchSpace) -> Scores:
    from svge_core.data import analytic_scores

    try:
        return known_scores(space.name)
    except SvgeError:
        return analytic_scores(space)
