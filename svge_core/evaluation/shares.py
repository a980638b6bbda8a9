"""Shares as people read them."""

import math
from collections.abc import Sequence


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, rounded down, so that 100 % means all of them."""
    scale = 10**digits
    return f"{math.floor(share * 100 * scale + 1e-9) / scale:.{digits}f} %"


def decimals(value: float, digits: int = 3) -> str:
    """A value of at most 1, rounded, with as many more digits (up to 6) as keep what is below 1 from reading as 1."""
    while digits < 6 and value < 1 and float(f"{value:.{digits}f}") == 1:
        digits += 1
    return f"{value:.{digits}f}"


def fifths_size(count: int) -> str:
    """How many of so many things each fifth has: ``n = 20``, or ``n = 20 or 21``."""
    least, most = count // 5, -(-count // 5)
    return f"n = {least:,}" if least == most else f"n = {least:,} or {most:,}"


def in_fifths(shares: Sequence[float], digits: int = 1) -> str:
    """Shares of the fifths of something as one text in percent, each rounded down."""
    return " / ".join(percent(share, digits).removesuffix(" %") for share in shares) + " %"
