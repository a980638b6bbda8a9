"""The tabs of the Model page: those that this model and its space can ever fill."""

from collections.abc import Callable

import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName
from svge_core.figures import X_TITLES, operation_tables, training_curves, training_figure
from ui.model.card import show_card
from ui.model.extrapolation import show_extrapolation
from ui.model.metrics import show_generation
from ui.model.operations import show_operations
from ui.model.patterns import show_patterns
from ui.model.prediction import show_prediction
from ui.model.quality import show_quality
from ui.model.state import can_be_trained, no_form
from ui.model.train import show_training
from ui.shared.widgets import show_chart, show_missing


def sections(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Their names, in order. A tab that only waits for a measurement is there, and says how to make it."""
    never = set()
    if checkpoint.model.space.larger() is None:  # all cells are of one size, or nothing larger is known
        never.add("Extrapolation")
    if not operation_tables(checkpoint.model):  # one operation, and nothing to tell it from
        never.add("Operations")
    return tuple(name for name in SECTIONS if name not in never)


def _card(checkpoint: Checkpoint, _: ThemeName) -> None:
    show_card(checkpoint)


def _curves(checkpoint: Checkpoint, theme: ThemeName) -> None:
    meta = checkpoint.meta
    if not meta.history:
        show_missing(
            "This checkpoint records no history of its training.", meta.command or "python -m svge_core train --help"
        )
        return
    x_axis = st.segmented_control(
        "Over", list(X_TITLES), default="epoch", format_func=X_TITLES.__getitem__, key="model_x", required=True
    )
    curves = training_curves(meta.history, x_axis)
    show_chart(training_figure(curves, theme), key="model_curves", alt=f"Training curves over {len(curves.x)} epochs")


def _another(checkpoint: Checkpoint, theme: ThemeName) -> None:
    space = checkpoint.meta.space
    if can_be_trained(space):
        show_training(space, theme, checkpoint)
    else:
        show_missing(*no_form(space))


#: what each shows
SECTIONS: dict[str, Callable[[Checkpoint, ThemeName], None]] = {
    "Card": _card,
    "Training": _curves,
    "Generation": show_generation,
    "Latent quality": show_quality,
    "Prediction": show_prediction,
    "Extrapolation": show_extrapolation,
    "Operations": show_operations,
    "Patterns": show_patterns,
    "Train a new one": _another,
}
