"""What is selected by filter, question and outline; and selections kept under names."""

from dataclasses import replace

import numpy as np
import streamlit as st

from svge_core.atlas import select_in_polygon
from svge_core.errors import SvgeError
from svge_core.explorer import (
    CellFilter,
    ChartedCells,
    Found,
    Vocabulary,
    find_rows,
    in_words,
    kept_by,
    map_column,
    parse_query,
    vocabulary_of,
)
from ui.shared import loaders, reruns, session
from ui.shared.choices import NAME_LENGTH, SAVED_CAP, Lasso, SavedSelection, TableChoice
from ui.shared.theme import plain

LINE = "selections"
_NAME = "w-selection-name"


# ---- what is selected --------------------------------------------------------------------------------------------


def enclosed(xy: np.ndarray, outline: Lasso) -> np.ndarray:
    """Rows of the cells that an outline and its later parts select, ascending."""
    rows = select_in_polygon(xy, np.asarray(outline.polygon))
    for mode, polygon in outline.parts:
        part = select_in_polygon(xy, np.asarray(polygon))
        rows = np.union1d(rows, part) if mode == "add" else np.setdiff1d(rows, part)
    return rows


def inside_of(explorer: ChartedCells, outline: Lasso | None) -> np.ndarray | None:
    """Rows that an outline encloses; None without one, and for one on a map that the checkpoint does not have.

    Of an outline on another checkpoint's map, the rows here of the cells that it encloses there.
    """
    drawn_on = explorer if outline is None or not outline.checkpoint else loaders.named_explorer(outline.checkpoint)
    if outline is None or drawn_on is None or outline.plane not in drawn_on.atlas.planes:
        return None
    layout, atlas = drawn_on.atlas.planes[outline.plane], explorer.atlas

    def ask() -> np.ndarray:
        rows = enclosed(layout.xy, outline)
        if drawn_on is explorer or (joined := loaders.joined_rows(drawn_on, explorer)) is None:
            return rows
        there = joined[rows]
        return np.sort(there[there >= 0])

    return reruns.memo("selection", (layout.digest, outline, atlas.digest), ask)


def vocabulary(explorer: ChartedCells) -> Vocabulary:
    """What a question can speak of, worked out once."""
    return reruns.memo("vocabulary", explorer.digest, lambda: vocabulary_of(explorer))


def words_of(explorer: ChartedCells, text: str) -> str:
    """How a question was understood; empty where it cannot be read."""

    def ask() -> str:
        try:
            return in_words(parse_query(text, vocabulary(explorer)), vocabulary(explorer))
        except SvgeError:
            return ""

    return reruns.memo("question", (explorer.digest, text), ask)


def ask(explorer: ChartedCells, text: str) -> Found:
    """Make a question the one that filters the map and the table; returns the cells that it means.

    Raises:
        ParseError: in one line, if it is not understood; nothing changes then.
    """
    now = session.cell_filter()
    rest = replace(now, where="")
    score = map_column(explorer, rest.score_key).values if rest.score is not None else None
    found = find_rows(explorer, text, kept_by(explorer, rest, score))
    session.set_cell_filter(replace(now, where=text.strip()))
    table = table_choice()
    set_table_choice(replace(table, start=0, sort="", turned=False))
    return found


# ---- the table's choices ------------------------------------------------------------------------------------------


def table_choice() -> TableChoice:
    """How the table of the chosen space is shown."""
    return st.session_state.get(session.TABLE_KEY, TableChoice())


def set_table_choice(choice: TableChoice) -> None:
    """Show the table in another way."""
    st.session_state[session.TABLE_KEY] = choice


# ---- selections under names ---------------------------------------------------------------------------------------


def saved() -> tuple[SavedSelection, ...]:
    """The selections of the chosen space that were kept, in order."""
    return st.session_state.get(session.SAVED_KEY, ())


def set_saved(selections: tuple[SavedSelection, ...]) -> None:
    """Keep others."""
    st.session_state[session.SAVED_KEY] = selections[:SAVED_CAP]
    session.changed()


