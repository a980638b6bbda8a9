"""Cells and what is known about them as a versioned JSON document, written and read back.

The document is redundant on purpose: a reader may use the notation, the index, the genotype or the graph, whichever
suits it. Reading checks that they all name the same cell, and that every value has a meaning.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from svge_core.cells import Cell
from svge_core.data import PredictionRow, ScoreMeaning, Scores, meaning_from_dict
from svge_core.errors import DataError, SvgeError
from svge_core.files import check_version, read_record
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
MAX_PREDICTED = 100
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Number = Annotated[float, msgspec.Meta(gt=-1e300, lt=1e300)]


#: what the document holds of a prediction, and what that is called in :class:`PredictionRow`
_PREDICTED = {"key": "score", "value": "mean", "low": "low", "high": "high", "level": "level", "model": "model"}


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
    predicted: tuple[PredictionRow, ...] = ()
    latent: tuple[float, ...] | None = None
    latent_model: str = ""

    def __post_init__(self) -> None:
        for prediction in self.predicted:
            prediction.check()
        keys = [*self.measured, *(prediction.score for prediction in self.predicted)]
        for key in keys:
            if key not in self.meanings:
                raise SvgeError(f"Score {key[:64]!r} is exported without its meaning.")
            if key in self.measured and self.meanings[key].kind == "predicted":
                raise SvgeError(f"Score {key!r} is predicted and cannot be exported as measured: give it as predicted.")
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
    predicted: Sequence[PredictionRow] = (),
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
        keys = (*measured, *(prediction.score for prediction in predicted))
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
        "predicted": [
            {name: getattr(prediction, field) for name, field in _PREDICTED.items()} for prediction in item.predicted
        ],
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


class _StoredLatent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    values: Annotated[tuple[_Number, ...], msgspec.Meta(max_length=MAX_LATENT)]


class _StoredPrediction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: _Text
    value: _Number
    low: _Number
    high: _Number
    level: _Number
    model: _Text


class _StoredCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of the document; what follows from the notation may be of any type, as it is compared with that."""

    label: _Text
    notation: Annotated[str, msgspec.Meta(max_length=MAX_NOTATION)]
    index: Any
    genotype: Any
    naslib: Any
    ops: Any
    edges: Any
    key: Any
    measured: dict[str, _Number]
    predicted: Annotated[tuple[_StoredPrediction, ...], msgspec.Meta(max_length=MAX_PREDICTED)]
    latent: _StoredLatent | None
    aliases: Any = msgspec.UNSET  # of spaces whose cells have further names


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["svge-explorer-cells"]
    version: Literal[1]
    space: Annotated[str, msgspec.Meta(max_length=100)]
    meanings: dict[str, Any]
    cells: tuple[_StoredCell, ...]


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

    def checked(plain: Any) -> Any:
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise DataError(f"it is no export of SVGe Explorer: expected the field 'format': {FORMAT!r}")
        document = check_version(plain, "version", (VERSION,))
        cells = document.get("cells")
        if isinstance(cells, list) and len(cells) > max_cells:
            raise DataError(f"$.cells: expected at most {max_cells:,} cells, got {len(cells):,}")
        return document

    advice = "Export the cells again."
    document = read_record(
        text, _Document, advice, name="The document", error=DataError, max_bytes=max_bytes, upgrade=checked
    )
    space = get_space(document.space)
    meanings = {key: meaning_from_dict(value) for key, value in document.meanings.items()}
    for key, meaning in meanings.items():
        if key != meaning.key:
            raise DataError(f"$.meanings[{key[:64]!r}].key: expected {key[:64]!r}, got {meaning.key!r}. {advice}")
    return space, tuple(
        _item(cell, f"$.cells[{number}]", space, meanings) for number, cell in enumerate(document.cells)
    )


def _item(stored: _StoredCell, where: str, space: AbstractSearchSpace, meanings: dict[str, ScoreMeaning]) -> ExportItem:
    cell = _cell(stored, where, space)
    used = dict.fromkeys([*stored.measured, *(prediction.key for prediction in stored.predicted)])
    if unknown := [key for key in used if key not in meanings]:
        raise DataError(f"{where}: score {unknown[0][:64]!r} has no entry in 'meanings'.")
    latent = stored.latent
    try:
        return ExportItem(
            cell,
            stored.label,
            stored.measured,
            {key: meanings[key] for key in used},
            tuple(map(_prediction, stored.predicted)),
            None if latent is None else latent.values,
            "" if latent is None else latent.model,
        )
    except SvgeError as error:
        raise DataError(f"{where}: {error}") from None


def _prediction(stored: _StoredPrediction) -> PredictionRow:
    row = PredictionRow(**{field: getattr(stored, name) for name, field in _PREDICTED.items()})
    row.check()
    return row


def _cell(stored: _StoredCell, where: str, space: AbstractSearchSpace) -> Cell:
    """The cell of the notation, if everything else in the document says the same."""
    try:
        cell = space.parse(stored.notation)
        expected = cell_fields(cell, space)
    except DataError:
        raise
    except SvgeError as error:
        raise DataError(f"{where}.notation: {error}") from None
    for name in ("notation", "index", "genotype", NASLIB, "ops", "edges", "key", "aliases"):
        found = getattr(stored, name)
        if found is not msgspec.UNSET and found != expected.get(name):
            raise DataError(
                f"{where}.{name}: its notation says {_short(expected.get(name))}, but the document has {_short(found)}."
            )
    return cell


def _is_unicode(text: str) -> bool:
    """Whether it can be written to a file: half a surrogate pair cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
