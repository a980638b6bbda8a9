"""How every benchmark keeps its results: one JSON file with date, machine and command, written whole or not at all."""

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from svge_core.files import write_atomically

ROOT = Path(__file__).resolve().parents[2]
RESULTS = "bench/results"
#: results that pages show are part of the product, not of the workshop
ON_PAGES, SHOWN_RESULTS = ("papers", "tradeoff"), "assets/results"


def machine() -> dict[str, Any]:
    """Processor, cores and versions; no host name."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def command(name: str, words: Sequence[str] | None) -> str:
    """The command as it was given; of a path, only its name is kept."""
    given = sys.argv[1:] if words is None else words
    shown = [Path(word).name if Path(word).is_absolute() else word for word in given]
    return " ".join([f"python -m bench.{name}", *(f'"{word}"' if " " in word else word for word in shown)])


def report(arguments: argparse.Namespace, rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Rows for people, or with ``--json`` for machines."""
    if arguments.json:
        sys.stdout.write(json.dumps(rows, default=str) + "\n")
    else:
        print_table(rows, columns)


def results_path(name: str, root: Path | None = None) -> Path:
    """``bench/results/<name>.json``, or ``assets/results/<name>.json`` of results that pages show."""
    return (root or ROOT) / (SHOWN_RESULTS if name in ON_PAGES else RESULTS) / f"{name}.json"


def read_results(name: str, root: Path | None = None) -> dict[str, Any] | None:
    """What :func:`save_results` wrote, of this checkout or of the one at ``root``; None where it was not run."""
    path = results_path(name, root)
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def save_results(name: str, rows: list[dict[str, Any]], settings: dict[str, Any], command: str) -> Path:
    """Write the file of :func:`results_path`."""
    content = {
        "benchmark": name,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "command": command,
        "settings": settings,
        "rows": rows,
    }
    path = results_path(name)
    write_atomically(path, (json.dumps(content, indent=1, default=str) + "\n").encode())
    return path


def print_table(rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Rows as aligned text."""
    cells = [[_text(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in cells)) for i, column in enumerate(columns)]
    for line in [columns, *cells]:
        sys.stdout.write("  ".join(value.rjust(width) for value, width in zip(line, widths, strict=True)) + "\n")
    sys.stdout.flush()


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
