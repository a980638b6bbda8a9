"""Generative metrics of a checkpoint, always with what they are out of."""

from collections.abc import Iterable
from typing import TypeVar

import pandas as pd
import streamlit as st
from msgspec.structs import replace

from svge_core.checkpoints import RECONSTRUCTION, Checkpoint, MetricRow
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.evaluation import (
    Sample,
    decimals,
    default_sample,
    denominator,
    described,
    edge_f1_rows,
    entropy_rows,
    generation_rows,
    long_title,
    other_rows,
    percent,
    reconstruction_rows,
    result,
    sample_of,
    sample_title,
    title,
    words,
)
from svge_core.evaluation.verdict import headline
from svge_core.figures import tradeoff, tradeoff_figure
from ui.model.state import command, read_benchmark
from ui.shared.theme import plain
from ui.shared.widgets import show_chart, show_missing

_Part = TypeVar("_Part", str, tuple[str, str], Sample)


def headline_metrics(rows: Iterable[MetricRow]) -> list[tuple[str, MetricRow]]:
    """The numbers shown above the tabs, of those that are recorded."""
    found = headline(rows)
    titled = (
        ("Reconstruction, held out", found.reconstruction),
        ("Edge F1, held out", found.edge_f1),
        ("Valid prior samples, raw", found.valid),
    )
    return [(name, row) for name, row in titled if row is not None]


def show_generation(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """All metrics: reconstruction, prior samples, anything else, and the KL trade-off."""
    rows = checkpoint.meta.metrics
    if rows:
        _edge_f1(edge_f1_rows(rows))
        _entropy(entropy_rows(rows))
        _reconstruction(reconstruction_rows(rows))
        _generation(generation_rows(rows))
        _other(other_rows(rows))
    else:
        show_missing(
            "This checkpoint has not been measured yet: reconstruction, validity, uniqueness and novelty are missing.",
            command("evaluate", checkpoint.meta.space, checkpoint.folder),
        )
    _tradeoff(theme)


def _edge_f1(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Edge F1 of held-out wirings")
    measures, groups = _in_order((row.direction, row.how) for row in rows), _in_order(row.group for row in rows)
    found = {((row.direction, row.how), row.group): row.value for row in rows}
    cells = [[_decimals(found.get((measure, group))) for group in groups] for measure in measures]
    names = [": ".join(title(part) for part in measure if part) for measure in measures]
    st.table(pd.DataFrame(cells, index=names, columns=list(map(title, groups))), border="horizontal")
    st.caption(
        "Wirings are encoded and decoded, and their edges between inner nodes compared in the canonical order; 1 is "
        "all of them and no other. Pooled over the edges of all cells but for the mean per cell. Edges of many samples "
        "are those above a bound chosen on training cells, as the constant wirings of the controls are."
    )
    _caption(rows[0])


def _entropy(rows: list[MetricRow]) -> None:
    """How much there is to know of a wiring: a code that keeps less guesses the rest."""
    if not rows:
        return
    st.markdown("**Nats that tell a wiring from the others of its family**")
    table = {
        "Nats": ["not measured" if row.value is None else f"{row.value:.1f}" for row in rows],
        "Over": [row.split for row in rows],
        "How": [row.protocol for row in rows],
    }
    st.table(pd.DataFrame(table, index=[title(row.group) for row in rows]), border="horizontal")


def _reconstruction(rows: list[MetricRow]) -> None:
    if not rows:
        return
    st.subheader("Reconstruction of held-out cells")
    kinds = _in_order(row.how for row in rows)
    for family in RECONSTRUCTION:
        own = [row for row in rows if row.what == family]
        if not own:
            continue
        by_place = {(row.direction, row.how): row for row in own}
        directions = _in_order(row.direction for row in own)
        cells = [[described(by_place.get((direction, kind))) for kind in kinds] for direction in directions]
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
    densities = {title(row.how) or "Scaled prior": row.how for row in rows}
    with st.container(horizontal=True):
        if len(densities) > 1:
            density = st.segmented_control(
                "Latents from", list(densities), default=next(iter(densities)), key="model_density", required=True
            )
            rows = [row for row in rows if row.how == densities[density]]
        directions, samples = _in_order(row.direction for row in rows), _in_order(map(sample_of, rows))
        direction = st.segmented_control(
            "Decoding", directions, default=directions[-1], format_func=title, key="model_direction", required=True
        )
        # Streamlit takes a default that is a record for a list of defaults, so the options are the words
        by_title = {sample_title(sample): sample for sample in samples}
        chosen = st.segmented_control(
            "Samples", list(by_title), default=sample_title(default_sample(samples)), key="model_sample", required=True
        )
    sample = by_title[chosen]
    shown = [row for row in rows if row.direction == direction and sample_of(row) == sample]
    if not shown:
        st.info("This combination was not measured; choose another.")
        return
    kinds, names = _in_order(row.mode for row in shown), _in_order(row.what for row in shown)
    by_place = {(row.what, row.mode): row for row in shown}
    cells = [[described(by_place.get((name, kind))) for kind in kinds] for name in names]
    st.table(pd.DataFrame(cells, index=list(map(title, names)), columns=list(map(title, kinds))), border="horizontal")
    ceiling = next((row.uniform_ceiling for row in shown if row.uniform_ceiling is not None), None)
    if ceiling is not None and sample.decodings != 1:
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
    reasons = next((row.reasons for row in shown if row.reasons and row.mode == "raw"), None)
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
            "Metric": list(map(long_title, rows)),
            "Result": list(map(result, rows)),
            "Out of": list(map(denominator, rows)),
            "Protocol": [", ".join(dict.fromkeys(words(row))) for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, alt="Other recorded metrics with their denominators and protocols")


def _tradeoff(theme: ThemeName) -> None:
    st.subheader("What the weight of the KL term buys")
    try:
        raw = read_benchmark("tradeoff", dict)
        if raw is None:
            show_missing("The trade-off was not measured on this machine.", "python -m svge_core bench tradeoff")
            return
        info = tradeoff(raw)
    except SvgeError as error:
        st.warning(plain(str(error)))
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
    if known := words(replace(row, protocol="")):
        st.caption(", ".join(known))


def _decimals(value: float | None) -> str:
    return "not measured" if value is None else decimals(value)


def _in_order(parts: Iterable[_Part]) -> list[_Part]:
    return list(dict.fromkeys(parts))
