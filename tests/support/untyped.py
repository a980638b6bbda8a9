"""Values whose types a library leaves open, for the type checker."""

from typing import Any, TypeVar

_T = TypeVar("_T")


def there(value: _T | None) -> _T:
    """A value that must be there."""
    assert value is not None
    return value


def drawn(figure: Any) -> Any:
    """A Plotly figure, whose attributes are made at run time."""
    return figure


def statistic(result: Any) -> float:
    """The statistic of a test of SciPy, whose results are made at run time."""
    return float(result.statistic)
