"""``find``: the cells that a question in words means."""

import argparse
import math

import numpy as np

from svge_core.cli.cell_parts import CellRow, title
from svge_core.cli.common import emit
from svge_core.cli.own_parts import opened
from svge_core.explorer import (
    ChartedCells,
    Column,
    Query,
    find_rows,
    table_column,
    table_values,
    vocabulary_of,
)


def run(arguments: argparse.Namespace) -> int:
    """Print how the question was understood, how many cells it means, and the first of them."""
    explorer = opened(arguments)
    found = find_rows(explorer, arguments.words)
    shown, keys = found.rows[: arguments.limit], _columns(explorer, found.query)
    numbered = explorer.atlas.drawn is None
    rows: list[CellRow] = []
    for row, cell in zip(shown.tolist(), explorer.cells_at(shown), strict=True):
        values = {key: float(table_values(explorer, key)[row]) for key in keys}
        index = int(explorer.atlas.indices[row]) if numbered else None
        known = {key: None if math.isnan(value) else value for key, value in values.items()}
        rows.append({"index": index, "arch_str": explorer.space.format(cell), "values": known})
    charted = explorer.charted.removeprefix("all ")
    of = f"{len(found.rows):,} of {charted}: {found.words}"
    lines = [of, *(f"{title(row)}  {_values(row)}".rstrip() for row in rows)]
    if len(shown) < len(found.rows):
        lines.append(f"... and {len(found.rows) - len(shown):,} more: --limit shows them, export --where writes them")
    columns = {key: _title(table_column(explorer, key)) for key in keys}
    document = {
        "space": explorer.space.name,
        "understood": found.words,
        "count": len(found.rows),
        "of": len(explorer.atlas),
        "columns": columns,
        "cells": rows,
    }
    names = [f"  {key}: {name}" for key, name in columns.items()]
    emit(arguments, document, "\n".join([*lines[:1], *names, *lines[1:]]))
    return 0


def _title(column: Column) -> str:
    return f"{column.name.title}, {column.unit}" if column.unit else column.name.title


def _columns(explorer: ChartedCells, query: Query) -> list[str]:
    """Columns that the question speaks of; else the first one of numbers."""
    asked = [key for condition in query.conditions if (key := getattr(condition, "column", ""))]
    numbers = [column.key for column in vocabulary_of(explorer).columns if not column.categories]
    return list(dict.fromkeys(key for key in asked if key in numbers)) or numbers[:1]


def _values(row: CellRow) -> str:
    return "  ".join(
        f"{key} {'unknown' if value is None else np.format_float_positional(value, precision=4, trim='-')}"
        for key, value in row["values"].items()
    )
