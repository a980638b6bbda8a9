"""What the papers report and what was measured here: the chosen space first, one question per section."""

from collections.abc import Sequence

import streamlit as st

from svge_core.spaces import SPACES
from ui.results.answers import answer
from ui.results.chart import rows_figure
from ui.results.rows import ComparisonRow, Comparisons, pivot
from ui.shared import session
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_chart

#: a part of a question: one data set and measure, so that its numbers can stand on one axis
Part = tuple[str, str]


def show_comparisons(content: Comparisons) -> None:
    """Every comparison of a results file, with its date and what is left out."""
    reading, left_out = content.settings.reading, content.settings.left_out
    st.caption(
        plain(f"Published values beside what was measured here ({content.date}, {content.command})."),
        help=plain(f"{reading[:1].upper()}{reading[1:]}."),
    )
    if left_out != "nothing":
        st.info(f"Left out because they were not run on this machine: {plain(left_out)}.", icon=":material/info:")
    chosen = session.space_name()
    if not any(row.space == chosen for row in content.rows):
        st.info(f"Nothing was compared on {plain(_title(chosen))}. The other search spaces follow.")
    # a stable sort: the others stay in the order of the file
    for space in sorted(dict.fromkeys(row.space for row in content.rows), key=lambda space: space != chosen):
        rows = [row for row in content.rows if row.space == space]
        if space == chosen:
            st.header(_title(space), anchor=False)
            _questions(rows)
            continue
        count = len({row.asked for row in rows})
        folded = st.expander(
            f"{_title(space)}: {count} question{'' if count == 1 else 's'}",
            key=f"results-space-{space}",
            on_change="rerun",
        )
        if folded.open:
            with folded:
                _questions(rows)


def _title(space: str) -> str:
    return SPACES[space].title if space in SPACES else space or "Other comparisons"


def _questions(rows: Sequence[ComparisonRow]) -> None:
    for asked in dict.fromkeys(row.asked for row in rows):
        _question(asked, [row for row in rows if row.asked == asked])


def _question(asked: str, rows: Sequence[ComparisonRow]) -> None:
    """The question, its answers, the dots, and the table folded below."""
    parts: dict[Part, list[ComparisonRow]] = {}
    for row in rows:
        parts.setdefault((row.data, row.measure), []).append(row)
    protocols = dict.fromkeys(measure.partition("; ")[2] for _, measure in parts)
    protocol = " ".join(f"Architectures were {text}." for text in protocols if text)
    st.subheader(plain(asked), anchor=False, help=plain(protocol) or None)
    several = len({data for data, _ in parts}) > 1
    sentences = [
        f"- **{plain(data if several else measure.split(';')[0])}**: {plain(said)}" if len(parts) > 1 else plain(said)
        for (data, measure), part in parts.items()
        if (said := answer(part))
    ]
    st.markdown("\n".join(sentences))
    space = rows[0].space
    with st.container(key=f"results-dots-of-{space}-{asked}"):
        columns = st.columns(min(len(parts), 3))
        for number, ((data, measure), part) in enumerate(parts.items()):
            with columns[number % len(columns)]:
                st.markdown(f"**{plain(data)}**")
                show_chart(
                    rows_figure(part, theme_name()),
                    key=f"results-dots-{space}-{data}-{measure}",
                    alt=f"{asked} {data}, {measure.split(';')[0]}. {answer(part)}",
                )
    with st.expander("Table", icon=":material/table:", key=f"results-table-{space}-{asked}"):
        for data in dict.fromkeys(data for data, _ in parts):
            if several:
                st.markdown(f"**{plain(data)}**")
            # differences are no results of a system, and stand apart
            for paired in (False, True):
                if part := [row for row in rows if row.data == data and row.paired == paired]:
                    _table(part)


def _table(rows: Sequence[ComparisonRow]) -> None:
    """The rows with their sources as numbered notes below."""
    notes = list(dict.fromkeys(row.source for row in rows))
    st.dataframe(pivot(rows, notes), hide_index=True, height="content")
    st.caption(plain(" · ".join(f"{number}: {note}" for number, note in enumerate(notes, start=1))))
