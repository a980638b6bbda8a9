"""Commands that turn architectures or your own scores into files: draw, export, labels."""

import argparse
from pathlib import Path

from svge_core.cli.cell_parts import csv_bytes, encode_cells, known_scores, name_cell, open_predictors, write_output
from svge_core.cli.common import emit, open_model, refuse_unused
from svge_core.cli.network_commands import NETWORK_FILES, NETWORK_OPTIONS, export_network_files
from svge_core.cli.options import DEFAULT_CHECKPOINT
from svge_core.cli.own_parts import opened, own_scores
from svge_core.cli.reading import read_cells
from svge_core.data import import_csv
from svge_core.data.csv import quote_text
from svge_core.errors import SvgeError
from svge_core.explorer import find_rows, table_file
from svge_core.exporting import DRAWINGS, FORMS, MAX_CELLS, MAX_PAGE, ExportItem, item_for, save, write_atomic
from svge_core.spaces import AbstractSearchSpace, get_space


def draw_command(arguments: argparse.Namespace) -> int:
    """One drawing, or a folder of them."""
    from svge_core import drawing  # Graphviz is loaded only where something is drawn

    space = get_space(arguments.space)
    given = read_cells(arguments, space)
    path: Path | None = arguments.out
    several = not given.single
    if path is not None and not several:
        refuse_unused(arguments, ("format",), "The form of one drawing is that of its file's name")
    form = arguments.format or ("svg" if path is None or several else path.suffix.lower().lstrip("."))
    if form not in DRAWINGS:
        raise SvgeError(f"Cannot draw to {arguments.out.name!r}: expected .svg, .png, .pdf or .dot.")
    if path is None and (several or form in ("png", "pdf")):
        raise SvgeError("Name a folder for several drawings, or a .png or .pdf file, with --out.")
    look = {"theme": arguments.theme, "view": arguments.view}
    make = {
        "svg": lambda cell: drawing.to_svg(cell, space, **look).encode(),
        "dot": lambda cell: drawing.to_dot(cell, space, **look).encode(),
        "png": lambda cell: drawing.to_png(cell, space, **look),
        "pdf": lambda cell: drawing.to_pdf(cell, space, **look),
    }[form]
    if path is None:
        drawn = make(given.cells[0]).decode()
        emit(arguments, {**name_cell(space, given.cells[0]), form: drawn}, drawn)
        return 0
    if not several:
        return write_output(arguments, path, make(given.cells[0]), 1)
    path.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(given.cells, start=1):
        name = f"{number:04d}" if space.size is None else f"{number:04d}-index-{space.index(cell)}"
        write_atomic(path / f"{name}.{form}", make(cell))
    emit(arguments, {"file": str(path), "count": len(given.cells)}, f"wrote {len(given.cells):,} drawings to {path}")
    return 0


def export_command(arguments: argparse.Namespace) -> int:
    """Everything known about the architectures, or the network of one, in the form the suffix names.

    Without a checkpoint at the default place, measured and analytic values are exported alone.
    """
    suffix = arguments.out.suffix.lower()
    if suffix == ".html":
        refuse_unused(arguments, ("theme",), "A page has a light ground")
    if suffix in (".json", ".csv", ".txt", ".parquet"):
        refuse_unused(arguments, ("theme",), f"There is no drawing in a {suffix} file")
    if not suffix or arguments.out.is_dir() or suffix in NETWORK_FILES:
        refuse_unused(arguments, ("theme",), "There is no drawing in the files of a network")
        refuse_unused(arguments, ("where",), "The files of a network are those of one architecture")
        return export_network_files(arguments, *_known_items(arguments))
    if suffix[1:] not in FORMS:
        known = ", ".join([*(f".{form}" for form in FORMS), *NETWORK_FILES])
        raise SvgeError(
            f"Cannot export to {arguments.out.name!r}: expected {known}, or a name without suffix for a folder with "
            "all files of the network."
        )
    refuse_unused(arguments, NETWORK_OPTIONS, f"There is no network in a {suffix} file")
    if arguments.where is not None:
        return _export_found(arguments, suffix)
    space, items = _known_items(arguments)
    save(items, space, arguments.out, arguments.theme or "light")
    emit(arguments, {"file": str(arguments.out), "count": len(items)}, f"wrote {len(items):,} to {arguments.out}")
    return 0


