"""The panel beside the trail: the proposals of a run drawn with what was predicted and what came out."""

import streamlit as st

from svge_core.atlas import chartable
from svge_core.drawing import to_svg
from svge_core.explorer import cell_name
from svge_core.search.runs import Evaluation, RunView
from svge_core.spaces import get_space
from ui.search import state
from ui.search.state import Run
from ui.search.trail import proposals
from ui.search.words import predicted_in_words
from ui.shared import reruns, session
from ui.shared.basket import entry_for
from ui.shared.choices import BasketEntry, CellFocus
from ui.shared.numbers import number_in_words
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_drawing

#: drawings at once: more would push the table out of sight
MAX_DRAWN = 3


def show_panel(run: Run, view: RunView) -> None:
    """The chosen evaluation; without one the current proposals of a run that goes on, or the best of one at rest."""
    number = state.chosen_evaluation(view.config.name)
    chosen = [e for e in view.evaluations if e.number == number]
    if chosen:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"##### Evaluation #{number}", width="stretch")
            back = "What is proposed now" if run.active else "The best"
            st.button(
                back,
                key="search-back",
                type="tertiary",
                icon=":material/arrow_back:",
                on_click=state.choose_evaluation,
                args=(view.config.name, None),
            )
        _card(view, chosen[0], actions=True)
        return
    if not view.evaluations:
        st.markdown("##### Nothing proposed yet")
        st.caption("The process reads tables and models first.")
        return
    if run.active:
        shown = proposals(view)[-MAX_DRAWN:]
        waiting = any(e.state == "running" for e in shown)
        st.markdown("##### Being evaluated" if waiting else "##### Proposed last")
        for e in shown:
            _card(view, e)
        return
    if len(view.goals) > 1:
        front = view.front()
        st.markdown(f"##### The front: {len(front)} not dominated")
        for e in front[:MAX_DRAWN]:
            _card(view, e)
        if len(front) > MAX_DRAWN:
            st.caption(
                f"and {len(front) - MAX_DRAWN} more: in the table, on the map as ★, and with the button to the basket."
            )
        return
    st.markdown("##### The best")
    if view.best is not None:
        _card(view, view.best, actions=True)


def _card(view: RunView, e: Evaluation, *, actions: bool = False) -> None:
    """One evaluation: drawing, what was predicted beside what came out, why it was proposed."""
    space = get_space(view.config.space)
    show_drawing(to_svg(e.cell, space, theme=theme_name()), alt=f"Drawing of the cell {e.notation}")
    rows = [f"| #{e.number} | value | :violet[*predicted before*] |", "|:---|---:|---:|"]
    for place, goal in enumerate(view.goals):
        unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
        if e.values is None:
            value = {"failed": "failed", "pruned": "stopped early"}.get(e.state, ":gray[pending]")
        else:
            number = plain(f"{number_in_words(e.values[place], goal.meaning.unit)}{unit}")
            value = f":violet[*≈ {number}*]" if goal.kind == "predicted" else f"**{number}**"
        before = ""
        if e.mean is not None and len(view.goals) == 1:
            before = f":violet[*{plain(predicted_in_words(e, goal.meaning.unit))}*]"
        rows.append(f"| {plain(goal.meaning.title[:60])} | {value} | {before} |")
    with st.container(key=f"search-card-{e.number}"):
        st.markdown("\n".join(rows))
    st.caption(plain(f"Proposed: {e.source}. {e.problem}".strip()))
    if actions:
        _actions(view, e)


def _actions(view: RunView, e: Evaluation) -> None:
    space = get_space(view.config.space)
    entry = entry_for(space, e.cell)
    inside = entry.notation in {other.notation for other in session.basket()}
    with st.container(horizontal=True):
        st.button(
            "In basket" if inside else "Basket",
            key="search-card-basket",
            icon=":material/add_shopping_cart:",
            disabled=inside,
            on_click=_add,
            args=(entry,),
        )
        if chartable(space) and st.button(
            "Show on the Map page", key="search-card-map", icon=":material/scatter_plot:"
        ):
            session.set_focus(CellFocus(cell_name(space, e.cell)))
            st.switch_page("pages/map.py")
    st.code(e.notation, language=None, wrap_lines=True)


def _add(entry: BasketEntry) -> None:
    reruns.refresh_all()
    session.add_to_basket((entry,))
