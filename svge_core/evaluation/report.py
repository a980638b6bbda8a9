"""The measured numbers of a checkpoint in words and in groups: every row keeps its denominator, nothing is dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from svge_core.checkpoints import GENERATION, RECONSTRUCTION, MetricRow, RowKey
from svge_core.evaluation.shares import decimals, percent

TITLES = {
    "reconstruction": "Exact reconstruction",
    "reconstruction_equivalent": "Reconstruction up to the space's equivalence",
    "valid": "Valid",
    "unique": "Unique among the valid",
    "unique_keys": "Unique up to equivalence, among the valid",
    "novel": "Not among the training cells, of the valid",
    "valid_unique": "Valid and unique, of all decodings",
    "edge_f1": "Edge F1",
    "sampled": "Sampled from the mean",
    "sampled_posterior": "Sampled from the posterior",
    "function": "What a cell computes, read from the latent",
    "standard": "N(0, I), not scaled",
    "fitted": "Aggregate posterior",
    "kernel": "Kernel density",
    "argmax": "Most likely (argmax)",
    "forward": "Forwards",
    "backward": "Backwards",
    "both": "Both directions",
    "raw": "Raw",
    "constrained": "Constrained to the space",
    "frequent": "Edges of many samples",
    "other_argmax": "Control: another cell's latent, argmax",
    "other_frequent": "Control: another cell's latent, edges of many samples",
    "constant": "Control: one wiring for all cells",
    "constant_per_family": "Control: one wiring per family",
    "pca64": "Control: 64 main components",
    "pca320": "Control: 320 main components",
    "all": "All cells",
    "per_cell": "Mean per cell",
    "ws": "Watts-Strogatz",
    "er": "Erdős-Rényi",
    "ba": "Barabási-Albert",
}


@dataclass(frozen=True, order=True)
class Sample:
    """How many latents are drawn from the prior, and how often each is decoded."""

    latents: int
    decodings: int


def title(word: str) -> str:
    """A value of a row's fields for people."""
    return TITLES.get(word) or word.replace("_", " ").capitalize()


def sample_title(sample: Sample) -> str:
    """How many latents are decoded how often, in words."""
    return f"{sample.latents:,} latents × {sample.decodings:,} decoding{'s' if sample.decodings != 1 else ''}"


def label(row: MetricRow) -> str:
    """A row's short name, for lines of progress."""
    sample = "" if row.latents is None else f"{row.latents}x{row.decodings}"
    return " ".join(part for part in (row.what, row.direction, row.mode, row.how, row.group, sample) if part)


def long_title(row: MetricRow) -> str:
    """What a row is, for a table of rows of all kinds."""
    parts = [title(part) for part in (row.what, row.direction, row.mode, row.how, row.group) if part]
    return ", ".join(parts if row.latents is None else [*parts, sample_title(sample_of(row))])


def result(row: MetricRow) -> str:
    """The value for people: shares in percent, rounded down, so that 100 % means all of them."""
    if row.value is None:
        return "not measured"
    if row.of is not None:
        return percent(row.value)
    shown = f"{row.value:.4g}"
    return f"{decimals(row.value, 4) if shown == '1' and row.value < 1 else shown}{f' {row.unit}' if row.unit else ''}"


def denominator(row: MetricRow) -> str:
    """What the value is out of, in words; says so where it was not recorded."""
    if row.count is not None and row.of is not None:
        return f"{row.count:,} of {row.of:,}"
    return f"n = {row.n:,}" if row.n is not None else "denominator not recorded"


def described(row: MetricRow | None) -> str:
    """Value and denominator."""
    return "not measured" if row is None else f"{result(row)} ({denominator(row)})"


def words(row: MetricRow) -> list[str]:
    """What the number means: protocol, data, epochs and seeds, those that are recorded."""
    epochs = "" if row.epochs is None else f"{row.epochs} epochs"
    return [part for part in (row.protocol, row.data_set, row.split, epochs, row.seeds) if part]


def sample_of(row: MetricRow) -> Sample:
    """Latents and decodings of each, of a row about prior samples."""
    return Sample(row.latents or 0, row.decodings or 1)


def default_sample(samples: Sequence[Sample]) -> Sample:
    """The protocol to show first: the largest with one decoding per latent, else the first."""
    return max((sample for sample in samples if sample.decodings == 1), default=samples[0])


def reconstruction_rows(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """The reconstruction family."""
    return [row for row in rows if row.what in RECONSTRUCTION and row.direction]


def generation_rows(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """Validity, uniqueness and novelty."""
    return [row for row in rows if row.what in GENERATION and row.latents is not None]


def edge_f1_rows(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """How much of a wiring comes back from its latent, and the controls."""
    return [row for row in rows if row.what == "edge_f1" and row.group]


def entropy_rows(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """How many nats tell a wiring from the others of its family."""
    return [row for row in rows if row.what == "entropy" and row.group]


def other_rows(rows: Sequence[MetricRow]) -> list[MetricRow]:
    """Whatever has no table of its own."""
    placed = {row.key for family in FAMILIES for row in family(rows)}
    return [row for row in rows if row.key not in placed]


FAMILIES = (edge_f1_rows, entropy_rows, reconstruction_rows, generation_rows)


def is_repeated(key: RowKey, rows: Mapping[RowKey, MetricRow]) -> bool:
    """Whether validity with one decoding per latent stands beside the published ten, which are shown instead."""
    ten = RowKey(key.what, key.direction, key.mode, key.how, key.group, key.latents, 10)
    return key.what == "valid" and key.decodings == 1 and ten in rows
