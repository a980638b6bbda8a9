"""What a checkpoint reconstructs: held-out cells, and prior samples that are members of the space."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from svge_core.checkpoints import MetricRow, RowKey, by_key, edge_f1_key, generation_key, reconstruction_key
from svge_core.evaluation.report import denominator, described, result, title
from svge_core.evaluation.shares import decimals
from svge_core.evaluation.verdict.sentence import Sentence

#: "nearly all": what fails is rarer than one in a hundred, so that one session of looking at cells seldom meets it
NEARLY_ALL = 0.99
#: "most": more than half, which is what the word says
MOST = 0.5
#: "some": below one in ten, what succeeds is the exception
SOME = 0.1
#: encodings of a cell and decodings of each, by the protocol of the paper
PUBLISHED = (10, 10)


@dataclass(frozen=True)
class Headline:
    """The rows of a checkpoint that are looked at first: the published protocol, both directions, else what there is.

    Attributes:
        reconstruction: of held-out cells, exact.
        edge_f1: of held-out cells, all families.
        valid: prior samples, raw.
    """

    reconstruction: MetricRow | None
    edge_f1: MetricRow | None
    valid: MetricRow | None


def headline(metrics: Iterable[MetricRow]) -> Headline:
    """The rows of these that are looked at first; those without a number are none."""
    known = {key: row for key, row in by_key(metrics).items() if row.value is not None}

    def first(keys: Sequence[RowKey]) -> MetricRow | None:
        return next((known[key] for key in keys if key in known), None)

    samples = ((1_000, 10), (1_000, 1))  # where decoding is slow, a latent is decoded once
    directions = ("both", "forward")
    return Headline(
        first([reconstruction_key(direction, "sampled") for direction in directions]),
        first([edge_f1_key(direction, "frequent") for direction in directions]),
        first([generation_key("valid", way, "raw", *sample) for sample in samples for way in directions]),
    )


def reconstructs(metrics: Iterable[MetricRow]) -> Sentence:
    """How many held-out cells come back whole, and how many prior samples are members of the space."""
    rows = by_key(metrics)
    found = headline(rows.values())
    own, valid = found.reconstruction, found.valid
    if own is None and valid is None and found.edge_f1 is None:
        return Sentence("What it reconstructs has not been measured", command="evaluate")
    claim = "Exact reconstruction has not been measured" if own is None else f"Reconstructs {_cells(own.value or 0.0)}"
    parts = [
        "" if own is None else f"{result(own)} of decodings are exact ({_of(own, _protocol(own))})",
        _edges(rows, found.edge_f1),
        "the validity of prior samples has not been measured" if valid is None else _validity(rows, valid),
    ]
    return Sentence(claim, "; ".join(filter(None, parts)), "evaluate" if own is None or valid is None else "")


def _cells(share: float) -> str:
    """So many held-out cells; "every" and "no" are exact."""
    if share >= NEARLY_ALL:
        return "every held-out cell" if share >= 1 else "nearly every held-out cell"
    return f"{_amount(share)} held-out cells" if share > 0 else "no held-out cell"


def _amount(share: float) -> str:
    """A share as a word; "all" and "none" are exact."""
    if share >= 1:
        return "all"
    steps = ((NEARLY_ALL, "nearly all"), (MOST, "most"), (SOME, "some"))
    return next((word for least, word in steps if share >= least), "few" if share > 0 else "none")


def _of(row: MetricRow, protocol: str = "") -> str:
    """What a number is out of, by which protocol, and of which of the decoder's runs."""
    return ", ".join(filter(None, (denominator(row), protocol, title(row.direction).lower())))


def _protocol(row: MetricRow) -> str:
    draws = row.encodings, row.decodings
    if draws == PUBLISHED:
        return "published protocol"
    if draws == (1, 1):
        return "one decoding each"
    return "" if None in draws else f"{draws[0]:,} encodings × {draws[1]:,} decodings each"


def _edges(rows: Mapping[RowKey, MetricRow], row: MetricRow | None) -> str:
    """How much of a wiring comes back, beside what the latent of another cell gives."""
    if row is None or row.value is None:
        return ""
    other = rows.get(edge_f1_key(row.direction, "other_frequent"))
    control = None if other is None else other.value
    against = "" if control is None else f", with another cell's latent {decimals(control)}"
    return f"edge F1 is {decimals(row.value)} ({_of(row)}){against}"


def _validity(rows: Mapping[RowKey, MetricRow], row: MetricRow) -> str:
    """Of raw prior samples; beside both directions the forward run, where it is of another grade."""
    share = row.value or 0.0
    text = f"{_amount(share)} of the raw prior samples are valid, {result(row)} ({_of(row)})"
    forward = rows.get(generation_key("valid", "forward", "raw", row.latents or 0, row.decodings or 0))
    if forward is None or forward.value is None or _amount(forward.value) == _amount(share):
        return text
    return f"{text}, of one forward run {_amount(forward.value)}, {described(forward)}"
