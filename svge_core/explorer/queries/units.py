"""Numbers of a query in the unit of a column."""

from svge_core.errors import ParseError
from svge_core.explorer.queries.names import NamedColumn

_MINUTE, _HOUR = 60.0, 3_600.0
_THOUSAND, _BILLION = ("k", "thousand"), ("g", "b", "bn", "billion", "billions")
_MILLION = ("m", "mio", "million", "millions")
_MS, _S = ("ms", "millisecond", "milliseconds"), ("s", "sec", "secs", "second", "seconds")
_MIN, _H = ("min", "mins", "minute", "minutes"), ("h", "hour", "hours")
#: by the unit of a column: what a number with another unit is multiplied with
_FACTORS: dict[str, dict[str, float]] = {
    "%": dict.fromkeys(("%", "percent"), 1.0),
    "million": {
        **dict.fromkeys(_THOUSAND, 1e-3),
        **dict.fromkeys(_MILLION, 1.0),
        **dict.fromkeys(_BILLION, 1e3),
    },
    "ms": {
        **dict.fromkeys(_MS, 1.0),
        **dict.fromkeys(_S, 1e3),
        **dict.fromkeys(_MIN, 1e3 * _MINUTE),
        **dict.fromkeys(_H, 1e3 * _HOUR),
    },
    "s": {
        **dict.fromkeys(_MS, 1e-3),
        **dict.fromkeys(_S, 1.0),
        **dict.fromkeys(_MIN, _MINUTE),
        **dict.fromkeys(_H, _HOUR),
    },
}
#: words that are units behind a number
UNITS = frozenset(word for words in _FACTORS.values() for word in words)
#: how a unit is written behind a number
WRITTEN = {"million": "M"}
#: a plain number from here on is meant as a count, where the column is in millions
_RAW_FROM = 10_000


def in_unit(value: float, unit: str, column: NamedColumn) -> float:
    """A number as the column has it.

    Args:
        value: that was written.
        unit: behind it; empty for that of the column.
        column: that it is compared with.

    Raises:
        ParseError: if the column has another unit, or a count stands where millions are meant.
    """
    if not unit:
        if column.unit == "million" and abs(value) >= _RAW_FROM:
            raise ParseError(
                f"{column.title} is in million, so {value:,.0f} needs its unit: write {value / 1e6:g} M or "
                f"{value / 1e3:g} k."
            )
        return value
    factors = _FACTORS.get(column.unit, {column.unit.lower(): 1.0})
    if unit not in factors:
        shown = f"in {column.unit}" if column.unit else "a number without a unit"
        raise ParseError(f"{column.title} is {shown}, not in {unit}.")
    return value * factors[unit]
