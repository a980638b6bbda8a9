"""Real training as a goal: ``digits:valid`` trains a RandWire cell on digits, ``digits:valid:3`` with three seeds."""

import re
from dataclasses import dataclass

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.errors import DataError
from svge_core.search.objectives.digits_training import MAX_SEEDS, DigitsTraining, digits_accuracy, digits_meaning
from svge_core.search.objectives.goals import Goal
from svge_core.spaces import SPACES, AbstractSearchSpace

#: with which these objectives begin
WORD = "digits"
_REST = re.compile(r"valid(?::([1-9][0-9]{0,2}))?", re.ASCII)
#: training runs per evaluation that are offered for choice; one seed carries about as much noise as signal
OFFERED = (1, 3)


@dataclass(frozen=True, eq=False)
class TrainedOnDigits:
    """Validation accuracy of a cell's network, the mean over training runs with the seeds 0, 1, ...

    A cell has the same value in every run of a search, on every worker with the same processor and library versions.
    """

    goals: tuple[Goal, ...]
    seeds: int
    training: DigitsTraining
    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def evaluate(self, cell: Cell) -> tuple[float, ...]:
        """See :class:`svge_core.search.objectives.goals.Objective`; takes seconds per training run."""
        found = digits_accuracy(cell, self.seeds, training=self.training)
        return (sum(found.validation) / self.seeds,)


def digits_objective(rest: str, space: AbstractSearchSpace, training: DigitsTraining | None = None) -> TrainedOnDigits:
    """The objective of a ``digits:`` word.

    Args:
        rest: ``valid``, or ``valid:SEEDS`` for the mean over several training runs.
        space: one that lists ``digits`` among its own objectives.
        training: how networks are trained.

    Raises:
        DataError: if the word is another one (there is no ``test``: nobody selects by test images), or the space is.
    """
    match = _REST.fullmatch(rest)
    seeds = int(match[1] or 1) if match else 0
    if not 1 <= seeds <= MAX_SEEDS:
        raise DataError(
            f"Training on digits is named digits:valid, or digits:valid:SEEDS for the mean of 1 to {MAX_SEEDS} "
            f"training runs; got digits:{rest[:60]}."
        )
    if WORD not in space.own_objectives:
        titles = " and ".join(known.title for known in SPACES.values() if WORD in known.own_objectives)
        raise DataError(f"{WORD}:{rest[:60]} trains networks of {titles}; the search is of {space.title}.")
    training = training or DigitsTraining()
    meaning = digits_meaning(seeds, training)
    return TrainedOnDigits((Goal(meaning.key, meaning),), seeds, training)


def digits_words(space: AbstractSearchSpace) -> dict[str, ScoreMeaning]:
    """The ``digits:`` words that are offered in a space, with what they mean; none where they are not its own."""
    if WORD not in space.own_objectives:
        return {}
    return {"digits:valid" + (f":{seeds}" if seeds > 1 else ""): digits_meaning(seeds) for seeds in OFFERED}
