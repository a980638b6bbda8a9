"""Cells and what is known about them -> JSON, CSV, parquet, strings, drawings, or all of it in one zip."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from svge_core.cells import Cell
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.exporting.document import NASLIB, ExportItem, all_meanings, cell_fields, to_json
from svge_core.exporting.forms import DRAWINGS, FORMS, Drawing
from svge_core.exporting.page import to_html
from svge_core.files import write_atomically
from svge_core.spaces import AbstractSearchSpace

#: a spreadsheet runs a field that starts with one of these
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_Row = dict[str, str | float | int | None]


def naslib_text(cell: Cell, space: AbstractSearchSpace) -> str | None:
    """The cell as NASLib's op-index tuple, such as ``(4, 0, 3, 1, 4, 3)``; None where the space has none."""
    return next((alias.text for alias in space.aliases(cell) if alias.name == NASLIB), None)


def to_text(items: Sequence[ExportItem], space: AbstractSearchSpace) -> str:
    """One line per cell in the community's notation."""
    return "".join(space.format(item.cell) + "\n" for item in items)


def to_csv(items: Sequence[ExportItem], space: AbstractSearchSpace) -> str:
    """One row per cell: label, notations, graph, measured values, then predictions with interval and model.

    Predictions stand in columns ``predicted_<key>``, ``..._low``, ``..._high``, ``..._level``, ``..._model``; a second
    model's in ``predicted_<key>_2`` and so on. Text that a spreadsheet would run as a formula gets a leading
    apostrophe. Missing values are empty.
    """
    rows = [_csv_row(item, space) for item in items]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    # predictions last, whichever item brought a column first
    columns.sort(key=lambda name: name.startswith("predicted_"))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    if columns:
        writer.writeheader()
        writer.writerows({name: _field(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def to_parquet(items: Sequence[ExportItem], space: AbstractSearchSpace) -> bytes:
    """The table of :func:`to_csv` as a parquet file: numbers keep their type, missing values are null.

    The meanings of the scores stand in the metadata of the file, under ``svge_meanings``, as JSON.

    Raises:
        SvgeError: if there are no items, or two give one score key different meanings.
    """
    import pyarrow
    from pyarrow import parquet

    if not items:
        raise SvgeError("There is no architecture to export.")
    table = pyarrow.Table.from_pylist(_with_all_columns([_csv_row(item, space) for item in items]))
    meanings = {key: meaning.to_dict() for key, meaning in all_meanings(items).items()}
    table = table.replace_schema_metadata({b"svge_space": space.name, b"svge_meanings": json.dumps(meanings)})
    content = io.BytesIO()
    parquet.write_table(table, content, compression="zstd", use_dictionary=False)
    return content.getvalue()


def _with_all_columns(rows: list[_Row]) -> list[_Row]:
    """Rows of equal columns, None where one had none; an index too large for 64 bits is a text."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns.sort(key=lambda name: name.startswith("predicted_"))
    large = any(isinstance(row["index"], int) and row["index"] >= 2**63 for row in rows)
    return [{name: str(row[name]) if large and name == "index" else row.get(name) for name in columns} for row in rows]


def _csv_row(item: ExportItem, space: AbstractSearchSpace) -> _Row:
    fields = cell_fields(item.cell, space)
    row: _Row = {
        "label": item.label,
        "space": space.name,
        "index": fields["index"],
        "arch_str": fields["notation"],
        # separated by spaces: a spreadsheet would drop the leading zeros of "021121" and read dashes as a date
        "genotype": " ".join(map(str, fields["genotype"])),
        "naslib": naslib_text(item.cell, space),
        "ops": " ".join(item.cell.ops),
        "edges": " ".join(f"{u}>{v}" for u, v in item.cell.edges),
        "key": fields["key"],
        **further_names(item.cell, space),
        **item.measured,
    }
    for prediction in item.predicted:
        stem = f"predicted_{prediction.score}"
        names = (stem, *(f"{stem}_{n}" for n in range(2, len(item.predicted) + 2)))
        name = next(name for name in names if name not in row)
        row[name] = prediction.mean
        for part in ("low", "high", "level", "model"):
            row[f"{name}_{part}"] = getattr(prediction, part)
    return row


def further_names(cell: Cell, space: AbstractSearchSpace) -> dict[str, str]:
    """What else a cell is called, by column: all names that no column of every space holds."""
    return {a.name: a.text for a in space.aliases(cell) if a.value is not None and a.name != NASLIB}


def _field(value: str | float | int | None) -> str | float | int:
    """Text made harmless for spreadsheets; numbers as they are."""
    if isinstance(value, str):
        return "'" + value if value.lstrip(" ").startswith(_FORMULA_STARTS) else value
    return "" if value is None else value


def draw(item: ExportItem, space: AbstractSearchSpace, form: Drawing, theme: ThemeName = "light") -> bytes:
    """The cell's drawing as a file's content: Graphviz source, SVG, PNG or PDF.

    Raises:
        SvgeError: if the cell cannot be drawn.
    """
    from svge_core import drawing  # Graphviz is loaded only where something is drawn

    if form == "dot":
        return drawing.to_dot(item.cell, space, theme=theme).encode()
    if form == "svg":
        return drawing.to_svg(item.cell, space, theme=theme).encode()
    if form == "pdf":
        return drawing.to_pdf(item.cell, space, theme=theme)
    return drawing.to_png(item.cell, space, theme=theme)


def to_zip(items: Sequence[ExportItem], space: AbstractSearchSpace, theme: ThemeName = "light") -> bytes:
    """Everything for a basket of cells: cells.json, cells.csv, architectures.txt, README.txt and all drawings of each.

    The same basket gives the same bytes.

    Raises:
        SvgeError: if there are no items, their meanings clash or one cannot be drawn.
    """
    if not items:
        raise SvgeError("There is no architecture to export: put at least one into the basket.")
    files: dict[str, bytes] = {
        "README.txt": _readme(items, space).encode(),
        "cells.json": to_json(items, space).encode(),
        "cells.csv": to_csv(items, space).encode(),
        "architectures.txt": to_text(items, space).encode(),
    }
    for number, item in enumerate(items, start=1):
        name = f"{number:03d}" if space.size is None else f"{number:03d}-index-{space.index(item.cell)}"
        for form in DRAWINGS:
            files[f"drawings/{name}.{form}"] = draw(item, space, form, theme)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # no clock: equal baskets, equal bytes
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _readme(items: Sequence[ExportItem], space: AbstractSearchSpace) -> str:
    lines = [
        f"{len(items)} architectures of {space.title}, exported by SVGe Explorer.",
        "",
        "cells.json holds everything and can be read back; cells.csv has one row per cell; architectures.txt has one",
        "architecture per line in the notation of the space; drawings/ has each cell as DOT, SVG, PNG and PDF.",
        "Columns and fields whose name starts with 'predicted' come from a model, never from training.",
        "",
        "What the scores mean:",
        *(f"  {key}: {meaning.describe()}" for key, meaning in all_meanings(items).items()),
    ]
    return "\n".join(lines) + "\n"


def save(items: Sequence[ExportItem], space: AbstractSearchSpace, path: Path, theme: ThemeName = "light") -> None:
    """Write a file in the form its suffix names: .json .csv .parquet .txt .html .zip; of one cell .dot .svg .png .pdf.

    Raises:
        SvgeError: if the suffix is unknown, a drawing is asked of several cells, or the file cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form == "json":
        content = to_json(items, space).encode()
    elif form == "csv":
        content = to_csv(items, space).encode()
    elif form == "parquet":
        content = to_parquet(items, space)
    elif form == "txt":
        content = to_text(items, space).encode()
    elif form == "html":
        content = to_html(items, space).encode()
    elif form == "zip":
        content = to_zip(items, space, theme)
    elif form in DRAWINGS:
        if len(items) != 1:
            raise SvgeError(f"A .{form} file shows one architecture; got {len(items)}. Use .zip for several.")
        content = draw(items[0], space, form, theme)
    else:
        raise SvgeError(f"Cannot export to {path.name!r}: expected {', '.join(f'.{known}' for known in FORMS)}.")
    write_atomic(path, content)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to a temporary file beside it, then renamed over it.

    Raises:
        SvgeError: if the folder is missing or not writable, or the disk is full; nothing is left behind.
    """
    if (file := next((parent for parent in path.parents if parent.is_file()), None)) is not None:
        raise SvgeError(f"{path} cannot be written: {file} is a file, not a folder.")
    if not path.parent.is_dir():  # a mistyped folder is not made
        raise SvgeError(f"{path} cannot be written: there is no folder {path.parent}. Make it first.")
    try:
        write_atomically(path, content)
    except OSError as error:
        raise SvgeError(f"{path} cannot be written: {error.strerror}.") from error