def keep(name: str) -> None:
    """Keep what is selected now; one of the same name is replaced.

    Raises:
        SvgeError: one line, if there is no name, nothing is selected, or there is no room.
    """
    name = " ".join(name.split())
    conditions, outline, folder = session.cell_filter(), session.lasso(), session.checkpoint()
    if not 0 < len(name) <= NAME_LENGTH:
        raise SvgeError(f"A selection needs a name of at most {NAME_LENGTH} letters; got {len(name)}.")
    if not conditions.active and outline is None:
        raise SvgeError("Nothing is selected: filter, ask in words or draw a lasso first.")
    others = tuple(selection for selection in saved() if selection.name != name)
    if len(others) >= SAVED_CAP:
        raise SvgeError(f"At most {SAVED_CAP} selections are kept: delete one first.")
    drawn_on = "" if outline is None or folder is None else outline.checkpoint or folder.name
    set_saved((*others, SavedSelection(name, conditions, outline, drawn_on)))


def recall(selection: SavedSelection) -> None:
    """Select again what was kept; one step to undo.

    An outline on another checkpoint's map selects the same cells, and pages say where it is; where that map is not
    here, it is left out, and said.
    """
    folder, outline = session.checkpoint(), selection.lasso
    drawn_on = "" if outline is None else outline.checkpoint or selection.checkpoint
    here = outline is None or (folder is not None and folder.name == drawn_on) or loaders.has_map(drawn_on)
    if outline is not None:
        outline = replace(outline, checkpoint="" if folder is not None and folder.name == drawn_on else drawn_on)
    with session.one_step():
        session.set_cell_filter(selection.filter)
        session.set_lasso(outline if here else None)
    set_table_choice(replace(table_choice(), start=0))
    if not here:
        session.say(LINE, f"The lasso of {selection.name!r} was drawn on the map of {drawn_on!r}: left out.")


def drop_lost_lasso() -> str:
    """Let go of an outline on another checkpoint's map that is not here any more; what to say of it, empty for none."""
    outline = session.lasso()
    if outline is None or not outline.checkpoint:
        return ""
    drawn_on = loaders.named_explorer(outline.checkpoint)
    if drawn_on is not None and outline.plane in drawn_on.plane_names:
        return ""
    session.change_views(lambda view: view.without_lasso(outline.checkpoint))
    return (
        f"The lasso was drawn on the map of {outline.checkpoint[:60]!r}, which is not here or cannot be opened: it was "
        "dropped."
    )


def drop(name: str) -> None:
    """Forget a selection."""
    set_saved(tuple(selection for selection in saved() if selection.name != name))


def release() -> None:
    """Select everything again."""
    with session.one_step():
        session.set_cell_filter(CellFilter())
        session.set_lasso(None)
    set_table_choice(replace(table_choice(), start=0))


def saved_popover() -> None:
    """Keep what is selected under a name, and the kept ones to recall or delete."""
    kept = saved()
    label = f"Saved ({len(kept)})" if kept else "Saved"
    with st.popover(label, icon=":material/bookmark:", key="w-saved"):
        st.caption("A selection is the filter, the question and the lasso as they are now.")
        st.text_input("Name", key=_NAME, max_chars=NAME_LENGTH, placeholder="such as small and good")
        st.button("Save selection", key="selection-save", icon=":material/bookmark_add:", on_click=_keep)
        if notice := session.said(LINE):
            st.error(plain(notice.text))
        for number, selection in enumerate(kept):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    plain(selection.name),
                    key=f"selection-recall-{number}",
                    type="tertiary",
                    width="stretch",
                    on_click=recall,
                    args=(selection,),
                )
                st.button(
                    "",
                    key=f"selection-drop-{number}",
                    icon=":material/delete:",
                    type="tertiary",
                    help=f"Delete {plain(selection.name)}",
                    on_click=drop,
                    args=(selection.name,),
                )


def _keep() -> None:
    try:
        keep(st.session_state.get(_NAME, ""))
    except SvgeError as error:
        session.say(LINE, str(error))
        return
    st.session_state[_NAME] = ""
