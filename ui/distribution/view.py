"""What a run's generator has learned: its draws beside random ones, at one moment of the run and over all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName, operation_label
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.figures import edge_count_figure, edge_figure, operation_figure, rounds_figure, score_figure
from svge_core.graphpnas import COUNTED, view_of
from svge_core.search import Draws, at_random, draw_learned, edge_shares, marks, operation_shares, values_of
from svge_core.search.objectives import COSTLY, Goal, Objective, TableSource, make_objective, split_word
from svge_core.search.runs import RunView, stored_tables
from svge_core.search.searchers import DRAWN, RANDOM_START, GraphPNASOptions
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.search import state
from ui.search.start import checkpoint_path
from ui.search.state import Run
from ui.shared import session
from ui.shared.hiding import shown_checkpoint
from ui.shared.meaning import protocol
from ui.shared.theme import plain, theme_name
from ui.shared.waiting import waiting
from ui.shared.widgets import halves, show_chart
from ui.visitors import acts

#: draws per picture, and of graphs so large that a draw takes a thirtieth of a second
SAMPLES, FEWER, LARGE = 1_000, 200, 16
_ROUNDS = "distribution_rounds"


@dataclass(frozen=True)
class Sampled:
    """Draws and the values of those that have one."""

    draws: Draws
    values: np.ndarray


@dataclass(frozen=True)
class Samples:
    """What is drawn and known for one run.

    Attributes:
        view: the run.
        objective: gives the score of any draw; None where that costs a training, and the run's own evaluations stand
            for them.
        stamp: changes with the weights that the scores come from.
    """

    view: RunView
    objective: Objective | None
    stamp: str = ""

    def random(self) -> Sampled:
        """Random architectures of the space."""
        config = self.view.config
        if self.objective is not None:
            return _random(config.space, config.objective, self.stamp, self.objective)
        paid = [e.values[0] for e in self.view.done if e.values and e.source == RANDOM_START]
        return Sampled(_any(config.space), np.array(paid))

    def learned(self, at: int) -> Sampled:
        """Draws of the generator that has seen the first evaluations."""
        name, began = self.view.config.name, str(self.view.evaluations[0].started)
        draws = _drawn(name, began, at, self.view)
        if self.objective is None:
            return Sampled(draws, self.paid(0, at))
        return _scored(name, began, at, self.stamp, draws, self.objective)

    def paid(self, first: int, last: int) -> np.ndarray:
        """Scores of what the run drew from its generator and evaluated between two moments."""
        return np.array([e.values[0] for e in self.view.done[first:last] if e.values and e.source == DRAWN])


def draws_of(space: AbstractSearchSpace) -> int:
    """How many architectures are drawn for a picture."""
    return FEWER if view_of(space).nodes > LARGE else SAMPLES


def show_distribution(space: AbstractSearchSpace, run: Run, explorer: Explorer | None) -> None:
    """Everything about one run."""
    try:
        view = state.views_of(state.search_jobs().storage, [run])[run.name]
        samples = Samples(view, None) if _costly(view) else _samples(view, explorer)
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show(space, samples)


def show_example(space: AbstractSearchSpace, view: RunView, explorer: Explorer | None) -> None:
    """Everything about a run that is in no store and names no table of a person's own."""
    try:
        samples = _samples(view, explorer, _no_table)
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show(space, samples)


def _no_table(name: str) -> NoReturn:
    raise SvgeError(f"The example names the table {name!r}, which is not here.")


