"""What a query says, as values: conditions that all hold, and which of the cells that meet them are taken."""

from dataclasses import dataclass
from typing import Literal

#: best and worst by the direction of the column, highest and lowest by its numbers
Extreme = Literal["best", "worst", "highest", "lowest"]


@dataclass(frozen=True)
class Counted:
    """How often operations are used, all of them together.

    Attributes:
        operations: of the space, in its order.
        low: fewest.
        high: most; None for no bound.
    """

    operations: tuple[str, ...]
    low: int = 0
    high: int | None = None


@dataclass(frozen=True)
class Ranged:
    """Between which numbers a column lies.

    Attributes:
        column: its key.
        low, high: the ends, in the unit of the column; None for no bound.
        open_low, open_high: whether the end itself is left out.
    """

    column: str
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False


@dataclass(frozen=True)
class Among:
    """Which category a column has.

    Attributes:
        column: its key.
        category: the name of the category.
        negated: any other category.
    """

    column: str
    category: str
    negated: bool = False


@dataclass(frozen=True)
class Top:
    """Only so many of the cells that meet the other conditions, by a column.

    Attributes:
        count: how many; of equal values those with the lower row come first.
        column: its key.
        end: from which end.
    """

    count: int
    column: str
    end: Extreme = "best"


Condition = Counted | Ranged | Among | Top


@dataclass(frozen=True)
class Query:
    """Conditions that all hold. Those of kind :class:`Top` come last, each among the cells that meet the others."""

    conditions: tuple[Condition, ...] = ()

    @property
    def tops(self) -> tuple[Top, ...]:
        """What takes so many of the cells that meet the others."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Top))
