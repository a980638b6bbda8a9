"""What the measures mean for a reader: every sentence follows from the numbers of the file, none is fixed."""

from collections.abc import Sequence
from dataclasses import dataclass

from svge_core.evaluation.latent.content import (
    Collisions,
    CycleBack,
    DecodeCertainty,
    Dimensions,
    Edits,
    MapQuality,
    QualityContent,
    ScoreNeighbours,
)
from svge_core.evaluation.metrics import Share
from svge_core.evaluation.shares import percent

#: differences of Kendall's tau below this are called the same
SAME_TAU = 0.02
#: half the cells would be told from the others by chance at trustworthiness 0.5
GOOD_MAP, FAIR_MAP = 0.95, 0.85


@dataclass(frozen=True)
class Reading:
    """One measure in words.

    Attributes:
        key: the part of the file it is about.
        title: what was measured.
        value: the number to look at first.
        denominator: what it is out of.
        text: what it means, from its size and that of its controls.
    """

    key: str
    title: str
    value: str
    denominator: str
    text: str


def readings(content: QualityContent) -> list[Reading]:
    """All measures in the order of the page."""
    found = [edits(content.edits)]
    if content.neighbours:
        found.append(neighbours(content.neighbours[0]))
    found += [
        cycle(content.cycle),
        certainty(content.certainty),
        collisions(content.collisions),
        used(content.dimension),
    ]
    return found + ([maps(content.maps)] if content.maps else [])


def edits(part: Edits) -> Reading:
    """Edit distance against latent distance."""
    random, nearest = part.random, part.nearest
    rho, control, chance = (random.spearman.latent, random.spearman.one_hot, random.spearman.permuted)
    denominator = f"Spearman, {random.pairs:,} pairs"
    if rho is None:
        text = "All latents lie at one distance from each other: the latent says nothing about edits."
        return Reading("edits", "Distance follows edits", "none", denominator, text)
    words = _grade(rho, ((0.6, "closely"), (0.35, "fairly well"), (0.1, "only weakly")), "not at all")
    text = f"Latent distance follows edit distance {words} (one-hot codes: {_number(control)}, "
    text += f"shuffled latents: {_number(chance)}). "
    step = next((row.median for row in part.curves.latent if row.edits == 1), None)
    if step is not None:
        far = _grade(
            step,
            (
                (0.75, "nearly as far as a random cell, so nearness in the latent is no sign of a small edit"),
                (0.4, "part of the way to a random cell, so distances tell near from far but not one edit from two"),
            ),
            "close by, so a short way in the latent usually is a small edit",
        )
        text += f"One edit moves a cell by {step:.2f} of the distance between random cells: {far}. "
    text += f"The nearest other latent is {nearest.mean_edits:.1f} edits away on average "
    text += f"(a random cell: {random.mean_edits:.1f}); {_share(nearest.one_edit)} are one edit away."
    if not part.exact:
        text += " Nodes were paired in their canonical order, as cells are too large to try all pairings: the fewest "
        text += "edits may be fewer."
    return Reading("edits", "Distance follows edits", f"{rho:.3f}", denominator, text)


def neighbours(part: ScoreNeighbours) -> Reading:
    """Prediction by nearest neighbours, for one score."""
    tau, title, where = part.latent.kendall_tau, part.score.title, part.score.data_set
    denominator = f"tau, {where or title}, {part.latent.cells:,} cells"
    others = {"one-hot codes": part.one_hot.kendall_tau, "structure features": part.structure.kendall_tau}
    known = {name: value for name, value in others.items() if value is not None}
    if tau is None:
        text = "The labels or the predictions are all equal: nothing can be ranked."
        return Reading("neighbours", "Neighbours predict the score", "none", denominator, text)
    beaten = [f"{name} ({value:.3f})" for name, value in known.items() if tau > value + SAME_TAU]
    better = [f"{name} ({value:.3f})" for name, value in known.items() if tau < value - SAME_TAU]
    level = [f"{name} ({value:.3f})" for name, value in known.items() if abs(tau - value) <= SAME_TAU]
    parts = [
        f"better than {_and(beaten)}" if beaten else "",
        f"no better or worse than {_and(level)}" if level else "",
        f"worse than {_and(better)}" if better else "",
    ]
    text = f"Neighbours in the latent rank cells {_and([p for p in parts if p])}. "
    if better:
        text += f"To predict this score, use {max(known, key=known.__getitem__)} rather than the latent. "
    elif beaten and not level:
        text += "Here the latent itself is worth using for prediction. "
    text += _chance(part)
    return Reading("neighbours", "Neighbours predict the score", f"{tau:.3f}", denominator, text)


