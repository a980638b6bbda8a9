"""Are the checkpoint's predictors right on cells they have not seen, and are their intervals honest?"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning, has_indices, score_name
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.evaluation import fifths_size, in_fifths, percent
from svge_core.figures import calibration, calibration_figure, held_out_rows, parity, parity_figure
from svge_core.predictors import PredictorInfo
from ui.model.state import command, read_predictions, read_predictors, show_no_index
from ui.shared.loaders import known_scores
from ui.shared.meaning import protocol
from ui.shared.theme import plain
from ui.shared.widgets import halves, show_chart, show_missing

MODELS = {"mean": "Structure surrogate", "joint": "SVGe's joint head"}
RANGES = {"All": 1.0, "Best half": 0.5, "Best tenth": 0.1}


def _named(key: str, meaning: ScoreMeaning | None) -> str:
    return key if meaning is None else score_name(meaning)


def _as_fitted(info: PredictorInfo, meaning: ScoreMeaning | None) -> None:
    """What was measured when the predictors were fitted, for scores that have no measured values here."""
    st.info(
        "There are no measured values of this score on this machine, so there is nothing to draw. These are the "
        "results on held-out cells from when the predictors were fitted."
    )
    unit = f" {meaning.unit}" if meaning and meaning.unit else ""
    parts: tuple[tuple[Literal["surrogate", "joint"], str], ...] = (
        ("surrogate", MODELS["mean"]),
        ("joint", MODELS["joint"]),
    )
    for name, title in parts:
        if (found := info.held_out.get(name)) is None:
            continue
        st.markdown(f"**{title}**")
        with st.container(horizontal=True):
            note = f"n = {found.of:,}"
            tau = "-" if found.kendall_tau is None else f"{found.kendall_tau:.3f}"
            shown = [("Kendall tau", tau), ("RMSE", "-" if found.rmse is None else f"{found.rmse:.2f}{unit}")]
            if found.coverage is not None:
                shown.append((f"Inside the {info.level:.0%} interval", percent(found.coverage)))
            for label, value in shown:
                st.metric(label, value, delta=note, delta_color="off", delta_arrow="off", border=True)
        if found.coverage_fifths is not None:
            st.caption(_by_fifths(found.coverage_fifths, info.level, found.of))
    _across(info, unit)
    described = meaning.describe() if meaning else info.description
    seed = "unknown" if info.seed is None else info.seed
    st.caption(f"{plain(described)} Fitted on {info.labels:,} labels (seed {seed}).")


def _across(info: PredictorInfo, unit: str) -> None:
    """What cross-validation on the labels themselves says, where it was measured."""
    if (found := info.cross_validated) is None:
        return
    st.markdown("**Structure surrogate, cross-validated on its own labels**")
    inside = f"{round((found.coverage or 0) * found.of):,} of {found.of:,}"
    shown = [
        (f"Inside the {info.level:.0%} interval", percent(found.coverage or 0), inside),
        ("Kendall tau", "-" if found.kendall_tau is None else f"{found.kendall_tau:.3f}", f"n = {found.of:,}"),
        ("RMSE", "-" if found.rmse is None else f"{found.rmse:.3g}{unit}", f"n = {found.of:,}"),
        ("Width of the interval", "-" if found.mean_width is None else f"{found.mean_width:.3g}{unit}", "on average"),
    ]
    with st.container(horizontal=True):
        for label, value, note in shown:
            st.metric(label, value, delta=note, delta_color="off", delta_arrow="off", border=True)
    st.caption("Every label is predicted once, by a fit on four fifths of the labels that it is not among.")
    if found.coverage_fifths is not None:
        st.caption(_by_fifths(found.coverage_fifths, info.level, found.of))


def _by_fifths(fifths: Sequence[float], level: float, of: int) -> str:
    return (
        f"Inside the {level:.0%} interval in each fifth of the cells ({fifths_size(of)}), from the lowest predicted to "
        f"the highest: {in_fifths(fifths)}."
    )


def show_prediction(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """Parity and calibration of one score."""
    try:
        predictors = read_predictors(checkpoint)
    except SvgeError as error:
        st.error(plain(str(error)))
        return
    if not predictors.score_keys and not has_indices(checkpoint.model.space):
        show_no_index(checkpoint.model.space)
        return
    if not predictors.score_keys:
        show_missing(
            "No predictor was fitted for this checkpoint yet.", command("fit", checkpoint.meta.space, checkpoint.folder)
        )
        return
    scores = known_scores(checkpoint.meta.space)
    with st.container(horizontal=True):
        key = st.selectbox(
            "Score",
            predictors.score_keys,
            format_func=lambda k: _named(k, scores.meanings.get(k) or predictors.meaning(k)),
            key="model_score",
            width=320,
        )
        kind = st.segmented_control(
            "Model", list(MODELS), default="mean", format_func=MODELS.__getitem__, key="model_kind", required=True
        )
        share = st.segmented_control(
            "Cells, by measured value", list(RANGES), default="All", key="model_range", required=True
        )
    if key not in scores.meanings:
        _as_fitted(predictors.info(key), predictors.meaning(key))
        return
    meaning, info = scores.meanings[key], predictors.info(key)
    measured = scores.frame[key].to_numpy(dtype=float)
    try:
        columns = read_predictions(predictors.digest, key, predictors)
    except SvgeError as error:
        st.error(plain(str(error)))
        return
    rows = held_out_rows(measured, predictors.training_indices(key)) & np.isfinite(columns[kind])
    if not rows.any():
        st.info("Every labelled cell was used for fitting, so there is none left to judge the predictor on.")
        _across(info, f" {meaning.unit}" if meaning.unit else "")
        return
    drawn = parity(measured[rows], columns[kind][rows], best_share=RANGES[share], direction=meaning.direction)
    level = info.level
    honest = calibration(measured[rows], columns["mean"][rows], columns["low"][rows], columns["high"][rows], level)
    unit = f" {meaning.unit}" if meaning.unit else ""
    numbers = (
        ("Kendall tau", f"{drawn.kendall_tau:.3f}", f"n = {drawn.n:,}"),
        ("RMSE", f"{drawn.rmse:.2f}{unit}", f"n = {drawn.n:,}"),
        (f"Inside the {level:.0%} interval", percent(honest.covered / honest.n), f"{honest.covered:,} of {honest.n:,}"),
        (
            "Labels used for fitting",
            f"{len(predictors.training_indices(key)):,}",
            f"seed {'unknown' if info.seed is None else info.seed}",
        ),
    )
    with st.container(horizontal=True):
        for label, value, note in numbers:
            st.metric(label, value, delta=note, delta_color="off", delta_arrow="off", border=True)
    left, right = halves("prediction")
    with left:
        st.subheader("Predicted against measured")
        alt = f"{MODELS[kind]}, {score_name(meaning)}: Kendall tau {drawn.kendall_tau:.3f}, {drawn.n} held-out cells"
        show_chart(parity_figure(drawn, theme, meaning.unit), key="model_parity", alt=alt)
        if drawn.outside:
            st.caption(
                f"{drawn.outside:,} of {drawn.n:,} predictions lie outside the drawn range; both numbers include them."
            )
    with right:
        st.subheader("Calibration")
        alt = f"Coverage of the {level:.0%} interval: {honest.covered} of {honest.n} held-out cells"
        show_chart(calibration_figure(honest, theme), key="model_calibration", alt=alt)
        st.caption(
            f"Intervals of the structure surrogate, over all held-out cells; median width {honest.width:.3g}{unit}. "
            f"Exact at {level:.0%}; the other levels rescale that interval as for a normal distribution."
        )
        if honest.fifths is not None:
            st.caption(_by_fifths(honest.fifths, level, honest.n))
    _across(info, unit)
    protocol(meaning)
