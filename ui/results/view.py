"""The tables of ``bench papers`` for people: one per comparison and data set, systems down, measures across."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from svge_core.errors import DataError
from ui.shared.theme import plain

ORIGINS = ("measured here", "published")
#: end of the name of a measure that is a share; what stands between the systems of a difference
SHARE, PAIRED = ", share", " minus "
FIELDS = ("comparison", "data", "system", "measure", "value", "origin", "source")


def show_comparisons(content: Mapping[str, Any]) -> None:
    """Every comparison of a results file, with its date and what is left out."""
    try:
        rows = checked(content)
    except DataError as error:
        st.error(str(error))
        return
    reading = str(content["settings"]["reading"])
    st.caption(plain(f"{content['date']}, {content['command']}. {reading[:1].upper()}{reading[1:]}."))
    if (left_out := content["settings"].get("left out", "nothing")) != "nothing":
        st.info(f"Left out because they were not run on this machine: {plain(left_out)}.", icon=":material/info:")
    shown = st.segmented_control(
        "Rows",
        ("All", *(origin.capitalize() for origin in ORIGINS)),
        default="All",
        key="results_origin",
        required=True,
    )
    kept = [row for row in rows if shown in ("All", row["origin"].capitalize())]
    for comparison in dict.fromkeys(row["comparison"] for row in kept):
        st.subheader(comparison.capitalize())
        group = [row for row in kept if row["comparison"] == comparison]
        for data in dict.fromkeys(row["data"] for row in group):
            st.markdown(f"**{plain(data)}**")
            rows = [row for row in group if row["data"] == data]
            # differences are no results of a system, and stand apart
            for paired in (False, True):
                if part := [row for row in rows if (PAIRED in row["system"]) == paired]:
                    _table(part)


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows with their sources as numbered notes below."""
    notes = list(dict.fromkeys(row["source"] for row in rows))
    st.dataframe(pivot(rows, notes), hide_index=True, height="content")
    st.caption(plain(" · ".join(f"{number}: {note}" for number, note in enumerate(notes, start=1))))


def checked(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The rows, if they are what ``bench papers`` writes.

    Raises:
        DataError: naming what is missing.
    """
    rows = content.get("rows")
    for row in rows if isinstance(rows, list) and rows else [{}]:
        lacking = [field for field in FIELDS if field not in row] or ([] if row["origin"] in ORIGINS else ["origin"])
        lacking = lacking or [name for name in ("date", "command", "settings") if name not in content]
        if lacking or "reading" not in content["settings"]:
            missing = lacking[0] if lacking else "reading"
            raise DataError(f"The stored comparisons lack {missing!r}: run 'python -m svge_core bench papers' again.")
    return rows or []


def pivot(rows: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> list[dict[str, str]]:
    """One line per system, origin and source, one column per measure; lines of a system stand together.

    Args:
        rows: of one comparison and data set.
        notes: their sources; a line names its source by the place in them, from 1.
    """
    measures = {row["measure"]: row["measure"].removesuffix(SHARE) for row in rows}
    systems = list(dict.fromkeys(row["system"] for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: systems.index(row["system"])):
        seeds = "" if row.get("seeds") is None else str(row["seeds"])
        line = lines.setdefault(
            (row["system"], row["origin"], row["source"]),
            {"System": row["system"], "Origin": row["origin"], "Seeds": seeds, **dict.fromkeys(measures.values(), "")},
        )
        line[measures[row["measure"]]] = number(row)
    return [{**line, "Source": str(notes.index(source) + 1)} for (_, _, source), line in lines.items()]


def number(row: Mapping[str, Any]) -> str:
    """A value with its deviation, as its measure is written: shares in per cent, differences with their sign."""
    share, percent = row["measure"].endswith(SHARE), "%" in row["measure"]
    factor, digits = (100 if share else 1), (2 if share or percent else 3)
    sign = "+" if PAIRED in row["system"] else ""
    text = f"{factor * row['value']:{sign}.{digits}f}"
    if row.get("value_sd") is not None:
        text += f" ± {factor * row['value_sd']:.{digits}f}"
    if not share:
        return text
    return f"{text} points" if sign else f"{text} %"
