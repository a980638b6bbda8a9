"""Fitted on small cells, asked about larger ones; and cells outside the known space, predicted only."""

import pandas as pd
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName, to_svg
from svge_core.errors import SvgeError
from svge_core.evaluation.extrapolation import INSIDE, OUTSIDE, Extrapolation, LargerCell, load
from svge_core.figures import beyond, extrapolation_figure, table_rows
from ui.model.state import command
from ui.shared.meaning import protocol
from ui.shared.theme import plain
from ui.shared.widgets import halves, show_chart, show_missing

MODELS = {"predicted": "Structure surrogate", "counted": "Counts only"}
DRAWN = 3
NUMBERS = ("Predicted", "Low", "High", "Parameters (M)")


def show_extrapolation(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """Chart, table and ranked cells, where the file is there; else how to make it."""
    try:
        found = load(checkpoint.folder, checkpoint.model.space)
    except SvgeError as error:
        st.error(plain(str(error)))
        return
    if found is None:
        _missing(checkpoint)
        return
    names = {INSIDE: plain(found.content.inside), OUTSIDE: plain(found.content.outside)}
    config, unit = found.content.config, found.meaning.unit
    st.markdown(
        f"Fitted on {found.content.table[0].labels:,} cells with **{names[INSIDE]}** alone, then asked about other "
        f"such cells (the known domain) and about cells with **{names[OUTSIDE]}** (extrapolated)."
    )
    left, right = halves("extrapolation")
    with left:
        kind = st.segmented_control(
            "Predictor",
            list(MODELS),
            default="predicted",
            format_func=MODELS.__getitem__,
            key="model_extrapolated",
            required=True,
        )
        figure = extrapolation_figure(
            found.content.points,
            {INSIDE: f"known: {found.content.inside}", OUTSIDE: f"extrapolated: {found.content.outside}"},
            theme,
            column=kind,
            unit=unit,
        )
        sides = [row.side for row in found.content.points]
        alt = f"Predicted over measured: {sides.count(INSIDE)} known and {sides.count(OUTSIDE)} extrapolated cells"
        show_chart(figure, key="model_extrapolation_chart", alt=alt)
        hidden = beyond(found.content.points, kind)
        st.caption(
            f"{len(found.content.points)} held-out cells of the first draw"
            + (f"; {hidden} lie beyond the drawn range." if hidden else ".")
        )
    with right:
        st.subheader("Inside and outside")
        st.table(pd.DataFrame(table_rows(found.content.table, names)), hide_index=True, border="horizontal")
        st.caption(
            f"Mean ± standard deviation over {found.content.table[0].draws} draws; RMSE in the unit of the score; "
            f"interval made to cover {100 * config.level:.0f} %. Counts only: ridge regression on the "
            "numbers of nodes, edges and operations. Nothing was tuned on these draws."
        )
    protocol(found.meaning)
    if found.content.checkpoint != checkpoint.digest:
        st.caption(
            "The cells below were decoded with earlier weights of this checkpoint; `python -m svge_core extrapolate` "
            "makes them anew."
        )
    _ranked(found, checkpoint, theme)


def _missing(checkpoint: Checkpoint) -> None:
    show_missing(
        "Extrapolation was not measured for this checkpoint yet. It needs a file of labels:",
        command("extrapolate", checkpoint.meta.space, checkpoint.folder),
    )


def _ranked(found: Extrapolation, checkpoint: Checkpoint, theme: ThemeName) -> None:
    part, unit = found.content.larger, f" {found.meaning.unit}" if found.meaning.unit == "%" else ""
    low, high = part.labels_range
    st.subheader("Beyond the known space")
    st.warning(
        f"**Predicted only.** These cells belong to {plain(part.title)}, outside the known space: nobody has "
        "measured them. The intervals were calibrated inside the known space; out here they are a guide.",
        icon=":material/science:",
    )
    if found.content.checkpoint != checkpoint.digest:
        st.caption("Made with earlier weights of this checkpoint.")
    st.markdown(
        f"{part.distinct:,} distinct cells, ranked by the structure surrogate fitted on "
        f"{part.fitted_on:,} labels of the known space (which lie between {low:.4g} and {high:.4g}). For "
        f"comparison, the best predicted cell of the known space that the search began from: "
        f"{_interval(found.reference)}{unit}."
    )
    columns = st.columns(DRAWN)
    for rank, (column, row) in enumerate(zip(columns, found.ranked[:DRAWN], strict=False), start=1):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{rank}. {_interval(row)}{unit}**")
            st.caption(f"predicted; {plain(row.origin)}; {row.params_m:.2f} M parameters")
            alt = f"Drawing of predicted cell {rank}, outside the known space"
            # at its own size: letters are equally large in all three
            st.image(to_svg(row.cell, found.space, theme=theme), width="content", alt=alt)
    table = [
        {
            "Rank": rank,
            "Predicted": row.mean,
            "Low": row.low,
            "High": row.high,
            "Made by": row.origin,
            "Parameters (M)": row.params_m,
            "Cell": found.space.format(row.cell),
        }
        for rank, row in enumerate(found.ranked, start=1)
    ]
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        key="model_extrapolation_cells",
        alt="Ranked cells, predicted only",
        column_config={name: st.column_config.NumberColumn(format="%.4g") for name in NUMBERS},
    )
    origins = [
        {
            "Made by": row.origin,
            "Distinct cells": f"{row.cells:,}",
            "Best predicted": f"{row.best:.4g}",
            "Median predicted": f"{row.median:.4g}",
        }
        for row in part.origins
    ]
    st.table(pd.DataFrame(origins), hide_index=True, border="horizontal")
    if (larger := checkpoint.model.space.larger()) is not None:
        st.caption(larger.note.replace("{max_edges}", str(found.content.config.max_edges)))


def _interval(row: LargerCell) -> str:
    return f"{row.mean:.4g} ({row.low:.4g} to {row.high:.4g})"
