"""Recorded metrics as rows for tables. Every row keeps its denominator, protocol and split; nothing is dropped.

What is read, in ``meta.json`` under ``metrics``: a dictionary ``name -> row``. A row is a dictionary with

    value       the number (or ``count`` and ``of``, from which it follows)
    count, of   hits and what they are out of; a row with both is a share
    n           what a number that is no share is over (cells, seeds); also ``n_what``: "held-out cells"
    unit        unit of the value, where it has one
    protocol, data_set, split, epochs, seeds       what the number means, in words
    uniform_ceiling, reasons, low, high, ...       any further fields; numbers and counts by name are kept as details

Names are dotted. The families below are laid out as grids; any other name becomes a row of the table "Other":

    reconstruction.<direction>.<sampled|sampled_posterior|argmax>,  reconstruction_equivalent.<same>
    <valid|unique|unique_keys|novel|valid_unique>.<direction>.<raw|constrained>.<latents>x<decodings>
    edge_f1.<direction|constant>.<how>.<all|per_cell|family>

Nested dictionaries are read as if their keys were joined by dots, and texts beside nested rows are inherited by them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from svge_core.evaluation import percent

MEANING = ("protocol", "data_set", "split", "epochs", "seeds", "draws")
TITLES = {
    "reconstruction": "Exact reconstruction",
    "reconstruction_equivalent": "Reconstruction up to the space's equivalence",
    "valid": "Valid",
    "unique": "Unique among the valid",
    "unique_keys": "Unique up to equivalence, among the valid",
    "novel": "Not among the training cells, of the valid",
    "valid_unique": "Valid and unique, of all decodings",
    "sampled": "Sampled from the mean",
    "sampled_posterior": "Sampled from the posterior",
    "argmax": "Most likely (argmax)",
    "forward": "Forwards",
    "backward": "Backwards",
    "both": "Both directions",
    "raw": "Raw",
    "constrained": "Constrained to the space",
    "frequent": "Edges of many samples",
    "other_argmax": "Control: another cell's latent, argmax",
    "other_frequent": "Control: another cell's latent, edges of many samples",
    "constant": "Control",
    "one": "one wiring for all cells",
    "per_family": "one wiring per family",
    "all": "All cells",
    "per_cell": "Mean per cell",
    "ws": "Watts-Strogatz",
    "er": "Erdős-Rényi",
    "ba": "Barabási-Albert",
}
RECONSTRUCTION = ("reconstruction", "reconstruction_equivalent")
GENERATION = ("valid", "unique", "unique_keys", "novel", "valid_unique")


@dataclass(frozen=True)
class MetricRow:
    """One recorded number.

    Attributes:
        name: its dotted name.
        value: NaN where it could not be measured.
        count, of: hits and denominator of a share; None for other numbers.
        n: what a number that is no share is over, None where it is not recorded.
        unit: empty for shares and plain numbers.
        meaning: protocol, data set, split, epochs and seeds, those that are recorded.
        details: further numbers and counts by name.
    """

    name: str
    value: float
    count: int | None = None
    of: int | None = None
    n: int | None = None
    unit: str = ""
    meaning: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The name between its dots."""
        return tuple(self.name.split("."))

    @property
    def result(self) -> str:
        """The value for people: shares in percent, rounded down, so that 100 % means all of them."""
        if math.isnan(self.value):
            return "not measured"
        if self.of is not None:
            return percent(self.value)
        return f"{self.value:.4g}{f' {self.unit}' if self.unit else ''}"

    @property
    def denominator(self) -> str:
        """What the value is out of, in words; says so where it was not recorded."""
        if self.count is not None and self.of is not None:
            return f"{self.count:,} of {self.of:,}"
        return f"n = {self.n:,}" if self.n is not None else "denominator not recorded"

    def __str__(self) -> str:
        return f"{self.result} ({self.denominator})"


def metric_rows(metrics: Mapping[str, Any]) -> dict[str, MetricRow]:
    """All recorded numbers by name, in their order."""
    return {row.name: row for row in _rows(metrics, (), {})}


def _rows(node: Mapping[str, Any], path: tuple[str, ...], inherited: dict[str, str]) -> Iterator[MetricRow]:
    meaning = {**inherited, **{name: str(node[name]) for name in MEANING if isinstance(node.get(name), str | int)}}
    for name, value in node.items():
        here = (*path, str(name))
        if isinstance(value, Mapping) and ("value" in value or {"count", "of"} <= set(value)):
            yield _row(".".join(here), value, meaning)
        elif isinstance(value, Mapping):
            yield from _rows(value, here, meaning)
        elif _is_number(value) and name not in MEANING:
            yield MetricRow(".".join(here), float(value), meaning=meaning)


def _row(name: str, raw: Mapping[str, Any], inherited: dict[str, str]) -> MetricRow:
    count, of = (int(raw[key]) if _is_number(raw.get(key)) else None for key in ("count", "of"))
    value = float(raw["value"]) if _is_number(raw.get("value")) else math.nan
    if math.isnan(value) and count is not None and of:
        value = count / of
    known = {"value", "count", "of", "n", "unit", *MEANING}
    meaning = {**inherited, **{key: str(raw[key]) for key in MEANING if raw.get(key) is not None}}
    details = {key: raw[key] for key in raw if key not in known and raw[key] is not None}
    n = int(raw["n"]) if _is_number(raw.get("n")) else None
    return MetricRow(name, value, count, of, n, str(raw.get("unit", "")), meaning, details)


def title(word: str) -> str:
    """A part of a name for people."""
    if word in TITLES:
        return TITLES[word]
    latents, times, decodings = word.partition("x")
    if times and latents.isdigit() and decodings.isdigit():
        return f"{int(latents):,} latents × {int(decodings):,} decoding{'s' if decodings != '1' else ''}"
    return word.replace("_", " ").capitalize()


def single_decoding(sample: str) -> bool:
    """Whether ``<latents>x<decodings>`` decodes every latent once, so that its cells are independent draws."""
    return sample.partition("x")[2] == "1"


def default_sample(samples: Sequence[str]) -> str:
    """The protocol to show first: the largest with one decoding per latent, else the first."""
    single = [name for name in samples if single_decoding(name) and name.partition("x")[0].isdigit()]
    return max(single, key=lambda name: int(name.partition("x")[0]), default=samples[0])


def reconstruction_rows(rows: Mapping[str, MetricRow]) -> list[MetricRow]:
    """The reconstruction family."""
    return [row for row in rows.values() if row.parts[0] in RECONSTRUCTION and len(row.parts) == 3]


def generation_rows(rows: Mapping[str, MetricRow]) -> list[MetricRow]:
    """Validity, uniqueness and novelty."""
    return [row for row in rows.values() if row.parts[0] in GENERATION and len(row.parts) == 4]


def edge_f1_rows(rows: Mapping[str, MetricRow]) -> list[MetricRow]:
    """How much of a wiring comes back from its latent, and the controls."""
    return [row for row in rows.values() if row.parts[0] == "edge_f1" and len(row.parts) == 4]


def other_rows(rows: Mapping[str, MetricRow]) -> list[MetricRow]:
    """Whatever has no table of its own."""
    placed = {row.name for family in FAMILIES for row in family(rows)}
    return [row for name, row in rows.items() if name not in placed]


FAMILIES = (edge_f1_rows, reconstruction_rows, generation_rows)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
