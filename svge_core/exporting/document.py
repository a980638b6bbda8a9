"""Cells and what is known about them as a versioned JSON document, written and read back.

The document is redundant on purpose: a reader may use the notation, the index, the genotype or the graph, whichever
suits it. Reading checks that they all name the same cell, and that every value has a meaning.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning, Scores, meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.spaces import AbstractSearchSpace, get_space

#: the further name that has a field in every document of version 1; all others stand in ``aliases``
NASLIB = "naslib"
FORMAT = "svge-explorer-cells"
VERSION = 1
MAX_BYTES = 10 * 2**20
MAX_CELLS = 10_000
MAX_TEXT = 500
MAX_NOTATION = 10_000
MAX_LATENT = 4_096


@dataclass(frozen=True)
class Prediction:
    """A predicted score with its interval.

    Attributes:
        key: the score that is predicted, a key of the meanings.
        value: predicted mean, in the score's unit.
        low: lower end of the interval.
        high: upper end of the interval.
        level: probability that the interval is meant to cover, between 0 and 1.
        model: which model says so (checkpoint or surrogate id).
    """

    key: str
    value: float
    low: float
    high: float
    level: float
    model: str

    def __post_init__(self) -> None:
        numbers = (self.value, self.low, self.high, self.level)
        if not all(map(math.isfinite, numbers)) or self.low > self.high or not 0 < self.level < 1:
            raise SvgeError(
                f"The prediction of {self.key[:64]!r} needs finite numbers, low <= high and a level between 0 and 1; "
                f"got value {self.value}, low {self.low}, high {self.high}, level {self.level}."
            )


@dataclass(frozen=True)
class ExportItem:
    """One cell and what is known about it.

    Attributes:
        cell: a member of the space.
        label: the user's name for it; free text.
        measured: known values by score key (analytic ones included; the meaning tells them apart).
        meanings: the meaning of every key in ``measured`` and ``predicted``.
        predicted: predictions of models.
        latent: its point in a model's latent space.
        latent_model: which model's; needed where there is a latent.
    """

    cell: Cell
    label: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    meanings: Mapping[str, ScoreMeaning] = field(default_factory=dict)
    predicted: tuple[Prediction, ...] = ()
    latent: tuple[float, ...] | None = None
    latent_model: str = ""

    def __post_init__(self) -> None:
        keys = [*self.measured, *(prediction.key for prediction in self.predicted)]
        for key in keys:
            if key not in self.meanings:
                raise SvgeError(f"Score {key[:64]!r} is exported without its meaning.")
            if key in self.measured and self.meanings[key].kind == "predicted":
                raise SvgeError(f"Score {key!r} is predicted and cannot be exported as measured: use a Prediction.")
        if not all(map(math.isfinite, (*self.measured.values(), *(self.latent or ())))):
            raise SvgeError("A measured value or a latent coordinate is not a finite number.")
        if self.latent is not None and not self.latent_model:
            raise SvgeError("A latent is exported without the model it belongs to.")
        if len(self.label) > MAX_TEXT or not _is_unicode(self.label):
            raise SvgeError(f"A label is a text of at most {MAX_TEXT} characters; got {len(self.label)}.")


def item_for(
    cell: Cell,
    space: AbstractSearchSpace,
    scores: Scores | None = None,
    *,
    label: str = "",
    predicted: Sequence[Prediction] = (),
    predicted_meanings: Mapping[str, ScoreMeaning] | None = None,
    row: int | None = None,
    latent: Sequence[float] | None = None,
    latent_model: str = "",
) -> ExportItem:
    """Gather a cell's measured and analytic values from a score table; predicted columns are left to ``predicted``.

    Args:
        cell: member of the space.
        space: of the cell.
        scores: table of values; None for none.
        label: a person's own name for the cell.
        predicted: predictions for the cell.
        predicted_meanings: of predicted scores that the table does not hold.
        row: of the table; None for the official index of a space that is listed.
        latent: the cell's latent, if it is to be written.
        latent_model: which model the latent is of.

    Raises:
        InvalidCellError: if the cell is not a member of the space.
        SvgeError: if the scores are another space's, or a prediction is of a score that the table does not know.
    """
    space.validate(cell)
    measured: dict[str, float] = {}
    meanings: dict[str, ScoreMeaning] = {}
    if scores is not None:
        if scores.space != space.name:
            raise SvgeError(f"Scores of {scores.space} cannot describe a cell of {space.name}.")
        if row is None and space.enumerated:
            row = space.index(cell)
        if row is not None:
            known = scores.of(row)
            measured = {key: value for key, value in known.items() if scores.meaning(key).kind != "predicted"}
        extra = predicted_meanings or {}
        keys = (*measured, *(prediction.key for prediction in predicted))
        meanings = {key: extra[key] if key in extra else scores.meaning(key) for key in keys}
    point = None if latent is None else tuple(float(value) for value in latent)
    return ExportItem(cell, label, measured, meanings, tuple(predicted), point, latent_model)


def to_json(items: Sequence[ExportItem], space: AbstractSearchSpace) -> str:
    """The versioned JSON document; :func:`from_json` reads it back.

    Raises:
        SvgeError: if two items give one score key different meanings.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "space": space.name,
        "meanings": {key: meaning.to_dict() for key, meaning in all_meanings(items).items()},
        "cells": [_cell_dict(item, space) for item in items],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def cell_fields(cell: Cell, space: AbstractSearchSpace) -> dict[str, Any]:
    """Everything in the document that follows from the cell alone."""
    names = {alias.name: alias.value for alias in space.aliases(cell) if alias.value is not None}
    naslib = names.pop(NASLIB, None)
    return {
        "notation": space.format(cell),
        "index": space.index(cell) if space.size is not None else None,
        "genotype": list(space.genotype(cell)),
        "naslib": naslib,
        "ops": list(cell.ops),
        "edges": [list(edge) for edge in cell.edges],
        "key": space.key(cell),
        **({"aliases": names} if names else {}),
    }


