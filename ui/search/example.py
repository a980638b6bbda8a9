"""Finished searches that come with the project, shown where the store holds none: real runs, marked as examples."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from svge_core.data import count_of
from svge_core.errors import DataError
from svge_core.explorer import Explorer
from svge_core.search.runs import RunSummary, RunView, read_race
from svge_core.search.searchers import METHODS
from ui.paths import ROOT
from ui.search.charts import show_comparison
from ui.search.run import show_evaluations
from ui.search.state import Run
from ui.search.words import run_title
from ui.shared.hiding import for_visitors
from ui.shared.theme import plain

_FOLDER = ROOT / "assets" / "example"
_CHOSEN = "example_run"
RACE, DISTRIBUTION = "race", "graphpnas"


@st.cache_resource(show_spinner=False)
def _read(name: str) -> tuple[RunView, ...]:
    return read_race(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()), f"assets/example/{name}.json.gz")


def example_views(name: str, space: str) -> tuple[RunView, ...]:
    """The runs of an example of a space; none where it is of another one, or its file is not there.

    Args:
        name: :data:`RACE` or :data:`DISTRIBUTION`.
        space: that is shown.
    """
    try:
        views = _read(name)
    except (DataError, OSError, EOFError):
        return ()  # an installation without it has all the rest
    return tuple(map(for_visitors, views)) if views[0].config.space == space else ()


def run_of(view: RunView) -> Run:
    """An example as the list of runs would have it."""
    started = view.evaluations[0].started or datetime.now(UTC)
    best = None if view.best is None or view.best.values is None else view.best.values[0]
    summary = RunSummary(view.config.name, view.config, view.state, view.evaluated, view.config.budget, best, started)
    return Run(summary, "finished")


def show_protocol(views: Sequence[RunView]) -> None:
    """Show what was run, and behind a button the commands that run it again, one for each method."""
    first = views[0]
    methods = dict.fromkeys(view.config.method for view in views)
    seeds = len({view.config.seed for view in views})
    titles = ", ".join(METHODS[name].title for name in methods)
    budget = count_of(first.config.budget, "evaluation")
    command = (
        f"svge search --space {first.config.space} --objective {first.config.objective[0]} --method {{}} "
        f"--budget {first.config.budget} --seeds {seeds}"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f":blue-badge[example] {plain(titles)}: {budget} per run, the random first ones included, "
            f"{count_of(seeds, 'seed')} each.",
            width="content",
        )
        with st.popover("Commands", icon=":material/terminal:", type="tertiary", help="The same runs without the app"):
            st.code("\n".join(command.format(name) for name in methods), language="bash")


def show_example(explorer: Explorer | None, space: str) -> None:
    """The example race of a space, if there is one, to be replayed step by step."""
    views = example_views(RACE, space)
    if not views:
        return
    with st.container(key="search-example"):
        st.markdown("##### A finished race, as an example")
        show_protocol(views)
        show_comparison([("", list(views))], (), stored=False)
        by_name = {view.config.name: view for view in views}
        st.session_state.setdefault(_CHOSEN, views[0].config.name)
        if st.session_state[_CHOSEN] not in by_name:
            st.session_state[_CHOSEN] = views[0].config.name
        st.session_state["w-example-run"] = st.session_state[_CHOSEN]
        name = st.selectbox(
            "Run to look into",
            list(by_name),
            key="w-example-run",
            width=420,
            format_func=lambda chosen: run_title(by_name[chosen].config),
            on_change=lambda: st.session_state.update({_CHOSEN: st.session_state["w-example-run"]}),
        )
        show_evaluations(explorer, run_of(by_name[name]), by_name[name], by_name)
