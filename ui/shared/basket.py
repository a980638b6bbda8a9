"""The basket in the sidebar: architectures put aside, taken back in from JSON, and taken away in any form."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from svge_core import exporting
from svge_core.atlas import chartable
from svge_core.cells import Cell
from svge_core.comparison import FEWEST_CELLS
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer, cell_name
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.shared import session
from ui.shared.choices import BASKET_CAP, BasketEntry, CellFocus
from ui.shared.comparing import compare_all
from ui.shared.steps import undo_and_redo
from ui.shared.theme import plain

LINE = "basket"
SIDE_BY_SIDE = "Put them side by side"
SHOWN = 30
MAX_IMPORT_BYTES = 5 * 2**20


def entry_for(space: AbstractSearchSpace, cell: Cell, label: str = "") -> BasketEntry:
    """The basket's form of a cell."""
    return BasketEntry(space.name, space.format(cell), label)


def cells_of(entries: Sequence[BasketEntry], space: AbstractSearchSpace) -> list[Cell]:
    """The cells of basket entries."""
    return [space.parse(entry.notation) for entry in entries]


def indices_of(entries: Sequence[BasketEntry], space: AbstractSearchSpace) -> list[int]:
    """Official indices of basket entries; none where cells have no index."""
    return [space.index(cell) for cell in cells_of(entries, space)] if space.size is not None else []


@dataclass(frozen=True)
class ExportForm:
    """One way to take the basket away.

    Attributes:
        title: as the list shows it.
        suffix: of the file.
        mime: its type.
    """

    title: str
    suffix: str
    mime: str


FORMS: tuple[ExportForm, ...] = (
    ExportForm("Everything (zip)", "zip", "application/zip"),
    ExportForm("JSON", "json", "application/json"),
    ExportForm("CSV", "csv", "text/csv"),
    ExportForm("Parquet", "parquet", "application/vnd.apache.parquet"),
    ExportForm("Web page (HTML)", "html", "text/html"),
    ExportForm("Architecture strings", "txt", "text/plain"),
    ExportForm("Official indices", "indices.txt", "text/plain"),
    ExportForm("Graphviz DOT", "dot", "text/vnd.graphviz"),
    ExportForm("Drawings (SVG)", "svg", "image/svg+xml"),
    ExportForm("Drawings (PNG)", "png", "image/png"),
    ExportForm("Drawings (PDF)", "pdf", "application/pdf"),
)


def forms_of(space: AbstractSearchSpace, cell: Cell) -> tuple[ExportForm, ...]:
    """What the cells of a space can be exported as: with a list for each of their further names.

    Args:
        space: of the cells.
        cell: any of them.
    """
    names = [ExportForm(a.many, f"{a.name}.txt", "text/plain") for a in space.aliases(cell) if a.many]
    forms = [form for form in FORMS if form.suffix != "indices.txt" or space.size is not None]
    last = max(place for place, form in enumerate(forms) if form.suffix.endswith("txt")) + 1
    return (*forms[:last], *names, *forms[last:])


def exported(
    form: ExportForm, entries: Sequence[BasketEntry], space: AbstractSearchSpace, explorer: Explorer | None
) -> bytes:
    """The file of an export: drawings of several architectures come in one zip, on light ground.

    Args:
        form: of the file.
        entries: architectures, in order.
        space: of the architectures.
        explorer: adds measured values, predictions and latents; without one, only structures are written.
    """
    cells = cells_of(entries, space)
    labels = {cell: entry.label for cell, entry in zip(cells, entries, strict=True) if entry.label}
    if form.suffix == "txt":
        return exporting.to_text([exporting.ExportItem(cell) for cell in cells], space).encode()
    if form.suffix == "indices.txt":
        return "".join(f"{index}\n" for index in indices_of(entries, space)).encode()
    names = [[a.text for a in space.aliases(cell) if form.suffix == f"{a.name}.txt"] for cell in cells]
    if any(names):
        return "".join(f"{text}\n" for found in names for text in found).encode()
    if form.suffix in exporting.DRAWINGS:
        return _drawings(form.suffix, cells, space)  # type: ignore[arg-type]
    if explorer is not None and explorer.space.name == space.name:
        items = explorer.export_items(cells, labels)
    else:
        items = [exporting.item_for(cell, space, label=labels.get(cell, "")) for cell in cells]
    if form.suffix == "zip":
        return exporting.to_zip(items, space)
    if form.suffix == "parquet":
        return exporting.to_parquet(items, space)
    if form.suffix == "html":
        return exporting.to_html(items, space).encode()
    return (exporting.to_json if form.suffix == "json" else exporting.to_csv)(items, space).encode()


def file_name(form: ExportForm, count: int, space: AbstractSearchSpace) -> str:
    """Name of the exported file."""
    suffix = f"{form.suffix}.zip" if form.suffix in exporting.DRAWINGS and count > 1 else form.suffix
    return f"{space.name}-basket.{suffix}"


