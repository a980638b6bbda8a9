"""Train the compared architectures alike: one form for all, one at a time, each with its bar."""

import streamlit as st

from svge_core.comparison import Comparison
from svge_core.jobs import CellTrainingRequest
from ui.cell_training.panel import EVERY_SECONDS, LINE, act_on, elsewhere, over, running, training_form
from ui.paths import shared
from ui.shared import session
from ui.shared.theme import plain
from ui.shared.trained import cell_training_jobs
from ui.visitors import acts, rules


def training(comparison: Comparison) -> None:
    """Show the form, or how far the trainings are; nothing where the space's cells have no network."""
    space = comparison.space
    if space.network() is None:
        return
    count = len(comparison.cells)
    title = "Train both" if count == 2 else f"Train all {count}"
    if shared():
        with st.expander(title, icon=":material/model_training:", key="compare-training"):
            st.caption(rules.TRAINING_OFF)
        return
    jobs = cell_training_jobs()
    recorded = jobs.all()
    going = jobs.going(recorded)
    notations = [space.format(space.canonical(cell)) for cell in comparison.architectures]
    ours = [(place, job) for place, text in enumerate(notations) for job in jobs.of(space.name, text, recorded)]
    elsewhere_going = [job for job in going if job not in [mine for _, mine in ours]]
    # one key for each state: Streamlit keeps an expander as it was opened or closed
    with st.expander(
        title, icon=":material/model_training:", expanded=bool(going), key=f"compare-training-{bool(going)}"
    ):
        if notice := session.said(LINE):
            (st.error if notice.kind == "error" else st.success)(plain(notice.text))
        for place, job in ours:
            # where cells cannot be listed, no table of scores takes what they reached
            if job in going or jobs.result(job) is None or not space.enumerated:
                st.markdown(f"**{place + 1}: {plain(comparison.names[place])}**")
                if job in going:
                    st.fragment(running, run_every=EVERY_SECONDS)(jobs, job)
                else:
                    over(jobs, job, busy=bool(going))
        for job in elsewhere_going:
            elsewhere(jobs, job)
        if len(going) > 1:
            st.button(
                "Cancel all",
                key="compare-train-cancel",
                icon=":material/stop:",
                on_click=act_on,
                args=(lambda: acts.cancel_cells(jobs, going),),
            )
        if not going:
            words, recipe = training_form("compare-train")
            requests = [CellTrainingRequest(space.name, text, words, recipe) for text in notations]
            st.button(
                title,
                key="compare-train-start",
                icon=":material/play_arrow:",
                disabled=not words,
                help="One at a time, with the same recipe."
                + (" The values come among the scores above." if space.enumerated else ""),
                on_click=act_on,
                args=(lambda: acts.train_cells(jobs, requests),),
            )
