"""The loop of one run: step by step, resumable anywhere, with one row of a curve per epoch.

A run is a pure function of (cell, images, recipe, seed): the order of an epoch and the augmentation of a step are drawn
from generators seeded by their number, so a run resumed from any step continues as if never stopped.
"""

import math
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from svge_core.devices import seeded_generator
from svge_core.errors import SvgeError
from svge_core.network_training.failures import TrainingFailedError, memory_named
from svge_core.network_training.image_data import ImageData, ImagePart
from svge_core.network_training.recipe import TrainRecipe

#: TensorFlow's and NAS-Bench-101's decay of the mean square
RMS_DECAY = 0.9
#: images of a step without gradients
EVALUATION_BATCH = 512


@dataclass(frozen=True)
class EpochRow:
    """One epoch of a curve.

    Attributes:
        epoch: from 1.
        loss: mean over the epoch's steps, in nats per image.
        train: accuracy over the epoch's steps, while the weights changed, in percent.
        validation: accuracy after the epoch in percent.
        learning_rate: of its last step.
        seconds: of the run so far, on the clock.
    """

    epoch: int
    loss: float
    train: float
    validation: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class NetworkStep:
    """Where a training stands after a step.

    Attributes:
        seed: of the run that is going on.
        run, runs: which of how many runs, from 1.
        step, steps: of all runs together.
        epochs: of each run.
        row: set when the step ended an epoch.
        seconds_left: at the pace so far; None before there is one. An early stop makes it shorter.
    """

    seed: int
    run: int
    runs: int
    step: int
    steps: int
    epochs: int
    row: EpochRow | None
    seconds_left: float | None


