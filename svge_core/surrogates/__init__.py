"""Predict a cell's score from its structure, with a calibrated interval.

    surrogate = StructureSurrogate.fit(space, labelled_cells, accuracies, seed=0)
    prediction = surrogate.predict(cells)     # mean, std, low, high in the unit of the labels
    surrogate.save(path); StructureSurrogate.load(path)

A prediction is never a measurement: whoever shows one says so and names the labels it came from.
"""

from svge_core.surrogates.structure import MIN_LABELS, FeatureScaling, Prediction, StructureSurrogate, feature_scaling

__all__ = ["MIN_LABELS", "FeatureScaling", "Prediction", "StructureSurrogate", "feature_scaling"]