def _show(space: AbstractSearchSpace, samples: Samples) -> None:
    view = samples.view
    seen = len(view.history())
    warm_up = GraphPNASOptions().warm_up
    at = st.slider(
        "Evaluations the generator has seen",
        warm_up,
        seen,
        seen,
        key=f"distribution_at_{view.config.name}",
        help="The generator is fitted again to the best of the first evaluations and draws "
        f"{draws_of(space):,} architectures, known ones included.",
    )
    with waiting("Fitting the generator and drawing from it …", COUNTED):
        chance, now = samples.random(), samples.learned(at)
    goal, theme = view.goals[0], theme_name()
    _headline(now, chance, goal)
    left, right = halves("distribution")
    with left:
        st.subheader("Scores")
        alt = f"Score of {len(now.values):,} learned draws, median {_median(now)}; random: median {_median(chance)}"
        show_chart(score_figure(now.values, chance.values, goal, theme), key="distribution_scores", alt=alt)
    with right:
        if len(space.operations) > 1:
            _operations(space, now, chance, theme)
        else:
            _edge_counts(now, chance, theme)
    protocol(samples.view.goals[0].meaning, after=_provenance(samples, now, chance))
    st.subheader("Edges of the learned distribution")
    found = edge_shares(space, now.draws.cells)
    edge, kind = np.unravel_index(int(found.shares.argmax()), found.shares.shape)
    alt = f"Most certain: {found.kinds[kind]} on edge {found.edges[edge]}, {found.shares.max():.0%}"
    show_chart(edge_figure(found, theme), key="distribution_edges", alt=alt)
    st.fragment(_rounds)(samples, chance, theme)


def _operations(space: AbstractSearchSpace, now: Sampled, chance: Sampled, theme: ThemeName) -> None:
    st.subheader("Operations")
    shares, others = (operation_shares(space, sampled.draws.cells) for sampled in (now, chance))
    top = operation_label(space.operations[int(shares.argmax())])
    show_chart(
        operation_figure(space.operations, shares, others, theme),
        key="distribution_operations",
        alt=f"Most frequent operation of the learned distribution: {top}, {shares.max():.0%}",
    )


def _edge_counts(now: Sampled, chance: Sampled, theme: ThemeName) -> None:
    """Where all nodes do the same, the wiring is all there is."""
    st.subheader("Edges per architecture")
    counts, others = (np.array([len(cell.edges) for cell in sampled.draws.cells]) for sampled in (now, chance))
    middle, other = np.median(counts), np.median(others)
    alt = f"Median number of edges: learned {middle:.0f}, random {other:.0f}"
    show_chart(edge_count_figure(counts, others, theme), key="distribution_edge_counts", alt=alt)


def _headline(now: Sampled, chance: Sampled, goal: Goal) -> None:
    unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
    with st.container(horizontal=True):
        for name, sampled in (("Learned", now), ("Random", chance)):
            draws, of = sampled.draws, f"of {sampled.draws.drawn:,} draws"
            if len(sampled.values):
                low, high = np.quantile(sampled.values, (0.1, 0.9))
                _number(f"{name}: median score", f"{_median(sampled)}{unit}", f"10 to 90 %: {low:.2f} to {high:.2f}")
            _number(f"{name}: distinct", f"{draws.distinct:,}", of)
        _number("Learned: members of the space", f"{len(now.draws.cells):,}", f"of {now.draws.drawn:,} draws")


def _number(label: str, value: str, below: str) -> None:
    st.metric(label, value, delta=below, delta_color="off", delta_arrow="off", border=True, height="stretch")


def _provenance(samples: Samples, now: Sampled, chance: Sampled) -> str:
    """Where every number on the page comes from, in one sentence each."""
    text = (
        f"{now.draws.title} on seed {samples.view.config.seed}; {now.draws.drawn:,} independent draws, repeats "
        "counted. "
        f"{chance.draws.title.capitalize()}: {chance.draws.drawn:,} draws of the space's own distribution."
    )
    if samples.objective is None:
        return (
            f"{text} A score costs an evaluation of its own here, so the draws have none: shown are the run's "
            f"{len(now.values):,} drawn and {len(chance.values):,} random evaluations."
        )
    unknown = len(now.draws.cells) - len(now.values)
    return text + (f" {unknown:,} learned draws have no known score." if unknown else "")


