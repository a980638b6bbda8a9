"""What distances in the latent follow: the notation of cells (edits), or their function."""

from typing import Literal

from svge_core.data import score_name
from svge_core.evaluation.latent import SAME_TAU, QualityContent, ScoreNeighbours
from svge_core.evaluation.verdict.sentence import Sentence, tau_words

Side = Literal["notation", "function"]


def follows(quality: QualityContent | None, digest: str, indexed: bool = True) -> Sentence:
    """Whether near latents are near in notation (few edits) or in function (equal scores, equivalent cells).

    Neighbours speak for the notation where they rank a score about as one-hot codes do, for the function where as
    structure features do; not at all where they rank no better than those of an untrained encoder, or where structure
    features themselves rank no better than the codes and so know nothing of the function. Equivalent cells
    speak for the function where they lie closer than cells that are one edit apart, for the notation where farther.
    """
    subject = "What distances follow"
    if not indexed:
        return Sentence(f"{subject} cannot be measured", "cells of this space have no index")
    if quality is None:
        return Sentence(f"{subject} has not been measured", command="quality")
    if quality.checkpoint != digest:
        return Sentence(f"{subject} was measured on earlier weights only", command="quality")
    part = judged(quality)
    spoken = (None if part is None else _by_rank(part), _by_equivalents(quality))
    sides: set[Side] = {side for side in spoken if side is not None}
    evidence = [] if part is None else [_ranks(part, quality.config.neighbours)]
    evidence.append(_equivalents(quality))
    return Sentence(_followed(sides, part), "; ".join(evidence))


def judged(quality: QualityContent) -> ScoreNeighbours | None:
    """The score that a verdict looks at: the first accuracy, else the first of all."""
    rows = quality.neighbours
    return next((row for row in rows if row.score.role == "accuracy"), rows[0] if rows else None)


def _by_rank(part: ScoreNeighbours) -> Side | None:
    own, coded, structured, untrained = (
        part.fit(name).kendall_tau for name in ("latent", "one_hot", "structure", "untrained")
    )
    if own is None or coded is None or structured is None or (untrained is not None and own <= untrained + SAME_TAU):
        return None
    if structured <= coded + SAME_TAU:
        return None
    nearer = abs(own - coded) - abs(own - structured)
    if abs(nearer) <= SAME_TAU:
        return None
    return "notation" if nearer < 0 else "function"


def _by_equivalents(quality: QualityContent) -> Side | None:
    apart, edit = _apart(quality), _one_edit(quality)
    if apart is None or edit is None or apart == edit:
        return None
    return "function" if apart < edit else "notation"


def _apart(quality: QualityContent) -> float | None:
    """Median distance of equivalent cells, in units of that of random ones; None where none were found."""
    same, random = quality.collisions.equivalents, quality.collisions.random
    return None if same.distance is None or not same.pairs or random <= 0 else same.distance / random


def _one_edit(quality: QualityContent) -> float | None:
    """Median distance of cells one edit apart, in the same units."""
    return next((band.median for band in quality.edits.curves.latent if band.edits == 1), None)


def _followed(sides: set[Side], part: ScoreNeighbours | None) -> str:
    if len(sides) == 2:
        return "Distances follow the notation in part and the function in part"
    if sides:
        (side,) = sides
        other = "function" if side == "notation" else "notation"
        return f"Distances follow the {side} more than the {other}"
    own, untrained = (None, None) if part is None else (part.latent.kendall_tau, part.untrained.kendall_tau)
    if own is not None and untrained is not None and own <= untrained + SAME_TAU:
        return "Distances say no more of notation or function than those of an untrained encoder"
    return "It cannot be told whether distances follow the notation or the function"


def _ranks(part: ScoreNeighbours, neighbours: int) -> str:
    taus = [part.fit(name).kendall_tau for name in ("latent", "one_hot", "structure", "untrained")]
    own, coded, structured, untrained = map(tau_words, taus)
    known = taus[1] is None or taus[2] is None or taus[2] > taus[1] + SAME_TAU
    words = "" if known else "; structure features that rank no better than these codes do not know the function"
    return (
        f"the {neighbours} nearest latents rank {score_name(part.score)} with Kendall tau {own} "
        f"({part.latent.cells:,} cells), by one-hot codes {coded}, by structure features {structured}, by an untrained "
        f"encoder {untrained}{words}"
    )


def _equivalents(quality: QualityContent) -> str:
    same, apart, edit = quality.collisions.equivalents, _apart(quality), _one_edit(quality)
    if same.pairs and apart is None:
        return f"{same.pairs:,} pairs of equivalent cells cannot be compared, as random cells lie in one place"
    if apart is None:
        return f"no two of {same.cells:,} cells are equivalent"
    step = "" if edit is None else f", cells one edit apart at {edit:.2f}"
    return f"equivalent cells ({same.pairs:,} pairs) lie at {apart:.2f} of the distance of random ones{step}"
