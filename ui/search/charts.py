"""The races beside each other: best so far or Pareto front, and how the methods stand."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from svge_core.data import count_of, score_name
from svge_core.drawing import THEMES, blended
from svge_core.figures import front_figure, hypervolume_figure, method_style, progress_figure
from svge_core.search import Hypervolumes, Lineup, Standing, best_curves, hypervolumes, standings
from svge_core.search.objectives import Goal
from svge_core.search.runs import RunView
from ui.live_chart.component import live_chart
from ui.search.figure import fronts_figure, race_figure
from ui.shared import reruns
from ui.shared.numbers import number_in_words
from ui.shared.theme import plain, theme_name

BEST, GAP, FRONT, VOLUME = "Best so far", "Gap to the optimum", "Pareto front", "Hypervolume"


def show_comparison(lineup: Lineup, left_out: Sequence[str], *, stored: bool = True) -> None:
    """Chart and table of all runs that search the same cells for the same goals.

    Args:
        lineup: the runs.
        left_out: names of runs that cannot stand with them.
        stored: whether they are in the store: a figure's command and Python call find no others.
    """
    views = [view for _, found in lineup for view in found]
    if not views:
        return
    goals, optimum = views[0].goals, views[0].optimum
    with st.container(key="search-comparison"):
        left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        first, *others = goals
        if others:
            _several(lineup, goals, stored=stored)
        else:
            _single(lineup, first, next(iter(optimum or ()), None), stored=stored)
    with right:
        _standings(lineup, goals)
        _words(views, goals, optimum)
        if left_out:
            verb = "searches" if len(left_out) == 1 else "search"
            st.caption(
                f"{count_of(len(left_out), 'run')} {verb} other cells or goals and cannot stand in the same chart: "
                f"{plain(', '.join(left_out[:4]))}{' …' if len(left_out) > 4 else ''}"
            )


def _single(lineup: Lineup, goal: Goal, optimum: float | None, *, stored: bool) -> None:
    kinds = [BEST, GAP] if optimum is not None else [BEST]
    kind = _picked("search-chart", kinds)
    curves = best_curves(lineup)
    figure = progress_figure(curves, goal, theme_name(), optimum=optimum, regret=kind == GAP, budget=_longest(lineup))
    bands = sorted({curve.band for curve in curves if curve.band})
    live_chart(figure, key="search-progress-chart", alt=_alt(lineup, kind, goal))
    st.caption(
        (f"Lines: median over runs; bands: {'; '.join(bands)}. " if bands else "")
        + "Every label counts, the random first ones and existing labels too."
    )
    if stored and any(view.done for _, found in lineup for view in found):
        race_figure(lineup, gap=kind == GAP)


def _several(lineup: Lineup, goals: tuple[Goal, ...], *, stored: bool) -> None:
    kind = _picked("search-chart-several", [FRONT, VOLUME, BEST])
    titles = {place: goal.meaning.title for place, goal in enumerate(goals)}
    if kind == FRONT:
        across, up = 1, 0
        if len(goals) > 2:
            with st.container(horizontal=True):
                up = st.selectbox("Upwards", list(titles), format_func=titles.__getitem__, key="search-up")
                others = [place for place in titles if place != up]
                across = st.selectbox("Across", others, format_func=titles.__getitem__, key="search-across")
        figure = front_figure(lineup, across, up, theme_name())
        alt = f"Evaluations by {titles[across]} and {titles[up]}, with the Pareto front of every method"
        live_chart(figure, key="search-front-chart", alt=alt)
        st.caption(
            "Large marks: not dominated by any other evaluation of the method's runs together. The axes are those of "
            "the fronts; arrows at their edge point to what lies beyond."
        )
        if stored and any(view.done for _, found in lineup for view in found):
            fronts_figure(lineup, across, up)
        return
    if kind == VOLUME:
        volumes = _volumes(lineup)
        if volumes is None:
            st.info("There is no hypervolume before two different values of every goal are known.")
            return
        predicted = any(goal.kind == "predicted" for goal in goals)
        figure = hypervolume_figure(volumes, theme_name(), budget=_longest(lineup), predicted=predicted)
        live_chart(figure, key="search-volume-chart", alt="Hypervolume over labels used, per method")
        corners = "; ".join(
            f"{goal.meaning.title} {worst:.5g} to {best:.5g}"
            for goal, worst, best in zip(goals, volumes.worst, volumes.best, strict=True)
        )
        st.caption(plain(f"The box reaches from the worst to the best value seen in any shown run: {corners}."))
        return
    place = st.selectbox("Goal", list(titles), format_func=titles.__getitem__, key="search-goal")
    figure = progress_figure(best_curves(lineup, place), goals[place], theme_name(), budget=_longest(lineup))
    live_chart(figure, key=f"search-goal-chart-{place}", alt=_alt(lineup, kind, goals[place]))
    if stored and any(view.done for _, found in lineup for view in found):
        race_figure(lineup, place)


def _volumes(lineup: Lineup) -> Hypervolumes | None:
    """The hypervolumes of several goals; computed once for what the runs have found."""
    if any(len(view.goals) < 2 for _, found in lineup for view in found):
        return None
    stamp = tuple((view.config.name, len(view.done)) for _, found in lineup for view in found)
    return reruns.memo("hypervolumes", (stamp, [label for label, _ in lineup]), lambda: hypervolumes(lineup))


def _picked(key: str, kinds: list[str]) -> str:
    if len(kinds) == 1:
        return kinds[0]
    return st.segmented_control("Chart", kinds, default=kinds[0], key=key, required=True, label_visibility="collapsed")


def _longest(lineup: Lineup) -> int:
    """Labels that the longest run will have used at its end."""
    return max(view.start_count + view.config.budget for _, found in lineup for view in found)


def _alt(lineup: Lineup, kind: str, goal: Goal) -> str:
    best = "; ".join(
        f"{method_style(s.method, 'light', s.label).title}: {s.best:.5g}"
        for s in standings(lineup)
        if s.best is not None
    )
    return f"{kind} of {goal.meaning.title} over labels used. Median best now: {best or 'none yet'}"


def _standings(lineup: Lineup, goals: tuple[Goal, ...]) -> None:
    found = standings(lineup, _volumes(lineup))
    frame = standings_frame(found, goals)
    ink = THEMES[theme_name()].text  # a line's colour is too pale for letters
    colours = [blended(method_style(s.method, theme_name(), s.label).colour, ink, 0.55) for s in found]
    styled = frame.style.hide(axis="index").apply(
        lambda column: [f"color: {c}; font-weight: 600" for c in colours], subset=["Method"]
    )
    numbers: Any = [name for name in frame.columns if frame[name].dtype == float]
    written: Any = partial(number_in_words, unit=goals[0].meaning.unit)
    styled = styled.format(written, subset=numbers)
    if VOLUME in frame.columns:
        styled = styled.format("{:.1%}", subset=[VOLUME], na_rep="")
    with st.container(key="search-standings"):
        st.table(styled)


def standings_frame(found: Sequence[Standing], goals: tuple[Goal, ...]) -> pd.DataFrame:
    """One row per method: runs, best, and where the optimum is known how many found it and when.

    With several goals: hypervolume and size of the front, medians over the runs.
    """
    goal, *others = goals
    if others:
        return pd.DataFrame(
            {
                "Method": method_style(s.method, "light", s.label).title,
                VOLUME: float("nan") if s.volume is None else s.volume,
                "On the front": "" if s.front is None else f"{s.front:g}",
                "Finished": f"{s.finished} of {s.runs}",
            }
            for s in found
        )
    unit = f" ({goal.meaning.unit})" if goal.meaning.unit else ""
    best = f"{'≈ predicted' if goal.kind == 'predicted' else 'Median'} best{unit}"
    rows = []
    for s in found:
        row: dict[str, object] = {
            "Method": method_style(s.method, "light", s.label).title,
            best: float("nan") if s.best is None else s.best,
            "Finished": f"{s.finished} of {s.runs}",
        }
        if any(other.reached is not None for other in found):
            row["Found it"] = "" if s.reached is None else f"{s.reached} of {s.runs}"
            row["Labels to it"] = "" if s.to_optimum is None else f"{s.to_optimum:,.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def _words(views: Sequence[RunView], goals: tuple[Goal, ...], optimum: tuple[float, ...] | None) -> None:
    """What is searched, what the numbers mean, where the line is from."""
    whole, names = [], []
    for goal in goals:
        name = plain(f"{score_name(goal.meaning)} ({goal.kind})")
        names.append(f":violet[*≈ {name}*]" if goal.kind == "predicted" else name)
        whole.append(plain(goal.meaning.describe()))
    lines = [f"**Searched:** {plain(views[0].domain_title)} for {' and '.join(names)}"]
    if len(goals) > 1:
        whole.append(
            "**Hypervolume:** share of the box between the worst and the best value of every goal in any shown run "
            "that a run's cells dominate; **on the front:** evaluations of a run that none of it dominates. Medians "
            "over runs, the greatest hypervolume first."
        )
    if optimum is not None:
        lines.append("No method is told the optimum.")
        whole.append(
            "**Found it:** runs that reached the optimum, the best of all cells that could be proposed; **labels to "
            "it:** median, runs that have not reached it counted as infinitely late."
        )
    st.caption("  \n".join(lines), help="\n\n".join(whole))