def _chance(part: ScoreNeighbours) -> str:
    mean, sd = part.permuted.kendall_tau, part.single_permutation_sd
    if mean is None:
        return "Permuted labels could not be ranked."
    # predictions of cells with common neighbours are not independent: six deviations leave room for that
    if abs(mean) <= 6 * sd:
        return f"Permuted labels give {_number(mean)}, as chance does: what is seen is no artefact of the method."
    return f"Permuted labels give {_number(mean)}, which chance does not explain: do not trust this measure."


def cycle(part: CycleBack) -> Reading:
    """From a latent to its cell and back."""
    same, valid = part.same, part.valid
    share = same.count / same.of if same.of else 0.0
    words = _grade(
        share,
        (
            (0.98, "the cell shown at an empty place is the one the latent stands for"),
            (0.9, "most places stand for the cell shown there; some belong to another"),
            (0.5, "many places are read as one cell and encoded as another: look at the nearest known cells too"),
        ),
        "what is decoded at an empty place says little about what lies there",
    )
    text = f"{_share(same)} of prior draws come back to their own cell: {words}. "
    if valid.count < valid.of:
        text += f"{valid.of - valid.count:,} draws gave no member of the space and count as not the same. "
    median, other, nearest = part.returned.median, part.strangers.median, part.nearest
    if median is not None and other is not None:
        text += f"A cell's own latent lies {median:.2f} from the draw it came from (the latent of another draw's cell: "
        text += f"{other:.2f}; known cells to their nearest: {nearest:.2f}), so "
        if median > 0.8 * other:
            text += "places lose their meaning on the way back."
        elif median > nearest:
            text += "a draw usually lies farther from its cell than known cells lie from each other: gaps are wide."
        else:
            text += "a draw usually stays with its cell."
    denominator = f"{same.count:,} of {same.of:,} prior draws"
    return Reading("cycle", "There and back", _percent(same), denominator, text.strip())


def certainty(part: DecodeCertainty) -> Reading:
    """How sure the decoder is."""
    means, prior, times = part.means, part.prior, part.decodings
    denominator = f"{prior.unsure.of:,} prior draws × {times}"
    words = _grade(
        prior.mean,
        (
            (0.95, "the decoder is sure nearly everywhere, so one decoding of a place is enough"),
            (0.8, "the decoder is sure at most places; look at the share beside a decoded cell"),
        ),
        "decoding the same place twice often gives different cells: look at several decodings",
    )
    text = f"On average {_part(prior.mean)} of the random decodings of a prior draw agree, and "
    text += f"{_part(means.mean)} of those of a known cell's latent: {words}. At {_share(prior.unsure)} of the draws "
    text += f"no cell has half of the decodings (known cells: {_share(means.unsure)}). "
    text += "The likeliest decoding has log-probability "
    text += f"{_number(prior.log_probability)} nats at prior draws, {_number(means.log_probability)} at known cells."
    return Reading("certainty", "Sure decoding", f"{_part(prior.mean)}", denominator, text)


