"""Image data as the loop takes it: three parts of images with their classes, and how pixels become numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from svge_core.errors import DataError

#: images are split once and for all, whatever the seed of a training
SPLIT_SEED = 0
#: shares of the images that are kept back where the data do not say which
VALIDATION_SHARE, TEST_SHARE = 0.2, 0.2
#: networks halve the side of their feature maps twice
SIDE_MULTIPLE = 4


@dataclass(frozen=True, eq=False)
class ImagePart:
    """Images of one size with their classes.

    Attributes:
        images: bytes from 0 to 255, or numbers.
        classes: of each image, counted from 0.
    """

    images: Shaped[Tensor, "images colours height width"]
    classes: Int[Tensor, " images"]

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images to train on, to choose by, and to report.

    Attributes:
        name: of the data set, for people.
        train: what weights are fitted on.
        validation: what settings, epochs and cells are chosen by.
        test: looked at once, when the training is over.
        labels: names of the classes.
        split: how the parts were made, in words.
        mean, deviation: of each colour of the training images; subtracted and divided by.

    Raises:
        DataError: if a part is empty, there are fewer than two classes, or the images do not suit a network.
    """

    name: str
    train: ImagePart
    validation: ImagePart
    test: ImagePart
    labels: tuple[str, ...]
    split: str
    mean: Float[Tensor, " colours"]
    deviation: Float[Tensor, " colours"]

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            only = f": only {self.labels[0][:60]!r}" if self.labels else ""
            raise DataError(f"{self.name}: expected images of at least two classes; got {len(self.labels)}{only}.")
        for what, part in self.parts.items():
            if not len(part):
                raise DataError(f"{self.name}: there is no {what} image.")
            shape = tuple(part.images.shape[1:])
            if shape != tuple(self.train.images.shape[1:]):
                raise DataError(
                    f"{self.name}: the {what} images are {_size(shape)}, the training images "
                    f"{_size(tuple(self.train.images.shape[1:]))}; expected one size."
                )
            if part.images.is_floating_point() and not bool(torch.isfinite(part.images).all()):
                bad = int((~torch.isfinite(part.images)).flatten(1).any(1).nonzero()[0])
                raise DataError(f"{self.name}: {what} image {bad} has a pixel that is not a finite number.")
        colours, height, width = self.train.images.shape[1:]
        if colours not in (1, 3) or height % SIDE_MULTIPLE or width % SIDE_MULTIPLE:
            raise DataError(
                f"{self.name}: expected images of 1 or 3 colours whose sides are multiples of {SIDE_MULTIPLE} pixels; "
                f"got {_size((colours, height, width))}."
            )

    @property
    def parts(self) -> dict[str, ImagePart]:
        """The three parts by name."""
        return {"training": self.train, "validation": self.validation, "test": self.test}

    @property
    def colours(self) -> int:
        """1 for grey images, 3 for coloured ones."""
        return self.train.images.shape[1]

    @cached_property
    def digest(self) -> str:
        """16 hex digits of all images and classes, by which a run knows its data again."""
        found = sha256()
        for part in self.parts.values():
            found.update(repr((part.images.dtype, tuple(part.images.shape))).encode())
            found.update(np.ascontiguousarray(part.images.numpy()).data)
            found.update(np.ascontiguousarray(part.classes.numpy()).data)
        return found.hexdigest()[:16]

    def as_numbers(
        self, images: Shaped[Tensor, "batch colours height width"], colours: int
    ) -> Float[Tensor, "batch _ height width"]:
        """Standardised images with as many colours as a network takes; grey ones are repeated."""
        shape = (1, -1, 1, 1)
        mean, deviation = self.mean.to(images.device), self.deviation.to(images.device)
        numbers = (images.float() - mean.reshape(shape)) / deviation.reshape(shape)
        return numbers.expand(-1, colours, -1, -1) if colours != self.colours else numbers


def image_data(
    name: str, parts: Sequence[ImagePart], labels: Sequence[str], split: str, *, standardised: bool = False
) -> ImageData:
    """Image data with the mean and deviation of the training images.

    Args:
        name: of the data set.
        parts: training, validation and test.
        labels: names of the classes.
        split: how the parts were made, in words.
        standardised: the images are already.

    Raises:
        DataError: as :class:`ImageData`.
    """
    train, validation, test = parts
    colours = train.images.shape[1]
    mean, deviation = torch.zeros(colours), torch.ones(colours)
    if len(train) and not standardised:
        # one colour at a time: a copy of all images as numbers may not fit
        moments = [train.images[:, colour].double() for colour in range(colours)]
        mean = torch.stack([values.mean() for values in moments]).float()
        deviation = torch.stack([values.std(correction=0) for values in moments]).float().clamp_min(1e-6)
    return ImageData(name, train, validation, test, tuple(labels), split, mean, deviation)


def split_rows(name: str, classes: np.ndarray, labels: Sequence[str], shares: Sequence[float]) -> list[np.ndarray]:
    """Rows of the training part and of one more part per share, every class in every part; seeded, so always the same.

    Raises:
        DataError: if a class has too few images.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    parts: list[list[np.ndarray]] = [[] for _ in range(len(shares) + 1)]
    for number, label in enumerate(labels):
        rows = np.flatnonzero(classes == number)
        if len(rows) <= len(shares):
            raise DataError(
                f"{name}: class {str(label)[:60]!r} has {len(rows)} image{'s' * (len(rows) != 1)}; expected at least "
                f"{len(shares) + 1}, one for each of training, validation and test."
            )
        rows = rng.permutation(rows)
        start = 0
        for place, share in enumerate(shares, start=1):
            count = max(1, round(share * len(rows)))
            parts[place].append(rows[start : start + count])
            start += count
        parts[0].append(rows[start:])
    return [np.sort(np.concatenate(rows)) for rows in parts]


def _size(shape: tuple[int, ...]) -> str:
    colours, height, width = shape
    return f"{colours} x {height} x {width} (colours x height x width)"