def _cell_dict(item: ExportItem, space: AbstractSearchSpace) -> dict[str, Any]:
    latent = None if item.latent is None else {"model": item.latent_model, "values": list(item.latent)}
    return {
        "label": item.label,
        **cell_fields(item.cell, space),
        "measured": dict(item.measured),
        "predicted": [vars(prediction) for prediction in item.predicted],
        "latent": latent,
    }


def all_meanings(items: Sequence[ExportItem]) -> dict[str, ScoreMeaning]:
    """The meanings of all items in order of appearance.

    Raises:
        SvgeError: if two items give one key different meanings.
    """
    meanings: dict[str, ScoreMeaning] = {}
    for item in items:
        for key, meaning in item.meanings.items():
            if meanings.setdefault(key, meaning) != meaning:
                raise SvgeError(f"Score {key!r} means different things for two of the cells; export them apart.")
    return meanings


def from_json(
    text: str | bytes, *, max_bytes: int = MAX_BYTES, max_cells: int = MAX_CELLS
) -> tuple[AbstractSearchSpace, tuple[ExportItem, ...]]:
    """Read what :func:`to_json` wrote, checking every field.

    Args:
        text: the document.
        max_bytes: larger documents are refused before they are parsed.
        max_cells: documents with more cells are refused.

    Raises:
        DataError: naming the field, what was expected and what came.
        SvgeError: if the document's search space is not one of ours.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > max_bytes:
        raise DataError(f"The document has {size / 2**20:.1f} MiB; at most {max_bytes / 2**20:g} MiB are read.")
    try:
        raw = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise DataError("The document is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise DataError(f"The document is not JSON: {error.msg} in line {error.lineno}.") from None
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise DataError(f"The document cannot be read: {reason}.") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f"The document is not an export of SVGe Explorer: expected the field 'format': {FORMAT!r}.")
    if type(raw.get("version")) is not int or not 1 <= raw["version"] <= VERSION:
        raise DataError(f"The document has version {_short(raw.get('version'))}; this program reads version {VERSION}.")
    document = _object(raw, "document", ("format", "version", "space", "meanings", "cells"))
    space = get_space(_text(document["space"], "space", 100))
    meanings = _meanings(document["meanings"])
    cells = _list(document["cells"], "cells", max_cells)
    return space, tuple(_item(cell, f"cells[{number}]", space, meanings) for number, cell in enumerate(cells))


def _meanings(raw: object) -> dict[str, ScoreMeaning]:
    if not isinstance(raw, dict):
        _wrong("meanings", "an object", raw)
    meanings = {str(key): meaning_from_dict(value) for key, value in raw.items()}
    for key, meaning in meanings.items():
        if key != meaning.key:
            _wrong(f"meanings.{key[:64]}.key", repr(key[:64]), meaning.key)
    return meanings


def _item(raw: object, where: str, space: AbstractSearchSpace, meanings: dict[str, ScoreMeaning]) -> ExportItem:
    derived = ("notation", "index", "genotype", "naslib", "ops", "edges", "key")
    if isinstance(raw, dict) and "aliases" in raw:  # of spaces whose cells have further names
        derived += ("aliases",)
    cell_raw = _object(raw, where, ("label", *derived, "measured", "predicted", "latent"))
    try:
        cell = space.parse(_text(cell_raw["notation"], f"{where}.notation", MAX_NOTATION))
        expected = cell_fields(cell, space)
    except DataError:
        raise
    except SvgeError as error:
        raise DataError(f"{where}.notation: {error}") from None
    for name in derived:
        if cell_raw[name] != expected.get(name):
            raise DataError(
                f"{where}: its notation says that {name!r} is {_short(expected.get(name))}, but the document has "
                f"{_short(cell_raw[name])}."
            )
    if not isinstance(cell_raw["measured"], dict):
        _wrong(f"{where}.measured", "an object", cell_raw["measured"])
    measured = {str(key): _number(value, f"{where}.measured.{key[:64]}") for key, value in cell_raw["measured"].items()}
    predicted = tuple(
        _prediction(value, f"{where}.predicted[{number}]")
        for number, value in enumerate(_list(cell_raw["predicted"], f"{where}.predicted", 100))
    )
    used = dict.fromkeys([*measured, *(prediction.key for prediction in predicted)])
    unknown = [key for key in used if key not in meanings]
    if unknown:
        raise DataError(f"{where}: score {unknown[0][:64]!r} has no entry in 'meanings'.")
    latent, model = None, ""
    if cell_raw["latent"] is not None:
        point = _object(cell_raw["latent"], f"{where}.latent", ("model", "values"))
        model = _text(point["model"], f"{where}.latent.model", MAX_TEXT)
        values = _list(point["values"], f"{where}.latent.values", MAX_LATENT)
        latent = tuple(_number(value, f"{where}.latent.values[{n}]") for n, value in enumerate(values))
        if not model:
            _wrong(f"{where}.latent.model", "the name of a model", model)
    label = _text(cell_raw["label"], f"{where}.label", MAX_TEXT)
    try:
        return ExportItem(cell, label, measured, {key: meanings[key] for key in used}, predicted, latent, model)
    except SvgeError as error:
        raise DataError(f"{where}: {error}") from None


def _prediction(raw: object, where: str) -> Prediction:
    values = _object(raw, where, tuple(f.name for f in fields(Prediction)))
    key, model = (_text(values[name], f"{where}.{name}", MAX_TEXT) for name in ("key", "model"))
    value, low, high, level = (_number(values[name], f"{where}.{name}") for name in ("value", "low", "high", "level"))
    try:
        return Prediction(key, value, low, high, level, model)
    except SvgeError as error:
        raise DataError(f"{where}: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: json alone would silently keep the last of two values."""
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"the field {twice[:64]!r} is given twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON allows")


