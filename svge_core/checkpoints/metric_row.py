"""One measured number of a checkpoint: what, of which decoding, out of how many. ``meta.json`` holds a list of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from svge_core.errors import SvgeError
from svge_core.files import Count, to_plain, to_record

RowDirection = Literal["", "forward", "backward", "both"]
Mode = Literal["", "raw", "constrained"]
RECONSTRUCTION = ("reconstruction", "reconstruction_equivalent")
GENERATION = ("valid", "unique", "unique_keys", "novel", "valid_unique")
EDGE_F1, SMOOTHNESS, ENTROPY = "edge_f1", "smoothness", "entropy"


@dataclass(frozen=True)
class RowKey:
    """What tells one number of a checkpoint from another; each as in `MetricRow`."""

    what: str
    direction: RowDirection = ""
    mode: Mode = ""
    how: str = ""
    group: str = ""
    latents: int | None = None
    decodings: int | None = None


class MetricRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One measured number, with all that says what it means.

    Attributes:
        what: what was measured: one of :data:`RECONSTRUCTION`, :data:`GENERATION`, "edge_f1", "smoothness",
            "entropy" or another.
        value: the number; None where there was nothing to measure.
        direction: of the decoder's runs; empty where nothing is decoded.
        mode: raw, or constrained to members of the space; empty where nothing is decoded.
        how: what of the decoder is looked at ("sampled", "argmax" ...), the control, which smoothness, or where latents
            are drawn from: the scaled prior (empty), N(0, I) ("standard"), the aggregate posterior ("fitted"), or
            that with the likeliest width ("kernel").
        group: cells of edge F1: "all", "per_cell" (mean of the cells' own) or a family.
        encodings: latents per cell of a reconstruction.
        latents: draws from the prior.
        decodings: of each latent.
        count, of: hits and what they are out of, of a share.
        n: what a number that is no share is over.
        unit: of a number that is no share.
        protocol, data_set, split, seeds: what the number means, in words.
        epochs: the model was trained for.
        seed: of the sampling.
        uniform_ceiling: expected share of distinct cells among as many uniform draws.
        reasons: why decodings were invalid, by count.
        further: what older files hold besides.
    """

    what: str
    value: float | None
    direction: RowDirection = ""
    mode: Mode = ""
    how: str = ""
    group: str = ""
    encodings: Count | None = None
    latents: Count | None = None
    decodings: Count | None = None
    count: Count | None = None
    of: Count | None = None
    n: Count | None = None
    unit: str = ""
    protocol: str = ""
    data_set: str = ""
    split: str = ""
    epochs: Count | None = None
    seeds: str = ""
    seed: Count | None = None
    uniform_ceiling: float | None = None
    reasons: dict[str, Count] | None = None
    further: dict[str, Any] = {}

    @property
    def key(self) -> RowKey:
        """What a row is looked up by. Encodings and decodings of a reconstruction are no part of it."""
        decodings = None if self.latents is None else self.decodings
        return RowKey(self.what, self.direction, self.mode, self.how, self.group, self.latents, decodings)


def reconstruction_key(direction: RowDirection, how: str, what: str = "reconstruction") -> RowKey:
    """Key of a reconstruction; ``how`` is sampled, sampled_posterior, argmax or expected."""
    return RowKey(what, direction, "raw", how)


def generation_key(
    what: str, direction: RowDirection, mode: Mode, latents: int, decodings: int, how: str = ""
) -> RowKey:
    """Key of a measure of decoded latents, drawn from the scaled prior, or as ``how`` says."""
    return RowKey(what, direction, mode, how, latents=latents, decodings=decodings)


def edge_f1_key(direction: RowDirection, how: str, group: str = "all") -> RowKey:
    """Key of an edge F1; controls that decode nothing have no direction."""
    return RowKey(EDGE_F1, direction, "raw" if direction else "", how, group)


def by_key(rows: Iterable[MetricRow]) -> dict[RowKey, MetricRow]:
    """Rows by their keys, in their order; of two with one key the later one."""
    return {row.key: row for row in rows}


