"""The tables of ``bench papers`` for people: one per comparison and data set, systems down, measures across."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from svge_core.errors import DataError
from ui.theme import plain

ORIGINS = ("measured here", "published")
FIELDS = ("comparison", "data", "system", "measure", "value", "origin", "source")


def show_comparisons(content: Mapping[str, Any]) -> None:
    """Every comparison of a results file, with its date and what is left out."""
    try:
        rows = checked(content)
    except DataError as error:
        st.error(str(error))
        return
    st.caption(
        f"{plain(str(content['date']))}, `{plain(str(content['command']))}`. {plain(content['settings']['reading'])}."
    )
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
            table = pivot([row for row in group if row["data"] == data])
            st.dataframe(table, hide_index=True, height="content")


def checked(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The rows, if they are what ``bench papers`` writes.

    Raises:
        DataError: naming what is missing.
    """
    rows = content.get("rows")
    for row in rows if isinstance(rows, list) else [{}]:
        lacking = [field for field in FIELDS if field not in row] or ([] if row["origin"] in ORIGINS else ["origin"])
        if lacking:
            raise DataError(
                f"The stored comparisons lack {lacking[0]!r}: run 'python -m svge_core bench papers' again."
            )
    return rows or []


def pivot(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """One line per system, origin and source, one column per measure; ± where there is a deviation."""
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        seeds = "" if row.get("seeds") is None else str(row["seeds"])
        line = lines.setdefault(
            (row["system"], row["origin"], row["source"]),
            {"System": row["system"], "Origin": row["origin"], "Seeds": seeds, **dict.fromkeys(measures, "")},
        )
        spread = row.get("value_sd")
        line[row["measure"]] = f"{row['value']:.4g}" + ("" if spread is None else f" ± {spread:.2g}")
    return [{**line, "Source": source} for (_, _, source), line in lines.items()]
