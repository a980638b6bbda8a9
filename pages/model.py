"""The Model page: what the checkpoint is, how it was trained, how good it is, and how to train another."""

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.evaluation import denominator, result
from svge_core.figures import X_TITLES, training_curves, training_figure
from ui.model.card import held_out_words, parameter_count, show_card
from ui.model.extrapolation import show_extrapolation
from ui.model.metrics import headline_metrics, show_generation
from ui.model.operations import show_operations
from ui.model.patterns import show_patterns
from ui.model.prediction import show_prediction
from ui.model.quality import show_quality
from ui.model.state import can_be_trained, current_folder, no_form, shown_path
from ui.model.train import show_training
from ui.model.verdict import show_verdict
from ui.paths import ROOT, checkpoints_root
from ui.shared import reruns, session
from ui.shared.loaders import checkpoint_for
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_chart, show_missing

SECTIONS = (
    "Card",
    "Training",
    "Generation",
    "Latent quality",
    "Prediction",
    "Extrapolation",
    "Operations",
    "Patterns",
    "Train a new one",
)

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

tabs = st.tabs(SECTIONS, key="model_section", on_change="rerun")
card, training, generation, quality, prediction, extrapolation, operations, patterns, new = tabs
# closed tabs compute nothing
if card.open:
    with card:
        show_card(checkpoint)
if training.open:
    with training:
        if meta.history:
            x_axis = st.segmented_control(
                "Over", list(X_TITLES), default="epoch", format_func=X_TITLES.__getitem__, key="model_x", required=True
            )
            curves = training_curves(meta.history, x_axis)
            show_chart(
                training_figure(curves, theme), key="model_curves", alt=f"Training curves over {len(curves.x)} epochs"
            )
        else:
            show_missing(
                "This checkpoint records no history of its training.",
                meta.command or "python -m svge_core train --help",
            )
if generation.open:
    with generation:
        show_generation(checkpoint, theme)
if quality.open:
    with quality:
        show_quality(checkpoint, theme)
if prediction.open:
    with prediction:
        show_prediction(checkpoint, theme)
if extrapolation.open:
    with extrapolation:
        show_extrapolation(checkpoint, theme)
if operations.open:
    with operations:
        show_operations(checkpoint, theme)
if patterns.open:
    with patterns:
        show_patterns(checkpoint, theme)
if new.open:
    with new:
        if can_be_trained(meta.space):
            show_training(meta.space, theme, checkpoint)
        else:
            show_missing(*no_form(meta.space))
