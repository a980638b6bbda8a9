"""The scores of a comparison as a real table, for eyes and screen readers, with the meaning of every row at hand.

Texts reach the browser as data and are shown letter by letter; measured and predicted numbers never look alike.
"""

from pathlib import Path

import streamlit as st
from streamlit.components import v2 as components

from svge_core.comparison import Comparison, ScoreRow, full_meaning, short_meaning, value_in_words
from ui.shared.hiding import without_paths

_HERE = Path(__file__).parent
_component = components.component(
    "svge_compare_table",
    html='<div class="ct"></div>',
    css=(_HERE / "table.css").read_text("utf-8"),
    js=(_HERE / "table.js").read_text("utf-8"),
)
KEY = "compare-table"


def score_table(comparison: Comparison) -> None:
    """Show it; what explains a score, such as single runs, only where it is asked for."""
    rows = [row for row in comparison.rows if not row.meaning.detail]
    details = [row for row in comparison.rows if row.meaning.detail]
    wanted = bool(details) and st.toggle(
        "Single runs, spreads and what else explains a score", key="compare-details", help=f"{len(details)} more rows"
    )
    _component(key=KEY, data=table_data(comparison, [*rows, *details] if wanted else rows))


def table_data(comparison: Comparison, rows: list[ScoreRow]) -> dict[str, object]:
    """What the browser is given."""
    return {
        "caption": f"Scores of the {len(comparison.cells)} architectures",
        "columns": [f"{number}: {name}" for number, name in enumerate(comparison.names, start=1)],
        "rows": [
            {
                "title": row.title,
                "short": short_meaning(row),
                "meaning": without_paths(full_meaning(row)),
                "kind": row.kind,
                "values": [
                    {"text": value_in_words(row, place), "best": place in row.best, "known": value is not None}
                    for place, value in enumerate(row.values)
                ],
            }
            for row in rows
        ],
    }
