"""RandWire-digits: what a wiring is worth, by training its network on scikit-learn's 8x8 images of handwritten digits.

The data set comes with scikit-learn: 1,797 grey images of ten classes, split once and for all into 897 for training,
450 for validation and 450 for the test. Training takes seconds on one core, so a search can afford it, and it is real:
no table, no proxy. It says nothing about Tiny-ImageNet or ImageNet, on which RandWire networks were published.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.errors import SvgeError
from svge_core.network_training import TEST, TRAIN, VALIDATION, load_digits
from svge_core.networks import RandWireNetwork, randwire_network
from svge_core.spaces import RANDWIRE_SIDE, RandWire

MAX_SEEDS = 100


@dataclass(frozen=True)
class DigitsTraining:
    """How a network is trained.

    Attributes:
        epochs: passes over the training images.
        batch: images per step; images of an epoch that fill no batch are left out of it.
        learning_rate: of Adam at the start; a cosine takes it to zero over all steps.
    """

    epochs: int = 8
    batch: int = 64
    learning_rate: float = 1e-2

    def __post_init__(self) -> None:
        if not (1 <= self.epochs <= 10_000 and 2 <= self.batch <= TRAIN and 0 < self.learning_rate < 10):
            raise SvgeError(
                f"Training on digits needs 1 to 10,000 epochs, batches of 2 to {TRAIN} images and a learning rate "
                f"between 0 and 10; got {self}."
            )


@dataclass(frozen=True)
class DigitsAccuracy:
    """Accuracies of one or more trained networks in percent.

    Attributes:
        validation: of each training run, on 450 images.
        test: of each training run, on 450 other images.
    """

    validation: tuple[float, ...]
    test: tuple[float, ...]


def train_on_digits(cell: Cell, seed: int = 0, training: DigitsTraining | None = None) -> RandWireNetwork:
    """Train the network of a cell, with one thread on the CPU; a function of the cell, the seed and the settings.

    Args:
        cell: a member of RandWire; it is brought into canonical order, so that equivalent cells train alike.
        seed: of the initial weights and of the order of the images.
        training: how.

    Returns:
        the network after the last step, in evaluation mode.

    Raises:
        InvalidCellError: if the cell is no member.
    """
    training, digits = training or DigitsTraining(), load_digits()
    steps = TRAIN // training.batch
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums over threads depend on their number
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            # channels last: the small convolutions take a fifth less time
            network = randwire_network(RandWire().canonical(cell)).train()
            convert_conv2d_weight_memory_format(network, torch.channels_last)
            optimiser = torch.optim.Adam(network.parameters(), training.learning_rate)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.epochs * steps)
            for _ in range(training.epochs):
                for rows in torch.randperm(TRAIN)[: steps * training.batch].split(training.batch):
                    loss = functional.cross_entropy(network(digits.train[rows]), digits.train_classes[rows])
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                    schedule.step()
    finally:
        torch.set_num_threads(threads)
    return network.eval()


def digits_accuracy(
    cell: Cell, seeds: int = 1, first_seed: int = 0, training: DigitsTraining | None = None
) -> DigitsAccuracy:
    """Validation and test accuracy of a cell, one training run per seed.

    Args:
        cell: a member of RandWire.
        seeds: how many runs; seeds count up from ``first_seed``.
        first_seed: seed of the first run.
        training: how a run trains; None for the default.

    Raises:
        InvalidCellError: if the cell is no member.
        SvgeError: if the number of seeds is not 1 to 100.
    """
    if not 1 <= seeds <= MAX_SEEDS:
        raise SvgeError(f"A cell is trained with 1 to {MAX_SEEDS} seeds; got {seeds}.")
    digits = load_digits()
    found = []
    for seed in range(first_seed, first_seed + seeds):
        network = train_on_digits(cell, seed, training)
        found.append(
            (
                accuracy(network, digits.validation, digits.validation_classes),
                accuracy(network, digits.test, digits.test_classes),
            )
        )
    validation, test = zip(*found, strict=True)
    return DigitsAccuracy(validation, test)


@torch.no_grad()
def accuracy(network: torch.nn.Module, images: Float[Tensor, "images 1 8 8"], classes: Int[Tensor, " images"]) -> float:
    """Share of images whose class a network in evaluation mode finds, in percent."""
    return float((network(images).argmax(dim=1) == classes).double().mean() * 100)


def digits_meaning(seeds: int = 1, training: DigitsTraining | None = None) -> ScoreMeaning:
    """What the validation accuracy is that :func:`digits_accuracy` gives, as the mean over its seeds."""
    training = training or DigitsTraining()
    one = ScoreMeaning(
        key="digits_valid",
        title="Validation accuracy, one run",
        unit="%",
        direction="max",
        data_set="RandWire-digits",
        split=f"{VALIDATION} validation images; {TRAIN} trained on, {TEST} for the test",
        epochs=training.epochs,
        seeds="one run",
        kind="measured",
        source=(
            f"trained for every evaluation on this machine: scikit-learn's digits, "
            f"{RANDWIRE_SIDE}x{RANDWIRE_SIDE} pixels; Adam {training.learning_rate:g} with cosine, "
            f"batches of {training.batch}, one thread"
        ),
        role="accuracy",
        origin="bundled",
        single_run=True,
    )
    if seeds == 1:
        return one
    words = f"mean of {seeds} runs"
    return replace(
        one, key=f"digits{seeds}_valid", title=f"Validation accuracy, {words}", seeds=words, single_run=False
    )