def _drawings(kind: exporting.Drawing, cells: Sequence[Cell], space: AbstractSearchSpace) -> bytes:
    drawn = [exporting.draw(exporting.ExportItem(cell), space, kind) for cell in cells]
    if len(drawn) == 1:
        return drawn[0]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(drawn, start=1):
            archive.writestr(f"{number:03d}.{kind}", content)
    return buffer.getvalue()


def imported(text: bytes, space: AbstractSearchSpace) -> tuple[BasketEntry, ...]:
    """Basket entries of an exported JSON file.

    Raises:
        SvgeError: if it is no such file, or one of another space; one line.
    """
    found, items = exporting.from_json(text, max_bytes=MAX_IMPORT_BYTES)
    if found.name != space.name:
        raise SvgeError(f"The file holds cells of {found.title}; the chosen space is {space.title}.")
    return tuple(entry_for(space, item.cell, item.label) for item in items)


def basket_sidebar(opened: Callable[[], Explorer | None], *, undo: bool) -> None:
    """Show the basket.

    Args:
        opened: gives the explorer when an export needs it.
        undo: with undo and redo, once there is anything to undo.
    """
    space, entries = get_space(session.space_name()), session.basket()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Basket** :gray[{len(entries)} of {BASKET_CAP}]", width="stretch")
        if undo and (session.can_undo() or session.can_redo()):
            undo_and_redo()
    if notice := session.said(LINE):
        (st.error if notice.kind == "error" else st.success)(plain(notice.text))
    if not entries:
        st.caption("Put architectures aside from the map, then export them all at once.")
    else:
        _listed(entries, space)
        _exports(entries, space, opened)
    with st.expander("Import JSON", key="basket-import-form", icon=":material/upload:"):
        file = st.file_uploader("A JSON file exported here", type="json", key="basket-file", max_upload_size=5)
        st.button("Add to the basket", key="basket-import", disabled=file is None, on_click=_import, args=(space,))


def _listed(entries: tuple[BasketEntry, ...], space: AbstractSearchSpace) -> None:
    indices = indices_of(entries, space)
    with st.container(height="content" if len(entries) <= 6 else 230, border=False, gap=None, key="basket-list"):
        for number, entry in enumerate(entries[:SHOWN], start=1):
            name = plain(entry.label[:40]) if entry.label else ""
            index = indices[number - 1] if indices else None
            cell = entry.notation if index is None else index
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    f"{number}. **#{index}** {name}" if index is not None else f"{number}. {name}",
                    key=f"basket-show-{entry.notation}",
                    type="tertiary",
                    width="stretch",
                    help=plain(entry.notation),
                    on_click=session.set_focus,
                    args=(CellFocus(cell),),
                )
                st.button(
                    "",
                    key=f"basket-drop-{entry.notation}",
                    icon=":material/close:",
                    type="tertiary",
                    help=f"Remove number {number}",
                    on_click=_remove,
                    args=(entry.notation,),
                )
        if len(entries) > SHOWN:
            st.caption(f"and {len(entries) - SHOWN} more; exports hold all of them.")


def _exports(
    entries: tuple[BasketEntry, ...], space: AbstractSearchSpace, opened: Callable[[], Explorer | None]
) -> None:
    titles = {form.title: form for form in forms_of(space, cells_of(entries[:1], space)[0])}
    form = titles[st.selectbox("Export as", list(titles), key="basket-form")]
    explorer = opened()  # here: the file is made in a thread that has no session
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Export",
            key="basket-export",
            icon=":material/download:",
            on_click="ignore",
            mime=form.mime,
            data=lambda: exported(form, entries, space, explorer),
            file_name=file_name(form, len(entries), space),
        )
        several = len(entries) >= FEWEST_CELLS and chartable(space)
        if several and st.button("Compare", key="basket-compare", icon=":material/compare:", help=SIDE_BY_SIDE):
            compare_all([cell_name(space, cell) for cell in cells_of(entries, space)])
            st.switch_page("pages/compare.py")
        st.button("Clear", key="basket-clear", icon=":material/delete:", type="tertiary", on_click=_clear)


def _remove(notation: str) -> None:
    session.set_basket(tuple(entry for entry in session.basket() if entry.notation != notation))


def _clear() -> None:
    session.set_basket(())


def _import(space: AbstractSearchSpace) -> None:
    file = st.session_state.get("basket-file")
    if file is None:
        return
    try:
        added, full = session.add_to_basket(imported(file.getvalue(), space))
    except SvgeError as error:
        session.say(LINE, str(error))
        return
    left = f" {full} found no room." if full else ""
    session.say(LINE, f"{added} architectures added.{left}", "error" if full else "success")
