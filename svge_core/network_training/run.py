"""A whole training: every seed of a recipe, resumed where one was interrupted, saved as it goes."""

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from svge_core.cells import Cell
from svge_core.checks import one_cell, seed as checked_seed
from svge_core.devices import pick_device
from svge_core.errors import SvgeError
from svge_core.files import LockHeldError, exclusive, write_atomically
from svge_core.network_training.failures import TrainingCancelledError, disk_named, memory_named
from svge_core.network_training.image_data import ImageData
from svge_core.network_training.recipe import IMAGE_SIZE, SAVE_SECONDS, TrainRecipe, read_recipe
from svge_core.network_training.result import (
    RESULT,
    SeedRun,
    TrainedNetwork,
    finished_runs,
    read_result,
    training_meaning,
    write_result,
)
from svge_core.network_training.sources import open_images
from svge_core.network_training.state import STATE, read_state, save_state
from svge_core.network_training.trainer import EpochRow, NetworkStep, NetworkTrainer
from svge_core.networks import build_network, network_options
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.threads import between_steps

LOCK = "network_training.lock"
#: colours that networks take which cannot be told how many
COLOURS = 3


def trained_sizes(space: AbstractSearchSpace, data: ImageData, recipe: TrainRecipe) -> dict[str, int]:
    """Options of :func:`svge_core.networks.build_network` for a cell's network on these images.

    Raises:
        SvgeError: if the space has no network for any number of classes.
    """
    known = network_options(space)
    if "num_classes" not in known:
        raise SvgeError(f"The networks of {space.title} have a fixed number of classes: they cannot be trained here.")
    wanted = {
        "channels": recipe.channels,
        "cells_per_stage": recipe.cells_per_stage,
        "colours": data.colours,
        "num_classes": len(data.labels),
    }
    return {name: value for name, value in wanted.items() if value and name in known}


def network_for(
    space: AbstractSearchSpace | str, cell: Cell, data: ImageData, recipe: TrainRecipe, seed: int = 0
) -> nn.Module:
    """The network that is trained, with the initial weights of a seed.

    Raises:
        InvalidCellError: if the cell is no member.
        SvgeError: if the space has no network, or not in this size.
    """
    space = get_space(space)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(space, space.canonical(cell), **trained_sizes(space, data, recipe))
    if recipe.norm_momentum:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = recipe.norm_momentum
    return network


def train_network(
    space: AbstractSearchSpace | str,
    cell: Cell,
    data: ImageData | str = "digits",
    recipe: TrainRecipe | str = "digits",
    seed: int | None = None,
    folder: str | Path | None = None,
    *,
    image_size: int = IMAGE_SIZE,
    device: str = "auto",
    fresh: bool = False,
    allow_python: bool = False,
    save_every: float = SAVE_SECONDS,
    on_step: Callable[[NetworkStep], object] | None = None,
) -> TrainedNetwork:
    """Train a cell's network to the end.

    With a folder, the same call goes on after a kill from the last save, and after a request to end (Ctrl-C, SIGTERM)
    from the step that was done by then.

    Args:
        space: the search space or its name.
        cell: a member; it is brought into canonical order, so that equivalent cells train alike.
        data: images, or words for them, see :func:`svge_core.network_training.open_images`.
        recipe: how to train, or words for it, see :func:`svge_core.network_training.read_recipe`.
        seed: of the first run; the recipe's by default.
        folder: of state, weights (``weights-seed0.safetensors``) and ``result.json``; without it nothing is written.
        image_size: side of the images of a folder.
        device: auto, cpu, cuda or mps.
        fresh: begin anew where the folder holds a result or an interrupted training.
        allow_python: agree that words import a function of the user's.
        save_every: seconds between saves of the state.
        on_step: told where the training stands, before the first step and after each; if it returns False, the state is
            saved and the training ends.

    Returns:
        accuracies, curves and meaning. The test images are looked at once per seed, after its last step.

    Raises:
        TrainingFailedError: if the loss is not finite, memory runs out, or the disk is full; what was saved is kept.
        TrainingCancelledError: if ``on_step`` returned False.
        InvalidCellError: if the cell is no member.
        SvgeError: if settings, images or folder do not fit.
    """
    space, chosen = get_space(space), pick_device(device)
    words = data if isinstance(data, str) else ""
    recipe = read_recipe(recipe) if isinstance(recipe, str) else recipe
    if seed is not None:
        recipe = replace(recipe, seed=checked_seed(seed))
    cell = space.canonical(one_cell(cell))
    if folder is not None and words:
        _require_outside(Path(folder), Path(words))
    images = open_images(data, image_size=image_size, allow_python=allow_python) if isinstance(data, str) else data
    training = _Training(space, cell, images, words, recipe, chosen, save_every, on_step)
    training.network(recipe.seed)  # what cannot be built is refused before a folder is made
    if folder is None:
        return training.run(None)
    with _sole(Path(folder)) as place:
        if fresh:
            for name in (RESULT, STATE):
                (place / name).unlink(missing_ok=True)
        if (place / RESULT).is_file():
            found = read_result(place)
            if training.is_of(found):
                return found
            raise SvgeError(
                f"{place} holds the result of another training: choose another folder, or say that it may be replaced.",
                settings=("fresh",),
            )
        return training.run(place)


