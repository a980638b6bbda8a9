"""Predict a cell's score from its structure, with a calibrated interval.

    surrogate = StructureSurrogate.fit(space, labelled_cells, accuracies, seed=0)
    prediction = surrogate.predict(cells)     # mean, std, low, high in the unit of the labels
    save_surrogate(surrogate, path); load_surrogate(path)

A prediction is never a measurement: whoever shows one says so and names the labels it came from.
"""

from collections.abc import Collection
from typing import Literal

Beside = Literal["latents", "covariance"]

#: the surrogate's name in prose and in tables
FULL_NAME, SHORT_NAME = "Gaussian process and boosted trees on structure features", "GP + trees"

#: groups of features that can stand beside the structure, in the words of a sentence
BESIDE: dict[Beside, str] = {"latents": "latents", "covariance": "the covariance of wide networks"}


def full_name(beside: Collection[Beside] = ()) -> str:
    """The surrogate's name with the groups of features (keys of :data:`BESIDE`) that it sees beside the structure."""
    *first, last = [FULL_NAME, *(words for key, words in BESIDE.items() if key in beside)]
    return f"{', '.join(first)} and {last}" if first else last
