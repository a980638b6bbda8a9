"""Predict a cell's score from its structure, with a calibrated interval.

    surrogate = StructureSurrogate.fit(space, labelled_cells, accuracies, seed=0)
    prediction = surrogate.predict(cells)     # mean, std, low, high in the unit of the labels
    save_surrogate(surrogate, path); load_surrogate(path)

A prediction is never a measurement: whoever shows one says so and names the labels it came from.
"""

from collections.abc import Collection
from typing import Literal

Beside = Literal["latents", "covariance"]

#: the surrogate's short name, for tables
SHORT_NAME = "GP + trees"
#: groups of features that can stand beside the structure, in the words of a sentence
BESIDE: dict[Beside, str] = {"latents": "latents", "covariance": "the covariance of wide networks"}


def features_in_words(beside: Collection[Beside] = ()) -> str:
    """What a surrogate sees, with the groups of features (keys of :data:`BESIDE`) that stand beside the structure."""
    *first, last = ["structure features", *(words for key, words in BESIDE.items() if key in beside)]
    return f"{', '.join(first)} and {last}" if first else last


def full_name(beside: Collection[Beside] = ()) -> str:
    """The surrogate's name in prose."""
    return f"Gaussian process and boosted trees on {features_in_words(beside)}"