def collisions(part: Collisions) -> Reading:
    """Whether different cells have different codes."""
    close, nearest, random = part.close, part.nearest, part.random
    denominator = f"{close.count:,} of {close.of:,} cells"
    if nearest <= 1e-3 * random or random <= 1e-6:
        text = "Cells lie on top of each other: the encoder has collapsed, and nothing read off the latent means much. "
    elif close.count:
        text = f"{_share(close)} of the cells lie on another one: they cannot be told apart on any map. "
    else:
        text = "No two cells share a place. "
    text += f"Nearest cells are {nearest:.3g} apart (median), random ones {random:.3g}. "
    same = part.equivalents
    if same.pairs:
        apart = f"{same.different:,} of {same.pairs:,} pairs of different cells that the space counts as one"
        text += f"{apart} have different codes"
        ratio = (same.distance or 0.0) / random if random > 0 else 0.0
        closer = _grade(
            ratio, ((0.8, "as far apart as strangers"), (0.4, "somewhat nearer than strangers")), "close by"
        )
        text += f", {ratio:.2f} of a random pair's distance apart: equivalent cells lie {closer}. "
    else:
        text += f"Among {same.cells:,} cells no two are equivalent. "
    copied, raw = part.copies.equal, part.copies.uncanonical
    if not copied.of:
        text += "No cell can be written down in another node order."
    elif copied.count == copied.of:
        text += f"All {copied.of:,} copies in another node order get the code of their original "
        text += f"(without the canonical order: {raw.count:,})."
    else:
        lost = copied.of - copied.count
        text += f"{lost:,} of {copied.of:,} copies in another node order get another code: this must not be."
    return Reading("collisions", "Collisions", _percent(close), denominator, text)


def used(part: Dimensions) -> Reading:
    """How many dimensions carry something."""
    own, control = part.latent, part.one_hot
    denominator = f"of {own.width} dimensions, {own.cells:,} cells"
    if not own.cumulative:
        text = "All latents are equal: the latent carries nothing."
        return Reading("dimension", "Dimensions in use", "0", denominator, text)
    text = f"{own.active} of {own.width} dimensions vary at all; {own.needed[2]} principal components hold "
    text += f"95 % of the variance (one-hot codes: {control.needed[2]} of {control.width}). "
    first = own.cumulative[min(1, len(own.cumulative) - 1)]
    text += f"The first two, which the PCA map shows, hold {percent(first, 0)}: "
    text += _grade(
        first,
        ((0.8, "that map shows most of the latent."), (0.4, "that map leaves out a good part.")),
        "most of what tells cells apart lies in directions that a flat map cannot show.",
    )
    return Reading("dimension", "Dimensions in use", f"{own.effective:.1f}", denominator, text)


def maps(part: Sequence[MapQuality]) -> Reading:
    """How much the maps can be believed."""
    best = max(part, key=lambda row: row.trustworthiness)
    title = "Neighbours kept by the maps"
    sentences = []
    for row in part:
        words = _grade(
            row.trustworthiness,
            ((GOOD_MAP, "neighbours on it can be believed"), (FAIR_MAP, "most neighbours on it can be believed")),
            "cells that look close on it often are not: check the distances in the panel",
        )
        lost = _grade(
            row.continuity,
            ((GOOD_MAP, "few are torn apart"), (FAIR_MAP, "some are torn apart")),
            "many are torn apart",
        )
        sentences.append(
            f"{row.name.upper()}: trustworthiness {_with_error(row.trustworthiness, row.trustworthiness_se)}, "
            f"{words}; continuity {_with_error(row.continuity, row.continuity_se)}, of the true neighbours {lost}."
        )
    text = " ".join(sentences) + f" A random map has {best.permuted:.2f}."
    looked = f"{best.rows:,} cells" if best.rows == best.cells else f"{best.rows:,} of {best.cells:,} cells"
    denominator = f"{best.name.upper()}, {looked}"
    return Reading("maps", title, f"{best.trustworthiness:.3f}", denominator, text)


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f}" + (f" ± {error:.3f}" if error else "")


def _grade(value: float, steps: Sequence[tuple[float, str]], below: str) -> str:
    """The words of the first step that the value reaches."""
    return next((words for least, words in steps if value >= least), below)


def signed(value: float) -> str:
    """Three decimals, and no minus before a zero."""
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def _part(value: float) -> str:
    return percent(value, 1)


def _share(share: Share) -> str:
    return f"{_percent(share)} ({share.count:,} of {share.of:,})"


def _percent(share: Share) -> str:
    return percent(share.count / share.of, 1) if share.of else "none looked at"


def _number(value: float | None) -> str:
    return "none" if value is None else signed(value)


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
