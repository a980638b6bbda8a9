"""Scikit-learn's 8x8 images of handwritten digits, which every installation has.

1,797 grey images of ten classes, split once and for all into 897 for training, 450 for validation and 450 for the test.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

TRAIN, VALIDATION, TEST = 897, 450, 450
SPLIT_SEED, SIDE = 0, 8


@dataclass(frozen=True)
class Digits:
    """The images, standardised by the mean and deviation of all pixels of the training images, and their classes."""

    train: Float[Tensor, "897 1 8 8"]
    train_classes: Int[Tensor, "897"]
    validation: Float[Tensor, "450 1 8 8"]
    validation_classes: Int[Tensor, "450"]
    test: Float[Tensor, "450 1 8 8"]
    test_classes: Int[Tensor, "450"]


@lru_cache(maxsize=1)
def load_digits() -> Digits:
    """Read the data set from scikit-learn's files and split it; the same split in every call and on every machine."""
    from sklearn.datasets import load_digits as load

    data: Any = load()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(data.target))
    images = torch.from_numpy(data.data[order].astype(np.float32)).reshape(-1, 1, SIDE, SIDE)
    classes = torch.from_numpy(data.target[order].astype(np.int64))
    images = (images - images[:TRAIN].mean()) / images[:TRAIN].std()
    sizes = (TRAIN, VALIDATION, TEST)
    parts = zip(images.split(sizes), classes.split(sizes), strict=True)
    return Digits(*(tensor for part in parts for tensor in part))
