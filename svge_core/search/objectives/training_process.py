"""Real training as an objective: its words checked, its process begun."""

from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives.own_process import OwnProcess
from svge_core.search.objectives.python_function import AllowPython
from svge_core.search.objectives.training import WORD, needs_consent
from svge_core.spaces import AbstractSearchSpace


def trained_objective(rest: str, space: AbstractSearchSpace, allowed: AllowPython, device: str = "auto") -> OwnProcess:
    """The objective of a ``train:`` word, its process begun and its images read.

    Args:
        rest: ``DATA[:RECIPE]``.
        space: of the cells.
        allowed: see :data:`svge_core.search.objectives.python_function.AllowPython`.
        device: that networks are trained on: auto, cpu, cuda or mps.

    Raises:
        DataError: one line, if images or recipe cannot be used, or were not agreed to.
    """
    check_training(rest, allowed)
    objective = OwnProcess(rest, f"train:{rest}", (), space.name, device)
    objective.start()
    return objective


def check_training(rest: str, allowed: AllowPython) -> None:
    """See that a word may be used.

    Args:
        rest: ``DATA[:RECIPE]``.
        allowed: see :data:`svge_core.search.objectives.python_function.AllowPython`.

    Raises:
        DataError: with one line, if its recipe is none, or its images were not agreed to.
    """
    try:
        private = needs_consent(rest)
    except SvgeError as error:
        raise DataError(f"{WORD}:{rest[:80]}: {error}") from None
    if private and allowed is not True and f"{WORD}:{rest}" not in (allowed or ()):
        raise DataError(
            f"{WORD}:{rest[:80]} reads images or runs code of this machine: agree to that first.",
            settings=("allow_python",),
        )
