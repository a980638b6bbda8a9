"""A user's own function as an objective, by import path: ``package.module:function[:max|min,...]``.

It is imported and called in a process of its own (:mod:`svge_core.search.objectives.own_process`), so that whatever it
does to its process ends one evaluation and nothing else.
"""

import importlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from svge_core.cells import Cell
from svge_core.data import Direction, ScoreMeaning
from svge_core.errors import DataError
from svge_core.search.objectives.goals import EvaluationError, Goal, Objective

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_DIRECTIONS = re.compile(r"(max|min)(,(max|min))*")


@dataclass(frozen=True, eq=False)
class PythonFunction:
    """``function(cell) -> float`` or a tuple with one number per goal, called in this process."""

    function: Callable[[Cell], Any]
    name: str
    goals: tuple[Goal, ...]
    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`svge_core.search.objectives.goals.Objective`."""
        try:
            result = self.function(cell)
        except (Exception, SystemExit) as error:  # whatever a user's function raises concerns this one cell
            raise EvaluationError(f"{self.name} raised {one_line(error)}") from error
        values = result if isinstance(result, tuple | list) else (result,)
        wanted = "a finite number" if len(self.goals) == 1 else f"{len(self.goals)} finite numbers"
        if len(values) != len(self.goals):
            raise EvaluationError(f"{self.name} must return {wanted}; it returned {str(result)[:80]}.")
        try:
            numbers = tuple(float(value) for value in values)
        except (TypeError, ValueError):
            raise EvaluationError(f"{self.name} must return {wanted}; it returned {str(result)[:80]!r}.") from None
        if not all(map(math.isfinite, numbers)):
            raise EvaluationError(f"{self.name} must return {wanted}; it returned {str(result)[:80]}.")
        return numbers


#: which ``python:`` words may be imported: none, any, or exactly those that a person here gave or agreed to
AllowPython = bool | frozenset[str]
#: where a user's function is called: in a process of its own, in this one (which may die with it), or on another
#: machine, so that nothing is imported here
CallPython = Literal["own process", "this process", "elsewhere"]


def python_objective(path: str, allowed: AllowPython, call: CallPython = "own process") -> Objective:
    """A user's function, ready to be called.

    Args:
        path: ``package.module:function``, and after another colon the directions (``max`` by default).
        allowed: see :data:`AllowPython`.
        call: see :data:`CallPython`.

    Raises:
        DataError: with one line, if it may not be imported, cannot be, or is no function.
    """
    from svge_core.search.objectives.own_process import OwnProcess

    module_name, _, _ = path.partition(":")
    goals_of(path)  # the words first: they name what is wrong with a path that is none
    if allowed is not True and f"python:{path}" not in (allowed or ()):
        raise DataError(
            f"python:{path[:80]} runs code of this machine: agree to that first.", settings=("allow_python",)
        )
    if call == "this process" or module_name == "__main__":  # the running program: no other process can import it
        return imported_function(path)
    objective = OwnProcess(path, function_name(path), goals_of(path))
    if call == "own process":
        objective.start()
    return objective


def imported_function(path: str) -> PythonFunction:
    """Import a user's function into this process.

    Raises:
        DataError: with one line, if it cannot be imported or is no function.
    """
    goals = goals_of(path)
    module_name, _, rest = path.partition(":")
    name = rest.partition(":")[0]
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a module of the user's may fail in any way
        raise DataError(f"The module {module_name[:80]!r} cannot be imported: {one_line(error)}") from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise DataError(f"The module {module_name!r} has no function {name[:80]!r}.")
    return PythonFunction(found, function_name(path), goals)


def function_name(path: str) -> str:
    """``package.module:function`` without directions."""
    return ":".join(path.split(":")[:2])


def goals_of(path: str) -> tuple[Goal, ...]:
    """The goals that a path names, one per direction; nothing is imported.

    Raises:
        DataError: with one line, if it is no such path.
    """
    module_name, _, rest = path.partition(":")
    name, _, directions = rest.partition(":")
    directions = directions or "max"
    if not (_PATH.fullmatch(module_name) and _PATH.fullmatch(name) and _DIRECTIONS.fullmatch(directions)):
        raise DataError(
            "A function is named python:package.module:function, with :min or :max,min after it where more is not "
            f"better; got {path[:80]!r}."
        )
    words = directions.split(",")
    stem = re.sub(r"\W", "_", name).lstrip("_")[:50] or "value"
    keys = [stem] if len(words) == 1 else [f"{stem}_{number}" for number in range(1, len(words) + 1)]
    return tuple(Goal(key, _meaning(key, path, word)) for key, word in zip(keys, words, strict=True))


def one_line(error: BaseException) -> str:
    """Type and first line of what it says."""
    try:
        text = str(error).strip().splitlines()
    except Exception:  # an exception of the user's that cannot even be shown
        text = []
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def _meaning(key: str, path: str, direction: str) -> ScoreMeaning:
    return ScoreMeaning(
        key=key,
        title=key,
        unit="",
        direction=cast(Direction, direction),
        data_set="your function",
        split="",
        epochs=None,
        seeds="",
        kind="measured",
        source=f"your function {path[:200]}",
        role="other",
        origin="user",
        single_run=False,
    )
