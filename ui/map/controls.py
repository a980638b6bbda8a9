"""The row above the map: colour, map, look-up, filters, a place by numbers, own scores. Each writes session state."""

from collections.abc import Callable
from typing import get_args

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.data import import_csv
from svge_core.data.csv import columns_in_words
from svge_core.drawing import operation_label
from svge_core.errors import SvgeError
from svge_core.explorer import (
    CellFilter,
    Column,
    Explorer,
    cell_name,
    find_cell,
    find_forms,
    map_column,
    map_names,
    starts_like_query,
)
from svge_core.spaces import AbstractSearchSpace
from ui.map.display import display
from ui.map.range_slider import range_slider
from ui.map.selection import charted_focus
from ui.shared import session
from ui.shared.choices import FURTHEST, CellFocus, PlaceFocus, UserColumns
from ui.shared.selections import ask, saved_popover, vocabulary, words_of
from ui.shared.theme import plain
from ui.shared.waiting import waiting

LINE, UPLOAD_LINE = "controls", "upload"
LESS = "w-csv-less"
#: a file was chosen and is not read yet
ASKED = "csv-asked"
#: above what is read, so that a file that is too large is answered by our own line and not by the widget's icon
UPLOAD_MEGABYTES = 100
REJECTED_SHOWN, LINE_SHOWN = 20, 500
PLANES: dict[PlaneName, str] = {"umap": "UMAP", "pca": "PCA"}


def shown_plane(explorer: Explorer) -> PlaneName:
    """The chosen map, or the first there is."""
    chosen = session.plane()
    return chosen if chosen in explorer.plane_names else explorer.plane_names[0]


def shown_colour(explorer: Explorer) -> str:
    """The chosen column, or the first there is."""
    keys = [name.key for name in map_names(explorer)]
    return session.colour() if session.colour() in keys else keys[0]


def controls(explorer: Explorer, shown: Column, plane: PlaneName) -> None:
    """Show the row.

    Args:
        explorer: with the user's own columns.
        shown: the column that colours the map.
        plane: the map that is shown.
    """
    titles = {name.key: name.title for name in map_names(explorer)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="map-controls"):
        _seeded("w-colour", shown.name.key)
        st.selectbox(
            "Colour",
            list(titles),
            format_func=lambda key: titles[key],
            key="w-colour",
            on_change=lambda: session.set_colour(st.session_state["w-colour"]),
            width=276,
        )
        layout_control(
            "Map",
            "w-plane",
            explorer,
            plane,
            session.set_plane,
            "Two ways to lay the latents out on a plane. UMAP keeps neighbours together and bends distances; "
            "PCA is a straight view along the two directions in which the latents differ most.",
        )
        st.text_input(
            "Find",
            key="w-find",
            placeholder="string or words …" if explorer.space.size is None else "string, index, words …",
            on_change=_find,
            args=(explorer,),
            icon=":material/search:",
            width=170,
            help=plain(f"Reads {find_forms(explorer.space)}; or a question such as: {vocabulary(explorer).example}."),
        )
        with st.popover("Display", icon=":material/tune:", key="w-display"):
            display(shown)
        active = session.cell_filter().active
        with st.popover(f"Filter ({active})" if active else "Filter", icon=":material/filter_alt:", key="w-filter"):
            _filters(explorer, shown)
        saved_popover()
        with st.popover("Go to", icon=":material/my_location:", key="w-goto"):
            _goto(plane)
        with st.popover("Own scores", icon=":material/upload_file:", key="w-own"):
            _own_scores(explorer.space)
    if (notice := session.said(LINE)) is not None and notice.kind == "success":
        st.success(plain(notice.text), icon=":material/search:")
    elif notice is not None:
        st.error(plain(notice.text), icon=":material/search_off:")


def _seeded(key: str, value: object) -> None:
    """Give a widget its value from the state: it may have changed by a link, by undo or on another page."""
    st.session_state[key] = value