# Files of format 1 named a row by a dotted text and told its draws in prose. They are read here, and nowhere else.

_SAMPLE = re.compile(r"(\d{1,18})x(\d{1,18})")
_DRAWS = re.compile(r"(\d{1,18}) (?:times the mean|posterior draws) x (\d{1,18}) decodings")
_SEED = re.compile(r"sampling seed (\d{1,18})")
_INHERITED = ("protocol", "data_set", "split", "epochs", "seeds")
_CONSTANT = {"one": "constant", "per_family": "constant_per_family"}


def rows_of_format_1(metrics: object) -> list[dict[str, Any]]:
    """The plain rows of today from a dictionary by dotted names; nested ones inherit the words beside them.

    Raises:
        SvgeError: naming the row and its field.
    """
    if not isinstance(metrics, Mapping):
        raise SvgeError(f"$.metrics: expected object, got {type(metrics).__name__}")
    rows = []
    for name, raw in _flat(metrics, (), {}):
        try:
            rows.append(to_plain(to_record(_row(name, raw), MetricRow)))
        except SvgeError as error:
            raise SvgeError(str(error).replace("$", f"$.metrics[{name[:64]!r}]", 1)) from None
    return rows


def _flat(
    node: Mapping[str, Any], path: tuple[str, ...], inherited: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    words = {**inherited, **{name: node[name] for name in _INHERITED if isinstance(node.get(name), str | int)}}
    for name, value in node.items():
        dotted = ".".join((*path, name))
        if isinstance(value, Mapping) and ("value" in value or {"count", "of"} <= set(value)):
            yield dotted, {**words, **value}
        elif isinstance(value, Mapping):
            yield from _flat(value, (*path, name), words)
        elif name not in _INHERITED:
            yield dotted, {**words, "value": value}


def _row(name: str, raw: dict[str, Any]) -> dict[str, Any]:
    known = {key: value for key, value in raw.items() if key in MetricRow.__struct_fields__ and value is not None}
    further = {key: value for key, value in raw.items() if key not in MetricRow.__struct_fields__}
    row = {"value": _value(raw), **known, **_draws(raw), **_parts(name)}
    return {**row, "further": further} if further else row


def _value(raw: Mapping[str, Any]) -> Any:
    value, count, of = (raw.get(name) for name in ("value", "count", "of"))
    if value is None and type(count) is int and type(of) is int and 0 <= count <= of != 0:
        return count / of
    return value


def _parts(name: str) -> dict[str, Any]:
    """The fields that a dotted name stands for; a name of another form is the name of a measure."""
    match name.split("."):
        case [what, ("forward" | "backward" | "both") as direction, how] if what in RECONSTRUCTION:
            return {"what": what, "direction": direction, "mode": "raw", "how": how}
        case [what, ("forward" | "backward" | "both") as direction, ("raw" | "constrained") as mode, sample] if (
            what in GENERATION and (found := _SAMPLE.fullmatch(sample))
        ):
            numbers = {"latents": int(found[1]), "decodings": int(found[2])}
            return {"what": what, "direction": direction, "mode": mode, **numbers}
        case ["edge_f1", "constant", how, group]:
            return {"what": EDGE_F1, "how": _CONSTANT.get(how, how), "group": group}
        case ["edge_f1", ("forward" | "backward" | "both") as direction, how, group]:
            return {"what": EDGE_F1, "direction": direction, "mode": "raw", "how": how, "group": group}
        case ["smoothness", how]:
            return {"what": SMOOTHNESS, "how": how}
    return {"what": name}


def _draws(raw: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(raw.get("protocol"), str) and (draws := _DRAWS.search(raw["protocol"])):
        found |= {"encodings": int(draws[1]), "decodings": int(draws[2])}
    if isinstance(raw.get("seeds"), str) and (seed := _SEED.search(raw["seeds"])):
        found["seed"] = int(seed[1])
    return found
