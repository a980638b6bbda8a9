"""What a lasso encloses: how many, statistics of the shown score, a table to sort and click, and exports."""

import numpy as np
import pandas as pd
import streamlit as st

from svge_core import exporting
from svge_core.explorer import Column, Explorer, Summary, cell_name, charted_name, selection_columns, summary
from svge_core.exporting import MAX_CELLS, MAX_PAGE
from ui.shared import reruns, session
from ui.shared.basket import LINE as BASKET_LINE, entry_for
from ui.shared.choices import BASKET_CAP, CellFocus, Lasso
from ui.shared.selections import inside_of
from ui.shared.theme import plain

TABLE_ROWS = 1_000
TABLE_KEY = "selection-table"
#: columns of spaces whose cells stand for networks
_COSTS = ("params_m", "flops_m")


def selection(explorer: Explorer, outline: Lasso | None, shown: Column, keep: np.ndarray | None) -> None:
    """Show the selection, if there is one on a map that is shown."""
    inside = inside_of(explorer, outline)
    if inside is None:
        return
    rows = inside if keep is None else inside[keep[inside]]
    filtered = "" if keep is None else f" ({len(inside):,} in the outline, the others fail the filter)"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="selection-head"):
        st.markdown(f"##### Selection: {len(rows):,} cells{filtered}", width="stretch")
        _actions(explorer, shown, rows)
    if not len(rows):
        st.caption("The outline encloses no cell. Draw it around some points; Esc removes it.")
        return
    st.markdown(_in_words(summary(shown.values, rows, shown.direction), shown, explorer))
    best = _ordered(shown, rows)[:TABLE_ROWS]
    _table(explorer, shown, best)
    if len(rows) > len(best):
        st.caption(f"The table holds the best {len(best):,} by the shown score; exports hold all {len(rows):,}.")


def _ordered(shown: Column, rows: np.ndarray) -> np.ndarray:
    """Best first, cells without a value last."""
    values = shown.values[rows]
    return rows[np.argsort(values if shown.direction == "min" else -values, kind="stable")]


def _in_words(found: Summary, shown: Column, explorer: Explorer) -> str:
    if shown.categories:
        return "The colour is a category, so there is no average of it."
    if not found.known:
        return f"No cell here has a value of: {plain(shown.name.title)}."
    unit = f" {shown.unit}" if shown.unit else ""
    missing = f" {found.count - found.known:,} have no value." if found.known < found.count else ""
    assert found.best is not None
    line = (
        f"mean {found.mean:.4g}{unit}, standard deviation {found.deviation:.3g}, median {found.median:.4g}, "
        f"from {found.low:.4g} to {found.high:.4g}, best {charted_name(explorer, found.best)}.{missing}"
    )
    name = plain(shown.name.title)
    if shown.name.kind in ("predicted", "error"):
        return f":violet[*{name}*]: {plain(line)}"
    return f"**{name}**: {plain(line)}"


def _table(explorer: Explorer, shown: Column, rows: np.ndarray) -> None:
    frame = selection_frame(explorer, shown, rows)
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        height=min(380, 38 + 35 * len(frame)),
        key=TABLE_KEY,
        selection_mode="single-row",
        on_select=lambda: _row_chosen(explorer, rows),
        column_config={
            "index": number("Index", format="%d", width="small"),
            "number": number("No.", format="%d", width="small"),
            "shown": number(shown.name.title, format="%.3f"),
            "params_m": number("Parameters (M)", format="%.3f"),
            "flops_m": number("FLOPs (M)", format="%.1f"),
            "split": st.column_config.TextColumn("VAE", help="Whether the VAE was trained on the structure"),
            "architecture": st.column_config.TextColumn("Architecture", width="large"),
        },
    )


