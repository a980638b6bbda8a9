"""Predict a cell's score from its structure, with a calibrated interval.

    surrogate = StructureSurrogate.fit(space, labelled_cells, accuracies, seed=0)
    prediction = surrogate.predict(cells)     # mean, std, low, high in the unit of the labels
    surrogate.save(path); StructureSurrogate.load(path)

A prediction is never a measurement: whoever shows one says so and names the labels it came from.
"""

from svge_core.surrogates.structure import (
    MIN_LABELS,
    Encode,
    FeatureScaling,
    Prediction,
    StructureSurrogate,
    feature_scaling,
)
from svge_core.surrogates.trees import MANY_LABELS

#: the surrogate's name in prose and in tables
FULL_NAME, SHORT_NAME = "Gaussian process and boosted trees on structure features", "GP + trees"

__all__ = [
    "FULL_NAME",
    "MANY_LABELS",
    "MIN_LABELS",
    "SHORT_NAME",
    "Encode",
    "FeatureScaling",
    "Prediction",
    "StructureSurrogate",
    "feature_scaling",
]
