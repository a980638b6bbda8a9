"""`Inspection`: everything there is to say about one place of the latent space. Made by `Explorer`."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from svge_core.atlas import Atlas, Place, latent_tensor, wiring_columns
from svge_core.cells import Cell, difference
from svge_core.data import PredictionRow, ScoreMeaning, Scores
from svge_core.errors import InvalidCellError
from svge_core.evaluation import Share
from svge_core.models import DecodeOptions, GraphVAE
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace, Alias, Cost
from svge_core.tensors import CellBatch, to_cells

Origin = Literal["cell", "place", "latent"]
#: of a space that is too large to list nobody notes which cells training drew, only which ones it never draws
Membership = Literal["training", "held out", "not held out"]


@dataclass(frozen=True)
class KnownValue:
    """A measured or analytic value with its meaning."""

    meaning: ScoreMeaning
    value: float


@dataclass(frozen=True)
class NearCell:
    """A charted cell near a place.

    Attributes:
        row: of the atlas and of the tables.
        index: official index; None where cells of the space have none.
        cell: the cell.
        distance: Euclidean distance in the latent space.
        edits: fewest edits from the inspected cell; None where there is none.
    """

    row: int
    index: int | None
    cell: Cell
    distance: float
    edits: int | None


@dataclass(frozen=True)
class RawDecode:
    """What the decoder says when nothing keeps it inside the space: the likeliest graph, both directions voting.

    Attributes:
        cell: the graph as it came.
        valid: whether it is a member of the space.
        reason: why not, else empty.
    """

    cell: Cell
    valid: bool
    reason: str


@dataclass(frozen=True)
class DecoderAgreement:
    """How much unconstrained random decodings (forward runs) of one latent agree.

    Attributes:
        valid: members of the space among the draws.
        modal: draws that gave the commonest member.
        shown: draws that gave the cell that is shown.
        modal_cell: the commonest member; None if no draw was valid.
        distinct: number of different members among the draws.
    """

    valid: Share
    modal: Share
    shown: Share
    modal_cell: Cell | None
    distinct: int


@dataclass(frozen=True)
class Inspection:
    """One place and the cell that stands or is decoded there.

    Attributes:
        origin: what was asked for: a known cell, a position on a map or a latent.
        place: latent, map position, neighbourhood.
        cell: the known cell, or the likeliest member (constrained, both directions); None if there is none.
        reason: why there is no cell, else empty.
        index: official index of the cell; None where cells of the space have none.
        row: of the atlas and of the tables; None where the cell is not charted.
        notation: the cell in the community's notation.
        aliases: the cell's further names, such as NASLib's tuple.
        genotype: operation digits.
        cost: analytic size; None where cells of the space have none.
        known: measured and analytic values.
        predicted: a prediction with its interval per score that can be predicted.
        meanings: of the predicted scores, as they would be measured, by key.
        label_used: per prediction, whether this very cell's label trained the predictor.
        neighbours: nearest known cells in the latent space, nearest first.
        membership: whether the model was trained on the cell; None if there is no cell.
        raw: the unconstrained argmax.
        comes_back: whether the constrained argmax of the latent is the cell itself (always so but for known cells).
        certainty: agreement of random decodings.
    """

    origin: Origin
    place: Place
    cell: Cell | None
    reason: str
    index: int | None
    row: int | None
    notation: str
    aliases: tuple[Alias, ...]
    genotype: tuple[int, ...]
    cost: Cost | None
    known: tuple[KnownValue, ...]
    predicted: tuple[PredictionRow, ...]
    meanings: dict[str, ScoreMeaning]
    label_used: tuple[bool, ...]
    neighbours: tuple[NearCell, ...]
    membership: Membership | None
    raw: RawDecode
    comes_back: bool
    certainty: DecoderAgreement

    def value(self, key: str) -> float | None:
        """The known value of a score."""
        return next((known.value for known in self.known if known.meaning.key == key), None)


@dataclass(frozen=True)
class Decodings:
    """What the decoder gives at one latent, graphs as they came.

    Attributes:
        raw: the likeliest graph.
        constrained: the likeliest member of the space.
        drawn: how often each graph came in unconstrained random decodings.
        draws: number of those.
    """

    raw: Cell
    constrained: Cell
    drawn: Counter[Cell]
    draws: int


def decodings(model: GraphVAE, weights: Any, place: Place, seed: int, draws: int) -> Decodings:
    """Decode a place: raw and constrained argmax with both directions voting, and ``draws`` random forward runs."""
    z = latent_tensor(place)

    def argmax(constrained: bool) -> Cell:
        options = DecodeOptions("both", constrained, argmax=True)
        return to_cells(model.space, decode(model, z, options, weights=weights))[0]

    generator = torch.Generator(device=model.device).manual_seed(seed)
    batch = decode(model, z.expand(draws, -1), DecodeOptions("forward"), generator, weights=weights).to("cpu")
    return Decodings(argmax(False), argmax(True), _tally(model.space, batch), draws)


def inspection(
    space: AbstractSearchSpace,
    atlas: Atlas,
    scores: Scores,
    membership: Callable[[Cell], Membership],
    predict: Callable[[Cell], tuple[PredictionRow, ...]],
    meanings: dict[str, ScoreMeaning],
    labelled: dict[str, frozenset[int]],
    origin: Origin,
    place: Place,
    given: Cell | None,
    decoded: Decodings,
) -> Inspection:
    """Gather what is known about the cell of a place.

    Args:
        space: of the cell.
        atlas: the charted cells.
        scores: values by row of the atlas.
        membership: of a cell.
        predict: every predicted score of a cell.
        meanings: of the predicted scores.
        labelled: per predicted score, the official indices whose labels trained the predictor.
        origin: what was pointed at.
        place: where that is, and what is near.
        given: the cell that stands at the place; None to show the one decoded there.
        decoded: what the decoder gives there.
    """
    reason, raw_reason = _why_invalid(space, decoded.constrained), _why_invalid(space, decoded.raw)
    likeliest = None if reason else space.canonical(decoded.constrained)
    cell = likeliest if given is None else given
    found = space.index(cell) if cell is not None and space.size is not None else None
    row = None if cell is None else atlas.row_of(space, cell)
    values = scores.of(row) if row is not None else _unlisted(space, scores, cell)
    predicted = () if cell is None else predict(cell)
    return Inspection(
        origin=origin,
        place=place,
        cell=cell,
        reason="" if cell is not None else reason,
        index=found,
        row=row,
        notation="" if cell is None else space.format(cell),
        aliases=() if cell is None else space.aliases(cell),
        genotype=() if cell is None else space.genotype(cell),
        cost=space.cost(cell) if cell is not None and space.has_cost else None,
        known=tuple(KnownValue(scores.meaning(key), value) for key, value in values.items()),
        predicted=predicted,
        meanings={one.score: meanings[one.score] for one in predicted},
        label_used=tuple(found in labelled[one.score] for one in predicted),
        neighbours=_near(space, atlas, place, cell),
        membership=None if cell is None else membership(cell),
        raw=RawDecode(decoded.raw, not raw_reason, raw_reason),
        comes_back=cell is not None and likeliest == cell,
        certainty=_certainty(space, decoded, cell),
    )


def _unlisted(space: AbstractSearchSpace, scores: Scores, cell: Cell | None) -> dict[str, float]:
    """What follows from the wiring of a cell that stands in no table."""
    found = {} if cell is None else wiring_columns(space, [cell])
    return {key: float(values[0]) for key, values in found.items() if key in scores.meanings}


def _near(space: AbstractSearchSpace, atlas: Atlas, place: Place, cell: Cell | None) -> tuple[NearCell, ...]:
    found = []
    cells = atlas.cells(space, place.neighbours)
    for row, other, distance in zip(place.neighbours.tolist(), cells, place.distances.tolist(), strict=True):
        index = int(atlas.indices[row]) if atlas.drawn is None else None
        found.append(NearCell(row, index, other, distance, None if cell is None else difference(cell, other).edits))
    return tuple(found)


def _tally(space: AbstractSearchSpace, batch: CellBatch) -> Counter[Cell]:
    """How often each graph occurs in a batch; equal rows are turned into a cell once."""
    parts: list[Any] = [batch.sizes[:, None], batch.types, batch.adjacency.flatten(1).to(torch.long)]
    rows = torch.cat(parts, dim=1).to(torch.int16).numpy()
    _, first, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    tally: Counter[Cell] = Counter()
    for cell, count in zip(to_cells(space, batch.select(torch.from_numpy(first))), counts.tolist(), strict=True):
        tally[cell] += count
    return tally


def _certainty(space: AbstractSearchSpace, decoded: Decodings, cell: Cell | None) -> DecoderAgreement:
    members: Counter[Cell] = Counter()
    for graph, count in decoded.drawn.items():
        if space.is_valid(graph):
            members[space.canonical(graph)] += count
    modal, times = members.most_common(1)[0] if members else (None, 0)
    shown, draws = members[cell] if cell is not None else 0, decoded.draws
    return DecoderAgreement(
        Share(sum(members.values()), draws), Share(times, draws), Share(shown, draws), modal, len(members)
    )


def _why_invalid(space: AbstractSearchSpace, cell: Cell) -> str:
    try:
        space.validate(cell)
    except InvalidCellError as error:
        return str(error)
    return ""


def place_in_words(place: Place, origin: str, *, charted: bool = True) -> str:
    """How far the place is from known cells, for people.

    Args:
        place: the place and what is near.
        origin: what was pointed at.
        charted: whether the cell of the place is on the map.
    """
    kept = len(place.latent) - place.first
    where = f"by the last {kept} numbers of the latent" if place.first else "in the latent space"
    if origin == "cell" and charted:
        return f"The nearest other cell is {place.distances[0]:.2f} away {where}."
    distance = f"The nearest known cell is {place.distances[0]:.2f} away {where}"
    if place.far_on_map:
        return (
            f"On the map the nearest known cell is {place.map_spacings:.1f} times the usual spacing away, so this is "
            f"an average of far-apart cells. {distance}. Sparse zone: read this decoding with care."
        )
    if place.sparse:
        return f"{distance}, further than for 99 % of the known cells. Sparse zone: read this decoding with care."
    if place.percentile < 50:
        return f"{distance}, nearer than most known cells are to each other."
    return f"{distance}, further than {place.percentile:.0f} % of the known cells are from their nearest one."