def _rounds(samples: Samples, chance: Sampled, theme: ThemeName) -> None:
    """How the distribution sharpens; one refit per run of this fragment, so that the page stays responsive."""
    view = samples.view
    st.subheader("Round by round")
    wanted = marks(len(view.history()), GraphPNASOptions().warm_up)
    if samples.objective is None:
        values = [samples.paid(first, last) for first, last in zip(wanted, wanted[1:], strict=False)]
        _rounds_chart(view, wanted[1:], values, chance, theme)
        st.caption("Each point stands for the run's own drawn evaluations since the one before.")
        return
    if st.session_state.get(_ROUNDS) != view.config.name:
        st.button(
            f"Fit it at {len(wanted)} moments of the run",
            key="distribution_rounds_start",
            icon=":material/timeline:",
            on_click=lambda: st.session_state.update({_ROUNDS: view.config.name}),
            help="The generator is fitted anew for each of them",
        )
        return
    place = st.empty()
    found = []
    with waiting("Fitting the generator and drawing from it …", COUNTED):
        for number, mark in enumerate(wanted):
            place.progress(
                number / len(wanted), text=f"Generator after {mark:,} evaluations, {number + 1} of {len(wanted)}"
            )
            found.append(samples.learned(mark))
    place.empty()
    _rounds_chart(view, wanted, [one.values for one in found], chance, theme)
    distinct = ", ".join(f"{one.draws.distinct:,} after {mark:,}" for mark, one in zip(wanted, found, strict=True))
    st.caption(f"Distinct architectures among {draws_of(get_space(view.config.space)):,} draws: {distinct}.")


def _rounds_chart(
    view: RunView, wanted: Sequence[int], values: Sequence[np.ndarray], chance: Sampled, theme: ThemeName
) -> None:
    shown = [(mark, found) for mark, found in zip(wanted, values, strict=True) if len(found)]
    if not shown or not len(chance.values):
        st.info("None of the drawn architectures has a known score.")
        return
    figure = rounds_figure([m for m, _ in shown], [v for _, v in shown], chance.values, view.goals[0], theme)
    first, last = (f"{np.median(shown[place][1]):.2f}" for place in (0, -1))
    show_chart(figure, key="distribution_rounds_chart", alt=f"Median from {first} to {last}")


def _median(sampled: Sampled) -> str:
    return f"{np.median(sampled.values):.2f}" if len(sampled.values) else "unknown"


def _costly(view: RunView) -> bool:
    return split_word(view.config.objective[0])[0] in COSTLY


def _samples(view: RunView, explorer: Explorer | None, tables: TableSource | None = None) -> Samples:
    """With the objective of the run; its tables are those of the store unless others are given.

    Raises:
        SvgeError: if the run's scores are predictions of a checkpoint that is not the open one, or cannot be had.
    """
    config, folder, checkpoint, stamp = view.config, session.checkpoint(), None, ""
    if split_word(config.objective[0])[0] == "predictor":
        if explorer is None or folder is None or shown_checkpoint(checkpoint_path(folder)) != config.checkpoint:
            raise SvgeError(
                f"The scores of this run are predictions of the checkpoint {config.checkpoint}: choose it in the "
                "sidebar to see its draws."
            )
        checkpoint = explorer.checkpoint
        stamp = checkpoint.digest
    if tables is None:
        tables = stored_tables(state.search_jobs().storage, config.name)
    # tables are named by their content, so no stamp is needed
    return Samples(view, _made(config.space, config.objective, stamp, checkpoint, tables), stamp)


@st.cache_resource(max_entries=8, show_spinner=False)
def _made(
    space: str, objective: tuple[str, ...], stamp: str, _checkpoint: Checkpoint | None, _tables: TableSource
) -> Objective:
    return make_objective(objective, get_space(space), _checkpoint, tables=_tables)


@st.cache_resource(max_entries=16, show_spinner=False)
def _random(space: str, words: tuple[str, ...], stamp: str, _objective: Objective) -> Sampled:
    draws = _any(space)
    return Sampled(draws, values_of(draws, _objective))


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(name: str, began: str, evaluations: int, _view: RunView) -> Draws:
    """The same for the first evaluations of a run, whatever follows them."""
    space = get_space(_view.config.space)
    with acts.fitting():
        return draw_learned(space, _view.history(), evaluations, samples=draws_of(space))


def _any(space: str) -> Draws:
    return at_random(get_space(space), draws_of(get_space(space)))


@st.cache_resource(max_entries=64, show_spinner=False)
def _scored(name: str, began: str, evaluations: int, stamp: str, _draws: Draws, _objective: Objective) -> Sampled:
    return Sampled(_draws, values_of(_draws, _objective))
