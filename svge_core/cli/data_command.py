"""``data import FILE``, ``untrained``, ``list``, ``remove NAME``: tables of numbers of the cells of a space."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from tqdm import tqdm

from svge_core.cli.common import emit
from svge_core.data.importers import (
    Imported,
    import_file,
    list_imported,
    load_imported,
    remove_imported,
    save_table,
)
from svge_core.errors import SvgeError
from svge_core.evaluation import UNTRAINED_TABLE, untrained_columns
from svge_core.spaces import get_space

#: statistics of untrained networks: CPU seconds of a cell (`bench untrained`), and how many are taken unasked
_SECONDS, _AT_ONCE = 0.27, 20_000


class _Bars:
    """One progress bar per step, on a terminal only."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.bar: Any = None

    def step(self, text: str, unit: str) -> None:
        """A new step begins; one without progress is a line of its own."""
        self.close()
        if text.endswith("."):
            sys.stderr.write(f"{text}\n")
        else:
            options: dict[str, Any] = {"unit": unit or "record", "unit_scale": unit == "B"}
            self.bar = tqdm(desc=text, disable=self.quiet or not sys.stderr.isatty(), leave=False, **options)

    def progress(self, done: int, total: int) -> None:
        """How far the step is."""
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """The step is over."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def import_command(arguments: argparse.Namespace) -> int:
    """Import, and say what was found."""
    if not arguments.file.exists():
        raise SvgeError(f"There is no file {str(arguments.file)[:200]!r}: name the official file that you downloaded.")
    bars = _Bars(arguments.json)
    try:
        found = import_file(arguments.file, strict=arguments.strict, progress=bars.progress, on_step=bars.step)
    finally:
        bars.close()
    for warning in found.warnings():
        sys.stderr.write(f"warning: {warning}\n")
    table = found.table
    document = {
        "kind": found.kind,
        "space": table.space,
        "name": table.name,
        "rows": len(table.frame),
        "scores": found.best(),
        "columns": list(table.meanings),
        "notes": list(table.notes),
        "checksum": str(found.checksum),
        "file": str(found.path),
        "bytes": found.bytes,
        "seconds": round(found.seconds, 2),
    }
    emit(arguments, document, _text(found))
    return 0


def _text(found: Imported) -> str:
    table = found.table
    rows = len(table.frame)
    known = "sha256 does not match" if found.checksum.mismatch else str(found.checksum)  # the warning says the rest
    lines = [f"{table.title}: {rows:,} architectures of {table.space}, {len(table.meanings)} columns; {known}."]
    for key, score in found.best().items():
        missing = rows - int(str(score["known"]))
        lack = f", {missing:,} missing" if missing else ""
        lines.append(f"  {key}: best {score['best']:.4f} at {score['at']}{lack}")
        lines.append(f"      {score['meaning']}")
    lines += [f"  {note}" for note in table.notes]
    lines.append(f"wrote {found.path} ({found.bytes / 2**20:.1f} MiB, {found.seconds:.1f} s)")
    lines.append("A running app shows the new scores after a restart.")
    return "\n".join(lines)


def untrained_command(arguments: argparse.Namespace) -> int:
    """Take the statistics, store them whenever there are a hundred more, go on where an earlier call ended."""
    space = get_space(arguments.space)
    if space.size is None or not space.enumerated:
        raise SvgeError(
            f"Expected a space whose cells are listed, as columns belong to these; {space.title} is larger. Use "
            "svge_core.networks.untrained_statistics in Python for cells of your choice."
        )
    if arguments.count is None and space.size > _AT_ONCE:
        hours = space.size * _SECONDS / 3600
        raise SvgeError(
            f"All {space.size:,} cells of {space.title} would take about {hours:,.0f} CPU hours: say how many with "
            f"--count N, or --count {space.size} for all."
        )
    count = min(arguments.count or space.size, space.size)
    indices = sorted(np.random.default_rng(0).permutation(space.size)[:count].tolist())
    before = [table for table in load_imported(space.name) if table.name == UNTRAINED_TABLE]
    bar = tqdm(total=count, unit="cell", disable=arguments.json or not sys.stderr.isatty())
    path, rows = None, 0
    for done, table in untrained_columns(space, indices, before=before[0] if before else None):
        path, rows = save_table(table), len(table.frame)
        bar.update(done - bar.n)
    bar.close()
    document = {"space": space.name, "cells": count, "rows": rows, "file": str(path)}
    lines = f"statistics of {count:,} cells of {space.title}; wrote {path} ({rows:,} rows)"
    emit(arguments, document, f"{lines}\nA running app shows them after a restart.")
    return 0


def list_command(arguments: argparse.Namespace) -> int:
    """Every table in the cache, damaged ones with the reason."""
    entries = list_imported()
    document = [
        {
            "space": entry.space,
            "name": entry.name,
            "rows": entry.rows,
            "title": entry.title,
            "scores": list(entry.scores),
            **{key: entry.origin.get(key, "") for key in ("file", "checksum", "date")},
            "path": str(entry.path),
            "damage": entry.damage,
        }
        for entry in entries
    ]
    width = max((len(entry.name) for entry in entries), default=0)
    lines = [
        entry.damage
        or f"{entry.name:<{width}}  {entry.space}, {entry.rows:,} architectures, {len(entry.scores)} columns, "
        f"from {entry.origin.get('file', '?')}{_on(entry.origin)}"
        for entry in entries
    ]
    emit(arguments, document, "\n".join(lines) or "Nothing is imported: python -m svge_core data import FILE")
    return 0


def _on(origin: Mapping[str, str]) -> str:
    return f" on {origin['date']}" if "date" in origin else ""


def remove_command(arguments: argparse.Namespace) -> int:
    """Delete a table."""
    removed = remove_imported(arguments.name)
    emit(arguments, {"removed": [str(path) for path in removed]}, "\n".join(f"removed {path}" for path in removed))
    return 0
