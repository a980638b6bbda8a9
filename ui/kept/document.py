"""A session as a file: what was chosen and made in each search space. JSON, checked field by field when it is read.

Own scores stand in it as their float64 numbers, one for each cell of the space, packed and in base64: a table of
400,000 lines is opened again without being read again, and every bit is the same.
"""

import base64
import binascii
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np

from svge_core.atlas import PlaneName
from svge_core.comparison import MOST_CELLS
from svge_core.data import meaning_from_dict, scores_from_columns
from svge_core.errors import SvgeError
from svge_core.explorer import MAX_QUERY, CellFilter
from svge_core.files import Count, StrictRecord, check_version, read_record, to_plain
from svge_core.interpolation import FEWEST_STOPS, MOST_STOPS
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.shared.choices import (
    BASKET_CAP,
    FURTHEST,
    LASSO_PARTS,
    NAME_LENGTH,
    SAVED_CAP,
    CompareChoice,
    Lasso,
    MapDisplay,
    PathChoice,
    PlaceFocus,
    SavedSelection,
    UserColumns,
)

VERSION = 1
#: an opened file: a few tables of own scores fit
MAX_BYTES = 64 * 2**20
MAX_CORNERS, MAX_NAME = 10_000, 500
Text = Annotated[str, msgspec.Meta(max_length=500)]
ADVICE = "Open a file that was saved under Session."


class PutAside(StrictRecord, frozen=True, kw_only=True):
    """An architecture in the basket: its notation and a person's name for it."""

    notation: str
    label: Text = ""


class SpaceRecord(StrictRecord, frozen=True, kw_only=True):
    """What was chosen in one search space.

    Attributes:
        checkpoint: its name, never a path.
        cell, place: the focus: an official index (the notation where cells have none), or a position on a map; at most
            one of them.
    """

    checkpoint: Text | None = None
    plane: PlaneName | None = None
    colour: Text = ""
    display: MapDisplay = MapDisplay()
    cell: Count | Text | None = None
    place: PlaceFocus | None = None
    lasso: Lasso | None = None
    filter: CellFilter = CellFilter()
    saved: Annotated[tuple[SavedSelection, ...], msgspec.Meta(max_length=SAVED_CAP)] = ()
    path: PathChoice = PathChoice()
    compare: CompareChoice = CompareChoice()
    basket: Annotated[tuple[PutAside, ...], msgspec.Meta(max_length=BASKET_CAP)] = ()


class OwnRecord(StrictRecord, frozen=True, kw_only=True):
    """A person's own scores.

    Attributes:
        values: by column, one number for each cell, NaN for none: base64 of zlib of little-endian float64.
    """

    name: Text
    summary: str
    remarks: tuple[str, ...]
    all_used: bool
    meanings: tuple[dict[str, Any], ...]
    values: dict[str, str]


class SessionFile(StrictRecord, frozen=True, kw_only=True):
    """A whole session."""

    version: int
    space: Text
    spaces: dict[str, SpaceRecord]
    own: dict[str, OwnRecord] = {}


@dataclass(frozen=True)
class Kept:
    """A session in memory.

    Attributes:
        space: the one that is shown; empty in a session in which nothing was done.
        spaces: what was chosen in each.
        own: a person's own scores by space.
    """

    space: str = ""
    spaces: Mapping[str, SpaceRecord] = field(default_factory=dict)
    own: Mapping[str, UserColumns] = field(default_factory=dict)


def write_session(kept: Kept) -> bytes:
    """The file of a session."""
    own = {space: own_record(columns) for space, columns in kept.own.items()}
    plain = to_plain(SessionFile(version=VERSION, space=kept.space, spaces=dict(kept.spaces), own=own))
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def read_session(content: bytes) -> Kept:
    """Read what :func:`write_session` wrote.

    Raises:
        SvgeError: one line, if it is no such file or names what its search space does not have, or one that is not
            installed here.
    """
    found = read_record(
        content,
        SessionFile,
        ADVICE,
        name="The session",
        error=SvgeError,
        max_bytes=MAX_BYTES,
        upgrade=lambda plain: check_version(plain, "version", (VERSION,)),
    )
    for name in (found.space, *found.spaces, *found.own):
        get_space(name)
    for name, record in found.spaces.items():
        check_space(name, record)
    return Kept(found.space, found.spaces, {name: own_columns(name, own) for name, own in found.own.items()})


