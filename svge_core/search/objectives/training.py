"""Real training as a goal of any space: ``train:DATA[:RECIPE]``, such as ``train:digits`` or ``train:digits:epochs=4``.

DATA and RECIPE are words of :mod:`svge_core.network_training`. Networks are trained in a process of their own, so that
whatever happens to it ends one evaluation and nothing else. The value is the validation accuracy, the mean over the
recipe's seeds: a function of the cell. Nobody in a search sees the test images.
"""

from pathlib import Path

import torch

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.devices import pick_device
from svge_core.errors import DataError
from svge_core.network_training import (
    PRESETS,
    ImageData,
    NetworkStep,
    TrainingCancelledError,
    TrainRecipe,
    open_images,
    read_recipe,
    train_network,
    trained_sizes,
    training_meaning,
)
from svge_core.search.objectives.goals import Goal, GoOn, PrunedError
from svge_core.spaces import AbstractSearchSpace

WORD = "train"
#: images that every installation has; any others are files or code of one machine
BUILT_IN = "digits"


class TrainedInProcess:
    """Trains a cell's network in this process, one thread on a CPU so that a cell has one value everywhere.

    Args:
        rest: ``DATA[:RECIPE]``.
        space: of the cells.
        device: that networks are trained on: auto, cpu, cuda or mps.

    Raises:
        SvgeError: if the images cannot be read, the recipe is none, or the device is not there.
    """

    known: tuple[Cell, ...] | None = None
    optimum: tuple[float, ...] | None = None

    def __init__(self, rest: str, space: AbstractSearchSpace, device: str = "auto") -> None:
        words, self.recipe = split_training(rest)
        source, _, last = words.rpartition(":")
        if source and Path(source).exists() and not Path(words).exists():
            read_recipe(last)  # the images are there, so this was to be a recipe: it says what is wrong with it
        pick_device(device)  # before the first cell: none of them could be trained
        self.name, self.space, self.device = f"{WORD}:{rest}", space, device
        self.data: ImageData = open_images(words, allow_python=True)  # whoever made this has asked for consent
        meaning = training_meaning(self.data, self.recipe, trained_sizes(space, self.data, self.recipe))
        self.goals = (Goal(meaning.key, meaning),)

    def evaluate(self, cell: Cell, go_on: GoOn | None = None) -> tuple[float, ...]:
        """Validation accuracy in percent.

        Args:
            cell: a member.
            go_on: asked after every epoch but the last.

        Raises:
            PrunedError: if ``go_on`` said no.
            SvgeError: if the training failed.
        """
        last = ""

        def step(at: NetworkStep) -> bool:
            nonlocal last
            if go_on is None or at.row is None or at.row.epoch >= at.epochs or at.run < at.runs:
                return True
            last = f"after epoch {at.row.epoch} of {at.epochs}, at {at.row.validation:.2f} %"
            return go_on(at.row.epoch, at.row.validation)

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums over threads depend on their number
        try:
            found = train_network(self.space, cell, self.data, self.recipe, device=self.device, on_step=step)
        except TrainingCancelledError:
            raise PrunedError(f"Stopped {last}: others were better by then.") from None
        finally:
            torch.set_num_threads(threads)
        return (found.validation,)


def split_training(rest: str) -> tuple[str, TrainRecipe]:
    """Images and recipe of ``DATA[:RECIPE]``; what stands behind the last colon is a recipe if it begins like one, or
    if what stands before it is complete.

    Raises:
        SvgeError: if the recipe is none.
    """
    data, _, recipe = rest.rpartition(":")
    complete = data == BUILT_IN or (data.startswith("python:") and data.count(":") == 2)
    if complete or (data and (recipe.partition(",")[0] in PRESETS or "=" in recipe.partition(",")[0])):
        return data, read_recipe(recipe)
    return rest, read_recipe("digits")


def needs_consent(rest: str) -> bool:
    """Whether the images are files or code of one machine, which a store that others write to must not open."""
    return split_training(rest)[0] != BUILT_IN


def largest_stage(rest: str) -> int:
    """Epochs of a full training, for early stops.

    Raises:
        DataError: if the recipe trains with several seeds, whose means have no early values.
    """
    recipe = split_training(rest)[1]
    if recipe.seeds > 1:
        raise DataError(f"Early stops need a recipe with one seed; {WORD}:{rest[:80]} has {recipe.seeds}.")
    return recipe.epochs


def trained_words(space: AbstractSearchSpace) -> dict[str, ScoreMeaning]:
    """The ``train:`` words that are offered in a space, with what they mean; none where ``digits:`` is."""
    if space.network() is None or BUILT_IN in space.own_objectives:
        return {}
    data, recipe = open_images(BUILT_IN), read_recipe(BUILT_IN)
    return {f"{WORD}:{BUILT_IN}": training_meaning(data, recipe, trained_sizes(space, data, recipe))}