def layout_control(
    title: str,
    key: str,
    explorer: Explorer,
    plane: PlaneName,
    choose: Callable[[PlaneName], None],
    words: str | None = None,
) -> None:
    """The layouts of a map to choose from, where there are several.

    Args:
        title: above them.
        key: of the widget.
        explorer: of the map.
        plane: that is shown.
        choose: called with another one, before the rerun.
        words: behind the question mark; None for none.
    """
    if len(explorer.plane_names) < 2:
        return

    def chosen() -> None:
        if (name := st.session_state[key]) in get_args(PlaneName):
            choose(name)

    st.session_state[key] = plane
    st.segmented_control(
        title,
        explorer.plane_names,
        format_func=lambda name: PLANES[name],
        key=key,
        required=True,
        on_change=chosen,
        help=words,
    )


def _find(explorer: Explorer) -> None:
    text, space = st.session_state["w-find"], explorer.space
    if not text.strip():
        return
    st.session_state["w-find"] = ""  # Enter on an unchanged text would reach nobody: the same text can be typed again
    try:
        session.set_focus(CellFocus(cell_name(space, find_cell(space, text))))
    except SvgeError as error:
        try:
            _ask(explorer, text)
        except SvgeError as problem:
            session.say(LINE, str(problem if starts_like_query(text) else error))


def _ask(explorer: Explorer, text: str) -> None:
    """Filter by a question, and show the first cell that it means."""
    with session.one_step():
        found = ask(explorer, text)
        if len(found.rows):
            session.set_focus(charted_focus(explorer, int(found.rows[0])))
    cells = f"{len(found.rows):,} cell{'s' if len(found.rows) != 1 else ''}"
    session.say(LINE, f"{cells}: {found.words}.", "success" if len(found.rows) else "error")


# ---- filters ----------------------------------------------------------------------------------------------------


def _filters(explorer: Explorer, shown: Column) -> None:
    now = session.cell_filter()
    st.caption("Cells that fail a condition are dimmed, not hidden.")
    if now.where:
        st.markdown(f"**In words**: {plain(words_of(explorer, now.where) or now.where)}")
        st.button("Remove the question", key="w-where-drop", on_click=lambda: _change(where=""))
    about = shown
    known = {name.key for name in map_names(explorer)}
    if now.score is not None and now.score_key != shown.name.key and now.score_key in known:
        about = map_column(explorer, now.score_key)
    if not about.categories:
        range_slider(
            explorer.digest,
            "w-score",
            f"{about.name.title}{f' ({about.unit})' if about.unit else ''}",
            about.values,
            now.score,
            lambda pair: _change(score=pair, score_key=about.name.key if pair else ""),
        )
    if explorer.space.has_cost:
        range_slider(
            explorer.digest,
            "w-params",
            "Parameters (million)",
            explorer.params,
            now.params,
            lambda pair: _change(params=pair),
        )
    for key, label, chosen in (
        ("contains", "Contains all of", now.contains),
        ("without", "Contains none of", now.without),
    ):
        _seeded(f"w-{key}", [op for op in chosen if op in explorer.space.operations])
        st.multiselect(
            label,
            explorer.space.operations,
            format_func=operation_label,
            key=f"w-{key}",
            on_change=_operations,
            args=(key,),
            placeholder="any operations",
            select_all=False,
        )
    _seeded("w-held-out", now.held_out_only)
    st.checkbox("Held-out cells only", key="w-held-out", on_change=_held_out)
    st.button("Remove all", key="w-filter-reset", disabled=not now.active, on_click=_reset)


def _change(**values: object) -> None:
    session.set_cell_filter(CellFilter(**{**vars(session.cell_filter()), **values}))


def _operations(key: str) -> None:
    _change(**{key: tuple(st.session_state[f"w-{key}"])})


def _held_out() -> None:
    _change(held_out_only=bool(st.session_state["w-held-out"]))


def _reset() -> None:
    session.set_cell_filter(CellFilter())


# ---- a place by numbers -----------------------------------------------------------------------------------------


