"""The latent-quality panel: how far the map and everything read off it can be trusted, beside controls."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning, has_indices
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.evaluation.latent import Edits, MapQuality, QualityContent, Reading, load, neighbours, readings, signed
from svge_core.figures import MEASURES, NAMES, bars, certainty_figure, edit_figure, variance_figure
from ui.model.state import command, inline_code, show_no_index
from ui.shared.meaning import protocol
from ui.shared.theme import plain
from ui.shared.widgets import halves, show_chart, show_missing

#: what a word of the panel means, for those who have not met it
EXPLAINED = {
    "edits": "Pairs of cells on random walks of one-edit moves; one edit is a changed operation, an edge or a node.",
    "neighbours": "Each cell's score is predicted as the mean of its nearest other cells; nothing is fitted.",
    "cycle": "A random latent is decoded, its cell encoded, and that latent decoded again.",
    "certainty": "A latent is decoded many times at random; the share of the most frequent cell is counted.",
    "collisions": "Two cells collide where their latents are the same to within a hundredth of the usual spacing.",
    "dimension": "Principal components of the latents; the number of equal dimensions that would spread as much.",
    "maps": "1 if every neighbour on the map is one in the latent (trustworthiness), or the other way (continuity).",
}


def show_quality(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """All measures where the file is there; else how to make it."""
    line = command("quality", checkpoint.meta.space, checkpoint.folder)
    try:
        found = load(checkpoint.folder, checkpoint.meta.space)
    except SvgeError as error:
        st.error(plain(str(error)))
        return
    if found is None and not has_indices(checkpoint.model.space):
        show_no_index(checkpoint.model.space)
        return
    if found is None:
        show_missing(
            "The quality of the latent was not measured for this checkpoint yet.",
            line,
        )
        return
    content = found
    if content.checkpoint != checkpoint.digest:
        st.warning(
            f"Measured on earlier weights of this checkpoint (digest {plain(content.checkpoint[:8])}, now "
            f"{checkpoint.digest[:8]}): what follows may not hold any more. The command below measures anew.",
            icon=":material/history:",
        )
        st.code(line, language="bash", wrap_lines=True)
    st.markdown(
        f"How far can the map, and what is read off it, be trusted? Measured on {plain(content.cells.words)}"
        "; every number stands beside its controls."
    )
    rows = {reading.key: reading for reading in readings(content)}
    _summary(list(rows.values()))
    _edits(content.edits, rows["edits"], theme)
    if found.neighbours:
        _neighbours(found, theme)
    left, right = halves("quality_decoding")
    with left:
        _head(rows["certainty"])
        alt = f"Histogram of equal decodings. {rows['certainty'].denominator}"
        show_chart(certainty_figure(content.certainty, theme), key="model_quality_certainty", alt=alt)
        st.markdown(plain(rows["certainty"].text))
    with right:
        _head(rows["dimension"])
        alt = f"Cumulative variance of principal components. {rows['dimension'].denominator}"
        show_chart(variance_figure(content.dimension, theme), key="model_quality_dimension", alt=alt)
        st.markdown(plain(rows["dimension"].text))
    left, right = halves("quality_rest")
    with left:
        _told(rows["cycle"])
        _told(rows["collisions"])
    with right:
        if "maps" in rows:
            _maps(content.maps, rows["maps"])
        else:
            st.info("This checkpoint has no map whose neighbours could be compared.", icon=":material/info:")
    st.caption(f"Made with `{inline_code(content.command)}`, seed {content.config.seed}.")


def _summary(rows: list[Reading]) -> None:
    with st.container(horizontal=True):
        for row in rows:
            st.metric(
                row.title,
                row.value,
                delta=row.denominator,
                delta_color="off",
                delta_arrow="off",
                help=EXPLAINED[row.key],
                border=True,
                width=220,
            )


def _head(row: Reading) -> None:
    st.subheader(row.title, help=EXPLAINED[row.key])
    st.caption(plain(f"{row.value}, {row.denominator}"))


def _told(row: Reading) -> None:
    _head(row)
    st.markdown(plain(row.text))


def _edits(part: Edits, row: Reading, theme: ThemeName) -> None:
    left, right = halves("quality_edits")
    with left:
        _head(row)
        alt = f"Latent distance over edit distance, median and bands, beside controls. {row.value}"
        show_chart(edit_figure(part.curves, theme), key="model_quality_edits", alt=alt)
    with right:
        st.subheader("In numbers")
        walk, random = part.walk, part.random
        table = [
            {
                "Codes": "Shuffled latents (control)" if name == "permuted" else NAMES[name],
                "On walks": _number(getattr(walk.spearman, name)),
                "Random pairs": _number(getattr(random.spearman, name)),
            }
            for name in ("latent", "one_hot", "untrained", "permuted")
        ]
        st.table(pd.DataFrame(table), hide_index=True, border="horizontal")
        st.caption(
            f"Spearman correlation of edit and latent distance over {walk.pairs:,} pairs on random walks and "
            f"{random.pairs:,} random pairs. In the chart, 1 is the median distance of random pairs."
        )
        st.markdown(plain(row.text))


def _neighbours(found: QualityContent, theme: ThemeName) -> None:
    rows = {row.key: row for row in found.neighbours}
    left, right = halves("quality_neighbours")
    with left:
        st.subheader("Neighbours predict the score", help=EXPLAINED["neighbours"])
        key = st.selectbox(
            "Score", list(rows), format_func=lambda key: _named(rows[key].score), key="model_quality_score"
        )
        measure = st.segmented_control(
            "Measure",
            list(MEASURES),
            default="kendall_tau",
            format_func=MEASURES.__getitem__,
            key="model_quality_measure",
            required=True,
        )
        assert key is not None and measure is not None, "both always have a value"
        row = rows[key]
        spoken = "; ".join(f"{NAMES[name]}: {_number(getattr(row.fit(name), measure))}" for name in NAMES)
        show_chart(bars(row, measure, theme), key="model_quality_bars", alt=f"{MEASURES[measure]}. {spoken}")
    with right:
        st.subheader("Reading")
        st.markdown(plain(neighbours(row).text))
        count = f"{row.latent.cells:,}" if measure != "r2_best" else f"{row.best_cells:,} best"
        st.caption(
            plain(
                f"{count} of {row.labelled:,} labelled cells, {found.config.neighbours} neighbours, "
                "each cell left out of its own prediction. Untrained: a model of the same kind with random weights."
            )
        )
        protocol(rows[key].score)


def _named(meaning: ScoreMeaning) -> str:
    return f"{meaning.title}, {meaning.data_set}" if meaning.data_set else meaning.title  # options are plain text


def _maps(part: Sequence[MapQuality], row: Reading) -> None:
    _head(row)
    table = [
        {
            "Map": one.name.upper(),
            "Trustworthiness": f"{one.trustworthiness:.3f}",
            "Continuity": f"{one.continuity:.3f}",
            "Random map": f"{one.permuted:.3f}",
            "Cells looked at": f"{one.rows:,} of {one.cells:,}",
        }
        for one in part
    ]
    st.table(pd.DataFrame(table), hide_index=True, border="horizontal")
    st.markdown(plain(row.text))


def _number(value: float | None) -> str:
    return "none" if value is None else signed(value)