def _export_found(arguments: argparse.Namespace, suffix: str) -> int:
    """Every cell that a question means: as rows of the table in .csv and .parquet, else as a document or a page."""
    if arguments.arch is not None or arguments.file is not None:
        raise SvgeError("Give one of these: an architecture, --file FILE, --where WORDS.")
    refuse_unused(arguments, ("space",), "--where asks for cells on the map of a checkpoint")
    explorer = opened(arguments)
    found = find_rows(explorer, arguments.where)
    count = len(found.rows)
    if not count:
        raise SvgeError(f"No cell meets: {found.words}.")
    most = MAX_PAGE if suffix == ".html" else MAX_CELLS
    if suffix in (".csv", ".parquet"):
        write_atomic(arguments.out, table_file(explorer, found.rows, "csv" if suffix == ".csv" else "parquet"))
    elif count <= most:
        items = explorer.export_items(explorer.cells_at(found.rows))
        save(items, explorer.space, arguments.out, arguments.theme or "light")
    else:
        raise SvgeError(f"{count:,} cells meet it, and a {suffix} file holds {most:,}: write .csv or .parquet.")
    document = {"file": str(arguments.out), "count": count, "understood": found.words}
    emit(arguments, document, f"wrote {count:,} to {arguments.out} ({found.words})")
    return 0


def _known_items(arguments: argparse.Namespace) -> tuple[AbstractSearchSpace, list[ExportItem]]:
    """The space and the architectures, with what is measured and predicted."""
    if arguments.space is not None or (arguments.checkpoint == DEFAULT_CHECKPOINT and not DEFAULT_CHECKPOINT.exists()):
        space = get_space(arguments.space or "nasbench201")
        cells = read_cells(arguments, space).cells
        scores = known_scores(space).with_columns(*own_scores(arguments, space))
        return space, [item_for(cell, space, scores) for cell in cells]
    checkpoint = open_model(arguments)
    space = checkpoint.model.space
    cells = read_cells(arguments, space).cells
    scores = known_scores(space).with_columns(*own_scores(arguments, space))
    means, _ = encode_cells(checkpoint, cells)
    predictors, keys = open_predictors(checkpoint)
    found = [predictors.predict(key, cells) for key in keys if key in scores.meanings]
    items = []
    for row, cell in enumerate(cells):
        predicted = [prediction.row(row) for prediction in found]
        latent = means[row].tolist()
        item = item_for(cell, space, scores, predicted=predicted, latent=latent, latent_model=checkpoint.digest)
        items.append(item)
    return space, items


def labels_command(arguments: argparse.Namespace) -> int:
    """Read a user's table as the app's upload does; every line that is not used is named."""
    space = get_space(arguments.space)
    found = import_csv(space, arguments.table, directions=dict(arguments.direction or ()))
    for column, _ in arguments.direction or ():
        if quote_text(column) not in (titles := [meaning.title for meaning in found.meanings.values()]):
            raise SvgeError(
                f"--direction names {column[:60]!r}, but the columns of numbers in {arguments.table.name} are "
                f"{', '.join(titles)[:200]}."
            )
    columns = {key: meaning.describe() for key, meaning in found.meanings.items()}
    problems = [str(row) for row in found.rejected]
    notes = [str(duplicate) for duplicate in found.duplicates]
    if arguments.out is not None:
        cells = [space.from_index(int(index)) for index in found.frame.index] if space.enumerated else list(found.cells)
        titles = {key: meaning.title for key, meaning in found.meanings.items()}
        values = found.frame.to_dict("records")
        rows = [
            {
                **name_cell(space, cell),
                **{titles[str(key)]: "" if number != number else number for key, number in value.items()},
            }
            for cell, value in zip(cells, values, strict=True)
        ]
        write_atomic(arguments.out, csv_bytes(rows))
    document = {
        "summary": found.summary(),
        "architectures": len(found.frame),
        "scores": columns,
        "rejected": problems,
        "averaged": notes,
        "ignored_columns": list(found.ignored_columns),
        "notes": [*found.notes, *found.directions],
    }
    emit(
        arguments,
        document,
        "\n".join([found.summary(), *(f"  {line}" for line in (*columns.values(), *found.remarks()))]),
    )
    return 0