def _goto(plane: PlaneName) -> None:
    """The keyboard's way to any position."""
    now = session.focus()
    with st.form("goto", border=False):
        st.caption(f"Decode a position of the {PLANES[plane]} map.")
        if isinstance(now, PlaceFocus) and now.plane == plane:
            _seeded("w-x", now.x)
            _seeded("w-y", now.y)
        x, y = st.columns(2)
        x.number_input("x", key="w-x", value=None if "w-x" in st.session_state else 0.0, step=0.1, format="%.3f")
        y.number_input("y", key="w-y", value=None if "w-y" in st.session_state else 0.0, step=0.1, format="%.3f")
        st.form_submit_button("Decode here", on_click=_go, args=(plane,))


def _go(plane: PlaneName) -> None:
    x, y = st.session_state.get("w-x"), st.session_state.get("w-y")
    if x is None or y is None:
        session.say(LINE, "Both x and y are needed to decode a position.")
    elif max(abs(x), abs(y)) > FURTHEST:
        session.say(LINE, f"No map reaches so far: expected coordinates up to {FURTHEST:g}.")
    else:
        session.set_focus(PlaceFocus(plane, float(x), float(y)))


# ---- own scores -------------------------------------------------------------------------------------------------


def _own_scores(space: AbstractSearchSpace) -> None:
    if not space.enumerated:
        st.caption(
            f"{space.title} has too many cells to list, so there is no table that own scores could join. "
            "The Search page reads them: as a goal, or as labels to start from."
        )
        return
    st.caption(
        f"A CSV file with a header: a column {columns_in_words(space)}, and one or more columns of "
        "numbers, at most 20 MiB. They can then colour the map and stand in the panel. The file itself is not kept."
    )
    st.file_uploader(
        "CSV file",
        type=["csv", "tsv", "txt", "gz"],
        key="w-csv",
        on_change=lambda: st.session_state.update({ASKED: True}),
        max_upload_size=UPLOAD_MEGABYTES,
    )
    # read here, as a callback of a fragment cannot show how far it has come; then the whole page takes the new colour.
    # A click meanwhile ends this run: then the next one reads it
    if st.session_state.get(ASKED):
        shown = _uploaded(space)
        st.session_state[ASKED] = False
        if shown:
            st.rerun()
    if notice := session.said(UPLOAD_LINE):
        st.error(plain(notice.text))
    if own := session.user_columns():
        read = f"{plain(own.name)}: {plain(own.summary[: 4 * LINE_SHOWN])}"
        if own.remarks:
            lines = [f"- {plain(line[:LINE_SHOWN])}" for line in own.remarks[:REJECTED_SHOWN]]
            if more := len(own.remarks) - len(lines):
                lines.append(f"- and {more:,} more")
            (st.success if own.all_used else st.warning)("\n".join([read, "", *lines]))
        else:
            st.success(read)
        meanings = own.scores.meanings
        for key, meaning in meanings.items():  # a tick of its own for each column
            _seeded(f"{LESS}-{key}", meaning.direction == "min")
            st.checkbox(f"Lower is better: {plain(meaning.title)}", key=f"{LESS}-{key}", on_change=_turn)
        st.button("Remove these scores", key="w-csv-drop", on_click=_drop_columns)


def _uploaded(space: AbstractSearchSpace) -> bool:
    """Read the file that was chosen; whether its scores can be shown."""
    file = st.session_state.get("w-csv")
    if file is None:
        return False
    try:
        with waiting("Reading the table …", space.title):
            read = import_csv(space, file.getvalue(), name=file.name)
        scores = read.to_scores(space)
        if not scores.meanings or not read.rows:
            first = f" {read.rejected[0]}" if read.rejected else ""
            raise SvgeError(f"No usable line with a score was found.{first}")
    except SvgeError as error:
        session.say(UPLOAD_LINE, str(error))
        return False
    session.set_user_columns(UserColumns(file.name, scores, read.summary(), read.remarks(), not read.rejected))
    session.set_colour(next(iter(scores.meanings)))
    return True


def _turn() -> None:
    if own := session.user_columns():
        less = [key for key in own.scores.meanings if st.session_state.get(f"{LESS}-{key}")]
        session.set_user_columns(own.with_less_is_better(less))


def _drop_columns() -> None:
    session.set_user_columns(None)
