"""A path -> JSON with everything, or CSV with one row per stop. Made for other programs; read back by nobody here."""

import csv
import io
import json
from typing import Any

from svge_core.cells import Cell
from svge_core.explorer import Explorer
from svge_core.exporting import to_json as cells_to_json
from svge_core.interpolation.path import LatentPath, Stop

FORMAT, VERSION = "svge-explorer-path", 1
#: predictions of a cell in a row of the CSV
_PARTS = ("mean", "low", "high", "level", "model")


def path_to_json(explorer: Explorer, path: LatentPath) -> str:
    """The versioned document.

    ``cells`` and ``meanings`` are as in the export of cells: every architecture of the path once, with measured values,
    predictions and latent. ``stops`` name them by position in that list (null where the stop is no member of the space,
    whose graph is then written out), with the latent of the place, the way from A, and the edits from the stop before.
    """
    cells = _members(path)
    numbers = path.numbers(explorer.space.key)
    exported = json.loads(cells_to_json(explorer.export_items(cells), explorer.space))
    document = {
        "format": FORMAT,
        "version": VERSION,
        "space": explorer.space.name,
        "checkpoint": explorer.checkpoint.digest,
        "kind": path.kind,
        "laid": path.note,
        "straight_because": path.fallback,
        "constrained_decoding": path.constrained,
        "start": cells_index(explorer, path)[0],
        "end": cells_index(explorer, path)[1],
        "numbers": vars(numbers),
        "meanings": exported["meanings"],
        "stops": [_stop(stop, edits, cells) for stop, edits in zip(path.stops, edits_before(path), strict=True)],
        "cells": exported["cells"],
    }
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def path_to_csv(explorer: Explorer, path: LatentPath) -> str:
    """One row per stop: place on the way, architecture, edits, measured values, predictions with interval and model."""
    members = _members(path)
    items = dict(zip(members, explorer.export_items(members), strict=True))
    rows: list[dict[str, Any]] = []
    for stop, edits in zip(path.stops, edits_before(path), strict=True):
        row: dict[str, Any] = {
            "stop": stop.number,
            "latent_distance": stop.distance,
            "valid": int(stop.valid),
            "why_invalid": stop.reason,
            "valid_unconstrained": int(not stop.raw_reason),
            "edits_from_previous": edits,
            "index": stop.index,
            "arch_str": explorer.space.format(stop.cell) if stop.valid else "",
            "ops": " ".join(stop.cell.ops),
            "edges": " ".join(f"{u}>{v}" for u, v in stop.cell.edges),
        }
        if stop.valid:
            row |= items[stop.cell].measured
            for prediction in items[stop.cell].predicted:
                stem = f"predicted_{prediction.score}"
                row |= {stem if part == "mean" else f"{stem}_{part}": getattr(prediction, part) for part in _PARTS}
        rows.append(row)
    columns = sorted(
        dict.fromkeys(name for row in rows for name in row), key=lambda name: name.startswith("predicted_")
    )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def edits_before(path: LatentPath) -> list[int | None]:
    """Edits from the stop before: 0 where the architecture repeats, None at A."""
    edits: list[int | None] = []
    for frame in path.frames:
        edits += [None if frame.change is None else frame.change.edits, *[0] * (len(frame.stops) - 1)]
    return edits


def cells_index(explorer: Explorer, path: LatentPath) -> tuple[int | None, int | None]:
    """Official indices of A and B; None where cells of the space have none."""
    if explorer.space.size is None:
        return None, None
    return explorer.space.index(path.start), explorer.space.index(path.end)


def _members(path: LatentPath) -> list[Cell]:
    return list(dict.fromkeys(stop.cell for stop in path.stops if stop.valid))


def _stop(stop: Stop, edits: int | None, cells: list[Cell]) -> dict[str, Any]:
    graph = {} if stop.valid else {"ops": list(stop.cell.ops), "edges": [list(edge) for edge in stop.cell.edges]}
    return {
        "number": stop.number,
        "latent_distance": stop.distance,
        "edits_from_previous": edits,
        "cell": cells.index(stop.cell) if stop.valid else None,
        "why_invalid": stop.reason,
        "why_invalid_unconstrained": stop.raw_reason,
        "comes_back": stop.comes_back,
        **graph,
        "latent": stop.latent.tolist(),
    }
