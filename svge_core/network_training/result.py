"""What a training came to: accuracies per seed with their curves, and what the score means; on disk as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import Any

from svge_core.data import ScoreMeaning
from svge_core.errors import CheckpointError, SvgeError
from svge_core.files import parse_json, to_record, write_atomically
from svge_core.network_training.failures import disk_named
from svge_core.network_training.image_data import ImageData
from svge_core.network_training.recipe import TrainRecipe
from svge_core.network_training.trainer import EpochRow

RESULT = "result.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class SeedRun:
    """One run.

    Attributes:
        seed: of its weights, order and augmentation.
        validation: accuracy of the kept weights in percent.
        test: of the same weights, looked at once.
        epoch: whose weights were kept.
        curve: one row per epoch.
        seconds: of training and validation, on the clock.
        weights: file of the weights beside the result; empty where none was written.
    """

    seed: int
    validation: float
    test: float
    epoch: int
    curve: tuple[EpochRow, ...]
    seconds: float
    weights: str = ""


@dataclass(frozen=True)
class TrainedNetwork:
    """A cell's network, trained.

    Attributes:
        space: name of the cell's space.
        cell: in the space's notation, canonical.
        recipe: with which it was trained.
        data: words that name the images; empty where they were given as an object.
        digest: of the images.
        runs: one per seed.
        parameters: trained numbers of the network.
        device: it was trained on.
        torch: version of PyTorch.
        meaning: of :attr:`validation`.
    """

    space: str
    cell: str
    recipe: TrainRecipe
    data: str
    digest: str
    runs: tuple[SeedRun, ...]
    parameters: int
    device: str
    torch: str
    meaning: ScoreMeaning

    @property
    def validation(self) -> float:
        """Mean validation accuracy over the seeds in percent: the measured score of the cell."""
        return fmean(run.validation for run in self.runs)

    @property
    def test(self) -> float:
        """Mean test accuracy over the seeds in percent, for the report; nothing is chosen by it."""
        return fmean(run.test for run in self.runs)

    @property
    def seconds(self) -> float:
        """Of all runs, on the clock."""
        return sum(run.seconds for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            **asdict(self),
            "validation": self.validation,
            "test": self.test,
            "seconds": self.seconds,
        }


def training_meaning(data: ImageData, recipe: TrainRecipe, sizes: dict[str, int]) -> ScoreMeaning:
    """What the validation accuracy is that training with this recipe gives.

    Args:
        data: the images.
        recipe: how networks are trained.
        sizes: options of the network.
    """
    size = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sizes.items())
    identity = json.dumps([data.digest, recipe.to_dict(), sizes], sort_keys=True)
    seeds = "one run" if recipe.seeds == 1 else f"mean of {recipe.seeds} runs"
    return ScoreMeaning(
        key=f"trained_{sha256(identity.encode()).hexdigest()[:8]}",
        title=f"{data.name} validation accuracy, {recipe.epochs} epoch{'s' * (recipe.epochs > 1)}, {seeds}",
        unit="%",
        direction="max",
        data_set=data.name,
        split=data.split,
        epochs=recipe.epochs,
        seeds=seeds,
        kind="measured",
        source=f"trained on this machine: {recipe.describe()}; network with {size}; images {data.digest}"[:500],
        role="accuracy",
        origin="user",
        single_run=recipe.seeds == 1,
    )


def write_result(folder: Path, found: TrainedNetwork) -> None:
    """Write ``result.json``.

    Raises:
        TrainingFailedError: if it cannot be written.
    """
    content = json.dumps(found.to_dict(), allow_nan=False, indent=1).encode()
    with disk_named(f"The result of the training in {folder}", "The state of the last save is kept."):
        write_atomically(folder / RESULT, content)


def read_result(folder: str | Path) -> TrainedNetwork:
    """The result that a finished training left in its folder.

    Raises:
        CheckpointError: if there is none, or it is damaged; the field is named.
    """
    path = Path(folder) / RESULT
    try:
        plain: Any = parse_json(path.read_bytes())
        if not isinstance(plain, dict) or plain.get("format_version") != FORMAT_VERSION:
            raise SvgeError(f"expected format_version {FORMAT_VERSION}")
        extra = ("format_version", "validation", "test", "seconds")
        found = to_record({name: value for name, value in plain.items() if name not in extra}, TrainedNetwork)
        if not found.runs:
            raise SvgeError("it has no run")
        return found
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}. Train the cell first.") from None
    except SvgeError as error:
        raise CheckpointError(f"{path} is no result of a training: {str(error).rstrip('.')}.") from None


def finished_runs(plain: Sequence[dict[str, Any]]) -> list[SeedRun]:
    """Runs as a state holds them."""
    return [to_record(row, SeedRun) for row in plain]
