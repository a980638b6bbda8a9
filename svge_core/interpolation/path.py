"""Paths between two architectures: linear, spherical, over neighbours; every stop decoded, none hidden.

A path is a list of stops. The decoder says what stands at each; what it says is kept also where it is no member of the
space, where it repeats the stop before, and where it jumps. Nothing here knows of pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell, Difference, difference
from svge_core.checks import one_cell, one_of
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.explorer import Explorer
from svge_core.interpolation.geodesic import End, NeighbourGraph, geodesic, graph_in_words
from svge_core.interpolation.kinds import FEWEST_STOPS, MOST_STOPS, PathKind
from svge_core.interpolation.lines import linear, path_length, spherical
from svge_core.interpolation.rich import path_html
from svge_core.models import DecodeOptions
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import to_cells
from svge_core.threads import one_thread


@dataclass(frozen=True)
class Stop:
    """One place of a path and the architecture that stands there.

    Attributes:
        number: 0 at A.
        latent: the place.
        distance: Euclidean length of the way from A.
        cell: what the path shows here: decoded (canonical where it is a member), or the known cell of a graph path.
        reason: why it is no member of the space; empty where it is one.
        raw_reason: the same of the likeliest graph when nothing keeps the decoder inside the space.
        member: the likeliest member of the space here: the cell itself where it is a member; None where even
            constrained decoding gives none.
        index: official index of the cell; None where it is no member or cells of the space have none.
        row: of the atlas; None where the cell is not charted.
        comes_back: whether the decoder gives the known cell that the place is the latent of; None between known cells.
    """

    number: int
    latent: Float[np.ndarray, " latent"]
    distance: float
    cell: Cell
    reason: str
    raw_reason: str
    member: Cell | None
    index: int | None
    row: int | None
    comes_back: bool | None

    @property
    def valid(self) -> bool:
        """Whether the cell is a member of the space."""
        return not self.reason


@dataclass(frozen=True)
class Frame:
    """Neighbouring stops with the same architecture.

    Attributes:
        stops: these, in order.
        change: edits from the frame before; None for the first frame.
    """

    stops: tuple[Stop, ...]
    change: Difference | None

    @property
    def first(self) -> int:
        """Number of the first stop."""
        return self.stops[0].number

    @property
    def last(self) -> int:
        """Number of the last stop."""
        return self.stops[-1].number

    @property
    def cell(self) -> Cell:
        """The architecture of all its stops."""
        return self.stops[0].cell


@dataclass(frozen=True)
class PathNumbers:
    """A path in numbers.

    Attributes:
        stops: how many there are, A and B included.
        distinct: different members of the space among them.
        functions: members that compute different things, as the space's authors define it.
        repeats: stops with the architecture of the stop before.
        invalid: stops that are no member.
        invalid_raw: stops where the decoder alone would give no member.
        edits: sum of the edits of all jumps.
        direct: edits from A to B.
        largest: edits of the largest jump; 0 without one.
        largest_to: stop that the first of the largest jumps arrives at; None without a jump.
        length: Euclidean length of the way.
        straight: Euclidean distance from A to B.
    """

    stops: int
    distinct: int
    functions: int
    repeats: int
    invalid: int
    invalid_raw: int
    edits: int
    direct: int
    largest: int
    largest_to: int | None
    length: float
    straight: float


@dataclass(frozen=True)
class LatentPath:
    """A way from A to B.

    Attributes:
        kind: how it was laid.
        start, end: A and B.
        stops: places with their architectures.
        note: how it was laid, in words.
        fallback: why it is a straight line although another kind was asked for; empty otherwise.
        constrained: whether the decoder was kept inside the space.
        space: of the cells.
    """

    kind: PathKind
    start: Cell
    end: Cell
    stops: tuple[Stop, ...]
    note: str
    fallback: str
    constrained: bool
    space: AbstractSearchSpace

    @cached_property
    def latents(self) -> Float[np.ndarray, "stops latent"]:
        """Latents of the stops."""
        return np.stack([stop.latent for stop in self.stops])

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The stops, neighbouring equal ones merged, with the edits between."""
        runs: list[list[Stop]] = []
        for stop in self.stops:
            if runs and runs[-1][0].cell == stop.cell:
                runs[-1].append(stop)
            else:
                runs.append([stop])
        cells = [run[0].cell for run in runs]
        changes = [None, *(difference(one, other) for one, other in zip(cells, cells[1:], strict=False))]
        return tuple(Frame(tuple(run), change) for run, change in zip(runs, changes, strict=True))

    def frame_of(self, number: int) -> int:
        """The frame that a stop is part of."""
        return next(place for place, frame in enumerate(self.frames) if frame.last >= number)

    @property
    def lost(self) -> tuple[Stop, ...]:
        """Stops at the latent of a known cell that the decoder does not give back."""
        return tuple(stop for stop in self.stops if stop.comes_back is False)

    def numbers(self, key: Callable[[Cell], str]) -> PathNumbers:
        """The path in numbers.

        Args:
            key: of the space; equal for cells that compute the same thing.
        """
        members = {stop.cell for stop in self.stops if stop.valid}
        jumps = [(frame.change.edits, frame.first) for frame in self.frames if frame.change is not None]
        largest = max((edits for edits, _ in jumps), default=0)
        return PathNumbers(
            stops=len(self.stops),
            distinct=len(members),
            functions=len({key(cell) for cell in members}),
            repeats=len(self.stops) - len(self.frames),
            invalid=sum(not stop.valid for stop in self.stops),
            invalid_raw=sum(bool(stop.raw_reason) for stop in self.stops),
            edits=sum(edits for edits, _ in jumps),
            direct=difference(self.start, self.end).edits,
            largest=largest,
            largest_to=next((first for edits, first in jumps if edits == largest), None),
            length=self.stops[-1].distance,
            straight=float(np.linalg.norm(self.stops[-1].latent.astype(np.float64) - self.stops[0].latent)),
        )

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return path_html(self)