def selection_frame(explorer: Explorer, shown: Column, rows: np.ndarray) -> pd.DataFrame:
    """The table of a selection."""
    frame = explorer.scores.frame
    drawn = explorer.atlas.drawn is not None
    columns: dict[str, object] = {"number": rows + 1} if drawn else {"index": explorer.atlas.indices[rows]}
    if shown.name.key not in _COSTS:
        values = shown.values[rows]
        names = np.array(shown.categories) if shown.categories else None
        columns["shown"] = values if names is None else names[values.astype(int)]
    columns |= {key: frame[key].to_numpy()[rows] for key in _COSTS if key in frame}
    others = "trained on" if explorer.space.enumerated else "not held out"
    columns["split"] = np.where(explorer.held_out[rows], "held out", others)
    columns["architecture"] = [explorer.space.format(cell) for cell in explorer.cells_at(rows)]
    return pd.DataFrame(columns)


def charted_focus(explorer: Explorer, row: int) -> CellFocus:
    """The focus on a charted cell."""
    return CellFocus(cell_name(explorer.space, explorer.cells_at(np.array([row]))[0]))


def _row_chosen(explorer: Explorer, rows: np.ndarray) -> None:
    chosen = st.session_state[TABLE_KEY]["selection"]["rows"]
    if chosen and chosen[0] < len(rows):
        session.set_focus(charted_focus(explorer, int(rows[chosen[0]])))


def _actions(explorer: Explorer, shown: Column, rows: np.ndarray) -> None:
    few = bool(len(rows))
    name = f"{explorer.space.name}-selection"
    st.download_button(
        "CSV",
        key="selection-csv",
        icon=":material/download:",
        mime="text/csv",
        on_click="ignore",
        disabled=not few,
        data=lambda: exported(explorer, rows, "csv"),
        file_name=f"{name}.csv",
    )
    st.download_button(
        "Parquet",
        key="selection-parquet",
        icon=":material/download:",
        mime="application/vnd.apache.parquet",
        on_click="ignore",
        disabled=not few,
        data=lambda: exported(explorer, rows, "parquet"),
        file_name=f"{name}.parquet",
    )
    st.download_button(
        "JSON",
        key="selection-json",
        icon=":material/download:",
        mime="application/json",
        on_click="ignore",
        disabled=not few or len(rows) > MAX_CELLS,
        data=lambda: exported(explorer, rows, "json"),
        file_name=f"{name}.json",
        help=f"At most {MAX_CELLS:,} cells" if len(rows) > MAX_CELLS else None,
    )
    st.download_button(
        "HTML",
        key="selection-html",
        icon=":material/download:",
        mime="text/html",
        on_click="ignore",
        disabled=not few or len(rows) > MAX_PAGE,
        data=lambda: exported(explorer, rows, "html"),
        file_name=f"{name}.html",
        help=f"One page with drawings, for a mail or an issue; at most {MAX_PAGE:,} cells",
    )
    st.button(
        "Basket",
        key="selection-basket",
        icon=":material/add_shopping_cart:",
        disabled=not few,
        help=f"Adds the best cells first, up to the basket's {BASKET_CAP}",
        on_click=_to_basket,
        args=(explorer, _ordered(shown, rows)),
    )
    st.button("Clear", key="selection-clear", icon=":material/close:", type="tertiary", on_click=_clear)


def exported(explorer: Explorer, rows: np.ndarray, form: str) -> bytes:
    """The selection as a file; a table of more cells than fit into JSON leaves out what each cell has on its own."""
    if form != "json" and len(rows) > MAX_CELLS:
        table = selection_columns(explorer, rows)
        return table.to_csv(index=False).encode() if form == "csv" else table.to_parquet(index=False)
    items = explorer.export_items(explorer.cells_at(rows))
    if form == "parquet":
        return exporting.to_parquet(items, explorer.space)
    if form == "html":
        return exporting.to_html(items, explorer.space).encode()
    return (exporting.to_json if form == "json" else exporting.to_csv)(items, explorer.space).encode()


def _to_basket(explorer: Explorer, rows: np.ndarray) -> None:
    reruns.refresh_all()
    entries = tuple(entry_for(explorer.space, cell) for cell in explorer.cells_at(rows[: 2 * BASKET_CAP]))
    added, full = session.add_to_basket(entries)
    rest = max(0, full + len(rows) - len(entries))
    if rest:
        session.say(BASKET_LINE, f"{added} added; {rest:,} found no room, the basket holds {BASKET_CAP}.")
    else:
        session.say(BASKET_LINE, f"{added} added.", "success")


def _clear() -> None:
    session.set_lasso(None)
