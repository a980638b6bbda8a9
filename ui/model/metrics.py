"""Generative metrics of a checkpoint, always with what they are out of.

The schema of ``meta.json`` that is read here is documented in ``svge_core/figures/metric_rows.py``.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

import pandas as pd
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.evaluation import percent
from svge_core.figures import (
    RECONSTRUCTION,
    MetricRow,
    default_sample,
    edge_f1_rows,
    generation_rows,
    metric_rows,
    other_rows,
    reconstruction_rows,
    single_decoding,
    title,
    tradeoff,
    tradeoff_figure,
)
from ui.model.state import read_benchmark, shown_path
from ui.shared.widgets import show_chart, show_missing

_Name = TypeVar("_Name", str, tuple[str, ...])


def headline(rows: Mapping[str, MetricRow]) -> list[tuple[str, MetricRow]]:
    """The numbers shown above everything: the published protocols, both directions first."""
    found = []
    for label, names in (
        ("Reconstruction, held out", ("reconstruction.both.sampled", "reconstruction.forward.sampled")),
        ("Edge F1, held out", ("edge_f1.both.frequent.all", "edge_f1.forward.frequent.all")),
        ("Valid prior samples, raw", ("valid.both.raw.1000x10", "valid.forward.raw.1000x10", "valid.both.raw.1000x1")),
    ):
        row = next((rows[name] for name in names if name in rows), None)
        if row is not None:
            found.append((label, row))
    return found


def show_generation(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """All metrics: reconstruction, prior samples, anything else, and the KL trade-off."""
    rows = metric_rows(checkpoint.meta.metrics)
    if rows:
        _edge_f1(edge_f1_rows(rows))
        _reconstruction(reconstruction_rows(rows))
        _generation(generation_rows(rows))
        _other(other_rows(rows))
    else:
        show_missing(
            "This checkpoint has not been measured yet: reconstruction, validity, uniqueness and novelty are missing.",
            f"python -m svge_core evaluate --checkpoint {shown_path(checkpoint.folder)}",
        )
    _tradeoff(theme)


def _edge_f1(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Edge F1 of held-out wirings")
    measures, groups = _in_order(row.parts[1:3] for row in rows), _in_order(row.parts[3] for row in rows)
    found = {(row.parts[1:3], row.parts[3]): f"{row.value:.3f}" for row in rows}
    cells = [[found.get((measure, group), "not measured") for group in groups] for measure in measures]
    names = [": ".join(map(title, measure)) for measure in measures]
    st.table(pd.DataFrame(cells, index=names, columns=list(map(title, groups))), border="horizontal")
    st.caption(
        "Wirings are encoded and decoded, and their edges between inner nodes compared in the canonical order; 1 is "
        "all of them and no other. Pooled over the edges of all cells but for the mean per cell. Edges of many samples "
        "are those above a bound chosen on training cells, as the constant wirings of the controls are."
    )
    _caption(rows[0])


def _reconstruction(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Reconstruction of held-out cells")
    kinds = _in_order(row.parts[2] for row in rows)
    for family in RECONSTRUCTION:
        own = [row for row in rows if row.parts[0] == family]
        if not own:
            continue
        by_place = {(row.parts[1], row.parts[2]): row for row in own}
        directions = _in_order(row.parts[1] for row in own)
        cells = [[str(by_place.get((direction, kind), "not measured")) for kind in kinds] for direction in directions]
        st.markdown(f"**{title(family)}**")
        st.table(
            pd.DataFrame(cells, index=list(map(title, directions)), columns=list(map(title, kinds))),
            border="horizontal",
        )
    _caption(rows[0])


def _generation(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Prior samples")
    directions, samples = _in_order(row.parts[1] for row in rows), _in_order(row.parts[3] for row in rows)
    with st.container(horizontal=True):
        direction = st.segmented_control(
            "Decoding", directions, default=directions[-1], format_func=title, key="model_direction", required=True
        )
        sample = st.segmented_control(
            "Samples", samples, default=default_sample(samples), format_func=title, key="model_sample", required=True
        )
    shown = [row for row in rows if row.parts[1] == direction and row.parts[3] == sample]
    if not shown:
        st.info("This combination was not measured; choose another.")
        return
    kinds, names = _in_order(row.parts[2] for row in shown), _in_order(row.parts[0] for row in shown)
    by_place = {(row.parts[0], row.parts[2]): row for row in shown}
    cells = [[str(by_place.get((name, kind), "not measured")) for kind in kinds] for name in names]
    st.table(pd.DataFrame(cells, index=list(map(title, names)), columns=list(map(title, kinds))), border="horizontal")
    ceilings = [row.details["uniform_ceiling"] for row in shown if "uniform_ceiling" in row.details]
    ceiling = next((value for value in ceilings if math.isfinite(value)), None)
    if ceiling is not None and not single_decoding(sample):
        st.caption(
            "No ceiling of uniqueness is given here: several decodings of one latent are not independent, so they "
            "cannot be compared with uniform draws. Choose samples with one decoding per latent for that."
        )
    elif ceiling is not None:
        st.caption(
            f"Uniqueness has a ceiling: of as many cells drawn uniformly from the space, {percent(ceiling)} would "
            "be distinct."
        )
    _caption(shown[0])
    reasons = next((r.details["reasons"] for r in shown if r.details.get("reasons") and r.parts[2] == "raw"), None)
    if reasons:
        with st.expander("Why raw decodings were invalid"):
            counts = pd.Series(reasons, name="Decodings").sort_values(ascending=False)
            st.table(counts.rename_axis("Reason").reset_index(), hide_index=True, border="horizontal")


def _other(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Other measurements")
    table = pd.DataFrame(
        {
            "Metric": [", ".join(map(title, row.parts)) for row in rows],
            "Result": [row.result for row in rows],
            "Out of": [row.denominator for row in rows],
            "Protocol": [", ".join(dict.fromkeys(row.meaning.values())) for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, alt="Other recorded metrics with their denominators and protocols")


def _tradeoff(theme: ThemeName) -> None:
    st.subheader("What the weight of the KL term buys")
    try:
        raw = read_benchmark("tradeoff")
        if raw is None:
            show_missing("The trade-off was not measured on this machine.", "python -m svge_core bench tradeoff")
            return
        info = tradeoff(raw)
    except SvgeError as error:
        st.warning(str(error))
        return
    spoken = (
        f"Shares over {len(info.beta)} weights from {info.beta[0]:g} to {info.beta[-1]:g}: {', '.join(info.shares)}"
    )
    show_chart(tradeoff_figure(info, theme), key="model_tradeoff", alt=spoken)
    st.caption(
        "A small weight reconstructs better, a large one keeps the latents near the prior, so that samples and "
        "positions between cells decode to something sensible."
    )


def _caption(row: MetricRow) -> None:
    order = ("data_set", "split", "epochs", "seeds")
    words = [
        f"{row.meaning[name]} epochs" if name == "epochs" else row.meaning[name]
        for name in order
        if name in row.meaning
    ]
    if words:
        st.caption(", ".join(words))


def _in_order(names: Iterable[_Name]) -> list[_Name]:
    return list(dict.fromkeys(names))