class NetworkTrainer:
    """One run of one network.

    Args:
        network: with fresh weights, on its device.
        data: images, on the CPU.
        recipe: how to train.
        seed: of the order of the images and of the augmentation.
        colours: that the network takes.
    """

    def __init__(self, network: nn.Module, data: ImageData, recipe: TrainRecipe, seed: int, colours: int) -> None:
        self.network, self.data, self.recipe, self.seed, self.colours = network, data, recipe, seed, colours
        self.device = next(network.parameters()).device
        if recipe.precision != "float32" and self.device.type != "cuda":
            raise SvgeError(f"precision {recipe.precision} needs CUDA; on {self.device.type} take float32.")
        self.optimiser = _optimiser(network, recipe)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == "float16")
        self.batch = min(recipe.batch_size, len(data.train))
        self.steps_per_epoch = len(data.train) // self.batch
        self.step, self.seconds = 0, 0.0
        self.totals = torch.zeros(2, dtype=torch.float64)
        self.rows: list[EpochRow] = []
        self.best: dict[str, Tensor] | None = None
        self.best_epoch = 0
        # what fits is moved to the device once
        self.train = ImagePart(data.train.images.to(self.device), data.train.classes.to(self.device))

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.recipe.epochs

    @property
    def stopped(self) -> bool:
        """Whether the last epoch was done, or the validation accuracy has stood still for long enough."""
        patience = self.recipe.patience
        waited = len(self.rows) - self.best_epoch if self.rows else 0
        return self.step >= self.total_steps or bool(patience and waited >= patience)

    def run(self) -> Generator[EpochRow | None, None, None]:
        """Train on to the end, step by step; can be left at any step, saved, and called again.

        Yields:
            the row of an epoch after its last step, None after the others.

        Raises:
            TrainingFailedError: if the loss is not finite or memory runs out.
        """
        order: Tensor | None = None
        while not self.stopped:
            started = time.monotonic()
            epoch, position = divmod(self.step, self.steps_per_epoch)
            if order is None or position == 0:
                order = torch.randperm(len(self.train), generator=seeded_generator(self.seed, 1, epoch))
            where = f"in epoch {epoch + 1} with batches of {self.batch} images"
            with memory_named(where):
                self._step(order[position * self.batch : (position + 1) * self.batch].to(self.device), epoch)
                self.step += 1
                row = self._row(epoch, started) if self.step % self.steps_per_epoch == 0 else None
            self.seconds += time.monotonic() - started
            yield row

    def _step(self, rows: Tensor, epoch: int) -> None:
        recipe = self.recipe
        rate = self._learning_rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        images = self.data.as_numbers(self.train.images[rows], self.colours)
        images, classes = self._augmented(images), self.train.classes[rows]
        low = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(recipe.precision)
        with torch.autocast(self.device.type, low, enabled=low is not None):
            logits = self.network(images)
            loss = functional.cross_entropy(logits, classes, label_smoothing=recipe.label_smoothing)
        if not math.isfinite(value := float(loss.detach())):
            raise TrainingFailedError(
                f"The loss is not a finite number in epoch {epoch + 1}: take a lower learning_rate (now "
                f"{recipe.learning_rate:g}){', or precision float32' if low is not None else ''}."
            )
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        right = (logits.detach().argmax(1) == classes).double().mean()
        self.totals += torch.tensor([value, 100 * float(right)], dtype=torch.float64)

    def _augmented(self, images: Float[Tensor, "batch colours h w"]) -> Float[Tensor, "batch colours h w"]:
        """Mirrored and cropped as the recipe says, each image on its own."""
        recipe, (count, _, height, width) = self.recipe, images.shape
        if not (recipe.flip or recipe.crop_padding):
            return images
        rng = seeded_generator(self.seed, 2, self.step)
        if recipe.flip:
            mirrored = (torch.rand(count, generator=rng) < 0.5).to(images.device)
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        if pad := recipe.crop_padding:
            padded = functional.pad(images, (pad, pad, pad, pad))
            down, right = torch.randint(2 * pad + 1, (2, count), generator=rng).to(images.device)
            over = torch.arange(height, device=images.device) + down[:, None]
            across = torch.arange(width, device=images.device) + right[:, None]
            chosen = torch.arange(count, device=images.device)[:, None, None]
            images = padded.permute(0, 2, 3, 1)[chosen, over[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)
        return images

    def _row(self, epoch: int, started: float) -> EpochRow:
        loss, train = (self.totals / self.steps_per_epoch).tolist()
        self.totals.zero_()
        validation = self.accuracy(self.data.validation)
        seconds = round(self.seconds + time.monotonic() - started, 3)
        row = EpochRow(epoch + 1, loss, train, validation, self.optimiser.param_groups[0]["lr"], seconds)
        if not self.rows or validation > self.rows[self.best_epoch - 1].validation:
            self.best_epoch = row.epoch
            if self.recipe.patience:
                self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.rows.append(row)
        return row

    @torch.no_grad()
    def accuracy(self, part: ImagePart) -> float:
        """Share of images whose class the network finds, in percent."""
        self.network.eval()
        right = 0
        for images, classes in zip(
            part.images.split(EVALUATION_BATCH), part.classes.split(EVALUATION_BATCH), strict=True
        ):
            numbers = self.data.as_numbers(images.to(self.device), self.colours)
            right += int((self.network(numbers).argmax(1) == classes.to(self.device)).sum())
        return 100 * right / len(part)

    def settle(self) -> EpochRow:
        """Put the weights into the network that count: with patience the best epoch's, else the last's; its row."""
        if self.best is None:
            return self.rows[-1]
        self.network.load_state_dict(self.best)
        return self.rows[self.best_epoch - 1]

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a resumed run needs, on the CPU."""
        found = {f"model.{name}": value for name, value in self.network.state_dict().items()}
        found |= {f"best.{name}": value for name, value in (self.best or {}).items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    found[f"optimiser.{key}.{name}"] = value
        found["totals"] = self.totals
        return {name: value.detach().cpu().clone().contiguous() for name, value in found.items()}

    def restore(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Put what :meth:`tensors` and :meth:`counters` gave back."""
        self.network.load_state_dict(_under("model.", tensors))
        best = _under("best.", tensors)
        self.best = {name: value.to(self.device) for name, value in best.items()} or None
        for name, parameter in self.network.named_parameters():
            for key in {each.split(".")[1] for each in tensors if each.startswith("optimiser.")}:
                if (value := tensors.get(f"optimiser.{key}.{name}")) is not None:
                    self.optimiser.state[parameter][key] = value if key == "step" else value.to(self.device)
        self.totals = tensors["totals"]
        self.step, self.seconds = int(counters["step"]), float(counters["seconds"])
        self.best_epoch = int(counters["best_epoch"])
        self.rows = [EpochRow(**row) for row in counters["rows"]]
        if counters["scaler"]:
            self.scaler.load_state_dict(counters["scaler"])

    def counters(self) -> dict[str, Any]:
        """Plain values of a run in the middle, for JSON."""
        rows = [vars(row) for row in self.rows]
        return {
            "step": self.step,
            "seconds": self.seconds,
            "best_epoch": self.best_epoch,
            "rows": rows,
            "scaler": self.scaler.state_dict(),
        }

    def _learning_rate(self) -> float:
        if self.recipe.schedule == "constant":
            return self.recipe.learning_rate
        return self.recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * self.step / self.total_steps))


def _optimiser(network: nn.Module, recipe: TrainRecipe) -> torch.optim.Optimizer:
    weights, rate, decay = network.parameters(), recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(weights, rate, momentum=recipe.momentum, nesterov=recipe.nesterov, weight_decay=decay)
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(
            weights, rate, alpha=RMS_DECAY, eps=recipe.epsilon, momentum=recipe.momentum, weight_decay=decay
        )
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    return kind(weights, rate, eps=recipe.epsilon, weight_decay=decay)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