def _require_outside(place: Path, images: Path) -> None:
    """Files of a training would be taken for a class of the next one."""
    source, target = images.expanduser().resolve(), place.resolve()
    if source.is_dir() and (target == source or source in target.parents):
        raise SvgeError(
            f"{place} lies in the folder of the images, {images}: choose a folder outside.", settings=("out",)
        )


def _stay() -> None:
    """Nobody is listened to."""


class _Training:
    """One call: what is trained, and how far it is."""

    def __init__(
        self,
        space: AbstractSearchSpace,
        cell: Cell,
        data: ImageData,
        words: str,
        recipe: TrainRecipe,
        device: torch.device,
        save_every: float,
        on_step: Callable[[NetworkStep], object] | None,
    ) -> None:
        self.space, self.cell, self.data, self.words = space, cell, data, words
        self.recipe, self.device, self.save_every, self.on_step = recipe, device, save_every, on_step
        self.sizes = trained_sizes(space, data, recipe)
        self.runs: list[SeedRun] = []
        self.identity = {
            "space": space.name,
            "cell": space.format(cell),
            "recipe": recipe.to_dict(),
            "data set": data.digest,
        }

    def is_of(self, found: TrainedNetwork) -> bool:
        """Whether a result is of this training."""
        same = {"space": found.space, "cell": found.cell, "recipe": found.recipe.to_dict(), "data set": found.digest}
        return same == self.identity

    def network(self, seed: int) -> nn.Module:
        """With the weights that a seed begins with."""
        with memory_named("while the network is built"):
            return network_for(self.space, self.cell, self.data, self.recipe, seed).to(self.device)

    def run(self, folder: Path | None) -> TrainedNetwork:
        """All seeds, one after another."""
        saved = None if folder is None else read_state(folder, self.identity)
        if saved is not None:
            self.runs = finished_runs(json.loads(saved[0]["finished"]))
        # without a folder nothing can be saved: a request to end does so at once, whoever is asked
        with between_steps() if folder is not None else nullcontext(_stay) as leave:
            self._steps(folder, saved, leave)
            found = self._result()
            if folder is not None:
                write_result(folder, found)
                (folder / STATE).unlink(missing_ok=True)
        return found

    def _steps(
        self, folder: Path | None, saved: tuple[dict[str, str], dict[str, Any]] | None, leave: Callable[[], None]
    ) -> None:
        """Every seed that is not done yet."""
        began, done = time.monotonic(), 0
        for number in range(len(self.runs), self.recipe.seeds):
            trainer = self._trainer(self.recipe.seed + number)
            if saved is not None and int(saved[0]["seed"]) == trainer.seed:
                trainer.restore(saved[1], json.loads(saved[0]["counters"]))
            self._tell(trainer, number, None, None)
            last = time.monotonic()
            for row in trainer.run():
                done += 1
                left = trainer.total_steps * (self.recipe.seeds - number) - trainer.step
                pace = (time.monotonic() - began) / done
                if folder is not None and time.monotonic() - last > self.save_every:
                    self._save(folder, trainer)
                    last = time.monotonic()
                try:
                    if self._tell(trainer, number, row, pace * left) is False:
                        raise TrainingCancelledError(
                            f"The training was stopped after {len(trainer.rows)} of {self.recipe.epochs} epochs."
                        )
                    leave()
                except (KeyboardInterrupt, TrainingCancelledError):
                    if folder is not None:
                        self._save(folder, trainer)
                    raise
            self.runs.append(self._settled(trainer, folder))

    def _trainer(self, seed: int) -> NetworkTrainer:
        colours = self.sizes.get("colours", COLOURS)
        return NetworkTrainer(self.network(seed), self.data, self.recipe, seed, colours)

    def _tell(self, trainer: NetworkTrainer, number: int, row: EpochRow | None, left: float | None) -> object:
        if self.on_step is None:
            return None
        steps = trainer.total_steps
        at = NetworkStep(
            seed=trainer.seed,
            run=number + 1,
            runs=self.recipe.seeds,
            step=number * steps + trainer.step,
            steps=self.recipe.seeds * steps,
            epochs=self.recipe.epochs,
            row=row,
            seconds_left=left,
        )
        return self.on_step(at)

    def _save(self, folder: Path, trainer: NetworkTrainer) -> None:
        save_state(folder, trainer, self.identity, [asdict(run) for run in self.runs])

    def _settled(self, trainer: NetworkTrainer, folder: Path | None) -> SeedRun:
        """The run that is over: its weights on disk, the test images looked at."""
        kept = trainer.settle()
        name = "" if folder is None else f"weights-seed{trainer.seed}.safetensors"
        if folder is not None:
            weights = {key: value.cpu().contiguous() for key, value in trainer.network.state_dict().items()}
            header = {"space": self.space.name, "cell": self.identity["cell"], "sizes": json.dumps(self.sizes)}
            with disk_named(f"The weights in {folder}", "The state of the last save is kept."):
                write_atomically(folder / name, save(weights, metadata=header))
        with memory_named("while the test images are looked at"):
            test = trainer.accuracy(self.data.test)
        return SeedRun(
            seed=trainer.seed,
            validation=kept.validation,
            test=test,
            epoch=kept.epoch,
            curve=tuple(trainer.rows),
            seconds=round(trainer.seconds, 3),
            weights=name,
        )

    def _result(self) -> TrainedNetwork:
        network = self.network(self.recipe.seed)
        return TrainedNetwork(
            space=self.space.name,
            cell=self.space.format(self.cell),
            recipe=self.recipe,
            data=self.words,
            digest=self.data.digest,
            runs=tuple(self.runs),
            parameters=sum(each.numel() for each in network.parameters()),
            device=str(self.device),
            torch=str(torch.__version__),
            meaning=training_meaning(self.data, self.recipe, self.sizes),
        )


@contextmanager
def _sole(folder: Path) -> Generator[Path, None, None]:
    """Nobody else trains into the folder meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive(folder / LOCK, wait=False):
            try:
                yield folder
            finally:
                if not (folder / STATE).exists():  # else the next process waits for this file, too
                    (folder / LOCK).unlink(missing_ok=True)
    except LockHeldError:
        raise SvgeError(
            f"Another process trains into {folder}: wait for it, stop it, or choose another folder."
        ) from None
    finally:
        with suppress(OSError):
            folder.rmdir()  # only where nothing was written