def lay_path(
    explorer: Explorer,
    start: Cell,
    end: Cell,
    kind: PathKind,
    stops: int,
    *,
    constrained: bool = False,
    whole: Callable[[int], NeighbourGraph] | None = None,
) -> LatentPath:
    """The path from A to B.

    Args:
        explorer: the model and the charted cells.
        start: member of the space.
        end: member of the space.
        kind: how the path runs.
        stops: how many, A and B included; a graph path has as many as it needs.
        constrained: keep the decoder inside the space, so that no stop is invalid.
        whole: where the neighbour graph of the whole chart is kept; see :func:`~svge_core.interpolation.geodesic`.

    Raises:
        SvgeError: if the number of stops is out of range, or no path over neighbours joins A and B.
        InvalidCellError: if A or B is no member.
    """
    one_of("kind of path", kind, get_args(PathKind))
    if not FEWEST_STOPS <= stops <= MOST_STOPS:
        raise SvgeError(f"A path has {FEWEST_STOPS} to {MOST_STOPS} stops; got {stops}.")
    start, end = (explorer.space.canonical(one_cell(cell)) for cell in (start, end))
    ends = [_end_of(explorer, cell) for cell in (start, end)]
    fallback, known = "", {0: start, stops - 1: end}
    if kind == "graph":
        route = geodesic(explorer.atlas.latents, ends[0], ends[1], whole)
        latents, note = route.latents, graph_in_words(route)
        cells = [None if row is None else explorer.cells_at(np.array([row]))[0] for row in route.rows]
        known = {n: cell for n, cell in enumerate(cells) if cell is not None} | {0: start, len(cells) - 1: end}
    elif kind == "spherical":
        latents, fallback = spherical(ends[0].latent, ends[1].latent, stops)
        off = float(np.linalg.norm(explorer.atlas.latents.mean(axis=0, dtype=np.float64)))
        note = (
            "Turns at constant speed about the origin of the latent space, where the prior is centred (the cells' mean "
            f"lies {off:.2f} away from it), so that it keeps the distance from the origin that cells have."
        )
    else:
        latents = linear(ends[0].latent, ends[1].latent, stops)
        note = "Evenly spaced on the straight line from A to B in the latent space."
    found = _stops(explorer, latents, known, constrained, given=kind == "graph")
    return LatentPath(kind, start, end, found, note, fallback, constrained, explorer.space)


def _end_of(explorer: Explorer, cell: Cell) -> End:
    row = explorer.row_of(cell)
    latent = explorer.encode(cell) if row is None else np.asarray(explorer.atlas.latents[row])
    return End(latent.astype(np.float32), row)


def _stops(
    explorer: Explorer,
    latents: Float[np.ndarray, "stops latent"],
    known: dict[int, Cell],
    constrained: bool,
    *,
    given: bool,
) -> tuple[Stop, ...]:
    """Decode every place.

    Args:
        explorer: the model and the charted cells.
        latents: the places.
        known: cells whose latents the places are, by number.
        constrained: keep the decoder inside the space.
        given: show these and not what is decoded there.
    """
    raw, members = (_decoded(explorer, latents, kept) for kept in (False, True))
    found = []
    for number, distance in enumerate(path_length(latents).tolist()):
        free, free_reason = _checked(explorer, raw[number])
        member, member_reason = _checked(explorer, members[number])
        decoded, reason = (member, member_reason) if constrained else (free, free_reason)
        comes_back = decoded == known[number] if number in known else None
        cell, reason = (known[number], "") if given else (decoded, reason)
        index = None if reason or explorer.space.size is None else explorer.space.index(cell)
        likeliest = cell if not reason else None if member_reason else member
        row = None if index is None else explorer.atlas.row(index)
        found.append(
            Stop(number, latents[number], distance, cell, reason, free_reason, likeliest, index, row, comes_back)
        )
    return tuple(found)


def _decoded(explorer: Explorer, latents: Float[np.ndarray, "stops latent"], constrained: bool) -> Sequence[Cell]:
    """The likeliest graph of every latent, both directions voting, as the map decodes a place."""
    options = DecodeOptions("both", constrained, argmax=True)
    with one_thread():
        z = torch.tensor(latents, dtype=torch.float32)
        batch = decode(explorer.checkpoint.model, z, options, weights=explorer.weights)
    return to_cells(explorer.space, batch)


def _checked(explorer: Explorer, cell: Cell) -> tuple[Cell, str]:
    """The cell in canonical form, or as it came with the reason why it is no member."""
    try:
        explorer.space.validate(cell)
    except InvalidCellError as error:
        return cell, str(error)
    return explorer.space.canonical(cell), ""
