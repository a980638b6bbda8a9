"""The tables of ``bench papers`` for people: one per comparison and data set, systems down, measures across."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
import streamlit as st

from ui.shared.theme import plain

ResultOrigin = Literal["measured here", "published"]
ORIGINS: tuple[str, ...] = get_args(ResultOrigin)
#: end of the name of a measure that is a share; what stands between the systems of a difference
SHARE, PAIRED = ", share", " minus "


class ComparisonRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number of a comparison.

    Attributes:
        comparison, data, system, measure: what is compared, on what, whose number it is, and of what.
        value: the number.
        origin: whether this project measured it.
        source: where it stands.
        value_sd: sample standard deviation over the seeds.
        seeds: how many.
    """

    comparison: str
    data: str
    system: str
    measure: str
    value: float
    origin: ResultOrigin
    source: str
    value_sd: float | None = None
    seeds: int | None = None


class ComparisonSettings(msgspec.Struct, frozen=True):
    """How the comparisons are to be read, and which benchmarks were not run."""

    reading: str
    left_out: str = msgspec.field(default="nothing", name="left out")


class Comparisons(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``bench papers`` writes."""

    benchmark: Literal["papers"]
    date: str
    machine: dict[str, Any]
    command: str
    settings: ComparisonSettings
    rows: tuple[ComparisonRow, ...]


def show_comparisons(content: Comparisons) -> None:
    """Every comparison of a results file, with its date and what is left out."""
    reading, left_out = content.settings.reading, content.settings.left_out
    st.caption(plain(f"{content.date}, {content.command}. {reading[:1].upper()}{reading[1:]}."))
    if left_out != "nothing":
        st.info(f"Left out because they were not run on this machine: {plain(left_out)}.", icon=":material/info:")
    shown = st.segmented_control(
        "Rows",
        ("All", *(origin.capitalize() for origin in ORIGINS)),
        default="All",
        key="results_origin",
        required=True,
    )
    kept = [row for row in content.rows if shown in ("All", row.origin.capitalize())]
    for comparison in dict.fromkeys(row.comparison for row in kept):
        st.subheader(comparison.capitalize())
        group = [row for row in kept if row.comparison == comparison]
        for data in dict.fromkeys(row.data for row in group):
            st.markdown(f"**{plain(data)}**")
            rows = [row for row in group if row.data == data]
            # differences are no results of a system, and stand apart
            for paired in (False, True):
                if part := [row for row in rows if (PAIRED in row.system) == paired]:
                    _table(part)


def _table(rows: Sequence[ComparisonRow]) -> None:
    """The rows with their sources as numbered notes below."""
    notes = list(dict.fromkeys(row.source for row in rows))
    st.dataframe(pivot(rows, notes), hide_index=True, height="content")
    st.caption(plain(" · ".join(f"{number}: {note}" for number, note in enumerate(notes, start=1))))


def pivot(rows: Sequence[ComparisonRow], notes: Sequence[str]) -> list[dict[str, str]]:
    """One line per system, origin and source, one column per measure; lines of a system stand together.

    Args:
        rows: of one comparison and data set.
        notes: their sources; a line names its source by the place in them, from 1.
    """
    measures = {row.measure: row.measure.removesuffix(SHARE) for row in rows}
    systems = list(dict.fromkeys(row.system for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: systems.index(row.system)):
        seeds = "" if row.seeds is None else str(row.seeds)
        line = lines.setdefault(
            (row.system, row.origin, row.source),
            {"System": row.system, "Origin": row.origin, "Seeds": seeds, **dict.fromkeys(measures.values(), "")},
        )
        line[measures[row.measure]] = number(row)
    return [{**line, "Source": str(notes.index(source) + 1)} for (_, _, source), line in lines.items()]


def number(row: ComparisonRow) -> str:
    """A value with its deviation, as its measure is written: shares in per cent, differences with their sign."""
    share, percent = row.measure.endswith(SHARE), "%" in row.measure
    factor, digits = (100 if share else 1), (2 if share or percent else 3)
    sign = "+" if PAIRED in row.system else ""
    text = f"{factor * row.value:{sign}.{digits}f}"
    if row.value_sd is not None:
        text += f" ± {factor * row.value_sd:.{digits}f}"
    if not share:
        return text
    return f"{text} points" if sign else f"{text} %"
