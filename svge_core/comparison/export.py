"""A comparison -> JSON with everything, two CSV tables, lines of text, or a page as PDF."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from svge_core.cells import change_in_words
from svge_core.comparison.comparison import Comparison
from svge_core.comparison.pairs import PAIR_SEED, CellPair
from svge_core.comparison.sheet import comparison_to_pdf
from svge_core.comparison.wording import (
    distance_in_words,
    edits_of_pair,
    function_in_words,
    meanings_in_words,
    value_in_words,
)
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.exporting import to_csv, to_json, write_atomic

FORMAT, VERSION = "svge-explorer-comparison", 1


def comparison_to_json(explorer: Explorer, comparison: Comparison) -> str:
    """The versioned document.

    ``cells`` and ``meanings`` are as in the export of cells, with measured values, predictions and latents; ``pairs``
    name cells by position in that list, counted from 0; ``best`` holds the positions of the best cells by score, for
    scores that are known of all.
    """
    exported = json.loads(to_json(explorer.export_items(comparison.architectures), comparison.space))
    document = {
        "format": FORMAT,
        "version": VERSION,
        "space": comparison.space.name,
        "checkpoint": comparison.checkpoint,
        "equivalence": comparison.space.equivalence,
        "random_pairs": {
            "pairs": len(comparison.random.distances),
            "seed": PAIR_SEED,
            "median_distance": comparison.random.median,
        },
        "pairs": [pair_fields(pair) for pair in comparison.pairs],
        "best": {row.meaning.key: list(row.best) for row in comparison.rows if row.best},
        "meanings": exported["meanings"],
        "cells": exported["cells"],
    }
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def pair_fields(pair: CellPair) -> dict[str, Any]:
    """What is said of a pair, as plain values."""
    return {
        "first": pair.first,
        "second": pair.second,
        "edits": pair.edits,
        "edits_are_fewest": pair.fewest is not None,
        "edits_marked_in_drawings": pair.change.edits,
        "same_function": pair.same_function,
        "latent_distance": pair.distance,
        "random_pairs_farther": pair.farther.count,
        "random_pairs": pair.farther.of,
    }


def comparison_to_csv(explorer: Explorer, comparison: Comparison) -> str:
    """One row per cell: names, measured values, predictions with interval and model; the pairs have their own table."""
    return to_csv(explorer.export_items(comparison.architectures), comparison.space)


def pairs_to_csv(comparison: Comparison) -> str:
    """One row per pair; positions are counted from 1, as people read them."""
    space, cells = comparison.space, comparison.architectures
    rows: list[dict[str, Any]] = []
    for pair in comparison.pairs:
        fields = pair_fields(pair)
        row: dict[str, Any] = {"first": pair.first + 1, "second": pair.second + 1}
        for name, place in (("first", pair.first), ("second", pair.second)):
            row[f"{name}_index"] = space.index(cells[place]) if space.size is not None else ""
            row[f"{name}_arch_str"] = space.format(cells[place])
        row |= {name: value for name, value in fields.items() if name not in row}
        row["change"] = change_in_words(pair.change, cells[pair.first], cells[pair.second])
        rows.append(row)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def comparison_to_text(comparison: Comparison) -> str:
    """The comparison for a terminal: cells, scores with the best marked by a star, pairs, and what the numbers are."""
    space, names = comparison.space, comparison.names
    titles = [f"{number}: {name}" for number, name in enumerate(names, start=1)]
    lines = [f"{title}  {space.format(c)}" for title, c in zip(titles, comparison.architectures, strict=True)]
    rows = [row for row in comparison.rows if not row.meaning.detail]
    table = [["", *titles]]
    for row in rows:
        values = [value_in_words(row, place) + (" *" if place in row.best else "") for place in range(len(names))]
        table.append([f"{row.title}, {row.kind}", *values])
    pairs = [["pair", "edits", "change", "function", "latent distance"]]
    for pair in comparison.pairs:
        change = change_in_words(pair.change, *(comparison.architectures[at] for at in (pair.first, pair.second)))
        words = (edits_of_pair(pair), change, function_in_words(pair), distance_in_words(pair))
        pairs.append([f"{pair.first + 1} and {pair.second + 1}", *words])
    star = ["* best of those compared, where all are known"]
    parts = (lines, _aligned(table), star, _aligned(pairs), meanings_in_words(comparison.rows))
    return "\n\n".join("\n".join(part) for part in parts)


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in table]


def pairs_file(path: Path) -> Path:
    """Where the table of pairs goes, beside the table of cells: ``a.csv`` -> ``a-pairs.csv``."""
    return path.with_name(f"{path.stem}-pairs{path.suffix}")


def save_comparison(
    explorer: Explorer, comparison: Comparison, path: Path, theme: ThemeName = "light"
) -> tuple[Path, ...]:
    """Write it in the form that the suffix names: .pdf, .json, or .csv with the table of pairs in a file beside it.

    Args:
        explorer: that it was made with.
        comparison: to be written.
        path: of the file.
        theme: of a page.

    Returns:
        The files that were written.

    Raises:
        SvgeError: if the suffix is unknown, or a file cannot be written.
    """
    form = path.suffix.lower()
    if form == ".pdf":
        files = {path: comparison_to_pdf(comparison, theme)}
    elif form == ".json":
        files = {path: comparison_to_json(explorer, comparison).encode()}
    elif form == ".csv":
        files = {
            path: comparison_to_csv(explorer, comparison).encode(),
            pairs_file(path): pairs_to_csv(comparison).encode(),
        }
    else:
        raise SvgeError(f"Cannot write a comparison to {path.name!r}: expected .pdf, .json or .csv.")
    for file, content in files.items():
        write_atomic(file, content)
    return tuple(files)
