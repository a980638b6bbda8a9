"""The rows of ``bench papers``, and how their numbers are written."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

ResultOrigin = Literal["measured here", "published"]
ORIGINS: tuple[str, ...] = get_args(ResultOrigin)
#: end of the name of a measure that is a share; what stands between the systems of a difference
SHARE, PAIRED = ", share", " minus "


class ComparisonRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number of a comparison.

    Attributes:
        comparison, data, system, measure: what is compared, on what, whose number it is, and of what.
        value: the number.
        origin: whether this project measured it.
        source: where it stands.
        value_sd: sample standard deviation over the seeds.
        seeds: how many.
        space: name of the search space; empty where a file of before does not say it.
        question: what the number answers; empty as above.
        direction: whether more or less of it is better.
    """

    comparison: str
    data: str
    system: str
    measure: str
    value: float
    origin: ResultOrigin
    source: str
    value_sd: float | None = None
    seeds: int | None = None
    space: str = ""
    question: str = ""
    direction: Literal["max", "min"] = "max"

    @property
    def paired(self) -> bool:
        """Whether it is a difference of two systems, and no result of one."""
        return PAIRED in self.system

    @property
    def asked(self) -> str:
        """The question that it answers; its comparison where a file of before has none."""
        return self.question or f"{self.comparison[:1].upper()}{self.comparison[1:]}"

    @property
    def share(self) -> bool:
        """Whether it is a share, shown in per cent."""
        return self.measure.endswith(SHARE)

    @property
    def shown(self) -> float:
        """The number in the unit it is shown in."""
        return 100 * self.value if self.share else self.value

    @property
    def shown_sd(self) -> float | None:
        """Its deviation in that unit."""
        return None if self.value_sd is None else 100 * self.value_sd if self.share else self.value_sd


class ComparisonSettings(msgspec.Struct, frozen=True):
    """How the comparisons are to be read, and which benchmarks were not run."""

    reading: str
    left_out: str = msgspec.field(default="nothing", name="left out")


class Comparisons(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``bench papers`` writes."""

    benchmark: Literal["papers"]
    date: str
    machine: dict[str, Any]
    command: str
    settings: ComparisonSettings
    rows: tuple[ComparisonRow, ...]


def pivot(rows: Sequence[ComparisonRow], notes: Sequence[str]) -> list[dict[str, str]]:
    """One line per system, origin and source, one column per measure; lines of a system stand together.

    Args:
        rows: of one comparison and data set.
        notes: their sources; a line names its source by the place in them, from 1.
    """
    measures = {row.measure: row.measure.removesuffix(SHARE) for row in rows}
    systems = list(dict.fromkeys(row.system for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: systems.index(row.system)):
        seeds = "" if row.seeds is None else str(row.seeds)
        line = lines.setdefault(
            (row.system, row.origin, row.source),
            {"System": row.system, "Origin": row.origin, "Seeds": seeds, **dict.fromkeys(measures.values(), "")},
        )
        line[measures[row.measure]] = number(row)
    return [{**line, "Source": str(notes.index(source) + 1)} for (_, _, source), line in lines.items()]


def decimals(row: ComparisonRow) -> int:
    """Digits after the point."""
    return 2 if row.share or "%" in row.measure else 3


def number(row: ComparisonRow) -> str:
    """A value with its deviation, as its measure is written: shares in per cent, differences with their sign."""
    digits, sign = decimals(row), "+" if row.paired else ""
    text = f"{row.shown:{sign}.{digits}f}"
    if row.shown_sd is not None:
        text += f" ± {row.shown_sd:.{digits}f}"
    if not row.share:
        return text
    return f"{text} points" if sign else f"{text} %"
