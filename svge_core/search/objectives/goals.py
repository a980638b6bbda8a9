"""Goals: the numbers a search makes large or small, what gives them, and how they are written as words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from svge_core.cells import Cell
from svge_core.data import Direction, Kind, ScoreMeaning
from svge_core.errors import DataError, SvgeError

KINDS = ("table", "predictor", "csv", "digits", "train", "python")
#: kinds whose every value is made anew, in seconds to hours; the others look it up
COSTLY = ("digits", "train", "python")
EXPECTED = (
    "expected table:KEY, predictor:KEY, csv:FILE:COLUMN[:min|:max], digits:valid, train:DATA[:RECIPE] (DATA is digits, "
    "FOLDER, FILE.npz or python:package.module:function) or python:package.module:function"
)


class EvaluationError(SvgeError):
    """One cell could not be evaluated; the message is one line. The search goes on with others."""


#: told an epoch and the validation accuracy after it; False ends the training
GoOn = Callable[[int, float], bool]


class PrunedError(EvaluationError):
    """A training was stopped early because others were better; what it had reached is no value of the goal."""


@dataclass(frozen=True)
class Goal:
    """One number that is to be made large or small.

    Attributes:
        key: unique among the goals of a search.
        meaning: what the number is: unit, data set, split, measured or predicted, direction.
    """

    key: str
    meaning: ScoreMeaning

    @property
    def direction(self) -> Direction:
        """``"max"`` if more is better."""
        return self.meaning.direction

    @property
    def kind(self) -> Kind:
        """Measured, predicted or analytic."""
        return self.meaning.kind


@runtime_checkable
class Objective(Protocol):
    """What a search optimises.

    Attributes:
        goals: one or more.
        known: the cells that have a value, canonical; None if every cell of the space has one.
        optimum: best value of a single goal whose value is known for every cell that may be proposed, else None. For
            the line in a chart only: no searcher ever sees it.
    """

    @property
    def goals(self) -> tuple[Goal, ...]: ...

    @property
    def known(self) -> tuple[Cell, ...] | None: ...

    @property
    def optimum(self) -> tuple[float, ...] | None: ...

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """One finite value per goal, in the goal's unit.

        Raises:
            EvaluationError: if this cell has no value.
        """
        ...


def split_word(word: str) -> tuple[str, str]:
    """Kind and rest of one word of a specification.

    Raises:
        DataError: if it is none.
    """
    kind, _, rest = word.partition(":")
    if kind not in KINDS or not rest:
        raise DataError(f"Unknown objective {word[:80]!r}: {EXPECTED}.")
    return kind, rest


def split_csv(rest: str) -> tuple[str, str, Direction | None]:
    """Path, column and direction of a user's table, ``FILE:COLUMN``, ``FILE:COLUMN:min`` or ``FILE:COLUMN:max``.

    Raises:
        DataError: if path or column is missing.
    """
    path, _, column = rest.rpartition(":")
    direction: Direction | None = None
    if column in ("min", "max") and ":" in path:
        direction = column
        path, _, column = path.rpartition(":")
    if not path or not column:
        raise DataError(f"A user's table is named csv:FILE:COLUMN, or csv:FILE:COLUMN:min; got {rest[:80]!r}.")
    return path, column, direction
