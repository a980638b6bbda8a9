"""Shares as people read them."""

import math


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, rounded down, so that 100 % means all of them."""
    scale = 10**digits
    return f"{math.floor(share * 100 * scale + 1e-9) / scale:.{digits}f} %"
