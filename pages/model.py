"""The Model page: what the checkpoint is, how it was trained, how good it is, and how to train another."""

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.evaluation import denominator, result
from ui.model.card import held_out_words, parameter_count
from ui.model.metrics import headline_metrics
from ui.model.sections import SECTIONS, sections
from ui.model.state import can_be_trained, current_folder, no_form, shown_path
from ui.model.train import show_training
from ui.model.verdict import show_verdict
from ui.paths import ROOT, checkpoints_root
from ui.shared import reruns, session
from ui.shared.loaders import checkpoint_for
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_missing

reruns.through_app("model")

theme = theme_name()
folder = current_folder()
st.title("Model")
st.html(ROOT / "ui" / "model" / "model.css")

if folder is None and not can_be_trained(session.space_name()):
    show_missing(*no_form(session.space_name()))
    st.stop()

if folder is None:
    show_missing(
        f"There is no checkpoint in {shown_path(checkpoints_root())} yet. Train one here, or with this command:",
        f"python -m svge_core train --space {session.space_name()}",
    )
    show_training(session.space_name(), theme)
    st.stop()

try:
    checkpoint = checkpoint_for(folder, session.device() or "cpu")
except SvgeError as problem:
    st.error(plain(str(problem)))
    show_training(session.space_name(), theme)
    st.stop()

meta, config = checkpoint.meta, checkpoint.meta.config
function = f" (the last {config.function} for what a cell computes)" if config.function else ""
st.caption(
    f"{plain(checkpoint.model.space.title)}, checkpoint **{plain(folder.name)}**: {checkpoint.model.title} with "
    f"{config.latent} latent dimensions{function} and {config.encoding} operations, trained on {meta.data_count:,} "
    f"cells; {held_out_words(checkpoint)} were held out."
)
show_verdict(checkpoint)
with st.container(horizontal=True):
    for label, row in headline_metrics(meta.metrics):
        st.metric(
            label,
            result(row),
            delta=denominator(row),
            delta_color="off",
            delta_arrow="off",
            help=row.protocol or "protocol not recorded",
            border=True,
        )
    st.metric(
        "Parameters",
        f"{parameter_count(checkpoint):,}",
        delta=f"digest {checkpoint.digest[:8]}",
        delta_color="off",
        delta_arrow="off",
        border=True,
    )
    if meta.history:
        st.metric(
            "Training",
            f"{meta.total_cpu_seconds:,.0f} CPU s",
            delta=f"{meta.total_epochs} epoch{'s' if meta.total_epochs != 1 else ''}",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )

names = sections(checkpoint)
if st.session_state.get("model_section", names[0]) not in names:
    st.session_state["model_section"] = names[0]  # another checkpoint was opened, which has no such tab
for name, tab in zip(names, st.tabs(names, key="model_section", on_change="rerun"), strict=True):
    if tab.open:  # closed tabs compute nothing
        with tab:
            SECTIONS[name](checkpoint, theme)