def check_space(name: str, record: SpaceRecord) -> None:
    """Whether a space has what a record names.

    Raises:
        SvgeError: one line, naming the first thing it has not.
    """
    space = get_space(name)
    compared = record.compare
    for cell in (record.cell, *compared.cells):
        if isinstance(cell, str):
            if space.size is not None:
                raise SvgeError(f"The session names a cell of {space.title} by {cell[:40]!r}: expected an index.")
            try:
                space.parse(cell)
            except SvgeError as error:
                raise SvgeError(f"The session's cell in focus or compared cannot be read: {error}") from None
    if len(set(compared.cells)) < len(compared.cells) or len(compared.cells) > MOST_CELLS:
        raise SvgeError(f"The session compares an architecture twice, or more than {MOST_CELLS}.")
    if not 0 <= compared.reference < max(1, len(compared.cells)):
        raise SvgeError("The session marks the differences from an architecture that it does not compare.")
    for index in (record.cell, record.path.start, record.path.end, *compared.cells):
        if isinstance(index, str):
            continue
        if index is not None and not 0 <= index < (space.size or 0):
            raise SvgeError(f"The session names cell #{index} of {space.title}, which has none of that index.")
    if record.cell is not None and record.place is not None:
        raise SvgeError(f"The session has two places in focus in {space.title}: expected a cell or a position.")
    for entry in record.basket:
        try:
            space.parse(entry.notation)
        except SvgeError as error:
            raise SvgeError(f"The session's basket cannot be read: {error}") from None
    if len({entry.notation for entry in record.basket}) < len(record.basket):
        raise SvgeError("The session's basket holds an architecture twice.")
    if record.place is not None and max(abs(record.place.x), abs(record.place.y)) > FURTHEST:
        raise SvgeError(f"The session's focus is no place on a map: expected coordinates up to {FURTHEST:g}.")
    for saved in record.saved:
        if not 0 < len(saved.name) <= NAME_LENGTH or len(saved.checkpoint) > MAX_NAME:
            raise SvgeError(f"The session's saved selection {saved.name[:40]!r} has no name, or too long a one.")
    if len({saved.name for saved in record.saved}) < len(record.saved):
        raise SvgeError("The session has two saved selections of one name.")
    for lasso in (record.lasso, *(saved.lasso for saved in record.saved)):
        if lasso is not None:
            _check_lasso(lasso)
    for conditions in (record.filter, *(saved.filter for saved in record.saved)):
        _check_filter(conditions, space)
    for named in (record.display.second.colour, record.display.second.checkpoint):
        if len(named) > MAX_NAME:
            raise SvgeError(f"The session's second map names {named[:40]!r}…: expected up to {MAX_NAME} letters.")
    limits = record.display.limits
    if limits is not None and not (math.isfinite(limits[0]) and math.isfinite(limits[1]) and limits[0] < limits[1]):
        raise SvgeError(
            f"The session's colours reach from {limits[0]:g} to {limits[1]:g}: expected the lower end first."
        )
    if not FEWEST_STOPS <= record.path.stops <= MOST_STOPS or not 0 <= record.path.share <= 1:
        raise SvgeError(f"The session's path has {record.path.stops} stops: expected {FEWEST_STOPS} to {MOST_STOPS}.")


def _check_lasso(lasso: Lasso) -> None:
    for polygon in (lasso.polygon, *(part for _, part in lasso.parts)):
        if not 3 <= len(polygon) <= MAX_CORNERS:
            raise SvgeError(f"The session's lasso has {len(polygon)} corners: expected 3 to {MAX_CORNERS:,}.")
    if len(lasso.parts) > LASSO_PARTS:
        raise SvgeError(f"The session's lasso has {len(lasso.parts)} parts: expected up to {LASSO_PARTS}.")
    if len(lasso.checkpoint) > MAX_NAME:
        raise SvgeError(
            f"The session's lasso is on a map of {lasso.checkpoint[:40]!r}…, which is no checkpoint's name."
        )


def _check_filter(conditions: CellFilter, space: AbstractSearchSpace) -> None:
    if foreign := [op for op in (*conditions.contains, *conditions.without) if op not in space.operations]:
        raise SvgeError(f"The session's filter names {foreign[0][:40]!r}, which is no operation of {space.title}.")
    if len(conditions.where) > MAX_QUERY:
        raise SvgeError(f"The session's question has {len(conditions.where):,} characters: expected up to {MAX_QUERY}.")


def own_record(columns: UserColumns) -> OwnRecord:
    """A person's own scores as they are stored."""
    scores = columns.scores
    return OwnRecord(
        name=columns.name[:500],
        summary=columns.summary,
        remarks=columns.remarks,
        all_used=columns.all_used,
        meanings=tuple(meaning.to_dict() for meaning in scores.meanings.values()),
        values={key: _packed(scores.frame[key].to_numpy()) for key in scores.meanings},
    )


def own_columns(name: str, record: OwnRecord) -> UserColumns:
    """A person's own scores of a space, as they were.

    Raises:
        SvgeError: one line, if they do not fit the space.
    """
    space = get_space(name)
    meanings = [meaning_from_dict(raw) for raw in record.meanings]
    if not meanings or sorted(meaning.key for meaning in meanings) != sorted(record.values):
        raise SvgeError("The session's own scores are damaged: every column needs its meaning.")
    if foreign := [meaning.key for meaning in meanings if not meaning.key.startswith("user_")]:
        raise SvgeError(f"The session's own scores have a column {foreign[0]!r}, which is not a person's own.")
    columns = {meaning.key: _unpacked(record.values[meaning.key], space) for meaning in meanings}
    scores = scores_from_columns(name, columns, {meaning.key: meaning for meaning in meanings})
    return UserColumns(record.name, scores, record.summary, record.remarks, record.all_used)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.astype("<f8").tobytes(), 6)).decode()


def _unpacked(text: str, space: AbstractSearchSpace) -> np.ndarray:
    """The numbers of a column; no more is unpacked than a column of the space may hold."""
    size = 8 * (space.size or 0) if space.enumerated else 0
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise SvgeError(f"The session's own scores are damaged: {error}.") from None
    if len(content) != size or not unpacking.eof:
        raise SvgeError(f"The session's own scores do not have one number for each cell of {space.title}.")
    return np.frombuffer(content, dtype="<f8").astype(np.float64)


def same_columns(one: UserColumns | None, other: UserColumns | None) -> bool:
    """Whether two tables of own scores hold the same."""
    if one is None or other is None:
        return one is other
    return one is other or (one.name, one.scores.digest) == (other.name, other.scores.digest)
