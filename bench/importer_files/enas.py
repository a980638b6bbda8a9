"""ENAS: D-VAE's text."""

import json
from typing import Any

import numpy as np

from bench.importer_files.shared import Format, Values, number
from svge_core.spaces import get_space

SPACE = get_space("enas6")


def _enas(rng: np.random.Generator) -> Any:
    lines = []
    for _ in range(5):
        rows = [[int(rng.integers(6)), *map(int, rng.integers(0, 2, node))] for node in range(6)]
        lines.append([rows, round(float(rng.random()), 4)])
    return [*lines, lines[0]]


def _write_enas(content: Any, rng: np.random.Generator) -> bytes:
    lines = content if isinstance(content, list) else [content]
    texts = (", ".join(map(str, line)) if isinstance(line, list) else str(line) for line in lines)
    return "".join(f"{text}\n" for text in texts).encode("utf-8", errors="replace")


def _read_enas(content: bytes) -> Values:
    found: dict[str, list[float]] = {}
    for line in content.decode("ascii").split("\n"):
        if line.strip():
            rows, score = json.loads(f"[{line.strip()}]")
            assert [len(row) for row in rows] == [1, 2, 3, 4, 5, 6]
            cell = SPACE.from_genotype(tuple(digit for row in rows for digit in row))
            found.setdefault(SPACE.format(cell), []).append(100 * number(score))
    return {text: {"enas6_ws_acc": float(np.mean(values))} for text, values in found.items()}


FORMATS = {"enas": Format(_enas, _write_enas, _read_enas)}
