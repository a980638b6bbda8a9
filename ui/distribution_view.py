"""What a run's generator has learned: its draws beside random ones, at one moment of the run and over all of it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from svge_core.distribution import Draws, at_random, edge_shares, learned, marks, operation_shares, values_of
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.figures.distribution import edge_figure, operation_figure, rounds_figure, score_figure
from svge_core.palette import ThemeName, operation_label
from svge_core.search.goals import Goal, Objective
from svge_core.search.objectives import make_objective
from svge_core.search.run_types import RunView
from svge_core.search.searchers.generative import GraphPNASOptions
from svge_core.spaces import get_space
from svge_core.spaces.base import AbstractSearchSpace
from ui import search_state as state
from ui.model_widgets import halves, show_chart
from ui.search_state import Run
from ui.theme import plain, theme_name

#: draws per picture
SAMPLES = 1_000
_ROUNDS = "distribution_rounds"


@dataclass(frozen=True)
class Sampled:
    """Draws and the values of those that have one."""

    draws: Draws
    values: np.ndarray


def show_distribution(space: AbstractSearchSpace, run: Run, explorer: Explorer | None) -> None:
    """Everything about one run."""
    try:
        view = state.views_of(state.search_jobs().storage, [run])[run.name]
        objective = _objective(view, explorer)
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    seen = len(view.history())
    warm_up = GraphPNASOptions().warm_up
    at = st.slider(
        "Evaluations the generator has seen",
        warm_up,
        seen,
        seen,
        key=f"distribution_at_{run.name}",
        help="The generator is fitted again to the best of the first evaluations and draws "
        f"{SAMPLES:,} architectures, known ones included.",
    )
    with st.spinner("Fitting the generator and drawing from it …"):
        chance = _random(space.name, view.config.objective, objective)
        now = _learned(view, objective, at)
    goal, theme = view.goals[0], theme_name()
    _headline(now, chance, goal)
    left, right = halves("distribution")
    with left:
        st.subheader("Scores")
        alt = f"Score of {len(now.values):,} learned draws, median {_median(now)}; random: median {_median(chance)}"
        show_chart(score_figure(now.values, chance.values, goal, theme), key="distribution_scores", alt=alt)
    with right:
        st.subheader("Operations")
        shares, others = (operation_shares(space, sampled.draws.cells) for sampled in (now, chance))
        top = operation_label(space.operations[int(shares.argmax())])
        show_chart(
            operation_figure(space.operations, shares, others, theme),
            key="distribution_operations",
            alt=f"Most frequent operation of the learned distribution: {top}, {shares.max():.0%}",
        )
    st.caption(_provenance(now, chance, view, goal))
    st.subheader("Edges of the learned distribution")
    found = edge_shares(space, now.draws.cells)
    edge, kind = np.unravel_index(int(found.shares.argmax()), found.shares.shape)
    alt = f"Most certain: {found.kinds[kind]} on edge {found.edges[edge]}, {found.shares.max():.0%}"
    show_chart(edge_figure(found, theme), key="distribution_edges", alt=alt)
    st.fragment(_rounds)(view, objective, chance, theme)


def _headline(now: Sampled, chance: Sampled, goal: Goal) -> None:
    unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
    with st.container(horizontal=True):
        for name, sampled in (("Learned", now), ("Random", chance)):
            draws, of = sampled.draws, f"of {sampled.draws.drawn:,} draws"
            if len(sampled.values):
                st.metric(f"{name}: median score", f"{np.median(sampled.values):.2f}{unit}", border=True)
            st.metric(
                f"{name}: distinct", f"{draws.distinct:,}", delta=of, delta_color="off", delta_arrow="off", border=True
            )
        share = len(now.draws.cells) / now.draws.drawn
        st.metric("Learned: members of the space", f"{share:.1%}", border=True)


def _provenance(now: Sampled, chance: Sampled, view: RunView, goal: Goal) -> str:
    """Where every number on the page comes from, in one sentence each."""
    unknown = len(now.draws.cells) - len(now.values)
    text = (
        f"{now.draws.title} on seed {view.config.seed}; {now.draws.drawn:,} independent draws, repeats counted. "
        f"{chance.draws.title.capitalize()}: {chance.draws.drawn:,} draws of the space's own distribution. "
        f"Scores are {goal.kind}: {goal.meaning.describe()}."
    )
    return plain(text + (f" {unknown:,} learned draws have no known score." if unknown else ""))


def _rounds(view: RunView, objective: Objective, chance: Sampled, theme: ThemeName) -> None:
    """How the distribution sharpens; one refit per run of this fragment, so that the page stays responsive."""
    st.subheader("Round by round")
    wanted = marks(len(view.history()), GraphPNASOptions().warm_up)
    asked = st.session_state.get(_ROUNDS) == view.config.name
    if not asked:
        st.button(
            f"Fit it at {len(wanted)} moments of the run",
            key="distribution_rounds_start",
            icon=":material/timeline:",
            on_click=lambda: st.session_state.update({_ROUNDS: view.config.name}),
            help="About a second each",
        )
        return
    place = st.empty()
    found = []
    for number, mark in enumerate(wanted):
        place.progress(
            number / len(wanted), text=f"Generator after {mark:,} evaluations, {number + 1} of {len(wanted)}"
        )
        found.append(_learned(view, objective, mark))
    place.empty()
    shown = [(mark, one) for mark, one in zip(wanted, found, strict=True) if len(one.values)]
    if not shown or not len(chance.values):
        st.info("None of the drawn architectures has a known score.")
        return
    figure = rounds_figure([m for m, _ in shown], [o.values for _, o in shown], chance.values, view.goals[0], theme)
    first, last = shown[0][1], shown[-1][1]
    show_chart(figure, key="distribution_rounds_chart", alt=f"Median from {_median(first)} to {_median(last)}")
    distinct = ", ".join(f"{one.draws.distinct:,} after {mark:,}" for mark, one in shown)
    st.caption(f"Distinct architectures among {SAMPLES:,} draws: {distinct}.")


def _median(sampled: Sampled) -> str:
    return f"{np.median(sampled.values):.2f}" if len(sampled.values) else "unknown"


def _objective(view: RunView, explorer: Explorer | None) -> Objective:
    config = view.config
    checkpoint = explorer.checkpoint if explorer is not None and config.uses_checkpoint else None
    return _made(config.space, config.objective, checkpoint.digest if checkpoint else "", checkpoint)


@st.cache_resource(max_entries=8, show_spinner=False)
def _made(space: str, objective: tuple[str, ...], digest: str, _checkpoint: object) -> Objective:
    return make_objective(objective, get_space(space), _checkpoint)  # type: ignore[arg-type]


@st.cache_resource(max_entries=16, show_spinner=False)
def _random(space: str, words: tuple[str, ...], _objective: Objective) -> Sampled:
    draws = at_random(get_space(space), SAMPLES)
    return Sampled(draws, values_of(draws, _objective))


def _learned(view: RunView, objective: Objective, evaluations: int) -> Sampled:
    return _fitted(view.config.name, str(view.evaluations[0].started), evaluations, view, objective)


@st.cache_resource(max_entries=64, show_spinner=False)
def _fitted(name: str, began: str, evaluations: int, _view: RunView, _objective: Objective) -> Sampled:
    """The same for the first evaluations of a run, whatever follows them."""
    draws = learned(get_space(_view.config.space), _view.history(), evaluations, samples=SAMPLES)
    return Sampled(draws, values_of(draws, _objective))