def _object(raw: object, where: str, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        _wrong(where, "an object", raw)
    missing = [name for name in names if name not in raw]
    unknown = [str(name) for name in raw if name not in names]
    if missing:
        raise DataError(f"{where} lacks the field {missing[0]!r}.")
    if unknown:
        raise DataError(f"{where} has an unknown field {unknown[0][:64]!r}; expected {', '.join(names)}.")
    return raw


def _list(raw: object, where: str, most: int) -> list[Any]:
    if not isinstance(raw, list):
        _wrong(where, "a list", raw)
    if len(raw) > most:
        raise DataError(f"{where} has {len(raw):,} entries; at most {most:,} are read.")
    return raw


def _text(raw: object, where: str, most: int) -> str:
    if not isinstance(raw, str) or len(raw) > most or not _is_unicode(raw):
        _wrong(where, f"a text of at most {most:,} characters", raw)
    return raw


def _is_unicode(text: str) -> bool:
    """Whether it can be written to a file; JSON can smuggle in half a surrogate pair, which cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(raw: object, where: str) -> float:
    # bool is an int in Python but not in JSON; integers beyond the range of floats cannot be converted
    if type(raw) not in (int, float) or not -1e300 < raw < 1e300:  # pyright: ignore[reportOperatorIssue]
        _wrong(where, "a finite number", raw)
    return float(raw)  # pyright: ignore[reportArgumentType]


def _wrong(where: str, expected: str, got: object) -> NoReturn:
    raise DataError(f"{where} has to be {expected}; got {_short(got)}.")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
