"""Numbers as people write them: with as many digits as their unit wants."""

#: decimals of units; other numbers are whole, or have four digits that count
_DECIMALS = {"%": 2, "million": 3, "ms": 2, "s": 1}
#: beyond it floats are no longer every whole number
_LARGE = 1e15


def number_in_words(value: float, unit: str = "", *, grouped: bool = True) -> str:
    """A number without its unit; empty for NaN.

    Args:
        value: that is written.
        unit: which says how many decimals there are.
        grouped: whether commas stand between thousands.
    """
    if value != value:
        return ""
    decimals = _DECIMALS.get(unit)
    if decimals is None and abs(value) < _LARGE and (abs(value) >= 1000 or value == round(value)):
        decimals = 0
    if decimals is None or abs(value) >= _LARGE:
        return f"{value:z,.4g}"
    return f"{value:z{',' if grouped else ''}.{decimals}f}"
