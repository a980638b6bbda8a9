"""The workspace of the Compare page: places, scores, pairs, files; one fragment."""

from dataclasses import replace
from functools import partial

import streamlit as st

from svge_core.comparison import (
    FEWEST_CELLS,
    Comparison,
    compare_cells,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_pdf,
    example_pair,
    pairs_to_csv,
)
from svge_core.data import Direction
from svge_core.explorer import Column, Explorer, cell_name, cell_named
from svge_core.figures.paper import compare_sheet
from ui.compare.cells import places, reference_control
from ui.compare.pairs import pairs
from ui.compare.table import score_table
from ui.compare.training import training
from ui.shared import links, loaders, reruns, session
from ui.shared.comparing import LINE, compare_all
from ui.shared.figure_button import FigureOffer, checkpoint_words, figure_button, in_python, opening, own_note, typed
from ui.shared.opening import best_rows, first_score, focus_of
from ui.shared.theme import plain, theme_name

#: how many of the best stand side by side
SEVERAL = 3
_OTHER: dict[Direction, Direction] = {"max": "min", "min": "max"}


@st.fragment
def workspace(opened: Explorer) -> None:
    """Show the whole page of an opened checkpoint."""
    if reruns.refresh_asked():
        st.rerun()  # the basket stands in the sidebar, outside this fragment
    explorer = loaders.with_own_scores(opened)
    links.write_compare_link(explorer.space)
    comparison = _comparison(explorer)
    if notice := session.said(LINE):
        kind, icon = (st.error, ":material/error:") if notice.kind == "error" else (st.info, ":material/info:")
        kind(plain(notice.text), icon=icon)
    if comparison is None:
        _invitation(explorer)
        places(explorer, None)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="compare-controls"):
        reference_control(comparison)
        _files(explorer, comparison)
    places(explorer, comparison)
    st.markdown("##### Scores")
    score_table(comparison)
    st.caption(
        "**best** is marked only where a value of one meaning is known of all. Predictions are "
        ":violet[*violet, with ≈ and an interval*]; a prediction is never held against a measured value."
    )
    training(comparison)
    pairs(comparison)


def _comparison(explorer: Explorer) -> Comparison | None:
    """Of what is chosen; None while that is too little."""
    chosen = session.compare_choice().cells
    if len(chosen) < FEWEST_CELLS:
        return None

    def ask() -> Comparison:
        return compare_cells(explorer, [cell_named(explorer.space, name) for name in chosen])

    return reruns.memo("comparison", (explorer.digest, chosen), ask)


def _invitation(explorer: Explorer) -> None:
    """What to do while there is nothing to compare."""
    missing = "one more architecture" if session.compare_choice().cells else "two to four architectures"
    with st.container(gap="small", key="compare-invitation"):
        st.info(
            f"Choose {missing} to see them side by side: type a cell below, take some from the basket, or use "
            "**Compare** beside a cell of the Map page.",
            icon=":material/compare:",
        )
        st.caption("Or begin with an example:")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Compare the best cell with its nearest",
                key="compare-example",
                icon=":material/auto_awesome:",
                on_click=_example,
                args=(explorer,),
            )
            if (by := first_score(explorer)) is not None:
                st.button(
                    f"The best {SEVERAL}",
                    key="compare-best",
                    icon=":material/trophy:",
                    on_click=_ends,
                    args=(explorer, by, SEVERAL, 0),
                    help=plain(f"By {by.name.title}"),
                )
                st.button(
                    "The best and the worst",
                    key="compare-ends",
                    icon=":material/swap_vert:",
                    on_click=_ends,
                    args=(explorer, by, 1, 1),
                    help=plain(f"By {by.name.title}"),
                )


def _example(explorer: Explorer) -> None:
    compare_all([cell_name(explorer.space, cell) for cell in example_pair(explorer)])


def _ends(explorer: Explorer, by: Column, best: int, worst: int) -> None:
    """So many of the best, then so many of the worst."""
    rows = [*best_rows(by, None, best), *best_rows(replace(by, direction=_OTHER[by.direction]), None, worst)]
    compare_all([focus_of(explorer, row).name for row in rows])


def _files(explorer: Explorer, comparison: Comparison) -> None:
    """The comparison as files."""
    # made in a thread that has no session
    theme, reference = theme_name(), session.compare_choice().reference
    name = f"{explorer.space.name}-comparison"
    forms = (
        (
            "PDF",
            "application/pdf",
            "pdf",
            "One page: drawings, scores, pairs, meanings",
            lambda: comparison_to_pdf(comparison, theme, reference),
        ),
        (
            "CSV",
            "text/csv",
            "csv",
            "One row per architecture",
            lambda: comparison_to_csv(explorer, comparison).encode(),
        ),
        ("CSV of pairs", "text/csv", "pairs.csv", "One row per pair", lambda: pairs_to_csv(comparison).encode()),
        (
            "JSON",
            "application/json",
            "json",
            "Architectures with all that is known about them, and pairs",
            lambda: comparison_to_json(explorer, comparison).encode(),
        ),
    )
    with st.container(horizontal=True, gap="small", key="compare-files"):
        for title, mime, suffix, words, make in forms:
            st.download_button(
                title,
                key=f"compare-{suffix}",
                icon=":material/download:",
                mime=mime,
                on_click="ignore",
                data=make,
                file_name=f"{name}.{suffix}" if suffix != "pairs.csv" else f"{name}-pairs.csv",
                help=words,
            )
        figure_button("compare", partial(_figure, explorer, comparison, reference), "double")


def _figure(explorer: Explorer, comparison: Comparison, reference: int) -> FigureOffer:
    """The comparison as a figure for a paper."""
    cells = comparison.architectures
    return FigureOffer(
        "compare",
        f"{explorer.space.name}-comparison",
        partial(compare_sheet, comparison, reference),
        [*(typed(explorer, cell) for cell in cells), *checkpoint_words(explorer), "--reference", str(reference + 1)],
        f"{opening(explorer)}compared = svge.compare(explorer, {in_python(explorer, cells)})\n"
        f"svge.figure_compare(compared, reference={reference}, width={{width}}, path={{path}})",
        own_note(explorer),
    )
