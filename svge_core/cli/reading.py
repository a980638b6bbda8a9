"""What the commands about single cells read: architectures and latents, typed or from files. Nothing is unpickled."""

import argparse
import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from svge_core.cells import Cell
from svge_core.data.csv import quote_text, read_text
from svge_core.errors import DataError, ParseError, SvgeError
from svge_core.explorer import find_cell, read_listed
from svge_core.spaces import AbstractSearchSpace

MAX_BYTES = 20 * 2**20


@dataclass(frozen=True)
class Given:
    """The architectures a command was given.

    Attributes:
        cells: in the order given.
        single: whether one was typed, so that JSON output is an object and not a list.
    """

    cells: list[Cell]
    single: bool


def read_cells(arguments: argparse.Namespace, space: AbstractSearchSpace) -> Given:
    """The architectures the options name.

    Raises:
        SvgeError: if none or both are given, or one cannot be read; the file and line are named.
    """
    if (arguments.arch is None) == (arguments.file is None):
        raise SvgeError("Give one architecture or --file FILE, not both and not neither.")
    if arguments.file is None:
        return Given([find_cell(space, arguments.arch)], True)
    path: Path = arguments.file
    cells = []
    # a file that is missing may be a mistyped folder
    for listed in read_listed(path.name if path.exists() else str(path), path, space):
        if listed.cell is None:  # each stands for one line of what is written, so none may be left out
            raise DataError(f"{path.name}, {listed.place}: {listed.problem}")
        cells.append(listed.cell)
    return Given(cells, False)


def named_cells(space: AbstractSearchSpace, texts: Sequence[str]) -> list[Cell]:
    """Architectures that were typed one after the other.

    Raises:
        ParseError: if one cannot be read; which one is said.
    """
    cells = []
    for number, text in enumerate(texts, start=1):
        try:
            cells.append(find_cell(space, text))
        except SvgeError as error:
            raise ParseError(f"Architecture {number}: {error}") from None
    return cells


def read_latents(arguments: argparse.Namespace, width: int) -> np.ndarray:
    """The latents that were typed or stand in a file, float32 (rows, width).

    Raises:
        SvgeError: if they are not finite numbers of the model's width; the file is named.
    """
    if arguments.file is None:
        words = ",".join(arguments.latent).replace(" ", ",").strip("[]").split(",")
        rows = [[_number(word, "the latent") for word in words if word]]
        source = "the latent"
    else:
        rows, source = _latent_rows(arguments.file), arguments.file.name
    wrong = next((row for row in rows if len(row) != width), None)
    if wrong is not None or not rows:
        found = "nothing" if wrong is None else f"{len(wrong)}"
        raise DataError(f"A latent of this model is {width} numbers; {source} has {found}.")
    latents = np.array(rows, dtype=np.float64)
    if not (np.abs(latents) < 1e30).all():  # False for NaN too
        raise DataError(f"A latent is {width} finite numbers; {source} holds one that is not.")
    return latents.astype(np.float32)


def _latent_rows(path: Path) -> list[list[float]]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _npy_rows(path)
    try:
        text = read_text(path, MAX_BYTES)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    if suffix == ".json":
        document = _json(path, text)
        rows: Any = document.get("cells") if isinstance(document, dict) else document
        rows = [row.get("latent") if isinstance(row, dict) else row for row in rows] if isinstance(rows, list) else None
        if rows and all(type(value) in (int, float) for value in rows):
            rows = [rows]
        if not rows or not all(isinstance(row, list) for row in rows):
            _wrong(path, "a list of latents, or what 'encode --json' prints")
        if any(type(value) not in (int, float) for row in rows for value in row):
            _wrong(path, "latents made of numbers")
        return [[_number(str(value), path.name) for value in row] for row in rows]
    if suffix in (".csv", ".txt"):
        try:
            lines = [line for line in csv.reader(text.splitlines(), strict=True) if line]
        except csv.Error as error:
            raise DataError(f"{path.name} is not CSV: {error}.") from None
        if not lines:
            _wrong(path, "at least one latent")
        chosen = list(range(len(lines[0])))
        if any(title.strip().startswith("z") for title in lines[0]):  # the header that 'encode --out x.csv' writes
            chosen = [column for column, title in enumerate(lines[0]) if title.strip().startswith("z")]
            lines = lines[1:]
        if any(line and len(line) <= max(chosen) for line in lines):
            _wrong(path, "lines of equal length")
        return [[_number(line[column], path.name) for column in chosen] for line in lines if line]
    raise DataError(f"Cannot read latents from {path.name!r}: expected .npy, .csv, .txt or .json.")


def _npy_rows(path: Path) -> list[list[float]]:
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise DataError(f"{path.name} is a folder, a device or a pipe; expected a NumPy file.")
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path.name} has more than {MAX_BYTES / 2**20:g} MiB; split it.")
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or 'not a NumPy file'}.") from None
    except (ValueError, EOFError, SyntaxError) as error:
        raise DataError(f"{path.name} is not a NumPy array of numbers ({str(error)[:100]}).") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        _wrong(path, "an array of numbers with one row per latent")
    return np.atleast_2d(array).astype(np.float64).tolist()


def _number(text: str, source: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{quote_text(text.strip())!r} in {source} is not a finite number.")
    return value


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not JSON: {str(error)[:120]}.") from None


def _wrong(path: Path, expected: str) -> NoReturn:
    raise DataError(f"{path.name} does not hold what is needed: expected {expected}.")
